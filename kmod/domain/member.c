// SPDX-License-Identifier: GPL-2.0
/* Membership; see member.h. sh_member_lock protects the hash table's writers. */
#include <linux/hashtable.h>
#include <linux/pid_namespace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "../compat/image.h"
#include "../compat/symbols.h"
#include "../counters.h"
#include "domain.h"
#include "member.h"
#include "process.h"
#include "record.h"

#define SH_MEMBER_BITS	12

static DEFINE_HASHTABLE(sh_members, SH_MEMBER_BITS);
static DEFINE_SPINLOCK(sh_member_lock);
static struct kmem_cache *sh_member_cache;

void (*sh_member_exit_hook)(struct sh_member *m);

/* Caller: does not sleep before it is done with the result. */
static struct sh_member *sh_member_lookup(const struct task_struct *task)
{
	struct sh_member *m;

	hlist_for_each_entry_rcu(m, &sh_members[hash_ptr(task, SH_MEMBER_BITS)], hash, true)
		if (m->task == task)
			return m;
	return NULL;
}

struct sh_member *sh_member_current(void)
{
	return sh_member_lookup(current);
}

struct sh_member *sh_member_get(struct task_struct *task)
{
	struct sh_member *m = sh_member_lookup(task);

	return m && refcount_inc_not_zero(&m->ref) ? m : NULL;
}

bool sh_member_within(const struct sh_domain *d, const struct task_struct *task)
{
	const struct sh_member *m = sh_member_lookup(task);

	return m && m->domain == d;
}

static void sh_member_free(struct rcu_head *rcu)
{
	struct sh_member *m = container_of(rcu, struct sh_member, rcu);

	kmem_cache_free(sh_member_cache, m);
}

void sh_member_put(struct sh_member *m)
{
	struct sh_domain *d = m->domain;

	if (!refcount_dec_and_test(&m->ref))
		return;
	put_task_struct(m->task);
	put_pid(m->pid);
	sh_record_free(m->record);
	sh_process_put(m->process);
	call_rcu_tasks(&m->rcu, sh_member_free);
	sh_domain_put(d);
}

void sh_member_mark(struct sh_member *m)
{
	spin_lock(&m->domain->lock);
	if (!m->gone)
		set_task_syscall_work(m->task, SYSCALL_USER_DISPATCH);
	spin_unlock(&m->domain->lock);
}

/* A thread or (tree) child of @m's process that is no member; with a reference. */
static struct task_struct *sh_member_unseen(struct sh_member *m, bool tree)
{
	struct task_struct *p, *t, *found = NULL;

	rcu_read_lock();
	for_each_thread(m->task, t) {
		if (!(t->flags & PF_EXITING) && !sh_member_lookup(t)) {
			found = t;
			goto out;
		}
	}
	if (!tree)
		goto out;
	for_each_process_thread(p, t) {
		if (same_thread_group(rcu_dereference(p->real_parent), m->task) &&
		    !(t->flags & (PF_EXITING | PF_KTHREAD)) && t->mm && !sh_member_lookup(t)) {
			found = t;
			goto out;
		}
	}
out:
	if (found)
		get_task_struct(found);
	rcu_read_unlock();
	return found;
}

static int sh_member_enrol(struct sh_domain *d, struct task_struct *task, enum sh_join how,
			   u64 born, const struct sh_member *by);

/* What is found by a member that has been dissolved since does not join. */
static int sh_member_found(struct sh_member *m, struct task_struct *task)
{
	enum sh_join how = m->tree ? SH_JOIN_TREE : SH_JOIN_PROCESS;
	int err = sh_member_enrol(m->domain, task, how, 0, m);

	/* Made of what its parent had, and what has been opened since. */
	if (!err && !same_thread_group(task, m->task) &&
	    !sh_domain_ops->admits(m->domain, task)) {
		sh_count(SH_C_births_failed);
		send_sig(SIGKILL, task, 1);
	}
	return err;
}

/*
 * A task that was inside clone() when it was enrolled may have made one that
 * nobody saw: look again now that the call is over.
 */
