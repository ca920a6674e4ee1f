/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages that a process and its shadow have each for themselves, in pairs
 * of the same address: what a rescue point copies one way, and a rollback the other.
 */
#ifndef SELFHEAL_HEAL_PAIRS_H
#define SELFHEAL_HEAL_PAIRS_H

#include <linux/types.h>

struct mm_struct;
struct page;
struct sh_track;

struct sh_pair {
	unsigned long addr;
	/*
	 * The shadow's page, pinned, from the first copy on: it is not looked for
	 * again, at the price that it can neither be swapped nor moved.
	 */
	struct page *own;
	bool shared;		/* in a shared mapping: nothing of it is ours */
};

struct sh_pairs {
	struct mm_struct *mm;	/* of the shadow */
	unsigned int nr, max;
	struct sh_pair *pair;	/* in the order of the hot set */
};

/*
 * For all of these: current is a thread of the process, whose other threads are
 * stopped; process context without locks, may sleep. Nobody else looks at @p.
 *
 * Add the next @n addresses of the hot set. -ENOMEM.
 */
int sh_pairs_add(struct sh_pairs *p, const unsigned long *addr, unsigned int n);

/*
 * Copy from the process, whose pages @track tracks, to the shadow. -EAGAIN: they
 * are not what they seemed to be.
 */
int sh_pairs_refresh(struct sh_pairs *p, struct sh_track *track);

/* The other way. */
int sh_pairs_restore(struct sh_pairs *p);

/* The shadow's pages are its own affair again. From any task. */
void sh_pairs_release(struct sh_pairs *p);

#endif /* SELFHEAL_HEAL_PAIRS_H */
