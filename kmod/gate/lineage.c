// SPDX-License-Identifier: GPL-2.0
/* See lineage.h. All of this runs in the context of the task concerned. */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/file.h>
#include <linux/module.h>
#include <linux/prctl.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/thread_info.h>

#include <asm/syscall.h>

#include "../compat/task.h"
#include "../compat/trampoline.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../heal/rescue.h"
#include "../sense/sense.h"
#include "calls.h"
#include "kinds.h"
#include "lineage.h"

/* A kernel address: prctl() and ptrace() refuse it as a selector. */
#define SH_COOKIE	((char __user *)0xffff5e1f4ea10000UL)

static bool sh_gate_bit(void)
{
	return test_task_syscall_work(current, SYSCALL_USER_DISPATCH);
}

static void sh_cookie_set(u64 domain, u64 serial)
{
	current->syscall_dispatch.offset = domain;
	current->syscall_dispatch.len = serial;
	current->syscall_dispatch.selector = SH_COOKIE;
}

static void sh_cookie_clear(void)
{
	current->syscall_dispatch.selector = NULL;
	current->syscall_dispatch.offset = 0;
	current->syscall_dispatch.len = 0;
}

static bool sh_cookie_present(const struct task_struct *task)
{
	return READ_ONCE(task->syscall_dispatch.selector) == SH_COOKIE;
}

bool sh_lineage_enter(struct sh_member *m, struct pt_regs *regs, u8 class, unsigned long arg0)
{
	if (class & SH_CALL_PRCTL) {
		if ((int)arg0 != PR_SET_SYSCALL_USER_DISPATCH)
			return false;
		m->configuring = true;
	}
	if (class & SH_CALL_FORK) {
		u32 heals = m->heals;

		if (!sh_domain_birth(m)) {
			if (m->heals != heals)
				return true;
			regs->ax = fatal_signal_pending(current) ? -EINTR : -ENOMEM;
			return true;
		}
		if (!m->forking)
			return false;
		/* Its own settings are in use: its child is found by its parent. */
		if (!m->sud_on)
			sh_cookie_set(m->domain->id, m->forking);
	}
	set_thread_flag(TIF_UPROBE);
	return false;
}

bool sh_lineage_has(const struct sh_domain *d, const struct task_struct *task)
{
	bool has;

	if (sh_member_within(d, task))
		return true;
	if (sh_cookie_present(task) && READ_ONCE(task->syscall_dispatch.offset) == d->id)
		return true;
	/* The newborn of a parent that uses the dispatch itself. */
	if (test_tsk_thread_flag((struct task_struct *)task, TIF_UPROBE)) {
		rcu_read_lock();
		has = sh_member_within(d, rcu_dereference(task->real_parent));
		rcu_read_unlock();
		if (has)
			return true;
	}
	/* It may have joined since the first look, and gives up its marks only then; see sh_newborn(). */
	smp_rmb();
	return sh_member_within(d, task);
}

bool sh_lineage_elsewhere(const struct sh_domain *d, const struct task_struct *task)
{
	if (sh_cookie_present(task))
		return READ_ONCE(task->syscall_dispatch.offset) != d->id;
	/* It may just have joined: the caller's look for members comes after this one. */
	smp_rmb();
	return false;
}

static u8 sh_regs_class(struct pt_regs *regs)
{
	unsigned int nr = regs->orig_ax;

	return sh_call_class(in_ia32_syscall() ? SH_ABI_32 : SH_ABI_64, nr);
}

/*
 * The call is over; is there a child that has yet to join? Results can be
 * made up by a tracer or a seccomp supervisor, so look at the child itself.
 */
static bool sh_child_pending(struct pt_regs *regs, u64 serial)
{
	struct task_struct *child;
	bool pending = false;

	if ((long)regs->ax <= 0 || (regs->ax >> 31))
		return false;
	rcu_read_lock();
	child = pid_task(find_vpid(regs->ax), PIDTYPE_PID);
	if (child)
		pending = sh_cookie_present(child) &&
			  READ_ONCE(child->syscall_dispatch.len) == serial;
	rcu_read_unlock();
	return pending;
}

