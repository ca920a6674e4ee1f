// SPDX-License-Identifier: GPL-2.0
/* See memory.h. */
#include <linux/mm.h>
#include <linux/percpu_counter.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "kernel.h"
#include "memory.h"

#if SH_KERNEL_6_1
/* Of what its threads have counted, part is still in their own books. */
static s64 sh_mm_counter(struct mm_struct *mm, int member)
{
	s64 sum = atomic_long_read(&mm->rss_stat.count[member]);
#ifdef SPLIT_RSS_COUNTING
	struct task_struct *t;

	if (mm != current->mm)
		return sum;
	rcu_read_lock();
	for_each_thread(current, t)
		if (READ_ONCE(t->mm) == mm)
			sum += READ_ONCE(t->rss_stat.count[member]);
	rcu_read_unlock();
#endif
	return sum;
}
#else
static s64 sh_mm_counter(struct mm_struct *mm, int member)
{
	return percpu_counter_sum(&mm->rss_stat[member]);
}
#endif

s64 sh_mm_pages(struct mm_struct *mm)
{
	return sh_mm_counter(mm, MM_ANONPAGES) + sh_mm_counter(mm, MM_SWAPENTS);
}

#if SH_KERNEL_6_1
#define SH_GUP(get, mm, addr, flags, page) get(mm, addr, 1, flags, page, NULL, NULL)

bool sh_mm_mappings_serial(const struct mm_struct *mm, unsigned int *serial)
{
	return false;
}
#else
#define SH_GUP(get, mm, addr, flags, page) get(mm, addr, 1, flags, page, NULL)

bool sh_mm_mappings_serial(const struct mm_struct *mm, unsigned int *serial)
{
#ifdef CONFIG_PER_VMA_LOCK
	/* Moves when mmap_lock is taken, and given back, for writing. */
	*serial = mm->mm_lock_seq.sequence;
	return true;
#else
	return false;
#endif
}
#endif

static int sh_got_one(long got)
{
	return got == 1 ? 0 : got ? got : -EFAULT;
}

int sh_mm_own_page(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	return sh_got_one(SH_GUP(get_user_pages_remote, mm, addr, FOLL_WRITE | FOLL_FORCE, page));
}

int sh_mm_pin_page(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	return sh_got_one(SH_GUP(pin_user_pages_remote, mm, addr,
				 FOLL_WRITE | FOLL_FORCE | FOLL_LONGTERM, page));
}

void sh_mm_unpinned(struct mm_struct *mm)
{
	clear_bit(MMF_HAS_PINNED, &mm->flags);
}

int sh_mm_peek_page(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	return sh_got_one(SH_GUP(get_user_pages_remote, mm, addr, FOLL_FORCE, page));
}

int sh_mm_look_page(unsigned long addr, struct page **page)
{
	return sh_got_one(get_user_pages_fast(addr, 1, FOLL_FORCE, page));
}

void sh_mm_copy_fields(struct mm_struct *to, const struct mm_struct *from)
{
	to->start_code = from->start_code;
	to->end_code = from->end_code;
	to->start_data = from->start_data;
	to->end_data = from->end_data;
	to->start_brk = from->start_brk;
	to->brk = from->brk;
	to->start_stack = from->start_stack;
	to->arg_start = from->arg_start;
	to->arg_end = from->arg_end;
	to->env_start = from->env_start;
	to->env_end = from->env_end;
	memcpy(to->saved_auxv, from->saved_auxv, sizeof(to->saved_auxv));
#ifdef CONFIG_MEMBARRIER
	atomic_set(&to->membarrier_state, atomic_read(&from->membarrier_state));
#endif
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	to->context.pkey_allocation_map = from->context.pkey_allocation_map;
	to->context.execute_only_pkey = from->context.execute_only_pkey;
#endif
}

bool sh_mm_fields_fit(const struct mm_struct *to, const struct mm_struct *from)
{
	/* Our own doing, see sh_shadow_new(). */
	unsigned long flags = MMF_INIT_MASK & ~MMF_DISABLE_THP_MASK;

	if ((READ_ONCE(to->flags) ^ READ_ONCE(from->flags)) & flags)
		return false;
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (from->context.ldt)
		return false;
#endif
#ifdef CONFIG_ADDRESS_MASKING
	if (to->context.lam_cr3_mask != from->context.lam_cr3_mask)
		return false;
#endif
	return rcu_access_pointer(to->exe_file) == rcu_access_pointer(from->exe_file);
}
