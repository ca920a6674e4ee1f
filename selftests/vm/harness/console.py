# SPDX-License-Identifier: GPL-2.0
"""What on the kernel's console makes a run fail."""

import re

BAD = re.compile("|".join((
    r"\bBUG:", r"\bBUG at\b", r"\bWARNING:", r"\bOops\b", r"Call Trace", r"Kernel panic",
    r"general protection fault[,:]", r"unable to handle", r"segfault at .* error .* in selfheal",
    # lockdep and its relatives
    r"possible circular locking", r"possible recursive locking", r"inconsistent lock state",
    r"lock order", r"lock inversion", r"unlock balance", r"held lock freed", r"suspicious RCU",
    r"lock held when returning", r"Invalid wait context", r"sleeping function called",
    r"scheduling while atomic", r"DEBUG_LOCKS_WARN_ON",
    # sanitizers
    r"\bKASAN:", r"\bKCSAN:", r"\bKFENCE:", r"\bKMSAN:", r"\bUBSAN:", r"kmemleak: [1-9]\d* new suspected",
    r"refcount_t:", r"list_(add|del) corruption", r"Bad page", r"Bad rss-counter", r"ODEBUG:",
    # no progress
    r"hung task", r"blocked for more than", r"soft lockup", r"hard LOCKUP", r"rcu.*(stall|starved)",
    r"unregister_netdevice: waiting",
)))
# Boot messages of healthy kernels that contain such words, as whole patterns.
HARMLESS = re.compile("|".join((
    r"Spectre V2 : WARNING: Unprivileged eBPF is enabled",
    r"\*\*\s.*NOTICE",
)))
# A line of a call trace that is no guess ("? name+..."), and where the CPU was.
_FRAME = re.compile(r"(\] |^)(RIP: |\s+(?!\?)[\w.]+\+0x[0-9a-f]+/0x[0-9a-f]+)")
# TAINT_DIE, TAINT_WARN, TAINT_SOFTLOCKUP, TAINT_BAD_PAGE
TAINTS = {7: "died (oops or BUG)", 9: "warned", 14: "soft lockup", 5: "bad page"}


def complaints(text, context=0):
    """The offending lines of a console log; with context, that many lines after each too."""
    lines = text.splitlines()
    wanted = []
    until = -1
    for number, line in enumerate(lines):
        if BAD.search(line) and not HARMLESS.search(line):
            until = max(until, number + context)
            wanted.append(line)
        elif number <= until:
            wanted.append(line)
    return wanted


def place(text):
    """Where the first complaint arose, as far as it says: lines for people, or nothing."""
    lines = complaints(text, context=40)
    frames = [line.split("] ", 1)[-1].strip() for line in lines if _FRAME.search(line)]
    return "".join("\n      " + frame for frame in frames[:12])


def new_taints(before, after):
    """Words for the taint bits that appeared while the command ran."""
    return [word for bit, word in TAINTS.items() if after >> bit & 1 and not before >> bit & 1]