static void sh_member_rescan(struct sh_member *m)
{
	bool children = xchg(&m->rescan, SH_JOIN_BIRTH) == SH_JOIN_TREE;
	struct task_struct *found;
	int err = 0;

	while (!err) {
		found = sh_member_unseen(m, children);
		if (!found)
			break;
		err = sh_member_found(m, found);
		put_task_struct(found);
		/* It ended meanwhile: on to the next. */
		if (err == -ESRCH || err == -EEXIST)
			err = 0;
	}
}

/*
 * Out of the table and the domain, once; the last member ends the domain.
 * True for the caller that did it: the table's reference is its to put. @alive:
 * not amid a fork, nor out of a domain that stands still.
 */
static bool sh_member_leave(struct sh_member *m, bool alive)
{
	struct sh_domain *d = m->domain;
	bool last, was;

	spin_lock(&sh_member_lock);
	spin_lock(&d->lock);
	was = m->gone || (alive && (READ_ONCE(m->forking) || !sh_state_runs(d->state)));
	if (!was) {
		m->gone = true;
		/*
		 * With the table entry, under the lock that sh_member_mark()
		 * takes: a task with the bit and without an entry would be
		 * taken for one that configured the dispatch for itself.
		 */
		if (!m->sud_on)
			clear_task_syscall_work(m->task, SYSCALL_USER_DISPATCH);
		hash_del_rcu(&m->hash);
		list_del(&m->node);
		sh_process_leave(m);
		d->nr_members--;
	}
	last = sh_domain_empty(d);
	spin_unlock(&d->lock);
	spin_unlock(&sh_member_lock);
	if (was)
		return false;
	sh_domain_healed(m);
	sh_domain_ops->left(m);
	remove_wait_queue(&m->pid->wait_pidfd, &m->death);
	sh_count(SH_C_members_gone);
	if (last)
		sh_domain_check_gone(d);
	return true;
}

/* The task is dead or dying. */
static void sh_member_end(struct sh_member *m)
{
	u64 birth = xchg(&m->forking, 0);

	if (sh_member_exit_hook)
		sh_member_exit_hook(m);
	/* Still set: the call never came back, so it made no child. */
	if (birth)
		sh_domain_birth_over(m->domain, birth);
	if (sh_member_leave(m, false))
		sh_member_put(m);
}

/*
 * Context: the member itself, on its way to user mode, in get_signal() or in
 * do_exit(); no lock held. Ends with the reference of the queued work.
 */
static void sh_member_work(struct callback_head *head)
{
	struct sh_member *m = container_of(head, struct sh_member, work);

	atomic_set(&m->armed, 0);
	/* Pairs with sh_member_kick(): either it requeues or we see the state. */
	smp_mb();
	if (current->flags & PF_EXITING) {
		sh_member_end(m);
	} else if (!READ_ONCE(m->gone)) {
		if (m->rescan)
			sh_member_rescan(m);
		sh_process_note(m);
		sh_process_hold(m);
		sh_domain_park(m);
	}
	sh_member_put(m);
}

/*
 * Context as for sh_member_work(). Ends the task, so whatever is queued
 * behind it must come first. Nothing of its memory is touched: it may be that
 * of a time when this thread did not exist.
 */
static void sh_member_leaving(struct callback_head *head)
{
	struct sh_member *m = container_of(head, struct sh_member, leaving);

	if (!(current->flags & PF_EXITING)) {
		if (READ_ONCE(head->next) && !task_work_add(current, head, TWA_RESUME))
			return;
		current->clear_child_tid = NULL;
		current->robust_list = NULL;
		/* Its end is told by the other work. */
		sh_member_arm(m);
		sh_member_put(m);
		sh_task_exit();
	}
	sh_member_put(m);
}

void sh_member_end_thread(struct sh_member *m)
{
	sh_member_hold(m);
	if (task_work_add(current, &m->leaving, TWA_RESUME))
		sh_member_put(m);
}

