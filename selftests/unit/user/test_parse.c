// SPDX-License-Identifier: GPL-2.0
/* Policy files that are good: what the parser makes of them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_parse.h"
#include "test.h"

static void parse(const char *text, struct policy_file *file)
{
	size_t i;

	CHECK_INT(policy_parse(text, strlen(text), file), 0);
	for (i = 0; i < file->n_diags; i++)
		if (file->diags[i].severity == POLICY_ERROR)
			CHECK_STR(file->diags[i].text, "no error");
	if (!file->n_policies)
		exit(1);
}

TEST(parse_rescue)
{
	struct policy_file file;
	const struct policy *p;

	parse("policy: p\nhold: {socket: hold}\nsense: {fault: [SEGV]}\n"
	      "rescue: {at: wait, errno: EPIPE}\nrespond: {default: rollback}\n", &file);
	CHECK_INT(file.n_diags, 0);
	p = &file.policies[0];
	CHECK(policy_states(p, POLICY_SET_RESCUE) && policy_states(p, POLICY_SET_RESCUE_ERRNO));
	CHECK_INT(p->rescue, SELFHEAL_RESCUE_WAIT);
	CHECK_INT(p->rescue_errno, 32);
	CHECK_INT(p->default_verdict, SELFHEAL_VERDICT_ROLLBACK);
	policy_file_release(&file);
	parse("policy: p\nhold: {socket: deny}\nsense: {fault: [SEGV]}\n"
	      "rescue: {errno: eof, at: wait}\n", &file);
	CHECK_INT(file.n_diags, 0);
	CHECK(policy_states(&file.policies[0], POLICY_SET_RESCUE_ERRNO));
	CHECK_INT(file.policies[0].rescue_errno, 0);
	policy_file_release(&file);
}

TEST(parse_ladder)
{
	static const char text[] =
		"policy: p\n"
		"hold: {socket: hold}\n"
		"sense: {fault: [SEGV]}\n"
		"rescue: {at: wait}\n"
		"respond:\n"
		"  rules:\n"
		"  - {when: {again: 1023, within: 60m}, verdict: kill, run: [/bin/systemctl, restart, 'a b']}\n"
		"  - {when: {again: 3}, verdict: rollback, errno: eof}\n"
		"  - {when: {again: 2, within: 1s}, verdict: rollback, errno: EPIPE}\n"
		"  - verdict: rollback\n";
	struct policy_file file;
	const struct rule *r;

	parse(text, &file);
	CHECK_INT(file.n_policies, 1);
	CHECK_INT(file.n_diags, 0);
	CHECK_INT(file.policies[0].n_rules, 4);
	r = file.policies[0].rules;
	CHECK_INT(r[0].again, 1023);
	CHECK_INT(r[0].within_ms, 3600000);
	CHECK_INT(r[0].run.n, 3);
	CHECK_STR(r[0].run.v[2], "a b");
	CHECK_INT(r[1].within_ms, 60000);
	CHECK(r[1].has_error && r[1].error == 0);
	CHECK_INT(r[2].error, 32);
	CHECK(!r[3].again && !r[3].within_ms && !r[3].has_error && !r[3].run.n);
	policy_file_release(&file);
}

TEST(parse_everything)
{
	static const char text[] =
		"policy: redis-6.0_x\n"
		"match: {exe: [/usr/bin/redis-server, /opt/redis]}\n"
		"observe: true\n"
		"hold: {socket: hold, pipe: pass, tty: deny, other: deny, signal: pass, ipc: deny, device: pass, calls-pass: [semop, shmat], core-dump: pass, commit: {quiesce: true, delay: 50ms}, max-bytes: 8MiB, overflow: kill}\n"
		"sense:\n"
		"  fault: {signals: [SEGV, ABRT], handled: true}\n"
		"  exec: {allow: [/bin/true]}\n"
		"  syscall: {never: [ptrace, process_vm_writev], deny: [bpf]}\n"
		"  tamper: freeze\n"
		"respond:\n"
		"  default: release\n"
		"  deadline: 30s\n"
		"  kill-limit: 3\n"
		"  kill-window: 2m\n"
		"  keep-core: true\n"
		"  rules:\n"
		"  - {when: {sensor: exec}, verdict: kill}\n"
		"  - {when: {signal: SEGV, exe: /opt/redis, uid: 0}, verdict: release, after: 5s}\n"
		"  - verdict: none\n";
	struct policy_file file;
	const struct policy *p;

	parse(text, &file);
	CHECK_INT(file.n_policies, 1);
	CHECK_INT(file.n_diags, 0);
	p = &file.policies[0];
	CHECK_STR(p->name, "redis-6.0_x");
	CHECK_INT(p->match_exe.n, 2);
	CHECK_STR(p->match_exe.v[1], "/opt/redis");
	CHECK_INT(p->flags, SELFHEAL_POLICY_FLAG_OBSERVE | SELFHEAL_POLICY_FLAG_FAULT_HANDLED |
		  SELFHEAL_POLICY_FLAG_CORE_DUMP);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_SOCKET], SELFHEAL_CHANNEL_ACTION_HOLD);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_PIPE], SELFHEAL_CHANNEL_ACTION_PASS);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_TTY], SELFHEAL_CHANNEL_ACTION_DENY);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_OTHER], SELFHEAL_CHANNEL_ACTION_DENY);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_SIGNAL], SELFHEAL_CHANNEL_ACTION_PASS);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_IPC], SELFHEAL_CHANNEL_ACTION_DENY);
	CHECK_INT(p->hold[SELFHEAL_CHANNEL_DEVICE], SELFHEAL_CHANNEL_ACTION_PASS);
	CHECK(syscall_bit(p->pass.native, 65) && syscall_bit(p->pass.native, 30));
	CHECK(syscall_bit(p->pass.ia32, 397) && !syscall_bit(p->pass.native, 29));
	CHECK_INT(p->tamper, SELFHEAL_TAMPER_ACTION_FREEZE);
	CHECK_INT(p->kill_limit, 3);
	CHECK_INT(p->kill_window_ms, 120000);
	CHECK_INT(p->commit, SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY);
	CHECK_INT(p->commit_delay_ms, 50);
	CHECK_INT(p->max_bytes, 8 << 20);
	CHECK_INT(p->overflow, SELFHEAL_OVERFLOW_KILL);
	CHECK_INT(p->fault_mask, 1ull << (SIGSEGV - 1) | 1ull << (SIGABRT - 1));
	CHECK(p->exec_sense);
	CHECK_INT(p->exec_allow.n, 1);
	CHECK(syscall_bit(p->never.native, 101) && syscall_bit(p->never.ia32, 26));
	CHECK(syscall_bit(p->deny.native, 321) && !syscall_bit(p->deny.native, 101));
	CHECK_INT(p->default_verdict, SELFHEAL_VERDICT_RELEASE);
	CHECK_INT(p->deadline_ms, 30000);
	CHECK_INT(p->n_rules, 3);
	CHECK(p->rules[0].has_sensor && p->rules[0].sensor == SELFHEAL_SENSOR_EXEC);
	CHECK(p->keep_core);
	CHECK_INT(p->rules[0].line, 17);
	CHECK_INT(p->rules[1].signal, SIGSEGV);
	CHECK_STR(p->rules[1].exe, "/opt/redis");
	CHECK(p->rules[1].has_uid && p->rules[1].uid == 0);
	CHECK_INT(p->rules[1].after_ms, 5000);
	CHECK_INT(p->rules[2].verdict, SELFHEAL_VERDICT_NONE);
	CHECK(!p->rules[2].has_sensor && !p->rules[2].signal && !p->rules[2].has_uid);
	CHECK(!p->rules[2].again && !p->rules[2].within_ms && !p->rules[2].has_error);
	CHECK_STR(p->source, text);
	CHECK_INT(p->source_len, sizeof(text) - 1);
	policy_file_release(&file);
}

/* Only what a file states is set: the rest is the kernel's to choose. */
TEST(parse_states_only_what_is_given)
{
	struct policy_file file;

	parse("policy: bare\n", &file);
	CHECK_INT(file.policies[0].set, 0);
	CHECK(!file.policies[0].exec_sense);
	CHECK_INT(file.policies[0].fault_mask, 0);
	CHECK_INT(file.n_diags, 1);
	CHECK_STR(file.diags[0].text,
		  "policy: no sensor is on; only 'healctl domain freeze' can open an incident");
	CHECK_INT(file.diags[0].severity, POLICY_WARNING);
	policy_file_release(&file);

	parse("policy: some\nhold: {pipe: hold}\nobserve: false\nsense: {exec: {allow: []}}\n", &file);
	CHECK_INT(file.policies[0].set, POLICY_SET_FLAGS | POLICY_SET_HOLD << SELFHEAL_CHANNEL_PIPE);
	CHECK_INT(file.policies[0].flags, 0);
	CHECK(file.policies[0].exec_sense);
	CHECK_INT(file.policies[0].exec_allow.n, 0);
	policy_file_release(&file);
}

