// SPDX-License-Identifier: GPL-2.0
/*
 * The watch: twice a second, does every installed hook still fire? Whoever
 * rewrites the kernel's text, or makes ftrace give up, must not leave domains
 * that only look protected: those that need the hook are frozen.
 */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/printk.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../event.h"
#include "../incident/incident.h"
#include "hooks.h"
#include "watch.h"

#define SH_WATCH_PERIOD	(HZ / 2)

static void sh_watch_lost(const char *symbol, const char *lost)
{
	struct sh_event ev = { .type = SELFHEAL_EVENT_TYPE_HOOK_LOST };

	pr_err("the hook on %s does not fire any more: %s\n", symbol, lost);
	sh_count(SH_C_hooks_lost);
	strscpy(ev.hook, symbol, sizeof(ev.hook));
	sh_event_emit(&ev);
}

/*
 * At each look, not only at the first: a domain that was made or released
 * since is as unprotected. Observing policies protect nothing.
 */
static void sh_watch_freeze(const struct sh_hooks_lost *lost)
{
	struct sh_evidence ev = { .sensor = SELFHEAL_SENSOR_TAMPER, .nr = -1 };
	struct sh_domain *d;
	u64 id = 0;
	int g;

	for (; (d = sh_domain_next(&id)); id++) {
		for (g = 0; g < SH_HOOK_GROUPS; g++)
			if (lost->symbol[g] && (d->policy->hooks & BIT(g)))
				break;
		if (g < SH_HOOK_GROUPS && !sh_policy_observes(d->policy) &&
		    sh_domain_state(d) == SELFHEAL_DOMAIN_STATE_RUNNING) {
			ev.what = lost->symbol[g];
			sh_incident_put(sh_incident_open(d, NULL, &ev, NULL));
		}
		sh_domain_put(d);
	}
}

static void sh_watch_look(struct work_struct *work)
{
	struct sh_hooks_lost lost = { };

	if (!sh_hooks_look(&lost, sh_watch_lost))
		return;
	if (lost.any)
		sh_watch_freeze(&lost);
	sh_watch_start();
}

static DECLARE_DELAYED_WORK(sh_watch_work, sh_watch_look);

void sh_watch_start(void)
{
	queue_delayed_work(system_unbound_wq, &sh_watch_work, SH_WATCH_PERIOD);
}

void sh_watch_stop(void)
{
	cancel_delayed_work_sync(&sh_watch_work);
}
