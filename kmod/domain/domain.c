// SPDX-License-Identifier: GPL-2.0
/*
 * The table of domains, their states, freezing and parking. The table is an
 * xarray by id under its own lock; everything else is under domain->lock.
 */
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "../counters.h"
#include "../event.h"
#include "domain.h"
#include "foreign.h"
#include "interest.h"
#include "member.h"
#include "process.h"

static DEFINE_XARRAY(sh_domains);
static atomic64_t sh_domain_ids;
static atomic64_t sh_domain_changes = ATOMIC64_INIT(1);
static atomic_t sh_domain_nr;		/* objects, drained ones included */

const struct sh_domain_ops *sh_domain_ops;

void sh_domain_event(struct sh_domain *d, u8 type)
{
	struct sh_event ev = {
		.type = type,
		.domain = d->id,
		.state = sh_domain_state(d),
	};

	strscpy(ev.policy, d->policy->name, sizeof(ev.policy));
	sh_event_emit(&ev);
}

static void sh_domain_free_work(struct work_struct *work)
{
	struct sh_domain *d = container_of(work, struct sh_domain, release_work);

	sh_domain_ops->quarantine_free(d->quarantine);
	sh_foreign_free(d);
	sh_policy_put(d->policy);
	kfree(d);
	atomic_dec(&sh_domain_nr);
	/* Last: whoever unloads us waits for RCU-tasks, which waits for this return. */
	module_put(THIS_MODULE);
}

/* A member's end may be the last reference, in a context that must not sleep. */
static void sh_domain_release(struct kref *ref)
{
	struct sh_domain *d = container_of(ref, struct sh_domain, ref);

	queue_work(system_unbound_wq, &d->release_work);
}

void sh_domain_put(struct sh_domain *d)
{
	kref_put(&d->ref, sh_domain_release);
}

struct sh_domain *sh_domain_find(u64 id)
{
	struct sh_domain *d;

	xa_lock(&sh_domains);
	d = xa_load(&sh_domains, id);
	if (d)
		sh_domain_hold(d);
	xa_unlock(&sh_domains);
	return d;
}

struct sh_domain *sh_domain_next(u64 *id)
{
	unsigned long i = *id;
	struct sh_domain *d;

	xa_lock(&sh_domains);
	d = xa_find(&sh_domains, &i, ULONG_MAX, XA_PRESENT);
	if (d)
		sh_domain_hold(d);
	xa_unlock(&sh_domains);
	*id = i;
	return d;
}

unsigned int sh_domain_count(void)
{
	unsigned int n = 0;
	unsigned long i;
	void *d;

	xa_for_each(&sh_domains, i, d)
		n++;
	return n;
}

u64 sh_domain_generation(void)
{
	return atomic64_read(&sh_domain_changes);
}

bool sh_domain_set_state(struct sh_domain *d, enum selfheal_domain_state to)
{
	lockdep_assert_held(&d->lock);
	if (!sh_state_may(d->state, to))
		return false;
	WRITE_ONCE(d->state, to);
	sh_domain_event(d, to == SELFHEAL_DOMAIN_STATE_GONE ?
			SELFHEAL_EVENT_TYPE_DOMAIN_GONE : SELFHEAL_EVENT_TYPE_DOMAIN_STATE);
	return true;
}

/*
 * Ask every member to stop. The state is set before the kick: a member that
 * comes to its boundary in between sees it there.
 */
void sh_domain_freeze_locked(struct sh_domain *d)
{
	struct sh_member *m;

	lockdep_assert_held(&d->lock);
	if (!sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_FREEZING))
		return;
	d->freeze_start = ktime_get_ns();
	list_for_each_entry(m, &d->members, node)
		if (m->task != current)
			sh_member_kick(m);
	sh_domain_hold(d);
	if (!queue_work(system_unbound_wq, &d->freeze_work))
		sh_domain_put(d);
}

bool sh_domain_freeze(struct sh_domain *d)
{
	bool did;

	spin_lock(&d->lock);
	did = d->state == SELFHEAL_DOMAIN_STATE_RUNNING;
	if (did)
		sh_domain_freeze_locked(d);
	spin_unlock(&d->lock);
	return did;
}

/*
 * Stopped: parked, dying, or asleep in the kernel with its work queued, so
 * that it cannot reach user mode without parking. Not while its rescue point is
 * half done, for who is stopped may have to go back.
 */
static bool sh_member_stopped(struct sh_member *m)
{
	struct task_struct *t = m->task;

	if (READ_ONCE(m->taking))
		return false;
	return READ_ONCE(m->parked) || (READ_ONCE(t->flags) & PF_EXITING) ||
	       (READ_ONCE(t->__state) != TASK_RUNNING && !READ_ONCE(t->on_cpu));
}

