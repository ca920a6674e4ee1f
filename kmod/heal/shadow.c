// SPDX-License-Identifier: GPL-2.0
/*
 * See shadow.h. What has to hold for a refresh to be exact: each private page
 * of the process is either in the hot set, or the very page that the shadow
 * has, which neither can write without a notification.
 *
 * - A page is given up or replaced (copy on write, swapping, migration,
 *   MADV_DONTNEED, KSM, uprobes, ...): notified, in the set.
 * - A page is there for the first time: not notified, but counted. The shadow
 *   never gives one up unnoticed, the process neither, so both have the same
 *   number when none is missing.
 * - A page that was pinned when the process was copied stays its own: no refresh
 *   for a process that has ever pinned one.
 * - The shadow alone gives a page up, and the process may then write it without
 *   a notification: KSM and huge pages could do that, so the former excludes
 *   a refresh and the latter the shadow. A swapped page is counted as used by both.
 * - Mappings: compared one by one. mprotect() of what has no page yet tells nobody.
 * - A fork of the program shares its pages with one more, which changes nothing.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../compat/image.h"
#include "../compat/memory.h"
#include "../counters.h"
#include "hot.h"
#include "shadow.h"

/* Mappings whose pages come and go in ways that the rules above do not cover. */
#define SH_VM_STRANGE	(VM_DONTCOPY | VM_WIPEONFORK | VM_HUGETLB | VM_MERGEABLE | \
			 VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR)

/* Not inherited by a copy, and no matter of content. */
#define SH_VM_LOCKS	(VM_LOCKED | VM_LOCKONFAULT)

/* Pages that are copied at a time; two arrays on the stack. */
#define SH_SHADOW_BATCH	16

/* An address in the set that turned out to be in a shared mapping. */
#define SH_HOT_SHARED	1ul

/* One of an address space, held by each shadow of it. */
struct sh_watch {
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
};

struct sh_shadow {
	struct mm_struct *mm;	/* user reference */
	struct sh_watch *watch;	/* reference; NULL: there can be none */
	u64 serial;
	bool huge;		/* huge pages are disabled in mm by us */
};

static int sh_watch_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct sh_watch *w = container_of(mn, struct sh_watch, mn);
	unsigned long addr = range->start & PAGE_MASK;

	spin_lock(&w->lock);
	w->events++;
	w->active++;
	/* A fork, or a file page in a shared mapping becomes clean. */
	if (range->event == MMU_NOTIFY_PROTECTION_PAGE)
		goto out;
	if (range->event != MMU_NOTIFY_CLEAR || range->end - addr > SH_HOT_RANGE * PAGE_SIZE)
		w->stale = true;
	for (; !w->stale && addr < range->end; addr += PAGE_SIZE)
		w->stale = !sh_hot_add(&w->hot, addr);
out:
	spin_unlock(&w->lock);
	return 0;
}

static void sh_watch_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct sh_watch *w = container_of(mn, struct sh_watch, mn);

	spin_lock(&w->lock);
	w->active--;
	spin_unlock(&w->lock);
}

/* mmap_lock held for writing. */
static struct mmu_notifier *sh_watch_alloc(struct mm_struct *mm)
{
	struct sh_watch *w = kvzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&w->lock);
	w->stale = true;
	return &w->mn;
}

/* In the callback of a grace period, or mmap_lock held for writing. */
static void sh_watch_free(struct mmu_notifier *mn)
{
	kvfree(container_of(mn, struct sh_watch, mn));
}

static const struct mmu_notifier_ops sh_watch_ops = {
	.invalidate_range_start = sh_watch_start,
	.invalidate_range_end = sh_watch_end,
	.alloc_notifier = sh_watch_alloc,
	.free_notifier = sh_watch_free,
};

/* From now on the set is about a copy that is just being made; its serial. */
static u64 sh_watch_begin(struct sh_watch *w)
{
	u64 serial;

	spin_lock(&w->lock);
	serial = ++w->serial;
	w->stale = false;
	sh_hot_clear(&w->hot);
	spin_unlock(&w->lock);
	return serial;
}

static void sh_watch_give_up(struct sh_watch *w)
{
	spin_lock(&w->lock);
	w->stale = true;
	spin_unlock(&w->lock);
}

/* Whether the set still tells all about the copy @serial; how many pages are in it. */
static bool sh_watch_tells(struct sh_watch *w, u64 serial, unsigned int *nr)
{
	bool tells;

	spin_lock(&w->lock);
	tells = !w->stale && w->serial == serial;
	*nr = w->hot.nr;
	spin_unlock(&w->lock);
	return tells;
}

/* Up to @max addresses from the @from-th on. */
static unsigned int sh_watch_pages(struct sh_watch *w, unsigned int from, unsigned long *addr,
				   unsigned int max)
{
	unsigned int n;

	spin_lock(&w->lock);
	n = min(max, w->hot.nr - from);
	memcpy(addr, w->hot.page + from, n * sizeof(*addr));
	spin_unlock(&w->lock);
	return n;
}

