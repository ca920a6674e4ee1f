# SPDX-License-Identifier: GPL-2.0
"""Whether a guest whose kernel says that a CPU is stuck stood still with its host.

The watchdogs of a kernel go by its clock, which runs on while the host gives the guest no CPU.
What is stuck in the guest's kernel uses CPU; who stands still uses none.
"""

import os
import pathlib
import re
import time

# The kernel's words, with the seconds in those of soft lockups; a stall of RCU is reported
# after as long as the guest's command line says.
_STUCK = re.compile(rb"soft lockup - CPU#\d+ stuck for (\d+)s|rcu.*self-detected stall|rcu.*detected stalls")
RCU_SECONDS = 180
# A guest that spins has at least a third of a CPU, however many there are beside it.
IDLE_SHARE = 0.2
_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """What a process has used so far."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


class Witness:
    """Knows what the guest used and when; reads its console as it comes."""

    def __init__(self, used):
        self.lines = []         # complaints that came of the host standing still
        self._used = used
        self._samples = []
        self._rest = b""

    def sample(self, now=None):
        """To be called every second or so; returns the sample."""
        now = time.monotonic() if now is None else now
        try:
            self._samples.append((now, self._used()))
        except OSError:         # it has ended
            pass
        return self._samples[-1] if self._samples else (now, 0)

    def feed(self, data, now=None):
        """Bytes of the console, in any pieces."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            match = _STUCK.search(line)
            if match and self._stood_still(int(match[1] or RCU_SECONDS), now):
                self.lines.append(line.decode(errors="replace").replace("\r", ""))

    def _stood_still(self, seconds, now):
        earlier = list(self._samples)
        now, used = self.sample(now)
        before = [sample for sample in earlier if sample[0] <= now - seconds]
        return bool(before) and used - before[-1][1] < IDLE_SHARE * seconds
