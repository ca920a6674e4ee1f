/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state machine of a domain, pure: also compiled in user space for tests.
 *
 *   RUNNING --> FREEZING --> FROZEN --> RELEASING -----> RUNNING
 *                  |            |-----> ROLLING_BACK --> RUNNING, or KILLING
 *                  |            `-----> KILLING -------> GONE
 *                  `--> RELEASING | KILLING (a verdict may come early)
 *
 * Every state but GONE may become GONE: the last member can die at any time.
 */
#ifndef SELFHEAL_DOMAIN_STATE_H
#define SELFHEAL_DOMAIN_STATE_H

#include <linux/types.h>
#include <linux/selfheal.h>

bool sh_state_may(enum selfheal_domain_state from, enum selfheal_domain_state to);

/* Members may run user code. */
static inline bool sh_state_runs(enum selfheal_domain_state s)
{
	return s == SELFHEAL_DOMAIN_STATE_RUNNING || s == SELFHEAL_DOMAIN_STATE_GONE;
}

/* An incident awaits its verdict. */
static inline bool sh_state_open(enum selfheal_domain_state s)
{
	return s == SELFHEAL_DOMAIN_STATE_FREEZING || s == SELFHEAL_DOMAIN_STATE_FROZEN;
}

#endif /* SELFHEAL_DOMAIN_STATE_H */
