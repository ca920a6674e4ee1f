// SPDX-License-Identifier: GPL-2.0
/*
 * Malformed requests: unknown attributes and flag bits, values out of range,
 * missing attributes and wrong sizes. Each must be refused with a text, and a
 * policy that was refused must not be there.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <signal.h>

#include "rig.h"

#define NAME "malformed"

struct bad {
	const char *what;
	uint8_t cmd;
	int flags, err;
	bool named;		/* put a good policy name first */
	void (*fill)(struct nl_msg *msg);
};

static void u32_at(struct nl_msg *msg, int attr, uint32_t v)
{
	nla_put_u32(msg, attr, v);
}

#define FILL(name, ...)						\
	static void fill_##name(struct nl_msg *m)		\
	{							\
		__VA_ARGS__					\
	}

FILL(nothing, (void)m;)
FILL(unknown_attr, nla_put_u32(m, SELFHEAL_A_POLICY_MAX + 1, 1);)
FILL(unknown_domain_attr, nla_put_u32(m, SELFHEAL_A_DOMAIN_MAX + 7, 1);)
FILL(attr_of_reply, nla_put_u32(m, SELFHEAL_A_POLICY_DOMAINS, 1);)
FILL(stamp_of_reply, nla_put_u64(m, SELFHEAL_A_POLICY_STAMP, 1);)
FILL(flag_bits, u32_at(m, SELFHEAL_A_POLICY_FLAGS, 1U << 31);)
FILL(flag_bit_3, u32_at(m, SELFHEAL_A_POLICY_FLAGS, 8);)
FILL(hold_socket, u32_at(m, SELFHEAL_A_POLICY_HOLD_SOCKET, 3);)
FILL(hold_pipe, u32_at(m, SELFHEAL_A_POLICY_HOLD_PIPE, 3);)
FILL(hold_tty, u32_at(m, SELFHEAL_A_POLICY_HOLD_TTY, ~0U);)
FILL(hold_other, u32_at(m, SELFHEAL_A_POLICY_HOLD_OTHER, 3);)
FILL(hold_other_hold, u32_at(m, SELFHEAL_A_POLICY_HOLD_OTHER, SELFHEAL_CHANNEL_ACTION_HOLD);)
FILL(hold_signal_hold, u32_at(m, SELFHEAL_A_POLICY_HOLD_SIGNAL, SELFHEAL_CHANNEL_ACTION_HOLD);)
FILL(hold_ipc_hold, u32_at(m, SELFHEAL_A_POLICY_HOLD_IPC, SELFHEAL_CHANNEL_ACTION_HOLD);)
FILL(hold_device_3, u32_at(m, SELFHEAL_A_POLICY_HOLD_DEVICE, 3);)
FILL(tamper_3, u32_at(m, SELFHEAL_A_POLICY_TAMPER, SELFHEAL_TAMPER_ACTION_PASS + 1);)
FILL(limit_large, u32_at(m, SELFHEAL_A_POLICY_KILL_LIMIT, 10001);)
FILL(window_short, u32_at(m, SELFHEAL_A_POLICY_KILL_WINDOW, 999);)
FILL(window_long, u32_at(m, SELFHEAL_A_POLICY_KILL_WINDOW, 3600001);)
FILL(pass_short, uint8_t b[SELFHEAL_SYSMAP_LEN] = { 1 };
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_PASS, sizeof(b) - 1, b);)
FILL(pass_never, uint8_t b[SELFHEAL_SYSMAP_LEN] = { [63] = 0x80 };
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_NEVER, sizeof(b), b);
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_PASS, sizeof(b), b);)
FILL(pass_deny_ia32, uint8_t b[SELFHEAL_SYSMAP_LEN] = { 1 };
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, sizeof(b), b);
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_PASS_IA32, sizeof(b), b);)
FILL(commit_bits, u32_at(m, SELFHEAL_A_POLICY_COMMIT, 4);)
FILL(delay_zero, u32_at(m, SELFHEAL_A_POLICY_COMMIT, SELFHEAL_COMMIT_DELAY);
	u32_at(m, SELFHEAL_A_POLICY_COMMIT_DELAY, 0);)
