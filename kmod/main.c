// SPDX-License-Identifier: GPL-2.0
/* Load and unload: the order of the stages, and how they meet. */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/module.h>

#include "compat/image.h"
#include "compat/symbols.h"
#include "control/control.h"
#include "domain/controller.h"
#include "domain/domain.h"
#include "domain/guard.h"
#include "domain/member.h"
#include "event.h"
#include "gate/hooks.h"
#include "gate/kinds.h"
#include "heal/rescue.h"
#include "heal/rollback.h"
#include "heal/shadow.h"
#include "heal/verdict.h"
#include "incident/incident.h"
#include "quarantine/quarantine.h"

/*
 * The last member is about to end the domain. Output that only a verdict may
 * commit outlives it: the domain stays, without members, until the answer.
 */
static bool sh_last_member(struct sh_domain *d)
{
	const struct sh_evidence ev = { .sensor = SELFHEAL_SENSOR_EXIT, .nr = -1 };
	struct sh_incident *inc;

	if (sh_domain_state(d) != SELFHEAL_DOMAIN_STATE_RUNNING)
		return sh_state_open(sh_domain_state(d)) && READ_ONCE(d->incident) &&
		       d->incident->sensor == SELFHEAL_SENSOR_EXIT;
	if (!sh_quarantine_needs_verdict(d->quarantine))
		return false;
	inc = sh_incident_open(d, NULL, &ev, NULL);
	sh_incident_put(inc);
	return inc;
}

static bool sh_may_join(struct sh_domain *d, struct task_struct *task)
{
	struct sh_misfit bad;

	return !sh_admit(d, task, &bad);
}

static void sh_domain_is_gone(struct sh_domain *d)
{
	/* Died under an incident: what it held never left. Else it may go. */
	sh_verdict_death(d);
	sh_quarantine_kick(d->quarantine);
}

static void sh_member_has_left(struct sh_member *m)
{
	sh_rollback_left(m);
	sh_rescue_left(m);
}

static const struct sh_domain_ops sh_main_domain_ops = {
	.quarantine_new = sh_quarantine_new,
	.quarantine_sends = sh_quarantine_sends,
	.quarantine_free = sh_quarantine_free,
	.last_member = sh_last_member,
	.admits = sh_may_join,
	.heal = sh_rollback_member,
	.left = sh_member_has_left,
	.gone = sh_domain_is_gone,
};

static int __init selfheal_init(void)
{
	int err;

	sh_domain_ops = &sh_main_domain_ops;
	sh_member_exit_hook = sh_quarantine_member_exit;
	sh_verdict_init();

	err = sh_symbols_init();
	if (err)
		return err;
	err = sh_image_init();
	if (err)
		return err;
	err = sh_event_init();
	if (err)
		return err;
	err = sh_member_init();
	if (err)
		goto out_event;
	err = sh_quarantine_init();
	if (err)
		goto out_member;
	err = sh_hooks_init();
	if (err)
		goto out_quarantine;
	err = sh_control_init();
	if (err)
		goto out_hooks;
	return 0;

out_hooks:
	sh_hooks_exit();
out_quarantine:
	sh_quarantine_exit();
out_member:
	sh_member_exit();
out_event:
	sh_event_exit();
	return err;
}

/*
 * Every domain holds a reference on the module, so there is none here, and
 * with it no member, no held output, no parked task and no open incident.
 * (a) no request any more; (b) no policy, so no hook; (c) no task in a hook;
 * (d) memory that waits for a grace period; (e) the rest.
 */
static void __exit selfheal_exit(void)
{
	sh_control_exit();
	sh_policy_exit();
	sh_hooks_exit();
	sh_quarantine_exit();
	sh_incident_exit();
	sh_domain_exit();
	sh_shadow_exit();
	sh_member_exit();
	sh_controller_exit();
	sh_guard_exit();
	sh_event_exit();
}

module_init(selfheal_init);
module_exit(selfheal_exit);

MODULE_DESCRIPTION("Insulated reference monitor: freeze, quarantine, verdict");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