/* The @i-th is in a shared mapping, as long as the mappings are those of the shadow. */
static void sh_watch_shared(struct sh_watch *w, unsigned int i)
{
	spin_lock(&w->lock);
	w->hot.page[i] |= SH_HOT_SHARED;
	spin_unlock(&w->lock);
}

/* No notification is under way; the number of those there have been. */
static bool sh_watch_quiet(struct sh_watch *w, u64 *events)
{
	bool quiet;

	spin_lock(&w->lock);
	quiet = !w->active;
	*events = w->events;
	spin_unlock(&w->lock);
	return quiet;
}

/* Neither has a page that the other lacks. A reading amid a change does not count. */
static bool sh_shadow_complete(struct sh_shadow *s)
{
	u64 before, after;

	return sh_watch_quiet(s->watch, &before) &&
	       sh_mm_pages(current->mm) == sh_mm_pages(s->mm) &&
	       sh_watch_quiet(s->watch, &after) && before == after;
}

static struct sh_watch *sh_watch_get(struct mm_struct *mm)
{
	struct mmu_notifier *mn = mmu_notifier_get(&sh_watch_ops, mm);

	/* Not now, with a signal pending, say. The next point tries again. */
	return IS_ERR(mn) ? NULL : container_of(mn, struct sh_watch, mn);
}

struct sh_shadow *sh_shadow_new(struct mm_struct **copy)
{
	struct sh_shadow *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct mm_struct *mm = current->mm;
	int err;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->watch = sh_watch_get(mm);
	if (s->watch)
		s->serial = sh_watch_begin(s->watch);
	/* Never a huge page in the copy: khugepaged looks for them in address spaces without tasks, too. */
	s->huge = !test_and_set_bit(MMF_DISABLE_THP, &mm->flags);
	err = sh_image_copy(copy);
	if (s->huge)
		clear_bit(MMF_DISABLE_THP, &mm->flags);
	if (err) {
		sh_shadow_free(s);
		return ERR_PTR(err);
	}
	s->mm = *copy;
	/* What was pinned, or is wiped in a fork, is nothing that they share. */
	if (s->watch && (test_bit(MMF_HAS_PINNED, &mm->flags) || !sh_shadow_complete(s)))
		sh_watch_give_up(s->watch);
	return s;
}

static bool sh_vma_fits(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
	return a->vm_start == b->vm_start && a->vm_end == b->vm_end &&
	       a->vm_file == b->vm_file && a->vm_pgoff == b->vm_pgoff &&
	       !((a->vm_flags ^ b->vm_flags) & ~SH_VM_LOCKS) && !(a->vm_flags & SH_VM_STRANGE);
}

/* Both locked. */
static bool sh_mappings_fit(struct mm_struct *live, struct mm_struct *mm)
{
	VMA_ITERATOR(live_vmi, live, 0);
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *a, *b;

	if (live->map_count != mm->map_count || live->total_vm != mm->total_vm)
		return false;
	do {
		a = vma_next(&live_vmi);
		b = vma_next(&vmi);
	} while (a && b && sh_vma_fits(a, b));
	return !a && !b;
}

/* A set as large as this costs as much as a copy of all. */
static bool sh_hot_worth(unsigned int nr, struct mm_struct *live)
{
	return nr <= SH_HOT_FEW || nr < get_mm_rss(live) / 4;
}

