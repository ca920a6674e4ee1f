# SPDX-License-Identifier: GPL-2.0
"""Cases, their time limits, and KTAP on stdout. Exit status as in kselftest:
0 all passed, 1 something failed, 4 nothing could be tested."""

import os
import signal
import sys
import time
import traceback

# The machine is so much slower than an ordinary one; every limit of time is for that.
SLOW = max(1.0, float(os.environ.get("SELFHEAL_SLOW", "1")))
CASE_LIMIT = 300	# seconds, times SLOW


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Failed(Exception):
    """The case ran and what it saw is not what must be."""


class TimeLimit(BaseException):
    """Not an Exception: no handler of a case may swallow it."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def check_equal(seen, expected, what):
    if seen != expected:
        raise Failed(f"{what}: expected {shorten(expected)}, seen {shorten(seen)}")


def shorten(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + f"... ({len(text)} characters)"


def wait_until(condition, what, timeout=60.0, step=0.02):
    """Poll until condition() is true and return its value."""
    timeout *= SLOW
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {timeout:g} s: {what}")
        time.sleep(step)


def comment(text):
    for line in str(text).rstrip().splitlines() or [""]:
        print("# " + line, flush=True)


class Suite:
    def __init__(self, name):
        self.name = name
        self.cases = []

    def add(self, name, function, *args, limit=CASE_LIMIT):
        self.cases.append((name, function, args, limit))

    def skip_all(self, reason):
        print(f"KTAP version 1\n1..0 # SKIP {reason}", flush=True)
        return 4

    def run(self, argv=None):
        """Run the cases whose names start with one of the arguments, or all."""
        wanted = tuple(sys.argv[1:] if argv is None else argv)
        cases = [c for c in self.cases if not wanted or c[0].startswith(wanted)]
        if not cases:
            names = "\n  ".join(c[0] for c in self.cases)
            sys.exit(f"{self.name}: no case starts with {wanted}; cases:\n  {names}")
        print(f"KTAP version 1\n1..{len(cases)}", flush=True)
        results = [self._one(number, *case)
                   for number, case in enumerate(cases, 1)]
        passed, failed, skipped = (results.count(r) for r in ("ok", "not ok", "skip"))
        print(f"# Totals: pass:{passed} fail:{failed} xfail:0 xpass:0 "
              f"skip:{skipped} error:0", flush=True)
        if failed:
            return 1
        return 0 if passed else 4

    def _one(self, number, name, function, args, limit):
        def alarm(_signum, _frame):
            raise TimeLimit()

        limit = int(limit * SLOW)
        started = time.monotonic()
        signal.signal(signal.SIGALRM, alarm)
        signal.alarm(limit)
        try:
            function(*args)
            result, note = "ok", ""
        except Skip as reason:
            result, note = "skip", f" # SKIP {reason}"
        except Failed as failure:
            where = traceback.extract_tb(failure.__traceback__)[0 if len(
                traceback.extract_tb(failure.__traceback__)) == 1 else 1]
            comment(f"{where.name}:{where.lineno}: {failure}")
            result, note = "not ok", ""
        except TimeLimit:
            comment(f"not finished within {limit} s\n" + traceback.format_exc())
            result, note = "not ok", ""
        except Exception:		# a bug or a surprise is a failure, too
            comment(traceback.format_exc())
            result, note = "not ok", ""
        finally:
            signal.alarm(0)
        comment(f"{name}: {time.monotonic() - started:.1f} s")
        print(f"{'not ok' if result == 'not ok' else 'ok'} {number} {name}{note}",
              flush=True)
        return result
