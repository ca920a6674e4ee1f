// SPDX-License-Identifier: GPL-2.0
/* Enrolment by request: who may be a member, with what, and how all of it is found. */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <net/genetlink.h>

#include "../compat/genl.h"
#include "../compat/symbols.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "../gate/kinds.h"
#include "../gate/lineage.h"
#include "../quarantine/quarantine.h"
#include "control.h"

/* How long forks that have begun may take, vfork(2) with the wait for its child included. */
#define SH_DISSOLVE_WAIT	(5 * HZ)

/* The process behind the pidfd attribute, with a reference; ERR_PTR. */
static struct task_struct *sh_pidfd_task(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[SELFHEAL_A_DOMAIN_PIDFD];
	struct task_struct *task;
	struct file *file;
	struct pid *pid;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "name the process by a pidfd");
		return ERR_PTR(-EINVAL);
	}
	file = fget(nla_get_s32(attr));
	if (!file) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "not an open descriptor of the caller");
		return ERR_PTR(-EBADF);
	}
	pid = sh_pidfd_pid(file);
	if (IS_ERR(pid)) {
		fput(file);
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "not a pidfd");
		return ERR_PTR(-EBADF);
	}
	task = get_pid_task(pid, PIDTYPE_TGID);
	fput(file);
	if (!task) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "the process is gone");
		return ERR_PTR(-ESRCH);
	}
	return task;
}

/* A frozen controller could not answer; init and kernel threads serve everybody. */
static int sh_enrol_allowed(struct task_struct *task, struct netlink_ext_ack *extack)
{
	struct task_struct *t;
	bool ancestor = false;

	if (task->flags & PF_KTHREAD) {
		NL_SET_ERR_MSG(extack, "a kernel thread cannot be a member");
		return -EPERM;
	}
	if (!READ_ONCE(task->mm) && thread_group_empty(task)) {
		NL_SET_ERR_MSG(extack, "the process is gone");
		return -ESRCH;
	}
	if (is_global_init(task)) {
		NL_SET_ERR_MSG(extack, "PID 1 cannot be a member");
		return -EPERM;
	}
	rcu_read_lock();
	for (t = current; t->pid; t = rcu_dereference(t->real_parent))
		if (same_thread_group(t, task))
			ancestor = true;
	rcu_read_unlock();
	if (ancestor) {
		NL_SET_ERR_MSG(extack, "the caller and its ancestors cannot be members");
		return -EPERM;
	}
	return 0;
}

/* A ring that a kernel thread or another process drives would bypass the quarantine. */
static bool sh_has_io_uring(struct task_struct *task)
{
	struct task_struct *t;
	bool has = false;

	rcu_read_lock();
	for_each_thread(task, t)
		if (READ_ONCE(t->io_uring))
			has = true;
	rcu_read_unlock();
	return has;
}

static int sh_enrol_fits(struct sh_domain *d, struct task_struct *task,
			 struct netlink_ext_ack *extack)
{
	struct sh_misfit bad;
	int err = sh_admit(d, task, &bad);

	if (err == -EPERM && bad.fd < 0)
		SH_EXTACK_FMT(extack, "a mapping of the process is %s: unmap it, or let it pass",
			      bad.name);
	else if (err == -EPERM)
		SH_EXTACK_FMT(extack, "descriptor %d is %s: close it, or let it pass", bad.fd,
			      bad.name);
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(extack, "the process shares too many eventfds");
	return err;
}

/* What to take out of a domain: all of it, or what was enrolled with a process since then. */
struct sh_undo {
	struct task_struct *root;	/* NULL: all */
	u64 since;			/* domain->clock */
};

/* A thread of @pid's process was a member before @u. domain->lock held. */
static bool sh_undo_keeps(const struct sh_domain *d, const struct sh_undo *u, const struct pid *pid)
{
	const struct sh_process *p;
	const struct sh_member *m;

	list_for_each_entry(p, &d->processes, node) {
		if (p->pid != pid)
			continue;
		list_for_each_entry(m, &p->threads, sibling)
			if (m->born <= u->since)
				return true;
	}
	return false;
}

/* @m became a member by @u, or was born of one that did. domain->lock and RCU held. */
static bool sh_undo_takes(const struct sh_domain *d, const struct sh_undo *u,
			  const struct sh_member *m)
{
	struct task_struct *t = m->task;

	if (!u->root)
		return true;
	for (; t->pid && !sh_undo_keeps(d, u, task_tgid(t)); t = rcu_dereference(t->real_parent))
		if (same_thread_group(t, u->root))
			return true;
	return false;
}

/* One that is amid a fork is for the next look; *@left: there is one. With a reference. */
static struct sh_member *sh_dissolve_next(struct sh_domain *d, const struct sh_undo *u, bool *left)
{
	struct sh_member *m, *found = NULL;

	rcu_read_lock();
	spin_lock(&d->lock);
	/* Who is being born is a member soon, and then found. */
	*left = !list_empty(&d->births);
	/* Of a domain that stands still nobody is let go. */
	if (!sh_state_runs(d->state)) {
		*left = false;
		goto out;
	}
	list_for_each_entry(m, &d->members, node) {
		if (!sh_undo_takes(d, u, m))
			continue;
		*left = true;
		if (READ_ONCE(m->forking))
			continue;
		found = m;
		sh_member_hold(m);
		break;
	}
out:
	spin_unlock(&d->lock);
	rcu_read_unlock();
	return found;
}

