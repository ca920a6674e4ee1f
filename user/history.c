// SPDX-License-Identifier: GPL-2.0
/* Which incidents the agent has seen. */
#include <inttypes.h>
#include <stdio.h>

#include "containers.h"
#include "history.h"

/* FNV-1a, by Fowler, Noll and Vo. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h ? h : 1;
}

/* Where a file is mapped changes from process to process: the place in it does not. */
static uint64_t place(const struct incident *i)
{
	if (!i->has_registers)
		return 0;
	return i->has_mapping ? i->registers.ip - i->mapping_start + i->mapping_offset :
				i->registers.ip;
}

static uint64_t what(const struct incident *i)
{
	char text[NAME_LEN + 2 * PATH_LEN + 128];

	if (i->sensor == SELFHEAL_SENSOR_FAULT)
		snprintf(text, sizeof(text), "%s %" PRIu32 " %" PRIu32 " %" PRIx64 " %s", i->policy,
			 i->sensor, i->signal, place(i), i->has_mapping ? i->mapping_path : "");
	else
		snprintf(text, sizeof(text), "%s %" PRIu32 " %" PRId32 " %s", i->policy, i->sensor,
			 i->has_syscall ? i->syscall_nr : -1, i->target);
	return hash(text);
}

void history_note(struct history *history, const struct incident *incident, uint64_t now_ms)
{
	history->v[history->next].what = what(incident);
	history->v[history->next].at_ms = now_ms;
	history->next = (history->next + 1) % HISTORY_MAX;
}

unsigned int history_before(const struct history *history, const struct incident *incident,
			    uint32_t within_ms, uint64_t now_ms)
{
	uint64_t wanted = what(incident);
	unsigned int i, n = 0;

	for (i = 0; i < HISTORY_MAX; i++)
		n += history->v[i].what == wanted && now_ms - history->v[i].at_ms <= within_ms;
	/* It is one of them itself. */
	return n ? n - 1 : 0;
}
