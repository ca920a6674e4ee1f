// SPDX-License-Identifier: GPL-2.0
/* The event ring; see event.h. sh_event_lock protects the ring and its head. */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "event.h"

static DEFINE_SPINLOCK(sh_event_lock);	/* innermost lock; irqs off */
static struct sh_event *sh_event_ring;
static u64 sh_event_head;		/* number of the latest event */

static DEFINE_MUTEX(sh_event_listener_lock);
static void (*sh_event_listener)(const struct sh_event *ev);
static u64 sh_event_told;		/* latest number given to the listener */

static void sh_event_tell(struct work_struct *work)
{
	struct sh_event ev;

	mutex_lock(&sh_event_listener_lock);
	while (sh_event_listener && sh_event_next(sh_event_told, &ev)) {
		sh_event_told = ev.seq;
		sh_event_listener(&ev);
	}
	mutex_unlock(&sh_event_listener_lock);
}

static DECLARE_WORK(sh_event_work, sh_event_tell);

void sh_event_emit(struct sh_event *ev)
{
	unsigned long flags;

	spin_lock_irqsave(&sh_event_lock, flags);
	ev->seq = ++sh_event_head;
	ev->stamp = ktime_get_boottime_ns();
	sh_event_ring[ev->seq % SH_EVENTS_KEPT] = *ev;
	spin_unlock_irqrestore(&sh_event_lock, flags);
	queue_work(system_unbound_wq, &sh_event_work);
}

u64 sh_event_seq(void)
{
	return READ_ONCE(sh_event_head);
}

bool sh_event_next(u64 after, struct sh_event *ev)
{
	unsigned long flags;
	u64 seq;
	bool found;

	spin_lock_irqsave(&sh_event_lock, flags);
	seq = after + 1;
	if (sh_event_head >= SH_EVENTS_KEPT && seq <= sh_event_head - SH_EVENTS_KEPT)
		seq = sh_event_head - SH_EVENTS_KEPT + 1;
	found = after < sh_event_head;
	if (found)
		*ev = sh_event_ring[seq % SH_EVENTS_KEPT];
	spin_unlock_irqrestore(&sh_event_lock, flags);
	return found;
}

void sh_event_listen(void (*listener)(const struct sh_event *ev))
{
	mutex_lock(&sh_event_listener_lock);
	sh_event_listener = listener;
	mutex_unlock(&sh_event_listener_lock);
}

int sh_event_init(void)
{
	sh_event_ring = kvcalloc(SH_EVENTS_KEPT, sizeof(*sh_event_ring), GFP_KERNEL);
	return sh_event_ring ? 0 : -ENOMEM;
}

void sh_event_exit(void)
{
	cancel_work_sync(&sh_event_work);
	kvfree(sh_event_ring);
}
