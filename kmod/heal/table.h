/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptors of a process as they were at a rescue point: which number
 * named which open file, with the position in it. The files stay open until
 * the table is freed, so a close() since then takes effect with it.
 */
#ifndef SELFHEAL_HEAL_TABLE_H
#define SELFHEAL_HEAL_TABLE_H

#include <linux/types.h>

struct file;

struct sh_slot {
	struct file *file;		/* reference */
	loff_t pos;			/* regular files */
	unsigned int fd;
	unsigned int flags;		/* those that F_SETFL changes and we put back */
	bool cloexec;
};

struct sh_table {
	unsigned int nr;
	struct sh_slot slot[];		/* by number */
};

/* The first slot of @file, NULL for none; and whether @fd names it. */
const struct sh_slot *sh_table_find(const struct sh_table *t, const struct file *file);
bool sh_table_has(const struct sh_table *t, unsigned int fd, const struct file *file);

/* Current's descriptors; NULL for want of memory. Process context, may sleep. */
struct sh_table *sh_table_take(void);

/*
 * Make current's descriptors those of @t again: what was opened since is
 * closed, what was closed or replaced is back under its number. The table of
 * the process itself stays, and with it its POSIX locks. 0, or what dup2(2)
 * would say. Current shares its table with nobody and is inside no call that
 * uses a descriptor. Process context, may sleep.
 */
int sh_table_restore(const struct sh_table *t);

/*
 * Tell whoever polls an open file of @t to look again: an edge that epoll told
 * a thread since the point has been forgotten with what the thread did about
 * it. Who waits for something that is not there goes on waiting. Process
 * context, may sleep.
 */
void sh_table_stir(const struct sh_table *t);

/* Process context. True when a delayed close is due: run the task's work. */
bool sh_table_free(struct sh_table *t);

#endif /* SELFHEAL_HEAL_TABLE_H */
