# SPDX-License-Identifier: GPL-2.0
"""What the measuring tests share in the guest: running a bench program, KTAP, the figures
that go to the host, and the guard of those that must not grow."""

import json
import os
import platform
import subprocess
import sys

BENCH = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
OUT = "/share/out"
SKIP = 4
# The part by which a guarded figure may grow, beyond the noise.
GROWTH = 0.03
UPDATE = "selftests/bench/guard"


def skip(why):
    """No figures to be had here."""
    print(f"TAP version 13\n1..0 # SKIP {why}")
    sys.exit(SKIP)


def need_instructions():
    """Root, and a machine whose clock counts instructions: there the same loop takes the same time."""
    if os.geteuid():
        skip("needs root: it loads the module")
    rows = run("bench_calls", "none", "getpid")
    if rows[0][3] != rows[0][4]:
        skip("time does not count instructions here: use selftests/vm/run --icount")


def lines(program, *args, wrap=(), **how):
    """The words of each line that a bench program prints; its failure is the end of the test."""
    done = subprocess.run([*wrap, os.path.join(BENCH, program), *args], stdout=subprocess.PIPE,
                          text=True, check=False, **how)
    if done.returncode == SKIP:
        skip("selfheal.ko for this kernel not found: build it with make")
    if done.returncode:
        print(f"Bail out! {program} {' '.join(args)} ended with status {done.returncode}")
        sys.exit(1)
    return [line.split() for line in done.stdout.splitlines()]


def run(program, *args, **how):
    """Rows of (operation, state, numbers...)."""
    return [(words[0], words[1], *map(float, words[2:])) for words in lines(program, *args, **how)]


class Report:
    """KTAP lines with the plan first."""

    def __init__(self, plan):
        print(f"TAP version 13\n1..{plan}")
        self.number = 0
        self.failed = 0

    def test(self, good, name, detail):
        """One result."""
        self.number += 1
        self.failed += not good
        print(f"# {detail}")
        print(f"{'ok' if good else 'not ok'} {self.number} {name}", flush=True)

    def skip(self, name, why):
        """One that cannot be had here."""
        self.number += 1
        print(f"ok {self.number} {name} # SKIP {why}", flush=True)


def save(name, table=None, figures=None):
    """Keeps a table (lines) and figures where the host finds them, when it wants them."""
    if not os.path.isdir("/share"):
        return
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, f"{name}-{platform.release()}")
    if table is not None:
        with open(path + ".md", "w", encoding="utf-8") as out:
            out.writelines(line + "\n" for line in table)
    if figures is not None:
        with open(path + ".json", "w", encoding="utf-8") as out:
            json.dump(figures, out, indent=1)


def kept_figures():
    """{operation: instructions} of guard.json for this series of the kernel."""
    with open(os.path.join(BENCH, "guard.json"), encoding="ascii") as kept:
        return json.load(kept).get(".".join(platform.release().split(".")[:2]), {})


def print_guard(figures):
    """What "--guard" prints, for selftests/bench/guard to keep."""
    print(json.dumps({name: round(figure, 2) for name, figure in figures.items()}, indent=8))


def guard(report, figures, noise):
    """Fails what has grown; tells by how much all differs."""
    kept = kept_figures()
    for name, figure in figures.items():
        if name not in kept:
            report.test(False, f"guard: {name}", f"{figure:.2f} is not in guard.json for this kernel: {UPDATE}")
            continue
        change = figure / kept[name] - 1
        most = kept[name] * (1 + GROWTH) + noise.get(name, 0) + 0.1
        report.test(figure <= most, f"guard: {name}",
                    f"{figure:.2f}, {change:+.1%} of the {kept[name]:.2f} that are kept")
