# SPDX-License-Identifier: GPL-2.0
"""summary and tell: the sums over programs, and what people read of them."""

import types
import unittest

from harness import cache

import counts
import summary
import tell

FILE = "kmod/main.c"


def measured(programs, asked=(), lost=None):
    """A kernel with main.c, whose lines 1 to 4 have code; programs: {name: {line: times}}."""
    base = counts.Counts({FILE: {1: 0, 2: 0, 3: 0, 4: 0}}, {FILE: {1: ["selfheal_init", 2, 0], 3: ["f", 4, 0]}})
    results = {}
    for name, lines in programs.items():
        ran = counts.Counts({FILE: lines}, {FILE: {1: ["selfheal_init", 2, lines.get(1, 0)],
                                                   3: ["f", 4, lines.get(3, 0)]}})
        results[name] = {"name": name, "seconds": 10.0, "passed": 1, "failed": 0, "skipped": 0, "time": "",
                         "counts": ran.pack()}
    lane = types.SimpleNamespace(base=base, results=lambda: results, name="debug-light",
                                 kernel=types.SimpleNamespace(release="6.12"))
    return summary.Measured(lane, ["a", "b", "c"], lost or {}, set(asked))


def made(*lanes, unit=None, why=""):
    """The report of some kernels."""
    return summary.make(lanes, unit or counts.Counts(), why)


class Sums(unittest.TestCase):
    """summary.make."""

    def test_programs_and_kernels_add_up(self):
        report = made(measured({"a": {1: 1}, "b": {2: 3}}), measured({"a": {3: 1}}))
        self.assertEqual((report["total"]["run"], report["total"]["lines"]), (3, 4))
        self.assertEqual(report["percent"], 75.0)
        self.assertEqual([run["lines"] for run in report["not_run"]], [[4]])

    def test_functions(self):
        report = made(measured({"a": {1: 1}}))
        self.assertEqual([row["function"] for row in report["never_entered"]], ["f"])
        self.assertEqual(report["total"]["entered"], 1)

    def test_the_unit_tests_are_beside(self):
        unit = counts.Counts({FILE: {1: 1, 3: 9, 99: 1}}, {FILE: {3: ["f", 4, 9]}})
        report = made(measured({"a": {1: 1}}), unit=unit)
        self.assertEqual((report["total"]["run"], report["total"]["unit"]), (1, 1))
        self.assertTrue(report["never_entered"][0]["unit"])

    def test_reasons(self):
        report = made(measured({"a": {1: 1, 2: 1}}), why=f"hardware\n\t{FILE} *\ngone\n\tkmod/event.c *\n")
        self.assertEqual([run["reason"] for run in report["not_run"]], ["hardware"])
        self.assertEqual(len(report["reasons_without_lines"]), 1)

    def test_gain(self):
        report = made(measured({"a": {1: 1}, "b": {1: 1, 2: 1, 3: 1}, "c": {3: 1, 4: 1}}))
        self.assertEqual([(row["name"], row["adds"], row["alone"]) for row in report["programs"]],
                         [("b", 3, 1), ("c", 1, 1), ("a", 0, 0)])

    def test_loads_are_counted(self):
        self.assertEqual(made(measured({"a": {1: 7}}))["programs"][0]["loads"], 7)

    def test_what_is_left_out(self):
        report = made(measured({"a": {1: 1}}, asked=["a", "b"], lost={}), measured({"b": {}, "c": {}}, lost={"a": "died"}))
        self.assertEqual([(row["name"], row["why"]) for row in report["left_out"]],
                         [("b", "the time was over"), ("c", "not asked for"), ("a", "died")])

    def test_rounded_down(self):
        self.assertEqual(summary.percent(8999, 10000), 89.9)
        self.assertEqual(summary.percent(0, 0), 0.0)

    def test_stages(self):
        self.assertEqual([summary.stage_of(file) for file in ("kmod/heal/x.c", "kmod/main.c", "include/a.h")],
                         ["heal", "kmod", "include"])


class Text(unittest.TestCase):
    """tell.text."""

    def test_what_it_says(self):
        text = tell.text(made(measured({"a": {1: 1, 2: 1}}, asked=["b"])))
        for words in ("1 of 3 programs", "the time was over: b", "not asked for: c", f"{FILE}:3 f",
                      f"{tell.UNKNOWN} (2 lines)", "2 of 4 lines ran: 50.0 %", "2 of the others have no reason"):
            self.assertIn(words, text)

    def test_the_unit_tests(self):
        text = tell.text(made(measured({"a": {1: 1, 2: 1}}), unit=counts.Counts({FILE: {3: 1, 4: 1}}, {})))
        self.assertIn("(unit tests)", text)
        self.assertIn("2 more in the unit tests", text)

    def test_sources_are_there(self):
        self.assertTrue((cache.tree() / FILE).exists())
