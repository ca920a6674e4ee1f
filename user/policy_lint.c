// SPDX-License-Identifier: GPL-2.0
/* Checks across the keys of a policy. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy_priv.h"
#include "units.h"

static bool sensor_on(const struct policy *policy, uint32_t sensor)
{
	switch (sensor) {
	case SELFHEAL_SENSOR_FAULT:
		return policy->fault_mask;
	case SELFHEAL_SENSOR_EXEC:
		return policy->exec_sense;
	case SELFHEAL_SENSOR_SYSCALL:
		return !syscall_map_empty(policy->never.native) ||
		       !syscall_map_empty(policy->never.ia32);
	case SELFHEAL_SENSOR_OVERFLOW:
		return policy->overflow == SELFHEAL_OVERFLOW_KILL;
	case SELFHEAL_SENSOR_TAMPER:
		return policy->tamper == SELFHEAL_TAMPER_ACTION_FREEZE;
	default:
		return true;
	}
}

/* Is any of the channels shut that a call can be exempt from? */
static bool shuts(const struct policy *policy)
{
	int i;

	for (i = SELFHEAL_CHANNEL_OTHER; i < POLICY_CHANNELS; i++)
		if (policy_states_hold(policy, i) ?
		    policy->hold[i] == SELFHEAL_CHANNEL_ACTION_DENY : policy_holds(policy))
			return true;
	return false;
}

/* Does rule a match whatever rule b matches? */
static bool covers(const struct rule *a, const struct rule *b)
{
	bool b_fault = (b->has_sensor && b->sensor == SELFHEAL_SENSOR_FAULT) || b->signal;

	if (a->has_sensor && !(b->has_sensor && b->sensor == a->sensor) &&
	    !(a->sensor == SELFHEAL_SENSOR_FAULT && b_fault))
		return false;
	if (a->signal && a->signal != b->signal)
		return false;
	if (a->exe && (!b->exe || strcmp(a->exe, b->exe)))
		return false;
	if (a->again && (b->again < a->again || b->within_ms > a->within_ms))
		return false;
	return !a->has_uid || (b->has_uid && a->uid == b->uid);
}

static void lint_rule(struct parse *p, size_t index)
{
	const struct policy *policy = p->policy;
	const struct rule *rule = &policy->rules[index];
	uint32_t deadline = policy_states(policy, POLICY_SET_DEADLINE) ?
			    policy->deadline_ms : POLICY_DEADLINE_DEFAULT_MS;
	uint32_t sensor = rule->signal ? SELFHEAL_SENSOR_FAULT : rule->sensor;
	char text[32];
	size_t i;

	if ((rule->has_sensor || rule->signal) && !sensor_on(policy, sensor))
		diag_warn(p, &p->at_rules,
			  "the rule of line %u waits for the sensor %s, which this policy does not turn on",
			  rule->line, name_of(&sensor_names, sensor));
	else if (rule->signal && !(policy->fault_mask >> (rule->signal - 1) & 1))
		diag_warn(p, &p->at_rules,
			  "the rule of line %u waits for a signal that sense.fault does not list", rule->line);
	units_format_duration(text, sizeof(text), deadline);
	if (rule->after_ms >= deadline)
		diag_warn(p, &p->at_rules,
			  "the rule of line %u answers after the deadline of %s, which is too late",
			  rule->line, text);
	for (i = 0; i < index; i++) {
		if (!covers(&policy->rules[i], rule))
			continue;
		diag_warn(p, &p->at_rules,
			  "the rule of line %u is never reached; the one of line %u matches first",
			  rule->line, policy->rules[i].line);
		break;
	}
}

/* The calls that the kernel takes for a reach for itself, whatever their channel. */
static const char *const tamper_calls[] = {
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
	"reboot", "bpf", "perf_event_open", "iopl", "ioperm",
};

static void lint_pass_tamper(struct parse *p)
{
	struct syscall_set tampers = { 0 };
	char name[64];
	size_t i;

	if (p->policy->tamper == SELFHEAL_TAMPER_ACTION_PASS)
		return;
	for (i = 0; i < sizeof(tamper_calls) / sizeof(tamper_calls[0]); i++)
		syscall_set_add(&tampers, tamper_calls[i]);
	if (syscall_set_common(&p->policy->pass, &tampers, name, sizeof(name)))
		diag_warn(p, &p->at_pass,
			  "hold.calls-pass: '%s' is refused all the same, as a reach for the kernel; it needs 'tamper: pass' in sense",
			  name);
}

static void lint_hold(struct parse *p)
{
	const struct policy *policy = p->policy;

	lint_pass_tamper(p);
	if (policy_states(policy, POLICY_SET_PASS) && !shuts(policy))
		diag_warn(p, &p->at_pass,
			  "hold.calls-pass: no channel is denied, so these calls pass anyway");
	if (!policy_holds(policy)) {
		if (policy->set & (POLICY_SET_COMMIT | POLICY_SET_MAX_BYTES | POLICY_SET_OVERFLOW))
			diag_warn(p, &p->at_hold,
				  "hold: no channel is set to hold, so commit, max-bytes and overflow have no effect");
		return;
	}
	if (policy->overflow == SELFHEAL_OVERFLOW_COMMIT &&
	    policy_states(policy, POLICY_SET_COMMIT) && !policy->commit)
		diag_warn(p, &p->at_commit,
			  "hold.commit: with 'overflow: commit' a full quarantine goes out, although only a verdict shall commit");
	if (policy->hold[SELFHEAL_CHANNEL_OTHER] == SELFHEAL_CHANNEL_ACTION_PASS &&
	    policy_states_hold(policy, SELFHEAL_CHANNEL_OTHER))
		diag_warn(p, &p->at_hold,
			  "hold: with 'other: pass' output can leave by io_uring, splice and the like without being held");
}

void policy_lint(struct parse *p)
{
	const struct policy *policy = p->policy;
	char name[64];
	size_t i;

	if (syscall_set_common(&policy->never, &policy->deny, name, sizeof(name)))
		diag_error(p, &p->at_deny,
			   "sense.syscall: '%s' is in both never and deny; deny refuses a call silently, never opens an incident: choose one",
			   name);
	if (syscall_set_common(&policy->never, &policy->pass, name, sizeof(name)))
		diag_error(p, &p->at_pass,
			   "hold.calls-pass: '%s' is also in sense.syscall.never; it cannot both pass and open an incident: choose one",
			   name);
	if (syscall_set_common(&policy->deny, &policy->pass, name, sizeof(name)))
		diag_error(p, &p->at_pass,
			   "hold.calls-pass: '%s' is also in sense.syscall.deny; it cannot both pass and fail: choose one",
			   name);
	lint_hold(p);
	policy_lint_rescue(p);
	if (policy_states(policy, POLICY_SET_KILL_LIMIT) && !policy->kill_limit &&
	    policy_states(policy, POLICY_SET_KILL_WINDOW))
		diag_warn(p, &p->at_kill_window,
			  "respond.kill-window: with 'kill-limit: 0' there is no limit, so the window has no effect");
	for (i = 0; i < policy->n_rules; i++)
		lint_rule(p, i);
	if (!sensor_on(policy, SELFHEAL_SENSOR_FAULT) && !sensor_on(policy, SELFHEAL_SENSOR_EXEC) &&
	    !sensor_on(policy, SELFHEAL_SENSOR_SYSCALL) && !sensor_on(policy, SELFHEAL_SENSOR_TAMPER))
		diag_warn(p, &p->at_policy,
			  "policy: no sensor is on; only 'healctl domain freeze' can open an incident");
}
