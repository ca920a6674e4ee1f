// SPDX-License-Identifier: GPL-2.0
/* The key sense of a policy: what the sensors look for. */
#include <errno.h>
#include <stdio.h>

#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void read_fault_signal(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	uint32_t index;

	if (value_enum(p, node, "sense.fault", &fault_signal_names, ~0u, &index))
		policy->fault_mask |= 1ull << (fault_signal_number(index) - 1);
}

static void read_fault_signals(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	policy->set |= POLICY_SET_FAULT_MASK;
	value_each(p, node, "sense.fault", read_fault_signal, target);
}

static void read_fault_handled(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	bool on;

	if (!value_bool(p, node, "sense.fault.handled", &on))
		return;
	policy->set |= POLICY_SET_FLAGS;
	if (on)
		policy->flags |= SELFHEAL_POLICY_FLAG_FAULT_HANDLED;
}

static void read_fault(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "signals", read_fault_signals },
		{ "handled", read_fault_handled },
	};
	struct policy *policy = target;

	if (node->type != YAML_MAPPING_NODE) {
		read_fault_signals(p, node, target);
		return;
	}
	value_map(p, node, "sense.fault", keys, ARRAY_SIZE(keys), target);
	if (!policy_states(policy, POLICY_SET_FAULT_MASK))
		diag_error(p, &node->start_mark,
			   "sense.fault: the key 'signals' is missing; it lists some of: SEGV, BUS, ILL, FPE, TRAP, SYS, ABRT");
}

static void read_exec_allow(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	policy->exec_sense = true;
	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		diag_error(p, &node->start_mark,
			   "sense.exec.allow: expected a list of paths, found nothing; write [] to allow no exec at all");
	else
		value_paths(p, node, "sense.exec.allow", SELFHEAL_EXEC_ALLOW_MAX,
			    &policy->exec_allow);
}

static void read_exec(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "allow", read_exec_allow },
	};
	struct policy *policy = target;

	value_map(p, node, "sense.exec", keys, ARRAY_SIZE(keys), target);
	if (node->type == YAML_MAPPING_NODE && !policy->exec_sense)
		diag_error(p, &node->start_mark,
			   "sense.exec: the key 'allow' is missing; write 'allow: []' to allow no exec at all");
}

static void read_syscall_name(struct parse *p, yaml_node_t *node, const char *what,
			      struct syscall_set *set)
{
	const char *name = value_syscall(p, node, what, set);
	const char *multiplexer = name ? syscall_multiplexer(name) : NULL;

	if (multiplexer)
		diag_warn(p, &node->start_mark,
			  "%s: 32-bit programs can also reach '%s' through '%s'; list that too unless they need it",
			  what, name, multiplexer);
}

static void read_never_name(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	read_syscall_name(p, node, "sense.syscall.never", &policy->never);
}

static void read_never(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	policy->set |= POLICY_SET_NEVER;
	value_each(p, node, "sense.syscall.never", read_never_name, target);
}

static void read_deny_name(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	read_syscall_name(p, node, "sense.syscall.deny", &policy->deny);
}

static void read_deny(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	p->at_deny = node->start_mark;
	policy->set |= POLICY_SET_DENY;
	value_each(p, node, "sense.syscall.deny", read_deny_name, target);
}

static void read_syscall(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "never", read_never },
		{ "deny", read_deny },
	};

	value_map(p, node, "sense.syscall", keys, ARRAY_SIZE(keys), target);
}

static void read_tamper(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_enum(p, node, "sense.tamper", &tamper_names, ~0u, &policy->tamper))
		policy->set |= POLICY_SET_TAMPER;
}

void policy_read_sense(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "fault", read_fault },
		{ "exec", read_exec },
		{ "syscall", read_syscall },
		{ "tamper", read_tamper },
	};

	p->at_sense = node->start_mark;
	value_map(p, node, "sense", keys, ARRAY_SIZE(keys), target);
}
