# SPDX-License-Identifier: GPL-2.0
"""Which console lines fail a run, and to which program they belong."""

import unittest

from harness import boots, console

BAD = """\
[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000008
[    1.0] WARNING: CPU: 0 PID: 1 at kernel/fork.c:1 x+0x1/0x2
[    1.0] Oops: 0000 [#1] PREEMPT SMP
[    1.0] Call Trace:
[    1.0] WARNING: possible circular locking dependency detected
[    1.0] WARNING: possible recursive locking detected
[    1.0] WARNING: inconsistent lock state
[    1.0] WARNING: suspicious RCU usage
[    1.0] BUG: KASAN: slab-use-after-free in x
[    1.0] UBSAN: shift-out-of-bounds in x
[    1.0] BUG: Bad rss-counter state mm:00000000 type:MM_ANONPAGES val:1
[    1.0] INFO: task sh:12 blocked for more than 120 seconds.
[    1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
[    1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[    1.0] Kernel panic - not syncing: sysrq triggered crash
[    1.0] general protection fault, probably for non-canonical address 0x1: 0000 [#1]
[    1.0] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
[    1.0] refcount_t: underflow; use-after-free.
"""
FINE = """\
[    0.1] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible
[    0.2] traps: victim[99] general protection fault ip:401000 sp:7ffc error:0 in victim[401000+1000]
[    0.3] victim[98]: segfault at 0 ip 0000000000401136 sp 00007ffd error 6 in victim[401000+1000]
[    0.4] rcu: Hierarchical RCU implementation.
[    0.5] kasan: KernelAddressSanitizer initialized
[    0.6] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[    0.7] DEBUG: WARNINGS are not warned about
"""


class Complaints(unittest.TestCase):
    """console.complaints."""

    def test_each_bad_line(self):
        for line in BAD.splitlines():
            self.assertEqual(console.complaints(line), [line])

    def test_harmless_lines(self):
        self.assertEqual(console.complaints(FINE), [])

    def test_context(self):
        self.assertEqual(len(console.complaints("WARNING: x\na\nb\nc\n", 2)), 3)

    def test_place(self):
        text = ("[1.0] fine+0x1/0x2\n[2.0] watchdog: BUG: soft lockup - CPU#0 stuck\n"
                "[2.0] RIP: 0010:walk+0x1/0x2 [selfheal]\n[2.0] Call Trace:\n[2.0]  <TASK>\n"
                "[2.0]  ? guess+0x1/0x2\n[2.0]  sure+0x1/0x2\n")
        self.assertEqual([line.strip() for line in console.place(text).splitlines()],
                         ["", "RIP: 0010:walk+0x1/0x2 [selfheal]", "sure+0x1/0x2"])
        self.assertEqual(console.place(FINE), "")

    def test_taints(self):
        self.assertEqual(console.new_taints(1 << 12, 1 << 12 | 1 << 9), ["warned"])
        self.assertEqual(console.new_taints(1 << 9, 1 << 9 | 1 << 12), [])

    def test_split(self):
        parts = boots.split_console("boot\n[1] selfheal-suite: begin guest/test_a\nWARNING: x\n"
                                    "[2] selfheal-suite: end guest/test_a\nlate\n"
                                    "[3] selfheal-suite: begin guest/test_b\nfine\n")
        self.assertEqual(parts[""], "boot\n")
        self.assertIn("WARNING: x", parts["guest/test_a"])
        self.assertIn("late", parts["guest/test_a"])
        self.assertEqual(console.complaints(parts["guest/test_b"]), [])
