// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nl_policy.h"

void policy_init(struct policy *p)
{
	static unsigned int serial;

	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "test.%d.%u", getpid(), serial++);
	p->hold_socket = -1;
	p->hold_pipe = -1;
	p->hold_tty = -1;
	p->hold_other = -1;
	p->hold_signal = -1;
	p->hold_ipc = -1;
	p->hold_device = -1;
	p->commit = -1;
	p->delay_ms = -1;
	p->overflow = -1;
	p->tamper = -1;
	p->kill_limit = -1;
	p->kill_window_ms = -1;
	p->default_verdict = -1;
	p->deadline_ms = -1;
	p->rescue = -1;
	p->rescue_errno = -1;
}

void policy_hold(struct policy *p)
{
	p->hold_socket = SELFHEAL_CHANNEL_ACTION_HOLD;
	p->hold_pipe = SELFHEAL_CHANNEL_ACTION_HOLD;
	p->hold_tty = SELFHEAL_CHANNEL_ACTION_HOLD;
	p->commit = SELFHEAL_COMMIT_QUIESCE;
}

void policy_faults(struct policy *p)
{
	p->fault_mask = SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) |
			SIGMASK(SIGFPE) | SIGMASK(SIGTRAP) | SIGMASK(SIGSYS) |
			SIGMASK(SIGABRT);
}

void sysmap_set(uint8_t *map, unsigned int nr)
{
	map[nr / 8] |= 1 << (nr % 8);
}

static void put_int(struct nl_msg *msg, int attr, int value)
{
	if (value >= 0)
		nla_put_u32(msg, attr, value);
}

static void put_map(struct nl_msg *msg, int attr, const uint8_t *map)
{
	static const uint8_t none[SELFHEAL_SYSMAP_LEN];

	if (memcmp(map, none, sizeof(none)))
		nla_put(msg, attr, SELFHEAL_SYSMAP_LEN, map);
}

void policy_put(struct nl_msg *msg, const struct policy *p)
{
	int i;

	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, p->name);
	if (p->flags)
		nla_put_u32(msg, SELFHEAL_A_POLICY_FLAGS, p->flags);
	for (i = 0; p->match[i]; i++)
		nla_put_string(msg, SELFHEAL_A_POLICY_MATCH_EXE, p->match[i]);
	for (i = 0; p->allow[i]; i++)
		nla_put_string(msg, SELFHEAL_A_POLICY_EXEC_ALLOW, p->allow[i]);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_SOCKET, p->hold_socket);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_PIPE, p->hold_pipe);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_TTY, p->hold_tty);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_OTHER, p->hold_other);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_SIGNAL, p->hold_signal);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_IPC, p->hold_ipc);
	put_int(msg, SELFHEAL_A_POLICY_HOLD_DEVICE, p->hold_device);
	put_int(msg, SELFHEAL_A_POLICY_COMMIT, p->commit);
	put_int(msg, SELFHEAL_A_POLICY_COMMIT_DELAY, p->delay_ms);
	put_int(msg, SELFHEAL_A_POLICY_OVERFLOW, p->overflow);
	if (p->max_bytes)
		nla_put_u64(msg, SELFHEAL_A_POLICY_MAX_BYTES, p->max_bytes);
	if (p->fault_mask)
		nla_put_u64(msg, SELFHEAL_A_POLICY_FAULT_MASK, p->fault_mask);
	if (p->exec_sense)
		nla_put_flag(msg, SELFHEAL_A_POLICY_EXEC_SENSE);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER, p->never);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32, p->never_ia32);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_DENY, p->deny);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, p->deny_ia32);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_PASS, p->pass);
	put_map(msg, SELFHEAL_A_POLICY_SYSCALL_PASS_IA32, p->pass_ia32);
	put_int(msg, SELFHEAL_A_POLICY_TAMPER, p->tamper);
	put_int(msg, SELFHEAL_A_POLICY_KILL_LIMIT, p->kill_limit);
	put_int(msg, SELFHEAL_A_POLICY_KILL_WINDOW, p->kill_window_ms);
	put_int(msg, SELFHEAL_A_POLICY_DEFAULT_VERDICT, p->default_verdict);
	put_int(msg, SELFHEAL_A_POLICY_DEADLINE, p->deadline_ms);
	put_int(msg, SELFHEAL_A_POLICY_RESCUE, p->rescue);
	put_int(msg, SELFHEAL_A_POLICY_RESCUE_ERRNO, p->rescue_errno);
}

int policy_load(struct nlc *c, const struct policy *p)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_POLICY_LOAD, 0);

	policy_put(msg, p);
	return nlc_call(c, msg, NULL, NULL);
}

int policy_unload(struct nlc *c, const char *name)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_POLICY_UNLOAD, 0);

	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, name);
	return nlc_call(c, msg, NULL, NULL);
}
