// SPDX-License-Identifier: GPL-2.0
/* The module's status as fields. */
#include "view.h"

static void style_hook(struct print *p, const struct hook *hook)
{
	if (hook->state == SELFHEAL_HOOK_STATE_FAILED)
		print_style(p, PRINT_BAD);
	else if (hook->state == SELFHEAL_HOOK_STATE_ACTIVE)
		print_style(p, PRINT_GOOD);
}

void view_guards(struct print *p, const struct status *status)
{
	size_t i;

	print_open_list(p, "guards", PRINT_LINES);
	for (i = 0; i < status->n_guards; i++) {
		print_open(p, NULL);
		print_str(p, "path", status->guards[i]);
		print_bare(p);
		print_close(p);
	}
	print_close(p);
}

void view_status(struct print *p, const struct status *status)
{
	size_t i;

	print_open(p, "module");
	print_str(p, "version", status->version);
	print_u64(p, "abi", status->abi);
	print_str(p, "kernel", status->kernel);
	print_u64(p, "policies", status->policies);
	print_u64(p, "domains", status->domains);
	print_u64(p, "members", status->members);
	print_u64(p, "incidents_open", status->incidents_open);
	if (status->incidents_open)
		print_style(p, PRINT_BAD);
	print_json_text(p, "agent", json_integer(status->agent),
			status->agent ? "registered" : "none");
	print_u64(p, "event_seq", status->event_seq);
	print_bool(p, "locked", status->locked);
	print_u64(p, "guarded_files", status->n_guards);
	print_close(p);
	print_open_list(p, "hooks", PRINT_TABLE);
	for (i = 0; i < status->n_hooks; i++) {
		print_open(p, NULL);
		print_str(p, "symbol", status->hooks[i].symbol);
		print_enum(p, "state", &hook_state_names, status->hooks[i].state);
		style_hook(p, &status->hooks[i]);
		print_bool(p, "required", status->hooks[i].required);
		print_str(p, "lost", status->hooks[i].lost);
		print_close(p);
	}
	print_close(p);
	print_open_list(p, "counters", PRINT_TABLE);
	for (i = 0; i < status->n_counters; i++) {
		print_open(p, NULL);
		print_str(p, "name", status->counters[i].name);
		print_u64(p, "value", status->counters[i].value);
		print_str(p, "help", status->counters[i].help);
		print_close(p);
	}
	print_close(p);
}
