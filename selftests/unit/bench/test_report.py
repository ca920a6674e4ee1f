# SPDX-License-Identifier: GPL-2.0
"""The report of the measurements, fed with made-up output of guests."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import present
import sections
import stats

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
LOADER = importlib.machinery.SourceFileLoader("report", str(BENCH / "report"))
report = importlib.util.module_from_spec(importlib.util.spec_from_loader("report", LOADER))
LOADER.exec_module(report)

FREEZE = """TAP version 13
1..2
#    1 members alone  200 freezes: p50    0.057 p99    0.207 worst    0.473 ms
# 1000 members mixed   20 freezes: p50    4.028 p99    4.361 worst    4.361 ms
ok 1 latency.one
ok 2 latency.mixed_1000
"""


class Stats(unittest.TestCase):
    """Intervals of ratios."""

    def test_equal_rounds(self):
        for figure in stats.ratio_interval([0.5, 0.5, 0.5]):
            self.assertAlmostEqual(figure, 0.5)

    def test_known_interval(self):
        # Logarithms -1, 0, 1: the mean is 0, the deviation 1, t of two degrees of freedom 4.303.
        mean, low, high = stats.ratio_interval([2.718281828 ** power for power in (-1, 0, 1)])
        self.assertAlmostEqual(mean, 1)
        self.assertAlmostEqual(high, 2.718281828 ** (4.303 / 3 ** 0.5), places=3)
        self.assertAlmostEqual(low * high, 1)

    def test_one_round_says_nothing(self):
        self.assertEqual(stats.ratio_interval([0.9])[1:], (0.0, float("inf")))


class Readers(unittest.TestCase):
    """What a guest told."""

    def test_freeze(self):
        figures, tables, _ = sections.read_freeze(None, FREEZE)
        self.assertEqual([row["members"] for row in figures], [1, 1000])
        self.assertEqual(tables[0][2][1], ("1,000 mixed", "20", "4.028", "4.361", "4.361"))

    def test_nothing_told(self):
        self.assertRaises(ValueError, sections.read_freeze, None, "1..0 # SKIP no module")
        with tempfile.TemporaryDirectory() as out:
            self.assertRaises(ValueError, sections.read_cost, pathlib.Path(out), "")

    def test_throughput_is_by_round(self):
        def one(outside, held):
            return {way: {"get": {"per_second": value, "p50": 1, "p99": 2}}
                    for way, value in (("outside", outside), ("held", held))}
        rows = [{"operation": "get", "way": way, "per_second": 1, "p50": 1, "p99": 2} for way in ("outside", "held")]
        told = {"nginx": {"rows": rows, "rounds": [one(100, 50), one(1000, 500)]}}
        figures, _, _ = sections.read_throughput(None, "vm: a line\n" + json.dumps(told) + "\n")
        self.assertAlmostEqual(figures["nginx"]["rows"][1]["mean"], 0.5)


class Presented(unittest.TestCase):
    """What people see."""

    def test_columns_are_aligned(self):
        lines = present.table(("what", "instructions"), [("a", "1"), ("longer", "1,000")])
        self.assertEqual(len(set(map(len, lines))), 1)
        self.assertEqual(lines[2], "| a      |            1 |")

    def test_script_without_figures(self):
        self.assertIn("set multiplot next", present.script_of({}, "report", "6.12"))


class Run(unittest.TestCase):
    """One section that fails, and the other."""

    def run_report(self, commands):
        """Exit status and report.json of a run whose guests are these shell commands."""
        some = [sections.Section(name, name, "", sections.read_freeze) for name in commands]
        with tempfile.TemporaryDirectory() as out, contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch("sys.argv", ["report", "--kernel", "6.12", "--out", out]))
            stack.enter_context(mock.patch.object(sections, "sections", lambda *_: some))
            stack.enter_context(mock.patch.object(report.kernels, "resolve", lambda name: mock.Mock(release=name)))
            stack.enter_context(mock.patch.object(present, "plot", lambda *_: None))
            stack.enter_context(mock.patch.object(report, "command_of", lambda section, kernel, share="": [
                "sh", "-c", commands[section.name]]))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            status = report.main()
            return status, json.loads(pathlib.Path(out, "report.json").read_text(encoding="utf-8"))["kernels"]["6.12"]

    def test_all_well(self):
        status, results = self.run_report({"one": f"cat << 'EOF'\n{FREEZE}EOF"})
        self.assertEqual((status, results["one"]["problem"]), (0, None))

    def test_a_failure_does_not_lose_the_others(self):
        status, results = self.run_report({"bad": "echo 'not ok 1 guard: pipe'; exit 1",
                                           "good": f"cat << 'EOF'\n{FREEZE}EOF"})
        self.assertEqual(status, 1)
        self.assertIn("not ok 1 guard: pipe", results["bad"]["problem"])
        self.assertIsNone(results["good"]["problem"])
        self.assertEqual(len(results["good"]["figures"]), 2)

    def test_figures_of_a_failed_test_stay(self):
        status, results = self.run_report({"one": f"cat << 'EOF'\n{FREEZE}EOF\nexit 1"})
        self.assertEqual(status, 1)
        self.assertEqual(len(results["one"]["figures"]), 2)
        self.assertIn("exit status 1", results["one"]["problem"])

    def test_skipped_is_no_success(self):
        status, _ = self.run_report({"one": "echo '1..0 # SKIP no module'; exit 4"})
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
