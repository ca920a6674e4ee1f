// SPDX-License-Identifier: GPL-2.0
/* Policies, and the diagnostics of policy files, as fields. */
#include <stdio.h>
#include <string.h>

#include "errnos.h"
#include "view.h"

#define AUDIT_X86_64 0xc000003eu
#define AUDIT_I386 0x40000003u

static void view_strings(struct print *p, const char *key, const struct string_list *list)
{
	size_t i;

	print_open_list(p, key, PRINT_TABLE);
	for (i = 0; i < list->n; i++)
		print_str(p, NULL, list->v[i]);
	print_close(p);
}

static void view_sensors(struct print *p, const struct policy *policy)
{
	print_open_list(p, "sensors", PRINT_TABLE);
	if (policy->fault_mask)
		print_str(p, NULL, "fault");
	if (policy->exec_sense)
		print_str(p, NULL, "exec");
	if (!syscall_map_empty(policy->never.native) || !syscall_map_empty(policy->never.ia32))
		print_str(p, NULL, "syscall");
	if (policy->tamper == SELFHEAL_TAMPER_ACTION_FREEZE)
		print_str(p, NULL, "tamper");
	print_close(p);
}

void view_policy_row(struct print *p, const struct policy *policy)
{
	print_str(p, "name", policy->name);
	print_u64(p, "domains", policy->domains);
	print_bool(p, "observe", policy->flags & SELFHEAL_POLICY_FLAG_OBSERVE);
	view_sensors(p, policy);
	view_strings(p, "match", &policy->match_exe);
	if (policy_states(policy, POLICY_SET_STAMP))
		print_time(p, "loaded", policy->stamp);
}

static void view_commit(struct print *p, const struct policy *policy)
{
	print_open_list(p, "commit", PRINT_TABLE);
	if (policy->commit & SELFHEAL_COMMIT_QUIESCE)
		print_str(p, NULL, "quiesce");
	if (policy->commit & SELFHEAL_COMMIT_DELAY)
		print_str(p, NULL, "delay");
	if (!policy->commit)
		print_str(p, NULL, "verdict");
	print_close(p);
	if (policy->commit & SELFHEAL_COMMIT_DELAY)
		print_ms(p, "commit_delay_ms", policy->commit_delay_ms);
}

static void view_syscalls(struct print *p, const char *key, uint32_t arch, const uint8_t *map)
{
	char name[64];
	int nr;

	if (syscall_map_empty(map))
		return;
	print_open_list(p, key, PRINT_TABLE);
	for (nr = 0; nr < SYSCALLS_MAX; nr++) {
		if (!syscall_bit(map, nr))
			continue;
		syscall_name(name, sizeof(name), arch, nr);
		print_str(p, NULL, name);
	}
	print_close(p);
}

/* Refused only while a channel holds, for a dump goes past the quarantine. */
static uint32_t core_dump(const struct policy *policy)
{
	return !policy_holds(policy) || (policy->flags & SELFHEAL_POLICY_FLAG_CORE_DUMP) ?
	       SELFHEAL_CHANNEL_ACTION_PASS : SELFHEAL_CHANNEL_ACTION_DENY;
}

static void view_hold(struct print *p, const struct policy *policy)
{
	unsigned int i;

	print_open(p, "hold");
	for (i = 0; i < POLICY_CHANNELS; i++)
		if (policy_states_hold(policy, i))
			print_enum(p, name_of(&channel_names, i), &action_names, policy->hold[i]);
	view_syscalls(p, "calls_pass", AUDIT_X86_64, policy->pass.native);
	view_syscalls(p, "calls_pass_ia32", AUDIT_I386, policy->pass.ia32);
	print_enum(p, "core_dump", &action_names, core_dump(policy));
	if (policy_states(policy, POLICY_SET_COMMIT))
		view_commit(p, policy);
	if (policy_states(policy, POLICY_SET_MAX_BYTES))
		print_size(p, "max_bytes", policy->max_bytes);
	if (policy_states(policy, POLICY_SET_OVERFLOW))
		print_enum(p, "overflow", &overflow_names, policy->overflow);
	print_close(p);
}

