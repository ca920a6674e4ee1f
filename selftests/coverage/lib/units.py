# SPDX-License-Identifier: GPL-2.0
"""The unit tests of the module's logic, built with counters in place of sanitizers.

They run the real sources over other headers, so what they run of a line is no proof that it
runs in a kernel: it is told beside the figure of the guests, never in it, and only of lines
that the module has code for.
"""

import os
import subprocess

from harness import cache
from harness.cache import HarnessError

import counts

FLAGS = "-O1 -g --coverage"


def run(folder):
    """Builds and runs them; returns their counts."""
    top = cache.tree()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.rglob("*.gcda"):
        path.unlink()
    for command in (["make", "-s", "-C", str(top / "selftests/unit/kmod"), f"-j{os.cpu_count()}", f"O={folder}",
                     f"SANITIZE={FLAGS}"], [str(folder / "tests"), str(top), "none"]):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise HarnessError(f"{command[0]} of the unit tests failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return counts.of_programs(folder, top)
