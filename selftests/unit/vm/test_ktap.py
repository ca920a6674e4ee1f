# SPDX-License-Identifier: GPL-2.0
"""The parser of what test programs print."""

import unittest

from harness import ktap

GOOD = """TAP version 13
1..3
# RUN global.a ...
ok 1 global.a
ok 2 - global.b
ok 3 global.c # SKIP no such device
# Totals: pass:2 fail:0 xfail:0 xpass:0 skip:1 error:0
"""


class Judge(unittest.TestCase):
    """ktap.judge over transcripts."""

    def test_good(self):
        got = ktap.judge(GOOD, 0)
        self.assertTrue(got.good)
        self.assertEqual((got.passed, got.total_failed, got.skipped), (2, 0, 1))
        self.assertEqual(got.skips, ["global.c: no such device"])

    def test_not_ok(self):
        got = ktap.judge("1..2\nok 1 a\nnot ok 2 b\n", 1)
        self.assertEqual((got.passed, got.total_failed), (1, 1))
        self.assertEqual(got.failures, ["b"])
        self.assertFalse(got.good)

    def test_reasons_are_those_of_the_failure(self):
        text = ("1..2\n# a.c:1:a:chatter\nok 1 a\n# RUN b ...\n# b.c:7:b:Expected 1 == 2\n"
                "# b: Test failed\nnot ok 2 b\n")
        self.assertEqual(ktap.judge(text, 1).reasons, [["b.c:7:b:Expected 1 == 2"]])

    def test_reasons_of_tables(self):
        text = ("1..3\n# a frozen: gave EINVAL\nnot ok 1 a frozen\n# ROW a channel=\"x\"\n"
                "# b: Test terminated by signal 11\n# c\nnot ok 2 b\n# alone\nnot ok 3 c\n")
        self.assertEqual(ktap.judge(text, 1).reasons, [["a frozen: gave EINVAL"],
                                                       ["b: Test terminated by signal 11"], ["alone"]])

    def test_not_ok_with_exit_0(self):
        got = ktap.judge("1..2\nok 1 a\nnot ok 2 b\n", 0)
        self.assertEqual(got.total_failed, 2)

    def test_no_plan(self):
        got = ktap.judge("ok 1 a\n", 0)
        self.assertEqual(got.problems, ["no plan"])
        self.assertFalse(got.good)

    def test_fewer_than_planned(self):
        got = ktap.judge("1..3\nok 1 a\nok 2 b\n", 0)
        self.assertEqual(got.problems, ["3 results planned, 2 seen"])

    def test_more_than_planned(self):
        self.assertFalse(ktap.judge("1..1\nok 1 a\nok 2 b\n", 0).good)

    def test_number_repeated(self):
        got = ktap.judge("1..2\nok 1 a\nok 1 a\n", 0)
        self.assertEqual(got.total_failed, 1)

    def test_silent(self):
        self.assertFalse(ktap.judge("", 0).good)

    def test_plan_only(self):
        self.assertFalse(ktap.judge("1..4\n", 0).good)

    def test_exit_status_alone(self):
        got = ktap.judge(GOOD, 139)
        self.assertEqual(got.total_failed, 1)
        self.assertEqual(got.problems, ["killed by signal 11"])
        self.assertIn("2", ktap.judge(GOOD, 2).problems[0])

    def test_crash(self):
        got = ktap.judge("1..2\nok 1 a\n", None)
        self.assertEqual(got.passed, 1)
        self.assertIn("did not end", got.problems)

    def test_skip_all(self):
        got = ktap.judge("TAP version 13\n1..0 # SKIP needs two CPUs\n", 4)
        self.assertTrue(got.good)
        self.assertEqual(got.skips, ["needs two CPUs"])

    def test_skip_without_reason(self):
        self.assertFalse(ktap.judge("1..0 # SKIP\n", 4).good)
        self.assertFalse(ktap.judge("1..1\nok 1 a # SKIP\n", 0).good)

    def test_exit_4_with_results(self):
        self.assertFalse(ktap.judge("1..1\nok 1 a\n", 4).good)

    def test_xfail_passes(self):
        got = ktap.judge("1..1\nok 1 a # XFAIL known\n", 0)
        self.assertEqual((got.passed, got.total_failed), (1, 0))

    def test_nested_results_are_not_counted(self):
        got = ktap.judge("KTAP version 1\n1..1\n    1..2\n    ok 1 x\n    not ok 2 y\nnot ok 1 s\n", 1)
        self.assertEqual((got.passed, got.failed), (0, 1))

    def test_bail_out(self):
        self.assertFalse(ktap.judge("1..1\nok 1 a\nBail out! no memory\n", 0).good)

    def test_words_that_begin_like_a_result(self):
        got = ktap.judge("1..1\nokay then\nok 1 a\n", 0)
        self.assertEqual((got.passed, got.total_failed), (1, 0))
