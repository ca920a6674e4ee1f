# SPDX-License-Identifier: GPL-2.0
"""When a stuck CPU is the host's doing."""

import os
import time
import unittest

from harness import stall

SOFT = b"[   99.0] watchdog: BUG: soft lockup - CPU#0 stuck for 150s! [khugepaged:41]\r\n"
RCU = b"[   99.0] rcu: INFO: rcu_preempt self-detected stall on CPU\r\n"


def witness(usage):
    """One that has seen a guest use this much, each second, and what it makes of a complaint."""
    state = {"used": 0}
    one = stall.Witness(lambda: state["used"])
    for second, used in enumerate(usage):
        state["used"] += used
        one.sample(second)
    return one, len(usage)


class Witness(unittest.TestCase):
    """stall.Witness."""

    def test_spinning(self):
        one, now = witness([0.4] * 300)
        one.feed(SOFT + RCU, now)
        self.assertEqual(one.lines, [])

    def test_standing_still(self):
        one, now = witness([0.9] * 100 + [0] * 190)
        for byte in SOFT + RCU:
            one.feed(bytes([byte]), now)
        self.assertEqual(len(one.lines), 2)
        self.assertIn("khugepaged", one.lines[0])
        self.assertNotIn("\r", one.lines[0])

    def test_without_samples_meanwhile(self):
        """The harness stood still as well."""
        one, now = witness([0.9] * 100)
        one.feed(SOFT, now + 150)
        self.assertEqual(len(one.lines), 1)

    def test_known_for_too_short_a_time(self):
        one, now = witness([0] * 100)
        one.feed(SOFT, now)
        self.assertEqual(one.lines, [])

    def test_other_complaints(self):
        one, now = witness([0] * 300)
        one.feed(b"BUG: unable to handle page fault\nWARNING: at x\n", now)
        self.assertEqual(one.lines, [])

    def test_cpu_seconds_of_ourselves(self):
        before = stall.cpu_seconds(os.getpid())
        end = time.monotonic() + 60
        while stall.cpu_seconds(os.getpid()) < before + 0.05 and time.monotonic() < end:
            pass
        self.assertGreaterEqual(stall.cpu_seconds(os.getpid()), before + 0.05)


if __name__ == "__main__":
    unittest.main()