static void view_sense(struct print *p, const struct policy *policy)
{
	uint32_t i;

	print_open(p, "sense");
	print_open_list(p, "fault", PRINT_TABLE);
	for (i = 0; i < fault_signal_names.n; i++)
		if (policy->fault_mask >> (fault_signal_number(i) - 1) & 1)
			print_str(p, NULL, fault_signal_names.v[i]);
	print_close(p);
	print_bool(p, "fault_handled", policy->flags & SELFHEAL_POLICY_FLAG_FAULT_HANDLED);
	print_bool(p, "exec", policy->exec_sense);
	if (policy->exec_sense)
		view_strings(p, "exec_allow", &policy->exec_allow);
	view_syscalls(p, "syscall_never", AUDIT_X86_64, policy->never.native);
	view_syscalls(p, "syscall_never_ia32", AUDIT_I386, policy->never.ia32);
	view_syscalls(p, "syscall_deny", AUDIT_X86_64, policy->deny.native);
	view_syscalls(p, "syscall_deny_ia32", AUDIT_I386, policy->deny.ia32);
	if (policy_states(policy, POLICY_SET_TAMPER))
		print_enum(p, "tamper", &tamper_names, policy->tamper);
	print_close(p);
}

static void view_errno(struct print *p, const char *name, uint32_t number)
{
	const char *text = errno_name(number);

	if (text)
		print_str(p, name, text);
	else
		print_u64(p, name, number);
}

void view_policy(struct print *p, const struct policy *policy)
{
	print_str(p, "name", policy->name);
	if (policy_states(policy, POLICY_SET_DOMAINS))
		print_u64(p, "domains", policy->domains);
	if (policy_states(policy, POLICY_SET_STAMP))
		print_time(p, "loaded", policy->stamp);
	print_bool(p, "observe", policy->flags & SELFHEAL_POLICY_FLAG_OBSERVE);
	view_strings(p, "match", &policy->match_exe);
	view_hold(p, policy);
	view_sense(p, policy);
	if (policy_states(policy, POLICY_SET_RESCUE) && policy->rescue) {
		print_open(p, "rescue");
		print_enum(p, "at", &rescue_names, policy->rescue);
		if (policy_states(policy, POLICY_SET_RESCUE_ERRNO))
			view_errno(p, "errno", policy->rescue_errno);
		print_close(p);
	}
	print_open(p, "respond");
	if (policy_states(policy, POLICY_SET_DEFAULT))
		print_enum(p, "default", &verdict_names, policy->default_verdict);
	if (policy_states(policy, POLICY_SET_DEADLINE))
		print_ms(p, "deadline_ms", policy->deadline_ms);
	if (policy_states(policy, POLICY_SET_KILL_LIMIT))
		print_u64(p, "kill_limit", policy->kill_limit);
	if (policy_states(policy, POLICY_SET_KILL_WINDOW))
		print_ms(p, "kill_window_ms", policy->kill_window_ms);
	print_close(p);
	if (policy->source)
		print_block(p, "source", policy->source, policy->source_len);
}

void view_diag_rows(struct print *p, const char *file, const struct policy_file *parsed)
{
	char place[4200], text[4202];
	size_t i;

	for (i = 0; i < parsed->n_diags; i++) {
		const struct policy_diag *diag = &parsed->diags[i];
		bool error = diag->severity == POLICY_ERROR;

		snprintf(place, sizeof(place), "%s:%u:%u", file, diag->line, diag->column);
		snprintf(text, sizeof(text), "%s:", place);
		print_open(p, NULL);
		print_json_text(p, "place", print_string(place), text);
		print_bare(p);
		print_json_text(p, "severity", print_string(error ? "error" : "warning"),
				error ? "error:" : "warning:");
		print_bare(p);
		print_style(p, error ? PRINT_BAD : PRINT_WARN);
		print_u64(p, "line", diag->line);
		print_json_only(p);
		print_u64(p, "column", diag->column);
		print_json_only(p);
		print_str(p, "message", diag->text);
		print_bare(p);
		print_close(p);
	}
}
