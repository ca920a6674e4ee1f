/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Damping of kills: at most so many within any window of so long. A rule that
 * is wrong, or an attacker who provokes it, must not end service after
 * service; what is over the limit stays frozen for somebody to look at.
 */
#ifndef SELFHEAL_DOMAIN_DAMP_H
#define SELFHEAL_DOMAIN_DAMP_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct sh_damp {
	spinlock_t lock;	/* innermost, but for the event lock */
	u32 limit;		/* 0 for none */
	u32 next;		/* position of the oldest stamp */
	u64 window;		/* ns */
	u64 *stamps;		/* of the latest kills, 0 for none yet */
	bool storm;
};

/* Process context, may sleep. -ENOMEM. A zeroed one has no limit. */
int sh_damp_init(struct sh_damp *d, u32 limit, u32 window_ms);
void sh_damp_free(struct sh_damp *d);

/*
 * May one more be killed at @now (ns)? 0 and it is counted, else the time
 * until it may; *@begins tells that it is the first that may not. Any context.
 */
u64 sh_damp_take(struct sh_damp *d, u64 now, bool *begins);

/* The time from @now until one may be killed, 0 for at once. Any context. */
u64 sh_damp_wait(struct sh_damp *d, u64 now);

#endif /* SELFHEAL_DOMAIN_DAMP_H */
