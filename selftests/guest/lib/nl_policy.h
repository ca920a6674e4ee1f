/* SPDX-License-Identifier: GPL-2.0 */
/* Policies as plain structs. -1 in an int field leaves the attribute out. */
#ifndef GUEST_NL_POLICY_H
#define GUEST_NL_POLICY_H

#include "nl_client.h"

struct policy {
	char name[SELFHEAL_POLICY_NAME_MAX + 1];
	uint32_t flags;
	const char *match[SELFHEAL_MATCH_MAX + 2];	/* NULL ends both lists */
	const char *allow[SELFHEAL_EXEC_ALLOW_MAX + 2];
	int hold_socket, hold_pipe, hold_tty, hold_other, hold_signal, hold_ipc, hold_device;
	int commit, delay_ms, overflow;
	uint64_t max_bytes, fault_mask;
	bool exec_sense;
	uint8_t never[SELFHEAL_SYSMAP_LEN], never_ia32[SELFHEAL_SYSMAP_LEN];
	uint8_t deny[SELFHEAL_SYSMAP_LEN], deny_ia32[SELFHEAL_SYSMAP_LEN];
	uint8_t pass[SELFHEAL_SYSMAP_LEN], pass_ia32[SELFHEAL_SYSMAP_LEN];
	int tamper, kill_limit, kill_window_ms;
	int default_verdict, deadline_ms;
	int rescue, rescue_errno;
};

#define SIGMASK(sig) (1ULL << ((sig) - 1))

/* Nothing held, nothing sensed, a name that no other test uses. */
void policy_init(struct policy *p);
/* Sockets, pipes and ttys held until the producer waits. */
void policy_hold(struct policy *p);
/* Every fault that the sensor knows. */
void policy_faults(struct policy *p);
void sysmap_set(uint8_t *map, unsigned int nr);

void policy_put(struct nl_msg *msg, const struct policy *p);
int policy_load(struct nlc *c, const struct policy *p);
int policy_unload(struct nlc *c, const char *name);

#endif
