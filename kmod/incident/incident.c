// SPDX-License-Identifier: GPL-2.0
/* The table of incidents, their opening and closing; see incident.h. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../event.h"
#include "../quarantine/quarantine.h"
#include "incident.h"

static DEFINE_XARRAY(sh_incidents);
static atomic64_t sh_incident_ids;
static atomic64_t sh_incident_changes = ATOMIC64_INIT(1);
static atomic_t sh_incident_nr;		/* in the table */
static atomic_t sh_incident_open_nr;

u64 (*sh_incident_deadline)(struct sh_incident *inc);

static void sh_incident_release(struct kref *ref)
{
	struct sh_incident *inc = container_of(ref, struct sh_incident, ref);

	kfree(inc->exe);
	kfree(inc->target);
	kfree(inc->mapping_path);
	kvfree(inc);
}

void sh_incident_put(struct sh_incident *inc)
{
	if (inc)
		kref_put(&inc->ref, sh_incident_release);
}

struct sh_incident *sh_incident_find(u64 id)
{
	struct sh_incident *inc;

	xa_lock(&sh_incidents);
	inc = xa_load(&sh_incidents, id);
	if (inc)
		kref_get(&inc->ref);
	xa_unlock(&sh_incidents);
	return inc;
}

struct sh_incident *sh_incident_next(u64 *id)
{
	unsigned long i = *id;
	struct sh_incident *inc;

	xa_lock(&sh_incidents);
	inc = xa_find(&sh_incidents, &i, ULONG_MAX, XA_PRESENT);
	if (inc)
		kref_get(&inc->ref);
	xa_unlock(&sh_incidents);
	*id = i;
	return inc;
}

unsigned int sh_incident_open_count(void)
{
	return atomic_read(&sh_incident_open_nr);
}

u64 sh_incident_generation(void)
{
	return atomic64_read(&sh_incident_changes);
}

static void sh_incident_event(struct sh_incident *inc, u8 type)
{
	struct sh_event ev = {
		.type = type,
		.domain = inc->domain_id,
		.incident = inc->id,
		.sensor = inc->sensor,
		.verdict = inc->verdict,
		.resolved_by = inc->resolved_by,
	};

	strscpy(ev.policy, inc->policy, sizeof(ev.policy));
	sh_event_emit(&ev);
}

/* Forget the oldest resolved incident when too many are kept. */
static void sh_incident_trim(void)
{
	struct sh_incident *inc, *old = NULL;
	unsigned long i;

	xa_lock(&sh_incidents);
	if (atomic_read(&sh_incident_nr) - atomic_read(&sh_incident_open_nr) >
	    SH_INCIDENTS_KEPT) {
		xa_for_each(&sh_incidents, i, inc) {
			if (inc->resolved_by == SELFHEAL_RESOLVED_BY_NOBODY)
				continue;
			old = __xa_erase(&sh_incidents, i);
			atomic_dec(&sh_incident_nr);
			break;
		}
	}
	xa_unlock(&sh_incidents);
	sh_incident_put(old);
}

/* The timer's references, when it will not run any more. */
static void sh_incident_timer_put(struct sh_incident *inc)
{
	sh_incident_put(inc);
	module_put(THIS_MODULE);
}

static void sh_incident_deadline_work(struct work_struct *work)
{
	struct sh_incident *inc = container_of(to_delayed_work(work), struct sh_incident,
					       deadline_work);
	s64 left = READ_ONCE(inc->deadline_stamp) - ktime_get_boottime_ns();

	/* Jiffies may run ahead of the clock that people read: never early. */
	if (left <= 0) {
		left = sh_incident_deadline(inc);
		if (!left) {
			sh_incident_timer_put(inc);
			return;
		}
		WRITE_ONCE(inc->deadline_stamp, ktime_get_boottime_ns() + left);
	}
	schedule_delayed_work(&inc->deadline_work, nsecs_to_jiffies(left) + 1);
	/* Whoever resolved it just now may have found nothing to cancel yet. */
	if (READ_ONCE(inc->resolved_by) != SELFHEAL_RESOLVED_BY_NOBODY &&
	    cancel_delayed_work(&inc->deadline_work))
		sh_incident_timer_put(inc);
}

static struct sh_incident *sh_incident_alloc(struct sh_domain *d, struct sh_member *m,
					     const struct sh_evidence *ev, struct pt_regs *regs)
{
	struct sh_incident *inc = kvzalloc(sizeof(*inc), GFP_KERNEL);

	if (!inc) {
		sh_count(SH_C_evidence_failed);
		return NULL;
	}
	kref_init(&inc->ref);
	INIT_DELAYED_WORK(&inc->deadline_work, sh_incident_deadline_work);
	inc->id = atomic64_inc_return(&sh_incident_ids);
	inc->stamp = ktime_get_boottime_ns();
	inc->domain_id = d->id;
	strscpy(inc->policy, d->policy->name, sizeof(inc->policy));
	inc->sensor = ev->sensor;
	inc->evidence_count = 1;
	inc->nr = -1;
	if (ev->what) {
		inc->target = kstrdup(ev->what, GFP_KERNEL);
		if (!inc->target)
			sh_count(SH_C_evidence_failed);
	}
	if (m)
		sh_evidence_collect(inc, m, ev, regs);
	return inc;
}

