/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A member is one task of a domain, held by reference to its task_struct and
 * found by that pointer: a pid can be recycled, a referenced task cannot.
 *
 * Lifetime: a member leaves the table at its own exit, or when its domain is
 * dissolved. A task that runs with its own member needs no lock for it as
 * long as it does not sleep: memory goes back only after a grace period of
 * RCU-tasks, which a task ends by sleeping of its own accord. Whoever sleeps
 * while using one takes a reference first (sh_member_hold_found()). Its
 * domain lasts as long: whoever dissolves waits for such a grace period.
 */
#ifndef SELFHEAL_DOMAIN_MEMBER_H
#define SELFHEAL_DOMAIN_MEMBER_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "../limits.h"
#include "policy.h"

struct pt_regs;
struct sh_domain;
struct sh_process;
struct sh_record;

struct sh_trail {
	s32 nr;
	u32 ia32;
	u64 args[3];
};

struct sh_member {
	struct hlist_node hash;
	struct task_struct *task;
	struct sh_domain *domain;	/* reference */
	refcount_t ref;
	struct rcu_head rcu;

	struct list_head node;		/* domain->members, domain->lock */
	struct sh_process *process;	/* reference, fixed once it has joined */
	struct list_head sibling;	/* process->threads, domain->lock */
	struct list_head held;		/* undecided output, quarantine lock */

	/*
	 * The member's one task_work: parks it before user mode when its
	 * domain is frozen, and tells of its exit. armed is 1 while it is
	 * queued, with a reference; whoever turns it from 0 to 1 queues it.
	 */
	struct callback_head work;
	atomic_t armed;

	/*
	 * get_signal() runs queued work before it finds that a signal is
	 * fatal. For that end there is the wake-up of the process's pidfd.
	 */
	struct pid *pid;		/* reference */
	wait_queue_entry_t death;

	bool parked;			/* written by the task itself */
	bool producing;			/* so is this: output of it is on its way into the quarantine */
	u64 switches;			/* of it, plus one, as it slept at the last look; quarantine/rest.c */
	bool gone;			/* left the domain; domain->lock */
	bool killed;			/* SIGKILL was sent; domain->lock */

	bool taking;			/* it is overwriting the point of its process; domain->lock */
	u64 born;			/* domain->clock when its birth began, or it joined */
	u8 heal;			/* enum sh_heal; its part in a rollback, still to be done */
	bool arrived;			/* or it has none, or is inside no call any more; domain->lock */
	bool restoring;			/* it has not gone back yet; domain->lock */
	bool poisoned;			/* its call at the point fails */
	struct callback_head leaving;	/* ends this thread alone */
	struct callback_head interrupt;	/* ends the call that it sleeps in */
	bool interrupted;		/* that is queued */

	/* The rest is used by the task itself alone. */
	u32 heals;			/* rollbacks done */
	bool accused;			/* a sensor saw it; others read it while it is parked */
	/* The call that it waits for input in, by its count and user registers; others read these. */
	u64 waits;
	unsigned long wait_ip, wait_sp;
	bool back;			/* it is back from that call, and held */
	u64 answered;			/* the last such call that it is back from */
	long answer;			/* and what it returned */
	struct sh_record *record;	/* what it has taken in, or NULL */
	bool receiving;			/* it fills that: taps let it pass */
	/* The call that it makes again after a rollback. */
	int again_nr;
	unsigned long again_ip, again_sp;
	bool copying;			/* copy_thread() is called for a rescue point */
	struct mm_struct *copy;
	bool starting;			/* its next successful exec is not judged */
	u8 rescan;			/* enum sh_join: look for those born unseen */
	bool tree;			/* it was enrolled with its children */
	bool committing;		/* our own output: taps let it pass */
	u64 forking;			/* birth serial of a fork under way, or 0; set under domain->lock */
	bool configuring;		/* a prctl() of its dispatch is under way */
	bool exec_wait;			/* refused exec waits for its verdict */
	u8 exec_passes;			/* files of released execs, until one succeeds */
	struct sh_file_id exec_pass[SH_EXEC_DEPTH];
	struct sh_file_id exec_target;
	bool sud_on;			/* it uses syscall user dispatch itself */
	const char *tampered;		/* a tap saw it; its boundary opens the incident */
	bool may_dump;			/* its fault was released: it may dump core */

