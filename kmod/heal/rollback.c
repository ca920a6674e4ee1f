// SPDX-License-Identifier: GPL-2.0
/* See rollback.h. */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "../incident/incident.h"
#include "../quarantine/quarantine.h"
#include "point.h"
#include "replay.h"
#include "rescue.h"
#include "rollback.h"

/* How long a domain may take to come to a stop before a rollback is refused. */
#define SH_ROLLBACK_WAIT	(5 * HZ)

/* A thread of @p has executed something since its point, began or ended. domain->lock held. */
static bool sh_moved(const struct sh_process *p)
{
	struct sh_point *point = sh_rescue_point(p);
	struct sh_thread *t;
	struct sh_member *m;

	if (!point)
		return false;
	list_for_each_entry(m, &p->threads, sibling) {
		t = sh_point_thread(point, m);
		if (!t || READ_ONCE(m->accused) || !sh_thread_unchanged(t))
			return true;
	}
	return false;
}

void sh_rollback_forbid(struct sh_domain *d)
{
	struct sh_process *p;

	lockdep_assert_held(&d->lock);
	list_for_each_entry(p, &d->processes, node)
		if (sh_moved(p))
			p->why = SH_POINT_RELEASED;
}

/* The process of @task in @d; domain->lock held. */
static struct sh_process *sh_process_of(struct sh_domain *d, struct task_struct *task)
{
	struct sh_process *p;

	list_for_each_entry(p, &d->processes, node)
		if (p->pid == task_tgid(task))
			return p;
	return NULL;
}

static struct sh_member *sh_first_thread(const struct sh_process *p)
{
	return list_first_entry(&p->threads, struct sh_member, sibling);
}

/*
 * @p has no part in what the sensors saw: it stays where it is,
 * with what its clients have sent and what it is about to answer. One at fault
 * cannot have told it anything since, but by ways that no rollback undoes: its
 * output is held, inside the domain, too. domain->lock held.
 */
static bool sh_innocent(struct sh_domain *d, const struct sh_process *p)
{
	struct sh_point *point = sh_rescue_point(p);
	u64 since = point ? point->clock : sh_first_thread(p)->born;
	bool accused = false;
	struct sh_member *a;

	list_for_each_entry(a, &d->members, node) {
		if (!READ_ONCE(a->accused))
			continue;
		/* Its own, or one that it may have made since, through others perhaps. */
		if (a->process == p || a->born > since)
			return false;
		accused = true;
	}
	return accused;
}

/*
 * An ancestor goes back to a time before @p's birth: nobody would know of
 * it. domain->lock held.
 */
static bool sh_forgotten(struct sh_domain *d, const struct sh_process *p)
{
	struct sh_member *first = sh_first_thread(p);
	struct task_struct *t = first->task;
	struct sh_process *a;
	bool forgotten = false;

	rcu_read_lock();
	while (!forgotten && t->pid) {
		t = rcu_dereference(t->real_parent);
		a = sh_process_of(d, t);
		if (!a)
			break;
		forgotten = sh_moved(a) && !sh_innocent(d, a) && a->point->clock < first->born;
	}
	rcu_read_unlock();
	return forgotten;
}

/* What keeps one thread of @p, which has moved, from going back; domain->lock held. */
static const char *sh_thread_stuck(const struct sh_process *p)
{
	struct sh_member *m;
	struct sh_thread *t;

	list_for_each_entry(m, &p->threads, sibling) {
		t = sh_point_thread(p->point, m);
		if (READ_ONCE(m->task->flags) & PF_EXITING) {
			if (t)
				return sh_point_why_text(SH_POINT_ENDED);
		} else if (t && READ_ONCE(m->task->nsproxy) != t->nsproxy) {
			return "a process of the domain has changed its namespaces since its rescue point";
		}
	}
	return NULL;
}

/* What becomes of @p; domain->lock held. *@why: there is no way back. */
static enum sh_heal sh_heal_of(struct sh_domain *d, const struct sh_process *p, const char **why)
{
	const char *stuck;
	struct sh_member *m;
	bool live = false;

	list_for_each_entry(m, &p->threads, sibling) {
		/* It may be in the middle of a core dump, and comes back from nowhere. */
		if (READ_ONCE(m->task->flags) & PF_SIGNALED &&
		    !(READ_ONCE(m->task->flags) & PF_EXITING)) {
			*why = "a process of the domain is ending by a signal";
			return SH_HEAL_NONE;
		}
		live |= !(READ_ONCE(m->task->flags) & PF_EXITING);
	}
	if (!live)
		return SH_HEAL_NONE;
	if (sh_forgotten(d, p))
		return SH_HEAL_END;
	if (sh_innocent(d, p))
		return SH_HEAL_NONE;
	if (!sh_rescue_point(p)) {
		*why = sh_point_why_text(p->why);
		return SH_HEAL_NONE;
	}
	if (!sh_moved(p))
		return SH_HEAL_NONE;
	stuck = sh_thread_stuck(p);
	if (stuck)
		*why = stuck;
	return stuck ? SH_HEAL_NONE : SH_HEAL_BACK;
}

