# SPDX-License-Identifier: GPL-2.0
"""The table of the escape tests."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from harness import escape

WHOLE = '# ROW tcp.write channel="TCP" held=held frozen=silent release=all kill=none race=0/9 note="a \'b\' c"'


class Rows(unittest.TestCase):
    """escape.rows over what programs print."""

    def test_whole(self):
        table, problems = escape.rows(["ok 1 a\n" + WHOLE + "\nok 2 b"])
        self.assertEqual(problems, [])
        self.assertEqual(table["tcp.write"], {
            "channel": "TCP", "held": "held", "frozen": "silent", "release": "all", "kill": "none",
            "race": "0/9", "note": "a 'b' c"})

    def test_in_parts(self):
        table, problems = escape.rows(["# ROW tcp.write race=0/9", WHOLE.replace(" race=0/9", "")])
        self.assertEqual(problems, [])
        self.assertEqual(table["tcp.write"]["race"], "0/9")

    def test_not_raced(self):
        _, problems = escape.rows([WHOLE.replace(" race=0/9", "")])
        self.assertEqual(problems, ["tcp.write is held, and no race covers it"])
        self.assertEqual(escape.rows([WHOLE.replace(" race=0/9", "").replace("=held", "=denied")])[1], [])

    def test_undecided(self):
        _, problems = escape.rows(["# ROW a.b channel=x held=held frozen=silent race=0/9"])
        self.assertEqual(problems, ["a.b is undecided: release missing"])

    def test_contradiction(self):
        _, problems = escape.rows([WHOLE, "# ROW tcp.write held=passed"])
        self.assertEqual(problems, ["tcp.write: held is held and passed"])

    def test_unknown_column(self):
        _, problems = escape.rows([WHOLE + " colour=red"])
        self.assertEqual(problems, ["tcp.write: no such column: colour"])

    def test_unreadable(self):
        _, problems = escape.rows([WHOLE, '# ROW b "'])
        self.assertEqual(len(problems), 1)

    def test_indented_is_nothing(self):
        self.assertEqual(escape.rows(["  " + WHOLE]), ({}, []))


class Report(unittest.TestCase):
    """escape.report: the table, the file, the count."""

    def test_table_and_file(self):
        text = "\n".join([WHOLE, '# ROW u.s channel="splice" held=denied:EPERM frozen=silent '
                          'release=goes-on kill=none', '# ROW q.r channel="TCP" held=ESCAPED '
                          'frozen=silent release=FAILED kill=none'])
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(out):
            path = pathlib.Path(work) / "k" / "escape.json"
            self.assertEqual(escape.report("6.12", [text], path), [])
            self.assertEqual(json.loads(path.read_text(encoding="utf-8"))["u.s"]["held"], "denied:EPERM")
        shown = out.getvalue().splitlines()
        self.assertEqual([line.split()[1] for line in shown[3:6]], ["tcp.write", "q.r", "u.s"])
        self.assertIn("3 rows: 1 held, 1 denied; 1 escaped, 0 failed", shown[-1])

    def test_nothing(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(escape.report("6.12", ["ok 1 a"], pathlib.Path("none")), [])
        self.assertEqual(out.getvalue(), "")
