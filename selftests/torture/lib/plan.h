/* SPDX-License-Identifier: GPL-2.0 */
/* The policies of the run. Each is loaded again and again, with other bounds. */
#ifndef TORTURE_PLAN_H
#define TORTURE_PLAN_H

#include "torture.h"

/* By whom incidents are meant to be answered. */
enum answers {
	BY_DEADLINE,
	BY_CONTROLLERS,
	BY_AGENT,
};

struct plan {
	const char *name;
	int fallback;		/* enum selfheal_verdict: the policy's default */
	enum answers answers;
	bool senses, rescue;
};

#define PLANS		6
#define DEADLINE_LOW	1000
#define DEADLINE_HIGH	2000

extern const struct plan plans[PLANS];

int plan_of(const char *policy);
/* Load it with bounds that are drawn. 0, -errno, or healctl's exit status. */
int plan_load(struct nlc *c, int plan, struct draw *d);

#endif
