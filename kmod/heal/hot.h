/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bounded set of pages, by address: those of a process that it does not
 * share with its shadow any more. No lock, no allocation, no page.
 */
#ifndef SELFHEAL_HEAL_HOT_H
#define SELFHEAL_HEAL_HOT_H

#include <linux/types.h>

#include "../limits.h"

#define SH_HOT_BITS	12
#define SH_HOT_SLOTS	(1u << SH_HOT_BITS)

struct sh_hot {
	unsigned int nr;
	unsigned long page[SH_HOT_MAX];	/* in the order of their coming */
	u16 slot[SH_HOT_SLOTS];		/* 0: free, else 1 + an index into page[] */
};

void sh_hot_clear(struct sh_hot *h);

/* The place in page[] of @addr, the start of a page; -ENOSPC: it is full, and @addr not in it. */
int sh_hot_add(struct sh_hot *h, unsigned long addr);

#endif /* SELFHEAL_HEAL_HOT_H */
