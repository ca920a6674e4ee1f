/* SPDX-License-Identifier: GPL-2.0 */
/* Rescue points of processes: when they are taken, and which one is the last. */
#ifndef SELFHEAL_HEAL_RESCUE_H
#define SELFHEAL_HEAL_RESCUE_H

#include <linux/types.h>

struct pt_regs;
struct sh_domain;
struct sh_member;
struct sh_point;
struct sh_process;
struct task_struct;

/*
 * Current member @m, referenced, is at the entry of a call that waits for
 * input: take the next point of its process, before what it has put out is committed, for
 * a rollback must not forget an answer that is out. True: skip the call,
 * regs->ax is set. Process context without locks, may sleep and park.
 */
bool sh_rescue_wait(struct sh_member *m, struct pt_regs *regs);

/* @m has executed another file, or leaves its domain. Process context, may sleep. */
void sh_rescue_exec(struct sh_member *m);
void sh_rescue_left(struct sh_member *m);

/*
 * The process of @m has gone back to @used, all of it. True: its next point can be made
 * of that, and it is the process's; until then nobody can go back to it.
 * domain->lock held.
 */
bool sh_rescue_reuse(struct sh_member *m, struct sh_point *used);

/* The tap on copy_thread(): current makes @half_made. Does not sleep. */
void sh_rescue_keep(struct task_struct *half_made);

/* The point that @p can go back to, or NULL. domain->lock held. */
struct sh_point *sh_rescue_point(const struct sh_process *p);

/* For people: the state of the @i-th process's point; false beyond the last. */
struct sh_rescue_info {
	int tid, pid;
	const char *why;	/* NULL: there is a point */
	u64 stamp;
	int nr;
	u64 taken;
	u32 used;
};
bool sh_rescue_info(struct sh_domain *d, unsigned int i, struct sh_rescue_info *info);

#endif /* SELFHEAL_HEAL_RESCUE_H */
