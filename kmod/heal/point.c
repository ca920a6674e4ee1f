// SPDX-License-Identifier: GPL-2.0
/* See point.h. */
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/thread_info.h>
#include <linux/timekeeping.h>

#include <asm/syscall.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "point.h"
#include "shadow.h"
#include "table.h"

static const char *const sh_point_texts[SH_POINT_WHYS] = {
	[SH_POINT_NONE] = "a process of the domain has not waited for input yet",
	[SH_POINT_VALID] = "valid",
	[SH_POINT_BUSY] = "a thread of the domain was busy when others of its process waited for input",
	[SH_POINT_SHARES] = "a process of the domain shares memory, descriptors or directories with another",
	[SH_POINT_IA32] = "a process of the domain waited in a 32-bit call",
	[SH_POINT_SEGMENTS] = "a process of the domain uses segment selectors",
	[SH_POINT_MEMORY] = "a process of the domain has memory that a copy would lack (MADV_DONTFORK, userfaultfd)",
	[SH_POINT_AIO] = "a process of the domain uses asynchronous I/O",
	[SH_POINT_FAILED] = "the last rescue point could not be taken for want of memory or by a limit",
	[SH_POINT_USED] = "a process of the domain has not waited for input since the last rollback",
	[SH_POINT_RELEASED] = "output of the domain that is younger than the last rescue point has been released",
	[SH_POINT_EXEC] = "a process of the domain has executed another file since it waited for input",
	[SH_POINT_TAKING] = "a process of the domain is just taking its next rescue point",
	[SH_POINT_ENDED] = "a thread of the domain has ended since the last rescue point of its process",
};

const char *sh_point_why_text(enum sh_point_why why)
{
	return sh_point_texts[why];
}

static struct sighand_struct *sh_sighand(void)
{
	/* Current's own, which only its exit takes away. */
	return rcu_dereference_protected(current->sighand, true);
}

/* Somebody else runs in the address space of current's @threads: a vfork, or clone(CLONE_VM). */
static bool sh_mm_shared(unsigned int threads)
{
	struct mm_struct *mm = current->mm;
	struct task_struct *p;
	bool shared = false;

	if (atomic_read(&mm->mm_users) <= threads)
		return false;
	/* Or a reader of /proc holds it for a moment. */
	rcu_read_lock();
	for_each_process(p) {
		if (READ_ONCE(p->mm) == mm && !same_thread_group(p, current)) {
			shared = true;
			break;
		}
	}
	rcu_read_unlock();
	return shared;
}

enum sh_point_why sh_point_copyable(void)
{
	enum sh_point_why why = SH_POINT_VALID;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	if (mmap_read_lock_killable(mm))
		return SH_POINT_FAILED;
	for_each_vma(vmi, vma) {
		if (vma->vm_flags & (VM_DONTCOPY | VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR)) {
			why = SH_POINT_MEMORY;
			break;
		}
	}
	mmap_read_unlock(mm);
	return why;
}

/* What is wrong with one thread, current or asleep in a call. */
static enum sh_point_why sh_thread_possible(const struct task_struct *task)
{
#ifdef CONFIG_IA32_EMULATION
	if (task == current ? in_ia32_syscall() :
	    READ_ONCE(task_thread_info(task)->status) & TS_COMPAT)
		return SH_POINT_IA32;
#endif
	return sh_cpu_plain(task) ? SH_POINT_VALID : SH_POINT_SEGMENTS;
}

/* All that the threads of a process usually share is shared by them all, and by nobody else. */
static enum sh_point_why sh_threads_possible(void)
{
	enum sh_point_why why = SH_POINT_VALID;
	struct task_struct *tsk = current, *t;
	unsigned int live = 0;

	rcu_read_lock();
	for_each_thread(tsk, t) {
		if (READ_ONCE(t->exit_state))
			continue;
		live++;
		if (READ_ONCE(t->files) != tsk->files || READ_ONCE(t->fs) != tsk->fs ||
		    t->vfork_done)
			why = SH_POINT_SHARES;
		if (why == SH_POINT_VALID)
			why = sh_thread_possible(t);
	}
	rcu_read_unlock();
	if (why == SH_POINT_VALID &&
	    (atomic_read(&tsk->files->count) > live || READ_ONCE(tsk->fs->users) > live ||
	     refcount_read(&sh_sighand()->count) > live || sh_mm_shared(live)))
		why = SH_POINT_SHARES;
	return why;
}

enum sh_point_why sh_point_possible(void)
{
#ifdef CONFIG_AIO
	if (rcu_access_pointer(current->mm->ioctx_table))
		return SH_POINT_AIO;
#endif
	return sh_threads_possible();
}

static void sh_point_save(struct sh_point *p)
{
	struct sighand_struct *sighand = sh_sighand();
	struct fs_struct *fs = current->fs;

	p->stamp = ktime_get_boottime_ns();
	spin_lock_irq(&sighand->siglock);
	memcpy(p->action, sighand->action, sizeof(p->action));
	spin_unlock_irq(&sighand->siglock);
	spin_lock(&fs->lock);
	p->umask = fs->umask;
	p->root = fs->root;
	path_get(&p->root);
	p->pwd = fs->pwd;
	path_get(&p->pwd);
	spin_unlock(&fs->lock);
}