static int sh_dissolve_each(struct sh_domain *d, const struct sh_undo *u)
{
	unsigned long end = jiffies + SH_DISSOLVE_WAIT;
	struct sh_member *m;
	bool any = false, left;
	int err = 0;

	for (;;) {
		m = sh_dissolve_next(d, u, &left);
		if (m) {
			sh_quarantine_member_exit(m);
			if (sh_member_dissolve(m)) {
				/* It may have put out more in the meantime. */
				sh_quarantine_member_exit(m);
				any = true;
			}
			sh_member_put(m);
			continue;
		}
		if (!left)
			break;
		if (time_after(jiffies, end) || fatal_signal_pending(current)) {
			err = -EBUSY;
			break;
		}
		/* A fork comes to its end, and its child to its first step. */
		usleep_range(100, 500);
	}
	/* Its tap may have found one of them, without a reference, and look at the domain. */
	if (any)
		synchronize_rcu_tasks();
	return err;
}

int sh_dissolve(struct sh_domain *d)
{
	const struct sh_undo all = { NULL };
	int err;

	spin_lock(&d->lock);
	d->dissolving = true;
	spin_unlock(&d->lock);
	err = sh_dissolve_each(d, &all);
	spin_lock(&d->lock);
	if (!err && d->nr_members && !sh_state_runs(d->state))
		err = -EBUSY;
	d->dissolving = false;
	spin_unlock(&d->lock);
	wake_up_all(&d->unpark);
	return err;
}

/*
 * Enrol every thread of @task's process; again until a pass finds no new one. -EEXIST when it
 * is a member, of any domain. On an error, threads may have been enrolled.
 */
static int sh_enrol_process(struct sh_domain *d, struct task_struct *task, enum sh_join how,
			    struct netlink_ext_ack *extack)
{
	struct task_struct *t, *next;
	bool any = false, already = false;
	struct sh_member *m;
	int err;

	if (sh_has_io_uring(task)) {
		NL_SET_ERR_MSG(extack, "the process has a live io_uring; enrol it before it makes one");
		return -EBUSY;
	}
	if (sh_lineage_elsewhere(d, task)) {
		NL_SET_ERR_MSG(extack, "the process is about to be a member of another domain");
		return -EEXIST;
	}
	err = sh_enrol_fits(d, task, extack);
	if (err)
		return err;
	do {
		next = NULL;
		rcu_read_lock();
		for_each_thread(task, t) {
			if (t->flags & (PF_EXITING | PF_IO_WORKER))
				continue;
			m = sh_member_get(t);
			if (m) {
				err = m->domain == d ? 0 : -EEXIST;
				sh_member_put(m);
				already = true;
				if (!err)
					continue;
				rcu_read_unlock();
				NL_SET_ERR_MSG(extack, "the process is a member of another domain");
				return err;
			}
			next = get_task_struct(t);
			break;
		}
		rcu_read_unlock();
		if (!next)
			break;
		err = sh_member_new(d, next, how, 0);
		put_task_struct(next);
		if (err == -EALREADY) {
			NL_SET_ERR_MSG(extack, "the domain is not running");
			return -EBUSY;
		}
		/* It ended, or a sibling that is a member by now has found it first. */
		if (err && err != -ESRCH && err != -EEXIST) {
			if (err != -EBUSY)
				return err;
			NL_SET_ERR_MSG(extack, "the process is a member of another domain");
			return -EEXIST;
		}
		any |= !err;
		already |= err == -EEXIST;
	} while (true);
	if (any) {
		/* Whatever it opened since: from now on the taps see it. */
		return sh_enrol_fits(d, task, extack);
	}
	if (already) {
		NL_SET_ERR_MSG(extack, "the process is a member of this domain already");
		return -EEXIST;
	}
	NL_SET_ERR_MSG(extack, "the process is gone");
	return -ESRCH;
}

/* The next process below @root that is no member of @d; with a reference. */
static struct task_struct *sh_next_descendant(struct sh_domain *d, struct task_struct *root)
{
	struct task_struct *p, *t, *found = NULL;
	struct sh_member *m;

	rcu_read_lock();
	for_each_process(p) {
		if ((p->flags & (PF_KTHREAD | PF_EXITING)) || !p->mm)
			continue;
		for (t = rcu_dereference(p->real_parent); t->pid;
		     t = rcu_dereference(t->real_parent))
			if (same_thread_group(t, root))
				break;
		if (!t->pid)
			continue;
		if (sh_lineage_elsewhere(d, p))
			continue;
		m = sh_member_get(p);
		if (m) {
			sh_member_put(m);
			continue;
		}
		found = get_task_struct(p);
		break;
	}
	rcu_read_unlock();
	return found;
}

int sh_enrol(struct sh_domain *d, struct genl_info *info)
{
	bool tree = info->attrs[SELFHEAL_A_DOMAIN_TREE];
	enum sh_join how = tree ? SH_JOIN_TREE : SH_JOIN_PROCESS;
	struct task_struct *task = sh_pidfd_task(info), *child;
	struct sh_undo undo = { task };
	int err;

	if (IS_ERR(task))
		return PTR_ERR(task);
	spin_lock(&d->lock);
	undo.since = d->clock;
	spin_unlock(&d->lock);
	err = sh_enrol_allowed(task, info->extack);
	if (!err)
		err = sh_enrol_process(d, task, how, info->extack);
	if (!err && info->attrs[SELFHEAL_A_DOMAIN_STARTING])
		sh_member_starts(task);
	while (!err && tree) {
		child = sh_next_descendant(d, task);
		if (!child)
			break;
		err = sh_enrol_process(d, child, how, info->extack);
		/* It has ended, or joined by itself, in the meantime. */
		if (err == -ESRCH || err == -EEXIST)
			err = 0;
		put_task_struct(child);
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	if (!err && tree)
		sh_member_sweep(d);
	/* Nothing is half done: who has been enrolled goes on as it was. */
	if (err)
		sh_dissolve_each(d, &undo);
	put_task_struct(task);
	return err == -EEXIST ? -EBUSY : err;
}
