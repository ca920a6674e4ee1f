# SPDX-License-Identifier: GPL-2.0
"""The cache outside the tree: where it is, and how several runs share it."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import sys
import tempfile


class HarnessError(Exception):
    """Something the harness needs is missing or broken; the text says what to do."""


def note(text):
    """Progress for people, never mixed with what the command in the guest prints."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def root():
    """Directory of the cache, created when missing."""
    base = os.environ.get("SELFHEAL_CACHE")
    path = pathlib.Path(base) if base else pathlib.Path.home() / ".cache" / "selfheal"
    path.mkdir(parents=True, exist_ok=True)
    return path


def tree():
    """Top directory of the source tree."""
    return pathlib.Path(__file__).resolve().parents[3]


def build_dir():
    """Where the build of the tree puts its results."""
    return pathlib.Path(os.environ.get("SELFHEAL_BUILD", tree() / "build"))


@contextlib.contextmanager
def locked(name):
    """One process at a time makes the cached thing called name."""
    path = root() / "locks" / name
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(parent):
    """Remove what a run that was killed with SIGKILL left: nobody holds its lock."""
    for path in parent.iterdir():
        try:
            with open(path / ".lock", "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue


@contextlib.contextmanager
def scratch(prefix):
    """A directory in the cache (same file system) that is gone afterwards."""
    parent = root() / "tmp"
    parent.mkdir(exist_ok=True)
    with locked("sweep"):
        _sweep(parent)
        path = pathlib.Path(tempfile.mkdtemp(prefix=prefix + ".", dir=parent))
        lock = open(path / ".lock", "wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        lock.close()


def need(program, package):
    """Path of a host program, or an error that names its package."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise HarnessError(f"{program} is not installed: apt-get install {package} "
                           "(selftests/vm/deps installs everything)")
    return path
