/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a rescue point: a copy of a process's address space, shared
 * with it page by page until one of the two is written.
 *
 * The copy costs as a fork does, by resident size, so it is made once and then
 * brought up to date: an mmu_notifier tells of each page that the process
 * gets for itself (track.h), and from then on both own one at that address. The next
 * point copies those pages (pairs.h), and neither walks page tables nor flushes
 * a TLB, and the process takes no fault for it. What cannot be seen like this is
 * noticed, and the process copied anew.
 */
#ifndef SELFHEAL_HEAL_SHADOW_H
#define SELFHEAL_HEAL_SHADOW_H

#include <linux/types.h>

struct mm_struct;
struct sh_shadow;

/*
 * For all of these: current is a thread of the process, whose other threads
 * are stopped; process context without locks, may sleep.
 *
 * Copy the process. @copy is where the tap on copy_thread() keeps the new
 * address space. ERR_PTR(-ERESTARTNOINTR) when a signal is pending, or what
 * a fork would say.
 */
struct sh_shadow *sh_shadow_new(struct mm_struct **copy);

/*
 * @s can be brought up to date, as far as can be told without a try. Then there is
 * no mapping in the process that a copy would lack. @kept: no call has changed any since
 * @s last was what the process is.
 */
bool sh_shadow_fits(struct sh_shadow *s, bool kept);

/*
 * Bring @s up to date, in place. -EAGAIN: it cannot be, and is neither what
 * it was nor what it should be.
 */
int sh_shadow_refresh(struct sh_shadow *s);

/*
 * Give the process's memory back what @s has, in place, so that @s stays what it
 * is. -EAGAIN: it cannot be, and the process must go on in sh_shadow_mm(). Current
 * is in the process's address space; no other thread of it is inside a call, or
 * will ever be without having been put back.
 */
int sh_shadow_restore(struct sh_shadow *s);

/* The process will go on in @s, which is an address space as any other then. Once. */
void sh_shadow_let_go(struct sh_shadow *s);

/* The address space; no reference. */
struct mm_struct *sh_shadow_mm(struct sh_shadow *s);

/* From any task. */
void sh_shadow_free(struct sh_shadow *s);

/* Before the module goes; there is no shadow any more. */
void sh_shadow_exit(void);

#endif /* SELFHEAL_HEAL_SHADOW_H */
