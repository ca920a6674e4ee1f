# SPDX-License-Identifier: GPL-2.0
"""The report for people: aligned tables that are Markdown as well, and the plot."""

import shutil
import subprocess

SCRIPT = """\
set terminal svg noenhanced size 1400,1000 font "sans,11" background "white"
set output "{name}.svg"
set multiplot layout 2,3 title "selfheal: instructions, by make bench" font "sans,14"
set key top left
set grid
set style data linespoints
set ylabel "instructions"
"""


def table(header, rows):
    """Lines of an aligned Markdown table; all columns but the first are numbers."""
    cells = [list(map(str, row)) for row in (header, *rows)]
    width = [max(len(row[column]) for row in cells) for column in range(len(header))]

    def line(row):
        return "| " + " | ".join(text.rjust(width[i]) if i else text.ljust(width[i])
                                 for i, text in enumerate(row)) + " |"
    rule = "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(width)) + "|"
    return [line(cells[0]), rule, *map(line, cells[1:])]


def section(result):
    """A section of the report as lines."""
    lines = [f"### {result['title']}", "", f"    {result['command']}", ""]
    if result["problem"]:
        lines += [f"**{result['problem']}**", ""]
    for title, header, rows in result["tables"]:
        lines += [f"{title}:", "", *table(header, rows), ""]
    return lines + [line for note in result["notes"] for line in (f"- {note}",)] + ([""] if result["notes"] else [])


def text(report):
    """The whole of it."""
    lines = [f"# selfheal: measurements of {report['time']}", "", f"Tree: {report['tree']}.",
             "Instructions are those of all that runs, kernel and user, counted by QEMU -icount.", ""]
    bad = [f"- {kernel} {name}: {result['problem']}" for kernel, results in report["kernels"].items()
           for name, result in results.items() if result["problem"]]
    lines += ["What failed:", "", *bad, ""] if bad else []
    for kernel, results in report["kernels"].items():
        lines += [f"## Linux {kernel}", ""]
        for result in results.values():
            lines += section(result)
    return "\n".join(lines).rstrip() + "\n"


def blocks(script, plots):
    """One diagram: plots are (title, [(x, y)...]) drawn together, if there are any."""
    plots = [(title, points) for title, points in plots if points]
    for number, (_, points) in enumerate(plots):
        script.append(f"$data{number} << EOD")
        script += [f"{x} {y}" for x, y in points]
        script.append("EOD")
    if plots:
        script.append("plot " + ", ".join(f'$data{number} title "{title}"' for number, (title, _) in enumerate(plots)))
    else:
        script.append("set multiplot next")


def figures(results, name):
    """What a section told, or nothing."""
    return results.get(name, {}).get("figures") or {}


def bars(script, title, results):
    """What others that look at calls add."""
    data = figures(results, "monitors")
    script += ["", f'set title "{title}"', 'set xlabel ""', "set logscale y", "unset logscale x", "set yrange [1:*]",
               "set style data histograms", "set style fill solid 0.7", "set xtics rotate by -25", "set key above"]
    ways = [way for way in data.get("figures", {}) if way != "plain"]
    if not ways:
        script.append("set multiplot next")
    else:
        script.append("$bars << EOD")
        plain = data["figures"]["plain"]
        for op in plain:
            script.append(" ".join([op, *(f"{max(1, data['figures'][way].get(op, 0) - plain[op]):.0f}" for way in ways)]))
        script.append("EOD")
        script.append("plot " + ", ".join(f'$bars using {column + 2}:xtic(1) title "{data["names"][way]}"'
                                          for column, way in enumerate(ways)))
    script += ["set style data linespoints", "set xtics norotate", "set yrange [*:*]", "set key inside top left"]


def by_number(data, kind, name):
    """Points of one figure of the growth."""
    return [(int(number), values[0]) for number, values in data.get(kind, {}).get(name, {}).items()]


def script_of(results, name, kernel):
    """The gnuplot script for one kernel; data and all."""
    script = [SCRIPT.format(name=name).rstrip()]
    bars(script, f"{kernel}: more than plain, by operation", results)
    scale, points = figures(results, "scale"), figures(results, "points")
    script += ["", "set logscale xy", 'set title "rescue point and what is used instead"', 'set xlabel "MiB resident"']
    blocks(script, [(what, [(int(size), row[what][0]) for size, row in points.items()])
                    for what in ("point", "back", "fork", "copy")])
    script += ["", 'set title "growth with members, domains, held entries"', 'set xlabel "number"']
    blocks(script, [(f"{what}, {kind}", by_number(scale, kind, what))
                    for kind in ("members", "domains") for what in ("gettid", "pipe")] +
           [(what, by_number(scale, "held", what)) for what in ("hold", "commit")])
    script += ["", 'set title "growth with policy rules"', 'set xlabel "names of executables"']
    blocks(script, [(what, by_number(scale, "rules", what)) for what in ("exec", "load", "unload")])
    script += ["", 'set title "16 bytes to 64 KiB through a pipe"', 'set xlabel "bytes"']
    blocks(script, [(what, by_number(scale, "bytes", what)) for what in ("plain", "held")])
    freeze = [row for row in figures(results, "freeze") or []]
    script += ["", 'set title "freeze"', 'set xlabel "members"', 'set ylabel "ms of a million instructions"']
    blocks(script, [(f"{what[:3]}, {how}", [(row["members"], row[what]) for row in freeze if row["how"] in ("alone", how)])
                    for how in ("asleep", "mixed") for what in ("p50_ms", "p99_ms")])
    return "\n".join(script) + "\nunset multiplot\n"


def plot(results, directory, kernel):
    """Writes NAME.gnuplot and NAME.svg; what went wrong, or None."""
    name = f"report-{kernel}"
    path = directory / f"{name}.gnuplot"
    path.write_text(script_of(results, name, kernel), encoding="utf-8")
    if not shutil.which("gnuplot"):
        return "no plot: gnuplot is not installed (selftests/vm/deps)"
    done = subprocess.run(["gnuplot", path.name], cwd=directory, capture_output=True, text=True, check=False)
    return f"no plot: gnuplot: {done.stderr.strip()[-300:]}" if done.returncode else None
