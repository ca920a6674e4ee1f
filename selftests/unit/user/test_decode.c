// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes, made by hand as the kernel makes them, to structs. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "policy_parse.h"

TEST(decode_domain_with_members)
{
	struct nl_msg *msg = message_domain();
	struct domain d;

	CHECK_INT(decode_domain(message_attrs(msg), &d), 0);
	CHECK_INT(d.id, 3);
	CHECK_STR(d.policy, "redis");
	CHECK_INT(d.state, SELFHEAL_DOMAIN_STATE_FROZEN);
	CHECK_INT(d.members, 2);
	CHECK_STR(d.exe, "/usr/bin/redis");
	CHECK_INT(d.held_bytes, 1ll << 40);
	CHECK_INT(d.freeze_ns, 7);
	CHECK_INT(d.n_threads, 2);
	CHECK_INT(d.threads[0].tid, 11);
	CHECK(d.threads[0].parked && !d.threads[1].parked);
	CHECK_STR(d.threads[1].comm, "worker");
	CHECK_INT(d.threads[1].syscalls, 5);
	domain_release(&d);
	nlmsg_free(msg);
}

TEST(decode_incident_with_evidence)
{
	struct incident *i = malloc(sizeof(*i));
	struct nl_msg *msg = message_incident();

	CHECK_INT(decode_incident(message_attrs(msg), i), 0);
	CHECK_INT(i->id, 2);
	CHECK_INT(i->sensor, SELFHEAL_SENSOR_FAULT);
	CHECK_INT(i->signal, SIGSEGV);
	CHECK_INT(i->signal_code, -6);
	CHECK(i->has_fault_address);
	CHECK_INT(i->fault_address, 0);
	CHECK_INT(i->syscall_nr, -1);
	CHECK(!i->has_syscall);
	CHECK(i->has_deadline);
	CHECK_INT(i->deadline_ms, 29000);
	CHECK(i->observed);
	CHECK(i->has_credentials);
	CHECK_INT(i->cmdline_len, 8);
	CHECK(!memcmp(i->cmdline, "redis\0-p", 8));
	CHECK(i->has_registers);
	CHECK_INT(i->registers.ip, SELFHEAL_A_REGISTERS_IP);
	CHECK_INT(i->registers.r15, SELFHEAL_A_REGISTERS_R15);
	CHECK_INT(i->n_backtrace, 2);
	CHECK_INT(i->backtrace[1], 0x2000);
	CHECK_INT(i->stack_len, 3);
	CHECK_INT(i->n_trail, SELFHEAL_TRAIL_MAX);
	CHECK_INT(i->trail[31].nr, 31);
	CHECK_INT(i->trail[31].n_args, 3);
	CHECK_INT(i->trail[31].args[2], 33);
	CHECK_STR(i->mapping_path, "/lib/x.so");
	CHECK_INT(i->mapping_flags, 5);
	nlmsg_free(msg);
	free(i);
}

TEST(decode_event_needs_its_number)
{
	struct nl_msg *msg = message_event();
	struct event e;

	CHECK_INT(decode_event(message_attrs(msg), &e), 0);
	CHECK_INT(e.seq, 12);
	CHECK_INT(e.type, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN);
	CHECK_INT(e.incident, 2);
	CHECK_STR(e.policy, "redis");
	nlmsg_free(msg);

	msg = nlmsg_alloc();
	nla_put_u32(msg, SELFHEAL_A_EVENT_TYPE, 1);
	CHECK_INT(decode_event(message_attrs(msg), &e), -EBADMSG);
	nlmsg_free(msg);
}

TEST(decode_status_with_hooks)
{
	struct nl_msg *msg = message_status();
	struct status s;

	CHECK_INT(decode_status(message_attrs(msg), &s), 0);
	CHECK_INT(s.abi, 1);
	CHECK_STR(s.version, "0.1");
	CHECK_INT(s.n_hooks, 2);
	CHECK_STR(s.hooks[0].symbol, "get_signal");
	CHECK(s.hooks[0].required && !s.hooks[1].required);
	CHECK_INT(s.n_counters, 1);
	CHECK_INT(s.counters[0].value, 1ll << 50);
	status_release(&s);
	nlmsg_free(msg);
}

