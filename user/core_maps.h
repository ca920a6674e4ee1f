/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc tells of a process that stands still. */
#ifndef HEALCTL_CORE_MAPS_H
#define HEALCTL_CORE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct core_map {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	uint64_t inode;		/* 0: no file behind it */
	uint64_t anonymous;	/* bytes that are the process's own */
	bool read, write, exec, shared;
	char *path;		/* or NULL */
};

struct core_maps {
	struct core_map *v;
	size_t n;
};

/* @proc: a descriptor of /proc/PID. -1 with errno. */
int core_maps_read(int proc, struct core_maps *maps);
void core_maps_release(struct core_maps *maps);
/* How much of a mapping belongs into the core, from its start. */
uint64_t core_map_kept(const struct core_map *map);

/* The content of a small file under @proc, to be freed; NULL with errno. */
char *core_proc_file(int proc, const char *name, size_t *size);

#endif
