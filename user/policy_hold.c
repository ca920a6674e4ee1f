// SPDX-License-Identifier: GPL-2.0
/* The key hold of a policy: what becomes of output, by channel. */
#include "policy_priv.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1u << (n))

#define DELAY_MIN_MS 1
#define DELAY_MAX_MS 60000
#define MAX_BYTES_MIN 4096
#define MAX_BYTES_MAX (1ull << 30)

static void read_channel(struct parse *p, yaml_node_t *node, const char *what,
			 struct policy *policy, uint32_t channel, uint32_t allowed)
{
	if (value_enum(p, node, what, &action_names, allowed, &policy->hold[channel]))
		policy->set |= (uint32_t)POLICY_SET_HOLD << channel;
}

#define ACTIONS_ALL (BIT(SELFHEAL_CHANNEL_ACTION_PASS) | BIT(SELFHEAL_CHANNEL_ACTION_HOLD) | \
		     BIT(SELFHEAL_CHANNEL_ACTION_DENY))
/* Of what cannot be held. */
#define ACTIONS_SHUT (BIT(SELFHEAL_CHANNEL_ACTION_PASS) | BIT(SELFHEAL_CHANNEL_ACTION_DENY))

static void read_socket(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.socket", target, SELFHEAL_CHANNEL_SOCKET, ACTIONS_ALL);
}

static void read_pipe(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.pipe", target, SELFHEAL_CHANNEL_PIPE, ACTIONS_ALL);
}

static void read_tty(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.tty", target, SELFHEAL_CHANNEL_TTY, ACTIONS_ALL);
}

static void read_other(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.other", target, SELFHEAL_CHANNEL_OTHER, ACTIONS_SHUT);
}

static void read_signal(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.signal", target, SELFHEAL_CHANNEL_SIGNAL, ACTIONS_SHUT);
}

static void read_ipc(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.ipc", target, SELFHEAL_CHANNEL_IPC, ACTIONS_SHUT);
}

static void read_device(struct parse *p, yaml_node_t *node, void *target)
{
	read_channel(p, node, "hold.device", target, SELFHEAL_CHANNEL_DEVICE, ACTIONS_SHUT);
}

static void read_pass_name(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	value_syscall(p, node, "hold.calls-pass", &policy->pass);
}

static void read_calls_pass(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	p->at_pass = node->start_mark;
	policy->set |= POLICY_SET_PASS;
	value_each(p, node, "hold.calls-pass", read_pass_name, target);
}

static void read_core_dump(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	uint32_t action;

	if (!value_enum(p, node, "hold.core-dump", &action_names, ACTIONS_SHUT, &action))
		return;
	policy->set |= POLICY_SET_FLAGS;
	if (action == SELFHEAL_CHANNEL_ACTION_PASS)
		policy->flags |= SELFHEAL_POLICY_FLAG_CORE_DUMP;
}

static void read_commit_quiesce(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;
	bool on;

	if (value_bool(p, node, "hold.commit.quiesce", &on) && on)
		policy->commit |= SELFHEAL_COMMIT_QUIESCE;
}

static void read_commit_delay(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	policy->commit |= SELFHEAL_COMMIT_DELAY;
	if (value_duration(p, node, "hold.commit.delay", DELAY_MIN_MS, DELAY_MAX_MS,
			   &policy->commit_delay_ms))
		policy->set |= POLICY_SET_COMMIT_DELAY;
}

static void read_commit(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "quiesce", read_commit_quiesce },
		{ "delay", read_commit_delay },
	};
	static const char *const words[] = { "quiesce", "verdict" };
	static const struct names commit_words = { words, ARRAY_SIZE(words) };
	struct policy *policy = target;
	uint32_t word;

	p->at_commit = node->start_mark;
	policy->set |= POLICY_SET_COMMIT;
	if (node->type == YAML_MAPPING_NODE) {
		value_map(p, node, "hold.commit", keys, ARRAY_SIZE(keys), policy);
		if (!policy->commit)
			diag_error(p, &node->start_mark,
				   "hold.commit: no condition is left; write 'commit: verdict' if only a verdict shall commit");
	} else if (value_enum(p, node, "hold.commit", &commit_words, BIT(0) | BIT(1), &word)) {
		policy->commit = word ? 0 : SELFHEAL_COMMIT_QUIESCE;
	}
}

static void read_max_bytes(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_size(p, node, "hold.max-bytes", MAX_BYTES_MIN, MAX_BYTES_MAX, &policy->max_bytes))
		policy->set |= POLICY_SET_MAX_BYTES;
}

static void read_overflow(struct parse *p, yaml_node_t *node, void *target)
{
	struct policy *policy = target;

	if (value_enum(p, node, "hold.overflow", &overflow_names, ~0u, &policy->overflow))
		policy->set |= POLICY_SET_OVERFLOW;
}

void policy_read_hold(struct parse *p, yaml_node_t *node, void *target)
{
	static const struct key keys[] = {
		{ "socket", read_socket },
		{ "pipe", read_pipe },
		{ "tty", read_tty },
		{ "other", read_other },
		{ "signal", read_signal },
		{ "ipc", read_ipc },
		{ "device", read_device },
		{ "calls-pass", read_calls_pass },
		{ "core-dump", read_core_dump },
		{ "commit", read_commit },
		{ "max-bytes", read_max_bytes },
		{ "overflow", read_overflow },
	};

	p->at_hold = node->start_mark;
	value_map(p, node, "hold", keys, ARRAY_SIZE(keys), target);
}
