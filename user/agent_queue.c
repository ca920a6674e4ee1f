// SPDX-License-Identifier: GPL-2.0
/* The open incidents that the agent knows, and when it answers each. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "agent_queue.h"

struct agent_entry *agent_queue_find(struct agent_queue *queue, uint64_t incident)
{
	size_t i;

	for (i = 0; i < queue->n; i++)
		if (queue->v[i].incident == incident)
			return &queue->v[i];
	return NULL;
}

int agent_queue_add(struct agent_queue *queue, uint64_t incident, uint32_t verdict,
		    uint64_t due_ms)
{
	struct agent_entry *v;

	if (agent_queue_find(queue, incident))
		return -EEXIST;
	v = reallocarray(queue->v, queue->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	queue->v = v;
	v[queue->n++] = (struct agent_entry){
		.incident = incident, .verdict = verdict, .error = -1, .due_ms = due_ms, .seen = true,
	};
	return 0;
}

static void remove_at(struct agent_queue *queue, struct agent_entry *entry)
{
	string_list_release(&entry->run);
	*entry = queue->v[--queue->n];
}

void agent_queue_remove(struct agent_queue *queue, uint64_t incident)
{
	struct agent_entry *entry = agent_queue_find(queue, incident);

	if (entry)
		remove_at(queue, entry);
}

struct agent_entry *agent_queue_next(struct agent_queue *queue)
{
	struct agent_entry *first = NULL;
	size_t i;

	for (i = 0; i < queue->n; i++)
		if (queue->v[i].due_ms != AGENT_NEVER &&
		    (!first || queue->v[i].due_ms < first->due_ms))
			first = &queue->v[i];
	return first;
}

void agent_queue_begin_sync(struct agent_queue *queue)
{
	size_t i;

	for (i = 0; i < queue->n; i++)
		queue->v[i].seen = false;
}

void agent_queue_end_sync(struct agent_queue *queue)
{
	size_t i = 0;

	while (i < queue->n) {
		if (queue->v[i].seen)
			i++;
		else
			remove_at(queue, &queue->v[i]);
	}
}

int agent_queue_timeout(struct agent_queue *queue, uint64_t now_ms)
{
	const struct agent_entry *first = agent_queue_next(queue);

	if (!first)
		return -1;
	if (first->due_ms <= now_ms)
		return 0;
	return first->due_ms - now_ms > INT_MAX ? INT_MAX : (int)(first->due_ms - now_ms);
}

void agent_queue_release(struct agent_queue *queue)
{
	while (queue->n)
		remove_at(queue, &queue->v[queue->n - 1]);
	free(queue->v);
	queue->v = NULL;
	queue->n = 0;
}
