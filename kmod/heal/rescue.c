// SPDX-License-Identifier: GPL-2.0
/* See rescue.h. A process's point changes under the domain's lock. */
#include <linux/sched/signal.h>

#include <asm/unistd.h>

#include "../compat/symbols.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/interest.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "../quarantine/quarantine.h"
#include "gather.h"
#include "point.h"
#include "replay.h"
#include "rescue.h"
#include "shadow.h"

/* @n becomes the point of @p, @why tells why there is none. domain->lock held; the old one. */
static struct sh_point *sh_rescue_set_locked(struct sh_domain *d, struct sh_process *p,
					     struct sh_point *n, enum sh_point_why why)
{
	struct sh_point *old = p->point;

	lockdep_assert_held(&d->lock);
	p->point = NULL;
	p->why = why;
	if (n) {
		n->clock = ++d->clock;
		p->point = n;
		p->points++;
	}
	return old;
}

/* All that the process of @m has put out before its waits. domain->lock held. */
static void sh_rescue_vet_locked(struct sh_member *m)
{
	struct sh_member *s;

	list_for_each_entry(s, &m->process->threads, sibling)
		sh_quarantine_vet(m->domain->quarantine, s);
}

/* A thread of @p has left the domain since it was claimed or taken. domain->lock held. */
static bool sh_rescue_lost(struct sh_member *m, const struct sh_point *p)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (p->thread[i]->member->gone)
			return true;
	return m->gone;
}

/*
 * The point and the vetting of the output before it are one step: whoever
 * rolls back sees both or none. What the other threads have put out before
 * their waits is as much a part of it. False: the domain has stopped in the
 * meantime, and @n is not taken. *@old is to be freed.
 */
static bool sh_rescue_commit(struct sh_member *m, struct sh_point *n, enum sh_point_why why,
			     struct sh_point **old)
{
	struct sh_domain *d = m->domain;
	bool runs;

	spin_lock(&d->lock);
	/* One that has left in the meantime takes no more points, nor is in one. */
	runs = sh_state_runs(d->state) && !m->gone && !(n && sh_rescue_lost(m, n));
	if (runs) {
		*old = sh_rescue_set_locked(d, m->process, n, why);
		if (n)
			sh_rescue_vet_locked(m);
		else
			sh_quarantine_vet(d->quarantine, m);
	}
	spin_unlock(&d->lock);
	return runs;
}

void sh_rescue_keep(struct task_struct *half_made)
{
	struct sh_member *m = sh_member_current();

	if (m && m->copying)
		sh_image_keep(&m->copy, half_made);
}

/*
 * A refresh overwrites the point that there is, used or not, so while it lasts there is
 * none: the point leaves the process, and the domain does not come to a stop
 * before it is decided. NULL when there is none to refresh.
 */
static struct sh_point *sh_rescue_claim(struct sh_member *m, enum sh_point_why *why)
{
	struct sh_domain *d = m->domain;
	struct sh_point *last = NULL;

	spin_lock(&d->lock);
	*why = m->process->why;
	if (sh_state_runs(d->state) && !m->gone && m->process->point &&
	    (*why == SH_POINT_VALID || *why == SH_POINT_USED)) {
		last = sh_rescue_set_locked(d, m->process, NULL, SH_POINT_TAKING);
		WRITE_ONCE(m->taking, true);
	}
	spin_unlock(&d->lock);
	return last;
}

/* The claimed point is void, and the output vetted. False: the domain has stopped. */
static bool sh_rescue_void(struct sh_member *m)
{
	struct sh_domain *d = m->domain;
	bool runs;

	spin_lock(&d->lock);
	runs = sh_state_runs(d->state) && !m->gone;
	if (runs)
		sh_rescue_vet_locked(m);
	spin_unlock(&d->lock);
	return runs;
}

