// SPDX-License-Identifier: GPL-2.0
/* See gather.h. */
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "gather.h"
#include "point.h"

/*
 * How long a thread waits for the others: longer when there is a point to lose.
 * And how long none does so after that was in vain, each time longer than the last.
 */
#define SH_GATHER_MAX		(HZ / 10)
#define SH_GATHER_MAX_POINT	HZ
#define SH_GATHER_PAUSE		max(HZ / 50, 1)
#define SH_GATHER_PAUSE_MAX	HZ

/* In its wait, off its CPU: its registers are in memory, all of them. */
static bool sh_sibling_waits(const struct sh_member *s)
{
	struct task_struct *t = s->task;

	if (READ_ONCE(t->flags) & PF_EXITING || READ_ONCE(s->back) ||
	    READ_ONCE(t->__state) == TASK_RUNNING)
		return false;
	/* Pairs with the end of its switch, which has stored them. */
	return !smp_load_acquire(&t->on_cpu) && sh_member_waits(s);
}

/* All threads but current @m; those that are about to come back, too, when @kick. */
static bool sh_siblings_wait(struct sh_member *m, bool kick)
{
	struct task_struct *t;
	struct sh_member *s;
	bool all = true;

	rcu_read_lock();
	for_each_thread(current, t) {
		if (t == current || READ_ONCE(t->exit_state))
			continue;
		s = sh_member_get(t);
		all = s && s->process == m->process;
		if (all && kick)
			sh_member_kick(s);
		all = all && sh_sibling_waits(s);
		if (s)
			sh_member_put(s);
		if (!all)
			break;
	}
	rcu_read_unlock();
	return all;
}

/*
 * The point has current @m and all others in the waits that they are in now. Who
 * shares a point with one that has left its wait since would take input while
 * that one works on its own, and nobody could tell which of the two is poison.
 */
static bool sh_covered(struct sh_member *m)
{
	const struct sh_process *p = m->process;
	const struct sh_member *s;
	const struct sh_thread *t;
	bool covered;

	spin_lock(&m->domain->lock);
	covered = p->why == SH_POINT_VALID && p->point;
	list_for_each_entry(s, &p->threads, sibling) {
		if (!covered)
			break;
		t = sh_point_thread(p->point, s);
		covered = t && t->syscalls == READ_ONCE(s->syscalls);
	}
	spin_unlock(&m->domain->lock);
	return covered;
}

/* Become the one that takes the point, within *@limit jiffies. */
static int sh_gather_turn(struct sh_member *m, unsigned long *limit)
{
	struct sh_process *p = m->process;
	struct sh_domain *d = m->domain;
	bool mine = false;
	int err = 0;

	while (!err && !mine) {
		err = wait_event_state(p->turn, !READ_ONCE(p->taker),
				       (TASK_KILLABLE | TASK_FREEZABLE));
		if (err)
			return -ERESTARTNOINTR;
		spin_lock(&d->lock);
		if (!sh_state_runs(d->state) || m->gone)
			err = -EAGAIN;
		else if (time_before(jiffies, p->retry))
			err = -EBUSY;
		mine = !err && !p->taker;
		if (mine) {
			p->taker = m;
			*limit = p->point && p->why == SH_POINT_VALID ? SH_GATHER_MAX_POINT :
									SH_GATHER_MAX;
		}
		spin_unlock(&d->lock);
	}
	return err;
}

static void sh_gather_still(struct sh_process *p, bool still)
{
	WRITE_ONCE(p->still, still);
	/* Pairs with the work of a member: it sees this, or we see that it is back. */
	smp_mb();
	if (!still)
		wake_up_all(&p->turn);
}

void sh_gather_end(struct sh_member *m)
{
	struct sh_process *p = m->process;

	spin_lock(&m->domain->lock);
	p->taker = NULL;
	spin_unlock(&m->domain->lock);
	sh_gather_still(p, false);
}

int sh_gather(struct sh_member *m)
{
	struct sh_process *p = m->process;
	struct sh_domain *d = m->domain;
	unsigned long limit = 0, end;
	int err = sh_gather_turn(m, &limit);

	if (err)
		return err;
	end = jiffies + limit;
	for (;;) {
		if (sh_siblings_wait(m, false)) {
			if (sh_covered(m)) {
				err = -EALREADY;
				break;
			}
			sh_gather_still(p, true);
			if (sh_siblings_wait(m, true)) {
				p->pause = 0;
				return 0;
			}
			sh_gather_still(p, false);
		}
		if (signal_pending(current))
			err = -ERESTARTNOINTR;
		else if (!sh_state_runs(sh_domain_state(d)) || READ_ONCE(m->gone))
			err = -EAGAIN;
		else if (time_after(jiffies, end))
			err = -EBUSY;
		if (err)
			break;
		usleep_range(20, 60);
	}
	if (err == -EBUSY) {
		p->pause = clamp(2 * p->pause, SH_GATHER_PAUSE, SH_GATHER_PAUSE_MAX);
		p->retry = jiffies + p->pause;
	}
	sh_gather_end(m);
	return err;
}
