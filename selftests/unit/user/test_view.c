// SPDX-License-Identifier: GPL-2.0
/* Transcripts: a struct of the kernel's, as text and as JSON. */
#include <signal.h>
#include <string.h>

#include "capture.h"
#include "view.h"

#define AUDIT_X86_64 0xc000003eu
#define S 1000000000ull

static struct domain domain = {
	.id = 3, .policy = "redis", .state = SELFHEAL_DOMAIN_STATE_FROZEN, .members = 5,
	.processes = 1, .leader = 4711, .comm = "redis-server",
	.exe = "/usr/bin/redis-check-rdb", .stamp = 10 * S, .incident = 2, .incidents = 1,
	.held_bytes = 77, .held_entries = 2, .held_total = 20000, .committed_bytes = 19923,
	.dropped_bytes = 0, .parked = 4, .freeze_ns = 812345,
};

static void domain_row(struct print *p)
{
	print_open_list(p, "domains", PRINT_TABLE);
	print_open(p, NULL);
	view_domain_row(p, &domain);
	print_close(p);
	print_close(p);
}

TEST(view_domain_list)
{
	check_both(domain_row, "view_domain_row");
}

static void domain_full(struct print *p)
{
	static struct member threads[] = {
		{ .tid = 4711, .pid = 4711, .comm = "redis-server", .parked = true, .syscalls = 99 },
		{ .tid = 4712, .pid = 4711, .comm = "bio_close_file", .syscalls = 1 },
	};

	domain.threads = threads;
	domain.n_threads = 2;
	print_open(p, "domain");
	view_domain(p, &domain);
	print_close(p);
}

TEST(view_domain_show)
{
	check_both(domain_full, "view_domain_full");
}

/* The evidence of a null write, as the fault sensor reports it. */
static const struct incident fault = {
	.id = 2, .domain = 3, .policy = "redis", .sensor = SELFHEAL_SENSOR_FAULT,
	.stamp = 11 * S, .has_deadline = true, .deadline_ms = 29000, .evidence_count = 1,
	.freeze_ns = 500, .held_bytes = 5, .held_entries = 1, .tid = 4711, .pid = 4711, .ppid = 1,
	.comm = "redis-server", .exe = "/usr/bin/redis-check-rdb", .has_credentials = true,
	.uid = 100, .euid = 100, .gid = 101, .egid = 101, .cap_effective = 0x40,
	.signal = SIGSEGV, .has_signal_code = true, .signal_code = SEGV_MAPERR, .has_fault_address = true,
	.syscall_nr = -1, .cmdline = "redis\0-p\0", .cmdline_len = 9,
	.has_registers = true, .registers = { .ip = 0x5555000012ab, .sp = 0x7ffc0000 },
	.backtrace = { 0x5555000012ab, 0x7f0000000001 }, .n_backtrace = 2,
	.stack = "secret", .stack_len = 6, .has_mapping = true,
	.mapping_path = "/usr/bin/redis-check-rdb", .mapping_start = 0x555500000000,
	.mapping_end = 0x555500010000, .mapping_offset = 0x2000, .mapping_flags = 5,
	.trail = {
		{ .nr = 0, .arch = AUDIT_X86_64, .n_args = 3, .args = { 8, 0x7f00, 4096 } },
		{ .nr = 1, .arch = AUDIT_X86_64, .n_args = 1, .args = { 2 } },
	},
	.n_trail = 2,
};

static void fault_full(struct print *p)
{
	print_open(p, "incident");
	view_incident(p, &fault);
	print_close(p);
}

TEST(view_incident_show)
{
	check_both(fault_full, "view_fault_full");
}

