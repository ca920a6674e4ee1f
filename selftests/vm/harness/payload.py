# SPDX-License-Identifier: GPL-2.0
"""What changes from run to run: the build, the command and the shared directory."""

import os
import shlex
import shutil

from . import cache, disk
from .cache import note


def _tree(source, target):
    """Copy a directory that others may be building in at the same time."""
    def ignore(top, names):
        return [name for name in names if name.endswith((".o", ".d", ".cmd", ".tmp"))
                or not os.path.lexists(os.path.join(top, name))]
    shutil.copytree(source, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)


def _product(build, kernel, target):
    """Lay out /opt/selfheal."""
    module = build / kernel.release / "selfheal.ko"
    target.mkdir()
    if module.exists():
        shutil.copy2(module, target / "selfheal.ko")
    else:
        note(f"no selfheal.ko for {kernel.release} in {build} (make modules KERNELS={kernel.name})")
    extra = build / kernel.release / "test_modules"
    if extra.is_dir():
        (target / "test_modules").mkdir()
        for path in sorted(extra.glob("*.ko")):
            shutil.copy2(path, target / "test_modules" / path.name)
    (target / "bin").mkdir()
    healctl = build / "user" / "healctl"
    if healctl.exists():
        shutil.copy2(healctl, target / "bin" / "healctl")
    if (build / "selftests").is_dir():
        _tree(build / "selftests", target / "selftests")
    examples = cache.tree() / "Documentation" / "examples"
    if examples.is_dir():
        _tree(examples, target / "examples")


def command_text(command):
    """The shell script for CMD: one word is a shell command line, several are an argv."""
    line = command[0] if len(command) == 1 else "exec " + shlex.join(command)
    return "# SPDX-License-Identifier: GPL-2.0\n" + line + "\n"


def make(kernel, command, share, work, files=None):
    """Write the payload image (and the share's); returns (payload, share or None).

    files: {name: text} of what else is wanted in /opt/vm.
    """
    stage = work / "payload"
    control = stage / "vm"
    control.mkdir(parents=True)
    shutil.copy2(cache.tree() / "selftests/vm/guest/setup", control / "setup")
    if command:
        (control / "command").write_text(command_text(command), encoding="utf-8")
    else:
        size = shutil.get_terminal_size()
        (control / "size").write_text(f"{size.lines} {size.columns}\n", encoding="ascii")
        (control / "term").write_text(os.environ.get("TERM", "linux") + "\n", encoding="ascii")
    for name, text in (files or {}).items():
        (control / name).write_text(text, encoding="utf-8")
    if kernel.modules:
        (control / "has-modules").touch()
    if share:
        (control / "has-share").touch()
    _product(cache.build_dir(), kernel, stage / "selfheal")
    disk.make(stage, work / "payload.ext4", 256, "payload")
    if not share:
        return work / "payload.ext4", None
    packed = work / "share"
    shutil.copytree(share, packed, symlinks=True, ignore=lambda top, names: (
        ["out"] if os.path.samefile(top, share) else []))
    disk.make(packed, work / "share.ext4", 512, "share")
    return work / "payload.ext4", work / "share.ext4"
