// SPDX-License-Identifier: GPL-2.0
/* The kill-limit for the agent's own verdicts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "damp.h"

static struct damp_policy *find(struct damp *damp, const char *name)
{
	struct damp_policy *v;
	size_t i;

	for (i = 0; i < damp->n; i++)
		if (!strcmp(damp->v[i].name, name))
			return &damp->v[i];
	v = reallocarray(damp->v, damp->n + 1, sizeof(*v));
	if (!v)
		return NULL;
	damp->v = v;
	v[damp->n] = (struct damp_policy){ .name = strdup(name) };
	return v[damp->n].name ? &v[damp->n++] : NULL;
}

static int set_limit(struct damp_policy *policy, uint32_t limit)
{
	uint64_t *stamps = calloc(limit, sizeof(*stamps));

	if (!stamps)
		return -ENOMEM;
	free(policy->stamps);
	policy->stamps = stamps;
	policy->limit = limit;
	policy->next = 0;
	return 0;
}

int64_t damp_take(struct damp *damp, const char *name, uint32_t limit, uint32_t window_ms,
		  uint64_t now_ms)
{
	struct damp_policy *policy;
	uint64_t oldest;

	if (!limit)
		return 0;
	policy = find(damp, name);
	if (!policy || (policy->limit != limit && set_limit(policy, limit)))
		return -ENOMEM;
	oldest = policy->stamps[policy->next];
	if (oldest && now_ms - oldest < window_ms)
		return (int64_t)(window_ms - (now_ms - oldest));
	policy->stamps[policy->next] = now_ms;
	policy->next = (policy->next + 1) % limit;
	return 0;
}

void damp_release(struct damp *damp)
{
	size_t i;

	for (i = 0; i < damp->n; i++) {
		free(damp->v[i].name);
		free(damp->v[i].stamps);
	}
	free(damp->v);
	*damp = (struct damp){ 0 };
}
