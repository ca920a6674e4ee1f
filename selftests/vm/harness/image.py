# SPDX-License-Identifier: GPL-2.0
"""The Debian userland of the guest: built once, cached by a hash of its recipe."""

import hashlib
import os
import subprocess
import tempfile

from . import cache, disk
from .cache import HarnessError, need, note

SUITE = "bookworm"
PACKAGES = (
    # servers that are protected in the tests, and their clients
    "redis-server", "redis-tools", "nginx-light", "lighttpd", "memcached",
    "curl", "apache2-utils", "wrk", "socat", "netcat-openbsd",
    # what healctl links
    "libnl-3-200", "libnl-genl-3-200", "libyaml-0-2", "libjansson4", "libseccomp2",
    # tools of the tests
    "python3", "python3-yaml", "strace", "gdb", "jq", "iproute2", "iputils-ping", "procps", "psmisc",
    "kmod", "util-linux", "bsdextrautils", "busybox-static",
    # a profile for the LSM's part in a held send, and a fuzzer of system calls
    "apparmor", "trinity",
    # what the benchmarks measure beside us
    "auditd", "criu", "libbpf1",
)
# Part of the hash: raise it when the steps below change.
REVISION = 1


def key():
    """Names the image that the recipe gives."""
    recipe = repr((SUITE, sorted(PACKAGES), REVISION))
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def path():
    """Where the image is, whether or not it has been built."""
    return cache.root() / "images" / f"{SUITE}-{key()}.ext4"


def _strip(tree):
    """Drop what no test reads: the image is copied and paged in less."""
    for name in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info",
                 "var/cache/apt", "var/lib/apt/lists"):
        subprocess.run(["find", str(tree / name), "-mindepth", "1", "-delete"],
                       stderr=subprocess.DEVNULL, check=False)
    for name in ("opt", "share", "dev/shm", "dev/pts"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    (tree / "etc/hostname").write_text("selfheal-guest\n", encoding="ascii")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost selfheal-guest\n::1 localhost\n",
                                    encoding="ascii")


def ensure():
    """The image, built now when it is not there yet."""
    image = path()
    if image.exists():
        return image
    with cache.locked("image"):
        if not image.exists():
            _build(image)
    return image


def _build(image):
    if os.geteuid() != 0:
        raise HarnessError(f"the userland image {image} is not there, and only root can build it: "
                           f"run `sudo env SELFHEAL_CACHE={cache.root()} selftests/vm/deps --guests` once")
    mmdebstrap = need("mmdebstrap", "mmdebstrap")
    note(f"building the Debian userland image (once, about a minute): {image.name}")
    image.parent.mkdir(parents=True, exist_ok=True)
    with cache.scratch("image") as work, tempfile.TemporaryFile("w+") as log:
        tree = work / "root"
        command = [mmdebstrap, "--variant=minbase", "--mode=root", "--format=directory",
                   "--aptopt=APT::Install-Recommends \"false\"",
                   "--include=" + ",".join(PACKAGES), SUITE, str(tree)]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT, timeout=1500, check=False)
            failed = done.returncode
        except subprocess.TimeoutExpired:
            failed = "no end after 1500 s"
        if failed:
            log.seek(0)
            tail = "".join(log.readlines()[-15:])
            raise HarnessError(f"mmdebstrap failed ({failed}):\n{tail}")
        _strip(tree)
        disk.make(tree, work / "image", 512, "root")
        os.replace(work / "image", image)
