/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain: the tasks that one policy protects together. Exists from its
 * making to its last member's end; the object lives on while output of a
 * finished domain still drains.
 *
 * Lock order: domain->lock, then quarantine->lock, then the event lock. None
 * of them is held across a sleep, a signal or user memory.
 */
#ifndef SELFHEAL_DOMAIN_DOMAIN_H
#define SELFHEAL_DOMAIN_DOMAIN_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../limits.h"
#include "policy.h"
#include "state.h"

struct sh_incident;
struct sh_member;
struct sh_quarantine;

/* When the next event of one kind of tampering may be sent. */
struct sh_tamper_damp {
	const char *what;
	unsigned long next;		/* jiffies */
};

struct sh_domain {
	u64 id;
	u64 stamp;
	struct kref ref;
	struct sh_policy *policy;	/* reference, fixed */
	struct sh_quarantine *quarantine; /* owned, fixed */
	pid_t leader;			/* for people */
	char comm[TASK_COMM_LEN];

	spinlock_t lock;		/* the fields below */
	u8 state;			/* also read without it */
	struct list_head members;
	u32 nr_members;
	struct list_head processes;	/* of the members; process.h */
	struct list_head births;	/* children between fork and first run */
	bool dissolving;		/* all leave; no fork begins meanwhile */
	struct sh_incident *incident;	/* the open one; reference */
	u32 incidents;
	u32 resolving;			/* verdicts that have yet to be told: the end comes after */
	u64 freeze_start;
	u64 freeze_ns;
	struct sh_tamper_damp tamper[SH_TAMPER_KINDS];	/* under sense/tamper.c's lock */
	u64 clock;			/* orders births and rescue points */
	u32 healing;			/* members with a part in a rollback to do */
	int heal_error;			/* what the poisoned input's call returns */

	struct mutex epolls_lock;	/* the next two */
	struct list_head epolls;	/* what is known of epoll sets: interest.h */
	bool epolls_over;
	atomic_t interests;		/* what all of them know */

	struct list_head foreign;	/* foreign.h */
	u32 nr_foreign;

	atomic_t nr_parked;
	wait_queue_head_t unpark;	/* members wait here for the verdict */
	wait_queue_head_t settled;	/* a rollback waits here for the freeze */
	struct work_struct freeze_work;
	struct work_struct reap_work;
	struct work_struct release_work;
};

static inline u8 sh_domain_state(const struct sh_domain *d)
{
	return READ_ONCE(d->state);
}

/* What the other stages do at turning points of a domain; set once at load. */
struct sh_domain_ops {
	struct sh_quarantine *(*quarantine_new)(struct sh_domain *d);
	void (*quarantine_free)(struct sh_quarantine *q);
	/* Output is still leaving that was let go while the domain ran; domain->lock held. */
	bool (*quarantine_sends)(struct sh_quarantine *q);
	/* Last member gone, before GONE; true keeps the domain for a verdict. */
	bool (*last_member)(struct sh_domain *d);
	/* @task may be a member, by what it has open; process context, may sleep. */
	bool (*admits)(struct sh_domain *d, struct task_struct *task);
	/* Current has a part in a rollback to do; see sh_domain_park(). */
	void (*heal)(struct sh_member *m);
	/* @m is no member any more; process context, may sleep. */
	void (*left)(struct sh_member *m);
	/* The domain is GONE; process context, no lock held. */
	void (*gone)(struct sh_domain *d);
};

extern const struct sh_domain_ops *sh_domain_ops;

/* Process context, may sleep. A new domain without members; ERR_PTR. */
struct sh_domain *sh_domain_new(struct sh_policy *p);

/* Ends a domain that never got a member. */
void sh_domain_abort(struct sh_domain *d);

void sh_domain_put(struct sh_domain *d);

static inline void sh_domain_hold(struct sh_domain *d)
{
	kref_get(&d->ref);
}

struct sh_domain *sh_domain_find(u64 id);	/* with a reference, or NULL */
struct sh_domain *sh_domain_next(u64 *id);	/* first with an id >= *id */
unsigned int sh_domain_count(void);
u64 sh_domain_generation(void);			/* changes with the table */

/* domain->lock held. False for an edge that the state machine lacks. */
bool sh_domain_set_state(struct sh_domain *d, enum selfheal_domain_state to);

/* Emit an event of @type about @d. Any context. */
void sh_domain_event(struct sh_domain *d, u8 type);

/*
 * Current, @m, to which the caller has a reference, is about to fork: until the
 * child has joined, or it is known that there is none, the domain neither ends
 * nor counts as frozen. m->forking becomes the time of the birth by
 * domain->clock, which no other has, or stays 0 when @m has just been dissolved
 * and forks as anybody. False: the call must not be made, for want of memory,
 * for a fatal signal or after a rollback. Process context, may sleep; parks first
 * when the domain stops.
 */
bool sh_domain_birth(struct sh_member *m);
void sh_domain_birth_over(struct sh_domain *d, u64 serial);

/* domain->lock held. */
static inline bool sh_domain_empty(const struct sh_domain *d)
{
	return !d->nr_members && !d->resolving && list_empty(&d->births);
}

/* @task of @d runs a new image: its name is the domain's if it leads it. */
void sh_domain_renamed(struct sh_domain *d, struct task_struct *task);

/* A process of @d has died; look who is gone. Any context. */
void sh_domain_reap(struct sh_domain *d);

/* SIGKILL to every member; the domain is KILLING. Process context, no lock held. */
void sh_domain_kill_members(struct sh_domain *d);

/* Called when members and births have come to zero. domain->lock not held. */
void sh_domain_check_gone(struct sh_domain *d);

/*
 * A verdict that domain->resolving was raised for has been told: the domain may end now.
 * Process context, no lock held.
 */
void sh_domain_told(struct sh_domain *d);

/*
 * Stop every member: RUNNING -> FREEZING, FROZEN once all have parked or
 * sleep in the kernel and no send of theirs is under way. False when it was not
 * RUNNING. Any process context.
 */
bool sh_domain_freeze(struct sh_domain *d);

/* domain->lock held; the part of a freeze that must be atomic with its cause. */
void sh_domain_freeze_locked(struct sh_domain *d);

/*
 * Current is @m->task with a reference on @m, about to enter user mode or a
 * call, no lock held: sleeps, killable, until the domain runs or dies. A
 * rollback happens inside: m->heals differs after it, the registers are those
 * of the rescue point, and the caller leaves them alone and skips the call.
 */
void sh_domain_park(struct sh_member *m);

/*
 * The same for a task that will not come back to user mode, and so has no
 * part in a rollback. The caller may hold locks of files.
 */
void sh_domain_stall(struct sh_member *m);

/* @m has done its part in a rollback, or cannot any more; the last one ends it. */
void sh_domain_healed(struct sh_member *m);

void sh_domain_exit(void);

#endif /* SELFHEAL_DOMAIN_DOMAIN_H */