static void sh_fork_over(struct sh_member *m, struct pt_regs *regs)
{
	u64 serial = m->forking;

	/* With the cookie it would be taken for a newborn, once it is no member. */
	if (!m->sud_on)
		sh_cookie_clear();
	WRITE_ONCE(m->forking, 0);
	/* A child without a cookie looks at us by itself, and was counted if it was quick. */
	if (!sh_child_pending(regs, serial))
		sh_domain_birth_over(m->domain, serial);
}

/* A refused exec has come back: wait for the verdict, then try again if released. */
static void sh_exec_refused(struct sh_member *m, struct pt_regs *regs)
{
	u32 heals = m->heals;

	m->exec_wait = false;
	sh_domain_park(m);
	if (fatal_signal_pending(current) || m->heals != heals)
		return;
	if (m->exec_passes < SH_EXEC_DEPTH)
		m->exec_pass[m->exec_passes++] = m->exec_target;
	/* As for any restarted call: the two bytes of syscall, sysenter or int 0x80. */
	regs->ax = regs->orig_ax;
	regs->ip -= 2;
}

/* Somebody's search enrolled current, @m, between its birth and this, its first boundary. */
static void sh_born_enrolled(struct sh_member *m)
{
	struct sh_domain *d = sh_domain_find(current->syscall_dispatch.offset);
	u64 serial = current->syscall_dispatch.len;

	if (d) {
		/* Older than any point that its parent has taken since. */
		spin_lock(&d->lock);
		if (m->domain == d)
			m->born = serial;
		spin_unlock(&d->lock);
		sh_domain_birth_over(d, serial);
		sh_domain_put(d);
	}
	/* Only now, as for any newborn. */
	sh_cookie_clear();
}

static void sh_member_boundary(struct sh_member *m, struct pt_regs *regs)
{
	if (m->forking)
		sh_fork_over(m, regs);
	else if (sh_cookie_present(current))
		sh_born_enrolled(m);
	if (m->configuring) {
		m->configuring = false;
		if (!regs->ax)
			m->sud_on = sh_gate_bit();
	}
	sh_sense_tamper_boundary(m, regs);
	if (m->exec_wait) {
		sh_exec_refused(m, regs);
	} else if (!sh_gate_bit()) {
		/* An exec went through: a new image has no dispatch of its own. */
		m->sud_on = false;
		m->exec_passes = 0;
		m->starting = false;
		sh_rescue_exec(m);
		sh_domain_renamed(m->domain, current);
		/* The sibling threads that it ended had no time to say so. */
		sh_member_reap(m->domain);
	}
	sh_member_mark(m);
}

/* The domain of a newborn, with a reference, and the serial of its birth. */
static struct sh_domain *sh_newborn_domain(u64 *serial)
{
	struct sh_member *parent = NULL;
	struct task_struct *t, *from = NULL;
	struct sh_domain *d = NULL;

