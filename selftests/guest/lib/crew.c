// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "proc.h"

static bool is_worker(const char *pid)
{
	char path[300], comm[32];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	return slurp(path, comm, sizeof(comm)) > 0 && !strncmp(comm, "kworker/", 8);
}

int crew_open(struct crew *crew)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int fd;

	crew->nr = 0;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) && crew->nr < CREW_MAX) {
		if (!isdigit(entry->d_name[0]) || !is_worker(entry->d_name))
			continue;
		fd = inject_open(atoi(entry->d_name), atoi(entry->d_name));
		if (fd >= 0)
			crew->fd[crew->nr++] = fd;
	}
	closedir(dir);
	return crew->nr ? 0 : -ENOENT;
}

void crew_close(struct crew *crew)
{
	while (crew->nr)
		close(crew->fd[--crew->nr]);
}

void crew_arm(struct sweep *s, const struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nr; i++)
		sweep_arm(s, crew->fd[i]);
}

bool crew_hit(struct sweep *s, const struct crew *crew, bool refused)
{
	long least = sweep_armed(s), left;
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		left = inject_left(crew->fd[i]);
		inject_disarm(crew->fd[i]);
		if (left >= 0 && left < least)
			least = left;
	}
	return sweep_left(s, least, refused);
}