TEST(parse_commit_grammar)
{
	const struct {
		const char *commit;
		uint32_t flags, delay;
	} rows[] = {
		{ "quiesce", SELFHEAL_COMMIT_QUIESCE, 0 },
		{ "verdict", 0, 0 },
		{ "{quiesce: true}", SELFHEAL_COMMIT_QUIESCE, 0 },
		{ "{delay: 1ms}", SELFHEAL_COMMIT_DELAY, 1 },
		{ "{quiesce: false, delay: 1m}", SELFHEAL_COMMIT_DELAY, 60000 },
		{ "{delay: 50ms, quiesce: true}", SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY, 50 },
	};
	struct policy_file file;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_about(rows[i].commit);
		snprintf(text, sizeof(text), "policy: p\nhold: {socket: hold, commit: %s}\n", rows[i].commit);
		parse(text, &file);
		CHECK(file.policies[0].set & POLICY_SET_COMMIT);
		CHECK_INT(file.policies[0].commit, rows[i].flags);
		CHECK_INT(file.policies[0].commit_delay_ms, rows[i].delay);
		CHECK_INT(!!(file.policies[0].set & POLICY_SET_COMMIT_DELAY), !!rows[i].delay);
		policy_file_release(&file);
	}
}

TEST(parse_several_documents_and_their_sources)
{
	static const char text[] =
		"# the first\npolicy: a\nsense: {exec: {allow: []}}\n"
		"--- # the second\npolicy: b\nsense: {exec: {allow: []}}\n...\n"
		"---\n{policy: c, sense: {exec: {allow: []}}}\n";
	struct policy_file file;

	parse(text, &file);
	CHECK_INT(file.n_policies, 3);
	CHECK_STR(file.policies[0].source, "# the first\npolicy: a\nsense: {exec: {allow: []}}\n");
	CHECK_STR(file.policies[1].source,
		  "--- # the second\npolicy: b\nsense: {exec: {allow: []}}\n...\n");
	CHECK_STR(file.policies[2].source, "---\n{policy: c, sense: {exec: {allow: []}}}\n");
	policy_file_release(&file);

	/* The agent parses what the kernel keeps: each source stands alone. */
	parse("--- # the second\npolicy: b\nsense: {exec: {allow: []}}\n...\n", &file);
	CHECK_STR(file.policies[0].name, "b");
	policy_file_release(&file);
}

