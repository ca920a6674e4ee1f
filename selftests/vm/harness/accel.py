# SPDX-License-Identifier: GPL-2.0
"""TCG or KVM: KVM only when a kernel has been seen to reach user mode under it."""

import ctypes
import functools
import mmap
import os
import pathlib
import subprocess
import tempfile
import time

from . import cache, initramfs
from .cache import need, note

# One host thread for all CPUs of a guest: multi-threaded TCG (QEMU 7.2) does not keep code that
# one CPU modifies and another runs coherent, so the kernel's text patching (ftrace) ends in an
# "int3" oops now and then, with or without our module.
TCG = ["-accel", "tcg,thread=single", "-cpu", "max,la57=off"]
ICOUNT = ["-accel", "tcg,thread=single", "-cpu", "max,la57=off", "-icount", "shift=0,sleep=off"]
KVM = ["-accel", "kvm", "-cpu", "host"]
PROBE_SECONDS = 8


def _probe(kernel):
    """A boot of a few seconds: /dev/kvm can exist and yet hang a stock kernel."""
    command = [need("qemu-system-x86_64", "qemu-system-x86"), "-nodefaults", "-no-user-config",
               "-display", "none", "-no-reboot", "-m", "512", "-smp", "2", *KVM,
               "-kernel", str(kernel.image), "-initrd", str(initramfs.ensure(kernel)),
               "-append", "console=ttyS0 panic=-1 8250.nr_uarts=4 reboot=t no_timer_check selfheal.probe",
               "-serial", "null", "-serial", "null"]
    with tempfile.NamedTemporaryFile() as result:
        try:
            subprocess.run(command + ["-serial", f"file:{result.name}"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=PROBE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return False
        return b"probe-ok" in pathlib.Path(result.name).read_bytes()


def kvm_works(kernel):
    """The answer of the probe, remembered until the host boots anew."""
    if os.environ.get("SELFHEAL_ACCEL") == "tcg" or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    memo = cache.root() / "kvm-probe"
    with cache.locked("kvm-probe"):
        known = {}
        if memo.exists():
            for line in memo.read_text(encoding="ascii").splitlines():
                key, _, value = line.rpartition(" ")
                known[key] = value
        key = f"{boot} {kernel.release}"
        if key not in known:
            note(f"probing KVM with {kernel.release} (at most {PROBE_SECONDS} s)")
            known[key] = "yes" if _probe(kernel) else "no"
            memo.write_text("".join(f"{k} {v}\n" for k, v in known.items() if k.startswith(boot)),
                            encoding="ascii")
        return known[key] == "yes"


@functools.lru_cache(maxsize=None)
def counter_khz():
    """Rate of the host's time stamp counter, which TCG hands to the guest; 0 when not to be had."""
    rdtsc = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"   # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return 0
    page.write(rdtsc)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    rates = []
    for _ in range(5):
        start, ticks = time.monotonic_ns(), read()
        time.sleep(0.02)
        ticks, end = read() - ticks, time.monotonic_ns()
        rates.append(ticks * 1_000_000 // (end - start))
    return sorted(rates)[len(rates) // 2]


def append(kernel, icount):
    """What to add to the kernel's command line.

    At boot the kernel finds the rate of its counter by comparing it with a timer; in a starved
    emulator it was seen to be wrong tenfold, and so was every timeout in the guest.
    """
    if icount or kvm_works(kernel):
        return ""
    khz = counter_khz()
    return f" tsc_early_khz={khz}" if khz else ""


def options(kernel, icount):
    """QEMU options that choose the accelerator and the CPU."""
    if icount:
        return ICOUNT
    return KVM if kvm_works(kernel) else TCG
