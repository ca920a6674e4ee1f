/* SPDX-License-Identifier: GPL-2.0 */
/* The choice of a verdict: pure, from an incident and a policy's rules. */
#ifndef HEALCTL_RULES_H
#define HEALCTL_RULES_H

#include "containers.h"
#include "history.h"
#include "policy.h"

struct decision {
	uint32_t verdict;	/* none: leave it to people or the deadline */
	uint32_t after_ms;
	int error;		/* of a rollback, -1 for the policy's */
	unsigned int before;	/* how often the rule's time had the same before */
	unsigned int line;	/* of the rule that matched, 0 for none */
	size_t rule;		/* its index */
	uint32_t kill_limit;	/* of the policy, 0 for none */
	uint32_t kill_window_ms;
	bool keep_core;
};

/* The first rule that matches decides. @incident has been noted in @history. */
struct decision rules_decide(const struct rule *rules, size_t n, const struct incident *incident,
			     const struct history *history, uint64_t now_ms);

#endif