	u64 syscalls;
	struct sh_trail trail[SELFHEAL_TRAIL_MAX];
};

/*
 * The member of the current task, or NULL. For taps and the gate: process
 * context; the pointer is good until the task sleeps (see above).
 */
struct sh_member *sh_member_current(void);

/* The member of any task with a reference; task context, under any lock. */
struct sh_member *sh_member_get(struct task_struct *task);

/* Is @task a member of @d, which the caller keeps? Task context, under any lock. */
bool sh_member_within(const struct sh_domain *d, const struct task_struct *task);

static inline void sh_member_hold(struct sh_member *m)
{
	refcount_inc(&m->ref);
}

/*
 * For @m as sh_member_current() found it. False: it has been dissolved since,
 * and current is no member any more.
 */
static inline bool sh_member_hold_found(struct sh_member *m)
{
	return refcount_inc_not_zero(&m->ref);
}

void sh_member_put(struct sh_member *m);

/*
 * Enrol @task in @d. -EEXIST when it is a member of @d already, -EBUSY when
 * of another domain, -ESRCH when it exits, -ENOMEM, -EPERM for a task that
 * must never be frozen, -EALREADY when the domain cannot take members now.
 * @born as in struct sh_member; 0 for one that was not born in the domain, or unseen.
 * Process context, may sleep.
 */
enum sh_join {
	SH_JOIN_BIRTH,		/* current, inherited from its parent */
	SH_JOIN_PROCESS,	/* with the threads that it is just making */
	SH_JOIN_TREE,		/* and the children that it is just making */
};
int sh_member_new(struct sh_domain *d, struct task_struct *task, enum sh_join how, u64 born);

/* @task, a member whose process waits for it, may execute one file unjudged. */
void sh_member_starts(struct task_struct *task);

/*
 * Take @m out of its domain while its task lives on. False: not amid a fork, whose child would
 * look for its parent, nor after a freeze, which it may have to go back from. Process context,
 * may sleep.
 */
bool sh_member_dissolve(struct sh_member *m);

/*
 * All children of the members of @d that were enrolled with theirs are members, but those
 * that were just being made: the members look for these themselves. Process context.
 */
void sh_member_sweep(struct sh_domain *d);

/* Make sure that the member's task_work runs before user mode. Any context that may take no lock above domain->lock. */
void sh_member_kick(struct sh_member *m);

void sh_member_rearm(struct sh_member *m);

/* End the call that @m sleeps in, if it can be interrupted. Context as for a kick, domain->lock held. */
void sh_member_interrupt(struct sh_member *m);

/* End current, alone of its process, on its way to user mode. Process context, no lock held. */
void sh_member_end_thread(struct sh_member *m);

/* Current is @m->task: queue its work, if it is not, to hear of its exit. */
static inline void sh_member_arm(struct sh_member *m)
{
	if (unlikely(!atomic_read(&m->armed)))
		sh_member_rearm(m);
}

/* Take the members of @d out that died unnoticed by their work. Process context. */
void sh_member_reap(struct sh_domain *d);

/* Set the gate bit, by which the taps and the gate see the task, unless @m has left. */
void sh_member_mark(struct sh_member *m);

/* Set by the stage that flushes output; called by an exiting member. */
extern void (*sh_member_exit_hook)(struct sh_member *m);

int sh_member_init(void);
void sh_member_exit(void);

#endif /* SELFHEAL_DOMAIN_MEMBER_H */
