# SPDX-License-Identifier: GPL-2.0
"""The sections of the report: the command that measures each in a guest, and the tables of what it told.

A reader takes the directory that came back from the guest and what the command printed, and returns
(figures for the JSON, tables, notes). A table is (title, header, rows); its first column is text."""

import dataclasses
import json
import re
import typing

from stats import ratio_interval

BENCH = "/opt/selfheal/selftests/bench"
ROUNDS = 9
SECONDS = 4


@dataclasses.dataclass(frozen=True)
class Section:
    """One measurement."""
    name: str
    title: str
    command: str
    read: typing.Callable
    icount: bool = True
    mem: int = 1536
    timeout: int = 1800


def told(out, name):
    """The JSON that a measuring test left."""
    found = sorted(out.glob(f"{name}-*.json"))
    if not found:
        raise ValueError(f"the guest left no {name}-*.json")
    return json.loads(found[0].read_text(encoding="utf-8"))


def added(value):
    """What is paid more."""
    return f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.2f}"


def read_cost(out, _text):
    """Who is not protected, the gate, held output."""
    data = told(out, "cost")
    plain = [(op, f"{figure:,.2f}", added(data["loaded"][op]), added(data["policy"][op]), f"{data['noise'][op]:.2f}")
             for op, figure in data["none"].items()]
    gate = [(name, f"{figure:,.2f}") for name, figure in data["gettid"].items()]
    held = [(op, f"{data['none'][op]:,.0f}", f"{figure:,.0f}", f"{figure / data['none'][op]:.2f}")
            for op, figure in data["held"].items()]
    return data, [
        ("Who is not protected: instructions per operation, and what it pays more",
         ("operation", "no module", "loaded", "policy loaded", "noise"), plain),
        ("The gate: instructions of one gettid(2)", ("gettid", "instructions"), gate),
        ("Held output: 16 bytes sent and received again", ("channel", "plain", "held", "ratio"), held)], []


def read_monitors(out, _text):
    """Others that look at calls."""
    data = told(out, "monitors")
    seen, names = data["figures"], data["names"]
    shown = [way for way in names if way in seen]
    rows = [(op, f"{plain:,.0f}", *(added(seen[way][op] - plain) if op in seen[way] else "-" for way in shown))
            for op, plain in seen["plain"].items()]
    return data, [("Beside others that look at calls: instructions more than plain",
                   ("operation", "plain", *(names[way] for way in shown)), rows)], \
        [f"cannot run here: {reason}" for reason in data["absent"].values()]


def read_peers(out, _text):
    """Supervisors in user space."""
    data = told(out, "peers")
    rows = []
    for op, (plain, _) in data["plain"].items():
        more = {way: data[way][op][0] - plain for way in data}
        rows.append((op, f"{plain:,.0f}", *(added(more[way]) for way in ("member", "notify", "ptrace")),
                     *(f"{more[way] / more['member']:.1f}" for way in ("notify", "ptrace"))))
    apart = max(spread for way in data.values() for _, spread in way.values())
    return data, [("Beside supervisors that hold the same sends: instructions more than plain",
                   ("channel", "plain", "member", "user notification", "ptrace", "notification/member",
                    "ptrace/member"), rows)], [f"the runs of a way are at most {apart:.0f} instructions apart"]


def read_points(out, _text):
    """Rescue points."""
    data = told(out, "points")
    shown = ("bare", "point", "touch", "copy", "fork", "back")
    rows = [(f"{size} MiB", *(f"{row[name][0]:,}" for name in shown),
             f"{row['point'][1]:,} to {row['point'][2]:,}") for size, row in data.items()]
    return data, [("Rescue points: instructions by resident size (medians)",
                   ("resident", *shown, "points from, to"), rows)], \
        ["bare: a wait without points; fork: fork(2) as a point; back: from the fault to running again"]


