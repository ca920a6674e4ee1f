// SPDX-License-Identifier: GPL-2.0
/* The syscall sensor: calls that the domain never makes. */
#include <linux/ptrace.h>
#include <linux/sched/signal.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../incident/incident.h"
#include "sense.h"

bool sh_sense_syscall(struct sh_member *m, struct pt_regs *regs, bool ia32)
{
	struct sh_evidence ev = {
		.sensor = SELFHEAL_SENSOR_SYSCALL,
		.nr = regs->orig_ax,
		.ia32 = ia32,
	};

	if (sh_sense_report(m, &ev, regs))
		return true;
	sh_domain_park(m);
	return !fatal_signal_pending(current);
}