FILL(delay_long, u32_at(m, SELFHEAL_A_POLICY_COMMIT, SELFHEAL_COMMIT_DELAY);
	u32_at(m, SELFHEAL_A_POLICY_COMMIT_DELAY, 60001);)
FILL(delay_alone, u32_at(m, SELFHEAL_A_POLICY_COMMIT, SELFHEAL_COMMIT_QUIESCE);
	u32_at(m, SELFHEAL_A_POLICY_COMMIT_DELAY, 100);)
FILL(delay_absent, u32_at(m, SELFHEAL_A_POLICY_COMMIT, SELFHEAL_COMMIT_DELAY);)
FILL(bytes_small, nla_put_u64(m, SELFHEAL_A_POLICY_MAX_BYTES, 4095);)
FILL(bytes_large, nla_put_u64(m, SELFHEAL_A_POLICY_MAX_BYTES, (1ULL << 30) + 1);)
FILL(overflow, u32_at(m, SELFHEAL_A_POLICY_OVERFLOW, SELFHEAL_OVERFLOW_COMMIT + 1);)
FILL(mask_kill, nla_put_u64(m, SELFHEAL_A_POLICY_FAULT_MASK, SIGMASK(SIGKILL));)
FILL(mask_usr1, nla_put_u64(m, SELFHEAL_A_POLICY_FAULT_MASK, SIGMASK(SIGSEGV) | SIGMASK(SIGUSR1));)
FILL(mask_64, nla_put_u64(m, SELFHEAL_A_POLICY_FAULT_MASK, 1ULL << 63);)
FILL(verdict_none, u32_at(m, SELFHEAL_A_POLICY_DEFAULT_VERDICT, SELFHEAL_VERDICT_NONE);)
FILL(verdict_rollback, u32_at(m, SELFHEAL_A_POLICY_DEFAULT_VERDICT, SELFHEAL_VERDICT_ROLLBACK);)
FILL(verdict_4, u32_at(m, SELFHEAL_A_POLICY_DEFAULT_VERDICT, SELFHEAL_VERDICT_KILL + 1);)
FILL(deadline_9, u32_at(m, SELFHEAL_A_POLICY_DEADLINE, 9);)
FILL(deadline_long, u32_at(m, SELFHEAL_A_POLICY_DEADLINE, 3600001);)
FILL(map_short, uint8_t b[SELFHEAL_SYSMAP_LEN] = { 1 };
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_NEVER, sizeof(b) - 1, b);)
FILL(map_long, uint8_t b[SELFHEAL_SYSMAP_LEN + 8] = { 1 };
	nla_put(m, SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, sizeof(b), b);)
FILL(flags_short, nla_put_u16(m, SELFHEAL_A_POLICY_FLAGS, 1);)
FILL(bytes_u32, nla_put_u32(m, SELFHEAL_A_POLICY_MAX_BYTES, 8192);)
FILL(exec_sense_value, nla_put_u32(m, SELFHEAL_A_POLICY_EXEC_SENSE, 1);)
FILL(match_gone, nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, "/no/such/file");)
FILL(allow_gone, nla_put_flag(m, SELFHEAL_A_POLICY_EXEC_SENSE);
	nla_put_string(m, SELFHEAL_A_POLICY_EXEC_ALLOW, "/no/such/file");)
FILL(match_relative, nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, "bin/true");)
FILL(match_empty, nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, "");)
FILL(match_directory, nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, "/usr/bin");)

static void fill_match_many(struct nl_msg *m)
{
	int i;

	for (i = 0; i <= SELFHEAL_MATCH_MAX; i++)
		nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, "/usr/bin/true");
}

static void fill_allow_many(struct nl_msg *m)
{
	int i;

	nla_put_flag(m, SELFHEAL_A_POLICY_EXEC_SENSE);
	for (i = 0; i <= SELFHEAL_EXEC_ALLOW_MAX; i++)
		nla_put_string(m, SELFHEAL_A_POLICY_EXEC_ALLOW, "/usr/bin/true");
}

