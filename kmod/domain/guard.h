/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guarded files: what no member may change, remove or replace. By identity,
 * with the directories on the way to each, whose renaming would replace it.
 */
#ifndef SELFHEAL_DOMAIN_GUARD_H
#define SELFHEAL_DOMAIN_GUARD_H

#include <linux/types.h>

struct file;
struct inode;

enum sh_guard_kind {
	SH_GUARD_NONE,
	SH_GUARD_FILE,
	SH_GUARD_ABOVE,		/* a directory above a guarded file */
};

/* Any context but interrupts. */
enum sh_guard_kind sh_guard_look(const struct inode *inode);

/*
 * Process context, may sleep. A file that is guarded already is no error; one
 * that has taken the place of a guarded one is guarded in its stead. -EINVAL
 * for what is no regular file, -ENOSPC beyond the bound, -ETXTBSY while anybody has it open for
 * writing, errors of resolution.
 */
int sh_guard_add(const char *path);

/* The same for a controller's executable, under a bound of its own. */
int sh_guard_add_exe(struct file *exe);

/* The path of the @i-th, for people; NULL beyond the last, to be freed. -ENOMEM. */
char *sh_guard_path(unsigned int i);

void sh_guard_exit(void);

#endif /* SELFHEAL_DOMAIN_GUARD_H */