TEST(view_incident_reasons)
{
	struct incident i = { .sensor = SELFHEAL_SENSOR_EXEC, .target = "/bin/sh" };
	char text[PATH_LEN + 64];

	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "tried to execute /bin/sh");
	i.sensor = SELFHEAL_SENSOR_SYSCALL;
	i.syscall_nr = 101;
	i.syscall_arch = AUDIT_X86_64;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "called ptrace, which its policy says it never does");
	i.sensor = SELFHEAL_SENSOR_MANUAL;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "a controller froze the domain");
	i.sensor = SELFHEAL_SENSOR_OVERFLOW;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "the quarantine was full");
	i.sensor = SELFHEAL_SENSOR_TAMPER;
	strcpy(i.target, "init_module");
	i.pid = 7;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "reached for init_module");
	/* Of no task: the watch over the hooks. */
	i.pid = 0;
	strcpy(i.target, "pipe_write");
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "lost the hook on pipe_write");
	i.sensor = 99;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "sensor 99");
	i.sensor = SELFHEAL_SENSOR_FAULT;
	i.signal = SIGABRT;
	i.has_signal_code = true;
	i.signal_code = SI_TKILL;
	i.has_fault_address = true;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "SIGABRT: raised by the program itself");
	/* A list has no code: 0 would be "sent by kill". */
	i.has_signal_code = false;
	i.has_fault_address = false;
	i.signal_code = 0;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "SIGABRT");
	i.sensor = SELFHEAL_SENSOR_EXIT;
	incident_reason(text, sizeof(text), &i);
	CHECK_STR(text, "the last member exited, with output held for a verdict");
}

static void anonymous(struct print *p)
{
	static struct incident i;

	i = fault;
	strcpy(i.mapping_path, "[stack]");
	i.has_registers = false;
	i.n_backtrace = i.stack_len = i.n_trail = 0;
	print_open(p, "incident");
	view_incident(p, &i);
	print_close(p);
}

static void manual(struct print *p)
{
	static const struct incident i = {
		.id = 1, .domain = 5, .policy = "t", .sensor = SELFHEAL_SENSOR_MANUAL,
		.has_deadline = true, .deadline_ms = 19300, .stamp = S, .syscall_nr = -1,
	};

	print_open_list(p, "incidents", PRINT_TABLE);
	print_open(p, NULL);
	view_incident_row(p, &i);
	print_close(p);
	print_close(p);
	print_open(p, "incident");
	view_incident(p, &i);
	print_close(p);
}

/* No task brought it about, so none is shown. */
TEST(view_incident_without_a_task)
{
	char *seen = capture_one(manual, false, false);

	CHECK(strstr(seen, "SENSOR  STATE  DEADLINE  TIME                     REASON\n"));
	CHECK(strstr(seen, "manual  open   19.30 s   2026-01-01 00:00:01.000  a controller froze the domain\n"));
	CHECK(!strstr(seen, "task") && !strstr(seen, "pid"));
	free(seen);
}

/* Offsets are of files; the stack has none. */
TEST(view_incident_mapping_without_a_file)
{
	char *seen = capture_one(anonymous, false, false);

	CHECK(strstr(seen, "path    [stack]\n"));
	CHECK(!strstr(seen, "offset") && !strstr(seen, "in file"));
	free(seen);
}

static void incident_row(struct print *p)
{
	static struct incident i;

	i = fault;
	i.resolved_by = SELFHEAL_RESOLVED_BY_DEADLINE;
	i.verdict = SELFHEAL_VERDICT_KILL;
	print_open_list(p, "incidents", PRINT_TABLE);
	print_open(p, NULL);
	view_incident_row(p, &i);
	print_close(p);
	print_close(p);
}

TEST(view_incident_list)
{
	check_both(incident_row, "view_incident_row");
}

static void event(struct print *p)
{
	const struct event e = {
		.seq = 12, .type = SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, .stamp = 11 * S,
		.domain = 3, .incident = 2, .policy = "redis", .sensor = SELFHEAL_SENSOR_FAULT,
	};

	view_event(p, &e);
}

TEST(view_event_line)
{
	check_both(event, "view_event");
}

