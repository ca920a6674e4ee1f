// SPDX-License-Identifier: GPL-2.0
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../incident/incident.h"
#include "sense.h"

bool sh_sense_report(struct sh_member *m, const struct sh_evidence *ev, struct pt_regs *regs)
{
	if (sh_policy_observes(m->domain->policy)) {
		sh_incident_observe(m, ev, regs);
		return true;
	}
	m->accused = true;
	sh_incident_put(sh_incident_open(m->domain, m, ev, regs));
	return false;
}
