/* SPDX-License-Identifier: GPL-2.0 */
/* An xarray by its interface: pointers by number, iterated in order. */
#ifndef SELFHEAL_SHIM_XARRAY_H
#define SELFHEAL_SHIM_XARRAY_H

#include "shim_sync.h"

#define SHIM_XARRAY_MAX	4096

struct xarray {
	spinlock_t lock;
	void *entry[SHIM_XARRAY_MAX];
};

#define DEFINE_XARRAY(name)	struct xarray name = { .lock = SHIM_LOCK_INIT }
#define XA_PRESENT		8u
#define xa_lock(xa)		spin_lock(&(xa)->lock)
#define xa_unlock(xa)		spin_unlock(&(xa)->lock)

static inline void *xa_find(struct xarray *xa, unsigned long *i, unsigned long max, unsigned int f)
{
	unsigned long k;

	for (k = *i; k < SHIM_XARRAY_MAX && k <= max; k++) {
		if (xa->entry[k]) {
			*i = k;
			return xa->entry[k];
		}
	}
	return NULL;
}

static inline void *xa_find_after(struct xarray *xa, unsigned long *i, unsigned long max,
				  unsigned int f)
{
	(*i)++;
	return xa_find(xa, i, max, f);
}

#define xa_for_each(xa, i, p)							\
	for (i = 0, p = xa_find(xa, &i, ULONG_MAX, XA_PRESENT); p;		\
	     p = xa_find_after(xa, &i, ULONG_MAX, XA_PRESENT))

/* The old entry, or an error: -ENOMEM when a test asks for it. */
void *xa_store(struct xarray *xa, unsigned long i, void *p, unsigned int gfp);
void *xa_erase(struct xarray *xa, unsigned long i);

static inline int xa_err(void *p)
{
	return (unsigned long)p >= (unsigned long)-4095 ? (int)(long)p : 0;
}

static inline void xa_destroy(struct xarray *xa)
{
	memset(xa->entry, 0, sizeof(xa->entry));
}

#endif
