# SPDX-License-Identifier: GPL-2.0
"""How often lines and functions ran, as gcov tells it, and the sum of that over programs and kernels.

The sum is by line of our sources: the notes of a module for another kernel, or of a program
in user space, number other blocks, so that gcov-tool cannot merge their counters.
"""

import dataclasses
import io
import json
import lzma
import os
import pathlib
import subprocess
import tarfile
import tempfile

from harness.cache import HarnessError, need

SOURCES = ("kmod/", "include/")


@dataclasses.dataclass
class Counts:
    """{file: {line: times}}, and {file: {first line: [name, last line, times]}} of the functions."""
    lines: dict = dataclasses.field(default_factory=dict)
    functions: dict = dataclasses.field(default_factory=dict)

    def add_line(self, file, line, times):
        """One line, of any of the places that it was compiled into."""
        lines = self.lines.setdefault(file, {})
        lines[line] = lines.get(line, 0) + times

    def add_function(self, file, first, name, last, times):
        """One function, or a part that the compiler made of it (NAME.part.0, NAME.constprop.1)."""
        functions = self.functions.setdefault(file, {})
        function = functions.setdefault(first, [name.partition(".")[0], last, 0])
        function[1] = max(function[1], last)
        function[2] += times

    def add(self, other):
        """What ran in another program as well."""
        for file, lines in other.lines.items():
            for line, times in lines.items():
                self.add_line(file, line, times)
        for file, functions in other.functions.items():
            for first, (name, last, times) in functions.items():
                self.add_function(file, first, name, last, times)

    def within(self, base):
        """The part of it that is about lines and functions of base."""
        return Counts({file: {line: times for line, times in lines.items() if line in base.lines.get(file, {})}
                       for file, lines in self.lines.items() if file in base.lines},
                      {file: {first: row for first, row in rows.items() if first in base.functions.get(file, {})}
                       for file, rows in self.functions.items() if file in base.functions})

    def ran(self):
        """{(file, line)} of what ran."""
        return {(file, line) for file, lines in self.lines.items() for line, times in lines.items() if times > 0}

    def every(self):
        """{(file, line)} of what has code."""
        return {(file, line) for file, lines in self.lines.items() for line in lines}

    def pack(self):
        """For JSON."""
        return {"lines": self.lines, "functions": self.functions}

    @classmethod
    def unpack(cls, packed):
        """From JSON, which knows only strings as keys."""
        return cls(*({file: {int(line): value for line, value in rows.items()} for file, rows in packed[part].items()}
                     for part in ("lines", "functions")))


def parse(text, top):
    """The counts in gcov's JSON: a line for each object; paths are told from the directory top."""
    counts = Counts()
    for report in text.splitlines():
        unit = json.loads(report)
        for file in unit["files"]:
            path = os.path.realpath(os.path.join(unit["current_working_directory"], file["file"]))
            path = os.path.relpath(path, os.path.realpath(top))
            if not path.startswith(SOURCES):
                continue
            for line in file["lines"]:
                counts.add_line(path, line["line_number"], line["count"])
            for function in file["functions"]:
                counts.add_function(path, function["start_line"], function["name"], function["end_line"],
                                    function["execution_count"])
    return counts


def _gcov(folder, top):
    """Runs gcov over all notes in a folder, with the counters that lie beside them."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.gcno"))
    if not names:
        raise HarnessError("there are no notes for gcov: the build has none")
    done = subprocess.run([need("gcov", "gcc"), "--json-format", "--stdout", *names], cwd=folder, capture_output=True,
                          text=True, check=False)
    # Without its counters an object has not run; with those of another build it would seem so.
    bad = [line for line in done.stderr.splitlines() if "mismatch" in line or "overwrites" in line]
    if done.returncode or bad:
        raise HarnessError(f"gcov cannot read the counters: {(bad or [done.stderr.strip()])[0]}")
    return parse(done.stdout, top)


def _unpack(archive, module, folder):
    """The counters of the module's objects, beside their notes."""
    found = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
            for member in tar.getmembers():
                path = pathlib.Path("/", member.name)
                if path.is_relative_to(module / "kmod"):
                    (folder / path.relative_to(module)).write_bytes(tar.extractfile(member).read())
                    found += 1
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise HarnessError(f"the counters came damaged: {error}") from error
    if not found:
        raise HarnessError("there are no counters: the module was not loaded")


def measured(module, top, archive=None):
    """The counts of a module's build directory with the counters in a tar file, or all as zero.

    The archive names counters as the kernel does, by the absolute path of the object.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for notes in sorted((module / "kmod").rglob("*.gcno")):
            beside = folder / notes.relative_to(module)
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.symlink_to(notes)
        if archive is not None:
            _unpack(archive, module, folder)
        return _gcov(folder, top)


def of_programs(folder, top):
    """The counts of programs of user space: objects, notes and counters in one folder."""
    return _gcov(folder, top)
