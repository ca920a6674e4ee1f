/* SPDX-License-Identifier: GPL-2.0 */
/* The open incidents that the agent knows, and when it answers each. */
#ifndef HEALCTL_AGENT_QUEUE_H
#define HEALCTL_AGENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "containers.h"
#include "policy.h"

#define AGENT_NEVER UINT64_MAX

struct agent_entry {
	uint64_t incident;
	uint32_t verdict;
	int error;		/* of a rollback, -1 for the policy's */
	struct string_list run;	/* owned; a command for after the verdict */
	uint64_t due_ms;	/* AGENT_NEVER: left to people or the deadline */
	uint64_t domain;
	char policy[NAME_LEN];
	uint32_t kill_limit;	/* of the policy, as the next */
	uint32_t kill_window_ms;
	bool damped;		/* a kill that the limit has put off */
	bool seen;		/* by the resync under way */
};

struct agent_queue {
	struct agent_entry *v;
	size_t n;
};

struct agent_entry *agent_queue_find(struct agent_queue *queue, uint64_t incident);
/* 0, -EEXIST or -ENOMEM. The new entry is the last: agent_queue_find(). */
int agent_queue_add(struct agent_queue *queue, uint64_t incident, uint32_t verdict,
		    uint64_t due_ms);
void agent_queue_remove(struct agent_queue *queue, uint64_t incident);
/* The entry that is due first, AGENT_NEVER ones left out; NULL for none. */
struct agent_entry *agent_queue_next(struct agent_queue *queue);
/* A resync: mark what is open, then drop what was not marked. */
void agent_queue_begin_sync(struct agent_queue *queue);
void agent_queue_end_sync(struct agent_queue *queue);
/* Milliseconds to wait until the first is due, for poll(2): -1 for ever. */
int agent_queue_timeout(struct agent_queue *queue, uint64_t now_ms);
void agent_queue_release(struct agent_queue *queue);

#endif