def read_restart(out, _text):
    """Restarts and CRIU."""
    data = told(out, "restart")
    points = {name: max(sizes.values()) for name, sizes in data["points"].items()}
    rows = [(name, f"{row['figures'][0]:,}", f"{row['figures'][1]:,} to {row['figures'][2]:,}",
             f"{row['figures'][0] / points[row['of']]:,.0f} times a {row['of']}")
            for name, row in data["others"].items()]
    return data, [("Beside a restart and a dump: instructions until it goes on",
                   ("what", "instructions", "from, to", "compared"), rows)], \
        [f"the dearest point of the same run: {points['point']:,}, the dearest way back {points['back']:,}"] + \
        [f"cannot run here: {name}: {reason}" for name, reason in data["absent"].items()]


def read_freeze(_out, text):
    """Freeze latency."""
    rows, data = [], []
    for line in re.finditer(r"(\d+) members (\w+) +(\d+) freezes: p50 +([\d.]+) p99 +([\d.]+) worst +([\d.]+) ms", text):
        rows.append((f"{int(line[1]):,} {line[2]}", line[3], *line.group(4, 5, 6)))
        data.append({"members": int(line[1]), "how": line[2], "freezes": int(line[3]), "p50_ms": float(line[4]),
                     "p99_ms": float(line[5]), "worst_ms": float(line[6])})
    if not rows:
        raise ValueError("the guest told no freeze")
    return data, [("Freezing: from the sensor to the state FROZEN, in ms of a million instructions",
                   ("members", "freezes", "p50", "p99", "worst"), rows)], []


def read_scale(out, _text):
    """How costs grow."""
    data = told(out, "scale")
    tables = []
    for kind, figures in data.items():
        numbers = list(next(iter(figures.values())))
        tables.append((f"Growth with {kind}: instructions", (kind, *(f"{int(number):,}" for number in numbers)),
                       [(name, *(f"{by[number][0]:,.0f}" for number in numbers)) for name, by in figures.items()]))
    return data, tables, []


def read_throughput(_out, text):
    """Servers."""
    data = json.loads(text[text.index("{"):text.rindex("}") + 1])
    rows = []
    for server, seen in data.items():
        for row in seen["rows"]:
            what, way = row["operation"], row["way"]
            ratios = [one[way][what]["per_second"] / one["outside"][what]["per_second"] for one in seen["rounds"]]
            row["mean"], row["low"], row["high"] = ratio_interval(ratios)
            rows.append((f"{server} {what}, {way}", f"{row['per_second']:,.0f}", f"{row['mean']:.2f}",
                         f"{row['low']:.2f} to {row['high']:.2f}", f"{row['p50']:.2f}", f"{row['p99']:.2f}"))
    rounds = len(next(iter(data.values()))["rounds"])
    return data, [("Servers: ratio to the same one outside every domain, asked by turns",
                   ("server", "requests/s", "ratio", "95 % interval", "p50 ms", "p99 ms"), rows)], \
        [f"{rounds} rounds; the ratio is the geometric mean over the rounds, its interval by Student's t on the "
         "logarithms; requests/s and latencies are medians, and those of this machine"]


def sections(rounds=ROUNDS):
    """All of them, in the order of the report."""
    return [
        Section("cost", "What protection costs", f"{BENCH}/test_cost.icount", read_cost),
        Section("monitors", "Others that look at calls", f"{BENCH}/peer_monitors", read_monitors),
        Section("peers", "Supervisors that hold", f"{BENCH}/test_peers.icount", read_peers),
        Section("freeze", "Freeze latency", f"{BENCH}/test_freeze_latency", read_freeze),
        Section("points", "Rescue points", f"{BENCH}/test_points.icount 1 16 64 1024", read_points, mem=4096),
        Section("restart", "Restart, dump and restore", f"{BENCH}/peer_restart 1 16 64", read_restart, mem=2048),
        Section("scale", "Growth", f"{BENCH}/growth 10 100 1000 10000", read_scale, mem=4096),
        Section("throughput", "Servers", "cd /opt/selfheal/selftests/victims; "
                f"./bench_throughput --json --rounds {rounds} --seconds {SECONDS} nginx", read_throughput,
                icount=False, mem=3072),
    ]
