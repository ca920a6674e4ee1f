/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel reports, as plain structs. Commands see these, never netlink. */
#ifndef HEALCTL_CONTAINERS_H
#define HEALCTL_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/selfheal.h>

#define COMM_LEN 64
#define PATH_LEN (SELFHEAL_PATH_MAX + 1)
#define NAME_LEN (SELFHEAL_POLICY_NAME_MAX + 1)
#define CMDLINE_MAX 1024
#define STACK_MAX 256
#define BACKTRACE_MAX 128
#define TRAIL_ARGS 3

struct member {
	uint32_t tid;
	uint32_t pid;
	char comm[COMM_LEN];
	bool parked;
	uint64_t syscalls;
};

struct domain {
	uint64_t id;
	char policy[NAME_LEN];
	uint32_t state;
	uint32_t members;
	uint32_t processes;
	uint32_t leader;
	char comm[COMM_LEN];
	char exe[PATH_LEN];
	uint64_t stamp;
	uint64_t incident;
	uint32_t incidents;
	uint64_t held_bytes;
	uint32_t held_entries;
	uint64_t held_total;
	uint64_t committed_bytes;
	uint64_t dropped_bytes;
	uint32_t parked;
	uint64_t freeze_ns;	/* 0: never frozen */
	struct member *threads;
	size_t n_threads;
};

struct registers {
	uint64_t ip, sp, flags;
	uint64_t ax, bx, cx, dx, si, di, bp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

struct trail {
	int32_t nr;
	uint32_t arch;
	unsigned int n_args;
	uint64_t args[TRAIL_ARGS];
};

struct incident {
	uint64_t id;
	uint64_t domain;
	char policy[NAME_LEN];
	uint32_t sensor;
	uint64_t stamp;
	uint64_t resolved_stamp;	/* 0 while open */
	uint32_t verdict;
	uint32_t resolved_by;
	bool observed;
	bool has_deadline;
	uint32_t deadline_ms;
	uint32_t evidence_count;
	uint64_t freeze_ns;
	uint64_t held_bytes;
	uint32_t held_entries;
	uint64_t dropped_bytes;
	uint64_t committed_bytes;
	uint32_t tid, pid, ppid;
	char comm[COMM_LEN];
	char exe[PATH_LEN];
	bool has_credentials;
	uint32_t uid, euid, gid, egid;
	uint64_t cap_effective;
	uint32_t signal;		/* 0 for none */
	bool has_signal_code;
	int32_t signal_code;
	bool has_fault_address;
	uint64_t fault_address;
	bool has_syscall;
	int32_t syscall_nr;
	uint32_t syscall_arch;
	char target[PATH_LEN];

	/* Evidence that only the request for one incident returns. */
	char cmdline[CMDLINE_MAX];
	size_t cmdline_len;
	bool has_registers;
	struct registers registers;
	uint64_t backtrace[BACKTRACE_MAX];
	size_t n_backtrace;
	uint8_t stack[STACK_MAX];
	size_t stack_len;
	bool has_mapping;
	char mapping_path[PATH_LEN];
	uint64_t mapping_start, mapping_end, mapping_offset;
	uint32_t mapping_flags;
	struct trail trail[SELFHEAL_TRAIL_MAX];
	size_t n_trail;
};

struct held {
	uint64_t domain;
	uint64_t seq;
	uint32_t channel;
	uint64_t object;
	uint32_t tid;
	uint32_t length;
	uint64_t stamp;
	char peer[256];
	bool has_data;
	uint8_t *data;
	size_t data_len;
};

/* The latest rescue point of a member. */
struct rescue_point {
	uint64_t domain;
	uint32_t tid, pid;
	bool valid;
	uint64_t stamp;
	int32_t syscall_nr;
	char missing[256];	/* why there is none */
	uint64_t taken;
	uint32_t used;
};

struct event {
	uint64_t seq;
	uint32_t type;
	uint64_t stamp;
	uint64_t domain;
	uint64_t incident;
	uint32_t state;
	uint32_t sensor;
	uint32_t verdict;
	uint32_t resolved_by;
	char policy[NAME_LEN];
	char hook[256];
	char what[PATH_LEN];	/* tamper only, as the next two */
	uint32_t tid;
	int32_t syscall_nr;	/* -1 for none */
};

struct hook {
	char symbol[256];
	uint32_t state;
	bool required;
	char lost[512];
};

struct counter {
	char name[64];
	uint64_t value;
	char help[512];
};

struct status {
	uint32_t abi;
	char version[64];
	char kernel[128];
	uint32_t policies;
	uint32_t domains;
	uint32_t members;
	uint32_t incidents_open;
	uint32_t agent;
	uint64_t event_seq;
	bool locked;
	char **guards;
	size_t n_guards;
	struct hook *hooks;
	size_t n_hooks;
	struct counter *counters;
	size_t n_counters;
};

#endif
