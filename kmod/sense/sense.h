/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sensors: each turns an event into evidence. The caller is the member
 * itself, with a reference on it, in process context without locks.
 */
#ifndef SELFHEAL_SENSE_SENSE_H
#define SELFHEAL_SENSE_SENSE_H

#include <linux/types.h>

struct file;
struct pt_regs;
struct sh_evidence;
struct sh_member;

/* Report @ev: observe, or open an incident. True when it was only observed. */
bool sh_sense_report(struct sh_member *m, const struct sh_evidence *ev, struct pt_regs *regs);

/* A call of the never list. Parks; true when it may proceed. */
bool sh_sense_syscall(struct sh_member *m, struct pt_regs *regs, bool ia32);

/* A signal is about to be delivered. Parks when the policy says it is a fault. */
void sh_sense_fault(struct sh_member *m);

/* @file is about to be executed. False when it must not be, for now. Does not park. */
bool sh_sense_exec(struct sh_member *m, struct file *file);

/* The quarantine is full and its rule is kill. Parks at the boundary, if at all. */
void sh_sense_overflow(struct sh_member *m);

/*
 * A reach for @what, a short constant string: the monitor, or the kernel under
 * it. True: refuse it with -EPERM. May park first.
 */
bool sh_sense_tamper(struct sh_member *m, struct pt_regs *regs, const char *what);

/*
 * The same from a tap, in task context under any lock: never sleeps. An
 * incident opens at the boundary of the task, by the second.
 */
bool sh_sense_tamper_tap(struct sh_member *m, const char *what);
void sh_sense_tamper_boundary(struct sh_member *m, struct pt_regs *regs);

#endif /* SELFHEAL_SENSE_SENSE_H */
