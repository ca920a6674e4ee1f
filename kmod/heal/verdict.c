// SPDX-License-Identifier: GPL-2.0
/*
 * release: the held output commits, the members go on.
 * kill: the held output is dropped, every member gets SIGKILL.
 * rollback: see rollback.c.
 * Each takes effect under the domain's lock at one instant, so that of any
 * number of answers exactly one counts.
 */
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../event.h"
#include "../incident/incident.h"
#include "../quarantine/quarantine.h"
#include "rollback.h"
#include "verdict.h"

/*
 * May @by kill? domain->lock held. People may, always; a deadline or a rule
 * as often as the policy's kill-limit says.
 */
static bool sh_verdict_kill_permit(struct sh_domain *d, u8 by)
{
	struct sh_event ev = {
		.type = SELFHEAL_EVENT_TYPE_KILL_STORM,
		.domain = d->id,
		.incident = d->incident->id,
		.sensor = d->incident->sensor,
		.state = sh_domain_state(d),
	};
	bool begins;

	if (by == SELFHEAL_RESOLVED_BY_CONTROLLER ||
	    !sh_damp_take(&d->policy->kills, ktime_get_boottime_ns(), &begins))
		return true;
	sh_count(SH_C_kills_damped);
	if (begins) {
		strscpy(ev.policy, d->policy->name, sizeof(ev.policy));
		sh_event_emit(&ev);
	}
	return false;
}

int sh_verdict(struct sh_incident *inc, u8 verdict, u8 by)
{
	struct sh_domain *d;
	struct sh_member *m;
	int err = 0;

	if (verdict != SELFHEAL_VERDICT_RELEASE && verdict != SELFHEAL_VERDICT_KILL)
		return -EINVAL;
	/* A resolved incident has no domain; ours cannot go while it is open. */
	d = sh_domain_find(inc->domain_id);
	if (!d)
		return -EALREADY;
	spin_lock(&d->lock);
	if (d->incident != inc) {
		err = -EALREADY;
	} else if (verdict == SELFHEAL_VERDICT_RELEASE) {
		inc->committed_bytes = sh_quarantine_release(d->quarantine);
		sh_rollback_forbid(d);
		sh_incident_close_locked(d, verdict, by);
		sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_RELEASING);
		sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_RUNNING);
	} else if (!sh_verdict_kill_permit(d, by)) {
		err = -EAGAIN;
	} else {
		sh_incident_close_locked(d, verdict, by);
		sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_KILLING);
		list_for_each_entry(m, &d->members, node)
			if (m->task != current)
				sh_member_kick(m);
	}
	d->resolving += !err;
	spin_unlock(&d->lock);
	if (err)
		goto out;

	if (verdict == SELFHEAL_VERDICT_RELEASE) {
		wake_up_all(&d->unpark);
		sh_quarantine_kick(d->quarantine);
	} else {
		inc->dropped_bytes = sh_quarantine_drop(d->quarantine);
		wake_up_all(&d->unpark);
		sh_domain_kill_members(d);
	}
	sh_incident_resolved(inc);
	sh_domain_told(d);
out:
	sh_domain_put(d);
	return err;
}

/* A kill that the limit forbids now is tried again when it may be. */
static u64 sh_verdict_deadline(struct sh_incident *inc)
{
	struct sh_domain *d = sh_domain_find(inc->domain_id);
	u64 again = 0;
	const char *why;
	u8 verdict;
	int err;

	if (!d)
		return 0;
	/* The overflow rule's own verdict, that was put off. */
	verdict = inc->sensor == SELFHEAL_SENSOR_OVERFLOW ? SELFHEAL_VERDICT_KILL :
		  d->policy->default_verdict;
	if (verdict == SELFHEAL_VERDICT_ROLLBACK) {
		err = sh_rollback(inc, SELFHEAL_RESOLVED_BY_DEADLINE,
				  sh_policy_error(d->policy), &why);
		/* Where there is no way back nothing is left but the end. */
		if (err && err != -EALREADY)
			verdict = SELFHEAL_VERDICT_KILL;
	}
	if (verdict != SELFHEAL_VERDICT_ROLLBACK)
		err = sh_verdict(inc, verdict, SELFHEAL_RESOLVED_BY_DEADLINE);
	if (!err)
		sh_count(SH_C_deadlines);
	else if (err == -EAGAIN)
		again = sh_damp_wait(&d->policy->kills, ktime_get_boottime_ns()) ?: 1;
	sh_domain_put(d);
	return again;
}

void sh_verdict_death(struct sh_domain *d)
{
	struct sh_incident *inc;

	spin_lock(&d->lock);
	inc = sh_incident_close_locked(d, SELFHEAL_VERDICT_NONE, SELFHEAL_RESOLVED_BY_DEATH);
	spin_unlock(&d->lock);
	if (!inc)
		return;
	inc->dropped_bytes = sh_quarantine_drop(d->quarantine);
	sh_incident_resolved(inc);
}

void sh_verdict_init(void)
{
	sh_incident_deadline = sh_verdict_deadline;
}