	if (sh_cookie_present(current)) {
		*serial = current->syscall_dispatch.len;
		return sh_domain_find(current->syscall_dispatch.offset);
	}
	/* Its parent uses the dispatch itself: it, or a sibling thread, tells. */
	*serial = 0;
	rcu_read_lock();
	from = get_task_struct(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	parent = sh_member_get(from);
	put_task_struct(from);
	if (!parent) {
		rcu_read_lock();
		for_each_thread(current, t) {
			parent = sh_member_get(t);
			if (parent)
				break;
		}
		rcu_read_unlock();
	}
	if (parent) {
		d = parent->domain;
		sh_domain_hold(d);
		sh_member_put(parent);
	}
	return d;
}

/* Fail closed: a child of a member that cannot be one does not run. */
static void sh_newborn(void)
{
	struct sh_member *m;
	struct sh_domain *d;
	u64 serial;
	int err;

	d = sh_newborn_domain(&serial);
	err = d ? sh_member_new(d, current, SH_JOIN_BIRTH, serial) : -ESRCH;
	/* A search has been quicker, since the look that brought us here. */
	if (err == -EEXIST)
		err = 0;
	/* Pairs with sh_lineage_has(): without its marks it is seen as a member. */
	smp_wmb();
	clear_thread_flag(TIF_UPROBE);
	if (err) {
		sh_count(SH_C_births_failed);
		send_sig(SIGKILL, current, 1);
	}
	if (d && serial)
		sh_domain_birth_over(d, serial);
	/* Only now: as long as its parent sees it, it leaves the birth to us. */
	if (serial)
		sh_cookie_clear();
	if (!err) {
		m = sh_member_get(current);
		if (m) {
			sh_domain_park(m);
			sh_member_put(m);
		}
	}
	if (d)
		sh_domain_put(d);
}

/* It inherited what the policy has no place for. */
static bool sh_exec_misfits(struct sh_domain *d)
{
	struct sh_misfit bad = { -1, "memory is short" };
	int err = sh_admit(d, current, &bad);

	if (err)
		pr_warn_ratelimited("%s[%d] is not started under policy %s (%d): its descriptor %d is %s\n",
				    current->comm, task_pid_nr(current), d->policy->name, err,
				    bad.fd, bad.name);
	return err;
}

/* An unprotected task has executed a file that a policy may match. */
static void sh_exec_enrol(void)
{
	struct file *exe;
	struct sh_policy *p;
	struct sh_domain *d;

	exe = sh_mm_exe_file(current->mm);
	if (!exe)
		return;
	p = sh_policy_match(file_inode(exe));
	fput(exe);
	if (!p)
		return;
	d = sh_domain_new(p);
	sh_policy_put(p);
	if (!IS_ERR(d))
		sh_domain_hold(d);
	if (IS_ERR(d) || sh_exec_misfits(d) || sh_member_new(d, current, SH_JOIN_PROCESS, 0)) {
		/* It would run unprotected where the administrator asked for protection. */
		sh_count(SH_C_births_failed);
		send_sig(SIGKILL, current, 1);
		if (!IS_ERR(d))
			sh_domain_abort(d);
	}
	if (!IS_ERR(d))
		sh_domain_put(d);
}

struct sh_tap_result sh_tap_boundary(struct pt_regs *regs)
{
	struct sh_member *m = sh_member_current();
	bool newborn;
	u8 class;

	/* A breakpoint or single step: a real uprobe's business. */
	if ((int)regs->orig_ax == -1)
		return SH_TAP_CONTINUE;
	if (m && sh_member_hold_found(m)) {
		clear_thread_flag(TIF_UPROBE);
		sh_member_boundary(m, regs);
		sh_member_put(m);
		return SH_TAP_SKIP(0);
	}
	class = sh_regs_class(regs);
	newborn = (class & SH_CALL_FORK) || sh_cookie_present(current);
	if (!newborn && !(class & SH_CALL_EXEC))
		return SH_TAP_CONTINUE;
	/* By this its parent knows a newborn that has not joined yet. */
	if (!newborn)
		clear_thread_flag(TIF_UPROBE);
	/* Not a member, so nothing else keeps this code loaded while we sleep. */
	if (!try_module_get(THIS_MODULE)) {
		clear_thread_flag(TIF_UPROBE);
		return SH_TAP_SKIP(0);
	}
	if (newborn)
		sh_newborn();
	else
		sh_exec_enrol();
	module_put(THIS_MODULE);
	return SH_TAP_SKIP(0);
}

/* ptrace(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG) would clear a member's gate bit. */
struct sh_tap_result sh_tap_sud_config(struct task_struct *task)
{
	struct sh_member *m = sh_member_get(task);

	if (!m)
		return SH_TAP_CONTINUE;
	sh_member_put(m);
	sh_count(SH_C_sud_refused);
	return SH_TAP_SKIP(-EPERM);
}
