// SPDX-License-Identifier: GPL-2.0
/* The keys of a policy but for hold, sense and rescue: policy, match, observe, respond. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))

#define DEADLINE_MIN_MS 10
#define DEADLINE_MAX_MS 3600000
#define KILL_LIMIT_MAX 10000
#define KILL_WINDOW_MIN_MS 1000
#define KILL_WINDOW_MAX_MS 3600000
#define UID_MAX 4294967294ull

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

static void read_when_sensor(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;

	rule->has_sensor = value_enum(p, node, "when.sensor", &sensor_names, ~0u, &rule->sensor);
}

static void read_when_signal(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;
	uint32_t index;

	if (value_enum(p, node, "when.signal", &fault_signal_names, ~0u, &index))
		rule->signal = fault_signal_number(index);
}

static void read_when_exe(struct parse *p, yaml_node_t *node, void *target)
{
	const char *path = value_path(p, node, "when.exe");
	struct rule *rule = target;

	if (!path)
		return;
	rule->exe = strdup(path);
	if (!rule->exe)
		p->err = -ENOMEM;
}

static void read_when_uid(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;
	uint64_t uid;

	if (!value_number(p, node, "when.uid", 0, UID_MAX, &uid))
		return;
	rule->has_uid = true;
	rule->uid = (uint32_t)uid;
}

static void read_when(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "sensor", read_when_sensor },
		{ "signal", read_when_signal },
		{ "exe", read_when_exe },
		{ "uid", read_when_uid },
	};

	value_map(p, node, "when", keys, ARRAY_SIZE(keys), target);
}

/* One past the last verdict: the rule's verdict has not been read. */
#define VERDICT_UNREAD (SELFHEAL_VERDICT_KILL + 1)

static void read_rule_verdict(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;

	if (!value_enum(p, node, "verdict", &verdict_names, ~0u, &rule->verdict))
		rule->verdict = SELFHEAL_VERDICT_NONE;
}

static void read_rule_after(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;

	value_duration(p, node, "after", 0, DEADLINE_MAX_MS, &rule->after_ms);
}

static void read_rule(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "when", read_when },
		{ "verdict", read_rule_verdict },
		{ "after", read_rule_after },
	};
	struct policy *policy = target;
	struct rule *rule;

	if (policy_add_rule(policy, &rule)) {
		p->err = -ENOMEM;
		return;
	}
	rule->line = (unsigned int)node->start_mark.line + 1;
	rule->verdict = VERDICT_UNREAD;
	value_map(p, node, "rule", keys, ARRAY_SIZE(keys), rule);
	if (rule->verdict == VERDICT_UNREAD && node->type == YAML_MAPPING_NODE)
		diag_error(p, &node->start_mark,
			   "rule: the key 'verdict' is missing; it is one of: none, release, rollback, kill");
	if (rule->signal && rule->has_sensor && rule->sensor != SELFHEAL_SENSOR_FAULT)
		diag_error(p, &node->start_mark,
			   "rule: only the sensor fault reports a signal; this rule can never match");
	if (rule->after_ms && rule->verdict == SELFHEAL_VERDICT_NONE)
		diag_error(p, &node->start_mark, "rule: 'after' means nothing with the verdict none");
}

static void read_rules(struct parse *p, yaml_node_t *node, void *target)
{
	p->at_rules = node->start_mark;
	value_each(p, node, "respond.rules", read_rule, target);
}

static void read_respond(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "default", read_default },
		{ "deadline", read_deadline },
		{ "kill-limit", read_kill_limit },
		{ "kill-window", read_kill_window },
		{ "keep-core", read_keep_core },
		{ "rules", read_rules },
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