static void fill_path_long(struct nl_msg *m)
{
	char path[SELFHEAL_PATH_MAX + 2];

	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	nla_put_string(m, SELFHEAL_A_POLICY_MATCH_EXE, path);
}

static void fill_source_long(struct nl_msg *m)
{
	static char text[SELFHEAL_SOURCE_MAX + 1];

	nla_put(m, SELFHEAL_A_POLICY_SOURCE, sizeof(text), text);
}

static void fill_name_long(struct nl_msg *m)
{
	char name[SELFHEAL_POLICY_NAME_MAX + 2];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	nla_put_string(m, SELFHEAL_A_POLICY_NAME, name);
}

FILL(name_empty, nla_put_string(m, SELFHEAL_A_POLICY_NAME, "");)
FILL(name_slash, nla_put_string(m, SELFHEAL_A_POLICY_NAME, "a/b");)
FILL(name_space, nla_put_string(m, SELFHEAL_A_POLICY_NAME, "a b");)
FILL(name_utf8, nla_put_string(m, SELFHEAL_A_POLICY_NAME, "caf\xc3\xa9");)
FILL(domain_only_policy, nla_put_string(m, SELFHEAL_A_DOMAIN_POLICY, NAME);)
FILL(domain_only_pidfd, nla_put_s32(m, SELFHEAL_A_DOMAIN_PIDFD, 0);)
FILL(domain_id_short, nla_put_u32(m, SELFHEAL_A_DOMAIN_ID, 1);)
FILL(domain_state_set, nla_put_u64(m, SELFHEAL_A_DOMAIN_ID, 1);
	nla_put_u32(m, SELFHEAL_A_DOMAIN_STATE, 0);)
FILL(incident_no_verdict, nla_put_u64(m, SELFHEAL_A_INCIDENT_ID, 1);)
FILL(incident_no_id, nla_put_u32(m, SELFHEAL_A_INCIDENT_VERDICT, SELFHEAL_VERDICT_KILL);)
FILL(incident_verdict_9, nla_put_u64(m, SELFHEAL_A_INCIDENT_ID, 1);
	nla_put_u32(m, SELFHEAL_A_INCIDENT_VERDICT, 9);)
FILL(incident_unknown, nla_put_u64(m, SELFHEAL_A_INCIDENT_ID, 1);
	nla_put_u32(m, SELFHEAL_A_INCIDENT_MAX + 1, 9);)
FILL(event_unknown, nla_put_u64(m, SELFHEAL_A_EVENT_SEQ, 1);
	nla_put_u32(m, SELFHEAL_A_EVENT_MAX + 1, 9);)
FILL(event_short, nla_put_u16(m, SELFHEAL_A_EVENT_SEQ, 1);)
FILL(status_unknown, nla_put_u32(m, SELFHEAL_A_STATUS_MAX + 1, 9);)
FILL(status_set, nla_put_u32(m, SELFHEAL_A_STATUS_ABI, 9);)
FILL(held_unknown, nla_put_u64(m, SELFHEAL_A_HELD_DOMAIN, 1);
	nla_put_u32(m, SELFHEAL_A_HELD_MAX + 1, 9);)