bool sh_shadow_fits(struct sh_shadow *s)
{
	struct mm_struct *live = current->mm;
	unsigned int nr;
	bool fits;

	if (!s->watch || s->watch->mn.mm != live || test_bit(MMF_HAS_PINNED, &live->flags) ||
	    !sh_watch_tells(s->watch, s->serial, &nr) || !sh_hot_worth(nr, live) ||
	    !sh_mm_fields_fit(s->mm, live))
		return false;
	if (mmap_read_lock_killable(live))
		return false;
	/* Nobody but us takes both. */
	down_read_nested(&s->mm->mmap_lock, SINGLE_DEPTH_NESTING);
	fits = sh_mappings_fit(live, s->mm);
	up_read(&s->mm->mmap_lock);
	mmap_read_unlock(live);
	return fits;
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

/* The process's page at @addr, the @i-th; NULL for one that is not to be copied. */
static int sh_shadow_source(struct sh_shadow *s, unsigned int i, unsigned long addr,
			    struct page **page)
{
	int err;

	*page = NULL;
	if (addr & SH_HOT_SHARED)
		return 0;
	err = sh_mm_look_page(addr, page);
	if (err)
		return err;
	if (PageAnon(*page))
		return 0;
	put_page(*page);
	*page = NULL;
	/* Else it has gone, and its absence hides a page that has come. */
	if (!sh_shared_mapping(addr))
		return -EAGAIN;
	sh_watch_shared(s->watch, i);
	return 0;
}

static void sh_page_update(struct page *to, struct page *from)
{
	copy_highpage(to, from);
	/* It may be on its way to swap already, as it was. */
	if (!PageDirty(to))
		set_page_dirty_lock(to);
}

/* Copy the @n pages at @addr, the first of which is the @i-th of the set. */
static int sh_shadow_copy(struct sh_shadow *s, unsigned int i, const unsigned long *addr,
			  unsigned int n)
{
	struct page *from[SH_SHADOW_BATCH], *to;
	unsigned int k, got = 0;
	int err = 0;

	while (!err && got < n) {
		err = sh_shadow_source(s, i + got, addr[got], &from[got]);
		got += !err;
	}
	if (!err)
		err = mmap_read_lock_killable(s->mm);
	if (!err) {
		for (k = 0; !err && k < n; k++) {
			if (!from[k])
				continue;
			err = sh_mm_own_page(s->mm, addr[k], &to);
			if (err)
				break;
			sh_page_update(to, from[k]);
			put_page(to);
			sh_count(SH_C_pages_copied);
		}
		mmap_read_unlock(s->mm);
	}
	for (k = 0; k < got; k++)
		if (from[k])
			put_page(from[k]);
	return err ? -EAGAIN : 0;
}

/* What the shadow gets more of is charged to whom it is for. */
static void sh_shadow_charge_to(struct sh_shadow *s, struct task_struct *task)
{
#ifdef CONFIG_MEMCG
	rcu_assign_pointer(s->mm->owner, task);
#endif
}

int sh_shadow_refresh(struct sh_shadow *s)
{
	unsigned long addr[SH_SHADOW_BATCH];
	unsigned int i = 0, n;
	int err = 0;

	sh_shadow_charge_to(s, current);
	while (!err) {
		n = sh_watch_pages(s->watch, i, addr, ARRAY_SIZE(addr));
		if (!n)
			break;
		err = sh_shadow_copy(s, i, addr, n);
		i += n;
	}
	sh_shadow_charge_to(s, NULL);
	if (err || !sh_shadow_complete(s))
		return -EAGAIN;
	sh_mm_copy_fields(s->mm, current->mm);
	return 0;
}

/* What the shadow has at @addr goes where the process has its own page. Both are locked. */
static int sh_page_back(struct sh_shadow *s, unsigned long addr)
{
	struct page *from, *to;
	int err = sh_mm_peek_page(s->mm, addr, &from);

	if (err)
		return err;
	/* One that a child of the program shares stops being shared. */
	err = sh_mm_own_page(current->mm, addr, &to);
	if (!err) {
		if (PageAnon(from) && PageAnon(to))
			sh_page_update(to, from);
		else
			err = -EAGAIN;
		put_page(to);
	}
	put_page(from);
	return err;
}

/* As sh_shadow_copy(), the other way. */
static int sh_shadow_give(struct sh_shadow *s, unsigned int i, const unsigned long *addr,
			  unsigned int n)
{
	struct mm_struct *live = current->mm;
	bool own[SH_SHADOW_BATCH];
	struct page *page;
	unsigned int k;
	int err = 0;

	for (k = 0; !err && k < n; k++) {
		err = sh_shadow_source(s, i + k, addr[k], &page);
		own[k] = !err && page;
		if (own[k])
			put_page(page);
	}
	if (err || mmap_read_lock_killable(live))
		return -EAGAIN;
	down_read_nested(&s->mm->mmap_lock, SINGLE_DEPTH_NESTING);
	for (k = 0; !err && k < n; k++)
		if (own[k])
			err = sh_page_back(s, addr[k]);
	up_read(&s->mm->mmap_lock);
	mmap_read_unlock(live);
	return err ? -EAGAIN : 0;
}

int sh_shadow_restore(struct sh_shadow *s)
{
	unsigned long addr[SH_SHADOW_BATCH];
	unsigned int i = 0, n;
	int err = 0;

	/* What the process has put anywhere for the first time would stay. */
	if (!sh_shadow_fits(s) || !sh_shadow_complete(s))
		return -EAGAIN;
	while (!err) {
		n = sh_watch_pages(s->watch, i, addr, ARRAY_SIZE(addr));
		if (!n)
			break;
		err = sh_shadow_give(s, i, addr, n);
		i += n;
	}
	if (err || !sh_shadow_complete(s))
		return -EAGAIN;
	sh_mm_copy_fields(current->mm, s->mm);
	return 0;
}

struct mm_struct *sh_shadow_use(struct sh_shadow *s)
{
	if (s->huge)
		clear_bit(MMF_DISABLE_THP, &s->mm->flags);
	s->huge = false;
	return s->mm;
}

void sh_shadow_free(struct sh_shadow *s)
{
	if (!s)
		return;
	if (s->watch)
		mmu_notifier_put(&s->watch->mn);
	if (s->mm)
		mmput(s->mm);
	kfree(s);
}

void sh_shadow_exit(void)
{
	mmu_notifier_synchronize();
}
