/* SPDX-License-Identifier: GPL-2.0 */
/* Task and mm details where the two kernels differ, or export no accessor. */
#ifndef SELFHEAL_COMPAT_TASK_H
#define SELFHEAL_COMPAT_TASK_H

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/mm_types.h>

#include "kernel.h"

static inline u64 sh_cap_bits(kernel_cap_t cap)
{
#if SH_KERNEL_6_1
	return (u64)cap.cap[1] << 32 | cap.cap[0];
#else
	return cap.val;
#endif
}

/* The executable of @mm with a reference, or NULL: a prctl() may just be replacing it. */
static inline struct file *sh_mm_exe_file(struct mm_struct *mm)
{
	struct file *file;

	rcu_read_lock();
#if SH_KERNEL_6_1
	file = rcu_dereference(mm->exe_file);
	if (file && !get_file_rcu(file))
		file = NULL;
#else
	file = get_file_rcu(&mm->exe_file);
#endif
	rcu_read_unlock();
	return file;
}

#endif /* SELFHEAL_COMPAT_TASK_H */
