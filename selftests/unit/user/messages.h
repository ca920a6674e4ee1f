/* SPDX-License-Identifier: GPL-2.0 */
/* Messages as the kernel makes them, for the tests of the decoders. */
#ifndef SELFHEAL_UNIT_MESSAGES_H
#define SELFHEAL_UNIT_MESSAGES_H

#include <signal.h>

#include "decode.h"
#include "test.h"

static inline struct attrs message_attrs(struct nl_msg *msg)
{
	return (struct attrs){
		nlmsg_attrdata(nlmsg_hdr(msg), 0), nlmsg_attrlen(nlmsg_hdr(msg), 0),
	};
}

static inline void message_member(struct nl_msg *msg, uint32_t tid, const char *comm, bool parked)
{
	struct nlattr *nest = nla_nest_start(msg, SELFHEAL_A_DOMAIN_MEMBER);

	nla_put_u32(msg, SELFHEAL_A_MEMBER_TID, tid);
	nla_put_u32(msg, SELFHEAL_A_MEMBER_PID, 11);
	nla_put_string(msg, SELFHEAL_A_MEMBER_COMM, comm);
	if (parked)
		nla_put_flag(msg, SELFHEAL_A_MEMBER_PARKED);
	nla_put_u64(msg, SELFHEAL_A_MEMBER_SYSCALLS, 5);
	nla_nest_end(msg, nest);
}

static inline struct nl_msg *message_domain(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, 3);
	nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, "redis");
	nla_put_u32(msg, SELFHEAL_A_DOMAIN_STATE, SELFHEAL_DOMAIN_STATE_FROZEN);
	nla_put_u32(msg, SELFHEAL_A_DOMAIN_MEMBERS, 2);
	nla_put_string(msg, SELFHEAL_A_DOMAIN_EXE, "/usr/bin/redis");
	nla_put_u64(msg, SELFHEAL_A_DOMAIN_HELD_BYTES, 1ull << 40);
	nla_put_u64(msg, SELFHEAL_A_DOMAIN_FREEZE_NS, 7);
	message_member(msg, 11, "redis", true);
	message_member(msg, 12, "worker", false);
	return msg;
}

static inline void message_trail(struct nl_msg *msg, int32_t nr)
{
	struct nlattr *nest = nla_nest_start(msg, SELFHEAL_A_INCIDENT_TRAIL);
	uint64_t args[3] = { 1, 2, (uint64_t)nr + 2 };

	nla_put_s32(msg, SELFHEAL_A_TRAIL_NR, nr);
	nla_put_u32(msg, SELFHEAL_A_TRAIL_ARCH, 0xc000003e);
	nla_put(msg, SELFHEAL_A_TRAIL_ARGS, sizeof(args), args);
	nla_nest_end(msg, nest);
}

static inline struct nl_msg *message_incident(void)
{
	struct nl_msg *msg = nlmsg_alloc_size(16384);
	uint64_t words[] = { 0x1000, 0x2000 };
	struct nlattr *nest;
	int i;

	nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, 2);
	nla_put_u64(msg, SELFHEAL_A_INCIDENT_DOMAIN, 3);
	nla_put_string(msg, SELFHEAL_A_INCIDENT_POLICY, "redis");
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_SENSOR, SELFHEAL_SENSOR_FAULT);
	nla_put_flag(msg, SELFHEAL_A_INCIDENT_OBSERVED);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_DEADLINE_MS, 29000);
	nla_put(msg, SELFHEAL_A_INCIDENT_CMDLINE, 8, "redis\0-p");
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_UID, 100);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_SIGNAL, SIGSEGV);
	nla_put_s32(msg, SELFHEAL_A_INCIDENT_SIGNAL_CODE, -6);
	nla_put_u64(msg, SELFHEAL_A_INCIDENT_FAULT_ADDRESS, 0);
	nla_put_s32(msg, SELFHEAL_A_INCIDENT_SYSCALL_NR, -1);
	nest = nla_nest_start(msg, SELFHEAL_A_INCIDENT_REGISTERS);
	for (i = SELFHEAL_A_REGISTERS_IP; i <= SELFHEAL_A_REGISTERS_R15; i++)
		nla_put_u64(msg, i, (uint64_t)i);
	nla_nest_end(msg, nest);
	nla_put(msg, SELFHEAL_A_INCIDENT_BACKTRACE, sizeof(words), words);
	nla_put(msg, SELFHEAL_A_INCIDENT_STACK, 3, "abc");
	nla_put_string(msg, SELFHEAL_A_INCIDENT_MAPPING_PATH, "/lib/x.so");
	nla_put_u64(msg, SELFHEAL_A_INCIDENT_MAPPING_START, 0x1000);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_MAPPING_FLAGS, 5);
	for (i = 0; i < SELFHEAL_TRAIL_MAX; i++)
		message_trail(msg, i);
	return msg;
}

static inline struct nl_msg *message_event(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	nla_put_u64(msg, SELFHEAL_A_EVENT_SEQ, 12);
	nla_put_u32(msg, SELFHEAL_A_EVENT_TYPE, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN);
	nla_put_u64(msg, SELFHEAL_A_EVENT_INCIDENT, 2);
	nla_put_u32(msg, SELFHEAL_A_EVENT_SENSOR, SELFHEAL_SENSOR_FAULT);
	nla_put_string(msg, SELFHEAL_A_EVENT_POLICY, "redis");
	return msg;
}

static inline void message_hook(struct nl_msg *msg, const char *symbol, bool required)
{
	struct nlattr *nest = nla_nest_start(msg, SELFHEAL_A_STATUS_HOOK);

	nla_put_string(msg, SELFHEAL_A_HOOK_SYMBOL, symbol);
	nla_put_u32(msg, SELFHEAL_A_HOOK_STATE, SELFHEAL_HOOK_STATE_ACTIVE);
	if (required)
		nla_put_flag(msg, SELFHEAL_A_HOOK_REQUIRED);
	nla_put_string(msg, SELFHEAL_A_HOOK_LOST, "much");
	nla_nest_end(msg, nest);
}

static inline struct nl_msg *message_status(void)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;

	nla_put_u32(msg, SELFHEAL_A_STATUS_ABI, 1);
	nla_put_string(msg, SELFHEAL_A_STATUS_VERSION, "0.1");
	message_hook(msg, "get_signal", true);
	message_hook(msg, "other", false);
	nest = nla_nest_start(msg, SELFHEAL_A_STATUS_COUNTER);
	nla_put_string(msg, SELFHEAL_A_COUNTER_NAME, "freezes");
	nla_put_u64(msg, SELFHEAL_A_COUNTER_VALUE, 1ull << 50);
	nla_nest_end(msg, nest);
	return msg;
}

static inline struct nl_msg *message_held(void)
{
	struct nl_msg *msg = nlmsg_alloc();

	nla_put_u64(msg, SELFHEAL_A_HELD_SEQ, 1);
	nla_put_u32(msg, SELFHEAL_A_HELD_CHANNEL, SELFHEAL_CHANNEL_PIPE);
	nla_put_string(msg, SELFHEAL_A_HELD_PEER, "pipe");
	nla_put(msg, SELFHEAL_A_HELD_DATA, 5, "ab\0cd");
	return msg;
}

#endif
