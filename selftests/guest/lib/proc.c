// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nl_event.h"
#include "proc.h"

void pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int slow_ms(int ms)
{
	static double slow;
	const char *text;

	if (!slow) {
		text = getenv("SELFHEAL_SLOW");
		slow = text ? atof(text) : 1;
		if (slow < 1)
			slow = 1;
	}
	return ms * slow;
}

ssize_t slurp(const char *path, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (have < size - 1) {
		n = read(fd, buf + have, size - 1 - have);
		if (n <= 0)
			break;
		have += n;
	}
	close(fd);
	buf[have] = '\0';
	return have;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static bool task_file(pid_t pid, pid_t tid, const char *name, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	return slurp(path, buf, size) > 0;
}

char proc_state(pid_t pid, pid_t tid)
{
	char buf[512], *end;

	if (!task_file(pid, tid, "stat", buf, sizeof(buf)))
		return 0;
	end = strrchr(buf, ')');
	return end ? end[2] : 0;
}

long proc_syscall(pid_t pid, pid_t tid)
{
	char buf[256];

	if (!task_file(pid, tid, "syscall", buf, sizeof(buf)) || buf[0] == 'r')
		return -1;
	return strtol(buf, NULL, 10);
}

bool proc_wait_state(pid_t pid, pid_t tid, char state, int ms)
{
	int64_t end = now_ms() + ms;

	while (proc_state(pid, tid) != state) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

bool proc_wait_not(pid_t pid, pid_t tid, const char *states, int ms)
{
	int64_t end = now_ms() + ms;
	char state;

	while ((state = proc_state(pid, tid)) && strchr(states, state)) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

bool proc_wait_syscall(pid_t pid, pid_t tid, long nr, int ms)
{
	int64_t end = now_ms() + ms;

	while (proc_syscall(pid, tid) != nr || proc_state(pid, tid) != 'S') {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

bool proc_status(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64], text[4096], *line;
	size_t len = strlen(name);

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (slurp(path, text, sizeof(text)) <= 0)
		return false;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, name, len) && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " \t");
			snprintf(buf, size, "%s", line);
			return true;
		}
	}
	return false;
}

long meminfo_kb(const char *name)
{
	char text[8192], *line;
	size_t len = strlen(name);

	if (slurp("/proc/meminfo", text, sizeof(text)) <= 0)
		return -1;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, name, len) && line[len] == ':')
			return strtol(line + len + 1, NULL, 10);
	}
	return -1;
}

bool file_has(const char *path, const char *needle)
{
	char line[1024];
	bool found = false;
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, needle) != NULL;
	fclose(f);
	return found;
}
