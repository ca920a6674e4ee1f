/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The multicast side: a socket in the group "events", and waits that end at
 * the first matching event or at a bound.
 */
#ifndef GUEST_NL_EVENT_H
#define GUEST_NL_EVENT_H

#include "nl_client.h"

struct event {
	uint64_t seq, stamp, domain, incident;
	uint32_t type, state, sensor, verdict, resolved_by;
	uint32_t tid;
	int32_t syscall_nr;
	char what[48], hook[48];
	char policy[SELFHEAL_POLICY_NAME_MAX + 1];
};

struct nlev {
	struct nl_sock *sk;
	struct event queue[256];
	unsigned int head, tail;
};

#define EVENT_ANY (~0U)

/* 0 or -errno (-EPERM without the capability). */
int nlev_open(struct nlev *e);
void nlev_close(struct nlev *e);
/* Next event, or false after ms without one. */
bool nlev_next(struct nlev *e, int ms, struct event *out);
/* Skip to the next event of the type (and domain, unless 0). */
bool nlev_wait(struct nlev *e, uint32_t type, uint64_t domain, int ms, struct event *out);
/* The same, and false when one of the type unwanted comes before it. */
bool nlev_wait_without(struct nlev *e, uint32_t unwanted, uint32_t type, uint64_t domain, int ms);
void nlev_parse(struct nlmsghdr *nlh, struct event *out);
/* Milliseconds of CLOCK_MONOTONIC, for bounds. */
int64_t now_ms(void);
int64_t now_ns(void);

#endif