static void resolved(struct print *p)
{
	const struct event e = {
		.seq = 13, .type = SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED, .stamp = 12 * S,
		.domain = 3, .incident = 2, .policy = "redis", .sensor = SELFHEAL_SENSOR_FAULT,
		.verdict = SELFHEAL_VERDICT_KILL, .resolved_by = SELFHEAL_RESOLVED_BY_DEADLINE,
	};

	view_event(p, &e);
}

TEST(view_event_resolved_line)
{
	check_both(resolved, "view_resolved");
}

static void agent_new(struct print *p)
{
	const struct event e = { .seq = 14, .type = SELFHEAL_EVENT_TYPE_AGENT_NEW, .stamp = 12 * S };

	view_event(p, &e);
}

/* Attributes that mean nothing for the type are not shown. */
TEST(view_event_bare_line)
{
	check_both(agent_new, "view_agent_new");
}

static void tamper(struct print *p)
{
	const struct event e = {
		.seq = 15, .type = SELFHEAL_EVENT_TYPE_TAMPER, .stamp = 12 * S, .domain = 3,
		.policy = "redis", .what = "/etc/selfheal/redis.yaml", .tid = 4711, .syscall_nr = 257,
	};

	view_event(p, &e);
}

TEST(view_event_tamper_line)
{
	check_both(tamper, "view_tamper");
}

static void events_lost(struct print *p)
{
	view_events_lost(p, 12, 30);
}

TEST(view_events_lost_line)
{
	check_both(events_lost, "view_events_lost");
}

static void status(struct print *p)
{
	struct hook hooks[] = {
		{ .symbol = "get_signal", .state = SELFHEAL_HOOK_STATE_ACTIVE, .required = true,
		  .lost = "the fault sensor" },
		{ .symbol = "sock_sendpage", .state = SELFHEAL_HOOK_STATE_ABSENT, .lost = "nothing" },
	};
	struct counter counters[] = { { .name = "freezes", .value = 4, .help = "Domains frozen." } };
	const struct status s = {
		.abi = 1, .version = "0.1", .kernel = "6.12.117", .policies = 2, .domains = 1,
		.members = 5, .incidents_open = 0, .agent = 0, .event_seq = 12,
		.hooks = hooks, .n_hooks = 2, .counters = counters, .n_counters = 1,
	};

	view_status(p, &s);
}

TEST(view_status_page)
{
	check_both(status, "view_status");
}

static void held(struct print *p)
{
	uint8_t data[] = "+OK\r\n";
	struct held h = {
		.domain = 3, .seq = 9, .channel = SELFHEAL_CHANNEL_SOCKET, .object = 12345,
		.tid = 4711, .length = 5, .stamp = 11 * S, .peer = "127.0.0.1:50000",
		.has_data = true, .data = data, .data_len = 5,
	};

	print_open_list(p, "held_entries", PRINT_TABLE);
	print_open(p, NULL);
	view_held_row(p, &h);
	print_close(p);
	print_close(p);
}

TEST(view_quarantine_show)
{
	check_both(held, "view_held");
}

static void policy_full(struct print *p)
{
	struct policy_file file;
	static const char text[] =
		"policy: p\nmatch: {exe: /bin/a}\nhold: {socket: hold, ipc: deny, calls-pass: [semop], commit: {delay: 5ms}}\n"
		"sense: {fault: [SEGV], syscall: {never: [ptrace]}, tamper: freeze}\n"
		"respond: {deadline: 2s, kill-limit: 3, kill-window: 1m}\n";

	CHECK_INT(policy_parse(text, sizeof(text) - 1, &file), 0);
	free(file.policies[0].source);
	file.policies[0].source = strdup("policy: p\n");
	file.policies[0].source_len = 10;
	print_open(p, "policy");
	view_policy(p, &file.policies[0]);
	print_close(p);
	policy_file_release(&file);
}

TEST(view_policy_show)
{
	check_both(policy_full, "view_policy");
}
