# SPDX-License-Identifier: GPL-2.0
"""Which test programs there are: found by looking, not by a list kept by hand."""

import dataclasses
import fnmatch
import os
import re

from . import cache

PLACES = ("guest", "victims", "bench", "escape", "fuzz")
DEFAULT_TIMEOUT = 300


@dataclasses.dataclass(frozen=True)
class Test:
    """A program of the guest, by its path below selftests/."""
    name: str
    timeout: int

    @property
    def icount(self):
        """Does it want guest time that counts instructions?"""
        return self.name.endswith(".icount")


def _timeout(*directories):
    """`timeout=S` of the nearest kselftest settings file."""
    for directory in directories:
        settings = directory / "settings"
        if settings.exists():
            match = re.search(r"^timeout=(\d+)", settings.read_text(encoding="utf-8"), re.M)
            if match:
                return int(match[1])
    return DEFAULT_TIMEOUT


def tests(only=()):
    """All programs named test_* or *.icount in the build, in a stable order."""
    base = cache.build_dir() / "selftests"
    source = cache.tree() / "selftests"
    found = []
    for place in PLACES:
        directory = base / place
        if not directory.is_dir():
            continue
        for path in sorted(directory.iterdir()):
            if not path.is_file() or not os.access(path, os.X_OK):
                continue
            if not path.name.startswith("test_") and path.suffix != ".icount":
                continue
            name = f"{place}/{path.name}"
            if only and not any(fnmatch.fnmatch(name, glob) for glob in only):
                continue
            found.append(Test(name, _timeout(directory, source / place, source)))
    return found


def sources_without_program():
    """Test sources that gave no program in the build: they would be left out in silence."""
    base = cache.build_dir() / "selftests"
    missing = []
    for place in PLACES:
        for path in sorted((cache.tree() / "selftests" / place).glob("test_*")):
            name = path.name[:-2] if path.suffix == ".c" else path.name
            if path.is_file() and path.suffix in ("", ".c", ".sh", ".py", ".icount") \
                    and not os.access(base / place / name, os.X_OK):
                missing.append(f"{place}/{name}")
    return missing
