// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "growth.h"
#include "nl_event.h"
#include "proc.h"

#define SLAB "/sys/kernel/slab"
/* Looks at counts that still fall, and the time between two. */
#define LOOKS 50
#define BETWEEN_MS 100

/* Free objects of all CPUs go back: without that a cache counts them as used. */
static int shrink_all(void)
{
	DIR *dir = opendir(SLAB);
	struct dirent *entry;
	char path[sizeof(SLAB) + sizeof(entry->d_name) + 8];

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		/* Links are other names of a merged cache. */
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SLAB "/%s/shrink", entry->d_name);
		write_file(path, "1");
	}
	closedir(dir);
	return 0;
}

static bool reclaimable(const char *cache)
{
	char path[128], text[8];

	snprintf(path, sizeof(path), SLAB "/%s/reclaim_account", cache);
	return slurp(path, text, sizeof(text)) > 0 && text[0] == '1';
}

static int read_caches(struct growth *g)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[512];

	if (!file)
		return -errno;
	g->nr = 0;
	while (fgets(line, sizeof(line), file) && g->nr < GROWTH_CACHES) {
		if (sscanf(line, "%47s %ld %*d %ld %ld", g->cache[g->nr].name,
			   &g->cache[g->nr].objects, &g->cache[g->nr].size,
			   &g->cache[g->nr].per_slab) == 4 &&
		    !reclaimable(g->cache[g->nr].name))
			g->nr++;
	}
	fclose(file);
	return g->nr ? 0 : -ENODATA;
}

static int look(struct growth *g)
{
	int err;

	sync();
	write_file("/proc/sys/vm/drop_caches", "3");
	err = shrink_all();
	if (!err)
		err = read_caches(g);
	g->vmalloc = meminfo_kb("VmallocUsed");
	g->percpu = meminfo_kb("Percpu");
	g->kernel_stacks = meminfo_kb("KernelStack");
	g->page_tables = meminfo_kb("PageTables");
	return err;
}

static long bytes(const struct growth *g)
{
	long sum = (g->vmalloc + g->percpu + g->kernel_stacks + g->page_tables) * 1024;
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		sum += g->cache[i].objects * g->cache[i].size;
	return sum;
}

int growth_take(struct growth *g)
{
	static struct growth next;
	int err = look(g), i;

	/* What RCU and the kernel's workers have yet to free. */
	for (i = 0; !err && i < LOOKS; i++) {
		pause_ms(BETWEEN_MS);
		err = look(&next);
		if (err || bytes(&next) >= bytes(g))
			break;
		*g = next;
	}
	return err;
}

static long objects_of(const struct growth *g, const char *name)
{
	unsigned int i;

	for (i = 0; i < g->nr; i++) {
		if (!strcmp(g->cache[i].name, name))
			return g->cache[i].objects;
	}
	return 0;
}

static unsigned int grown_kib(const char *what, long grown, long kib, bool tell)
{
	if (grown <= kib)
		return 0;
	if (tell)
		printf("# %s has grown by %ld KiB\n", what, grown);
	return 1;
}

static unsigned int compare(const struct growth *from, const struct growth *to, long objects,
			    long kib, bool tell)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i, found = 0;
	long grown;

	for (i = 0; i < to->nr; i++) {
		grown = to->cache[i].objects - objects_of(from, to->cache[i].name);
		if (grown <= objects + cpus * to->cache[i].per_slab)
			continue;
		if (tell)
			printf("# slab cache %s has grown by %ld objects of %ld bytes\n",
			       to->cache[i].name, grown, to->cache[i].size);
		found++;
	}
	found += grown_kib("vmalloc", to->vmalloc - from->vmalloc, kib, tell);
	found += grown_kib("percpu", to->percpu - from->percpu, kib, tell);
	found += grown_kib("kernel stacks", to->kernel_stacks - from->kernel_stacks, kib, tell);
	return found + grown_kib("page tables", to->page_tables - from->page_tables, kib, tell);
}

unsigned int growth_since(const struct growth *from, long objects, long kib, int ms)
{
	int64_t end = now_ms() + ms;
	static struct growth to;
	unsigned int found;
	int err;

	do {
		err = growth_take(&to);
		if (err) {
			printf("# what the kernel has allocated cannot be read: %s\n", strerror(-err));
			return 1;
		}
		found = compare(from, &to, objects, kib, false);
	} while (found && now_ms() < end);
	return found ? compare(from, &to, objects, kib, true) : 0;
}
