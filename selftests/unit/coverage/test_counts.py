# SPDX-License-Identifier: GPL-2.0
"""counts: gcov's figures, of a program that is built and run here."""

import io
import json
import pathlib
import subprocess
import tarfile
import tempfile
import unittest

from harness.cache import HarnessError

import counts

SOURCE = """#include <stdlib.h>
static int twice(int a)
{
	return 2 * a;
}
int main(int argc, char **argv)
{
	if (argc > 1)
		return twice(atoi(argv[1]));
	return 0;
}
"""
CODE = {2, 4, 6, 8, 9, 10}


class Program(unittest.TestCase):
    """A directory that looks as a built module does, but for what the objects are."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.top = pathlib.Path(scratch.name).resolve()
        self.module = self.top / "build"
        (self.top / "kmod").mkdir()
        (self.module / "kmod").mkdir(parents=True)
        (self.top / "kmod/a.c").write_text(SOURCE, encoding="ascii")
        (self.module / "kmod/a.c").symlink_to(self.top / "kmod/a.c")
        self.build()

    def build(self):
        """The notes, and a program that writes the counters."""
        subprocess.run(["gcc", "-O0", "--coverage", "-c", "-o", "kmod/a.o", str(self.module / "kmod/a.c")],
                       cwd=self.module, check=True)
        subprocess.run(["gcc", "--coverage", "-o", "a", "kmod/a.o"], cwd=self.module, check=True)

    def archive(self, *calls):
        """The counters of some runs, as the meter packs them."""
        counters = self.module / "kmod/a.gcda"
        counters.unlink(missing_ok=True)
        for words in calls:
            subprocess.run(["./a", *words], cwd=self.module, check=False)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:xz") as tar:
            tar.add(counters, str(counters).lstrip("/"))
        counters.unlink()
        return out.getvalue()

    def measured(self, archive=None):
        """Their counts."""
        return counts.measured(self.module, self.top, archive)

    def test_never_run(self):
        base = self.measured()
        self.assertEqual({line for _, line in base.every()}, CODE)
        self.assertEqual(base.ran(), set())
        self.assertEqual({name for name, _, _ in base.functions["kmod/a.c"].values()}, {"twice", "main"})

    def test_what_ran(self):
        ran = self.measured(self.archive([]))
        self.assertEqual({line for _, line in ran.ran()}, {6, 8, 10})
        self.assertEqual({name for name, _, times in ran.functions["kmod/a.c"].values() if times}, {"main"})

    def test_several_runs(self):
        ran = self.measured(self.archive([], [], ["0"]))
        self.assertEqual(ran.lines["kmod/a.c"][8], 3)
        self.assertEqual(ran.lines["kmod/a.c"][4], 1)

    def test_sum(self):
        one, two = self.measured(self.archive([])), self.measured(self.archive(["0"]))
        self.assertLess(len(two.ran()), len(CODE))
        one.add(two)
        self.assertEqual({line for _, line in one.ran()}, CODE)
        self.assertEqual(one.lines["kmod/a.c"][8], 2)

    def test_through_json(self):
        ran = self.measured(self.archive(["0"]))
        back = counts.Counts.unpack(json.loads(json.dumps(ran.pack())))
        self.assertEqual((back.lines, back.functions), (ran.lines, ran.functions))

    def test_counters_of_another_build(self):
        archive = self.archive([])
        path = self.top / "kmod/a.c"
        path.write_text(SOURCE.replace("return 0;", "return argc > 7 ? 1 : 0;"), encoding="ascii")
        self.build()
        with self.assertRaisesRegex(HarnessError, "mismatch"):
            self.measured(archive)

    def test_no_counters(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:xz"):
            pass
        with self.assertRaisesRegex(HarnessError, "not loaded"):
            self.measured(out.getvalue())

    def test_damaged(self):
        whole = self.archive([])
        for data in (b"", b"no archive", whole[:len(whole) // 2]):
            with self.assertRaisesRegex(HarnessError, "damaged"):
                self.measured(data)

    def test_no_notes(self):
        (self.module / "kmod/a.gcno").unlink()
        with self.assertRaisesRegex(HarnessError, "no notes"):
            self.measured()


def unit(file, lines, functions=()):
    """An object as gcov tells it."""
    return json.dumps({"current_working_directory": "/top", "files": [{
        "file": file, "lines": [{"line_number": line, "count": times} for line, times in lines],
        "functions": [{"start_line": first, "end_line": last, "name": name, "execution_count": times}
                      for name, first, last, times in functions]}]})


class Parse(unittest.TestCase):
    """counts.parse and within."""

    def test_a_header_is_one_file(self):
        text = "\n".join([unit("kmod/x.h", [(3, 1), (4, 0)]), unit("/top/kmod/x.h", [(3, 2), (5, 0)])])
        self.assertEqual(counts.parse(text, "/top").lines, {"kmod/x.h": {3: 3, 4: 0, 5: 0}})

    def test_only_our_files(self):
        self.assertEqual(counts.parse(unit("/usr/src/linux/include/linux/slab.h", [(3, 1)]), "/top").lines, {})

    def test_parts_of_a_function(self):
        text = unit("kmod/x.c", [], [("f", 3, 9, 0), ("f.part.0", 3, 9, 4)])
        self.assertEqual(counts.parse(text, "/top").functions, {"kmod/x.c": {3: ["f", 9, 4]}})

    def test_only_what_the_module_has(self):
        base = counts.Counts({"kmod/x.c": {1: 0, 2: 0}}, {"kmod/x.c": {1: ["f", 2, 0]}})
        other = counts.Counts({"kmod/x.c": {2: 5, 7: 5}, "kmod/y.c": {1: 1}},
                              {"kmod/x.c": {1: ["f", 2, 5], 6: ["g", 7, 5]}})
        within = other.within(base)
        self.assertEqual(within.lines, {"kmod/x.c": {2: 5}})
        self.assertEqual(within.functions, {"kmod/x.c": {1: ["f", 2, 5]}})
