// SPDX-License-Identifier: GPL-2.0
/* The key rescue of a policy: when rescue points are taken, and what follows. */
#include "errnos.h"
#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void read_at(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_enum(p, node, "rescue.at", &rescue_names, ~0u, &policy->rescue))
		policy->set |= POLICY_SET_RESCUE;
}

bool policy_read_error(struct parse *p, yaml_node_t *node, const char *what, uint32_t *out)
{
	const char *name = value_scalar(p, node, what);
	int number;

	if (!name)
		return false;
	number = errno_from_name(name);
	if (number < 0) {
		diag_error(p, &node->start_mark,
			   "%s: the name of an error as in errno(3), such as ECONNRESET, or eof", what);
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

static void read_errno(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (policy_read_error(p, node, "rescue.errno", &policy->rescue_errno))
		policy->set |= POLICY_SET_RESCUE_ERRNO;
}

void policy_read_rescue(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "at", read_at },
		{ "errno", read_errno },
	};

	p->at_rescue = node->start_mark;
	value_map(p, node, "rescue", keys, ARRAY_SIZE(keys), target);
}

/* What the kernel would refuse, told with the place. */
void policy_lint_rescue(struct parse *p)
{
	const struct policy *policy = p->policy;
	bool rescue = policy_states(policy, POLICY_SET_RESCUE) &&
		      policy->rescue != SELFHEAL_RESCUE_NONE;
	size_t i;

	if (!rescue) {
		if (policy_states(policy, POLICY_SET_RESCUE_ERRNO))
			diag_error(p, &p->at_rescue, "rescue.errno: needs 'rescue.at: wait'");
		if (policy_states(policy, POLICY_SET_DEFAULT) &&
		    policy->default_verdict == SELFHEAL_VERDICT_ROLLBACK)
			diag_error(p, &p->at_policy,
				   "respond.default: rollback needs 'rescue: {at: wait}'");
		for (i = 0; i < policy->n_rules; i++)
			if (policy->rules[i].verdict == SELFHEAL_VERDICT_ROLLBACK)
				diag_warn(p, &p->at_rules,
					  "the rule of line %u rolls back, which the kernel refuses without 'rescue: {at: wait}'; the incident is then left to people or to the deadline",
					  policy->rules[i].line);
		return;
	}
	if (policy->flags & SELFHEAL_POLICY_FLAG_OBSERVE)
		diag_error(p, &p->at_rescue, "rescue: a policy that observes has nothing to roll back");
	if (!policy_states_hold(policy, SELFHEAL_CHANNEL_SOCKET) ||
	    policy->hold[SELFHEAL_CHANNEL_SOCKET] == SELFHEAL_CHANNEL_ACTION_PASS)
		diag_error(p, &p->at_rescue,
			   "rescue: needs 'hold.socket: hold' or deny; what has left cannot be rolled back");
	if (policy_states(policy, POLICY_SET_COMMIT) && policy->commit != SELFHEAL_COMMIT_QUIESCE)
		diag_error(p, &p->at_rescue, "rescue: needs 'hold.commit: quiesce' alone");
	if (policy->overflow == SELFHEAL_OVERFLOW_COMMIT)
		diag_error(p, &p->at_rescue, "rescue: needs a hold.overflow other than commit");
}
