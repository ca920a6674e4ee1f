# SPDX-License-Identifier: GPL-2.0
"""Why lines did not run: the kept list, and what of it is true.

A reason stands at the margin. Below it, indented, are its places: FILE FUNCTION [PATTERN], the
first two as in a shell. Lines of one function that did not run, with none between them that
ran, are a run of lines; a place with a pattern (a regular expression) has the runs with a line
that it is found in, one without has all runs of the function.
"""

import dataclasses
import fnmatch
import re

from harness.cache import HarnessError

# The first line of a definition, as diff -p knows it.
_HEAD = re.compile(r"^[A-Za-z_].*?(\w+)\(")


@dataclasses.dataclass
class Place:
    """Where a reason holds."""
    reason: str
    file: str
    function: str
    pattern: str
    used: int = 0

    def holds(self, run, source):
        """Is it the reason of this run of lines?"""
        return (fnmatch.fnmatchcase(run.file, self.file) and fnmatch.fnmatchcase(run.function, self.function)
                and (not self.pattern or any(re.search(self.pattern, source[line - 1]) for line in run.lines)))


@dataclasses.dataclass
class Run:
    """Lines that did not run."""
    file: str
    function: str
    lines: list
    reason: str = None


def read(text):
    """The places of the list."""
    places = []
    reason = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line[0].isspace():
            reason = line.strip()
            continue
        words = line.split(None, 2)
        if reason is None or len(words) < 2:
            raise HarnessError(f"reasons:{number}: a place is FILE FUNCTION [PATTERN], below its reason")
        places.append(Place(reason, words[0], words[1], words[2].strip() if len(words) > 2 else ""))
    return places


def function_of(line, functions, source):
    """The name of the function that a line is in."""
    inside = [(first, name) for first, (name, last, _) in functions.items() if first <= line <= last]
    if inside:
        return max(inside)[1]
    # What the compiler put into its callers has no entry of its own.
    for text in reversed(source[:line]):
        match = _HEAD.match(text)
        if match and not text.rstrip().endswith(";"):
            return match[1]
    return "-"


def runs(counts, sources):
    """All runs of lines that did not run; sources: {file: its lines}."""
    found = []
    for file, lines in sorted(counts.lines.items()):
        current = None
        for line, times in sorted(lines.items()):
            if times > 0:
                current = None
                continue
            function = function_of(line, counts.functions.get(file, {}), sources[file])
            if not current or current.function != function:
                current = Run(file, function, [])
                found.append(current)
            current.lines.append(line)
    return found


def explain(found, places, sources):
    """Gives each run its reason, the first that holds; returns the places that hold nowhere."""
    for run in found:
        for place in places:
            if place.holds(run, sources[run.file]):
                place.used += len(run.lines)
                run.reason = place.reason
                break
    return [place for place in places if not place.used]
