// SPDX-License-Identifier: GPL-2.0
/*
 * Letting output go: what is due, in order per object, by the producing
 * thread itself at its wait where possible (then credentials, pid and
 * accounting are as they would have been), else by a worker.
 *
 * The rule is output commit (Strom and Yemini, 1985): nothing leaves before
 * the state that produced it has been vetted.
 */
#include <linux/file.h>
#include <linux/list_sort.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "../compat/symbols.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "quarantine.h"

#define SH_RETRY_MIN	1	/* jiffies */
#define SH_RETRY_MAX	(HZ / 20)

struct workqueue_struct *sh_quarantine_wq;

/* Held output may leave at all: no incident is open, and none ended in a kill. */
bool sh_quarantine_commits(struct sh_quarantine *q)
{
	return sh_state_runs(sh_domain_state(q->domain)) && !READ_ONCE(q->killed);
}

/* Lock held. *@wait becomes the shortest time in ms until a delay is over. */
static bool sh_held_due(struct sh_quarantine *q, struct sh_held *h, u64 *wait)
{
	const struct sh_policy *p = q->domain->policy;
	u64 ready, now;

	if (h->due)
		return true;
	if (!p->commit || !h->quiesced)
		return false;
	if (!(p->commit & SELFHEAL_COMMIT_DELAY))
		return true;
	ready = h->stamp + p->commit_delay_ms * (u64)NSEC_PER_MSEC;
	now = ktime_get_boottime_ns();
	if (now >= ready)
		return true;
	*wait = min(*wait, div_u64(ready - now, NSEC_PER_MSEC) + 1);
	return false;
}

/* Lock held. Whether the entry behind @h, the first of @o, can leave now, too. */
static bool sh_held_more(struct sh_quarantine *q, struct sh_object *o, struct sh_held *h)
{
	u64 wait = U64_MAX;

	return !list_is_last(&h->object_node, &o->entries) &&
	       sh_held_due(q, list_next_entry(h, object_node), &wait);
}

static int sh_held_send(struct sh_held *h, bool more)
{
	int err;

	switch (h->object->channel) {
	case SELFHEAL_CHANNEL_SOCKET:
		err = sh_socket_send(h, more);
		break;
	case SELFHEAL_CHANNEL_PIPE:
		err = sh_pipe_send(h);
		break;
	default:
		err = sh_tty_send(h);
		break;
	}
	/* Want of memory passes; a stream must not lose a part of itself by it. */
	return err == -ENOMEM || err == -ENOBUFS ? -EAGAIN : err;
}

/*
 * Send what is due on @o. The caller has set o->busy (its ownership) and
 * gives it up here. True when the object could not take more now; *@wait as
 * above; *@closed when the program had closed the object.
 */
static bool sh_object_pump(struct sh_quarantine *q, struct sh_object *o, u64 *wait, bool *closed)
{
	bool blocked = false, sent = false, more;
	struct sh_held *h;
	u32 gone;
	int err;

	for (;;) {
		spin_lock(&q->lock);
		q->sending -= sent;
		sent = false;
		h = list_first_entry_or_null(&o->entries, struct sh_held, object_node);
		if (h && q->killed) {
			q->dropped += h->len - h->off;
			q->committed += h->off;
			sh_count_add(SH_C_dropped_bytes, h->len - h->off);
			sh_held_unlink(q, h);
			spin_unlock(&q->lock);
			sh_held_free(h);
			continue;
		}
		if (!h || blocked || !sh_quarantine_commits(q) ||
		    !sh_held_due(q, h, wait)) {
			if (o->again && !blocked && h) {
				o->again = false;
				spin_unlock(&q->lock);
				continue;
			}
			o->again = false;
			o->busy = false;
			sh_object_unuse(q, o);
			spin_unlock(&q->lock);
			return blocked;
		}
		/* From the look at the state to the end of the send: no freeze is complete. */
		q->sending++;
		sent = true;
		more = sh_held_more(q, o, h);
		spin_unlock(&q->lock);

		err = sh_held_send(h, more);
		if (err == -EAGAIN) {
			blocked = true;
			continue;
		}
		/* What the object refused for good has left nowhere. */
		gone = err ? h->off : h->len;
		if (err)
			sh_count(SH_C_commit_errors);
		sh_count_add(SH_C_committed_bytes, gone);
		spin_lock(&q->lock);
		q->sending--;
		sent = false;
		q->committed += gone;
		q->dropped += h->len - gone;
		q->backoff = 0;
		sh_held_unlink(q, h);
		spin_unlock(&q->lock);
		if (closed && file_count(h->file) == 1)
			*closed = true;
		sh_held_free(h);
		if (wq_has_sleeper(&q->room))
			wake_up_interruptible(&q->room);
		sh_starved_wake(q, false);
	}
}

