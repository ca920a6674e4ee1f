// SPDX-License-Identifier: GPL-2.0
/* See pairs.h. */
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../compat/memory.h"
#include "../counters.h"
#include "pairs.h"
#include "track.h"

/* Pages that are copied at a time, with a lock held; a bit each, see sh_track_copy(). */
#define SH_PAIRS_BATCH	32

/* Room for as many at first. */
#define SH_PAIRS_MIN	64

static int sh_pairs_grow(struct sh_pairs *p, unsigned int nr)
{
	unsigned int max = max_t(unsigned int, SH_PAIRS_MIN, roundup_pow_of_two(nr));
	struct sh_pair *pair;

	if (nr <= p->max)
		return 0;
	pair = kvmalloc_array(max, sizeof(*pair), GFP_KERNEL_ACCOUNT);
	if (!pair)
		return -ENOMEM;
	if (p->nr)
		memcpy(pair, p->pair, p->nr * sizeof(*pair));
	kvfree(p->pair);
	p->pair = pair;
	p->max = max;
	return 0;
}

int sh_pairs_add(struct sh_pairs *p, const unsigned long *addr, unsigned int n)
{
	unsigned int i;
	int err = sh_pairs_grow(p, p->nr + n);

	for (i = 0; !err && i < n; i++)
		p->pair[p->nr++] = (struct sh_pair){ .addr = addr[i] };
	return err;
}

/* The mapping at @addr is shared, so that nothing of it is ours to put back. */
static bool sh_shared_mapping(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool shared;

	if (mmap_read_lock_killable(mm))
		return false;
	vma = vma_lookup(mm, addr);
	shared = vma && (vma->vm_flags & VM_SHARED);
	mmap_read_unlock(mm);
	return shared;
}

/* The process's page of @pair, with a reference; NULL for one that is not to be copied. */
static int sh_pair_look(struct sh_pair *pair, struct page **page)
{
	int err;

	*page = NULL;
	if (pair->shared)
		return 0;
	err = sh_mm_look_page(pair->addr, page);
	if (err || PageAnon(*page))
		return err;
	put_page(*page);
	*page = NULL;
	pair->shared = sh_shared_mapping(pair->addr);
	/* Else it has gone, and its absence hides a page that has come. */
	return pair->shared ? 0 : -EAGAIN;
}

/* @pair has a page in @mm from now on. */
static int sh_pair_own(struct mm_struct *mm, struct sh_pair *pair)
{
	int err;

	if (pair->own)
		return 0;
	err = mmap_read_lock_killable(mm);
	if (err)
		return err;
	err = sh_mm_pin_page(mm, pair->addr, &pair->own);
	if (err)
		pair->own = NULL;
	mmap_read_unlock(mm);
	return err;
}

static void sh_page_update(struct page *to, struct page *from)
{
	copy_highpage(to, from);
	/* Or what was swapped once could be dropped for what it was then. */
	if (!PageDirty(to))
		set_page_dirty_lock(to);
}

/* Copy the @i-th pair, whose page in the process is not known yet. */
static int sh_pairs_copy_one(struct sh_pairs *p, unsigned int i, struct sh_track *track)
{
	struct sh_pair *pair = p->pair + i;
	struct page *page;
	bool quiet;
	u64 events;
	int err;

	quiet = sh_track_quiet(track, &events);
	err = sh_pair_look(pair, &page);
	if (err || !page)
		return err;
	err = sh_pair_own(p->mm, pair);
	if (!err) {
		sh_page_update(pair->own, page);
		sh_count(SH_C_pages_copied);
		if (quiet)
			sh_track_found(track, i, page, events);
	}
	put_page(page);
	return err;
}

int sh_pairs_refresh(struct sh_pairs *p, struct sh_track *track)
{
	unsigned int i, n;
	u32 others;

	for (i = 0; i < p->nr; i += n) {
		n = min_t(unsigned int, p->nr - i, SH_PAIRS_BATCH);
		others = sh_track_copy(track, i, p->pair + i, n);
		sh_count_add(SH_C_pages_copied, n - hweight32(others));
		for (; others; others &= others - 1)
			if (sh_pairs_copy_one(p, i + __ffs(others), track))
				return -EAGAIN;
	}
	return 0;
}

/* What the shadow has goes where the process has its own page. Both are locked. */
static int sh_pair_back(struct mm_struct *mm, const struct sh_pair *pair)
{
	struct page *from = pair->own, *to;
	int err = 0;

	if (!from)
		err = sh_mm_peek_page(mm, pair->addr, &from);
	if (err)
		return err;
	/* One that a child of the program shares stops being shared. */
	err = sh_mm_own_page(current->mm, pair->addr, &to);
	if (!err) {
		if (PageAnon(from) && PageAnon(to))
			sh_page_update(to, from);
		else
			err = -EAGAIN;
		put_page(to);
	}
	if (!pair->own)
		put_page(from);
	return err;
}

static int sh_pair_give(struct mm_struct *mm, struct sh_pair *pair)
{
	struct mm_struct *live = current->mm;
	struct page *page;
	int err = sh_pair_look(pair, &page);

	if (err || !page)
		return err;
	/* From here on it matters only that there is one. */
	put_page(page);
	err = mmap_read_lock_killable(live);
	if (err)
		return err;
	/* Nobody but us takes both. */
	down_read_nested(&mm->mmap_lock, SINGLE_DEPTH_NESTING);
	err = sh_pair_back(mm, pair);
	up_read(&mm->mmap_lock);
	mmap_read_unlock(live);
	return err;
}

int sh_pairs_restore(struct sh_pairs *p)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (sh_pair_give(p->mm, p->pair + i))
			return -EAGAIN;
	return 0;
}

void sh_pairs_release(struct sh_pairs *p)
{
	while (p->nr) {
		p->nr--;
		if (p->pair[p->nr].own)
			unpin_user_page(p->pair[p->nr].own);
	}
	kvfree(p->pair);
	p->pair = NULL;
	p->max = 0;
	if (p->mm)
		sh_mm_unpinned(p->mm);
}