/* Publishes @inc with a reference of the table. */
static int sh_incident_file(struct sh_incident *inc)
{
	int err;

	kref_get(&inc->ref);
	err = xa_err(xa_store(&sh_incidents, inc->id, inc, GFP_KERNEL));
	if (err) {
		sh_incident_put(inc);
		return err;
	}
	atomic_inc(&sh_incident_nr);
	atomic64_inc(&sh_incident_changes);
	return 0;
}

/*
 * No memory for an incident: nobody could answer it, so the kernel takes the
 * safest verdict for a compromised domain at once.
 */
static void sh_incident_fail_closed(struct sh_domain *d)
{
	bool kill;

	spin_lock(&d->lock);
	if (d->state == SELFHEAL_DOMAIN_STATE_RUNNING)
		sh_domain_freeze_locked(d);
	kill = !d->incident && sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_KILLING);
	spin_unlock(&d->lock);
	if (!kill)
		return;
	sh_quarantine_drop(d->quarantine);
	wake_up_all(&d->unpark);
	sh_domain_kill_members(d);
}

struct sh_incident *sh_incident_open(struct sh_domain *d, struct sh_member *m,
				     const struct sh_evidence *ev, struct pt_regs *regs)
{
	struct sh_incident *inc, *open;
	/* Nothing has been seen: who asked hears that it failed, and can ask again. */
	bool asked = ev->sensor == SELFHEAL_SENSOR_MANUAL;
	struct sh_quarantine *q = d->quarantine;
	bool fresh = false;

	might_sleep();
	/* Stop the others first: evidence takes time that a sibling would use. */
	if (!asked)
		sh_domain_freeze(d);
	inc = sh_incident_alloc(d, m, ev, regs);
	if (!inc || sh_incident_file(inc)) {
		sh_incident_put(inc);
		if (!asked)
			sh_incident_fail_closed(d);
		return NULL;
	}
	sh_domain_freeze(d);
	spin_lock(&d->lock);
	open = d->incident;
	if (open) {
		open->evidence_count++;
		kref_get(&open->ref);
	} else if (sh_state_open(d->state)) {
		fresh = true;
		d->incident = inc;
		d->incidents++;
		kref_get(&inc->ref);
		inc->domain = d;
		sh_domain_hold(d);
		inc->held_bytes = READ_ONCE(q->bytes);
		inc->held_entries = READ_ONCE(q->entries);
		inc->deadline_stamp = ktime_get_boottime_ns() +
				      d->policy->deadline_ms * (u64)NSEC_PER_MSEC;
		atomic_inc(&sh_incident_open_nr);
		kref_get(&inc->ref);
		__module_get(THIS_MODULE);
		schedule_delayed_work(&inc->deadline_work,
				      msecs_to_jiffies(d->policy->deadline_ms));
	}
	spin_unlock(&d->lock);

	if (fresh) {
		sh_count(SH_C_incidents);
		sh_incident_event(inc, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN);
		return inc;
	}
	/* A sibling was first, or the domain is on its way out: ours is evidence only. */
	xa_erase(&sh_incidents, inc->id);
	atomic_dec(&sh_incident_nr);
	sh_incident_put(inc);
	sh_incident_put(inc);
	if (open)
		sh_incident_event(open, SELFHEAL_EVENT_TYPE_EVIDENCE);
	return open;
}

void sh_incident_observe(struct sh_member *m, const struct sh_evidence *ev,
			 struct pt_regs *regs)
{
	struct sh_domain *d = m->domain;
	struct sh_incident *inc = sh_incident_alloc(d, m, ev, regs);

	if (!inc)
		return;
	inc->observed = true;
	inc->verdict = SELFHEAL_VERDICT_RELEASE;
	inc->resolved_by = SELFHEAL_RESOLVED_BY_RULE;
	inc->resolved_stamp = inc->stamp;
	sh_count(SH_C_incidents_observed);
	if (!sh_incident_file(inc)) {
		spin_lock(&d->lock);
		d->incidents++;
		spin_unlock(&d->lock);
		sh_incident_event(inc, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN);
		sh_incident_event(inc, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED);
		sh_incident_trim();
	}
	sh_incident_put(inc);
}

struct sh_incident *sh_incident_close_locked(struct sh_domain *d, u8 verdict, u8 by)
{
	struct sh_incident *inc = d->incident;

	lockdep_assert_held(&d->lock);
	if (!inc)
		return NULL;
	d->incident = NULL;
	inc->verdict = verdict;
	WRITE_ONCE(inc->resolved_by, by);
	inc->resolved_stamp = ktime_get_boottime_ns();
	inc->freeze_ns = d->freeze_ns;
	atomic_dec(&sh_incident_open_nr);
	return inc;
}

void sh_incident_resolved(struct sh_incident *inc)
{
	struct sh_domain *d = inc->domain;

	/* Pending: it will not run, its references are ours. */
	if (cancel_delayed_work(&inc->deadline_work))
		sh_incident_timer_put(inc);
	inc->domain = NULL;
	atomic64_inc(&sh_incident_changes);
	sh_incident_event(inc, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED);
	sh_incident_put(inc);		/* the domain's */
	sh_domain_put(d);
	sh_incident_trim();
}

void sh_incident_exit(void)
{
	struct sh_incident *inc;
	unsigned long i;

	xa_for_each(&sh_incidents, i, inc)
		sh_incident_put(inc);
	xa_destroy(&sh_incidents);
}
