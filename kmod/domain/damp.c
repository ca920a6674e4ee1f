// SPDX-License-Identifier: GPL-2.0
/* See damp.h. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "damp.h"

int sh_damp_init(struct sh_damp *d, u32 limit, u32 window_ms)
{
	spin_lock_init(&d->lock);
	if (!limit)
		return 0;
	d->stamps = kvcalloc(limit, sizeof(*d->stamps), GFP_KERNEL_ACCOUNT);
	if (!d->stamps)
		return -ENOMEM;
	d->limit = limit;
	d->window = window_ms * (u64)NSEC_PER_MSEC;
	return 0;
}

void sh_damp_free(struct sh_damp *d)
{
	kvfree(d->stamps);
}

/* d->lock held, there is a limit. */
static u64 sh_damp_left(const struct sh_damp *d, u64 now)
{
	u64 oldest = d->stamps[d->next];

	return oldest && now - oldest < d->window ? d->window - (now - oldest) : 0;
}

u64 sh_damp_take(struct sh_damp *d, u64 now, bool *begins)
{
	u64 left;

	*begins = false;
	if (!d->limit)
		return 0;
	spin_lock(&d->lock);
	left = sh_damp_left(d, now);
	if (left) {
		*begins = !d->storm;
		d->storm = true;
	} else {
		d->stamps[d->next] = now;
		d->next = (d->next + 1) % d->limit;
		d->storm = false;
	}
	spin_unlock(&d->lock);
	return left;
}

u64 sh_damp_wait(struct sh_damp *d, u64 now)
{
	u64 left;

	if (!d->limit)
		return 0;
	spin_lock(&d->lock);
	left = sh_damp_left(d, now);
	spin_unlock(&d->lock);
	return left;
}
