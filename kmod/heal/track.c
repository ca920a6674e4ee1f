// SPDX-License-Identifier: GPL-2.0
/* See track.h. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "hot.h"
#include "pairs.h"
#include "track.h"

struct sh_track {
	struct mmu_notifier mn;
	/*
	 * Leaf; taken in notifications, which come under mmap_lock, locks of
	 * the reverse map and pages, and must not sleep.
	 */
	spinlock_t lock;
	u64 serial;		/* of the copy that the set is about */
	u64 events;
	unsigned int active;	/* notifications under way */
	bool stale;		/* something that the set cannot tell */
	struct sh_hot hot;
	struct page *at[SH_HOT_MAX];	/* no reference; NULL: not known, all of them when stale */
};

static void sh_track_spoil(struct sh_track *t)
{
	if (!t->stale)
		memset(t->at, 0, t->hot.nr * sizeof(*t->at));
	t->stale = true;
}

static int sh_track_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct sh_track *t = container_of(mn, struct sh_track, mn);
	unsigned long addr = range->start & PAGE_MASK;
	int i;

	spin_lock(&t->lock);
	t->events++;
	t->active++;
	/* A fork, or a file page in a shared mapping becomes clean: no page goes. */
	if (range->event == MMU_NOTIFY_PROTECTION_PAGE)
		goto out;
	if (range->event != MMU_NOTIFY_CLEAR || range->end - addr > SH_HOT_RANGE * PAGE_SIZE)
		sh_track_spoil(t);
	for (; !t->stale && addr < range->end; addr += PAGE_SIZE) {
		i = sh_hot_add(&t->hot, addr);
		if (i < 0)
			sh_track_spoil(t);
		else
			t->at[i] = NULL;
	}
out:
	spin_unlock(&t->lock);
	return 0;
}

static void sh_track_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct sh_track *t = container_of(mn, struct sh_track, mn);

	spin_lock(&t->lock);
	t->active--;
	spin_unlock(&t->lock);
}

/* mmap_lock held for writing. */
static struct mmu_notifier *sh_track_alloc(struct mm_struct *mm)
{
	struct sh_track *t = kvzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&t->lock);
	t->stale = true;
	return &t->mn;
}

/* In the callback of a grace period, or mmap_lock held for writing. */
static void sh_track_free(struct mmu_notifier *mn)
{
	kvfree(container_of(mn, struct sh_track, mn));
}

static const struct mmu_notifier_ops sh_track_ops = {
	.invalidate_range_start = sh_track_start,
	.invalidate_range_end = sh_track_end,
	.alloc_notifier = sh_track_alloc,
	.free_notifier = sh_track_free,
};

struct sh_track *sh_track_get(struct mm_struct *mm)
{
	struct mmu_notifier *mn = mmu_notifier_get(&sh_track_ops, mm);

	return IS_ERR(mn) ? NULL : container_of(mn, struct sh_track, mn);
}

void sh_track_put(struct sh_track *t)
{
	mmu_notifier_put(&t->mn);
}

void sh_track_exit(void)
{
	mmu_notifier_synchronize();
}

bool sh_track_of(const struct sh_track *t, const struct mm_struct *mm)
{
	return t->mn.mm == mm;
}

u64 sh_track_begin(struct sh_track *t)
{
	u64 serial;

	spin_lock(&t->lock);
	serial = ++t->serial;
	/* What is known of the last set is not of this one. */
	sh_track_spoil(t);
	t->stale = false;
	sh_hot_clear(&t->hot);
	spin_unlock(&t->lock);
	return serial;
}

void sh_track_give_up(struct sh_track *t)
{
	spin_lock(&t->lock);
	sh_track_spoil(t);
	spin_unlock(&t->lock);
}

bool sh_track_tells(struct sh_track *t, u64 serial, unsigned int *nr)
{
	bool tells;

	spin_lock(&t->lock);
	tells = !t->stale && t->serial == serial;
	*nr = t->hot.nr;
	spin_unlock(&t->lock);
	return tells;
}

unsigned int sh_track_pages(struct sh_track *t, unsigned int from, unsigned long *addr,
			    unsigned int max)
{
	unsigned int n;

	spin_lock(&t->lock);
	n = min(max, t->hot.nr - from);
	memcpy(addr, t->hot.page + from, n * sizeof(*addr));
	spin_unlock(&t->lock);
	return n;
}

bool sh_track_quiet(struct sh_track *t, u64 *events)
{
	bool quiet;

	spin_lock(&t->lock);
	quiet = !t->active;
	*events = t->events;
	spin_unlock(&t->lock);
	return quiet;
}

u32 sh_track_copy(struct sh_track *t, unsigned int from, const struct sh_pair *pair,
		  unsigned int n)
{
	u32 others = 0;
	unsigned int k;

	spin_lock(&t->lock);
	for (k = 0; k < n; k++) {
		/* A clean one is one that was never written here. */
		if (!pair[k].own || !t->at[from + k] || !PageDirty(pair[k].own))
			others |= 1u << k;
		else
			copy_highpage(pair[k].own, t->at[from + k]);
	}
	spin_unlock(&t->lock);
	return others;
}

void sh_track_found(struct sh_track *t, unsigned int i, struct page *page, u64 events)
{
	spin_lock(&t->lock);
	if (!t->active && t->events == events && !t->stale)
		t->at[i] = page;
	spin_unlock(&t->lock);
}
