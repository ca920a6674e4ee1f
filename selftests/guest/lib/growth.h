/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel has allocated for keeps: each slab cache that it cannot
 * shrink at will, after the free objects that CPUs keep have been given back,
 * and what else /proc/meminfo counts exactly. All objects of the one slab that
 * a CPU has begun since count as used: a cache is known to a slab for each CPU.
 */
#ifndef GUEST_GROWTH_H
#define GUEST_GROWTH_H

#include <stdbool.h>

#define GROWTH_CACHES 512

struct growth {
	unsigned int nr;
	struct {
		char name[48];
		long objects, size, per_slab;	/* number, bytes of one, number in a slab */
	} cache[GROWTH_CACHES];
	long vmalloc, percpu, kernel_stacks, page_tables;	/* KiB */
};

/* Wait, with a bound, until the counts fall no more, and take them: 0 or -errno. */
int growth_take(struct growth *g);

/*
 * What has grown since @from by more than @objects in a cache, and what is not
 * known of it, or by more than @kib of the rest: printed, counted. Looked at
 * again for up to @ms as long as anything has: RCU and the kernel's workers may
 * have yet to free it.
 */
unsigned int growth_since(const struct growth *from, long objects, long kib, int ms);

#endif
