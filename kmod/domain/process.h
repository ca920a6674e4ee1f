/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The members of a domain that are threads of one process: what a rescue
 * point and a rollback concern as a whole, since they share their memory.
 * Exists as long as one of its members does.
 */
#ifndef SELFHEAL_DOMAIN_PROCESS_H
#define SELFHEAL_DOMAIN_PROCESS_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>

struct pid;
struct sh_domain;
struct sh_member;
struct sh_point;

/* The part of a process, or of one thread of it, in a rollback of its domain. */
enum sh_heal {
	SH_HEAL_NONE,
	SH_HEAL_BACK,		/* go back to the rescue point */
	SH_HEAL_LEAVE,		/* a thread that was born since: it alone ends */
	SH_HEAL_END,		/* a process that was born since its parent's point: ends */
};

struct sh_process {
	struct list_head node;		/* domain->processes, domain->lock */
	struct list_head threads;	/* its members, by sibling; domain->lock */
	refcount_t ref;
	struct pid *pid;		/* of the process; reference */

	/*
	 * Its last rescue point, or why there is none: domain->lock, and
	 * changed by its own threads only, as long as it has one.
	 */
	struct sh_point *point;		/* owned */
	u8 why;				/* enum sh_point_why */
	u64 points;			/* taken so far */
	u32 heals;			/* rollbacks done */

	/*
	 * One thread at a time takes a point; domain->lock. While it copies
	 * (still), no thread comes back from the call that it waits in.
	 */
	const struct sh_member *taker;
	bool still;
	unsigned long retry;		/* jiffies: no try to bring them together before */
	int pause;			/* and after the last one in vain; the taker's */
	wait_queue_head_t turn;		/* its threads wait here for either */

	/* A rollback, domain->lock. */
	u8 healing;			/* enum sh_heal: what it is about to decide */
	struct sh_point *back;		/* where it goes back to; owned, while restoring */
	u32 arriving;			/* threads that may still be inside a call */
	u32 restoring;			/* threads that have not gone back yet */
	bool ending;			/* one of its threads does not go back, but ends */
	bool restored;			/* what they share is that of the point */
	bool failed;			/* it cannot be, or one has ended before */
};

/* Process context, may sleep; NULL for want of memory. Not in any domain yet. */
struct sh_process *sh_process_new(struct pid *pid);
void sh_process_put(struct sh_process *p);

/*
 * Make @m a thread of its process: one that is there already, or that @m came
 * with. The one that is not needed is the caller's. domain->lock held.
 */
struct sh_process *sh_process_join(struct sh_member *m);

/* @m leaves its domain; domain->lock held. */
void sh_process_leave(struct sh_member *m);

/*
 * @m is inside the call in which it has come to wait for input, or about to
 * begin it. Any context, for a task that does not run.
 */
bool sh_member_waits(const struct sh_member *m);

/*
 * Current @m is on its way to user mode, perhaps from the call that it waited
 * in: keep what that has returned, and a connection that it has accepted. Any
 * number of times for a call; the last one counts. Process context.
 */
void sh_process_note(struct sh_member *m);

/*
 * Current @m is on its way to user mode: from a call that it waited in it
 * does not come back while a rescue point is being copied. Process context,
 * no lock held, may sleep.
 */
void sh_process_hold(struct sh_member *m);

#endif /* SELFHEAL_DOMAIN_PROCESS_H */
