// SPDX-License-Identifier: GPL-2.0
/*
 * Who looks at a member from outside sees what he would see without us: strace, the system call
 * tracepoints and the audit trail of a fixed program are the same with and without a domain
 * that holds its output.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "audit.h"
#include "record.h"
#include "rig.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/selfheal-fidelity"
/* The program makes more calls than that in each process that is looked at. */
#define LINES_MIN 100

FIXTURE(trace)
{
	struct rig r;
	struct record without, within;
	char tool[PATH_MAX], dir[64];
};

static void remove_dir(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

FIXTURE_SETUP(trace)
{
	char exe[PATH_MAX] = "";

	ASSERT_LT(0, readlink("/proc/self/exe", exe, sizeof(exe) - 1));
	snprintf(self->tool, sizeof(self->tool), "%.4000s/tool_fixed", dirname(exe));
	strcpy(self->dir, "/tmp/selfheal.trace.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	/* Process ids that no other number is taken for. */
	ASSERT_EQ(0, write_file("/proc/sys/kernel/ns_last_pid", "30000"));
	record_init(&self->without);
	record_init(&self->within);
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
}

FIXTURE_TEARDOWN(trace)
{
	EXPECT_TRUE(rig_close(&self->r));
	remove_dir(self->dir);
	record_free(&self->without);
	record_free(&self->within);
}

static void exec_tool(struct page *page, void *arg)
{
	(void)page;
	personality(ADDR_NO_RANDOMIZE);
	/* A failure shows as its exit status. */
	execl(arg, "fixed", NULL);
	_exit(127);
}

/* The child that will become the program, before its first call. */
static bool prepare(struct rig *r, char *tool, bool domain)
{
	if (child_start(&r->kid, exec_tool, tool))
		return false;
	return !domain || !domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom);
}

/* It ran to its end; in a domain its output was held, else this compares nothing. */
static bool finish(struct rig *r, bool domain)
{
	struct domain d = { 0 };
	struct event ev;

	if (!child_exited(&r->kid, BOUND, 0)) {
		printf("# the program ended with %#x\n", r->kid.status);
		return false;
	}
	child_end(&r->kid);
	if (!domain)
		return true;
	return nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, &ev) &&
	       domain_get(&r->c, r->dom, &d) == -ENOENT;
}

static pid_t strace(pid_t pid, const char *dir)
{
	char out[128], who[16];
	pid_t tracer = fork();

	if (tracer)
		return tracer;
	snprintf(out, sizeof(out), "%s/t", dir);
	snprintf(who, sizeof(who), "%d", pid);
	execlp("strace", "strace", "-q", "-ff", "-o", out, "-p", who, NULL);
	_exit(127);
}

static bool wait_traced(pid_t pid, int ms)
{
	int64_t end = now_ms() + ms;
	char value[32];

	while (!proc_status(pid, "TracerPid", value, sizeof(value)) || atoi(value) == 0) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	return true;
}

/* Process ids in the order of their birth; they do not wrap in a test. */
static void list_pids(struct record *rec, const char *dir)
{
	pid_t pid[RECORD_PIDS];
	int n = 0, i, j;
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d)) && n < RECORD_PIDS) {
		if (strncmp(e->d_name, "t.", 2))
			continue;
		pid[n++] = atoi(e->d_name + 2);
		for (i = n - 1; i > 0 && pid[i] < pid[i - 1]; i--) {
			j = pid[i];
			pid[i] = pid[i - 1];
			pid[i - 1] = j;
		}
	}
	if (d)
		closedir(d);
	for (i = 0; i < n; i++)
		record_pid(rec, pid[i]);
}

/* What came before the program's exec is the test's own. */
static void read_strace(struct record *rec, const char *dir)
{
	char path[512], line[4096];
	unsigned int i;
	bool begun;
	FILE *f;

	list_pids(rec, dir);
	for (i = 0; i < rec->pids; i++) {
		snprintf(path, sizeof(path), "%s/t.%d", dir, rec->pid[i]);
		f = fopen(path, "re");
		begun = i > 0;
		while (f && fgets(line, sizeof(line), f)) {
			begun = begun || !strncmp(line, "execve(", 7);
			if (begun)
				record_line(rec, i, line);
		}
		if (f)
			fclose(f);
		unlink(path);
	}
}

static bool strace_run(struct rig *r, char *tool, const char *dir, bool domain,
		       struct record *rec)
{
	pid_t tracer;
	int status;

	if (!prepare(r, tool, domain))
		return false;
	tracer = strace(r->kid.pid, dir);
	if (!wait_traced(r->kid.pid, BOUND))
		return false;
	page_go(r->kid.page, 1);
	if (!finish(r, domain))
		return false;
	if (waitpid(tracer, &status, 0) != tracer || status)
		return false;
	read_strace(rec, dir);
	return true;
}

/* strace itself loses a program whose exec it meets too early ("Stray PTRACE_EVENT_EXEC"). */
static bool strace_whole(struct rig *r, char *tool, const char *dir, bool domain,
			 struct record *rec)
{
	unsigned int tries = 0;

	do {
		memset(rec, 0, sizeof(*rec));
		if (!strace_run(r, tool, dir, domain, rec))
			return false;
	} while (rec->lines <= LINES_MIN && ++tries < 5);
	return true;
}