struct sh_thread *sh_point_thread(const struct sh_point *p, const struct sh_member *m)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (p->thread[i]->member == m)
			return p->thread[i];
	return NULL;
}

/*
 * What the last point knows of @s, a sibling that has not made a call since, with a reference;
 * or NULL. domain->lock held: a thread that ends takes that point away meanwhile.
 */
static struct sh_thread *sh_thread_known(const struct sh_member *s)
{
	const struct sh_point *last = s->process->point;
	struct sh_thread *t = last ? sh_point_thread(last, s) : NULL;

	if (!t || t->syscalls != READ_ONCE(s->syscalls))
		return NULL;
	sh_thread_hold(t);
	return t;
}

static int sh_point_add(struct sh_point *p, struct sh_thread *t)
{
	if (!t)
		return -ENOMEM;
	p->thread[p->nr++] = t;
	return 0;
}

/* The threads stay while we look: they wait, and none is born. Some may be killed. */
static int sh_point_add_siblings(struct sh_point *p, struct sh_member *m, unsigned int max)
{
	struct sh_domain *d = m->domain;
	struct sh_thread *known;
	struct sh_member *s;
	unsigned int i;
	int err = 0;

	for (i = 0; !err; i++) {
		unsigned int skip = i;
		struct sh_member *found = NULL;

		spin_lock(&d->lock);
		list_for_each_entry(s, &m->process->threads, sibling) {
			if (s != m && !skip--) {
				found = s;
				sh_member_hold(found);
				known = sh_thread_known(found);
				break;
			}
		}
		spin_unlock(&d->lock);
		if (!found)
			break;
		if (p->nr < max)
			err = sh_point_add(p, known ?: sh_thread_take(found));
		else
			err = -EAGAIN;
		if (err)
			sh_thread_put(known);
		sh_member_put(found);
	}
	return err;
}

static unsigned int sh_process_threads(struct sh_member *m)
{
	unsigned int n;

	spin_lock(&m->domain->lock);
	n = list_count_nodes(&m->process->threads);
	spin_unlock(&m->domain->lock);
	return n;
}

struct sh_point *sh_point_take(struct sh_member *m)
{
	unsigned int max = sh_process_threads(m);
	struct sh_point *p = kvmalloc(struct_size(p, thread, max), GFP_KERNEL_ACCOUNT);
	int err;

	if (!p)
		return ERR_PTR(-ENOMEM);
	/* Not the handlers, which are most of it, and saved next. */
	memset(p, 0, offsetof(struct sh_point, action));
	p->nr = 0;
	sh_journal_init(&p->journal);
	sh_point_save(p);
	err = sh_point_add(p, sh_thread_take(m)) ?: sh_point_add_siblings(p, m, max);
	if (!err) {
		p->table = sh_table_take();
		err = p->table ? 0 : -ENOMEM;
	}
	if (err) {
		sh_point_free(p);
		return ERR_PTR(err);
	}
	return p;
}

bool sh_point_kept_mappings(const struct sh_point *then, const struct sh_point *now)
{
	const struct sh_thread *t;
	unsigned int i;

	/* One that was born and has ended in between was made by a call of another. */
	for (i = 0; i < now->nr; i++) {
		t = sh_point_thread(then, now->thread[i]->member);
		if (!t || !sh_thread_kept_mappings(t, now->thread[i]))
			return false;
	}
	return true;
}

static void sh_fs_restore(struct sh_point *p)
{
	struct fs_struct *fs = current->fs;

	/* What was there goes with the point. */
	spin_lock(&fs->lock);
	write_seqcount_begin(&fs->seq);
	swap(fs->root, p->root);
	swap(fs->pwd, p->pwd);
	write_seqcount_end(&fs->seq);
	fs->umask = p->umask;
	spin_unlock(&fs->lock);
}

int sh_point_restore_shared(struct sh_point *p, struct sh_domain *d, bool all)
{
	struct sighand_struct *sighand = sh_sighand();
	int err = sh_table_restore(p->table);

	if (err)
		return err;
	sh_fs_restore(p);
	spin_lock_irq(&sighand->siglock);
	memcpy(sighand->action, p->action, sizeof(p->action));
	spin_unlock_irq(&sighand->siglock);
	sh_journal_undo(d, p);
	sh_table_stir(p->table);
	/* A thread that ends writes to its memory on its way. */
	p->in_place = all && !sh_shadow_restore(p->shadow);
	if (p->in_place)
		sh_count(SH_C_restores_in_place);
	else
		sh_shadow_let_go(p->shadow);
	return 0;
}

int sh_point_enter(struct sh_point *p)
{
	struct mm_struct *mm;
	int err;

	if (p->in_place)
		return 0;
	mm = sh_shadow_mm(p->shadow);
	mmget(mm);
	err = sh_image_switch(mm, &p->entered);
	if (err)
		mmput(mm);
	return err;
}

bool sh_point_free(struct sh_point *p)
{
	bool closed;

	if (!p)
		return false;
	sh_shadow_free(p->shadow);
	sh_journal_free(&p->journal);
	closed = sh_table_free(p->table);
	path_put(&p->root);
	path_put(&p->pwd);
	while (p->nr)
		sh_thread_put(p->thread[--p->nr]);
	kvfree(p);
	return closed;
}
