// SPDX-License-Identifier: GPL-2.0
/* See core_keep.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core_elf.h"
#include "core_keep.h"

#define SUFFIX ".core"

/* With a verdict the processes run or die: what was read then is no image. */
static int still_open(struct ipc *ipc, uint64_t id, char *why, size_t size)
{
	struct incident *now = malloc(sizeof(*now));
	bool open = now && !ipc_incident_get(ipc, id, now) &&
		    now->resolved_by == SELFHEAL_RESOLVED_BY_NOBODY;

	free(now);
	if (!open)
		snprintf(why, size, "the incident is resolved: its process does not stand still");
	return open ? 0 : -1;
}

int core_save(struct ipc *ipc, const struct incident *incident, const char *path, char *why,
	      size_t size)
{
	int fd, err = still_open(ipc, incident->id, why, size);

	if (err)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(why, size, "cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	err = core_write(fd, incident, why, size);
	if (!err)
		err = still_open(ipc, incident->id, why, size);
	if (close(fd) && !err) {
		snprintf(why, size, "cannot write %s: %s", path, strerror(errno));
		err = -1;
	}
	if (err)
		unlink(path);
	return err;
}

static int count_cores(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t len;
	int n = 0;

	if (!d)
		return -1;
	while ((entry = readdir(d))) {
		len = strlen(entry->d_name);
		n += len > strlen(SUFFIX) && !strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX);
	}
	closedir(d);
	return n;
}

int core_keep(struct ipc *ipc, const struct incident *incident, const char *dir, char *path,
	      size_t path_size, char *why, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];
	int n;

	if (mkdir(dir, 0700) && errno != EEXIST) {
		snprintf(why, size, "cannot make %s: %s", dir, strerror(errno));
		return -1;
	}
	n = count_cores(dir);
	if (n < 0) {
		snprintf(why, size, "cannot read %s: %s", dir, strerror(errno));
		return -1;
	}
	if (n >= CORE_FILES_MAX) {
		snprintf(why, size, "%s has %d core files already; remove those that were looked at",
			 dir, n);
		return -1;
	}
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	n = snprintf(path, path_size, "%s/%s-%s-%" PRIu64 SUFFIX, dir, stamp, incident->policy,
		     incident->id);
	if (n < 0 || (size_t)n >= path_size) {
		snprintf(why, size, "the name of the directory is too long");
		return -1;
	}
	return core_save(ipc, incident, path, why, size);
}