TEST(decode_held_data)
{
	struct nl_msg *msg = message_held();
	struct held h;

	CHECK_INT(decode_held(message_attrs(msg), &h), 0);
	CHECK_INT(h.channel, SELFHEAL_CHANNEL_PIPE);
	CHECK(h.has_data);
	CHECK_INT(h.data_len, 5);
	CHECK(!memcmp(h.data, "ab\0cd", 5));
	held_release(&h);
	nlmsg_free(msg);
}

TEST(encode_rescue_and_back)
{
	static const char text[] = "policy: p\nhold: {socket: hold}\n"
		"rescue: {at: wait, errno: eof}\nrespond: {default: rollback}\n";
	struct policy_file file;
	struct policy out;
	struct nl_msg *msg;

	CHECK_INT(policy_parse(text, sizeof(text) - 1, &file), 0);
	CHECK_INT(file.n_errors, 0);
	msg = nlmsg_alloc_size(encode_policy_size(&file.policies[0]));
	CHECK_INT(encode_policy(msg, &file.policies[0]), 0);
	CHECK_INT(decode_policy(message_attrs(msg), &out), 0);
	CHECK_INT(out.set, file.policies[0].set);
	CHECK_INT(out.rescue, SELFHEAL_RESCUE_WAIT);
	CHECK_INT(out.rescue_errno, 0);
	CHECK_INT(out.default_verdict, SELFHEAL_VERDICT_ROLLBACK);
	policy_release(&out);
	nlmsg_free(msg);
	policy_file_release(&file);
}

TEST(decode_rescue_points)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct rescue_point point;

	nla_put_u32(msg, SELFHEAL_A_RESCUE_TID, 12);
	nla_put_u32(msg, SELFHEAL_A_RESCUE_PID, 11);
	nla_put_u64(msg, SELFHEAL_A_RESCUE_TAKEN, 5);
	nla_put_string(msg, SELFHEAL_A_RESCUE_MISSING, "several threads");
	CHECK_INT(decode_rescue(message_attrs(msg), &point), 0);
	CHECK(!point.valid);
	CHECK_INT(point.tid, 12);
	CHECK_INT(point.taken, 5);
	CHECK_INT(point.syscall_nr, -1);
	CHECK_STR(point.missing, "several threads");
	nla_put_u64(msg, SELFHEAL_A_RESCUE_STAMP, 77);
	nla_put_u32(msg, SELFHEAL_A_RESCUE_SYSCALL_NR, 45);
	CHECK_INT(decode_rescue(message_attrs(msg), &point), 0);
	CHECK(point.valid);
	CHECK_INT(point.stamp, 77);
	CHECK_INT(point.syscall_nr, 45);
	nlmsg_free(msg);
	msg = nlmsg_alloc();
	nla_put(msg, SELFHEAL_A_RESCUE_TID, 1, "x");
	CHECK_INT(decode_rescue(message_attrs(msg), &point), -EBADMSG);
	nlmsg_free(msg);
}