static void sh_domain_freeze_work(struct work_struct *work)
{
	struct sh_domain *d = container_of(work, struct sh_domain, freeze_work);
	struct sh_member *m;
	bool all;

	for (;;) {
		all = true;
		spin_lock(&d->lock);
		if (d->state != SELFHEAL_DOMAIN_STATE_FREEZING) {
			spin_unlock(&d->lock);
			break;
		}
		list_for_each_entry(m, &d->members, node) {
			if (!sh_member_stopped(m)) {
				all = false;
				break;
			}
		}
		if (all && list_empty(&d->births) &&
		    !sh_domain_ops->quarantine_sends(d->quarantine)) {
			d->freeze_ns = ktime_get_ns() - d->freeze_start;
			sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_FROZEN);
			spin_unlock(&d->lock);
			wake_up_all(&d->settled);
			break;
		}
		spin_unlock(&d->lock);
		usleep_range(20, 60);
	}
	sh_domain_put(d);
}

void sh_domain_renamed(struct sh_domain *d, struct task_struct *task)
{
	spin_lock(&d->lock);
	if (task_tgid_nr(task) == d->leader)
		get_task_comm(d->comm, task);
	spin_unlock(&d->lock);
}

static void sh_domain_reap_work(struct work_struct *work)
{
	struct sh_domain *d = container_of(work, struct sh_domain, reap_work);

	sh_member_reap(d);
	sh_domain_put(d);
}

void sh_domain_reap(struct sh_domain *d)
{
	sh_domain_hold(d);
	if (!queue_work(system_unbound_wq, &d->reap_work))
		sh_domain_put(d);
}

static bool sh_domain_unparks(struct sh_member *m)
{
	u8 state = sh_domain_state(m->domain);

	return sh_state_runs(state) || state == SELFHEAL_DOMAIN_STATE_KILLING ||
	       READ_ONCE(m->heal);
}

void sh_domain_park(struct sh_member *m)
{
	struct sh_domain *d = m->domain;

	might_sleep();
	if (sh_state_runs(sh_domain_state(d)))
		return;
	while (!sh_state_runs(sh_domain_state(d)) && !fatal_signal_pending(current) &&
	       sh_domain_state(d) != SELFHEAL_DOMAIN_STATE_KILLING) {
		WRITE_ONCE(m->parked, true);
		atomic_inc(&d->nr_parked);
		wait_event_state(d->unpark, sh_domain_unparks(m),
				 (TASK_KILLABLE | TASK_FREEZABLE));
		atomic_dec(&d->nr_parked);
		WRITE_ONCE(m->parked, false);
		if (READ_ONCE(m->heal) && !fatal_signal_pending(current))
			sh_domain_ops->heal(m);
	}
	m->accused = false;
	if (sh_domain_state(d) == SELFHEAL_DOMAIN_STATE_KILLING)
		send_sig(SIGKILL, current, 1);
}

void sh_domain_stall(struct sh_member *m)
{
	struct sh_domain *d = m->domain;

	might_sleep();
	wait_event_state(d->unpark, sh_state_runs(sh_domain_state(d)) ||
			 sh_domain_state(d) == SELFHEAL_DOMAIN_STATE_KILLING,
			 (TASK_KILLABLE | TASK_FREEZABLE));
}

/* domain->lock held. True when the waiting members are to be woken. */
static bool sh_domain_healed_locked(struct sh_member *m)
{
	struct sh_domain *d = m->domain;

	if (!m->heal)
		return false;
	WRITE_ONCE(m->heal, SH_HEAL_NONE);
	return !--d->healing && d->state == SELFHEAL_DOMAIN_STATE_ROLLING_BACK &&
	       sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_RUNNING);
}

void sh_domain_healed(struct sh_member *m)
{
	struct sh_domain *d = m->domain;
	bool last;

	spin_lock(&d->lock);
	last = sh_domain_healed_locked(m);
	spin_unlock(&d->lock);
	if (last)
		wake_up_all(&d->unpark);
}

struct sh_birth {
	struct list_head node;
	u64 serial;
};

/* Until the domain goes on, or has let go of @m. */
static void sh_birth_wait(struct sh_member *m)
{
	struct sh_domain *d = m->domain;

	wait_event_state(d->unpark, !READ_ONCE(d->dissolving) || READ_ONCE(m->gone),
			 (TASK_KILLABLE | TASK_FREEZABLE));
	sh_domain_park(m);
}

/* False: not now. True with m->forking 0: current is no member any more. */
static bool sh_birth_begin(struct sh_member *m, struct sh_birth *b)
{
	struct sh_domain *d = m->domain;
	bool may;

	spin_lock(&d->lock);
	may = sh_state_runs(d->state) && !d->dissolving;
	if (may && !m->gone) {
		/* Its process takes no point while it forks: the newborn is older than the next one. */
		b->serial = ++d->clock;
		list_add_tail(&b->node, &d->births);
		WRITE_ONCE(m->forking, b->serial);
	}
	may |= m->gone;
	spin_unlock(&d->lock);
	return may;
}

bool sh_domain_birth(struct sh_member *m)
{
	struct sh_birth *b = kmalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	u32 heals = m->heals;

	if (!b)
		return false;
	while (!sh_birth_begin(m, b)) {
		sh_birth_wait(m);
		if (fatal_signal_pending(current) || m->heals != heals) {
			kfree(b);
			return false;
		}
	}
	if (!m->forking)
		kfree(b);
	return true;
}

