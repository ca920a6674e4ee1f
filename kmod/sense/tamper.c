// SPDX-License-Identifier: GPL-2.0
/*
 * The tamper sensor: a member reaches for the monitor or for the kernel under
 * it. Always refused unless the policy passes or observes it; told once a
 * second for each domain and kind, since a flood of events would push the
 * others out of the ring.
 */
#include <linux/jiffies.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/thread_info.h>

#include <asm/syscall.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../event.h"
#include "../incident/incident.h"
#include "sense.h"

/*
 * A leaf, irqs off: taps come here under task_lock() and tasklist_lock, so
 * domain->lock must not be taken.
 */
static DEFINE_SPINLOCK(sh_tamper_lock);

/* The first of its kind for a second? Any context but NMI. */
static bool sh_tamper_due(struct sh_domain *d, const char *what)
{
	struct sh_tamper_damp *slot;
	unsigned long flags;
	bool due;
	int i;

	spin_lock_irqsave(&sh_tamper_lock, flags);
	for (i = 0; i < SH_TAMPER_KINDS - 1; i++)
		if (!d->tamper[i].what || !strcmp(d->tamper[i].what, what))
			break;
	slot = &d->tamper[i];
	due = !slot->what || time_after_eq(jiffies, slot->next);
	if (due) {
		slot->what = what;
		slot->next = jiffies + HZ;
	}
	spin_unlock_irqrestore(&sh_tamper_lock, flags);
	return due;
}

static void sh_tamper_event(struct sh_domain *d, const char *what)
{
	struct sh_event ev = {
		.type = SELFHEAL_EVENT_TYPE_TAMPER,
		.domain = d->id,
		.state = sh_domain_state(d),
		.sensor = SELFHEAL_SENSOR_TAMPER,
		.tid = task_pid_nr(current),
		.nr = current_pt_regs()->orig_ax,
	};

	strscpy(ev.policy, d->policy->name, sizeof(ev.policy));
	strscpy(ev.what, what, sizeof(ev.what));
	sh_event_emit(&ev);
}

static void sh_tamper_report(struct sh_member *m, struct pt_regs *regs, const char *what)
{
	const struct sh_evidence ev = {
		.sensor = SELFHEAL_SENSOR_TAMPER,
		.nr = regs->orig_ax,
		.ia32 = in_ia32_syscall(),
		.what = what,
	};

	if (!sh_sense_report(m, &ev, regs))
		sh_domain_park(m);
}

/* What both ways in have in common. True: refuse; *@report: there is an incident in it. */
static bool sh_tamper_judge(struct sh_member *m, const char *what, bool *report)
{
	const struct sh_policy *p = m->domain->policy;
	bool due;

	*report = false;
	if (p->tamper == SELFHEAL_TAMPER_ACTION_PASS)
		return false;
	due = sh_tamper_due(m->domain, what);
	if (sh_policy_observes(p)) {
		*report = due;
		return false;
	}
	sh_count(SH_C_tampers);
	if (due)
		sh_tamper_event(m->domain, what);
	*report = p->tamper == SELFHEAL_TAMPER_ACTION_FREEZE;
	return true;
}

bool sh_sense_tamper(struct sh_member *m, struct pt_regs *regs, const char *what)
{
	bool report, refuse = sh_tamper_judge(m, what, &report);

	if (report)
		sh_tamper_report(m, regs, what);
	return refuse;
}

bool sh_sense_tamper_tap(struct sh_member *m, const char *what)
{
	bool report, refuse = sh_tamper_judge(m, what, &report);

	if (report) {
		m->tampered = what;
		set_thread_flag(TIF_UPROBE);	/* lineage.c hears of it */
	}
	return refuse;
}

void sh_sense_tamper_boundary(struct sh_member *m, struct pt_regs *regs)
{
	const char *what = m->tampered;

	if (!what)
		return;
	m->tampered = NULL;
	sh_tamper_report(m, regs, what);
}
