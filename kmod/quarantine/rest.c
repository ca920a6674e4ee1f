// SPDX-License-Identifier: GPL-2.0
/*
 * Producers at rest. Who waits for input commits by himself, on his way to
 * the wait. But a thread may stand still where it waits for no input: stopped
 * by job control or a tracer, or asleep for a lock, a FIFO without a reader,
 * the answer of a seccomp supervisor. If whoever would end that is waiting
 * for its output, neither goes on. So a worker looks: a thread that is
 * stopped, or has slept from one look to the next, is as good as waiting.
 *
 * Not so one that sleeps within its output itself (for room, or a page of
 * it), nor where rescue points are taken: these come with waits only, and
 * nothing may leave that a rollback would forget.
 */
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "quarantine.h"

#define SH_REST_LOOK	(HZ / 10)

/* domain->lock held. Sleeps that no signal ends are the kernel's own business and short. */
static bool sh_member_rests(struct sh_member *m)
{
	struct task_struct *t = m->task;
	u64 switches;

	if (READ_ONCE(m->producing))
		return false;
	if (task_is_stopped(t) || task_is_traced(t))
		return true;
	switches = t->nvcsw + t->nivcsw + 1;
	if (!(READ_ONCE(t->__state) & TASK_INTERRUPTIBLE))
		switches = 0;
	if (switches && m->switches == switches)
		return true;
	m->switches = switches;
	return false;
}

/* What @m had put out before @now needs no wait of it any more; true if there was any. */
static bool sh_rest_quiesce(struct sh_quarantine *q, struct sh_member *m, u64 now)
{
	struct sh_held *h, *next;
	bool any = false;

	spin_lock(&q->lock);
	list_for_each_entry_safe(h, next, &m->held, member_node) {
		if (h->stamp >= now)
			break;
		h->quiesced = true;
		list_del_init(&h->member_node);
		any = true;
	}
	spin_unlock(&q->lock);
	return any;
}

void sh_rest_begin(struct sh_quarantine *q)
{
	if (!q->domain->policy->rescue && !delayed_work_pending(&q->rest))
		queue_delayed_work(sh_quarantine_wq, &q->rest, SH_REST_LOOK);
}

void sh_rest_work(struct work_struct *work)
{
	struct sh_quarantine *q = container_of(to_delayed_work(work), struct sh_quarantine, rest);
	struct sh_domain *d = q->domain;
	bool any = false, left = false;
	struct sh_member *m;
	u64 now;

	/* The domain stays: whoever frees it waits for this work. A release makes all of it due. */
	if (!sh_quarantine_commits(q))
		return;
	spin_lock(&d->lock);
	list_for_each_entry(m, &d->members, node) {
		if (list_empty_careful(&m->held)) {
			m->switches = 0;
			continue;
		}
		/* What it puts out after we have looked is none of what it put out before. */
		now = ktime_get_boottime_ns();
		if (sh_member_rests(m) && sh_rest_quiesce(q, m, now)) {
			sh_count(SH_C_rest_commits);
			any = true;
		}
		left |= !list_empty_careful(&m->held);
	}
	spin_unlock(&d->lock);
	if (any)
		sh_quarantine_kick(q);
	if (left)
		queue_delayed_work(sh_quarantine_wq, &q->rest, SH_REST_LOOK);
}
