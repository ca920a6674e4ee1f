/* SPDX-License-Identifier: GPL-2.0 */
/* Domains as plain structs, and bounded waits for their states. */
#ifndef GUEST_NL_DOMAIN_H
#define GUEST_NL_DOMAIN_H

#include "nl_event.h"

#define MEMBERS_MAX 128

struct member {
	uint32_t tid, pid;
	bool parked;
	uint64_t syscalls;
	char comm[16];
};

struct domain {
	uint64_t id, incident, stamp, freeze_ns;
	uint64_t held_bytes, held_total, committed_bytes, dropped_bytes;
	uint32_t held_entries, state, members, processes, leader, incidents, parked;
	char policy[SELFHEAL_POLICY_NAME_MAX + 1], comm[16], exe[256];
	unsigned int listed;		/* entries of member[] */
	struct member member[MEMBERS_MAX];
};

/* 0 or -errno each. */
int domain_new(struct nlc *c, const char *policy, int pidfd, bool tree, uint64_t *id);
int domain_add(struct nlc *c, uint64_t id, int pidfd, bool tree);
int domain_get(struct nlc *c, uint64_t id, struct domain *d);
int domain_freeze(struct nlc *c, uint64_t id, uint64_t *incident);
int domain_dissolve(struct nlc *c, uint64_t id);
void domain_parse(struct nlmsghdr *nlh, struct domain *d);

/* Has the domain the thread? 1, 0, or -errno. */
int domain_has(struct nlc *c, uint64_t id, uint32_t tid);
/* The domain that holds the thread, 0 for none. */
uint64_t domain_of(struct nlc *c, uint32_t tid);
/* Wait until the domain is in the state; SELFHEAL_DOMAIN_STATE_GONE also when its id is forgotten. */
bool domain_wait(struct nlc *c, uint64_t id, uint32_t state, int ms);
/*
 * Wait until so many bytes count as committed: a receiver has the last one
 * before the sender's side has accounted for it.
 */
bool domain_wait_committed(struct nlc *c, uint64_t id, uint64_t bytes, int ms);
/* Wait until exactly so many threads stand parked: each says so by itself, stopped or let go. */
bool domain_wait_parked(struct nlc *c, uint64_t id, uint32_t parked, int ms);
/* Wait until the domain has exactly so many threads. */
bool domain_wait_members(struct nlc *c, uint64_t id, uint32_t members, int ms);

#endif
