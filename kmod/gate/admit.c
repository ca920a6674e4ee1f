// SPDX-License-Identifier: GPL-2.0
/* What a task may bring into a domain; see kinds.h. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "../domain/domain.h"
#include "../domain/foreign.h"
#include "kinds.h"

struct sh_admission {
	struct sh_domain *d;
	struct task_struct *task;
	struct sh_misfit *bad;
	int err;
};

static bool sh_admit_refuses(struct sh_admission *a, struct file *file, enum sh_kind *kind,
			     const char **name)
{
	const struct sh_policy *p = a->d->policy;

	*kind = sh_file_kind(file, a->d, a->task, name);
	if (sh_kind_refused(p, *kind))
		return true;
	if (p->tamper == SELFHEAL_TAMPER_ACTION_PASS || sh_policy_observes(p) ||
	    !sh_file_reaches(file, a->d, a->task))
		return false;
	*name = "what a member is refused as tampering";
	return true;
}

/* The table's lock is held. Non-zero ends the walk. */
static int sh_admit_file(const void *arg, struct file *file, unsigned int fd)
{
	struct sh_admission *a = (void *)arg;
	const struct sh_policy *p = a->d->policy;
	const char *name;
	enum sh_kind kind;

	if (sh_admit_refuses(a, file, &kind, &name)) {
		*a->bad = (struct sh_misfit){ fd, name };
		a->err = -EPERM;
	} else if (kind == SH_KIND_EVENTFD && file_count(file) > 1 &&
		   sh_policy_denies(p, SELFHEAL_CHANNEL_IPC)) {
		/* Nobody outside can have a file of which this is the only reference. */
		a->err = sh_foreign_add(a->d, file);
	}
	return a->err;
}

/* A mapping outlives its descriptor: rings and devices work by plain stores. */
static int sh_admit_maps(struct sh_admission *a, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	const char *name;
	enum sh_kind kind;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		if (!vma->vm_file || !sh_admit_refuses(a, vma->vm_file, &kind, &name))
			continue;
		*a->bad = (struct sh_misfit){ -1, name };
		a->err = -EPERM;
		break;
	}
	mmap_read_unlock(mm);
	return a->err;
}

int sh_admit(struct sh_domain *d, struct task_struct *task, struct sh_misfit *bad)
{
	struct sh_admission a = { .d = d, .task = task, .bad = bad };
	struct task_struct *t;
	struct mm_struct *mm;

	rcu_read_lock();
	for_each_thread(task, t) {
		/* Keeps the table while it is walked; threads mostly share it. */
		task_lock(t);
		if (t->files && (t == task || t->files != READ_ONCE(task->files)))
			iterate_fd(t->files, 0, sh_admit_file, &a);
		task_unlock(t);
		if (a.err)
			break;
	}
	rcu_read_unlock();
	mm = a.err ? NULL : get_task_mm(task);
	if (mm) {
		sh_admit_maps(&a, mm);
		mmput(mm);
	}
	return a.err;
}
