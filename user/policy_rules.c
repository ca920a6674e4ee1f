// SPDX-License-Identifier: GPL-2.0
/* The key respond.rules of a policy: when the agent answers what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define AFTER_MAX_MS 3600000
#define WITHIN_MIN_MS 1000
#define WITHIN_MAX_MS 3600000
#define WITHIN_DEFAULT_MS 60000
#define UID_MAX 4294967294ull
#define RUN_MAX 32

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

static void read_when_again(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;
	uint64_t times;

	if (value_number(p, node, "when.again", 1, HISTORY_MAX - 1, &times))
		rule->again = (uint32_t)times;
}

static void read_when_within(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;

	value_duration(p, node, "when.within", WITHIN_MIN_MS, WITHIN_MAX_MS, &rule->within_ms);
}

static void read_when(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "sensor", read_when_sensor },
		{ "signal", read_when_signal },
		{ "exe", read_when_exe },
		{ "uid", read_when_uid },
		{ "again", read_when_again },
		{ "within", read_when_within },
	};
	struct rule *rule = target;

	value_map(p, node, "when", keys, ARRAY_SIZE(keys), target);
	if (rule->within_ms && !rule->again)
		diag_error(p, &node->start_mark,
			   "when: 'within' is the time for 'again', the number of times before; that key is missing");
	if (rule->again && !rule->within_ms)
		rule->within_ms = WITHIN_DEFAULT_MS;
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

	value_duration(p, node, "after", 0, AFTER_MAX_MS, &rule->after_ms);
}

static void read_rule_errno(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;

	if (policy_read_error(p, node, "errno", &rule->error))
		rule->has_error = true;
}

static void read_run_word(struct parse *p, yaml_node_t *node, void *target)
{
	struct rule *rule = target;
	const char *word = value_scalar(p, node, "run");

	if (!word)
		return;
	if (!rule->run.n)
		value_path(p, node, "run");
	if (rule->run.n == RUN_MAX)
		diag_error(p, &node->start_mark, "run: more than %d words", RUN_MAX);
	else if (string_list_add(&rule->run, word))
		p->err = -ENOMEM;
}

static void read_rule_run(struct parse *p, yaml_node_t *node, void *target)
{
	value_each(p, node, "run", read_run_word, target);
}

/* What goes with some verdicts only. */
static void check_rule(struct parse *p, const yaml_node_t *node, const struct rule *rule)
{
	if (rule->signal && rule->has_sensor && rule->sensor != SELFHEAL_SENSOR_FAULT)
		diag_error(p, &node->start_mark,
			   "rule: only the sensor fault reports a signal; this rule can never match");
	if (rule->after_ms && rule->verdict == SELFHEAL_VERDICT_NONE)
		diag_error(p, &node->start_mark, "rule: 'after' means nothing with the verdict none");
	if (rule->run.n && rule->verdict == SELFHEAL_VERDICT_NONE)
		diag_error(p, &node->start_mark, "rule: 'run' is for after the verdict, and there is none");
	if (rule->has_error && rule->verdict != SELFHEAL_VERDICT_ROLLBACK &&
	    rule->verdict != VERDICT_UNREAD)
		diag_error(p, &node->start_mark, "rule: 'errno' needs the verdict rollback");
}

static void read_rule(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "when", read_when },
		{ "verdict", read_rule_verdict },
		{ "after", read_rule_after },
		{ "errno", read_rule_errno },
		{ "run", read_rule_run },
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
	check_rule(p, node, rule);
}

void policy_read_rules(struct parse *p, yaml_node_t *node, void *target)
{
	p->at_rules = node->start_mark;
	value_each(p, node, "respond.rules", read_rule, target);
}
