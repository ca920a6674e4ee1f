// SPDX-License-Identifier: GPL-2.0
/* Lifetime of the plain policy struct. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

int string_list_add(struct string_list *list, const char *text)
{
	char **v = reallocarray(list->v, list->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	list->v = v;
	v[list->n] = strdup(text);
	if (!v[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

void string_list_release(struct string_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	memset(list, 0, sizeof(*list));
}

int policy_add_rule(struct policy *policy, struct rule **rule)
{
	struct rule *v = reallocarray(policy->rules, policy->n_rules + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	policy->rules = v;
	*rule = &v[policy->n_rules++];
	memset(*rule, 0, sizeof(**rule));
	return 0;
}

bool policy_holds(const struct policy *policy)
{
	int i;

	for (i = 0; i < POLICY_CHANNELS; i++)
		if (policy->hold[i] == SELFHEAL_CHANNEL_ACTION_HOLD)
			return true;
	return false;
}

void policy_release(struct policy *policy)
{
	size_t i;

	string_list_release(&policy->match_exe);
	string_list_release(&policy->exec_allow);
	for (i = 0; i < policy->n_rules; i++) {
		free(policy->rules[i].exe);
		string_list_release(&policy->rules[i].run);
	}
	free(policy->rules);
	free(policy->source);
	memset(policy, 0, sizeof(*policy));
}
