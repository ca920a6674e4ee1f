/* SPDX-License-Identifier: GPL-2.0 */
/* Work items: queued here, run by shim_advance(). */
#ifndef SELFHEAL_SHIM_WORK_H
#define SELFHEAL_SHIM_WORK_H

#include "shim_sync.h"

struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
	u64 due;		/* ns */
	struct work_struct *next;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct {
	int unused;
};

extern struct workqueue_struct *system_unbound_wq;

#define WQ_UNBOUND	1
#define WQ_MEM_RECLAIM	2
#define alloc_workqueue(name, flags, max) \
	((struct workqueue_struct *)shim_alloc(sizeof(struct workqueue_struct), GFP_KERNEL, true))
#define destroy_workqueue(wq)		free(wq)

#define DECLARE_WORK(name, f)		struct work_struct name = { .func = f }
#define INIT_DELAYED_WORK(dw, f)	((dw)->work = (struct work_struct){ .func = f })
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)

bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw, unsigned long delay);

static inline bool cancel_delayed_work_sync(struct delayed_work *dw)
{
	return cancel_work_sync(&dw->work);
}

static inline bool delayed_work_pending(const struct delayed_work *dw)
{
	return dw->work.pending;
}

/* Let @ns go by, running what falls due, in order of time. */
void shim_advance(u64 ns);

/* The time of the next work item, U64_MAX if none is queued. */
u64 shim_next_due(void);

#endif
