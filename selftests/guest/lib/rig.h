/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usual arrangement of a test: a controller with an event socket, a policy,
 * and a child that is the first member of a domain under it.
 *
 *	test (controller, never a member)
 *	  `- kid (member of rig.dom)
 */
#ifndef GUEST_RIG_H
#define GUEST_RIG_H

#include "child.h"
#include "module.h"
#include "nl_client.h"
#include "nl_domain.h"
#include "nl_event.h"
#include "nl_incident.h"
#include "nl_policy.h"
#include "proc.h"

/* Longest time that a state change may take on a slow, emulated machine. */
#define BOUND slow_ms(60000)
/* How long a thing that must not happen is looked out for. */
#define QUIET 150

/* The harness's limit of 30 s for a test is less than a few such waits. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 900

struct rig {
	struct nlc c;
	struct nlev e;
	struct policy p;
	struct child kid;
	uint64_t dom;
};

/* Connections and a default policy, not loaded yet: 0 or -errno. */
int rig_open(struct rig *r);
/* Load r->p, start the child, make it a domain, let it run: 0 or -errno. */
int rig_run(struct rig *r, child_fn fn, void *arg);
/* The same, but the child stays before its first step until page_go(…, 1). */
int rig_prepare(struct rig *r, child_fn fn, void *arg);
/* Wait for an incident of the domain and for the freeze: its id, or 0. */
uint64_t rig_frozen(struct rig *r);
/* Kills what is left, waits until the domain has gone, unloads the policy: true when clean. */
bool rig_close(struct rig *r);
/* Nothing keeps the module: it can be unloaded, and is loaded again. No policy is left. 0 or -errno. */
int rig_reload(struct rig *r);
/* Kill every member and wait until the domain has gone. */
bool rig_reap(struct rig *r, uint64_t dom);

#define GUEST_MAIN				\
	int main(int argc, char **argv)		\
	{					\
		guest_begin();			\
		return guest_end(test_harness_run(argc, argv)); \
	}

#endif
