# SPDX-License-Identifier: GPL-2.0
"""selftests/vm/run: exit statuses, streams, the shared directory, nothing left behind."""

import hashlib
import os
import pathlib
import signal
import time

from common import for_each_kernel


def alive(pid):
    """Is the process there, and not only as a zombie?"""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Run:
    """One boot or a few in each case."""

    def run_in(self, *args, **more):
        """Call of run with the kernel of the case."""
        return self.call("run", "--kernel", self.kernel, *args, **more)

    def test_command_and_release(self):
        status, out, err = self.run_in("--", "printf", "%s|", "a b", "$HOME", "c'd")
        self.assertEqual((status, out), (0, b"a b|$HOME|c'd|"), err)

    def test_exit_status(self):
        status, out, _ = self.run_in("--", "uname -r; id -u; exit 3")
        self.assertEqual(status, 3)
        release, uid = out.decode().split()
        told = self.call("kernel", self.kernel)[1].decode().split()[0]
        self.assertEqual(release, told)
        self.assertEqual(uid, "0")

    def test_userland(self):
        programs = "redis-server redis-cli redis-benchmark nginx curl python3 strace gdb".split()
        status, out, _ = self.run_in("--", "for p in " + " ".join(programs) + "; do command -v $p "
                                     "|| exit 1; done; ping -c 1 127.0.0.1; mountpoint /sys/fs/cgroup")
        self.assertEqual(status, 0, out)

    def test_console_complaint(self):
        status, _, err = self.run_in("--", "echo 'WARNING: made up' > /dev/kmsg")
        self.assertEqual(status, 70)
        self.assertIn("WARNING: made up", err)

    def test_panic(self):
        status, _, err = self.run_in("--", "echo c > /proc/sysrq-trigger")
        self.assertEqual(status, 70)
        self.assertIn("Kernel panic", err)

    def test_hang(self):
        start = time.monotonic()
        self.assertEqual(self.run_in("--", "true")[0], 0)
        # The limit is for the boot, too, which takes its time on a busy machine.
        limit = 20 + 5 * int(time.monotonic() - start)
        status, out, err = self.run_in("--timeout", str(limit), "--", "echo up; exec sleep 1000",
                                       seconds=2 * limit + 60)
        self.assertEqual((status, out), (124, b"up\n"))
        self.assertIn(f"no end within {limit} s", err)
        self.assertIn("Show Blocked State", err)

    def test_guest_ends_without_status(self):
        status, _, err = self.run_in("--", "busybox reboot -f")
        self.assertEqual(status, 71, err)

    def test_much_output_arrives_whole(self):
        status, out, _ = self.run_in("--", "head -c 1000000 /dev/zero | tr '\\0' '\\377'; echo; exit 9")
        self.assertEqual(status, 9)
        self.assertEqual(hashlib.sha256(out).hexdigest(),
                         hashlib.sha256(b"\xff" * 1000000 + b"\n").hexdigest())

    def test_share(self):
        share = self.dir / f"share-{self.kernel}"
        (share / "out").mkdir(parents=True)
        (share / "in put").write_bytes(os.urandom(300000))
        (share / "out/stale").touch()
        status, out, err = self.run_in("--share", str(share), "--", "cd /share; [ ! -e out/stale ] && "
                                       "mkdir 'out/d e' && cp 'in put' 'out/d e/' && ln -s 'in put' out/l; exit 5")
        self.assertEqual(status, 5, (out, err))
        self.assertEqual((share / "out/d e/in put").read_bytes(), (share / "in put").read_bytes())
        self.assertEqual(os.readlink(share / "out/l"), "in put")

    def test_guest_disks_are_thrown_away(self):
        for _ in range(2):
            status, _, _ = self.run_in("--", "[ ! -e /etc/mark ] && touch /etc/mark /opt/mark && sync")
            self.assertEqual(status, 0)

    def test_icount_is_one_cpu(self):
        status, out, err = self.run_in("--icount", "--smp", "4", "--", "nproc")
        self.assertEqual((status, out), (0, b"1\n"), err)

    def test_two_at_once(self):
        both = [self.start("run", "--kernel", self.kernel, "--", f"exit {20 + n}") for n in range(2)]
        ends = [process.communicate(timeout=300) and process.returncode for process in both]
        self.assertEqual(ends, [20, 21])

    def test_nothing_survives_the_script(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            process = self.start("run", "--kernel", self.kernel, "--", "echo up; exec sleep 1000")
            self.assertEqual(process.stdout.readline(), b"up\n")
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            qemu = [int(pid) for pid in children.read_text(encoding="ascii").split()]
            self.assertEqual(len(qemu), 1)
            process.send_signal(number)
            process.communicate(timeout=120)
            end = time.monotonic() + 60
            while alive(qemu[0]) and time.monotonic() < end:
                time.sleep(0.05)
            self.assertFalse(alive(qemu[0]), f"qemu outlives {number.name}")

    def test_bad_arguments(self):
        for args in (("--kernel", "5.5"), ("--kernel", "./none/bzImage"), ("--share", "/none"), ("--smp", "0")):
            status, _, err = self.call("run", *args, "--", "true")
            self.assertIn(status, (2, 72), args)
            self.assertTrue(err.strip())


for_each_kernel(Run, globals())
