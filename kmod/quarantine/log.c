// SPDX-License-Identifier: GPL-2.0
/* Taking output into the quarantine: room, copies, entries, objects. */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>
#include <net/sock.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../event.h"
#include "output.h"
#include "quarantine.h"

struct sh_object *sh_object_find(struct sh_quarantine *q, struct inode *inode)
{
	struct sh_object *o;

	hash_for_each_possible(q->objects, o, hash, (unsigned long)inode)
		if (o->inode == inode)
			return o;
	return NULL;
}

void sh_object_unuse(struct sh_quarantine *q, struct sh_object *o)
{
	lockdep_assert_held(&q->lock);
	if (!o->users && !o->busy && list_empty(&o->entries)) {
		hash_del(&o->hash);
		kfree(o);
	}
}

void sh_held_unlink(struct sh_quarantine *q, struct sh_held *h)
{
	struct sh_object *o = h->object;

	lockdep_assert_held(&q->lock);
	list_del(&h->log);
	list_del(&h->object_node);
	list_del_init(&h->member_node);
	if (h->kind == SH_HELD_SHUTDOWN)
		o->shut = false;
	o->bytes -= h->len;
	o->files--;
	q->bytes -= h->len;
	q->entries--;
	if (q->full && q->bytes <= q->domain->policy->max_bytes / 2)
		q->full = false;
}

/* Process context: the last reference of a file may go with it. */
void sh_held_free(struct sh_held *h)
{
	fput(h->file);
	put_cred(h->cred);
	sh_fds_free(h->fds);
	kfree(h->name);
	kvfree(h->control);
	if (h->domain)
		sh_domain_put(h->domain);
	kvfree(h);
}

static u32 sh_entries_max(const struct sh_quarantine *q)
{
	return max_t(u64, 64, q->domain->policy->max_bytes / SH_ENTRY_COST);
}

/*
 * Reserve room for an entry of up to @want bytes: *@got is what there is, or
 * all or nothing. False when there is none; an empty entry takes room, too.
 */
static bool sh_reserve(struct sh_quarantine *q, size_t want, bool stream, size_t *got)
{
	u64 max = q->domain->policy->max_bytes, used;
	bool room = false;

	*got = 0;
	spin_lock(&q->lock);
	used = q->bytes + q->reserved;
	if (q->entries < sh_entries_max(q) && used < max) {
		*got = min_t(u64, want, max - used);
		if (!stream && *got < want)
			*got = 0;
		room = *got || !want;
	}
	q->reserved += *got;
	spin_unlock(&q->lock);
	return room;
}

static void sh_unreserve(struct sh_quarantine *q, size_t n)
{
	spin_lock(&q->lock);
	q->reserved -= n;
	spin_unlock(&q->lock);
}

static struct sh_held *sh_held_new(struct sh_output *o, size_t n)
{
	struct sh_held *h;

	/* Charged to the producer's memory cgroup. */
	h = kvmalloc(struct_size(h, data, n), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!h)
		return NULL;
	memset(h, 0, sizeof(*h));
	INIT_LIST_HEAD(&h->member_node);
	h->len = n;
	h->due = o->due;
	h->flags = o->flags;
	h->tid = task_pid_nr(current);
	if (o->namelen) {
		/* Whole: protocols write a NUL behind a path. */
		h->name = kzalloc(sizeof(*h->name), GFP_KERNEL_ACCOUNT);
		if (!h->name)
			goto out_free;
		memcpy(h->name, o->name, o->namelen);
		h->namelen = o->namelen;
	}
	if (o->controllen) {
		h->control = kvmalloc(o->controllen, GFP_KERNEL_ACCOUNT);
		if (!h->control)
			goto out_free;
		memcpy(h->control, o->control, o->controllen);
		h->controllen = o->controllen;
	}
	h->cred = get_current_cred();
	h->file = get_file(o->file);
	return h;

out_free:
	kfree(h->name);
	kvfree(h);
	return NULL;
}

