/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Membership across fork, exec and prctl, without a cost for anybody else.
 *
 * A member that enters such a call sets TIF_UPROBE on itself. A child
 * inherits the flag, and whoever has it calls uprobe_notify_resume() before
 * it runs any user code: there a newborn joins its parent's domain, and the
 * gate bit, which fork and exec clear, is set again. A child finds its domain
 * by a cookie in its (otherwise unused) copy of the parent's syscall dispatch
 * settings, whose selector is an address that no program can configure.
 */
#ifndef SELFHEAL_GATE_LINEAGE_H
#define SELFHEAL_GATE_LINEAGE_H

#include <linux/types.h>

struct pt_regs;
struct sh_domain;
struct sh_member;
struct task_struct;

/* Current member @m, referenced, enters a call of @class. True: skip it, regs->ax is set. */
bool sh_lineage_enter(struct sh_member *m, struct pt_regs *regs, u8 class, unsigned long arg0);

/*
 * Is @task of @d, as a member or as a child of one that has yet to run? For
 * current's own domain; task context, under any lock, @task is kept by the caller.
 */
bool sh_lineage_has(const struct sh_domain *d, const struct task_struct *task);

/*
 * @task is a child that has yet to run, of a member of another domain than @d: it
 * belongs there. False: it is none, or a member by now, which a look after this one sees.
 * Any context; @task is kept by the caller.
 */
bool sh_lineage_elsewhere(const struct sh_domain *d, const struct task_struct *task);

#endif /* SELFHEAL_GATE_LINEAGE_H */