TEST_F(trace, strace_is_the_same)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(strace_whole(r, self->tool, self->dir, false, &self->without));
	ASSERT_TRUE(strace_whole(r, self->tool, self->dir, true, &self->within));
	/* The program, two forks, a vfork, a thread. */
	EXPECT_EQ(5, self->without.pids);
	EXPECT_LT(LINES_MIN, self->without.lines);
	EXPECT_TRUE(record_same(&self->without, &self->within));
	TH_LOG("%u lines of strace of %u tasks", self->within.lines, self->within.pids);
}

static bool tracing(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", INSTANCE, file);
	return !write_file(path, text);
}

static bool tracing_on(pid_t pid)
{
	int fd = open(INSTANCE "/trace", O_WRONLY | O_TRUNC);
	char who[16];

	close(fd);
	snprintf(who, sizeof(who), "%d", pid);
	return fd >= 0 && tracing("options/event-fork", "1") &&
	       tracing("set_event_pid", who) && tracing("events/raw_syscalls/enable", "1") &&
	       tracing("tracing_on", "1");
}

/* A result that is an address differs from run to run. */
static bool trace_event(char *line, pid_t *pid, char *out, size_t size)
{
	char *at = strstr(line, ": sys_"), *dash, *nr, *ret;

	if (line[0] == '#' || !at)
		return false;
	for (dash = line + 16; *dash && *dash != '-'; dash++)
		;
	*pid = atoi(dash + 1);
	nr = strstr(at, "NR ");
	if (!nr)
		return false;
	if (!strncmp(at, ": sys_enter", 11)) {
		snprintf(out, size, "enter %ld", strtol(nr + 3, NULL, 10));
		return true;
	}
	ret = strstr(nr, " = ");
	if (!ret)
		return false;
	if (strtoll(ret + 3, NULL, 0) > 1 << 24)
		snprintf(out, size, "exit %ld = 0x0", strtol(nr + 3, NULL, 10));
	else
		snprintf(out, size, "exit %ld = %ld", strtol(nr + 3, NULL, 10),
			 strtol(ret + 3, NULL, 10));
	return true;
}

/* Task by task, as the tasks' own lists do not depend on the scheduler. */
static void read_task(struct record *rec, int who)
{
	char line[1024], event[128];
	bool begun = who > 0;
	pid_t pid;
	FILE *f;

	f = fopen(INSTANCE "/trace", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!trace_event(line, &pid, event, sizeof(event)))
			continue;
		if (who < 0)
			record_pid(rec, pid);
		if (who < 0 || pid != rec->pid[who])
			continue;
		begun = begun || !strcmp(event, "enter 59");
		if (begun)
			record_line(rec, who, event);
	}
	if (f)
		fclose(f);
}

static void read_trace(struct record *rec, pid_t first)
{
	unsigned int i;

	record_pid(rec, first);
	read_task(rec, -1);
	for (i = 0; i < rec->pids; i++)
		read_task(rec, i);
}

static bool tracepoint_run(struct rig *r, char *tool, bool domain, struct record *rec)
{
	pid_t pid;

	if (!prepare(r, tool, domain))
		return false;
	pid = r->kid.pid;
	if (!tracing_on(pid))
		return false;
	page_go(r->kid.page, 1);
	if (!finish(r, domain) || !tracing("tracing_on", "0"))
		return false;
	read_trace(rec, pid);
	return tracing("events/raw_syscalls/enable", "0");
}

TEST_F(trace, tracepoints_are_the_same)
{
	struct rig *r = &self->r;

	if (access(TRACEFS "/instances", F_OK))
		SKIP(return, "no tracefs at " TRACEFS);
	ASSERT_TRUE(!mkdir(INSTANCE, 0700) || errno == EEXIST);
	EXPECT_TRUE(tracepoint_run(r, self->tool, false, &self->without));
	EXPECT_TRUE(tracepoint_run(r, self->tool, true, &self->within));
	rmdir(INSTANCE);
	EXPECT_EQ(5, self->without.pids);
	EXPECT_LT(2 * LINES_MIN, self->without.lines);
	EXPECT_TRUE(record_same(&self->without, &self->within));
	TH_LOG("%u events of %u tasks", self->within.lines, self->within.pids);
}

static bool audit_run(struct rig *r, struct audit *a, char *tool, bool domain,
		      struct record *rec)
{
	pid_t pid;

	if (!prepare(r, tool, domain))
		return false;
	pid = r->kid.pid;
	record_pid(rec, pid);
	if (audit_watch(a, pid))
		return false;
	page_go(r->kid.page, 1);
	if (!finish(r, domain))
		return false;
	/* The last record is that of exec or of the last call before exit_group(2). */
	return !audit_collect(a, pid, rec) && !audit_unwatch(a, pid);
}

TEST_F(trace, audit_is_the_same)
{
	struct rig *r = &self->r;
	struct audit a;
	int err;

	err = audit_open(&a);
	if (err == -EPROTONOSUPPORT)
		SKIP(return, "no audit in this kernel");
	ASSERT_EQ(0, err);
	EXPECT_TRUE(audit_run(r, &a, self->tool, false, &self->without));
	EXPECT_TRUE(audit_run(r, &a, self->tool, true, &self->within));
	EXPECT_EQ(0, audit_close(&a));
	EXPECT_LT(LINES_MIN, self->without.lines);
	EXPECT_TRUE(record_same(&self->without, &self->within));
	TH_LOG("%u audit records", self->within.lines);
}

GUEST_MAIN
