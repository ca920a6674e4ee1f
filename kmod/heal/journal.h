/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process has changed since its rescue point in objects of the kernel
 * that its descriptors lead to, with what it was before: the undo journal of
 * the point. A call is noted when it has succeeded, and undone in the
 * reverse order when the process goes back.
 */
#ifndef SELFHEAL_HEAL_JOURNAL_H
#define SELFHEAL_HEAL_JOURNAL_H

#include <linux/list.h>
#include <linux/types.h>

struct sh_domain;
struct sh_member;
struct sh_point;
struct sh_table;

/* One change. Made by kmalloc(), first in what it is part of. */
struct sh_change {
	struct list_head node;
	/*
	 * By a thread of the process, whose descriptors are those of @t again.
	 * An error: the object stays as it is. Process context without locks, may sleep.
	 */
	int (*undo)(struct sh_change *c, struct sh_domain *d, const struct sh_table *t);
};

struct sh_journal {
	struct list_head changes;	/* the latest first */
	unsigned int nr;		/* SH_CHANGES_MAX at most */
	bool lost;			/* and more, that could not be noted */
};

void sh_journal_init(struct sh_journal *j);
void sh_journal_free(struct sh_journal *j);

/*
 * The clock of the point that the process of current, @m, would go back to, which
 * no other point has; 0: there is none, and nothing to note. The point changes only
 * when all threads of the process wait for input.
 */
u64 sh_journal_clock(struct sh_member *m);

/*
 * Note @c, which is taken over, for that point; beyond SH_CHANGES_MAX it is lost. NULL: something
 * that is not known. Any process context.
 */
void sh_journal_note(struct sh_member *m, struct sh_change *c);

/* Undo all of @p's. Context as for one. */
void sh_journal_undo(struct sh_domain *d, struct sh_point *p);

#endif /* SELFHEAL_HEAL_JOURNAL_H */