static void sh_quarantine_again(struct sh_quarantine *q, bool blocked, u64 wait)
{
	unsigned long delay;

	if (blocked) {
		sh_count(SH_C_commit_retries);
		delay = clamp_t(unsigned long, READ_ONCE(q->backoff) * 2, SH_RETRY_MIN,
				SH_RETRY_MAX);
		WRITE_ONCE(q->backoff, delay);
		mod_delayed_work(sh_quarantine_wq, &q->work, delay);
	} else if (wait != U64_MAX) {
		delay = msecs_to_jiffies(wait);
		queue_delayed_work(sh_quarantine_wq, &q->work, delay);
	}
}

static int sh_object_older(void *priv, const struct list_head *a, const struct list_head *b)
{
	struct sh_object *x = container_of(a, struct sh_object, todo);
	struct sh_object *y = container_of(b, struct sh_object, todo);
	struct sh_held *h, *g;

	h = list_first_entry_or_null(&x->entries, struct sh_held, object_node);
	g = list_first_entry_or_null(&y->entries, struct sh_held, object_node);
	return h && g && h->seq > g->seq;
}

void sh_quarantine_work(struct work_struct *work)
{
	struct sh_quarantine *q = container_of(to_delayed_work(work), struct sh_quarantine, work);
	struct sh_object *o, *pick;
	bool blocked = false;
	u64 wait = U64_MAX;
	LIST_HEAD(todo);
	int bkt;

	/* The domain stays: whoever frees it waits for this work. */
	spin_lock(&q->lock);
	hash_for_each(q->objects, bkt, o, hash) {
		if (o->users || !list_empty(&o->todo))
			continue;	/* its user will pump it */
		o->users++;
		list_add_tail(&o->todo, &todo);
	}
	/* As far as one can: in the order in which the program put it out. */
	list_sort(NULL, &todo, sh_object_older);
	while (!list_empty(&todo)) {
		pick = list_first_entry(&todo, struct sh_object, todo);
		list_del_init(&pick->todo);
		pick->users--;
		if (pick->busy) {
			pick->again = true;
			continue;
		}
		pick->busy = true;
		spin_unlock(&q->lock);
		blocked |= sh_object_pump(q, pick, &wait, NULL);
		spin_lock(&q->lock);
	}
	spin_unlock(&q->lock);
	sh_quarantine_again(q, blocked, wait);
}

void sh_quarantine_kick(struct sh_quarantine *q)
{
	mod_delayed_work(sh_quarantine_wq, &q->work, 0);
}

/*
 * The program has closed an object that we keep open: no event of it may
 * reach the program's epoll sets, whose data pointer may be stale.
 */
static void sh_quarantine_forget_closed(struct sh_quarantine *q)
{
	struct file *file = NULL;
	struct sh_object *o;
	struct sh_held *h;
	int bkt, left = 64;

	while (left--) {
		file = NULL;
		spin_lock(&q->lock);
		hash_for_each(q->objects, bkt, o, hash) {
			h = list_first_entry_or_null(&o->entries, struct sh_held, object_node);
			if (o->channel == SELFHEAL_CHANNEL_SOCKET && h &&
			    READ_ONCE(h->file->f_ep) && file_count(h->file) <= o->files &&
			    !hlist_empty(READ_ONCE(h->file->f_ep))) {
				file = get_file(h->file);
				break;
			}
		}
		spin_unlock(&q->lock);
		if (!file)
			return;
		sh_eventpoll_release(file);
		fput(file);
	}
}

void sh_quarantine_quiesce(struct sh_member *m)
{
	struct sh_quarantine *q = m->domain->quarantine;
	bool blocked = false, closed = false;
	u64 wait = U64_MAX;
	struct sh_object *o;
	struct sh_held *h;
	LIST_HEAD(todo);

	might_sleep();
	spin_lock(&q->lock);
	if (!sh_quarantine_commits(q)) {
		spin_unlock(&q->lock);
		return;
	}
	while (!list_empty(&m->held)) {
		h = list_first_entry(&m->held, struct sh_held, member_node);
		h->quiesced = true;
		list_del_init(&h->member_node);
		o = h->object;
		if (list_empty(&o->todo)) {
			o->users++;
			list_add_tail(&o->todo, &todo);
		} else {
			o->again = true;
		}
	}
	m->committing = true;
	while (!list_empty(&todo)) {
		o = list_first_entry(&todo, struct sh_object, todo);
		list_del_init(&o->todo);
		o->users--;
		if (o->busy) {
			o->again = true;
			continue;
		}
		o->busy = true;
		spin_unlock(&q->lock);
		blocked |= sh_object_pump(q, o, &wait, &closed);
		spin_lock(&q->lock);
	}
	spin_unlock(&q->lock);
	m->committing = false;
	sh_quarantine_again(q, blocked, wait);
	/* A close that we delayed takes effect before the wait, not after it. */
	if (closed)
		sh_task_work_run();
	if (!sh_quarantine_idle(q))
		sh_quarantine_forget_closed(q);
}

