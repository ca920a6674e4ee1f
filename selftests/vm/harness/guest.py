# SPDX-License-Identifier: GPL-2.0
"""One QEMU process: its ports, its time limit, its end."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from . import accel, image, initramfs, stall
from .cache import HarnessError, need

# no_timer_check: the kernel waits ten ticks by its cycle counter for its timer, and panics
# when a starved emulator delivers none in that time.
# The watchdogs: a host that stops for half a minute, as machines of a CI do, is to them a CPU
# that is stuck (20 s by default). What really hangs is found two minutes later, or by the limit.
APPEND = ("console=ttyS0 loglevel=5 panic=-1 oops=panic reboot=t 8250.nr_uarts=4 "
          "no_timer_check random.trust_cpu=on printk.time=1 sysrq_always_enabled "
          "watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=180")
PR_SET_PDEATHSIG = 1
# How long a guest may take to answer a SysRq key, once its time is over.
AUTOPSY_SECONDS = 8
SEND_BREAK = b'{"execute": "chardev-send-break", "arguments": {"id": "console"}}\n'


def _die_with_parent():
    """In the child: no QEMU outlives this script, even when that is killed with SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """Runs until the command ends, the kernel dies, or the time is over."""

    def __init__(self, kernel, *, smp, mem, icount):
        self.kernel = kernel
        self.smp = 1 if icount else smp
        self.mem = mem
        self.icount = icount
        self.console = bytearray()
        self.result = bytearray()
        self.timed_out = False
        self.process = None
        self.qemu_errors = ""
        self.hung_at = None
        self.witness = stall.Witness(lambda: stall.cpu_seconds(self.process.pid))
        self._threads = []
        self._port = self._monitor = self._talk = None

    def _command(self, disks, out_fd, con_fd, result_fd, mon_fd):
        """QEMU's command line; the fds are those that it inherits."""
        line = [need("qemu-system-x86_64", "qemu-system-x86"), "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-M", "pc", "-m", str(self.mem),
                "-smp", str(self.smp), *accel.options(self.kernel, self.icount),
                "-kernel", str(self.kernel.image), "-initrd", str(initramfs.ensure(self.kernel)),
                "-append", APPEND + accel.append(self.kernel, self.icount)]
        for path, keep in disks:
            snapshot = "off" if keep else "on"
            line += ["-drive", f"file={path},format=raw,if=virtio,snapshot={snapshot},cache=unsafe"]
        line += ["-chardev", f"socket,id=console,fd={con_fd}", "-serial", "chardev:console"]
        if out_fd is None:
            line += ["-chardev", "stdio,id=out,signal=off"]
        elif self._talk:
            line += ["-chardev", f"socket,id=out,fd={out_fd}"]
        else:
            line += ["-add-fd", f"fd={out_fd},set=1", "-chardev", "file,id=out,path=/dev/fdset/1,append=on"]
        line += ["-serial", "chardev:out"]
        line += ["-add-fd", f"fd={result_fd},set=2", "-chardev", "file,id=result,path=/dev/fdset/2,append=on",
                 "-serial", "chardev:result"]
        line += ["-chardev", f"socket,id=monitor,fd={mon_fd}", "-mon", "chardev=monitor,mode=control"]
        return line

    def _drain(self, read, sink, echo=None):
        """Move one port's bytes until its other end is closed."""
        while True:
            try:
                data = read(65536)
            except OSError:
                data = b""
            if not data:
                return
            if sink is not None:
                sink += data
            if echo is not None:
                echo(data)

    def _thread(self, *args):
        thread = threading.Thread(target=self._drain, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def say(self, data):
        """Bytes to the command's terminal; only for run(talk=True), from within echo."""
        self._talk.sendall(data)

    def run(self, disks, timeout, echo, talk=False):
        """Boot and wait; echo gets the command's output, None connects a terminal.

        talk: the port of the output takes input too, see say().
        timeout: seconds, None for no limit, or a function that tells the monotonic time
        of the limit as it is now.
        """
        self._port, con_child = socket.socketpair()
        self._monitor, mon_child = socket.socketpair()
        result_r, result_w = os.pipe()
        out_r = out_w = None
        if talk:
            self._talk, far_end = socket.socketpair()
            out_r, out_w = self._talk.fileno(), far_end.detach()
        elif echo:
            out_r, out_w = os.pipe()
        inherited = [con_child.fileno(), mon_child.fileno(), result_w] + ([out_w] if echo else [])
        disks = [(image.ensure(), False)] + disks
        if self.kernel.modules:
            disks.insert(2, (self.kernel.modules, False))
        command = self._command(disks, out_w, con_child.fileno(), result_w, mon_child.fileno())
        self.process = subprocess.Popen(
            command, stdin=None if echo is None else subprocess.DEVNULL,
            stdout=None if echo is None else subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=inherited, preexec_fn=_die_with_parent)
        con_child.close()
        mon_child.close()
        os.close(result_w)
        self._monitor.sendall(b'{"execute": "qmp_capabilities"}\n')
        self._thread(self._port.recv, self.console, self.witness.feed)
        self._thread(self._monitor.recv, None)
        self._thread(lambda size: os.read(result_r, size), self.result)
        errors = bytearray()
        self._thread(self.process.stderr.read1, errors)
        if echo:
            os.close(out_w)
            self._thread(lambda size: os.read(out_r, size), None, echo)
        try:
            self._wait(timeout)
        finally:
            self.kill()
            for thread in self._threads:
                thread.join(timeout=10)
            self._port.close()
            self._monitor.close()
            os.close(result_r)
            if talk:
                self._talk.close()
            elif echo:
                os.close(out_r)
        self.qemu_errors = errors.decode(errors="replace").strip()
        if self.process.returncode not in (0, -signal.SIGKILL):
            raise HarnessError(f"qemu ended with {self.process.returncode}: {self.qemu_errors}")

    def _wait(self, timeout):
        limit = timeout
        if not callable(timeout):
            end = time.monotonic() + timeout if timeout is not None else float("inf")

            def limit():
                return end
        while True:
            self.witness.sample()
            left = limit() - time.monotonic()
            if left <= 0:
                self.timed_out = True
                self._autopsy()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(min(left, 1))
                return

    def _autopsy(self):
        """Ask the hung kernel which tasks are blocked and what each CPU does (SysRq by break)."""
        self.hung_at = len(self.console)
        for key, title in ((b"w", b"Show Blocked State"), (b"l", b"Show backtrace")):
            try:
                self._monitor.sendall(SEND_BREAK)
                time.sleep(0.3)     # the break has to reach the port before the key does
                self._port.sendall(key)
            except OSError:
                return
            self._quiet_after(title)

    def _quiet_after(self, title):
        """Until the kernel has answered and stopped talking, or the time for that is over."""
        end = time.monotonic() + AUTOPSY_SECONDS
        size = -1
        while time.monotonic() < end:
            if size == len(self.console) and title in self.console[self.hung_at:]:
                return
            size = len(self.console)
            time.sleep(0.5)

    def kill(self):
        """End QEMU at once."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def status(self):
        """(exit status, taint before, taint after) as told by the guest, or None."""
        match = re.search(rb"status (\d+) taint (\d+) (\d+)", bytes(self.result))
        return tuple(int(value) for value in match.groups()) if match else None

    def console_text(self, autopsy=True):
        """The console as text; without what our own SysRq keys made the kernel print."""
        end = None if autopsy else self.hung_at
        return self.console[:end].decode(errors="replace").replace("\r", "")


def stdout_echo(data):
    """Stream to our stdout; a closed pipe ends the run."""
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view):]
