/* SPDX-License-Identifier: GPL-2.0 */
/* Incidents, verdicts and quarantine entries as plain structs. */
#ifndef GUEST_NL_INCIDENT_H
#define GUEST_NL_INCIDENT_H

#include "nl_client.h"

struct registers {
	uint64_t ip, sp, flags, ax, bx, cx, dx, si, di, bp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

struct trail {
	int32_t nr;
	uint32_t arch;
	uint64_t args[3];
};

struct incident {
	uint64_t id, domain, stamp, resolved_stamp, freeze_ns;
	uint64_t held_bytes, dropped_bytes, committed_bytes;
	uint32_t sensor, verdict, resolved_by, deadline_ms, evidence_count, held_entries;
	bool observed, has_deadline, has_signal, has_registers;
	uint32_t tid, pid, ppid, uid, euid, gid, egid, signal, syscall_arch;
	int32_t signal_code, syscall_nr;
	uint64_t cap_effective, fault_address;
	uint64_t mapping_start, mapping_end, mapping_offset;
	uint32_t mapping_flags;
	char policy[64], comm[16], exe[256], target[256], mapping_path[256];
	char cmdline[1024];
	size_t cmdline_len, stack_len;
	uint8_t stack[256];
	uint64_t backtrace[64];
	unsigned int frames, trails;
	struct registers regs;
	struct trail trail[SELFHEAL_TRAIL_MAX];
};

struct held {
	uint64_t domain, seq, object, stamp;
	uint32_t channel, tid, length;
	char peer[256];
	uint8_t data[SELFHEAL_DATA_MAX];
	size_t data_len;
	bool has_data;
};

typedef void (*held_fn)(const struct held *h, void *arg);

int incident_get(struct nlc *c, uint64_t id, struct incident *inc);
void incident_parse(struct nlmsghdr *nlh, struct incident *inc);
int incident_verdict(struct nlc *c, uint64_t id, uint32_t verdict);
/* A rollback; error < 0 leaves the errno to the policy. */
int incident_rollback(struct nlc *c, uint64_t id, int error);

struct rescue {
	uint64_t stamp, taken;
	uint32_t tid, pid, used;
	int32_t nr;
	char missing[128];
};
/* The rescue point of the domain's first member. */
int rescue_get(struct nlc *c, uint64_t domain, struct rescue *r);
/* How many of its processes have one now; -errno. */
int rescue_count(struct nlc *c, uint64_t domain);
/* Dump what the domain holds. */
int quarantine_dump(struct nlc *c, uint64_t domain, bool contents, held_fn fn, void *arg);

#endif
