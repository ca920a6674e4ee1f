// SPDX-License-Identifier: GPL-2.0
/* See controller.h. sh_controller_lock protects the list, which is short. */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

#include "../compat/task.h"
#include "../counters.h"
#include "controller.h"
#include "guard.h"

struct sh_controller {
	struct list_head node;
	u32 portid;
	struct pid *pid;	/* of the process; reference */
};

/* Innermost; irqs off, since the signal tap asks under tasklist_lock. */
static DEFINE_SPINLOCK(sh_controller_lock);
static LIST_HEAD(sh_controllers);

static struct sh_controller *sh_controller_find(u32 portid, const struct pid *pid)
{
	struct sh_controller *c;

	list_for_each_entry(c, &sh_controllers, node)
		if (c->portid == portid && c->pid == pid)
			return c;
	return NULL;
}

static bool sh_controller_known(u32 portid)
{
	bool known;

	spin_lock_irq(&sh_controller_lock);
	known = sh_controller_find(portid, task_tgid(current));
	spin_unlock_irq(&sh_controller_lock);
	return known;
}

void sh_controller_note(u32 portid)
{
	struct sh_controller *c, *old;
	struct file *exe;
	int err = 0;

	if (sh_controller_known(portid) || !current->mm)
		return;
	exe = sh_mm_exe_file(current->mm);
	if (exe) {
		err = sh_guard_add_exe(exe);
		fput(exe);
	}
	c = kmalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (err || !c)
		sh_count(SH_C_controllers_unguarded);
	if (!c)
		return;
	c->portid = portid;
	c->pid = get_pid(task_tgid(current));
	spin_lock_irq(&sh_controller_lock);
	old = sh_controller_find(portid, c->pid);
	if (!old)
		list_add(&c->node, &sh_controllers);
	spin_unlock_irq(&sh_controller_lock);
	/* Another thread of it was faster. */
	if (old) {
		put_pid(c->pid);
		kfree(c);
	}
}

static void sh_controller_free(struct list_head *gone)
{
	struct sh_controller *c, *next;

	list_for_each_entry_safe(c, next, gone, node) {
		put_pid(c->pid);
		kfree(c);
	}
}

void sh_controller_gone(u32 portid)
{
	struct sh_controller *c, *next;
	LIST_HEAD(gone);

	spin_lock_irq(&sh_controller_lock);
	list_for_each_entry_safe(c, next, &sh_controllers, node)
		if (c->portid == portid)
			list_move(&c->node, &gone);
	spin_unlock_irq(&sh_controller_lock);
	sh_controller_free(&gone);
}

bool sh_controller_is(struct task_struct *task)
{
	struct sh_controller *c;
	unsigned long flags;
	struct pid *pid;
	bool is = false;

	if (list_empty(&sh_controllers))
		return false;
	rcu_read_lock();
	pid = task_tgid(task);
	spin_lock_irqsave(&sh_controller_lock, flags);
	list_for_each_entry(c, &sh_controllers, node)
		is |= c->pid == pid;
	spin_unlock_irqrestore(&sh_controller_lock, flags);
	rcu_read_unlock();
	return is;
}

static bool sh_controller_process(u32 nr)
{
	struct task_struct *task;
	bool is;

	rcu_read_lock();
	task = nr ? pid_task(find_vpid(nr), PIDTYPE_PID) : current;
	is = task && sh_controller_is(task);
	rcu_read_unlock();
	return is;
}

bool sh_controller_named(enum sh_by by, u32 nr)
{
	kuid_t user = nr ? make_kuid(current_user_ns(), nr) : current_uid();
	struct task_struct *task;
	struct sh_controller *c;
	struct pid *group;
	bool any = false;

	if (by == SH_BY_PROCESS)
		return sh_controller_process(nr);
	rcu_read_lock();
	group = nr ? find_vpid(nr) : task_pgrp(current);
	spin_lock_irq(&sh_controller_lock);
	list_for_each_entry(c, &sh_controllers, node) {
		task = pid_task(c->pid, PIDTYPE_TGID);
		any |= task && (by == SH_BY_GROUP ? task_pgrp(task) == group :
						    uid_eq(task_uid(task), user));
	}
	spin_unlock_irq(&sh_controller_lock);
	rcu_read_unlock();
	return any;
}

void sh_controller_exit(void)
{
	sh_controller_free(&sh_controllers);
}
