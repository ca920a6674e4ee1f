# SPDX-License-Identifier: GPL-2.0
"""A tiny initramfs: busybox, the modules of the root disk, and the first init."""

import hashlib
import lzma
import os
import pathlib

from . import cache, kernels
from .cache import HarnessError

HERE = pathlib.Path(__file__).resolve().parents[1] / "guest"
WANTED = ("virtio_pci", "virtio_blk", "ext4")


def _entry(number, name, mode, data=b"", rdev=(0, 0)):
    """One member of a newc cpio archive."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    out = head + name.encode() + b"\0"
    out += b"\0" * (-len(out) % 4)
    return out + data + b"\0" * (-len(data) % 4)


def _cpio(entries):
    out = b"".join(_entry(number, *entry) for number, entry in enumerate(entries, 1))
    return out + _entry(0, "TRAILER!!!", 0)


def _busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            data = pathlib.Path(path).read_bytes()
            if b"/lib64/ld-linux" not in data[:4096]:
                return data
    raise HarnessError("no static busybox: apt-get install busybox-static")


def _module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return data


def ensure(kernel):
    """Path of the initramfs for a kernel, made when missing or out of date."""
    init = (HERE / "init").read_bytes()
    modules = kernels.boot_modules(kernel, WANTED)
    stamp = hashlib.sha256(init + _busybox() + repr(
        [(str(path), os.stat(path).st_mtime_ns) for path in modules]).encode()).hexdigest()[:16]
    target = cache.root() / "initramfs" / f"{kernel.release}-{stamp}.cpio"
    if target.exists():
        return target
    names = []
    entries = [(name, 0o040755) for name in ("bin", "dev", "lib", "proc", "root")]
    entries += [("dev/console", 0o020600, b"", (5, 1)), ("bin/busybox", 0o100755, _busybox()),
                ("init", 0o100755, init)]
    for path in modules:
        name = path.name.split(".ko")[0] + ".ko"
        names.append(name)
        entries.append(("lib/" + name, 0o100644, _module(path)))
    entries.append(("lib/order", 0o100644, "".join(name + "\n" for name in names).encode()))
    target.parent.mkdir(parents=True, exist_ok=True)
    with cache.scratch("initramfs") as work:
        (work / "cpio").write_bytes(_cpio(entries))
        os.replace(work / "cpio", target)
    return target
