// SPDX-License-Identifier: GPL-2.0
/*
 * Taps that refuse what cannot be held: signals and their owners, access to
 * other tasks, sockets of families that send past our taps, core dumps.
 *
 * Task context, but under locks of the caller (tasklist_lock, task_lock()),
 * so nothing here sleeps, and current's member needs no reference.
 */
#include <linux/capability.h>
#include <linux/coredump.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/socket.h>

#include "../compat/trampoline.h"
#include "../counters.h"
#include "../domain/controller.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../sense/sense.h"
#include "lineage.h"

/* The live task of @p's process that a signal to it concerns; NULL if all are dying. RCU. */
static struct task_struct *sh_live_task(struct task_struct *p)
{
	struct task_struct *t;

	if (!(READ_ONCE(p->flags) & PF_EXITING))
		return p;
	for_each_thread(p, t)
		if (!(READ_ONCE(t->flags) & PF_EXITING))
			return t;
	return NULL;
}

static bool sh_outside(const struct sh_domain *d, struct task_struct *p)
{
	struct task_struct *t;
	bool outside = false;

	rcu_read_lock();
	if (!same_thread_group(p, current)) {
		t = sh_live_task(p);
		outside = t && !sh_lineage_has(d, t);
	}
	rcu_read_unlock();
	return outside;
}

/* Only signals from user space come here; with a cred it is not from current. */
struct sh_tap_result sh_tap_kill(struct task_struct *p, struct kernel_siginfo *info, int sig,
				 const struct cred *cred)
{
	struct sh_member *m;

	/* Who dies sends what its children asked for (PR_SET_PDEATHSIG), and nothing of its own. */
	if (!in_task() || !sig || cred || (current->flags & PF_EXITING))
		return SH_TAP_CONTINUE;
	m = sh_member_current();
	if (!m || !sh_outside(m->domain, p))
		return SH_TAP_CONTINUE;
	if (sh_controller_is(p) && sh_sense_tamper_tap(m, "controller"))
		return SH_TAP_SKIP(-EPERM);
	if (!sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_SIGNAL))
		return SH_TAP_CONTINUE;
	sh_count(SH_C_signals_denied);
	return SH_TAP_SKIP(-EPERM);
}

/* Who would get the signals of a file that the domain uses: *@controller is outside, too. */
static bool sh_owner_outside(const struct sh_domain *d, struct pid *pid, enum pid_type type,
			     bool *controller)
{
	struct task_struct *p;
	bool outside = false;

	*controller = false;
	rcu_read_lock();
	if (type <= PIDTYPE_TGID) {
		p = pid_task(pid, type);
		outside = p && sh_outside(d, p);
		*controller = outside && sh_controller_is(p);
	} else {
		do_each_pid_task(pid, type, p) {
			if (!sh_outside(d, p))
				continue;
			outside = true;
			*controller |= sh_controller_is(p);
		} while_each_pid_task(pid, type, p);
	}
	rcu_read_unlock();
	return outside;
}

/* Returns nothing: the owner is just not set. */
struct sh_tap_result sh_tap_setown(struct file *file, struct pid *pid, unsigned int type)
{
	struct sh_member *m = sh_member_current();
	bool controller;

	if (!m || !pid || !sh_owner_outside(m->domain, pid, type, &controller))
		return SH_TAP_CONTINUE;
	if (controller && sh_sense_tamper_tap(m, "controller"))
		return SH_TAP_SKIP(0);
	if (!sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_SIGNAL))
		return SH_TAP_CONTINUE;
	sh_count(SH_C_signals_denied);
	return SH_TAP_SKIP(0);
}

/*
 * A stranger of the same user could make a member do anything, past the gate;
 * root in the initial user namespace is trusted.
 */
static bool sh_access_strange(struct task_struct *child)
{
	struct sh_member *m = sh_member_get(child);
	bool observes;

	if (!m)
		return false;
	observes = sh_policy_observes(m->domain->policy);
	sh_member_put(m);
	return !observes && !ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE);
}

struct sh_tap_result sh_tap_access(struct task_struct *child, unsigned int mode)
{
	struct sh_member *m = sh_member_current();
	bool refuse = false;

	if (m) {
		if (sh_lineage_has(m->domain, child))
			return SH_TAP_CONTINUE;
		if (sh_controller_is(child) && (mode & PTRACE_MODE_ATTACH) &&
		    sh_sense_tamper_tap(m, "controller"))
			return SH_TAP_SKIP(-EPERM);
		refuse = sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_OTHER);
	}
	if (!refuse && (mode & PTRACE_MODE_ATTACH))
		refuse = sh_access_strange(child);
	if (!refuse)
		return SH_TAP_CONTINUE;
	sh_count(SH_C_accesses_denied);
	return SH_TAP_SKIP(-EPERM);
}

/* The families whose every send passes security_socket_sendmsg(), or the gate. */
static bool sh_family_mediated(int family)
{
	switch (family) {
	case AF_UNIX:
	case AF_INET:
	case AF_INET6:
	case AF_NETLINK:
	case AF_PACKET:
	case AF_VSOCK:
		return true;
	default:
		return false;
	}
}

struct sh_tap_result sh_tap_socket(int family, int type, int protocol, int kern)
{
	struct sh_member *m = sh_member_current();
	const struct sh_policy *p;

	if (!m || kern || sh_family_mediated(family))
		return SH_TAP_CONTINUE;
	p = m->domain->policy;
	if (p->action[SELFHEAL_CHANNEL_SOCKET] == SELFHEAL_CHANNEL_ACTION_PASS ||
	    sh_policy_observes(p))
		return SH_TAP_CONTINUE;
	sh_count(SH_C_sockets_denied);
	return SH_TAP_SKIP(-EPERM);
}

/* The kernel is about to run modprobe, for a protocol, a cipher, an image that it does not know. */
struct sh_tap_result sh_tap_module(const char *name)
{
	struct sh_member *m = sh_member_current();

	return m && sh_sense_tamper_tap(m, "modules") ? SH_TAP_SKIP(-EPERM) : SH_TAP_CONTINUE;
}

/* Memory written to a file or to a program outside. Returns nothing. */
struct sh_tap_result sh_tap_coredump(const struct kernel_siginfo *info)
{
	struct sh_member *m = sh_member_current();

	if (!m || m->may_dump || !sh_policy_skips_dumps(m->domain->policy))
		return SH_TAP_CONTINUE;
	sh_count(SH_C_dumps_skipped);
	return SH_TAP_SKIP(0);
}
