# SPDX-License-Identifier: GPL-2.0
"""What the cases share: kernels, a build directory of their own, calls of run and suite."""

import os
import pathlib
import subprocess
import tempfile
import unittest

VM = pathlib.Path(__file__).resolve().parents[1]
KERNELS = os.environ.get("SELFTEST_KERNELS", "6.1 6.12").split()


class GuestCase(unittest.TestCase):
    """An empty build directory: the cases do not depend on the state of the tree's."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.dir = pathlib.Path(scratch.name)
        self.env = {**os.environ, "SELFHEAL_BUILD": str(self.dir / "build")}

    def start(self, program, *args, **options):
        """A running harness program."""
        return subprocess.Popen([str(VM / program), *args], stdin=subprocess.DEVNULL, env=self.env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def call(self, program, *args, seconds=120):
        """(exit status, stdout, stderr) of a harness program."""
        process = self.start(program, *args)
        out, err = process.communicate(timeout=seconds)
        return process.returncode, out, err.decode(errors="replace")


def for_each_kernel(base, names):
    """Makes a test case of base for each kernel; names is the module's globals()."""
    for kernel in KERNELS:
        name = f"{base.__name__}_{kernel}"
        names[name] = type(name, (base, GuestCase), {"kernel": kernel, "__module__": base.__module__,
                                                     "__qualname__": name})