/* Reasons that concern the domain as a whole. domain->lock held. */
static const char *sh_no_way_back(struct sh_domain *d)
{
	struct sh_process *p;
	const char *why = NULL;

	if (!d->policy->rescue)
		return "the policy takes no rescue points";
	if (!d->nr_members)
		return "no process of the domain is left";
	list_for_each_entry(p, &d->processes, node) {
		sh_heal_of(d, p, &why);
		if (why)
			break;
	}
	return why;
}

/* A member that sleeps in a call is not awaited: the call ends. domain->lock held. */
static void sh_mark(struct sh_domain *d, struct sh_member *m, enum sh_heal heal)
{
	WRITE_ONCE(m->heal, heal);
	if (heal == SH_HEAL_NONE)
		return;
	d->healing++;
	if (!READ_ONCE(m->parked))
		sh_member_interrupt(m);
}

/* Its threads go back, or end. domain->lock held. */
static void sh_mark_process(struct sh_domain *d, struct sh_process *p)
{
	bool back = p->healing == SH_HEAL_BACK;
	struct sh_member *m;
	enum sh_heal heal;

	if (back) {
		/* From here on the rollback's own: nobody else drops it. */
		p->back = p->point;
		p->point = NULL;
		p->why = SH_POINT_USED;
		p->restored = false;
		p->failed = false;
		p->ending = false;
		p->arriving = 0;
		p->restoring = 0;
	}
	list_for_each_entry(m, &p->threads, sibling) {
		heal = p->healing;
		if (READ_ONCE(m->task->flags) & PF_EXITING)
			heal = SH_HEAL_NONE;
		else if (back && !sh_point_thread(p->back, m))
			heal = SH_HEAL_LEAVE;
		m->poisoned = m->accused;
		m->arrived = !back || heal == SH_HEAL_NONE;
		p->arriving += !m->arrived;
		/* One that leaves may have to put back what all of them share. */
		m->restoring = back && heal != SH_HEAL_NONE;
		p->restoring += m->restoring;
		p->ending |= back && heal != SH_HEAL_BACK;
		sh_mark(d, m, heal);
	}
	/* All have died since they were judged: their end takes the point, too. */
	if (back && !p->restoring)
		swap(p->point, p->back);
}

/* domain->lock held. */
static void sh_mark_all(struct sh_domain *d, struct list_head *drop, u64 *bytes)
{
	const char *why = NULL;
	struct sh_process *p;
	struct sh_member *m;

	/* All are judged by what they were, before the first one is marked. */
	list_for_each_entry(p, &d->processes, node)
		p->healing = sh_heal_of(d, p, &why);
	list_for_each_entry(m, &d->members, node)
		if (m->process->healing != SH_HEAL_NONE || !sh_innocent(d, m->process))
			*bytes += sh_quarantine_undo(d->quarantine, m, drop);
	list_for_each_entry(p, &d->processes, node)
		sh_mark_process(d, p);
}

int sh_rollback(struct sh_incident *inc, u8 by, int error, const char **why)
{
	struct sh_domain *d = sh_domain_find(inc->domain_id);
	LIST_HEAD(drop);
	int err = 0;

	*why = NULL;
	if (!d)
		return -EALREADY;
	/* Who still runs has no state to go back from. */
	wait_event_timeout(d->settled, sh_domain_state(d) != SELFHEAL_DOMAIN_STATE_FREEZING,
			   SH_ROLLBACK_WAIT);
	spin_lock(&d->lock);
	if (d->incident != inc)
		err = -EALREADY;
	else if (d->state != SELFHEAL_DOMAIN_STATE_FROZEN)
		err = -EBUSY;
	else
		*why = sh_no_way_back(d);
	if (*why)
		err = -ENOTRECOVERABLE;
	if (!err) {
		d->heal_error = error;
		inc->dropped_bytes = 0;
		sh_mark_all(d, &drop, &inc->dropped_bytes);
		sh_incident_close_locked(d, SELFHEAL_VERDICT_ROLLBACK, by);
		sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_ROLLING_BACK);
		if (!d->healing)
			sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_RUNNING);
		/* A rollback that ends all of them is told before that end. */
		d->resolving++;
	}
	spin_unlock(&d->lock);
	if (!err) {
		sh_count(SH_C_rollbacks);
		sh_quarantine_undone(d->quarantine, &drop);
		wake_up_all(&d->unpark);
		sh_incident_resolved(inc);
		sh_domain_told(d);
	}
	sh_domain_put(d);
	return err;
}

