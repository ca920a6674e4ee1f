# SPDX-License-Identifier: GPL-2.0
"""What the counts of all kernels and programs come to: one structure, for text and JSON."""

import dataclasses
import time

from harness import cache

import counts
import lane
import reasons

# The function that runs at each load.
INIT = ("kmod/main.c", "selfheal_init")


@dataclasses.dataclass
class Measured:
    """A kernel, the programs that could run there, and why some gave no counts."""
    lane: lane.Lane
    tests: list
    lost: dict
    asked: set


def stage_of(file):
    """The directory below kmod/; what lies beside main.c is one of its own."""
    parts = file.split("/")
    return parts[1] if parts[0] == "kmod" and len(parts) > 2 else parts[0]


def _row(name, base, ran, unit):
    """Counts of lines and functions of some files."""
    every = base.every()
    done = ran.ran() & every
    entries = [(file, first, times) for file, rows in base.functions.items() for first, (_, _, times) in rows.items()]
    entered = sum(1 for file, first, _ in entries if ran.functions.get(file, {}).get(first, (0, 0, 0))[2] > 0)
    return {"name": name, "lines": len(every), "run": len(done), "percent": percent(len(done), len(every)),
            "unit": len((unit.ran() & every) - done), "functions": len(entries), "entered": entered}


def percent(part, whole):
    """Rounded down to a tenth: what is not reached is not told as reached."""
    return int(1000 * part / whole) / 10 if whole else 0.0


def _some(all_counts, files):
    """The counts of some files."""
    return counts.Counts(*({file: part[file] for file in files if file in part}
                           for part in (all_counts.lines, all_counts.functions)))


def _rows(base, ran, unit, name_of):
    """A row for each group of files."""
    groups = {}
    for file in sorted(base.lines):
        groups.setdefault(name_of(file), []).append(file)
    return [_row(name, *(_some(part, files) for part in (base, ran, unit))) for name, files in sorted(groups.items())]


def by_gain(programs):
    """Puts those first that add most lines for their time; tells what each adds, and what it alone runs.

    programs: [(what is told, {(file, line)}, seconds)]
    """
    left = list(programs)
    seen = set()
    ordered = []
    while left:
        best = max(left, key=lambda program: len(program[1] - seen) / max(1, program[2]))
        left.remove(best)
        others = set().union(*(lines for row, lines, _ in programs if row is not best[0]))
        ordered.append(best[0] | {"lines": len(best[1]), "adds": len(best[1] - seen),
                                  "alone": len(best[1] - others)})
        seen |= best[1]
    return ordered


def why(one, name):
    """What a program gave no counts for."""
    return one.lost.get(name) or ("the time was over" if name in one.asked else "not asked for")


def loads(result):
    """How often the module was loaded meanwhile: counters of all loads are summed."""
    return sum(times for name, _, times in result["counts"]["functions"].get(INIT[0], {}).values() if name == INIT[1])


def _programs(measured, base):
    """Their rows."""
    found = []
    for one in measured:
        for name, result in one.lane.results().items():
            row = {key: result[key] for key in ("name", "seconds", "passed", "failed", "skipped", "time")}
            lines = counts.Counts.unpack(result["counts"]).within(base).ran()
            found.append((row | {"kernel": one.lane.name, "loads": loads(result)}, lines, result["seconds"]))
    return by_gain(found)


def make(measured, unit, list_of_reasons):
    """The report."""
    base, ran = counts.Counts(), counts.Counts()
    for one in measured:
        base.add(one.lane.base)
        for result in one.lane.results().values():
            ran.add(counts.Counts.unpack(result["counts"]))
    now = counts.Counts()
    now.add(base)
    now.add(ran.within(base))
    sources = {file: (cache.tree() / file).read_text(encoding="utf-8").splitlines() for file in base.lines}
    found = reasons.runs(now, sources)
    unused = reasons.explain(found, reasons.read(list_of_reasons), sources)
    total = _row("all", base, ran, unit)
    run_by_unit = unit.ran()
    return {
        "time": time.strftime("%Y-%m-%d", time.gmtime()),
        "compiler": lane.compiler(),
        "kernels": [{"name": one.lane.name, "release": one.lane.kernel.release, "programs": len(one.lane.results()),
                     "of": len(one.tests)} for one in measured],
        "percent": total["percent"], "total": total,
        "stages": _rows(base, ran, unit, stage_of), "files": _rows(base, ran, unit, str),
        "never_entered": [{"file": file, "line": first, "function": name,
                           "unit": unit.functions.get(file, {}).get(first, (0, 0, 0))[2] > 0}
                          for file, rows in sorted(now.functions.items())
                          for first, (name, _, times) in sorted(rows.items()) if not times],
        "not_run": [{"file": run.file, "function": run.function, "lines": run.lines, "reason": run.reason,
                     "unit": sum((run.file, line) in run_by_unit for line in run.lines)} for run in found],
        "reasons_without_lines": [f"{place.reason}: {place.file} {place.function} {place.pattern}".strip()
                                  for place in unused],
        "programs": _programs(measured, base),
        "left_out": [{"kernel": one.lane.name, "name": name, "why": why(one, name)}
                     for one in measured for name in one.tests if name not in one.lane.results()],
    }
