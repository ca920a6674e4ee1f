// SPDX-License-Identifier: GPL-2.0
/* The keys of a policy but for hold, sense and rescue: policy, match, observe, respond. */
#include <errno.h>
#include <string.h>

#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))

#define DEADLINE_MIN_MS 10
#define DEADLINE_MAX_MS 3600000
#define KILL_LIMIT_MAX 10000
#define KILL_WINDOW_MIN_MS 1000
#define KILL_WINDOW_MAX_MS 3600000

static void read_name(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	const char *text = value_scalar(p, node, "policy");
	size_t len;

	p->at_policy = node->start_mark;
	if (!text)
		return;
	len = strlen(text);
	if (!len || len > SELFHEAL_POLICY_NAME_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
		diag_error(p, &node->start_mark,
			   "policy: a name is 1 to %d characters of A-Z, a-z, 0-9, '.', '_' and '-'",
			   SELFHEAL_POLICY_NAME_MAX);
	else
		memcpy(policy->name, text, len + 1);
}

static void read_match_exe(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	value_paths(p, node, "match.exe", SELFHEAL_MATCH_MAX, &policy->match_exe);
}

static void read_match(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "exe", read_match_exe },
	};

	value_map(p, node, "match", keys, ARRAY_SIZE(keys), target);
}

static void read_observe(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	bool on;

	if (!value_bool(p, node, "observe", &on))
		return;
	policy->set |= POLICY_SET_FLAGS;
	if (on)
		policy->flags |= SELFHEAL_POLICY_FLAG_OBSERVE;
}

static void read_default(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_enum(p, node, "respond.default", &verdict_names,
		       BIT(SELFHEAL_VERDICT_RELEASE) | BIT(SELFHEAL_VERDICT_ROLLBACK) |
		       BIT(SELFHEAL_VERDICT_KILL),
		       &policy->default_verdict))
		policy->set |= POLICY_SET_DEFAULT;
}

static void read_deadline(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_duration(p, node, "respond.deadline", DEADLINE_MIN_MS, DEADLINE_MAX_MS,
			   &policy->deadline_ms))
		policy->set |= POLICY_SET_DEADLINE;
}

static void read_kill_limit(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	uint64_t limit;

	if (!value_number(p, node, "respond.kill-limit", 0, KILL_LIMIT_MAX, &limit))
		return;
	policy->kill_limit = (uint32_t)limit;
	policy->set |= POLICY_SET_KILL_LIMIT;
}

static void read_kill_window(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	p->at_kill_window = node->start_mark;
	if (value_duration(p, node, "respond.kill-window", KILL_WINDOW_MIN_MS, KILL_WINDOW_MAX_MS,
			   &policy->kill_window_ms))
		policy->set |= POLICY_SET_KILL_WINDOW;
}

static void read_keep_core(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	value_bool(p, node, "respond.keep-core", &policy->keep_core);
}

static void read_respond(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "default", read_default },
		{ "deadline", read_deadline },
		{ "kill-limit", read_kill_limit },
		{ "kill-window", read_kill_window },
		{ "keep-core", read_keep_core },
		{ "rules", policy_read_rules },
	};

	value_map(p, node, "respond", keys, ARRAY_SIZE(keys), target);
}

void policy_read(struct parse *p, yaml_node_t *root)
{
	static const struct key keys[] = {
		{ "policy", read_name },
		{ "match", read_match },
		{ "observe", read_observe },
		{ "hold", policy_read_hold },
		{ "sense", policy_read_sense },
		{ "rescue", policy_read_rescue },
		{ "respond", read_respond },
	};
	size_t errors = p->file->n_errors;

	p->at_policy = root->start_mark;
	value_map(p, root, "policy file", keys, ARRAY_SIZE(keys), p->policy);
	if (!p->policy->name[0] && p->file->n_errors == errors)
		diag_error(p, &root->start_mark, "the key 'policy' is missing; it names the policy");
}
