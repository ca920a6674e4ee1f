/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which incidents the agent has seen, to tell how often the same fault has
 * come: of the same policy and sensor, at the same place in the same file, or for the
 * same target or call. Bounded; the oldest is forgotten first.
 */
#ifndef HEALCTL_HISTORY_H
#define HEALCTL_HISTORY_H

#include <stdint.h>

#define HISTORY_MAX 1024

struct incident;

struct history {
	struct {
		uint64_t what;		/* a hash; 0 for none */
		uint64_t at_ms;
	} v[HISTORY_MAX];
	unsigned int next;
};

void history_note(struct history *history, const struct incident *incident, uint64_t now_ms);

/* How often there was the same before this one, which has been noted, no longer than that ago. */
unsigned int history_before(const struct history *history, const struct incident *incident,
			    uint32_t within_ms, uint64_t now_ms);

#endif
