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

/* How long a thread waits for the others, and how long none does so after that was in vain. */
#define SH_GATHER_MAX	(HZ / 10)
#define SH_GATHER_PAUSE	HZ

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

/* A point that was taken since @m came to this wait has its state in it. domain->lock held. */
static bool sh_covered(const struct sh_member *m)
{
	const struct sh_process *p = m->process;
	const struct sh_thread *t;

	if (p->why != SH_POINT_VALID || !p->point)
		return false;
	t = sh_point_thread(p->point, m);
	return t && t->syscalls == m->syscalls;
}

/* Become the one that takes the point. */
static int sh_gather_turn(struct sh_member *m)
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
		else if (sh_covered(m))
			err = -EALREADY;
		else if (time_before(jiffies, p->retry))
			err = -EBUSY;
		mine = !err && !p->taker;
		if (mine)
			p->taker = m;
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
	unsigned long end = jiffies + SH_GATHER_MAX;
	struct sh_process *p = m->process;
	struct sh_domain *d = m->domain;
	int err = sh_gather_turn(m);

	if (err)
		return err;
	for (;;) {
		if (sh_siblings_wait(m, false)) {
			sh_gather_still(p, true);
			if (sh_siblings_wait(m, true))
				return 0;
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
	if (err == -EBUSY)
		p->retry = jiffies + SH_GATHER_PAUSE;
	sh_gather_end(m);
	return err;
}