/* The claim ends. @p is the point, or there is none; @again: the claimed one, as it was. */
static void sh_rescue_unclaim(struct sh_member *m, struct sh_point *p, enum sh_point_why again)
{
	struct sh_domain *d = m->domain;
	bool lost;

	spin_lock(&d->lock);
	lost = p && sh_rescue_lost(m, p);
	if (lost) {
		m->process->why = SH_POINT_ENDED;
	} else if (again) {
		m->process->point = p;
		m->process->why = again;
	} else if (!m->gone) {
		sh_rescue_set_locked(d, m->process, p, p ? SH_POINT_VALID : SH_POINT_FAILED);
	}
	WRITE_ONCE(m->taking, false);
	spin_unlock(&d->lock);
	if (lost)
		sh_point_free(p);
}

bool sh_rescue_reuse(struct sh_member *m, struct sh_point *used)
{
	struct sh_process *p = m->process;

	lockdep_assert_held(&m->domain->lock);
	if (!used->in_place || p->point || sh_rescue_lost(m, used))
		return false;
	used->in_place = false;
	p->point = used;
	return true;
}

/*
 * Make @p the point, with the memory of the last one brought up to date, and
 * vet the output. False: @p needs a copy. *@last is to be freed.
 */
static bool sh_rescue_renew(struct sh_member *m, struct sh_point *p, struct sh_point **last)
{
	enum sh_point_why why;
	struct sh_point *old = sh_rescue_claim(m, &why);

	if (!old)
		return false;
	if (!sh_shadow_fits(old->shadow, sh_point_kept_mappings(old, p)) || !sh_rescue_void(m)) {
		sh_rescue_unclaim(m, old, why);
		return false;
	}
	*last = old;
	if (sh_shadow_refresh(old->shadow)) {
		sh_count(SH_C_refreshes_failed);
		sh_rescue_unclaim(m, NULL, SH_POINT_NONE);
		return false;
	}
	swap(p->shadow, old->shadow);
	sh_count(SH_C_points);
	sh_count(SH_C_points_refreshed);
	sh_rescue_unclaim(m, p, SH_POINT_NONE);
	return true;
}

/* All of a point but its memory; the threads are together. NULL and *@why. */
static struct sh_point *sh_rescue_begin(struct sh_member *m, enum sh_point_why *why)
{
	struct sh_point *p;

	*why = sh_point_possible();
	if (*why != SH_POINT_VALID)
		return NULL;
	p = sh_point_take(m);
	if (!IS_ERR(p))
		return p;
	sh_count(SH_C_points_failed);
	*why = SH_POINT_FAILED;
	return NULL;
}

/* A copy of all for @p. As above, or ERR_PTR(-ERESTARTNOINTR) when a signal is pending. */
static struct sh_point *sh_rescue_copy(struct sh_member *m, struct sh_point *p,
				       enum sh_point_why *why)
{
	struct sh_shadow *shadow;

	if (!p)
		return NULL;
	*why = sh_point_copyable();
	if (*why != SH_POINT_VALID) {
		sh_point_free(p);
		return NULL;
	}
	m->copying = true;
	shadow = sh_shadow_new(&m->copy);
	m->copying = false;
	if (!IS_ERR(shadow)) {
		p->shadow = shadow;
		sh_count(SH_C_points);
		return p;
	}
	sh_point_free(p);
	if (PTR_ERR(shadow) == -ERESTARTNOINTR || fatal_signal_pending(current))
		return ERR_PTR(-ERESTARTNOINTR);
	sh_count(SH_C_points_failed);
	*why = SH_POINT_FAILED;
	return NULL;
}

/*
 * 0: the point, or its absence, is in force. Errors as those of sh_gather().
 * *@old, and what a refresh has made of *@last, are to be freed.
 */