void sh_quarantine_member_exit(struct sh_member *m)
{
	struct sh_quarantine *q = m->domain->quarantine;
	struct sh_held *h, *next;
	bool any = false;

	spin_lock(&q->lock);
	list_for_each_entry_safe(h, next, &m->held, member_node) {
		h->quiesced = true;
		list_del_init(&h->member_node);
		any = true;
	}
	/* Its last call may have been in the midst of taking when a kill dropped the others. */
	any |= q->killed && !list_empty(&q->log);
	spin_unlock(&q->lock);
	if (any)
		sh_quarantine_kick(q);
}

bool sh_quarantine_sends(struct sh_quarantine *q)
{
	bool sends;

	/* Who takes the lock after us sees the state that made the caller ask. */
	spin_lock(&q->lock);
	sends = q->sending;
	spin_unlock(&q->lock);
	return sends;
}

u64 sh_quarantine_release(struct sh_quarantine *q)
{
	struct sh_held *h;
	u64 bytes = 0;

	spin_lock(&q->lock);
	list_for_each_entry(h, &q->log, log) {
		h->due = true;
		list_del_init(&h->member_node);
		bytes += h->len - h->off;
	}
	spin_unlock(&q->lock);
	return bytes;
}

u64 sh_quarantine_drop(struct sh_quarantine *q)
{
	struct sh_held *h, *next;
	struct sh_object *o;
	LIST_HEAD(drop);
	u64 bytes = 0;

	spin_lock(&q->lock);
	q->killed = true;
	list_for_each_entry_safe(h, next, &q->log, log) {
		o = h->object;
		/* The head of a pumped object is being sent: its owner drops the rest. */
		if (o->busy && h == list_first_entry(&o->entries, struct sh_held, object_node))
			continue;
		bytes += h->len - h->off;
		q->committed += h->off;
		sh_held_unlink(q, h);
		list_add_tail(&h->log, &drop);
		sh_object_unuse(q, o);
	}
	q->dropped += bytes;
	spin_unlock(&q->lock);
	sh_count_add(SH_C_dropped_bytes, bytes);

	list_for_each_entry_safe(h, next, &drop, log)
		sh_held_free(h);
	sh_quarantine_kick(q);
	wake_up_interruptible(&q->room);
	sh_starved_wake(q, true);
	return bytes;
}

void sh_quarantine_vet(struct sh_quarantine *q, struct sh_member *m)
{
	struct sh_held *h;

	spin_lock(&q->lock);
	list_for_each_entry(h, &m->held, member_node)
		h->vetted = true;
	spin_unlock(&q->lock);
}

u64 sh_quarantine_undo(struct sh_quarantine *q, struct sh_member *m, struct list_head *drop)
{
	struct sh_object *o;
	struct sh_held *h;
	u64 bytes = 0;

	spin_lock(&q->lock);
	/* None of these has been quiesced, so none is being sent. */
	while (!list_empty(&m->held)) {
		h = list_first_entry(&m->held, struct sh_held, member_node);
		if (h->vetted) {
			/* The freeze came between the point and the commit. */
			h->quiesced = true;
			list_del_init(&h->member_node);
			continue;
		}
		o = h->object;
		bytes += h->len;
		sh_held_unlink(q, h);
		list_add_tail(&h->log, drop);
		sh_object_unuse(q, o);
	}
	q->dropped += bytes;
	spin_unlock(&q->lock);
	sh_count_add(SH_C_dropped_bytes, bytes);
	return bytes;
}

void sh_quarantine_undone(struct sh_quarantine *q, struct list_head *drop)
{
	struct sh_held *h, *next;

	list_for_each_entry_safe(h, next, drop, log)
		sh_held_free(h);
	wake_up_interruptible(&q->room);
	sh_starved_wake(q, true);
	sh_quarantine_kick(q);
}

bool sh_quarantine_needs_verdict(struct sh_quarantine *q)
{
	struct sh_held *h;
	bool needs = false;

	if (q->domain->policy->commit)
		return false;
	spin_lock(&q->lock);
	list_for_each_entry(h, &q->log, log) {
		if (!h->due && !q->killed) {
			needs = true;
			break;
		}
	}
	spin_unlock(&q->lock);
	return needs;
}

int sh_quarantine_init(void)
{
	sh_quarantine_wq = alloc_workqueue("selfheal", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return sh_quarantine_wq ? 0 : -ENOMEM;
}

void sh_quarantine_exit(void)
{
	destroy_workqueue(sh_quarantine_wq);
}
