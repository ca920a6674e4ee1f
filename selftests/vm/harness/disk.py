# SPDX-License-Identifier: GPL-2.0
"""ext4 images from directories and back, without mounting anything."""

import os
import shutil
import subprocess

from .cache import HarnessError, need

BLOCK = 4096


def _usage(tree):
    """Blocks and inodes that the files under tree need."""
    blocks = inodes = 0
    for top, dirs, files in os.walk(tree):
        inodes += len(dirs) + len(files)
        blocks += len(dirs)
        for name in files:
            size = os.lstat(os.path.join(top, name)).st_size
            blocks += (size + BLOCK - 1) // BLOCK
    return blocks, inodes


def make(tree, image, free_mib, label):
    """Write the files under tree to an ext4 image with room for free_mib more.

    No journal and no lazy initialization: no kernel thread of the file system
    runs in the guest, and a mount costs nothing.
    """
    blocks, inodes = _usage(tree)
    spare = free_mib * 1024 * 1024 // BLOCK
    total = blocks + spare + (blocks + spare) // 16 + 1024
    command = [need("mke2fs", "e2fsprogs"), "-q", "-F", "-t", "ext4", "-L", label,
               "-b", str(BLOCK), "-N", str(inodes * 5 // 4 + 4096), "-m", "0",
               "-O", "^has_journal,^metadata_csum,^resize_inode,^huge_file",
               "-E", "assume_storage_prezeroed=1,root_owner=0:0,nodiscard",
               "-d", str(tree), str(image), str(total)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"mke2fs cannot make {image}: {done.stderr.strip()}")


def copy_out(image, directory, target, work):
    """Copy the contents of directory in the image into target, by way of work.

    Nothing happens when the image has no such directory.
    """
    debugfs = need("debugfs", "e2fsprogs")

    def request(text):
        return subprocess.run([debugfs, "-R", text, str(image)], capture_output=True, text=True,
                              errors="replace", check=False)

    if "Type: directory" not in request(f"stat {directory}").stdout:
        return
    done = request(f'rdump {directory} "{work}"')
    errors = [line for line in done.stderr.splitlines()
              if not line.startswith("debugfs ") and "changing ownership" not in line]
    if errors:
        raise HarnessError(f"cannot bring {directory} of the guest back: {errors[0]}")
    shutil.copytree(work / directory.strip("/"), target, symlinks=True, dirs_exist_ok=True)
