// SPDX-License-Identifier: GPL-2.0
/* A plain policy to netlink attributes: what it states, and nothing else. */
#include <errno.h>
#include <string.h>

#include "decode.h"

static int put_list(struct nl_msg *msg, int type, const struct string_list *list)
{
	size_t i;
	int err = 0;

	for (i = 0; i < list->n && !err; i++)
		err = nla_put_string(msg, type, list->v[i]);
	return err;
}

static int put_set(struct nl_msg *msg, int native, int ia32, const struct syscall_set *set)
{
	int err = nla_put(msg, native, SELFHEAL_SYSMAP_LEN, set->native);

	if (!err)
		err = nla_put(msg, ia32, SELFHEAL_SYSMAP_LEN, set->ia32);
	return err;
}

static int put_hold(struct nl_msg *msg, const struct policy *policy)
{
	int i, err = 0;

	for (i = 0; i < POLICY_CHANNELS && !err; i++)
		if (policy_states_hold(policy, i))
			err = nla_put_u32(msg, SELFHEAL_A_POLICY_HOLD_SOCKET + i, policy->hold[i]);
	if (!err && policy_states(policy, POLICY_SET_COMMIT))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_COMMIT, policy->commit);
	if (!err && policy_states(policy, POLICY_SET_COMMIT_DELAY))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_COMMIT_DELAY, policy->commit_delay_ms);
	if (!err && policy_states(policy, POLICY_SET_MAX_BYTES))
		err = nla_put_u64(msg, SELFHEAL_A_POLICY_MAX_BYTES, policy->max_bytes);
	if (!err && policy_states(policy, POLICY_SET_OVERFLOW))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_OVERFLOW, policy->overflow);
	if (!err && policy_states(policy, POLICY_SET_PASS))
		err = put_set(msg, SELFHEAL_A_POLICY_SYSCALL_PASS,
			      SELFHEAL_A_POLICY_SYSCALL_PASS_IA32, &policy->pass);
	return err;
}

static int put_sense(struct nl_msg *msg, const struct policy *policy)
{
	int err = 0;

	if (policy_states(policy, POLICY_SET_FAULT_MASK))
		err = nla_put_u64(msg, SELFHEAL_A_POLICY_FAULT_MASK, policy->fault_mask);
	if (!err && policy->exec_sense)
		err = nla_put_flag(msg, SELFHEAL_A_POLICY_EXEC_SENSE);
	if (!err)
		err = put_list(msg, SELFHEAL_A_POLICY_EXEC_ALLOW, &policy->exec_allow);
	if (!err && policy_states(policy, POLICY_SET_NEVER))
		err = put_set(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER,
			      SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32, &policy->never);
	if (!err && policy_states(policy, POLICY_SET_DENY))
		err = put_set(msg, SELFHEAL_A_POLICY_SYSCALL_DENY,
			      SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, &policy->deny);
	if (!err && policy_states(policy, POLICY_SET_TAMPER))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_TAMPER, policy->tamper);
	return err;
}

static int put_respond(struct nl_msg *msg, const struct policy *policy)
{
	int err = 0;

	if (policy_states(policy, POLICY_SET_DEFAULT))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_DEFAULT_VERDICT, policy->default_verdict);
	if (!err && policy_states(policy, POLICY_SET_DEADLINE))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_DEADLINE, policy->deadline_ms);
	if (!err && policy_states(policy, POLICY_SET_KILL_LIMIT))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_KILL_LIMIT, policy->kill_limit);
	if (!err && policy_states(policy, POLICY_SET_KILL_WINDOW))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_KILL_WINDOW, policy->kill_window_ms);
	if (!err && policy_states(policy, POLICY_SET_RESCUE))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_RESCUE, policy->rescue);
	if (!err && policy_states(policy, POLICY_SET_RESCUE_ERRNO))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_RESCUE_ERRNO, policy->rescue_errno);
	return err;
}

int encode_policy(struct nl_msg *msg, const struct policy *policy)
{
	int err;

	err = nla_put_string(msg, SELFHEAL_A_POLICY_NAME, policy->name);
	if (!err && policy_states(policy, POLICY_SET_FLAGS))
		err = nla_put_u32(msg, SELFHEAL_A_POLICY_FLAGS, policy->flags);
	if (!err)
		err = put_list(msg, SELFHEAL_A_POLICY_MATCH_EXE, &policy->match_exe);
	if (!err)
		err = put_hold(msg, policy);
	if (!err)
		err = put_sense(msg, policy);
	if (!err)
		err = put_respond(msg, policy);
	if (!err && policy->source)
		err = nla_put(msg, SELFHEAL_A_POLICY_SOURCE, (int)policy->source_len, policy->source);
	return err ? -EMSGSIZE : 0;
}

size_t encode_policy_size(const struct policy *policy)
{
	size_t i, size = 4096 + policy->source_len;

	for (i = 0; i < policy->match_exe.n; i++)
		size += strlen(policy->match_exe.v[i]) + 16;
	for (i = 0; i < policy->exec_allow.n; i++)
		size += strlen(policy->exec_allow.v[i]) + 16;
	return size;
}
