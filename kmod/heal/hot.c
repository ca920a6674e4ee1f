// SPDX-License-Identifier: GPL-2.0
/* See hot.h. Open addressing at half load at the most, and nothing is taken out. */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "hot.h"

static_assert(2 * SH_HOT_MAX <= SH_HOT_SLOTS);
static_assert(SH_HOT_MAX < U16_MAX);

void sh_hot_clear(struct sh_hot *h)
{
	h->nr = 0;
	memset(h->slot, 0, sizeof(h->slot));
}

static unsigned int sh_hot_hash(unsigned long addr)
{
	return ((u64)addr >> PAGE_SHIFT) * 0x9e3779b97f4a7c15ull >> (64 - SH_HOT_BITS);
}

int sh_hot_add(struct sh_hot *h, unsigned long addr)
{
	unsigned int i = sh_hot_hash(addr);

	for (; h->slot[i]; i = (i + 1) & (SH_HOT_SLOTS - 1))
		if (h->page[h->slot[i] - 1] == addr)
			return h->slot[i] - 1;
	if (h->nr == SH_HOT_MAX)
		return -ENOSPC;
	h->page[h->nr++] = addr;
	h->slot[i] = h->nr;
	return h->nr - 1;
}
