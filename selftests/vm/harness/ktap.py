# SPDX-License-Identifier: GPL-2.0
"""Judge what one test program printed (KTAP) together with how it ended.

What cannot be believed is a failure: no plan, another number of results than planned, a
result number out of order, a non-zero exit without a failed result, or no result at all.
"""

import dataclasses
import re

EXIT_SKIP = 4
_PLAN = re.compile(r"1\.\.(\d+)(?:\s*#\s*SKIP\S*\s*(.*))?\s*$", re.I)
_RESULT = re.compile(r"(not )?ok\b(?:\s+(\d+))?\s*-?\s*(.*)$")
_SAID = re.compile(r"# (?!ROW )(\S.*)$")
_REASON = re.compile(r"[\w./-]+:\d+:\w+:")
_DIRECTIVE = re.compile(r"(?:^|\s)#\s*(SKIP|XFAIL|TODO)\b:?\s*(.*)$", re.I)


@dataclasses.dataclass
class Verdict:
    """The counts of one program; problems are failures beyond its own 'not ok' lines.

    For each failure there is a list of reasons, of what was said before it: as FILE:LINE:TEST:TEXT
    if there is any, else what begins with its name, else the last words.
    """
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    planned: int = None
    failures: list = dataclasses.field(default_factory=list)
    reasons: list = dataclasses.field(default_factory=list)
    skips: list = dataclasses.field(default_factory=list)
    problems: list = dataclasses.field(default_factory=list)

    def problem(self, text):
        """One more failure that no result line tells."""
        self.problems.append(text)

    @property
    def total_failed(self):
        """Failed results and problems."""
        return self.failed + len(self.problems)

    @property
    def good(self):
        """Nothing failed and something was seen."""
        return self.total_failed == 0 and self.passed + self.skipped > 0


def _reasons(name, said):
    return ([text for text in said if _REASON.match(text)] or
            [text for text in said if text.startswith(name + ":")] or said[-3:])


def _result(verdict, match, said):
    negative, _, rest = match.groups()
    directive = _DIRECTIVE.search(rest)
    kind = directive[1].upper() if directive else None
    name = (rest[:directive.start()] if directive else rest).strip() or "(no name)"
    if kind == "SKIP":
        verdict.skipped += 1
        reason = directive[2].strip()
        verdict.skips.append(f"{name}: {reason}" if name != "(no name)" else reason)
        if not reason:
            verdict.problem(f"{name} is skipped without a reason")
    elif not negative or kind in ("XFAIL", "TODO"):
        verdict.passed += 1
    else:
        verdict.failed += 1
        verdict.failures.append(name)
        verdict.reasons.append(_reasons(name, said))


def parse(text, complete=True):
    """Counts of the top-level results in text; nested ones are indented and not counted.

    complete: the program came to its end, so every planned result has to be there.
    """
    verdict = Verdict()
    seen = 0
    said = []
    for line in text.splitlines():
        line = line.rstrip()
        plan = _PLAN.match(line)
        if plan:
            if verdict.planned is not None:
                verdict.problem("more than one plan")
            verdict.planned = int(plan[1])
            if verdict.planned == 0:
                verdict.skipped += 1
                verdict.skips.append((plan[2] or "").strip())
                if not verdict.skips[-1]:
                    verdict.problem("skipped without a reason")
            continue
        if line.startswith("Bail out!"):
            verdict.problem(line)
            continue
        comment = _SAID.match(line)
        if comment:
            said.append(comment[1])
        match = _RESULT.match(line)
        if not match:
            continue
        seen += 1
        if match[2] and int(match[2]) != seen:
            verdict.problem(f"result number {match[2]} where {seen} was due")
            seen = int(match[2])
        _result(verdict, match, said)
        said = []
    if verdict.planned is None:
        verdict.problem("no plan")
    elif complete and verdict.planned and verdict.planned != verdict.passed + verdict.failed + verdict.skipped:
        verdict.problem(f"{verdict.planned} results planned, "
                        f"{verdict.passed + verdict.failed + verdict.skipped} seen")
    return verdict


def judge(text, status):
    """The verdict over a program that printed text and exited with status (None: never)."""
    verdict = parse(text, complete=status is not None and status <= 128)
    if status is None:
        verdict.problem("did not end")
    elif status == EXIT_SKIP:
        if verdict.passed or verdict.failed or not verdict.skipped:
            verdict.problem("exit status 4 (skip), but not everything is skipped")
    elif status != 0 and not verdict.failed:
        verdict.problem(f"killed by signal {status - 128}" if status > 128 else
                        f"exit status {status} without a failed result")
    elif status == 0 and verdict.failed:
        verdict.problem("exit status 0 with failed results")
    return verdict
