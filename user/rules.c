// SPDX-License-Identifier: GPL-2.0
/* The choice of a verdict: pure, from an incident and a policy's rules. */
#include <string.h>

#include "rules.h"

static bool matches(const struct rule *rule, const struct incident *incident)
{
	if (rule->has_sensor && rule->sensor != incident->sensor)
		return false;
	if (rule->signal && (incident->sensor != SELFHEAL_SENSOR_FAULT ||
			     (uint32_t)rule->signal != incident->signal))
		return false;
	if (rule->exe && strcmp(rule->exe, incident->exe))
		return false;
	return !rule->has_uid || (incident->has_credentials && rule->uid == incident->uid);
}

struct decision rules_decide(const struct rule *rules, size_t n, const struct incident *incident,
			     const struct history *history, uint64_t now_ms)
{
	struct decision decision = { .verdict = SELFHEAL_VERDICT_NONE, .error = -1 };
	unsigned int before;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!matches(&rules[i], incident))
			continue;
		before = rules[i].again ?
			 history_before(history, incident, rules[i].within_ms, now_ms) : 0;
		if (before < rules[i].again)
			continue;
		decision.verdict = rules[i].verdict;
		decision.after_ms = rules[i].after_ms;
		decision.error = rules[i].has_error ? (int)rules[i].error : -1;
		decision.before = before;
		decision.rule = i;
		decision.line = rules[i].line;
		break;
	}
	return decision;
}
