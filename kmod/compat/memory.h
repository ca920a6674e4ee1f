/* SPDX-License-Identifier: GPL-2.0 */
/* Address spaces other than by the calls of their processes. */
#ifndef SELFHEAL_COMPAT_MEMORY_H
#define SELFHEAL_COMPAT_MEMORY_H

#include <linux/types.h>

struct mm_struct;
struct page;

/*
 * The pages that @mm has for itself, resident or swapped out. Exact when @mm
 * is that of current's process, whose other threads are stopped, or nobody's,
 * and its pages are not just being reclaimed. Any context.
 */
s64 sh_mm_pages(struct mm_struct *mm);

/*
 * The page at @addr with a reference, by faults if need be, in @mm, whose
 * mmap_lock is held: for a write by us, which ends its sharing, or for a look.
 * 0, or what get_user_pages() says. May sleep.
 */
int sh_mm_own_page(struct mm_struct *mm, unsigned long addr, struct page **page);
int sh_mm_peek_page(struct mm_struct *mm, unsigned long addr, struct page **page);

/*
 * As sh_mm_own_page(), and it stays the page at @addr until unpin_user_page(). When
 * the last one of @mm, which no task has run in, is unpinned, sh_mm_unpinned() takes
 * back what the first left on @mm.
 */
int sh_mm_pin_page(struct mm_struct *mm, unsigned long addr, struct page **page);
void sh_mm_unpinned(struct mm_struct *mm);

/* For a look in current's. No lock may be held. */
int sh_mm_look_page(unsigned long addr, struct page **page);

/*
 * Whoever finds the same serial under mmap_lock finds the same mappings. False on a
 * kernel that does not count. @mm->mmap_lock is held.
 */
bool sh_mm_mappings_serial(const struct mm_struct *mm, unsigned int *serial);

/*
 * What is neither page nor mapping and moves without either: brk, the limits
 * of arguments, protection keys, membarrier. @to is nobody's, or current's, whose
 * other threads are stopped.
 */
void sh_mm_copy_fields(struct mm_struct *to, const struct mm_struct *from);

/* The same has changed where it cannot be copied. */
bool sh_mm_fields_fit(const struct mm_struct *to, const struct mm_struct *from);

#endif /* SELFHEAL_COMPAT_MEMORY_H */
