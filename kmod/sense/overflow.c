// SPDX-License-Identifier: GPL-2.0
/* The overflow rule kill: an incident that answers itself. */
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>

#include <asm/syscall.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../heal/verdict.h"
#include "../incident/incident.h"
#include "sense.h"

void sh_sense_overflow(struct sh_member *m)
{
	struct pt_regs *regs = current_pt_regs();
	struct sh_evidence ev = {
		.sensor = SELFHEAL_SENSOR_OVERFLOW,
		.nr = regs->orig_ax,
		.ia32 = in_ia32_syscall(),
	};
	struct sh_incident *inc = sh_incident_open(m->domain, m, &ev, regs);

	if (!inc)
		return;
	/*
	 * Too many kills: frozen, for a controller or the deadline. The freeze
	 * asks all but its causer to stop, who parks when this call is over.
	 */
	if (sh_verdict(inc, SELFHEAL_VERDICT_KILL, SELFHEAL_RESOLVED_BY_RULE) == -EAGAIN)
		sh_member_kick(m);
	sh_incident_put(inc);
}
