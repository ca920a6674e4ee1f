/* SPDX-License-Identifier: GPL-2.0 */
/* A policy as a plain struct: what the parser yields and the kernel reports. */
#ifndef HEALCTL_POLICY_H
#define HEALCTL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/selfheal.h>

#include "syscalls.h"

#define POLICY_CHANNELS (SELFHEAL_CHANNEL_DEVICE + 1)
#define POLICY_DEADLINE_DEFAULT_MS 30000

struct string_list {
	char **v;
	size_t n;
};

/* Settings that a file states; the others keep the kernel's defaults. */
enum policy_set {
	POLICY_SET_FLAGS = 1 << 0,
	POLICY_SET_COMMIT = 1 << 1,
	POLICY_SET_COMMIT_DELAY = 1 << 2,
	POLICY_SET_MAX_BYTES = 1 << 3,
	POLICY_SET_OVERFLOW = 1 << 4,
	POLICY_SET_FAULT_MASK = 1 << 5,
	POLICY_SET_NEVER = 1 << 6,
	POLICY_SET_DENY = 1 << 7,
	POLICY_SET_DEFAULT = 1 << 8,
	POLICY_SET_DEADLINE = 1 << 9,
	POLICY_SET_DOMAINS = 1 << 10,
	POLICY_SET_STAMP = 1 << 11,
	POLICY_SET_PASS = 1 << 12,
	POLICY_SET_TAMPER = 1 << 13,
	POLICY_SET_KILL_LIMIT = 1 << 14,
	POLICY_SET_KILL_WINDOW = 1 << 15,
	POLICY_SET_HOLD = 1 << 16,	/* shifted by the channel */
	POLICY_SET_RESCUE = 1 << 24,
	POLICY_SET_RESCUE_ERRNO = 1 << 25,
};

/* One rule of respond.rules; what is not given matches everything. */
struct rule {
	bool has_sensor;
	uint32_t sensor;
	int signal;		/* 0 for any */
	char *exe;		/* NULL for any */
	bool has_uid;
	uint32_t uid;
	uint32_t again;		/* so many times before, 0 for any */
	uint32_t within_ms;
	uint32_t verdict;	/* none leaves the incident to people */
	uint32_t after_ms;
	bool has_error;
	uint32_t error;		/* of a rollback; 0: end of file */
	struct string_list run;	/* a command for after the verdict */
	unsigned int line;
};

struct policy {
	char name[SELFHEAL_POLICY_NAME_MAX + 1];
	uint32_t set;
	uint32_t flags;
	struct string_list match_exe;
	uint32_t hold[POLICY_CHANNELS];
	uint32_t commit;
	uint32_t commit_delay_ms;
	uint64_t max_bytes;
	uint32_t overflow;
	uint64_t fault_mask;
	bool exec_sense;
	struct string_list exec_allow;
	struct syscall_set never;
	struct syscall_set deny;
	struct syscall_set pass;	/* whatever their channel says */
	uint32_t tamper;
	uint32_t default_verdict;
	uint32_t deadline_ms;
	uint32_t kill_limit;		/* 0 for no limit */
	uint32_t kill_window_ms;
	uint32_t rescue;
	uint32_t rescue_errno;		/* 0: end of file */
	char *source;
	size_t source_len;

	/* User space only. */
	bool keep_core;			/* the agent keeps the image before it answers */
	struct rule *rules;
	size_t n_rules;

	/* Replies only. */
	uint32_t domains;
	uint64_t stamp;
};

static inline bool policy_states(const struct policy *policy, uint32_t what)
{
	return policy->set & what;
}

static inline bool policy_states_hold(const struct policy *policy, unsigned int channel)
{
	return policy->set & ((uint32_t)POLICY_SET_HOLD << channel);
}

/* Does any channel hold its output? */
bool policy_holds(const struct policy *policy);

void policy_release(struct policy *policy);

/* Both return 0 or -ENOMEM. */
int string_list_add(struct string_list *list, const char *text);
int policy_add_rule(struct policy *policy, struct rule **rule);
void string_list_release(struct string_list *list);

#endif