/* What a policy file says comes back from its message unchanged. */
TEST(encode_policy_and_back)
{
	static const char text[] =
		"policy: p\nobserve: false\nmatch: {exe: [/bin/a, /bin/b]}\n"
		"hold: {socket: hold, tty: deny, ipc: pass, calls-pass: [io_uring_setup], core-dump: pass, commit: {delay: 5ms}, max-bytes: 1MiB, overflow: commit}\n"
		"sense: {fault: {signals: [SYS], handled: true}, exec: {allow: [/bin/c]}, syscall: {never: [ptrace], deny: [bpf, mount]}, tamper: pass}\n"
		"respond: {default: release, deadline: 3s, kill-limit: 7, kill-window: 9s}\n";
	struct policy_file file;
	const struct policy *in;
	struct policy out;
	struct nl_msg *msg;

	CHECK_INT(policy_parse(text, sizeof(text) - 1, &file), 0);
	in = &file.policies[0];
	msg = nlmsg_alloc_size(encode_policy_size(in));
	CHECK_INT(encode_policy(msg, in), 0);
	CHECK_INT(decode_policy(message_attrs(msg), &out), 0);
	CHECK_STR(out.name, in->name);
	CHECK_INT(out.set, in->set);
	CHECK_INT(out.flags, SELFHEAL_POLICY_FLAG_FAULT_HANDLED | SELFHEAL_POLICY_FLAG_CORE_DUMP);
	CHECK_INT(out.match_exe.n, 2);
	CHECK_STR(out.match_exe.v[1], "/bin/b");
	CHECK(!memcmp(out.hold, in->hold, sizeof(in->hold)));
	CHECK_INT(out.commit, SELFHEAL_COMMIT_DELAY);
	CHECK_INT(out.commit_delay_ms, 5);
	CHECK_INT(out.max_bytes, 1 << 20);
	CHECK_INT(out.overflow, SELFHEAL_OVERFLOW_COMMIT);
	CHECK_INT(out.fault_mask, 1ll << (SIGSYS - 1));
	CHECK(out.exec_sense);
	CHECK_STR(out.exec_allow.v[0], "/bin/c");
	CHECK(!memcmp(&out.never, &in->never, sizeof(in->never)));
	CHECK(!memcmp(&out.deny, &in->deny, sizeof(in->deny)));
	CHECK(!memcmp(&out.pass, &in->pass, sizeof(in->pass)));
	CHECK(syscall_bit(out.pass.native, 425) && syscall_bit(out.pass.ia32, 425));
	CHECK_INT(out.tamper, SELFHEAL_TAMPER_ACTION_PASS);
	CHECK_INT(out.kill_limit, 7);
	CHECK_INT(out.kill_window_ms, 9000);
	CHECK_INT(out.default_verdict, SELFHEAL_VERDICT_RELEASE);
	CHECK_INT(out.deadline_ms, 3000);
	CHECK_STR(out.source, text);
	policy_release(&out);
	nlmsg_free(msg);
	policy_file_release(&file);
}

/* A setting that the file does not state must not be in the message. */
TEST(encode_states_only_what_is_given)
{
	static const char text[] = "policy: p\nsense: {exec: {allow: []}}\n";
	const int wanted[] = {
		SELFHEAL_A_POLICY_NAME, SELFHEAL_A_POLICY_EXEC_SENSE, SELFHEAL_A_POLICY_SOURCE,
	};
	struct policy_file file;
	struct nlattr *attr;
	struct attrs attrs;
	struct nl_msg *msg;
	size_t n = 0;
	int rest;

	CHECK_INT(policy_parse(text, sizeof(text) - 1, &file), 0);
	msg = nlmsg_alloc_size(encode_policy_size(&file.policies[0]));
	CHECK_INT(encode_policy(msg, &file.policies[0]), 0);
	attrs = message_attrs(msg);
	nla_for_each_attr(attr, attrs.head, attrs.len, rest) {
		CHECK(n < 3 && nla_type(attr) == wanted[n]);
		n++;
	}
	CHECK_INT(n, 3);
	nlmsg_free(msg);
	policy_file_release(&file);
}

/* The largest policy that the parser lets through still fits its message. */
TEST(encode_largest_policy_fits)
{
	struct policy policy = { .source_len = SELFHEAL_SOURCE_MAX, .exec_sense = true };
	char path[SELFHEAL_PATH_MAX + 1];
	struct nl_msg *msg;
	int i;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[SELFHEAL_PATH_MAX] = '\0';
	policy.set = ~0u;
	memset(policy.name, 'n', SELFHEAL_POLICY_NAME_MAX);
	policy.source = calloc(1, SELFHEAL_SOURCE_MAX);
	for (i = 0; i < SELFHEAL_EXEC_ALLOW_MAX; i++)
		string_list_add(&policy.exec_allow, path);
	for (i = 0; i < SELFHEAL_MATCH_MAX; i++)
		string_list_add(&policy.match_exe, path);
	msg = nlmsg_alloc_size(encode_policy_size(&policy));
	CHECK_INT(encode_policy(msg, &policy), 0);
	nlmsg_free(msg);
	policy_release(&policy);
}
