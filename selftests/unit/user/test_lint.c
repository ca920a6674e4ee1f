// SPDX-License-Identifier: GPL-2.0
/* Warnings of the policy parser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_parse.h"
#include "test.h"

struct row {
	const char *text;
	const char *warnings;
};

static void check_row(const struct row *row)
{
	struct policy_file file;
	char *out = NULL;
	size_t i, size;
	FILE *f = open_memstream(&out, &size);

	test_about(row->text);
	CHECK_INT(policy_parse(row->text, strlen(row->text), &file), 0);
	for (i = 0; i < file.n_diags; i++)
		fprintf(f, "%u:%u: %s\n", file.diags[i].line, file.diags[i].column,
			file.diags[i].text);
	fclose(f);
	CHECK_STR(out, row->warnings);
	CHECK_INT(file.n_errors, 0);
	policy_file_release(&file);
	free(out);
}

#define SENSE "sense: {exec: {allow: []}}\n"

TEST(lint_warnings)
{
	static const struct row rows[] = {
		{ "policy: p\n" SENSE, "" },
		{ "policy: p\n" SENSE "respond: {rules: [{verdict: rollback}]}\n",
		  "3:18: the rule of line 3 rolls back, which the kernel refuses without 'rescue: {at: wait}'; the incident is then left to people or to the deadline\n" },
		{ "policy: p\nhold: {socket: hold}\n" SENSE
		  "rescue: {at: wait}\nrespond: {rules: [{verdict: rollback}]}\n", "" },
		{ "policy: p\n" SENSE "respond: {rules: [{when: {sensor: fault}, verdict: kill}]}\n",
		  "3:18: the rule of line 3 waits for the sensor fault, which this policy does not turn on\n" },
		{ "policy: p\nsense: {fault: [SEGV]}\nrespond: {rules: [{when: {signal: BUS}, verdict: kill}]}\n",
		  "3:18: the rule of line 3 waits for a signal that sense.fault does not list\n" },
		{ "policy: p\n" SENSE "respond: {rules: [{when: {sensor: manual}, verdict: kill}]}\n", "" },
		{ "policy: p\n" SENSE "respond: {deadline: 5s, rules: [{verdict: kill, after: 5s}]}\n",
		  "3:32: the rule of line 3 answers after the deadline of 5s, which is too late\n" },
		{ "policy: p\n" SENSE "respond: {rules: [{verdict: kill, after: 31s}]}\n",
		  "3:18: the rule of line 3 answers after the deadline of 30s, which is too late\n" },
		{ "policy: p\n" SENSE "respond:\n  rules:\n  - {verdict: kill}\n  - {when: {again: 2}, verdict: release}\n",
		  "5:3: the rule of line 6 is never reached; the one of line 5 matches first\n" },
		{ "policy: p\n" SENSE "respond:\n  rules:\n  - {when: {again: 2}, verdict: kill}\n  - {when: {again: 3}, verdict: release}\n",
		  "5:3: the rule of line 6 is never reached; the one of line 5 matches first\n" },
		{ "policy: p\n" SENSE "respond:\n  rules:\n  - {when: {again: 3}, verdict: kill}\n  - {when: {again: 2}, verdict: release}\n"
		  "  - {when: {again: 2, within: 2m}, verdict: none}\n", "" },
		{ "policy: p\n" SENSE "respond:\n  rules:\n  - {verdict: none}\n  - {when: {sensor: exec}, verdict: kill}\n",
		  "5:3: the rule of line 6 is never reached; the one of line 5 matches first\n" },
		{ "policy: p\nsense: {fault: [SEGV, BUS]}\nrespond:\n  rules:\n"
		  "  - {when: {sensor: fault}, verdict: none}\n  - {when: {signal: BUS}, verdict: kill}\n",
		  "5:3: the rule of line 6 is never reached; the one of line 5 matches first\n" },
		{ "policy: p\nsense: {fault: [SEGV, BUS]}\nrespond:\n  rules:\n"
		  "  - {when: {signal: SEGV}, verdict: none}\n  - {when: {signal: BUS}, verdict: kill}\n", "" },
		{ "policy: p\n" SENSE "hold: {socket: pass, max-bytes: 8MiB}\n",
		  "3:7: hold: no channel is set to hold, so commit, max-bytes and overflow have no effect\n" },
		{ "policy: p\n" SENSE "hold: {socket: hold, other: pass}\n",
		  "3:7: hold: with 'other: pass' output can leave by io_uring, splice and the like without being held\n" },
		{ "policy: p\n" SENSE "hold: {socket: hold, ipc: pass, device: pass, signal: pass}\n", "" },
		{ "policy: p\n" SENSE "hold: {socket: hold, calls-pass: [semop]}\n", "" },
		{ "policy: p\n" SENSE "hold: {ipc: deny, calls-pass: [semop]}\n", "" },
		{ "policy: p\n" SENSE "hold: {socket: deny, calls-pass: [semop]}\n",
		  "3:34: hold.calls-pass: no channel is denied, so these calls pass anyway\n" },
		{ "policy: p\n" SENSE "hold: {socket: hold, calls-pass: [semop, bpf]}\n",
		  "3:34: hold.calls-pass: 'bpf' is refused all the same, as a reach for the kernel; it needs 'tamper: pass' in sense\n" },
		{ "policy: p\nsense: {fault: [SEGV], tamper: pass}\nhold: {socket: hold, calls-pass: [bpf]}\n", "" },
		{ "policy: p\nsense: {tamper: freeze}\nrespond: {rules: [{when: {sensor: tamper}, verdict: kill}]}\n", "" },
		{ "policy: p\n" SENSE "respond: {rules: [{when: {sensor: tamper}, verdict: kill}]}\n",
		  "3:18: the rule of line 3 waits for the sensor tamper, which this policy does not turn on\n" },
		{ "policy: p\n" SENSE "respond: {kill-limit: 0, kill-window: 5m}\n",
		  "3:39: respond.kill-window: with 'kill-limit: 0' there is no limit, so the window has no effect\n" },
		{ "policy: p\n" SENSE "hold: {socket: hold, commit: verdict, overflow: commit}\n",
		  "3:30: hold.commit: with 'overflow: commit' a full quarantine goes out, although only a verdict shall commit\n" },
		{ "policy: p\nsense: {syscall: {never: [connect]}}\n",
		  "2:27: sense.syscall.never: 32-bit programs can also reach 'connect' through 'socketcall'; list that too unless they need it\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}
