// SPDX-License-Identifier: GPL-2.0
/*
 * Core dumps: children of the member crash, each with a token as its name. The program of
 * kernel.core_pattern, which runs outside every domain, tells the name to the receiver; or the
 * file that the dump is written to has it. See guest/test_freeze_dump.c for a dump under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

#define PATTERN	"/proc/sys/kernel/core_pattern"
#define LIMIT	"/proc/sys/kernel/core_pipe_limit"

/* The machine has one pattern, so all rows share the program: by the digit that names begin with. */
static char dir[32], pattern[256], limit[16];
static unsigned int users;

/* arg: the digit. */
static int row_fifo(struct esc *x)
{
	snprintf(x->path, sizeof(x->path), "%s/fifo%d", dir, x->row->arg);
	if (mkfifo(x->path, 0600))
		return -errno;
	x->rx = open(x->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return x->rx < 0 ? -errno : 0;
}

static int make_helper(void)
{
	char path[64];
	FILE *f;

	strcpy(dir, "/tmp/selfheal.XXXXXX");
	if (!mkdtemp(dir))
		return -errno;
	snprintf(path, sizeof(path), "%s/helper", dir);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	/* A name is its row's digit, a dot, and the number of the token. */
	fprintf(f, "#!/bin/sh\nrow=${1%%%%.*}\n[ -p %s/fifo$row ] || exit 0\n"
		"printf 'escape %%s\\n' \"${1#*.}\" > %s/fifo$row\nexec cat > /dev/null\n",
		dir, dir);
	fchmod(fileno(f), 0755);
	return fclose(f) ? -errno : 0;
}

static int open_helper(struct esc *x)
{
	char ours[64];
	int err;

	if (!users) {
		err = make_helper();
		if (err || slurp(PATTERN, pattern, sizeof(pattern)) < 0 ||
		    slurp(LIMIT, limit, sizeof(limit)) < 0)
			return err ? err : -EIO;
		snprintf(ours, sizeof(ours), "|%s/helper %%e", dir);
		/* With a limit, who dumps waits for the program's end: that keeps the order. */
		if (write_file(PATTERN, ours) || write_file(LIMIT, "64"))
			return -EIO;
	}
	users++;
	return row_fifo(x);
}

static void close_helper(struct esc *x)
{
	char path[64];

	if (x->path[0])
		unlink(x->path);
	if (!users || --users)
		return;
	write_file(PATTERN, pattern);
	write_file(LIMIT, limit);
	snprintf(path, sizeof(path), "%s/helper", dir);
	unlink(path);
	rmdir(dir);
}

static int by_crash(struct esc *x, unsigned int i)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char name[16];
	int status;
	pid_t pid;

	snprintf(name, sizeof(name), "%d.%08u", x->row->arg % 10, i % 100000000);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &all);
		/* A dump of the registers alone: they are many, and the name is what is told. */
		write_file("/proc/self/coredump_filter", "0");
		prctl(PR_SET_NAME, name);
		raise(SIGABRT);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFSIGNALED(status))
		return -EFAULT;
	return WCOREDUMP(status) ? 0 : -EPERM;
}

static void allow(struct policy *p, bool hold)
{
	if (hold)
		p->flags |= SELFHEAL_POLICY_FLAG_CORE_DUMP;
}

static const struct row rows[] = {
	{ "core.helper", "core dump", ROW_DENIED, EPERM, "not dumped; the parent sees the signal",
	  .open = open_helper, .close = close_helper, .arg = 1, .attempt = by_crash },
	{ "core.allowed", "core dump", ROW_PASSED, .note = "where the policy says core-dump",
	  .open = open_helper, .close = close_helper, .arg = 2, .attempt = by_crash,
	  .policy = allow },
};

ESCAPE_MAIN(rows)
