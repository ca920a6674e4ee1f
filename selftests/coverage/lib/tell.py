# SPDX-License-Identifier: GPL-2.0
"""The report for people."""

import textwrap

from present import table

UNKNOWN = "no reason known"


def _rows(rows):
    """A table of stages or files."""
    return table(("", "lines", "run", "%", "unit tests only", "functions", "entered"),
                 [(row["name"], row["lines"], row["run"], f"{row['percent']:.1f}", row["unit"], row["functions"],
                   row["entered"]) for row in rows])


def spans(lines):
    """Numbers as 3-5, 8; lines between two of a run have no code, or it would be a run of its own."""
    first, last = lines[0], lines[-1]
    return str(first) if first == last else f"{first}-{last}"


def _reasons(runs):
    """Lines that did not run, by reason; those without one are last, where they are seen."""
    told = []
    groups = {}
    for run in runs:
        groups.setdefault(run["reason"] or UNKNOWN, []).append(run)
    for reason, some in sorted(groups.items(), key=lambda item: (item[0] == UNKNOWN, item[0])):
        told += ["", f"{reason} ({sum(len(run['lines']) for run in some)} lines):", ""]
        places = {}
        for run in some:
            mark = " (unit tests)" if run["unit"] == len(run["lines"]) else ""
            places.setdefault(f"{run['file']} {run['function']}", []).append(spans(run["lines"]) + mark)
        told += [f"    {place}: {', '.join(numbers)}" for place, numbers in places.items()]
    return told


def _programs(programs):
    """What each ran, in the order of the lines that it adds for its time."""
    return table(("program", "kernel", "seconds", "passed", "failed", "skipped", "loads", "lines", "adds", "it alone"),
                 [(row["name"], row["kernel"], f"{row['seconds']:.0f}", row["passed"], row["failed"], row["skipped"],
                   row["loads"], row["lines"], row["adds"], row["alone"]) for row in programs])


def text(report):
    """The whole of it."""
    total = report["total"]
    lines = [f"# Lines of the module that the guest tests run, {report['time']}", "",
             f"Compiler: {report['compiler']}."]
    lines += [f"Kernel {kernel['name']} ({kernel['release']}): {kernel['programs']} of {kernel['of']} programs."
              for kernel in report["kernels"]]
    lines += ["", *_rows([*report["stages"], total]), "", "## Files", "", *_rows(report["files"]),
              "", "## Programs", "", *_programs(report["programs"])]
    if report["left_out"]:
        lines += ["", "Without counts:", ""]
        for reason in sorted({(row["kernel"], row["why"]) for row in report["left_out"]}):
            names = [row["name"] for row in report["left_out"] if (row["kernel"], row["why"]) == reason]
            lines += textwrap.wrap(f"{reason[0]}, {reason[1]}: {', '.join(names)}", 120, initial_indent="    ",
                                   subsequent_indent="        ", break_on_hyphens=False)
    lines += ["", "## Functions that were never entered", ""]
    lines += [f"    {row['file']}:{row['line']} {row['function']}" + (" (unit tests do)" if row["unit"] else "")
              for row in report["never_entered"]] or ["none"]
    lines += ["", "## Lines that did not run", *(_reasons(report["not_run"]) or ["", "none"])]
    if report["reasons_without_lines"]:
        lines += ["", "Places of the list of reasons where every line ran, or is none:", ""]
        lines += [f"    {place}" for place in report["reasons_without_lines"]]
    unexplained = sum(len(run["lines"]) for run in report["not_run"] if not run["reason"])
    lines += ["", f"{total['run']} of {total['lines']} lines ran: {total['percent']:.1f} %; "
              f"{total['unit']} more in the unit tests; {unexplained} of the others have no reason"]
    return "\n".join(lines)