TEST(parse_limits_are_inclusive)
{
	struct policy_file file;

	parse("policy: p\n"
	      "hold: {socket: hold, max-bytes: 4096B}\n"
	      "sense: {exec: {allow: []}}\n"
	      "respond: {deadline: 10ms, rules: [{when: {uid: 4294967294}, verdict: kill}]}\n", &file);
	CHECK_INT(file.policies[0].rules[0].uid, 4294967294u);
	policy_file_release(&file);
	parse("policy: p\n"
	      "hold: {socket: hold, max-bytes: 1GiB}\n"
	      "sense: {exec: {allow: []}}\n"
	      "respond: {deadline: 60m}\n", &file);
	CHECK_INT(file.policies[0].deadline_ms, 3600000);
	policy_file_release(&file);
}

TEST(parse_longest_name)
{
	char text[256], name[SELFHEAL_POLICY_NAME_MAX + 2];
	struct policy_file file;

	memset(name, 'n', sizeof(name));
	name[SELFHEAL_POLICY_NAME_MAX] = '\0';
	snprintf(text, sizeof(text), "policy: %s\n", name);
	parse(text, &file);
	CHECK_STR(file.policies[0].name, name);
	policy_file_release(&file);
	name[SELFHEAL_POLICY_NAME_MAX] = 'n';
	name[SELFHEAL_POLICY_NAME_MAX + 1] = '\0';
	snprintf(text, sizeof(text), "policy: %s\n", name);
	CHECK_INT(policy_parse(text, strlen(text), &file), -22);
	policy_file_release(&file);
}
