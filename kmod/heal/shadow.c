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
 * - Mappings: compared one by one, unless the kernel has counted no change, or none
 *   of the calls that were made makes any (what changes them without one also changes their
 *   number or size: a stack that grows, a uprobe). mprotect() of what has no page yet tells nobody.
 * - A page of the shadow that is pinned is swapped, moved and merged by nobody.
 * - A fork of the program shares its pages with one more, which changes nothing.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "../compat/image.h"
#include "../compat/memory.h"
#include "../limits.h"
#include "pairs.h"
#include "shadow.h"
#include "track.h"

/* Mappings whose pages come and go in ways that the rules above do not cover. */
#define SH_VM_STRANGE	(VM_DONTCOPY | VM_WIPEONFORK | VM_HUGETLB | VM_MERGEABLE | \
			 VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR)

/* Not inherited by a copy, and no matter of content. */
#define SH_VM_LOCKS	(VM_LOCKED | VM_LOCKONFAULT)

/* Addresses that are taken over at a time; an array on the stack. */
#define SH_SHADOW_BATCH	16

struct sh_shadow {
	struct mm_struct *mm;	/* user reference */
	struct sh_track *track;	/* reference; NULL: there can be none */
	u64 serial;
	bool huge;		/* huge pages are disabled in mm by us */
	bool fitted;		/* the mappings were compared, at this serial of theirs */
	unsigned int mappings;
	struct sh_pairs pairs;	/* the set, as far as it has been taken over */
};

/* Neither has a page that the other lacks. A reading amid a change does not count. */
static bool sh_shadow_complete(struct sh_shadow *s)
{
	u64 before, after;

	return sh_track_quiet(s->track, &before) &&
	       sh_mm_pages(current->mm) == sh_mm_pages(s->mm) &&
	       sh_track_quiet(s->track, &after) && before == after;
}

struct sh_shadow *sh_shadow_new(struct mm_struct **copy)
{
	struct sh_shadow *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct mm_struct *mm = current->mm;
	int err;

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->track = sh_track_get(mm);
	if (s->track)
		s->serial = sh_track_begin(s->track);
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
	s->pairs.mm = s->mm;
	/* What was pinned, or is wiped in a fork, is nothing that they share. */
	if (s->track && (test_bit(MMF_HAS_PINNED, &mm->flags) || !sh_shadow_complete(s)))
		sh_track_give_up(s->track);
	return s;
}

static bool sh_vma_fits(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
	return a->vm_start == b->vm_start && a->vm_end == b->vm_end &&
	       a->vm_file == b->vm_file && a->vm_pgoff == b->vm_pgoff &&
	       !((a->vm_flags ^ b->vm_flags) & ~SH_VM_LOCKS) && !(a->vm_flags & SH_VM_STRANGE);
}

/* As much as can be told by numbers: of what comes without a call, a growing stack, say. */
static bool sh_mappings_count(const struct mm_struct *live, const struct mm_struct *mm)
{
	return live->map_count == mm->map_count && live->total_vm == mm->total_vm &&
	       live->data_vm == mm->data_vm && live->exec_vm == mm->exec_vm &&
	       live->stack_vm == mm->stack_vm;
}

/* Both locked. */
static bool sh_mappings_fit(struct mm_struct *live, struct mm_struct *mm)
{
	VMA_ITERATOR(live_vmi, live, 0);
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *a, *b;

	if (!sh_mappings_count(live, mm))
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

bool sh_shadow_fits(struct sh_shadow *s, bool kept)
{
	struct mm_struct *live = current->mm;
	unsigned int nr, mappings = 0;
	bool fits, counted, same;

	if (!s->track || !sh_track_of(s->track, live) || test_bit(MMF_HAS_PINNED, &live->flags) ||
	    !sh_track_tells(s->track, s->serial, &nr) || !sh_hot_worth(nr, live) ||
	    !sh_mm_fields_fit(s->mm, live))
		return false;
	if (mmap_read_lock_killable(live))
		return false;
	counted = sh_mm_mappings_serial(live, &mappings);
	same = s->fitted && (counted ? s->mappings == mappings : kept);
	fits = same && sh_mappings_count(live, s->mm);
	if (!same) {
		/* Nobody but us takes both. */
		down_read_nested(&s->mm->mmap_lock, SINGLE_DEPTH_NESTING);
		fits = sh_mappings_fit(live, s->mm);
		up_read(&s->mm->mmap_lock);
		s->fitted = fits;
		s->mappings = mappings;
	}
	mmap_read_unlock(live);
	return fits;
}

/* The set, all of it. */
static int sh_shadow_pairs(struct sh_shadow *s)
{
	unsigned long addr[SH_SHADOW_BATCH];
	unsigned int n;
	int err = 0;

	while (!err) {
		/* Nothing leaves the set, nor changes its place. */
		n = sh_track_pages(s->track, s->pairs.nr, addr, ARRAY_SIZE(addr));
		if (!n)
			break;
		err = sh_pairs_add(&s->pairs, addr, n);
	}
	return err;
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
	int err;

	sh_shadow_charge_to(s, current);
	err = sh_shadow_pairs(s) ?: sh_pairs_refresh(&s->pairs, s->track);
	sh_shadow_charge_to(s, NULL);
	if (err || !sh_shadow_complete(s))
		return -EAGAIN;
	sh_mm_copy_fields(s->mm, current->mm);
	return 0;
}

int sh_shadow_restore(struct sh_shadow *s)
{
	/* What the process has put anywhere for the first time would stay. */
	if (!sh_shadow_fits(s, false) || !sh_shadow_complete(s))
		return -EAGAIN;
	if (sh_shadow_pairs(s) || sh_pairs_restore(&s->pairs) || !sh_shadow_complete(s))
		return -EAGAIN;
	sh_mm_copy_fields(current->mm, s->mm);
	return 0;
}

void sh_shadow_let_go(struct sh_shadow *s)
{
	sh_pairs_release(&s->pairs);
	if (s->huge)
		clear_bit(MMF_DISABLE_THP, &s->mm->flags);
	s->huge = false;
}

struct mm_struct *sh_shadow_mm(struct sh_shadow *s)
{
	return s->mm;
}

void sh_shadow_free(struct sh_shadow *s)
{
	if (!s)
		return;
	sh_pairs_release(&s->pairs);
	if (s->track)
		sh_track_put(s->track);
	if (s->mm)
		mmput(s->mm);
	kfree(s);
}

void sh_shadow_exit(void)
{
	sh_track_exit();
}
