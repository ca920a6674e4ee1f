# SPDX-License-Identifier: GPL-2.0
"""What people see of a test run: a line as each program ends, a table, the closing line."""

import sys

REASONS = 5


def _words(verdict):
    words = [f"{verdict.passed} passed"]
    if verdict.total_failed:
        words.append(f"{verdict.total_failed} FAILED")
    if verdict.skipped:
        words.append(f"{verdict.skipped} skipped")
    return ", ".join(words)


def _failed(verdict):
    """What failed, each with what it said first: the end of a run is what is kept of it."""
    lines = []
    for name, reasons in zip(verdict.failures, verdict.reasons):
        lines.append("\n      ".join([name, *reasons[:REASONS]]))
    return lines + verdict.problems


def _print(text=""):
    print(text, flush=True)


def live(outcome, verbose=False):
    """One program has ended."""
    verdict = outcome.verdict
    _print(f"{'ok  ' if verdict.good else 'FAIL'} {outcome.kernel:11} {outcome.name:34} "
           f"{_words(verdict)} ({outcome.seconds:.1f} s)")
    for text in verdict.failures + verdict.problems:
        _print(f"       {text}")
    if verbose and outcome.text:
        _print("\n".join("  | " + line for line in outcome.text.splitlines()))
    elif verdict.total_failed and outcome.text:
        tail = outcome.text.rstrip().splitlines()[-25:]
        _print("\n".join("  | " + line for line in tail))
    sys.stdout.flush()


def table(outcomes):
    """All of them, one line each, then the reasons of what was skipped, and last of what failed."""
    outcomes = sorted(outcomes, key=lambda outcome: (outcome.kernel != "host", outcome.kernel, outcome.name))
    _print()
    width = max((len(outcome.name) for outcome in outcomes), default=4)
    _print(f"{'kernel':11} {'test':{width}} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for outcome in outcomes:
        verdict = outcome.verdict
        _print(f"{outcome.kernel:11} {outcome.name:{width}} {verdict.passed:7} "
               f"{verdict.total_failed:7} {verdict.skipped:8} {outcome.seconds:8.1f}")
    for title, pick in (("skipped", lambda v: v.skips), ("failed", _failed)):
        lines = [f"  {outcome.kernel} {outcome.name}: {text}"
                 for outcome in outcomes for text in pick(outcome.verdict)]
        if lines:
            _print(f"\n{title}:")
            _print("\n".join(lines))


def not_begun(left):
    """Of the extra kernels, what the time was too short for."""
    if left:
        _print("\nleft out, for want of time:")
        for queue, test in left:
            _print(f"  {queue.label} {test.name}")


def closing(outcomes):
    """The last line; returns the exit status."""
    passed = sum(outcome.verdict.passed for outcome in outcomes)
    failed = sum(outcome.verdict.total_failed for outcome in outcomes)
    skipped = sum(outcome.verdict.skipped for outcome in outcomes)
    _print()
    _print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1
