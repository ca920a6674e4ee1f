# SPDX-License-Identifier: GPL-2.0
"""reasons: which lines belong together, which reason they have, and the list that is kept."""

import fnmatch
import pathlib
import unittest

from harness import cache
from harness.cache import HarnessError

import counts
import reasons

SOURCE = {"kmod/x.c": """static int f(int a)
{
	if (!a)
		goto out;
	if (a > 4)
		return -ENOMEM;
	return 0;
out:
	g(a);
	return -EINVAL;
}

static __always_inline bool h(int a)
{
	return a;
}""".splitlines()}
LINES = {1: 2, 3: 2, 4: 0, 5: 2, 6: 0, 7: 2, 9: 0, 10: 0, 15: 0}


def found():
    """The runs of SOURCE."""
    return reasons.runs(counts.Counts({"kmod/x.c": LINES}, {"kmod/x.c": {1: ["f", 11, 2]}}), SOURCE)


class Runs(unittest.TestCase):
    """reasons.runs."""

    def test_what_ran_between_divides(self):
        self.assertEqual([(run.function, run.lines) for run in found()],
                         [("f", [4]), ("f", [6]), ("f", [9, 10]), ("h", [15])])

    def test_all_ran(self):
        self.assertEqual(reasons.runs(counts.Counts({"kmod/x.c": {1: 1}}, {}), SOURCE), [])


class Explain(unittest.TestCase):
    """reasons.explain."""

    def explained(self, text):
        """({first line: reason}, places that hold nowhere)."""
        some = found()
        unused = reasons.explain(some, reasons.read(text), SOURCE)
        return {run.lines[0]: run.reason for run in some}, unused

    def test_a_pattern(self):
        told, unused = self.explained("# a comment\n\nno memory\n\tkmod/*.c f ENOMEM\n")
        self.assertEqual(told, {4: None, 6: "no memory", 9: None, 15: None})
        self.assertEqual(unused, [])

    def test_a_pattern_has_the_whole_run(self):
        self.assertEqual(self.explained("bad\n\tkmod/x.c f return -EINVAL\n")[0][9], "bad")

    def test_a_function(self):
        self.assertEqual(set(self.explained("never\n\tkmod/x.c f\n")[0].values()), {"never", None})

    def test_the_first_that_holds(self):
        told, unused = self.explained("one\n\tkmod/x.c *\ntwo\n\tkmod/x.c f ENOMEM\n")
        self.assertEqual(set(told.values()), {"one"})
        self.assertEqual([place.reason for place in unused], ["two"])

    def test_a_place_without_lines(self):
        unused = self.explained("gone\n\tkmod/z.c f\n")[1]
        self.assertEqual([place.file for place in unused], ["kmod/z.c"])

    def test_malformed(self):
        for text in ("\tkmod/x.c f\n", "why\n\tkmod/x.c\n"):
            with self.assertRaisesRegex(HarnessError, "reasons:"):
                reasons.read(text)


class Kept(unittest.TestCase):
    """The lists in the tree."""

    top = pathlib.Path(__file__).resolve().parents[2] / "coverage"

    def test_reasons_name_files(self):
        files = [str(path.relative_to(cache.tree())) for path in (cache.tree() / "kmod").rglob("*.[ch]")]
        for place in reasons.read((self.top / "reasons").read_text(encoding="utf-8")):
            self.assertTrue(fnmatch.filter(files, place.file), place.file)

    def test_order_names_programs(self):
        lines = (self.top / "order").read_text(encoding="utf-8").splitlines()
        names = [line for line in lines if line and not line.startswith("#")]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            path = cache.tree() / "selftests" / name
            self.assertTrue(path.exists() or path.with_suffix(".c").exists(), name)
