# SPDX-License-Identifier: GPL-2.0
"""Which kernel is meant, and where its image, modules and build directory are.

A kernel is named by a series ("6.1": the newest one with installed headers), by a
release ("6.1.0-56-cloud-amd64"), by the name of a directory in the cache's kernels/
(own builds: NAME/bzImage and NAME/build), or by the path of a bzImage.
"""

import dataclasses
import os
import pathlib
import re
import subprocess

from . import cache, disk
from .cache import HarnessError, need, note

FLAVOUR = "cloud-amd64"
SERIES = ("6.1", "6.12")
# Package that always depends on the newest headers of the series.
META = {"6.1": "linux-headers-cloud-amd64", "6.12": "linux-headers-6.12-cloud-amd64"}


@dataclasses.dataclass
class Kernel:
    """A kernel that can be booted."""
    name: str
    release: str
    image: pathlib.Path
    kdir: pathlib.Path
    modules: pathlib.Path = None    # ext4 image of /lib/modules/RELEASE, or None
    module_dir: pathlib.Path = None  # the same as a directory


def _installed_headers():
    """{release: package version} of the installed header packages."""
    done = subprocess.run([need("dpkg-query", "dpkg"), "-W", "-f",
                           "${db:Status-Status} ${Package} ${Version}\n", "linux-headers-*"],
                          capture_output=True, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        status, package, version = line.split(" ", 2)
        match = re.fullmatch(r"linux-headers-(\d+\.\d+\..*-" + FLAVOUR + ")", package)
        if status == "installed" and match:
            found[match[1]] = version
    return found


def _version_key(text):
    return [int(part) for part in re.findall(r"\d+", text)]


def newest(series):
    """The newest release of a series whose headers are installed, or None."""
    releases = [rel for rel in _installed_headers() if rel.startswith(series + ".")]
    return max(releases, key=_version_key, default=None)


def image_release(image):
    """The release string inside a bzImage (Documentation/arch/x86/boot.rst)."""
    with open(image, "rb") as file:
        head = file.read(0x10000)
    if head[0x202:0x206] == b"" or head[0x202:0x206] != b"HdrS":
        raise HarnessError(f"{image}: not a bzImage")
    offset = int.from_bytes(head[0x20e:0x210], "little") + 0x200
    return head[offset:head.index(b"\0", offset)].split(b" ")[0].decode()


def _own(directory):
    """A kernel that somebody built: no modules but what its build directory has."""
    image = directory / "bzImage"
    if not image.exists():
        raise HarnessError(f"{directory} has no bzImage")
    return Kernel(directory.name, image_release(image), image, directory / "build")


def resolve(name, fetch=True):
    """Find the kernel called name; fetch=False: only names and paths, nothing is downloaded."""
    if "/" in name:
        image = pathlib.Path(name).resolve()
        if not image.is_file():
            raise HarnessError(f"--kernel {name}: no such file")
        release = image_release(image)
        beside = image.parent / "build"
        return Kernel(image.parent.name, release, image, beside if beside.exists() else None)
    cached = cache.root() / "kernels" / name
    if (cached / "bzImage").exists():
        return _own(cached)
    release = name
    if re.fullmatch(r"\d+\.\d+", name):
        release = newest(name)
        if not release:
            raise HarnessError(f"no headers of a {name} {FLAVOUR} kernel are installed: apt-get install "
                               f"{META.get(name, f'linux-headers-{name}-{FLAVOUR}')} (or selftests/vm/deps)")
    if not re.match(r"\d+\.\d+\.", release):
        raise HarnessError(f"--kernel {name}: no series, release, file or directory in "
                           f"{cache.root() / 'kernels'}")
    home = cache.root() / "debian-kernels" / release
    kernel = Kernel(name, release, home / f"boot/vmlinuz-{release}",
                    pathlib.Path(f"/usr/src/linux-headers-{release}"), home / "modules.ext4",
                    home / "lib/modules" / release)
    if fetch and not kernel.modules.exists():
        with cache.locked("kernel-" + release):
            if not kernel.modules.exists():
                _fetch(release, home)
    return kernel


def _fetch(release, home):
    """Bring the image package of exactly the installed headers into the cache."""
    version = _installed_headers().get(release)
    package = f"linux-image-{release}" + (f"={version}" if version else "")
    note(f"fetching {package}")
    home.parent.mkdir(parents=True, exist_ok=True)
    with cache.scratch("kernel") as work:
        done = subprocess.run([need("apt-get", "apt"), "-q", "-o", "APT::Sandbox::User=root",
                               "download", package], cwd=work, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        debs = list(work.glob("*.deb"))
        if done.returncode or not debs:
            raise HarnessError(f"cannot download {package} (apt-get update first? newer headers? "
                               f"selftests/vm/deps sees to both):\n{done.stdout.strip()}")
        tree = work / "tree"
        subprocess.run(["dpkg-deb", "-x", str(debs[0]), str(tree)], check=True)
        subprocess.run([need("depmod", "kmod"), "-b", str(tree), release], check=True)
        disk.make(tree / "lib/modules" / release, tree / "modules.ext4", 4, "modules")
        if home.exists():
            os.rename(home, work / "old")
        os.rename(tree, home)


def boot_modules(kernel, wanted):
    """Files of the modules in wanted that are not built in, dependencies first."""
    if not kernel.module_dir:
        return []
    depends = {}
    for line in (kernel.module_dir / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, needs = line.partition(":")
        depends[path] = needs.split()

    def base(path):
        return pathlib.Path(path).name.split(".ko")[0].replace("-", "_")

    by_name = {base(path): path for path in depends}
    order = []

    def add(path):
        for other in depends[path]:
            add(other)
        if path not in order:
            order.append(path)

    for name in wanted:
        if name in by_name:
            add(by_name[name])
    return [kernel.module_dir / path for path in order]
