/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A rescue point: everything of a process at a moment when each of its
 * threads was about to wait for input, or waited. Not in it, and listed in
 * the documentation: what descriptors lead to (but for positions, flags and
 * what the journal has), shared memory, timers, resource limits, signals delivered since.
 */
#ifndef SELFHEAL_HEAL_POINT_H
#define SELFHEAL_HEAL_POINT_H

#include <linux/path.h>
#include <linux/sched.h>
#include <linux/signal_types.h>
#include <linux/types.h>

#include "journal.h"
#include "thread.h"

struct sh_domain;
struct sh_member;
struct sh_shadow;
struct sh_table;

/* Why a process has no rescue point. */
enum sh_point_why {
	SH_POINT_NONE,			/* it has not waited for input yet */
	SH_POINT_VALID,
	SH_POINT_BUSY,			/* a thread did not come to wait in time */
	SH_POINT_SHARES,		/* memory, descriptors, handlers or directories */
	SH_POINT_IA32,
	SH_POINT_SEGMENTS,
	SH_POINT_MEMORY,		/* mappings that a copy would lack */
	SH_POINT_AIO,
	SH_POINT_FAILED,		/* no memory, or a limit, when it was due */
	SH_POINT_USED,			/* rolled back to, and none taken since */
	SH_POINT_EXEC,			/* the process runs another image */
	SH_POINT_RELEASED,		/* output that is younger has been released */
	SH_POINT_ENDED,			/* one of its threads has ended */
	SH_POINT_TAKING,		/* the next one is just being made of it */
	SH_POINT_WHYS,
};

/* For people. */
const char *sh_point_why_text(enum sh_point_why why);

struct sh_point {
	u64 clock;			/* of the domain, when it was taken */
	u64 stamp;			/* boottime ns */
	struct sh_shadow *shadow;	/* its memory */
	bool in_place;			/* the process has its memory back where it was */
	bool entered;			/* a thread has gone on in the shadow */
	struct sh_table *table;
	struct sh_journal journal;	/* what has been changed since */
	struct path root, pwd;
	int umask;
	struct k_sigaction action[_NSIG];
	unsigned int nr;
	struct sh_thread *thread[];	/* the one that took it first */
};

/*
 * Why current's process cannot have a point at all now; SH_POINT_VALID when it
 * can, but for its mappings. Its other threads wait, and do not come back meanwhile.
 */
enum sh_point_why sh_point_possible(void);

/* As above, why not by its mappings: for a copy of all. May sleep. */
enum sh_point_why sh_point_copyable(void);

/*
 * Take a point of the process of current, @m, at the entry of a call; the
 * other threads as above. What a thread has not changed since the last point is
 * shared with that. The memory is for the caller to add. ERR_PTR(-ENOMEM) or (-EAGAIN).
 */
struct sh_point *sh_point_take(struct sh_member *m);

/* What @m was at @p; NULL when it was not there. */
struct sh_thread *sh_point_thread(const struct sh_point *p, const struct sh_member *m);

/* No thread has made a call from @then to @now that could have changed the mappings. */
bool sh_point_kept_mappings(const struct sh_point *then, const struct sh_point *now);

/*
 * Put back what the threads of a process of @d share but for the address space, and
 * that, too, if it can be in place; @all: each thread of it goes back. By
 * one of them, when none is inside a call. An error: it is neither here nor
 * there and must die. Process context without locks, may sleep.
 */
int sh_point_restore_shared(struct sh_point *p, struct sh_domain *d, bool all);

/*
 * Current goes on in the address space of @p, unless its own has been put back;
 * one thread at a time, by whatever order. -EINTR: a fatal signal is pending and nothing was changed.
 * Process context without locks, on the way to user mode, may sleep.
 */
int sh_point_enter(struct sh_point *p);

/* Process context, may sleep. True when a delayed close is due: run the task's work. */
bool sh_point_free(struct sh_point *p);

#endif /* SELFHEAL_HEAL_POINT_H */