static int sh_member_queue(struct sh_member *m, enum task_work_notify_mode notify)
{
	int err;

	/* By a tap that has no reference: dissolved meanwhile it needs no work. */
	if (!sh_member_hold_found(m))
		return -ESRCH;
	err = task_work_add(m->task, &m->work, notify);
	if (err)
		sh_member_put(m);
	return err;
}

void sh_member_rearm(struct sh_member *m)
{
	if (!atomic_xchg(&m->armed, 1))
		sh_member_queue(m, TWA_NONE);
}

void sh_member_kick(struct sh_member *m)
{
	/* atomic_xchg() orders the caller's state change before the look. */
	if (!atomic_xchg(&m->armed, 1))
		sh_member_queue(m, TWA_RESUME);
	else
		set_notify_resume(m->task);
}

/* Context as for sh_member_work(). */
static void sh_member_interrupted(struct callback_head *head)
{
	struct sh_member *m = container_of(head, struct sh_member, interrupt);

	spin_lock(&m->domain->lock);
	m->interrupted = false;
	spin_unlock(&m->domain->lock);
	if (!(current->flags & PF_EXITING)) {
		sh_process_note(m);
		sh_domain_park(m);
	}
	sh_member_put(m);
}

void sh_member_interrupt(struct sh_member *m)
{
	lockdep_assert_held(&m->domain->lock);
	if (m->interrupted)
		return;
	sh_member_hold(m);
	m->interrupted = !task_work_add(m->task, &m->interrupt, TWA_SIGNAL);
	if (!m->interrupted)
		sh_member_put(m);
}

static bool sh_member_work_is(struct callback_head *head, void *data)
{
	return head == data;
}

bool sh_member_dissolve(struct sh_member *m)
{
	if (!sh_member_leave(m, true))
		return READ_ONCE(m->gone);
	if (sh_task_work_cancel(m->task, sh_member_work_is, &m->work))
		sh_member_put(m);
	/* It may wait with a fork until this is decided. */
	wake_up_all(&m->domain->unpark);
	sh_member_put(m);
	return true;
}

void sh_member_sweep(struct sh_domain *d)
{
	struct sh_member *m;

	spin_lock(&d->lock);
	list_for_each_entry(m, &d->members, node) {
		if (m->tree) {
			WRITE_ONCE(m->rescan, SH_JOIN_TREE);
			sh_member_kick(m);
		}
	}
	spin_unlock(&d->lock);
}

/* Context: the last thread of a process dies, under the kernel's tasklist lock. */
static int sh_member_death(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	struct sh_member *m = container_of(entry, struct sh_member, death);

	sh_domain_reap(m->domain);
	return 0;
}

void sh_member_reap(struct sh_domain *d)
{
	struct sh_member *m, *dead;

	do {
		dead = NULL;
		spin_lock(&d->lock);
		list_for_each_entry(m, &d->members, node) {
			if (READ_ONCE(m->task->exit_state)) {
				dead = m;
				sh_member_hold(dead);
				break;
			}
		}
		spin_unlock(&d->lock);
		if (!dead)
			break;
		sh_member_end(dead);
		sh_member_put(dead);
	} while (true);
}

/* PID 1 and kernel threads serve everybody: freezing one would hang the host. */
static bool sh_member_forbidden(struct task_struct *task)
{
	return (task->flags & (PF_KTHREAD | PF_IO_WORKER)) || !task->mm ||
	       is_global_init(task);
}

static int sh_member_join(struct sh_member *m, enum sh_join how, const struct sh_member *by,
			  struct sh_process **spare)
{
	struct sh_domain *d = m->domain;
	int err = 0;

	spin_lock(&d->lock);
	if (how == SH_JOIN_BIRTH) {
		/* The parent's place is ours: any state but GONE takes us. */
		if (d->state == SELFHEAL_DOMAIN_STATE_GONE)
			err = -EALREADY;
	} else if (d->state != SELFHEAL_DOMAIN_STATE_RUNNING) {
		err = -EALREADY;
	} else if (by && by->gone) {
		err = -ECANCELED;
	}
	if (!err) {
		if (!m->born)
			m->born = ++d->clock;
		list_add_tail(&m->node, &d->members);
		*spare = sh_process_join(m);
		if (!d->nr_members++ && !d->leader) {
			d->leader = task_tgid_nr(m->task);
			get_task_comm(d->comm, m->task);
		}
	}
	spin_unlock(&d->lock);
	return err;
}

