# SPDX-License-Identifier: GPL-2.0
"""selftests/vm/suite over made-up programs: each way to fail is seen, the rest goes on."""

import os
import pathlib
import re
import signal
import threading
import time
from unittest import mock

from common import for_each_kernel
from harness import boots, discover

PROGRAMS = {
    "guest/test_a_good": "echo 1..2; echo ok 1 a; echo ok 2 b",
    "guest/test_b_fails": "echo 1..2; echo ok 1 a; echo '# guest/test_b.c:7:b:Expected 0 (0) == 1 (1)'; "
                          "echo not ok 2 b; exit 1",
    "guest/test_c_skips": "echo '1..0 # SKIP nothing here'; exit 4",
    "guest/test_d_no_plan": "echo ok 1 a",
    "guest/test_e_hangs": "echo 1..1; exec sleep 1000",
    "guest/test_f_warns": "echo 1..1; echo 'WARNING: made up' > /dev/kmsg; echo ok 1 a",
    "guest/test_g_crashes": "echo 1..1; echo ok 1 a; kill -SEGV $$",
    "guest/test_h_panics": "echo 1..2; echo ok 1 a; echo c > /proc/sysrq-trigger; sleep 1000",
    "guest/test_i_leaves": "echo 1..1; echo ok 1 a; setsid sleep 1000 & exit 0",
    "victims/test_j_good": "echo 1..1; [ -e /root/mark ] || echo ok 1 a; exit 0",
    "bench/test_k.icount": "echo 1..1; [ $(nproc) = 1 ] && echo ok 1 a",
    "bench/notest": "echo not ok 1 never run",
}
# Ends when its clock jumps, or after eight seconds; two without a tick are much to its kernel.
SPINS = """echo 1 > /proc/sys/kernel/watchdog_thresh
echo 1..1
start=$(date +%s); now=$start
while [ $now -lt $((start + 8)) ]; do before=$now; now=$(date +%s); done
[ $((now - before)) -lt 4 ] || echo not ok 1 a
echo ok 1 a
"""
# passed, failed, skipped
EXPECTED = {
    "guest/test_a_good": (2, 0, 0), "guest/test_b_fails": (1, 1, 0), "guest/test_c_skips": (0, 0, 1),
    "guest/test_d_no_plan": (1, 1, 0), "guest/test_e_hangs": (0, 1, 0), "guest/test_f_warns": (1, 1, 0),
    "guest/test_g_crashes": (1, 1, 0), "guest/test_h_panics": (1, 2, 0), "guest/test_i_leaves": (1, 1, 0),
    "victims/test_j_good": (1, 0, 0), "bench/test_k.icount": (1, 0, 0),
}


class Suite:
    """The orchestration from the command line to the closing line."""

    def setUp(self):
        super().setUp()
        for name, text in PROGRAMS.items():
            path = self.dir / "build/selftests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\n" + text + "\n", encoding="ascii")
            path.chmod(0o755)
        release = self.call("kernel", self.kernel)[1].decode().split()[0]
        self.module = self.dir / "build" / release / "selfheal.ko"
        self.module.parent.mkdir()
        self.module.touch()
        (self.dir / "build/selftests/guest/settings").write_text("timeout=5\n", encoding="ascii")

    def test_each_way_to_fail(self):
        only = [arg for place in ("guest", "victims", "bench") for arg in ("--only", f"{place}/*")]
        status, out, err = self.call("suite", "--kernel", self.kernel, *only, seconds=240)
        text = out.decode(errors="replace")
        self.assertEqual(status, 1, err)
        found = {}
        for match in re.finditer(r"^\S+ +(\S+/\S+) +(\d+) +(\d+) +(\d+) +[\d.]+$", text, re.M):
            found[match[1]] = tuple(int(match[n]) for n in (2, 3, 4))
        self.assertEqual(found, EXPECTED, text)
        sums = [sum(counts[n] for counts in EXPECTED.values()) for n in range(3)]
        self.assertEqual(text.splitlines()[-1],
                         f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
        # What the end of a run has to tell: why, and where it was.
        why = text[text.index("\nfailed:\n"):]
        self.assertIn("guest/test_b.c:7:b:Expected 0 (0) == 1 (1)", why)
        self.assertRegex(why, r"test_e_hangs: no end within its \d+ s; there was .*sleep:S:")
        logs = self.dir / "build/test-logs" / self.kernel
        self.assertIn("WARNING: made up", (logs / "guest-test_f_warns.console").read_text(encoding="utf-8"))

    def test_host_stands_still(self):
        """A program in which it does is judged by another run."""
        name = "guest/test_l_spins"
        path = self.dir / "build/selftests" / name
        path.write_text("#!/bin/sh\n" + SPINS, encoding="ascii")
        path.chmod(0o755)
        stops = []

        def stop():
            time.sleep(4)
            children = pathlib.Path("/proc/self/task").glob("*/children")
            for pid in " ".join(place.read_text(encoding="ascii") for place in children).split():
                os.kill(int(pid), signal.SIGSTOP)
                time.sleep(12)
                os.kill(int(pid), signal.SIGCONT)

        def take():
            stops.append(threading.Thread(target=stop))
            stops[-1].start()
            return tests.pop()

        tests = [discover.Test(name, 60)]
        told = []
        with mock.patch.dict(os.environ, self.env):
            suite = boots.Suite(self.kernel, logs=self.dir / "logs", mem=512, smp=1, icount=False, slow=1,
                                end=time.monotonic() + 200, report=told.append,
                                take=lambda: take() if tests else None, more=lambda: bool(tests), tag="0")
            outcomes = suite.run()
        for thread in stops:
            thread.join()
        self.assertEqual([(o.name, o.verdict.passed, o.verdict.total_failed) for o in outcomes], [(name, 1, 0)])
        self.assertEqual(len(told), 2)
        self.assertIn("soft lockup", (self.dir / "logs" / self.kernel / "boot-0.1.console").read_text(encoding="utf-8"))

    def test_no_module_fails(self):
        self.module.unlink()
        status, out, _ = self.call("suite", "--kernel", self.kernel, "--only", "none/*")
        self.assertEqual(status, 1)
        self.assertEqual(out.decode().splitlines()[-1], "0 passed, 1 failed")
        self.assertIn("no selfheal.ko", out.decode())

    def test_nothing_to_run_fails(self):
        status, out, _ = self.call("suite", "--kernel", self.kernel, "--only", "none/*")
        self.assertEqual(status, 1)
        self.assertEqual(out.decode().splitlines()[-1], "0 passed, 0 failed")


for_each_kernel(Suite, globals())
