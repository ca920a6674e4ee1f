# SPDX-License-Identifier: GPL-2.0
"""One kernel: the module built for it with counters, and what each test program made run there.

The counts of a program are kept in DIR/programs, with the counters themselves beside them, and
count as long as the sources, the compiler and the kernel are those of the build.
"""

import functools
import hashlib
import json
import os
import pathlib
import subprocess
import time

from harness import cache, discover, kernels, lanes, report
from harness.cache import HarnessError

import counts

HERE = pathlib.Path(__file__).resolve().parents[1]
# As for each kernel with sanitizers (selftests/vm/suite).
SLOW, MEM = 6, 2048


def compiler():
    """The compiler, as it says itself."""
    done = subprocess.run([cache.need("gcc", "gcc"), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def _digest(kernel):
    """Tells one build from another."""
    digest = hashlib.sha256(f"{compiler()}\n{os.path.realpath(kernel.image)}\n".encode())
    top = cache.tree()
    for path in [top / "Kbuild", *sorted((top / "kmod").rglob("*.[ch]")), *sorted((top / "include").rglob("*.h"))]:
        digest.update(f"{path.relative_to(top)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class Lane:
    """A kernel, its build directory, and the programs that have run."""

    def __init__(self, name, build, directory):
        self.kernel = kernels.resolve(name, fetch=False)
        self.name = name
        self.build = build
        self.dir = directory / name
        self.module = self.dir / self.kernel.release
        self.programs = self.dir / "programs"
        self.digest = _digest(self.kernel)
        self._outcomes = {}

    def make(self):
        """The module with counters, in a directory of its own; the tests are those of the ordinary build."""
        top = cache.tree()
        make = ["make", "-s", "-C", str(top)]
        subprocess.run([*make, f"BUILD={self.build}", "user", "selftests"], check=True)
        subprocess.run([*make, f"BUILD={self.dir}", "GCOV_PROFILE=y", f"module-{self.name}"], check=True)
        subprocess.run([*make, f"BUILD={self.dir}", f"test-module-{self.name}"], check=True)
        for part in ("user", "selftests"):
            if not (self.dir / part).exists():
                (self.dir / part).symlink_to(self.build / part)

    @functools.cached_property
    def base(self):
        """All lines and functions of the module, as never run."""
        return counts.measured(self.module, cache.tree())

    def _path(self, name, suffix):
        return self.programs / (name.replace("/", "-") + suffix)

    def results(self):
        """What is known of the programs that ran with this build, by name."""
        found = {}
        for path in sorted(self.programs.glob("*.json")):
            result = json.loads(path.read_text(encoding="utf-8"))
            if result["build"] == self.digest:
                found[result["name"]] = result
        return found

    def _take(self, name, data):
        """A program has ended, and these are its counters."""
        try:
            ran = counts.measured(self.module, cache.tree(), data)
        except HarnessError as error:
            cache.note(f"{self.name}: {name}: {error}")
            return
        outcome = self._outcomes.get(name)
        self.programs.mkdir(parents=True, exist_ok=True)
        self._path(name, ".tar.xz").write_bytes(data)
        self._write(name, {"name": name, "build": self.digest, "time": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
                           "seconds": round(outcome.seconds, 1), "passed": outcome.verdict.passed,
                           "skipped": outcome.verdict.skipped, "failed": outcome.verdict.total_failed,
                           "counts": ran.pack()})
        print(f"     {len(ran.ran())} of {len(self.base.every())} lines", flush=True)

    def _write(self, name, result):
        self._path(name, ".json").write_text(json.dumps(result) + "\n", encoding="utf-8")

    def _report(self, outcome):
        self._outcomes[outcome.name] = outcome
        report.live(outcome)

    def run(self, tests, seconds, jobs):
        """Runs programs in this order, as far as the time allows; returns {name: why it gave no counts}."""
        os.environ["SELFHEAL_BUILD"] = str(self.dir)
        cache.note(f"{self.name}: {len(self.base.every())} lines with code")
        queue = lanes.Queue(self.name, tests, slow=SLOW, mem=MEM, extra=True, on_data=self._take,
                            meter=(HERE / "meter").read_text(encoding="utf-8"))
        done, _ = lanes.run([queue], jobs, time.monotonic() + seconds, self.dir / "logs", self._report)
        results = self.results()
        lost = {}
        for outcome in done:
            result = results.get(outcome.name)
            if not result:
                lost[outcome.name] = "; ".join(outcome.verdict.problems) or "no counters came"
            elif result["failed"] != outcome.verdict.total_failed:
                # What the console of the whole boot told.
                self._write(outcome.name, result | {"failed": outcome.verdict.total_failed})
        return lost

    def tests(self, only):
        """The programs that can run on this kernel, without the multiplied limit."""
        os.environ["SELFHEAL_BUILD"] = str(self.dir)
        return [discover.Test(test.name, test.timeout * SLOW) for test in discover.tests(only) if not test.icount]
