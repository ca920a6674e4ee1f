/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log of events: a bounded ring with sequence numbers, and one listener
 * (control/) that multicasts them. Events inform; safety never depends on
 * one being received.
 */
#ifndef SELFHEAL_EVENT_H
#define SELFHEAL_EVENT_H

#include <linux/types.h>

#include "limits.h"

struct sh_event {
	u64 seq;
	u64 stamp;
	u64 domain;
	u64 incident;
	u8 type;
	u8 state;
	u8 sensor;
	u8 verdict;
	u8 resolved_by;
	char policy[SELFHEAL_POLICY_NAME_MAX + 1];
	char hook[48];
	char what[128];		/* tamper: what was reached for */
	s32 tid;		/* tamper */
	s32 nr;			/* tamper: the call in progress, -1 for none */
};

int sh_event_init(void);
void sh_event_exit(void);

/*
 * Fills in seq and stamp of *@ev and files it; the listener is told from a
 * work item, so any context but NMI will do, under any lock.
 */
void sh_event_emit(struct sh_event *ev);

/* The number of the latest event. Any context. */
u64 sh_event_seq(void);

/* Copies the first kept event with a number above @after; false if none. */
bool sh_event_next(u64 after, struct sh_event *ev);

/* @listener runs in process context for each event, in order; NULL to stop. */
void sh_event_listen(void (*listener)(const struct sh_event *ev));

#endif /* SELFHEAL_EVENT_H */
