// SPDX-License-Identifier: GPL-2.0
/* Domains and what they hold, as fields. */
#include "view.h"

static void view_state(struct print *p, uint32_t state)
{
	print_enum(p, "state", &state_names, state);
	switch (state) {
	case SELFHEAL_DOMAIN_STATE_RUNNING:
		print_style(p, PRINT_GOOD);
		break;
	case SELFHEAL_DOMAIN_STATE_FREEZING:
	case SELFHEAL_DOMAIN_STATE_FROZEN:
		print_style(p, PRINT_WARN);
		break;
	default:
		print_style(p, PRINT_BAD);
	}
}

/* The open incident; nothing when there is none. */
static void view_open_incident(struct print *p, const struct domain *domain)
{
	if (!domain->incident)
		return;
	print_u64(p, "incident", domain->incident);
	print_style(p, PRINT_BAD);
}

void view_domain_row(struct print *p, const struct domain *domain)
{
	print_u64(p, "id", domain->id);
	print_str(p, "policy", domain->policy);
	view_state(p, domain->state);
	print_u64(p, "members", domain->members);
	print_u64(p, "processes", domain->processes);
	print_u64(p, "leader", domain->leader);
	print_str(p, "comm", domain->comm);
	print_size(p, "held_bytes", domain->held_bytes);
	print_u64(p, "incidents", domain->incidents);
	view_open_incident(p, domain);
}

void view_quarantine_row(struct print *p, const struct domain *domain)
{
	print_u64(p, "domain", domain->id);
	print_str(p, "policy", domain->policy);
	view_state(p, domain->state);
	print_size(p, "held_bytes", domain->held_bytes);
	print_u64(p, "held_entries", domain->held_entries);
	print_size(p, "held_total", domain->held_total);
	print_size(p, "committed_bytes", domain->committed_bytes);
	print_size(p, "dropped_bytes", domain->dropped_bytes);
}

void view_domain(struct print *p, const struct domain *domain)
{
	size_t i;

	print_u64(p, "id", domain->id);
	print_str(p, "policy", domain->policy);
	view_state(p, domain->state);
	view_open_incident(p, domain);
	print_u64(p, "incidents", domain->incidents);
	print_u64(p, "processes", domain->processes);
	print_u64(p, "members", domain->members);
	print_u64(p, "parked", domain->parked);
	print_u64(p, "leader", domain->leader);
	print_str(p, "comm", domain->comm);
	if (domain->exe[0])
		print_str(p, "exe", domain->exe);
	print_time(p, "created", domain->stamp);
	if (domain->freeze_ns)
		print_ns(p, "freeze_ns", domain->freeze_ns);
	print_size(p, "held_bytes", domain->held_bytes);
	print_u64(p, "held_entries", domain->held_entries);
	print_size(p, "held_total", domain->held_total);
	print_size(p, "committed_bytes", domain->committed_bytes);
	print_size(p, "dropped_bytes", domain->dropped_bytes);
	print_open_list(p, "threads", PRINT_TABLE);
	for (i = 0; i < domain->n_threads; i++) {
		const struct member *member = &domain->threads[i];

		print_open(p, NULL);
		print_u64(p, "tid", member->tid);
		print_u64(p, "pid", member->pid);
		print_str(p, "comm", member->comm);
		print_bool(p, "parked", member->parked);
		print_u64(p, "syscalls", member->syscalls);
		print_close(p);
	}
	print_close(p);
}

void view_held_row(struct print *p, const struct held *held)
{
	print_u64(p, "seq", held->seq);
	print_enum(p, "channel", &channel_names, held->channel);
	print_u64(p, "object", held->object);
	if (held->peer[0])
		print_str(p, "peer", held->peer);
	print_u64(p, "tid", held->tid);
	print_u64(p, "length", held->length);
	print_time(p, "time", held->stamp);
	print_u64(p, "stamp_ns", held->stamp);
	print_json_only(p);
	if (held->has_data)
		print_dump(p, "data", held->data, held->data_len);
}

void view_rescue_row(struct print *p, const struct rescue_point *point)
{
	print_u64(p, "tid", point->tid);
	print_u64(p, "pid", point->pid);
	print_u64(p, "taken", point->taken);
	print_u64(p, "used", point->used);
	if (!point->valid) {
		print_str(p, "point", "none");
		print_str(p, "missing", point->missing);
		return;
	}
	print_time(p, "point", point->stamp);
	print_u64(p, "stamp_ns", point->stamp);
	print_json_only(p);
}