void sh_domain_birth_over(struct sh_domain *d, u64 serial)
{
	struct sh_birth *b, *found = NULL;
	bool last;

	spin_lock(&d->lock);
	list_for_each_entry(b, &d->births, node) {
		if (b->serial == serial) {
			list_del(&b->node);
			found = b;
			break;
		}
	}
	last = found && sh_domain_empty(d);
	spin_unlock(&d->lock);
	kfree(found);
	if (last)
		sh_domain_check_gone(d);
}

void sh_domain_kill_members(struct sh_domain *d)
{
	struct task_struct *task;
	struct sh_member *m;

	/* One at a time: never signal under our own lock. */
	do {
		task = NULL;
		spin_lock(&d->lock);
		list_for_each_entry(m, &d->members, node) {
			if (!m->killed) {
				m->killed = true;
				task = get_task_struct(m->task);
				break;
			}
		}
		/* Keep the search short: those done go to the end. */
		if (task)
			list_move_tail(&m->node, &d->members);
		spin_unlock(&d->lock);
		if (task) {
			send_sig(SIGKILL, task, 1);
			put_task_struct(task);
		}
	} while (task);
}

void sh_domain_check_gone(struct sh_domain *d)
{
	bool gone;

	if (sh_domain_ops->last_member(d))
		return;
	spin_lock(&d->lock);
	gone = sh_domain_empty(d) && sh_state_may(d->state, SELFHEAL_DOMAIN_STATE_GONE);
	if (gone) {
		/* Before anybody can tell that it has gone: who does may unload the policy at once. */
		atomic_dec(&d->policy->domains);
		xa_erase(&sh_domains, d->id);
		atomic64_inc(&sh_domain_changes);
		sh_domain_set_state(d, SELFHEAL_DOMAIN_STATE_GONE);
	}
	spin_unlock(&d->lock);
	if (!gone)
		return;
	wake_up_all(&d->unpark);
	sh_epoll_end(d);
	sh_domain_ops->gone(d);
	sh_domain_put(d);
}

void sh_domain_told(struct sh_domain *d)
{
	bool last;

	spin_lock(&d->lock);
	d->resolving--;
	last = sh_domain_empty(d);
	spin_unlock(&d->lock);
	if (last)
		sh_domain_check_gone(d);
}

struct sh_domain *sh_domain_new(struct sh_policy *p)
{
	struct sh_domain *d;
	int err;

	if (atomic_inc_return(&sh_domain_nr) > SH_DOMAINS_MAX) {
		atomic_dec(&sh_domain_nr);
		return ERR_PTR(-ENOSPC);
	}
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d) {
		err = -ENOMEM;
		goto out_count;
	}
	kref_init(&d->ref);
	spin_lock_init(&d->lock);
	INIT_LIST_HEAD(&d->members);
	INIT_LIST_HEAD(&d->processes);
	INIT_LIST_HEAD(&d->births);
	INIT_LIST_HEAD(&d->foreign);
	INIT_LIST_HEAD(&d->epolls);
	mutex_init(&d->epolls_lock);
	init_waitqueue_head(&d->unpark);
	init_waitqueue_head(&d->settled);
	INIT_WORK(&d->freeze_work, sh_domain_freeze_work);
	INIT_WORK(&d->reap_work, sh_domain_reap_work);
	INIT_WORK(&d->release_work, sh_domain_free_work);
	d->policy = p;
	d->id = atomic64_inc_return(&sh_domain_ids);
	d->stamp = ktime_get_boottime_ns();
	d->quarantine = sh_domain_ops->quarantine_new(d);
	if (!d->quarantine) {
		err = -ENOMEM;
		goto out_free;
	}
	/* Gets a unit as long as any domain object exists; see sh_domain_free_work(). */
	if (!try_module_get(THIS_MODULE)) {
		err = -ENODEV;
		goto out_quarantine;
	}
	err = xa_err(xa_store(&sh_domains, d->id, d, GFP_KERNEL_ACCOUNT));
	if (err)
		goto out_module;
	kref_get(&p->ref);
	atomic_inc(&p->domains);
	atomic64_inc(&sh_domain_changes);
	sh_domain_event(d, SELFHEAL_EVENT_TYPE_DOMAIN_NEW);
	return d;

out_module:
	module_put(THIS_MODULE);
out_quarantine:
	sh_domain_ops->quarantine_free(d->quarantine);
out_free:
	kfree(d);
out_count:
	atomic_dec(&sh_domain_nr);
	return ERR_PTR(err);
}

void sh_domain_abort(struct sh_domain *d)
{
	sh_domain_check_gone(d);
}

void sh_domain_exit(void)
{
	/* The module reference of each domain object keeps us from here. */
	WARN_ON(atomic_read(&sh_domain_nr));
	xa_destroy(&sh_domains);
}
