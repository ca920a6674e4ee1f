# SPDX-License-Identifier: GPL-2.0
"""Boot a Debian kernel with a Debian userland in QEMU and run one command in it."""
