# SPDX-License-Identifier: GPL-2.0
"""Programs that run on the host: every executable called `run` under selftests/unit/, which
builds what it needs and prints KTAP, the static checks, the self-test of the harness, and
the builds of kernels.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import time

from . import cache, ktap
from .boots import Outcome

TIMEOUT = 600
LONG_TIMEOUT = 2400


def programs():
    """The run scripts, by directory."""
    base = cache.tree() / "selftests" / "unit"
    return [path for path in sorted(base.rglob("run")) if path.is_file() and os.access(path, os.X_OK)]


def units(logs, report):
    """Run all unit tests; returns their outcomes."""
    return [_one(str(path.parent.relative_to(cache.tree() / "selftests")), [path], logs, report)
            for path in programs()]


def harness(kernel, logs, report):
    """Run the harness's self-test on one kernel; returns its outcome."""
    return _one("vm/selftest", [cache.tree() / "selftests/vm/selftest", kernel], logs, report, LONG_TIMEOUT)


def checks(logs, report):
    """Run the static checks; returns their outcome."""
    return _one("check", [cache.tree() / "selftests/check/run"], logs, report, LONG_TIMEOUT)


def build(name, logs, report):
    """Build the sanitizer kernel NAME and our module for it; returns the outcome of that."""
    tree = cache.tree()
    script = (f"set -e; echo 1..1; '{tree}/selftests/debug/build-kernel' '{name}' > /dev/null; "
              f"make -s -C '{tree}' modules KERNELS='debug-{name}'; echo ok 1 debug-{name}")
    return _one(f"debug/build-{name}", ["bash", "-c", script], logs, report, LONG_TIMEOUT)


def _child():
    """In the child: a group of its own, which does not outlive us."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)	# PR_SET_PDEATHSIG


def _end(process):
    """End the whole group, the patient way first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=10)[0]
    return ""


def _one(name, command, logs, report, timeout=TIMEOUT):
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], cwd=cache.tree(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", preexec_fn=_child)
    status = None
    try:
        text, _ = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        text = _end(process)
    except BaseException:
        _end(process)
        raise
    outcome = Outcome("host", name, ktap.judge(text, 128 - status if status and status < 0 else status),
                      time.monotonic() - start, text)
    logs.mkdir(parents=True, exist_ok=True)
    (logs / (name.replace("/", "-") + ".log")).write_text(text, encoding="utf-8")
    report(outcome)
    return outcome
