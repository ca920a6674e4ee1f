// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census.h"
#include "proc.h"

#define PF_EXITING 0x4

typedef void (*each_fn)(pid_t pid, pid_t tid, void *arg);

/* Has the task the name, and will it ever run user code again? */
static bool of_family(pid_t pid, pid_t tid)
{
	unsigned long flags = 0;
	char path[64], buf[512], *open, *close, state = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	if (slurp(path, buf, sizeof(buf)) <= 0)
		return false;
	open = strchr(buf, '(');
	close = strrchr(buf, ')');
	if (!open || !close || strncmp(open + 1, CENSUS_NAME, strlen(CENSUS_NAME)))
		return false;
	if (sscanf(close + 2, "%c %*d %*d %*d %*d %*d %lu", &state, &flags) != 2)
		return false;
	return state != 'Z' && state != 'X' && !(flags & PF_EXITING);
}

static void each_task(pid_t pid, each_fn fn, void *arg)
{
	struct dirent *e;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (e = readdir(tasks))) {
		pid_t tid = atoi(e->d_name);

		if (tid > 0 && of_family(pid, tid))
			fn(pid, tid, arg);
	}
	if (tasks)
		closedir(tasks);
}

static void each(each_fn fn, void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		pid_t pid = atoi(e->d_name);

		if (pid > 0)
			each_task(pid, fn, arg);
	}
	if (proc)
		closedir(proc);
}

struct count {
	const struct domain *d;
	struct census *c;
};

static void count_one(pid_t pid, pid_t tid, void *arg)
{
	struct count *count = arg;
	unsigned int i;

	(void)pid;
	count->c->alive++;
	for (i = 0; count->d && i < count->d->listed; i++) {
		if (count->d->member[i].tid == (uint32_t)tid)
			return;
	}
	count->c->strangers++;
	count->c->stranger = tid;
}

void census_take(const struct domain *d, struct census *c)
{
	struct count count = { d, c };

	memset(c, 0, sizeof(*c));
	each(count_one, &count);
}

bool census_empty(int ms)
{
	int64_t end = now_ms() + ms;
	struct census c;

	for (;;) {
		census_take(NULL, &c);
		if (!c.alive)
			return true;
		if (now_ms() >= end)
			return false;
		pause_ms(5);
	}
}

static void kill_one(pid_t pid, pid_t tid, void *arg)
{
	(void)tid;
	(void)arg;
	kill(pid, SIGKILL);
}

bool census_kill(int ms)
{
	int64_t end = now_ms() + ms;

	/* A storm may outrun one pass. */
	do {
		each(kill_one, NULL);
		if (census_empty(20))
			return true;
	} while (now_ms() < end);
	return false;
}