/* Files @h; its room has been reserved. -ENOMEM. */
static int sh_held_append(struct sh_quarantine *q, struct sh_member *m, struct sh_held *h,
			  u8 channel, size_t reserved)
{
	u32 commit = q->domain->policy->commit;
	struct inode *inode = file_inode(h->file);
	struct sh_object *o, *fresh;
	u32 len = h->len;
	bool due, left, waits;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return -ENOMEM;
	INIT_LIST_HEAD(&fresh->entries);
	INIT_LIST_HEAD(&fresh->todo);
	fresh->inode = inode;
	fresh->channel = channel;

	h->domain = q->domain;
	sh_domain_hold(h->domain);
	spin_lock(&q->lock);
	o = sh_object_find(q, inode);
	if (!o) {
		o = fresh;
		fresh = NULL;
		hash_add(q->objects, &o->hash, (unsigned long)inode);
	}
	h->object = o;
	/* Not before its last byte was there: the copy can be stalled from user space. */
	h->stamp = ktime_get_boottime_ns();
	h->seq = ++q->seq;
	list_add_tail(&h->log, &q->log);
	list_add_tail(&h->object_node, &o->entries);
	/*
	 * Dissolved in the midst of the call: it goes out as what was held before. Who
	 * leaves looks at m->held afterwards, under this lock.
	 */
	left = READ_ONCE(m->gone);
	h->due |= left;
	/* Once filed, it may be sent and freed at any time. */
	due = h->due;
	waits = (commit & SELFHEAL_COMMIT_QUIESCE) && !left;
	if (waits)
		list_add_tail(&h->member_node, &m->held);
	else
		h->quiesced = true;
	if (h->kind == SH_HELD_SHUTDOWN)
		o->shut = true;
	o->bytes += h->len;
	o->files++;
	q->reserved -= reserved;
	q->bytes += h->len;
	q->total += h->len;
	q->entries++;
	spin_unlock(&q->lock);

	kfree(fresh);
	sh_count(SH_C_held);
	sh_count_add(SH_C_held_bytes, len);
	if (waits)
		sh_rest_begin(q);
	if (due)
		sh_quarantine_kick(q);
	else if (!(commit & SELFHEAL_COMMIT_QUIESCE) && (commit & SELFHEAL_COMMIT_DELAY))
		queue_delayed_work(sh_quarantine_wq, &q->work,
				   msecs_to_jiffies(q->domain->policy->commit_delay_ms));
	return 0;
}

static void sh_overflow_report(struct sh_quarantine *q)
{
	bool first;

	sh_count(SH_C_overflows);
	spin_lock(&q->lock);
	first = !q->full;
	q->full = true;
	spin_unlock(&q->lock);
	if (first)
		sh_domain_event(q->domain, SELFHEAL_EVENT_TYPE_OVERFLOW);
}

static bool sh_has_room(struct sh_quarantine *q, size_t want, bool stream)
{
	size_t got;
	bool room = sh_reserve(q, want, stream, &got);

	if (got)
		sh_unreserve(q, got);
	return room || sh_domain_state(q->domain) == SELFHEAL_DOMAIN_STATE_KILLING;
}

/* The quarantine has no room for @want more. 0: try again. */
static int sh_overflow(struct sh_quarantine *q, struct sh_member *m, struct sh_output *o,
		       size_t want)
{
	u64 max = q->domain->policy->max_bytes;
	long left;

	sh_overflow_report(q);
	if (!o->stream && want > max)
		return -EMSGSIZE;
	switch (q->domain->policy->overflow) {
	case SELFHEAL_OVERFLOW_DENY:
		return -ENOBUFS;
	case SELFHEAL_OVERFLOW_KILL:
		return SH_HOLD_KILL;
	case SELFHEAL_OVERFLOW_COMMIT:
		sh_quarantine_quiesce(m);
		break;
	default:
		break;
	}
	if (sh_has_room(q, want, o->stream))
		return sh_domain_state(q->domain) == SELFHEAL_DOMAIN_STATE_KILLING ? -EPIPE : 0;
	if (o->nonblock || !o->timeo) {
		sh_starved_add(q, o->file);
		/* Room may have come before we were on the list. */
		sh_starved_wake(q, false);
		return -EAGAIN;
	}
	left = wait_event_interruptible_timeout(q->room, sh_has_room(q, want, o->stream),
						o->timeo);
	if (left < 0)
		return sock_intr_errno(o->timeo);
	if (!left)
		return -EAGAIN;
	if (o->timeo != MAX_SCHEDULE_TIMEOUT)
		o->timeo = left;
	return sh_domain_state(q->domain) == SELFHEAL_DOMAIN_STATE_KILLING ? -EPIPE : 0;
}

static bool sh_channel_idle(struct sh_quarantine *q, enum selfheal_channel channel)
{
	struct sh_object *o;
	bool idle = true;
	int bkt;

	if (sh_quarantine_idle(q))
		return true;
	spin_lock(&q->lock);
	hash_for_each(q->objects, bkt, o, hash)
		idle &= o->channel != channel || list_empty(&o->entries);
	spin_unlock(&q->lock);
	return idle;
}

int sh_quarantine_drained(struct sh_quarantine *q, enum selfheal_channel channel,
			  unsigned long timeout)
{
	long left;

	might_sleep();
	left = wait_event_interruptible_timeout(q->room, sh_channel_idle(q, channel) ||
						!sh_state_runs(sh_domain_state(q->domain)),
						timeout);
	return left < 0 ? left : left ? 0 : -ETIME;
}

