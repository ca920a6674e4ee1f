/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of the pages of an address space since it was last copied: which
 * of them it got for itself (the hot set), and where they are now. One for each
 * address space, by an mmu_notifier, held by each shadow of it.
 *
 * Where a page is, is known as the kernel's other users of mmu_notifiers know
 * it (KVM): without a reference, which would keep it from being moved or swapped.
 * Who unmaps it tells us before, and waits for the lock under which it is copied.
 */
#ifndef SELFHEAL_HEAL_TRACK_H
#define SELFHEAL_HEAL_TRACK_H

#include <linux/types.h>

struct mm_struct;
struct page;
struct sh_pair;
struct sh_track;

/*
 * That of @mm, with a reference. NULL: there can be none now, with a signal pending,
 * say; the next point tries again. May sleep.
 */
struct sh_track *sh_track_get(struct mm_struct *mm);
/* From any context; freed after a grace period. */
void sh_track_put(struct sh_track *t);
/* Before the module goes, after the last put. Sleeps. */
void sh_track_exit(void);

bool sh_track_of(const struct sh_track *t, const struct mm_struct *mm);

/* For all that follow: current is a thread of the process, whose other threads are stopped. */

/* From now on the set is about a copy that is just being made; its serial. */
u64 sh_track_begin(struct sh_track *t);
/* The set cannot tell all about that copy. */
void sh_track_give_up(struct sh_track *t);
/* Whether it still tells all about the copy @serial; how many pages are in it. */
bool sh_track_tells(struct sh_track *t, u64 serial, unsigned int *nr);

/* Up to @max addresses from the @from-th on, in the order of their coming. */
unsigned int sh_track_pages(struct sh_track *t, unsigned int from, unsigned long *addr,
			    unsigned int max);

/* No notification is under way; the number of those there have been. */
bool sh_track_quiet(struct sh_track *t, u64 *events);

/*
 * Copy to those of the @n pairs at @pair, the @from-th of the set and the next ones, that
 * have a page of the shadow, what the process has there, where that is known. A
 * bit for each of the others; @n is at most 32.
 */
u32 sh_track_copy(struct sh_track *t, unsigned int from, const struct sh_pair *pair,
		  unsigned int n);

/*
 * @page was found at the @i-th address after sh_track_quiet() had told @events:
 * known from now on, unless something has happened since. The caller has a reference.
 */
void sh_track_found(struct sh_track *t, unsigned int i, struct page *page, u64 events);

#endif /* SELFHEAL_HEAL_TRACK_H */