/* Neither here nor there: nothing of the domain may go on. */
static void sh_rollback_failed(struct sh_domain *d)
{
	bool kill;

	sh_count(SH_C_rollbacks_failed);
	spin_lock(&d->lock);
	kill = sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_KILLING);
	spin_unlock(&d->lock);
	if (!kill)
		return;
	sh_quarantine_drop(d->quarantine);
	wake_up_all(&d->unpark);
	sh_domain_kill_members(d);
}

/* @m is inside no call any more. True for the last thread that goes back or leaves. */
static bool sh_arrived(struct sh_member *m)
{
	struct sh_process *p = m->process;
	bool last = false;

	spin_lock(&m->domain->lock);
	if (!m->arrived) {
		m->arrived = true;
		last = !--p->arriving && !p->failed;
	}
	spin_unlock(&m->domain->lock);
	return last;
}

/* @m needs the point no more: it has its own state back, or never will. The last one gives it up. */
static void sh_restored(struct sh_member *m)
{
	struct sh_process *p = m->process;
	struct sh_point *used = NULL;

	spin_lock(&m->domain->lock);
	if (m->restoring) {
		m->restoring = false;
		if (!--p->restoring) {
			used = p->back;
			p->back = NULL;
			p->heals++;
			if (!p->failed && sh_rescue_reuse(m, used))
				used = NULL;
		}
	}
	spin_unlock(&m->domain->lock);
	sh_point_free(used);
}

/* What the threads of @m's process share goes back once, when none is inside a call. */
static void sh_process_back(struct sh_member *m)
{
	struct sh_process *p = m->process;

	if (!sh_arrived(m))
		return;
	sh_replay_plan(p->back);
	if (sh_point_restore_shared(p->back, m->domain, !p->ending))
		WRITE_ONCE(p->failed, true);
	/* Pairs with the look of those who wait. */
	smp_store_release(&p->restored, true);
	wake_up_all(&m->domain->unpark);
}

static void sh_member_back(struct sh_member *m)
{
	struct sh_process *p = m->process;
	struct sh_domain *d = m->domain;
	struct sh_point *back = p->back;
	int err;

	sh_process_back(m);
	/* What the last one has put back is seen with its word for it. */
	err = wait_event_state(d->unpark, smp_load_acquire(&p->restored) || READ_ONCE(p->failed),
			       (TASK_KILLABLE | TASK_FREEZABLE));
	if (!err && READ_ONCE(p->failed))
		err = -ECANCELED;
	if (!err)
		err = sh_point_enter(back);
	if (!err)
		sh_thread_restore(sh_point_thread(back, m), m->poisoned, d->heal_error,
				  SH_FAULT_SIGNALS);
	sh_restored(m);
	m->accused = false;
	m->exec_wait = false;
	m->exec_passes = 0;
	m->configuring = false;
	if (err && !fatal_signal_pending(current))
		sh_rollback_failed(d);
}

static void sh_member_leaves(struct sh_member *m)
{
	/* The state of the others may need one more pair of hands. */
	sh_process_back(m);
	sh_restored(m);
	sh_member_end_thread(m);
}

void sh_rollback_member(struct sh_member *m)
{
	struct sh_domain *d = m->domain;
	LIST_HEAD(drop);

	might_sleep();
	/* A call that was on its way may have put out more. */
	spin_lock(&d->lock);
	sh_quarantine_undo(d->quarantine, m, &drop);
	spin_unlock(&d->lock);
	sh_quarantine_undone(d->quarantine, &drop);
	switch (m->heal) {
	case SH_HEAL_END:
		send_sig(SIGKILL, current, 1);
		break;
	case SH_HEAL_LEAVE:
		sh_member_leaves(m);
		break;
	default:
		sh_member_back(m);
	}
	/* Whatever call the member was in has never been made. */
	m->heals++;
	sh_domain_healed(m);
	/* What was vetted before the freeze may go on. */
	sh_quarantine_kick(d->quarantine);
}

void sh_rollback_left(struct sh_member *m)
{
	struct sh_process *p = m->process;

	spin_lock(&m->domain->lock);
	if (!m->arrived && m->process->arriving) {
		m->arrived = true;
		p->arriving--;
		WRITE_ONCE(p->failed, true);
	}
	spin_unlock(&m->domain->lock);
	sh_restored(m);
	wake_up_all(&m->domain->unpark);
}