ssize_t sh_quarantine_hold(struct sh_member *m, struct sh_output *o, struct iov_iter *from,
			   size_t len)
{
	struct sh_quarantine *q = m->domain->quarantine;
	size_t done = 0, n, got, copied;
	struct sh_held *h;
	int err = 0;

	might_sleep();
	if (o->stream && len > o->space)
		len = o->space;
	WRITE_ONCE(m->producing, true);
	do {
		n = len - done;
		if (o->stream)
			n = min_t(size_t, n, SH_CHUNK_MAX);
		if (!sh_reserve(q, n, o->stream, &got)) {
			err = sh_overflow(q, m, o, n);
			if (err)
				break;
			continue;
		}
		h = sh_held_new(o, got);
		if (!h) {
			sh_unreserve(q, got);
			sh_count(SH_C_hold_failed);
			err = -ENOMEM;
			break;
		}
		copied = copy_from_iter(h->data, got, from);
		if (copied < got && (!copied || !o->stream)) {
			sh_unreserve(q, got);
			sh_held_free(h);
			err = -EFAULT;
			break;
		}
		h->len = copied;
		/* Descriptors, address and control data go with the first part. */
		h->fds = o->fds;
		err = sh_held_append(q, m, h, o->channel, got);
		if (err) {
			h->fds = NULL;
			sh_unreserve(q, got);
			sh_held_free(h);
			sh_count(SH_C_hold_failed);
			break;
		}
		/* From here on it may have been sent, and freed. */
		o->fds = NULL;
		o->controllen = 0;
		done += copied;
		if (copied < got) {
			err = -EFAULT;
			break;
		}
	} while (done < len);
	WRITE_ONCE(m->producing, false);
	return done || !err ? done : err;
}

int sh_quarantine_hold_shutdown(struct sh_member *m, struct file *file, bool due)
{
	struct sh_output o = { .file = file, .channel = SELFHEAL_CHANNEL_SOCKET, .due = due };
	struct sh_held *h = sh_held_new(&o, 0);
	int err;

	if (!h)
		return -ENOMEM;
	h->kind = SH_HELD_SHUTDOWN;
	err = sh_held_append(m->domain->quarantine, m, h, o.channel, 0);
	if (err)
		sh_held_free(h);
	return err;
}

u64 sh_quarantine_held_on(struct sh_quarantine *q, struct file *file, bool *shut, bool *any)
{
	struct sh_object *o;
	u64 bytes = 0;

	*shut = false;
	*any = false;
	if (sh_quarantine_idle(q))
		return 0;
	spin_lock(&q->lock);
	o = sh_object_find(q, file_inode(file));
	if (o) {
		bytes = o->bytes;
		*shut = o->shut;
		*any = !list_empty(&o->entries);
	}
	spin_unlock(&q->lock);
	return bytes;
}

enum sh_output_order sh_output_order(struct sh_member *m, enum selfheal_channel channel,
				     struct file *file)
{
	bool shut, any;

	if (sh_output_withheld(m, channel))
		return SH_OUTPUT_WITHHELD;
	sh_quarantine_held_on(m->domain->quarantine, file, &shut, &any);
	return any ? SH_OUTPUT_FOLLOWS : SH_OUTPUT_PASSES;
}

static void sh_held_describe(const struct sh_held *h, char *buf, size_t size)
{
	struct socket *sock;
	struct sock *sk;

	if (h->object->channel != SELFHEAL_CHANNEL_SOCKET) {
		snprintf(buf, size, "%pD2", h->file);
		return;
	}
	if (h->namelen && (h->name->ss_family == AF_INET || h->name->ss_family == AF_INET6)) {
		snprintf(buf, size, "%pISpc", h->name);
		return;
	}
	sock = sock_from_file(h->file);
	sk = sock ? sock->sk : NULL;
	if (sk && sk->sk_family == AF_INET)
		snprintf(buf, size, "%pI4:%u", &sk->sk_daddr, ntohs(sk->sk_dport));
#if IS_ENABLED(CONFIG_IPV6)
	else if (sk && sk->sk_family == AF_INET6)
		snprintf(buf, size, "[%pI6c]:%u", &sk->sk_v6_daddr, ntohs(sk->sk_dport));
#endif
	else
		snprintf(buf, size, "family %d", sk ? sk->sk_family : 0);
}

bool sh_quarantine_next(struct sh_quarantine *q, u64 after, struct sh_held_info *info,
			void *data, size_t size)
{
	struct sh_held *h;
	bool found = false;

	spin_lock(&q->lock);
	list_for_each_entry(h, &q->log, log) {
		if (h->seq <= after)
			continue;
		info->seq = h->seq;
		info->stamp = h->stamp;
		info->object = h->object->inode->i_ino;
		info->len = h->len;
		info->tid = h->tid;
		info->channel = h->object->channel;
		sh_held_describe(h, info->peer, sizeof(info->peer));
		info->data_len = data ? min_t(size_t, h->len, size) : 0;
		if (info->data_len)
			memcpy(data, h->data, info->data_len);
		found = true;
		break;
	}
	spin_unlock(&q->lock);
	return found;
}

struct sh_quarantine *sh_quarantine_new(struct sh_domain *d)
{
	struct sh_quarantine *q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);

	if (!q)
		return NULL;
	q->domain = d;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->log);
	INIT_LIST_HEAD(&q->starved);
	hash_init(q->objects);
	init_waitqueue_head(&q->room);
	INIT_DELAYED_WORK(&q->work, sh_quarantine_work);
	INIT_DELAYED_WORK(&q->rest, sh_rest_work);
	return q;
}

void sh_quarantine_free(struct sh_quarantine *q)
{
	cancel_delayed_work_sync(&q->rest);
	cancel_delayed_work_sync(&q->work);
	sh_starved_wake(q, true);
	WARN_ON(!list_empty(&q->log));
	kfree(q);
}