static struct sh_member *sh_member_alloc(struct sh_domain *d, struct task_struct *task)
{
	struct sh_member *m = kmem_cache_zalloc(sh_member_cache, GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	m->process = sh_process_new(task_tgid(task));
	if (!m->process) {
		kmem_cache_free(sh_member_cache, m);
		return NULL;
	}
	refcount_set(&m->ref, 1);
	INIT_LIST_HEAD(&m->held);
	init_task_work(&m->work, sh_member_work);
	init_task_work(&m->interrupt, sh_member_interrupted);
	init_task_work(&m->leaving, sh_member_leaving);
	init_waitqueue_func_entry(&m->death, sh_member_death);
	m->task = get_task_struct(task);
	m->pid = get_pid(task_tgid(task));
	m->domain = d;
	sh_domain_hold(d);
	return m;
}

/* @by: the member whose search found it, or NULL. */
static int sh_member_enrol(struct sh_domain *d, struct task_struct *task, enum sh_join how,
			   u64 born, const struct sh_member *by)
{
	struct sh_process *spare = NULL;
	struct sh_member *m, *other;
	int err;

	if (sh_member_forbidden(task))
		return -EPERM;
	m = sh_member_alloc(d, task);
	if (!m)
		return -ENOMEM;
	m->born = born;
	m->tree = how == SH_JOIN_TREE;
	/* A task that uses the dispatch already keeps it. */
	m->sud_on = how != SH_JOIN_BIRTH && test_task_syscall_work(task, SYSCALL_USER_DISPATCH);
	atomic_set(&m->armed, 1);

	spin_lock(&sh_member_lock);
	other = sh_member_lookup(task);
	err = other ? (other->domain == d ? -EEXIST : -EBUSY) : sh_member_join(m, how, by, &spare);
	if (!err) {
		hlist_add_head_rcu(&m->hash, &sh_members[hash_ptr(task, SH_MEMBER_BITS)]);
		sh_member_hold(m);	/* ours, beside the table's */
		add_wait_queue(&m->pid->wait_pidfd, &m->death);
	}
	spin_unlock(&sh_member_lock);
	sh_process_put(spare);
	if (err) {
		sh_member_put(m);
		return err;
	}
	sh_count(SH_C_members_new);

	/*
	 * Queued before the gate bit: a member's exit is never missed. Only
	 * when the bit is set is a fork seen at the gate, so the look for
	 * those born unseen is asked for after it.
	 */
	err = sh_member_queue(m, TWA_NONE);
	if (err) {
		if (sh_member_leave(m, false))
			sh_member_put(m);
	} else {
		sh_member_mark(m);
		/* For threads alone: children that are there already are for the enrolment. */
		if (how != SH_JOIN_BIRTH) {
			WRITE_ONCE(m->rescan, SH_JOIN_PROCESS);
			sh_member_kick(m);
		}
	}
	sh_member_put(m);
	return err;
}

int sh_member_new(struct sh_domain *d, struct task_struct *task, enum sh_join how, u64 born)
{
	return sh_member_enrol(d, task, how, born, NULL);
}

void sh_member_starts(struct task_struct *task)
{
	struct sh_member *m = sh_member_get(task);

	if (!m)
		return;
	WRITE_ONCE(m->starting, true);
	sh_member_put(m);
}

int sh_member_init(void)
{
	sh_member_cache = KMEM_CACHE(sh_member, SLAB_ACCOUNT);
	return sh_member_cache ? 0 : -ENOMEM;
}

void sh_member_exit(void)
{
	rcu_barrier_tasks();
	kmem_cache_destroy(sh_member_cache);
}
