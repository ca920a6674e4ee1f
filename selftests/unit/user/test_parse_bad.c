// SPDX-License-Identifier: GPL-2.0
/* Policy files that are bad: each error at its line and column. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_parse.h"
#include "test.h"

/* "LINE:COLUMN: text" of every error, one a line. */
static char *errors(const char *text, size_t len)
{
	struct policy_file file;
	char *out = NULL;
	size_t i, size;
	FILE *f = open_memstream(&out, &size);

	CHECK_INT(policy_parse(text, len, &file), -EINVAL);
	CHECK(file.n_errors > 0);
	for (i = 0; i < file.n_diags; i++)
		if (file.diags[i].severity == POLICY_ERROR)
			fprintf(f, "%u:%u: %s\n", file.diags[i].line, file.diags[i].column,
				file.diags[i].text);
	fclose(f);
	policy_file_release(&file);
	return out;
}

struct row {
	const char *text;
	const char *errors;
};

static void check_rows(const struct row *rows, size_t n)
{
	char *seen;
	size_t i;

	for (i = 0; i < n; i++) {
		test_about(rows[i].text);
		seen = errors(rows[i].text, strlen(rows[i].text));
		CHECK_STR(seen, rows[i].errors);
		free(seen);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

TEST(parse_bad_keys)
{
	static const struct row rows[] = {
		{ "policy: p\nholds: {}\n",
		  "2:1: unknown key 'holds' in policy file; allowed are: policy, match, observe, hold, sense, rescue, respond\n" },
		{ "policy: p\nmatch: {path: /bin/a}\n",
		  "2:9: unknown key 'path' in match; allowed are: exe\n" },
		{ "policy: p\nhold: {Socket: hold}\n",
		  "2:8: unknown key 'Socket' in hold; allowed are: socket, pipe, tty, other, signal, ipc, device, calls-pass, core-dump, commit, max-bytes, overflow\n" },
		{ "policy: p\nhold: {socket: hold, socket: pass}\n",
		  "2:22: the key 'socket' is given twice in hold\n" },
		{ "policy: p\npolicy: q\n", "2:1: the key 'policy' is given twice in policy file\n" },
		{ "policy: p\nsense: {fault: {signal: [SEGV]}}\n",
		  "2:16: sense.fault: the key 'signals' is missing; it lists some of: SEGV, BUS, ILL, FPE, TRAP, SYS, ABRT\n"
		  "2:17: unknown key 'signal' in sense.fault; allowed are: signals, handled\n" },
		{ "policy: p\nsense: {syscall: {always: []}}\n",
		  "2:19: unknown key 'always' in sense.syscall; allowed are: never, deny\n" },
		{ "policy: p\nrespond: {rules: [{if: {}, verdict: kill}]}\n",
		  "2:20: unknown key 'if' in rule; allowed are: when, verdict, after, errno, run\n" },
		{ "policy: p\nrespond: {rules: [{when: {gid: 0}, verdict: kill}]}\n",
		  "2:27: unknown key 'gid' in when; allowed are: sensor, signal, exe, uid, again, within\n" },
		{ "? [a]\n: b\npolicy: p\n", "1:3: key: expected a single value, found a list\n" },
		{ "observe: true\n", "1:1: the key 'policy' is missing; it names the policy\n" },
		{ "policy: p\n<<: {observe: true}\n",
		  "2:1: unknown key '<<' in policy file; allowed are: policy, match, observe, hold, sense, rescue, respond\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_bad_shapes)
{
	static const struct row rows[] = {
		{ "", "1:1: the file holds no policy\n" },
		{ "# only a comment\n", "1:1: the file holds no policy\n" },
		{ "- policy: p\n",
		  "1:1: policy file: expected a mapping with the keys policy, match, observe, hold, sense, rescue, respond, found a list\n" },
		{ "just text\n",
		  "1:1: policy file: expected a mapping with the keys policy, match, observe, hold, sense, rescue, respond, found a single value\n" },
		{ "policy: p\nmatch: /bin/a\n",
		  "2:8: match: expected a mapping with the keys exe, found a single value\n" },
		{ "policy: p\nmatch:\n", "2:7: match: expected a mapping with the keys exe, found nothing\n" },
		{ "policy: [p]\n", "1:9: policy: expected a single value, found a list\n" },
		{ "policy: p\nobserve: {a: b}\n", "2:10: observe: expected a single value, found a mapping\n" },
		{ "policy: p\nsense: {fault: SEGV}\n",
		  "2:16: sense.fault: expected a list such as [a, b], found a single value\n" },
		{ "policy: p\nsense: {syscall: {never: {a: b}}}\n",
		  "2:26: sense.syscall.never: expected a list such as [a, b], found a mapping\n" },
		{ "policy: p\nmatch: {exe: {a: b}}\n",
		  "2:14: match.exe: expected a path or a list of paths, found a mapping\n" },
		{ "policy: p\nsense:\n  exec:\n    allow:\n",
		  "4:11: sense.exec.allow: expected a list of paths, found nothing; write [] to allow no exec at all\n" },
		{ "policy: p\nsense: {exec: {}}\n",
		  "2:15: sense.exec: the key 'allow' is missing; write 'allow: []' to allow no exec at all\n" },
		{ "policy: p\nrespond: {rules: {verdict: kill}}\n",
		  "2:18: respond.rules: expected a list such as [a, b], found a mapping\n" },
		{ "policy: p\nrespond: {rules: [kill]}\n",
		  "2:19: rule: expected a mapping with the keys when, verdict, after, errno, run, found a single value\n" },
		{ "policy: p\nobserve: !!bool true\n",
		  "2:10: observe: YAML tags are not used in policies; remove the tag\n" },
		{ "policy: p\nhold: !hold {socket: hold}\n",
		  "2:7: hold: YAML tags are not used in policies; remove the tag\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_bad_values)
{
	static const struct row rows[] = {
		{ "policy: a b\n",
		  "1:9: policy: a name is 1 to 63 characters of A-Z, a-z, 0-9, '.', '_' and '-'\n" },
		{ "policy: \"\"\n",
		  "1:9: policy: a name is 1 to 63 characters of A-Z, a-z, 0-9, '.', '_' and '-'\n" },
		{ "policy: \"a\\0b\"\n", "1:9: policy: the value contains a NUL byte\n" },
		{ "policy: p\nobserve: yes\n", "2:10: observe: 'yes' is not one of: true, false\n" },
		{ "policy: p\nobserve: \"\\e[31m\"\n", "2:10: observe: '?[31m' is not one of: true, false\n" },
		{ "policy: p\nhold: {socket: block}\n",
		  "2:16: hold.socket: 'block' is not one of: pass, hold, deny\n" },
		{ "policy: p\nhold: {other: hold}\n", "2:15: hold.other: 'hold' is not one of: pass, deny\n" },
		{ "policy: p\nhold: {signal: hold}\n", "2:16: hold.signal: 'hold' is not one of: pass, deny\n" },
		{ "policy: p\nhold: {ipc: yes}\n", "2:13: hold.ipc: 'yes' is not one of: pass, deny\n" },
		{ "policy: p\nhold: {device: hold}\n", "2:16: hold.device: 'hold' is not one of: pass, deny\n" },
		{ "policy: p\nhold: {core-dump: hold}\n",
		  "2:19: hold.core-dump: 'hold' is not one of: pass, deny\n" },
		{ "policy: p\nhold: {calls-pass: semop}\n",
		  "2:20: hold.calls-pass: expected a list such as [a, b], found a single value\n" },
		{ "policy: p\nhold: {calls-pass: [semopp]}\n",
		  "2:21: hold.calls-pass: 'semopp' is no system call of x86-64 or i386; did you mean 'semop'?\n" },
		{ "policy: p\nhold: {calls-pass: [semop]}\nsense: {syscall: {never: [semop]}}\n",
		  "2:20: hold.calls-pass: 'semop' is also in sense.syscall.never; it cannot both pass and open an incident: choose one\n" },
		{ "policy: p\nhold: {calls-pass: [bpf, semop]}\nsense: {syscall: {deny: [semop]}}\n",
		  "2:20: hold.calls-pass: 'semop' is also in sense.syscall.deny; it cannot both pass and fail: choose one\n" },
		{ "policy: p\nsense: {tamper: deny}\n",
		  "2:17: sense.tamper: 'deny' is not one of: refuse, freeze, pass\n" },
		{ "policy: p\nrespond: {kill-limit: 10001}\n",
		  "2:23: respond.kill-limit: '10001' is not a whole number from 0 to 10000\n" },
		{ "policy: p\nrespond: {kill-window: 999ms}\n",
		  "2:24: respond.kill-window: 999ms is out of range; allowed are 1s to 60m\n" },
		{ "policy: p\nhold: {overflow: drop}\n",
		  "2:18: hold.overflow: 'drop' is not one of: block, deny, kill, commit\n" },
		{ "policy: p\nhold: {commit: never}\n",
		  "2:16: hold.commit: 'never' is not one of: quiesce, verdict\n" },
		{ "policy: p\nhold: {commit: {quiesce: false}}\n",
		  "2:16: hold.commit: no condition is left; write 'commit: verdict' if only a verdict shall commit\n" },
		{ "policy: p\nhold: {commit: {delay: 0ms}}\n",
		  "2:24: hold.commit.delay: 0ms is out of range; allowed are 1ms to 1m\n" },
		{ "policy: p\nhold: {commit: {delay: 61s}}\n",
		  "2:24: hold.commit.delay: 61s is out of range; allowed are 1ms to 1m\n" },
		{ "policy: p\nhold: {max-bytes: 4095B}\n",
		  "2:19: hold.max-bytes: 4095B is out of range; allowed are 4KiB to 1GiB\n" },
		{ "policy: p\nhold: {max-bytes: 1048577KiB}\n",
		  "2:19: hold.max-bytes: 1048577KiB is out of range; allowed are 4KiB to 1GiB\n" },
		{ "policy: p\nhold: {max-bytes: 99999999999999999999GiB}\n",
		  "2:19: hold.max-bytes: 99999999999999999999GiB is out of range; allowed are 4KiB to 1GiB\n" },
		{ "policy: p\nhold: {max-bytes: 8MB}\n",
		  "2:19: hold.max-bytes: '8MB' is not a size; write a whole number and one of the units B, KiB, MiB, GiB, such as 8MiB\n" },
		{ "policy: p\nsense: {fault: [SEGV, SIGBUS]}\n",
		  "2:23: sense.fault: 'SIGBUS' is not one of: SEGV, BUS, ILL, FPE, TRAP, SYS, ABRT\n" },
		{ "policy: p\nsense: {fault: [KILL]}\n",
		  "2:17: sense.fault: 'KILL' is not one of: SEGV, BUS, ILL, FPE, TRAP, SYS, ABRT\n" },
		{ "policy: p\nsense: {syscall: {never: [ptrac]}}\n",
		  "2:27: sense.syscall.never: 'ptrac' is no system call of x86-64 or i386; did you mean 'ptrace'?\n" },
		{ "policy: p\nsense: {syscall: {deny: [there is none like it]}}\n",
		  "2:26: sense.syscall.deny: this is no system call of x86-64 or i386; syscalls(2) lists them\n" },
		{ "policy: p\nsense: {syscall: {never: [bpf], deny: [ptrace, bpf]}}\n",
		  "2:39: sense.syscall: 'bpf' is in both never and deny; deny refuses a call silently, never opens an incident: choose one\n" },
		{ "policy: p\nmatch: {exe: bin/a}\n", "2:14: match.exe: 'bin/a' is not an absolute path\n" },
		{ "policy: p\nmatch: {exe: [/a, /a]}\n", "2:19: match.exe: this path is already in the list\n" },
		{ "policy: p\nrespond: {default: none}\n",
		  "2:20: respond.default: 'none' is not one of: release, rollback, kill\n" },
		{ "policy: p\nrespond: {default: rollback}\n",
		  "1:9: respond.default: rollback needs 'rescue: {at: wait}'\n" },
		{ "policy: p\nrescue: {errno: EIO}\n", "2:9: rescue.errno: needs 'rescue.at: wait'\n" },
		{ "policy: p\nhold: {socket: hold}\nrescue: {at: wait, errno: EWHAT}\n",
		  "3:27: rescue.errno: the name of an error as in errno(3), such as ECONNRESET, or eof\n" },
		{ "policy: p\nhold: {socket: hold}\nrescue: {at: times}\n",
		  "3:14: rescue.at: 'times' is not one of: none, wait\n" },
		{ "policy: p\nhold: {pipe: hold}\nrescue: {at: wait}\n",
		  "3:9: rescue: needs 'hold.socket: hold' or deny; what has left cannot be rolled back\n" },
		{ "policy: p\nobserve: true\nhold: {socket: hold}\nrescue: {at: wait}\n",
		  "4:9: rescue: a policy that observes has nothing to roll back\n" },
		{ "policy: p\nhold: {socket: hold, commit: verdict}\nrescue: {at: wait}\n",
		  "3:9: rescue: needs 'hold.commit: quiesce' alone\n" },
		{ "policy: p\nhold: {socket: hold, overflow: commit}\nrescue: {at: wait}\n",
		  "3:9: rescue: needs a hold.overflow other than commit\n" },
		{ "policy: p\nrespond: {deadline: 9ms}\n",
		  "2:21: respond.deadline: 9ms is out of range; allowed are 10ms to 60m\n" },
		{ "policy: p\nrespond: {deadline: 61m}\n",
		  "2:21: respond.deadline: 61m is out of range; allowed are 10ms to 60m\n" },
		{ "policy: p\nrespond: {deadline: soon}\n",
		  "2:21: respond.deadline: 'soon' is not a duration; write a whole number and one of the units ms, s, m, such as 50ms\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_bad_rules)
{
	static const struct row rows[] = {
		{ "policy: p\nrespond: {rules: [{when: {sensor: exec}}]}\n",
		  "2:19: rule: the key 'verdict' is missing; it is one of: none, release, rollback, kill\n" },
		{ "policy: p\nrespond: {rules: [{verdict: die}]}\n",
		  "2:29: verdict: 'die' is not one of: none, release, rollback, kill\n" },
		{ "policy: p\nrespond: {rules: [{when: {sensor: seccomp}, verdict: kill}]}\n",
		  "2:35: when.sensor: 'seccomp' is not one of: manual, fault, exec, syscall, overflow, exit, tamper\n" },
		{ "policy: p\nrespond: {rules: [{when: {sensor: exec, signal: SEGV}, verdict: kill}]}\n",
		  "2:19: rule: only the sensor fault reports a signal; this rule can never match\n" },
		{ "policy: p\nrespond: {rules: [{when: {uid: root}, verdict: kill}]}\n",
		  "2:32: when.uid: 'root' is not a whole number from 0 to 4294967294\n" },
		{ "policy: p\nrespond: {rules: [{when: {uid: 4294967295}, verdict: kill}]}\n",
		  "2:32: when.uid: '4294967295' is not a whole number from 0 to 4294967294\n" },
		{ "policy: p\nrespond: {rules: [{when: {exe: redis}, verdict: kill}]}\n",
		  "2:32: when.exe: 'redis' is not an absolute path\n" },
		{ "policy: p\nrespond: {rules: [{verdict: none, after: 5s}]}\n",
		  "2:19: rule: 'after' means nothing with the verdict none\n" },
		{ "policy: p\nrespond: {rules: [{when: {within: 5s}, verdict: kill}]}\n",
		  "2:26: when: 'within' is the time for 'again', the number of times before; that key is missing\n" },
		{ "policy: p\nrespond: {rules: [{when: {again: 0}, verdict: kill}]}\n",
		  "2:34: when.again: '0' is not a whole number from 1 to 1023\n" },
		{ "policy: p\nrespond: {rules: [{when: {again: 1, within: 999ms}, verdict: kill}]}\n",
		  "2:45: when.within: 999ms is out of range; allowed are 1s to 60m\n" },
		{ "policy: p\nrespond: {rules: [{verdict: kill, errno: EPIPE}]}\n",
		  "2:19: rule: 'errno' needs the verdict rollback\n" },
		{ "policy: p\nrespond: {rules: [{verdict: rollback, errno: EGAL}]}\n",
		  "2:46: errno: the name of an error as in errno(3), such as ECONNRESET, or eof\n" },
		{ "policy: p\nrespond: {rules: [{verdict: none, run: [/bin/true]}]}\n",
		  "2:19: rule: 'run' is for after the verdict, and there is none\n" },
		{ "policy: p\nrespond: {rules: [{verdict: kill, run: [systemctl, restart]}]}\n",
		  "2:41: run: 'systemctl' is not an absolute path\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_bad_yaml)
{
	static const struct row rows[] = {
		{ "policy: p\nhold: [\n",
		  "3:1: YAML syntax: did not find expected node content while parsing a flow node\n" },
		{ "policy: p\n\thold: {}\n",
		  "2:1: YAML syntax: found a tab character that violates indentation while scanning a plain scalar\n" },
		{ "policy: p\nhold: *nowhere\n", "2:7: YAML syntax: found undefined alias\n" },
		{ "policy: p\n---\npolicy: p\n", "3:9: policy: the name 'p' is used twice in this file\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_several_errors_at_once_in_order)
{
	static const struct row rows[] = {
		{ "policy: p\nobserve: 1\nhold: {socket: 2, pipe: hold, pipe: hold}\nfoo: 1\n",
		  "2:10: observe: '1' is not one of: true, false\n"
		  "3:16: hold.socket: '2' is not one of: pass, hold, deny\n"
		  "3:31: the key 'pipe' is given twice in hold\n"
		  "4:1: unknown key 'foo' in policy file; allowed are: policy, match, observe, hold, sense, rescue, respond\n" },
	};

	CHECK_ROWS(rows);
}

TEST(parse_bad_bytes)
{
	static const char invalid[] = "policy: \xff\xfe\n", control[] = "policy: a\x01\n";
	char *seen;

	seen = errors(invalid, sizeof(invalid) - 1);
	CHECK_STR(seen, "1:1: the text is not valid UTF-8 (invalid leading UTF-8 octet at byte 8)\n");
	free(seen);
	seen = errors(control, sizeof(control) - 1);
	CHECK_STR(seen, "1:1: the text is not valid UTF-8 (control characters are not allowed at byte 9)\n");
	free(seen);
}

TEST(parse_bounds)
{
	struct policy_file file;
	char *text = malloc((1 << 20) + 2);
	size_t i, len;

	/* More errors than are kept: counted, not stored. */
	len = (size_t)sprintf(text, "policy: p\n");
	for (i = 0; i < POLICY_DIAGS_MAX + 10; i++)
		len += (size_t)sprintf(text + len, "k%zu: 1\n", i);
	CHECK_INT(policy_parse(text, len, &file), -EINVAL);
	CHECK_INT(file.n_diags, POLICY_DIAGS_MAX);
	CHECK_INT(file.dropped, 10);
	CHECK_INT(file.n_errors, POLICY_DIAGS_MAX + 10);
	policy_file_release(&file);

	/* A source text beyond what the kernel keeps. */
	len = (size_t)sprintf(text, "policy: p\n#");
	memset(text + len, 'x', SELFHEAL_SOURCE_MAX);
	CHECK_INT(policy_parse(text, SELFHEAL_SOURCE_MAX, &file), 0);
	policy_file_release(&file);
	CHECK_INT(policy_parse(text, SELFHEAL_SOURCE_MAX + 1, &file), -EINVAL);
	CHECK_STR(file.diags[0].text, "the policy's text has 32769 bytes; at most 32768 are allowed");
	policy_file_release(&file);

	memset(text, '#', (1 << 20) + 1);
	CHECK_INT(policy_parse(text, (1 << 20) + 1, &file), -EINVAL);
	CHECK_STR(file.diags[0].text, "the file has 1048577 bytes; a policy file has at most 1048576");
	policy_file_release(&file);

	len = (size_t)sprintf(text, "policy: p\nmatch:\n  exe:\n");
	for (i = 0; i <= SELFHEAL_MATCH_MAX; i++)
		len += (size_t)sprintf(text + len, "  - /bin/%zu\n", i);
	CHECK_INT(policy_parse(text, len, &file), -EINVAL);
	CHECK_STR(file.diags[0].text, "match.exe: more than 16 paths");
	CHECK_INT(file.diags[0].line, 20);
	policy_file_release(&file);
	free(text);
}

/* An alias may make a node its own child; the parser's depth is the grammar's. */
TEST(parse_cyclic_aliases_end)
{
	struct policy_file file;
	static const char text[] = "policy: p\nrespond: &r\n  rules: &l [*l, *r]\n";

	CHECK_INT(policy_parse(text, sizeof(text) - 1, &file), -EINVAL);
	policy_file_release(&file);
}

/* Every prefix and every one-byte change of a good file: an answer, never a crash. */
TEST(parse_survives_damage)
{
	size_t len = 0, i;
	char *text = test_read("Documentation/examples/generic.yaml", &len);
	struct policy_file file;
	char kept;
	int err;

	for (i = 0; i < len; i++) {
		err = policy_parse(text, i, &file);
		CHECK(err == -EINVAL ? file.n_errors > 0 : !err && file.n_policies > 0);
		policy_file_release(&file);
		kept = text[i];
		text[i] = "\x00\xff:{[*&\n"[i % 8];
		err = policy_parse(text, len, &file);
		CHECK(err == -EINVAL ? file.n_errors > 0 : !err && file.n_policies > 0);
		policy_file_release(&file);
		text[i] = kept;
	}
	free(text);
}
