/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kill-limit for the agent's own verdicts: at most so many kills a policy
 * within any window of so long. The kernel keeps the same for its own.
 */
#ifndef HEALCTL_DAMP_H
#define HEALCTL_DAMP_H

#include <stddef.h>
#include <stdint.h>

struct damp_policy {
	char *name;
	uint64_t *stamps;	/* of the latest kills, 0 for none yet */
	uint32_t limit;
	uint32_t next;		/* the oldest stamp */
};

struct damp {
	struct damp_policy *v;
	size_t n;
};

/*
 * May one more be killed under the policy at now? 0, and it is counted; else
 * the milliseconds until it may, or -ENOMEM. A limit of 0 is none. A policy that
 * comes with another limit counts anew.
 */
int64_t damp_take(struct damp *damp, const char *policy, uint32_t limit, uint32_t window_ms,
		  uint64_t now_ms);
void damp_release(struct damp *damp);

#endif
