// SPDX-License-Identifier: GPL-2.0
/* Events as one line each. */
#include <inttypes.h>
#include <stdio.h>

#include "view.h"

static void style_event(struct print *p, uint32_t type)
{
	switch (type) {
	case SELFHEAL_EVENT_TYPE_INCIDENT_OPEN:
	case SELFHEAL_EVENT_TYPE_HOOK_LOST:
	case SELFHEAL_EVENT_TYPE_TAMPER:
		print_style(p, PRINT_BAD);
		break;
	case SELFHEAL_EVENT_TYPE_EVIDENCE:
	case SELFHEAL_EVENT_TYPE_OVERFLOW:
	case SELFHEAL_EVENT_TYPE_AGENT_LOST:
	case SELFHEAL_EVENT_TYPE_KILL_STORM:
	case SELFHEAL_EVENT_TYPE_LOCKED:
		print_style(p, PRINT_WARN);
		break;
	case SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED:
		print_style(p, PRINT_GOOD);
		break;
	}
}

static void view_tamper(struct print *p, const struct event *event)
{
	print_str(p, "what", event->what);
	print_u64(p, "tid", event->tid);
	if (event->syscall_nr >= 0)
		print_u64(p, "syscall_nr", event->syscall_nr);
}

/*
 * The kernel sends every attribute with every event; shown is what means
 * something for its type. Ids start at 1.
 */
void view_event(struct print *p, const struct event *event)
{
	print_one_line(p);
	print_time(p, "time", event->stamp);
	print_bare(p);
	print_enum(p, "event", &event_names, event->type);
	print_bare(p);
	style_event(p, event->type);
	print_u64(p, "seq", event->seq);
	if (event->domain)
		print_u64(p, "domain", event->domain);
	if (event->policy[0])
		print_str(p, "policy", event->policy);
	if (event->type == SELFHEAL_EVENT_TYPE_DOMAIN_STATE)
		print_enum(p, "state", &state_names, event->state);
	if (event->incident) {
		print_u64(p, "incident", event->incident);
		print_enum(p, "sensor", &sensor_names, event->sensor);
	}
	if (event->type == SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED) {
		print_enum(p, "verdict", &verdict_names, event->verdict);
		print_enum(p, "resolved_by", &resolved_by_names, event->resolved_by);
	}
	if (event->hook[0])
		print_str(p, "hook", event->hook);
	if (event->type == SELFHEAL_EVENT_TYPE_TAMPER)
		view_tamper(p, event);
	print_u64(p, "stamp_ns", event->stamp);
	print_json_only(p);
}

void view_events_lost(struct print *p, uint64_t after, uint64_t count)
{
	print_one_line(p);
	print_str(p, "event", "events-lost");
	print_bare(p);
	print_style(p, PRINT_BAD);
	print_u64(p, "after", after);
	print_u64(p, "count", count);
}