#define LOAD(what_, err_, f_) \
	{ what_, SELFHEAL_CMD_POLICY_LOAD, 0, err_, true, fill_##f_ }
#define LOAD_NAME(what_, err_, f_) \
	{ what_, SELFHEAL_CMD_POLICY_LOAD, 0, err_, false, fill_##f_ }
#define OP(what_, cmd_, err_, f_) \
	{ what_, SELFHEAL_CMD_##cmd_, 0, err_, false, fill_##f_ }
#define DUMP(what_, cmd_, err_, f_) \
	{ what_, SELFHEAL_CMD_##cmd_, NLM_F_DUMP, err_, false, fill_##f_ }

static const struct bad bad[] = {
	LOAD("unknown attribute", EINVAL, unknown_attr),
	LOAD("domains is for replies", EINVAL, attr_of_reply),
	LOAD("stamp is for replies", EINVAL, stamp_of_reply),
	LOAD("unknown flag bit 31", EINVAL, flag_bits),
	LOAD("unknown flag bit 3", EINVAL, flag_bit_3),
	LOAD("hold-socket 3", EINVAL, hold_socket),
	LOAD("hold-pipe 3", EINVAL, hold_pipe),
	LOAD("hold-tty ~0", EINVAL, hold_tty),
	LOAD("hold-other 3", EINVAL, hold_other),
	LOAD("hold-other hold", EINVAL, hold_other_hold),
	LOAD("hold-signal hold", EINVAL, hold_signal_hold),
	LOAD("hold-ipc hold", EINVAL, hold_ipc_hold),
	LOAD("hold-device 3", EINVAL, hold_device_3),
	LOAD("tamper 3", EINVAL, tamper_3),
	LOAD("kill-limit 10001", EINVAL, limit_large),
	LOAD("kill-window 999", EINVAL, window_short),
	LOAD("kill-window 3600001", EINVAL, window_long),
	LOAD("syscall-pass too short", EINVAL, pass_short),
	LOAD("a call both never and pass", EINVAL, pass_never),
	LOAD("an ia32 call both deny and pass", EINVAL, pass_deny_ia32),
	LOAD("unknown commit bit", EINVAL, commit_bits),
	LOAD("commit-delay 0", EINVAL, delay_zero),
	LOAD("commit-delay 60001", EINVAL, delay_long),
	LOAD("commit-delay without delay", EINVAL, delay_alone),
	LOAD("delay without commit-delay", EINVAL, delay_absent),
	LOAD("max-bytes 4095", EINVAL, bytes_small),
	LOAD("max-bytes 1 GiB + 1", EINVAL, bytes_large),
	LOAD("overflow 4", EINVAL, overflow),
	LOAD("fault-mask KILL", EINVAL, mask_kill),
	LOAD("fault-mask USR1", EINVAL, mask_usr1),
	LOAD("fault-mask bit 63", EINVAL, mask_64),
	LOAD("default-verdict none", EINVAL, verdict_none),
	LOAD("default-verdict rollback", EINVAL, verdict_rollback),
	LOAD("default-verdict 4", EINVAL, verdict_4),
	LOAD("deadline 9", EINVAL, deadline_9),
	LOAD("deadline 3600001", EINVAL, deadline_long),
	LOAD("sysmap too short", EINVAL, map_short),
	LOAD("sysmap too long", EINVAL, map_long),
	LOAD("flags of 2 bytes", EINVAL, flags_short),
	LOAD("max-bytes of 4 bytes", EINVAL, bytes_u32),
	LOAD("exec-sense with a value", EINVAL, exec_sense_value),
	LOAD("match-exe does not exist", ENOENT, match_gone),
	LOAD("exec-allow does not exist", ENOENT, allow_gone),
	LOAD("match-exe relative", EINVAL, match_relative),
	LOAD("match-exe empty", EINVAL, match_empty),
	LOAD("match-exe is a directory", EINVAL, match_directory),
	LOAD("17 match-exe", ENOSPC, match_many),
	LOAD("65 exec-allow", ENOSPC, allow_many),
	LOAD("path of 4096 bytes", EINVAL, path_long),
	LOAD("source of 32769 bytes", EINVAL, source_long),
	LOAD_NAME("no name", EINVAL, nothing),
	LOAD_NAME("empty name", EINVAL, name_empty),
	LOAD_NAME("name of 64 bytes", EINVAL, name_long),
	LOAD_NAME("slash in the name", EINVAL, name_slash),
	LOAD_NAME("space in the name", EINVAL, name_space),
	LOAD_NAME("letter beyond ASCII in the name", EINVAL, name_utf8),
	OP("policy-get without name", POLICY_GET, EINVAL, nothing),
	OP("policy-unload without name", POLICY_UNLOAD, EINVAL, nothing),
	OP("policy-unload with a long name", POLICY_UNLOAD, EINVAL, name_long),
	OP("domain-new without all", DOMAIN_NEW, EINVAL, nothing),
	OP("domain-new without pidfd", DOMAIN_NEW, EINVAL, domain_only_policy),
	OP("domain-new without policy", DOMAIN_NEW, EINVAL, domain_only_pidfd),
	OP("domain-new with an unknown attribute", DOMAIN_NEW, EINVAL, unknown_domain_attr),
	OP("domain-add without id", DOMAIN_ADD, EINVAL, domain_only_pidfd),
	OP("domain-get without id", DOMAIN_GET, EINVAL, nothing),
	OP("domain-get with an id of 4 bytes", DOMAIN_GET, EINVAL, domain_id_short),
	OP("domain-get with a state", DOMAIN_GET, EINVAL, domain_state_set),
	OP("domain-freeze without id", DOMAIN_FREEZE, EINVAL, nothing),
	OP("domain-freeze with an id of 4 bytes", DOMAIN_FREEZE, EINVAL, domain_id_short),
	OP("domain-dissolve without id", DOMAIN_DISSOLVE, EINVAL, nothing),
	OP("incident-get without id", INCIDENT_GET, EINVAL, nothing),
	OP("incident-get with an unknown attribute", INCIDENT_GET, EINVAL, incident_unknown),
	OP("incident-verdict without verdict", INCIDENT_VERDICT, EINVAL, incident_no_verdict),
	OP("incident-verdict without id", INCIDENT_VERDICT, EINVAL, incident_no_id),
	OP("incident-verdict 9", INCIDENT_VERDICT, EINVAL, incident_verdict_9),
	OP("status-get with an unknown attribute", STATUS_GET, EINVAL, status_unknown),
	OP("status-get with abi", STATUS_GET, EINVAL, status_set),
	OP("agent-register with an unknown attribute", AGENT_REGISTER, EINVAL, status_unknown),
	DUMP("quarantine-get without domain", QUARANTINE_GET, EINVAL, nothing),
	DUMP("quarantine-get with an unknown attribute", QUARANTINE_GET, EINVAL, held_unknown),
	DUMP("event-get with an unknown attribute", EVENT_GET, EINVAL, event_unknown),
	DUMP("event-get with a seq of 2 bytes", EVENT_GET, EINVAL, event_short),
};

#define N_BAD (sizeof(bad) / sizeof(bad[0]))

FIXTURE(malformed)
{
	struct nlc c;
};

FIXTURE_SETUP(malformed)
{
	ASSERT_EQ(0, nlc_open(&self->c));
}

FIXTURE_TEARDOWN(malformed)
{
	policy_unload(&self->c, NAME);
	nlc_close(&self->c);
}

/*
 * The kernel's own checks of an attribute against its range answer -ERANGE;
 * the interface promises only that a value out of range is refused.
 */
static bool same_refusal(int want, int got)
{
	return got == -want || (want == EINVAL && got == -ERANGE);
}

TEST_F(malformed, refused_with_a_text)
{
	unsigned int i;

	for (i = 0; i < N_BAD; i++) {
		struct nl_msg *msg = nlc_msg(&self->c, bad[i].cmd, bad[i].flags);
		int ret;

		if (bad[i].named)
			nla_put_string(msg, SELFHEAL_A_POLICY_NAME, NAME);
		bad[i].fill(msg);
		ret = nlc_call(&self->c, msg, NULL, NULL);
		EXPECT_TRUE(same_refusal(bad[i].err, ret)) {
			TH_LOG("%s: got %d, want %d", bad[i].what, ret, -bad[i].err);
		}
		EXPECT_NE('\0', self->c.ext[0]) {
			TH_LOG("%s: no extack text", bad[i].what);
		}
		/* A refused load leaves no policy behind. */
		EXPECT_EQ(-ENOENT, policy_unload(&self->c, NAME)) {
			TH_LOG("%s: the policy is loaded", bad[i].what);
		}
	}
}

TEST_F(malformed, unknown_commands)
{
	const uint8_t cmd[] = { 0, SELFHEAL_CMD_EVENT, SELFHEAL_CMD_MAX + 1, 255 };
	unsigned int i;

	for (i = 0; i < sizeof(cmd); i++) {
		EXPECT_EQ(-EOPNOTSUPP, nlc_call(&self->c, nlc_msg(&self->c, cmd[i], 0),
						NULL, NULL)) {
			TH_LOG("command %u", cmd[i]);
		}
	}
	/* A dump of something that has none, and a do of a dump. */
	EXPECT_EQ(-EOPNOTSUPP, nlc_dump(&self->c, SELFHEAL_CMD_POLICY_UNLOAD, NULL, NULL));
	EXPECT_EQ(-EOPNOTSUPP, nlc_call(&self->c, nlc_msg(&self->c, SELFHEAL_CMD_QUARANTINE_GET,
							  0), NULL, NULL));
}

TEST_F(malformed, bounds_are_inclusive)
{
	struct policy p;
	struct nl_msg *msg;
	static char text[SELFHEAL_SOURCE_MAX];

	policy_init(&p);
	snprintf(p.name, sizeof(p.name), "%s", NAME);
	policy_hold(&p);
	p.commit = SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY;
	p.delay_ms = 1;
	p.max_bytes = 4096;
	p.deadline_ms = 10;
	p.kill_limit = 0;
	p.kill_window_ms = 1000;
	EXPECT_EQ(0, policy_load(&self->c, &p)) { TH_LOG("%s", self->c.ext); }
	p.delay_ms = 60000;
	p.max_bytes = 1ULL << 30;
	p.deadline_ms = 3600000;
	p.kill_limit = 10000;
	p.kill_window_ms = 3600000;
	memset(p.name, 'n', SELFHEAL_POLICY_NAME_MAX);
	p.name[SELFHEAL_POLICY_NAME_MAX] = '\0';
	msg = nlc_msg(&self->c, SELFHEAL_CMD_POLICY_LOAD, 0);
	policy_put(msg, &p);
	nla_put(msg, SELFHEAL_A_POLICY_SOURCE, sizeof(text), text);
	EXPECT_EQ(0, nlc_call(&self->c, msg, NULL, NULL)) { TH_LOG("%s", self->c.ext); }
	EXPECT_EQ(0, policy_unload(&self->c, p.name));
}

TEST_F(malformed, refused_replacement_keeps_the_old)
{
	struct nl_msg *msg;
	struct policy p;

	policy_init(&p);
	snprintf(p.name, sizeof(p.name), "%s", NAME);
	ASSERT_EQ(0, policy_load(&self->c, &p));
	msg = nlc_msg(&self->c, SELFHEAL_CMD_POLICY_LOAD, 0);
	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, NAME);
	nla_put_u32(msg, SELFHEAL_A_POLICY_OVERFLOW, 99);
	EXPECT_GT(0, nlc_call(&self->c, msg, NULL, NULL));
	EXPECT_EQ(0, policy_unload(&self->c, NAME));
}

TEST_F(malformed, truncated_messages)
{
	unsigned int len;

	/* An attribute that ends behind the message; its padding is 3 bytes. */
	for (len = 4; len < 20; len++) {
		struct nl_msg *msg = nlc_msg(&self->c, SELFHEAL_CMD_POLICY_LOAD, 0);
		struct nlmsghdr *nlh = nlmsg_hdr(msg);
		int ret;

		nla_put_string(msg, SELFHEAL_A_POLICY_NAME, "truncated-policy");
		nlh->nlmsg_len -= len;
		ret = nlc_call(&self->c, msg, NULL, NULL);
		EXPECT_GT(0, ret) { TH_LOG("cut of %u taken", len); }
		EXPECT_EQ(-ENOENT, policy_unload(&self->c, "truncated-policy"));
	}
}

GUEST_MAIN
