// SPDX-License-Identifier: GPL-2.0
/*
 * The fault sensor: signals that tell of a program gone wrong, seen before
 * they are delivered. The kernel raises them for a fault; abort(3) and crash
 * handlers raise them on their own process. One that somebody else sends is
 * no evidence.
 */
#include <linux/bitops.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>

#include <asm/syscall.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../incident/incident.h"
#include "sense.h"

/* siglock held. */
static bool sh_fault_counts(const struct sh_policy *p, int sig, bool forced)
{
	/* Current's own, which only its exit takes away. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	const struct k_sigaction *ka = &sighand->action[sig - 1];

	if (sigismember(&current->blocked, sig))
		return false;
	if (ka->sa.sa_handler == SIG_IGN && !forced)
		return false;
	return ka->sa.sa_handler == SIG_DFL || (p->flags & SELFHEAL_POLICY_FLAG_FAULT_HANDLED);
}

/* siglock held. */
static bool sh_fault_find(const struct sh_policy *p, struct sigpending *pending,
			  struct sh_evidence *ev)
{
	u64 lost = pending->signal.sig[0] & p->fault_mask;
	struct sigqueue *sq;

	list_for_each_entry(sq, &pending->list, list) {
		const struct kernel_siginfo *info = &sq->info;
		bool forced = info->si_code > 0;
		bool self = (info->si_code == SI_USER || info->si_code == SI_TKILL) &&
			    info->si_pid == task_tgid_vnr(current);

		lost &= ~sigmask(info->si_signo);
		if (!(p->fault_mask & sigmask(info->si_signo)) || (!forced && !self) ||
		    !sh_fault_counts(p, info->si_signo, forced))
			continue;
		ev->signal = info->si_signo;
		ev->signal_code = info->si_code;
		if (forced && info->si_signo != SIGSYS)
			ev->fault_address = (__force u64)info->si_addr;
		return true;
	}
	/* There was no memory for what tells who raised these: it may have been the kernel. */
	for (; lost; lost &= lost - 1) {
		int sig = __ffs64(lost) + 1;

		if (sh_fault_counts(p, sig, false)) {
			ev->signal = sig;
			return true;
		}
	}
	return false;
}

void sh_sense_fault(struct sh_member *m)
{
	const struct sh_policy *p = m->domain->policy;
	struct pt_regs *regs = current_pt_regs();
	struct sh_evidence ev = {
		.sensor = SELFHEAL_SENSOR_FAULT,
		.nr = (int)regs->orig_ax,
		.ia32 = in_ia32_syscall(),
		.faulted = true,
	};
	u64 pending = current->pending.signal.sig[0] |
		      READ_ONCE(current->signal->shared_pending.signal.sig[0]);
	struct sighand_struct *sighand;
	bool found;

	if (!(pending & p->fault_mask))
		return;
	sighand = rcu_dereference_protected(current->sighand, true);
	spin_lock_irq(&sighand->siglock);
	found = sh_fault_find(p, &current->pending, &ev) ||
		sh_fault_find(p, &current->signal->shared_pending, &ev);
	spin_unlock_irq(&sighand->siglock);
	if (!found || sh_sense_report(m, &ev, regs))
		return;
	sh_domain_park(m);
	/* Still here: the fault was released. */
	m->may_dump = !fatal_signal_pending(current);
}
