# SPDX-License-Identifier: GPL-2.0
"""Python's unittest with KTAP as its output."""

import sys
import traceback
import unittest


def _flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _flat(item)
        else:
            yield item


class _Ktap(unittest.TestResult):
    """Prints a line as each case ends."""

    def __init__(self):
        super().__init__()
        self._number = 0

    def _say(self, good, case, note=""):
        self._number += 1
        name = case.id().split(".", 1)[-1]
        print(f"{'ok' if good else 'not ok'} {self._number} {name}{note}", flush=True)

    def _explain(self, error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}")

    def addSuccess(self, test):
        self._say(True, test)

    def addSkip(self, test, reason):
        self._say(True, test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._explain(err)
        self._say(False, test)

    def addError(self, test, err):
        super().addError(test, err)
        self._explain(err)
        self._say(False, test)


def main(directory, pattern="test_*.py"):
    """Run the test_*.py files of a directory; returns the exit status."""
    cases = list(_flat(unittest.TestLoader().discover(directory, pattern)))
    print("KTAP version 1")
    print(f"1..{len(cases)}", flush=True)
    result = _Ktap()
    # One suite of all: fixtures of classes are set up and torn down as usual.
    unittest.TestSuite(cases).run(result)
    sys.stdout.flush()
    return 0 if result.wasSuccessful() and cases else 1
