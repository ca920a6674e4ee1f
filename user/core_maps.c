// SPDX-License-Identifier: GPL-2.0
/* See core_maps.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_maps.h"

#define HEADERS 4096	/* of a file that is mapped: its build id */

static FILE *open_text(int proc, const char *name)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

/* "start-end perms offset dev inode   path" */
static bool parse_head(const char *line, struct core_map *map)
{
	char perms[5];
	int path = 0;

	*map = (struct core_map){ 0 };
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 " %n",
		   &map->start, &map->end, perms, &map->offset, &map->inode, &path) < 5)
		return false;
	map->read = perms[0] == 'r';
	map->write = perms[1] == 'w';
	map->exec = perms[2] == 'x';
	map->shared = perms[3] == 's';
	if (path && line[path] && line[path] != '\n') {
		map->path = strdup(line + path);
		if (map->path)
			map->path[strcspn(map->path, "\n")] = '\0';
	}
	return true;
}

static int add(struct core_maps *maps, const struct core_map *map)
{
	struct core_map *grown = reallocarray(maps->v, maps->n + 1, sizeof(*grown));

	if (!grown) {
		free(map->path);
		return -1;
	}
	maps->v = grown;
	maps->v[maps->n++] = *map;
	return 0;
}

int core_maps_read(int proc, struct core_maps *maps)
{
	FILE *f = open_text(proc, "smaps");
	struct core_map map;
	uint64_t kib;
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	*maps = (struct core_maps){ 0 };
	if (!f)
		return -1;
	while (!err && getline(&line, &room, f) > 0) {
		/* A field's name begins with a capital, an address does not. */
		if (sscanf(line, "Anonymous: %" SCNu64 " kB", &kib) == 1 && maps->n)
			maps->v[maps->n - 1].anonymous = kib * 1024;
		else if (!(line[0] >= 'A' && line[0] <= 'Z') && parse_head(line, &map))
			err = add(maps, &map);
	}
	if (!err && ferror(f))
		err = -1;
	free(line);
	fclose(f);
	if (err)
		core_maps_release(maps);
	return err;
}

void core_maps_release(struct core_maps *maps)
{
	size_t i;

	for (i = 0; i < maps->n; i++)
		free(maps->v[i].path);
	free(maps->v);
	*maps = (struct core_maps){ 0 };
}

uint64_t core_map_kept(const struct core_map *map)
{
	uint64_t size = map->end - map->start;

	if (!map->read)
		return map->anonymous ? size : 0;
	/* The kernel's own: [vvar] cannot be read, [vdso] is needed to unwind. */
	if (map->path && !strncmp(map->path, "[vvar", 5))
		return 0;
	if (map->path && !strcmp(map->path, "[vdso]"))
		return size;
	if (!map->inode || map->anonymous)
		return size;
	if (map->shared || map->offset)
		return 0;
	return size < HEADERS ? size : HEADERS;
}

char *core_proc_file(int proc, const char *name, size_t *size)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	size_t room = 8192;
	char *data = fd < 0 ? NULL : malloc(room);
	ssize_t got = -1;

	*size = 0;
	while (data) {
		got = read(fd, data + *size, room - 1 - *size);
		if (got <= 0)
			break;
		*size += (size_t)got;
		if (*size == room - 1)
			break;
	}
	if (fd >= 0)
		close(fd);
	if (!data || got < 0) {
		free(data);
		return NULL;
	}
	data[*size] = '\0';
	return data;
}