static int sh_rescue_take(struct sh_member *m, struct sh_point **old, struct sh_point **last)
{
	bool threads = !thread_group_empty(current);
	enum sh_point_why why = SH_POINT_BUSY;
	struct sh_point *p = NULL;
	int err = threads ? sh_gather(m) : 0;
	bool together = threads && !err;

	if (err && err != -EBUSY)
		return err;
	if (err)
		sh_count(SH_C_points_failed);
	else
		p = sh_rescue_begin(m, &why);
	err = 0;
	if (p && sh_rescue_renew(m, p, last))
		goto out;
	p = sh_rescue_copy(m, p, &why);
	err = PTR_ERR_OR_ZERO(p);
	/*
	 * The output is vetted by the wait and goes out in any case, so
	 * without a new point there is none.
	 */
	if (!err && !sh_rescue_commit(m, p, why, old)) {
		sh_point_free(p);
		err = -EAGAIN;
	}
out:
	if (together)
		sh_gather_end(m);
	return err;
}

/* What was closed since these points closes before the wait, not after it. */
static void sh_rescue_discard(struct sh_member *m, struct sh_point *old, struct sh_point *last)
{
	bool closed = sh_point_free(old);

	closed |= sh_point_free(last);
	closed |= sh_epoll_reap(m->domain);
	if (closed)
		sh_task_work_run();
}

bool sh_rescue_wait(struct sh_member *m, struct pt_regs *regs)
{
	struct sh_point *old = NULL, *last = NULL;
	u32 heals = m->heals;
	bool skip = true;
	int err;

	if (regs->orig_ax == __NR_exit || regs->orig_ax == __NR_exit_group)
		return false;
	m->wait_ip = regs->ip;
	m->wait_sp = regs->sp;
	WRITE_ONCE(m->waits, m->syscalls);
	do {
		err = sh_rescue_take(m, &old, &last);
		if (err == -ERESTARTNOINTR) {
			/* Its handler runs first, then the call is made anew. */
			regs->ax = -ERESTARTNOINTR;
			goto out;
		}
		if (err != -EAGAIN)
			break;
		if (READ_ONCE(m->gone)) {
			skip = false;
			goto out;
		}
		sh_domain_park(m);
		if (m->heals != heals || fatal_signal_pending(current))
			goto out;
	} while (true);
	sh_rescue_discard(m, old, last);
	sh_replay_wait(m, regs);
	return m->heals != heals;
out:
	sh_point_free(last);
	return skip;
}

void sh_rescue_exec(struct sh_member *m)
{
	struct sh_point *old;

	spin_lock(&m->domain->lock);
	old = sh_rescue_set_locked(m->domain, m->process, NULL, SH_POINT_EXEC);
	spin_unlock(&m->domain->lock);
	sh_point_free(old);
}

void sh_rescue_left(struct sh_member *m)
{
	struct sh_process *p = m->process;
	struct sh_point *old = NULL;

	spin_lock(&m->domain->lock);
	/* Nobody can bring it back; the last one leaves nothing behind. */
	if (p->point && (list_empty(&p->threads) || sh_point_thread(p->point, m)))
		old = sh_rescue_set_locked(m->domain, p, NULL, SH_POINT_ENDED);
	spin_unlock(&m->domain->lock);
	sh_point_free(old);
}

struct sh_point *sh_rescue_point(const struct sh_process *p)
{
	return p->why == SH_POINT_VALID ? p->point : NULL;
}

bool sh_rescue_info(struct sh_domain *d, unsigned int i, struct sh_rescue_info *info)
{
	struct sh_process *process;
	struct sh_member *m;
	struct sh_point *p;
	bool found = false;

	spin_lock(&d->lock);
	list_for_each_entry(process, &d->processes, node) {
		if (i--)
			continue;
		m = list_first_entry(&process->threads, struct sh_member, sibling);
		info->tid = task_pid_nr(m->task);
		info->pid = task_tgid_nr(m->task);
		p = sh_rescue_point(process);
		info->why = p ? NULL : sh_point_why_text(process->why);
		info->stamp = p ? p->stamp : 0;
		info->nr = p ? p->thread[0]->nr : -1;
		info->taken = process->points;
		info->used = process->heals;
		found = true;
		break;
	}
	spin_unlock(&d->lock);
	return found;
}
