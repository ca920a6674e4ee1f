/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an open file can be used for: which channel it belongs to when it
 * comes from outside the domain. Decided by type, device number and file
 * system, never by path. Whatever is not known is of the channel `other'.
 */
#ifndef SELFHEAL_GATE_KINDS_H
#define SELFHEAL_GATE_KINDS_H

#include <linux/types.h>

struct file;
struct inode;
struct sh_domain;
struct sh_policy;
struct task_struct;

enum sh_kind {
	SH_KIND_PLAIN,		/* harmless, or mediated when it is used */
	SH_KIND_EVENTFD,	/* harmless only when nobody outside shares it */
	SH_KIND_SOCKET,		/* puts data out past the socket taps */
	SH_KIND_DEVICE,
	SH_KIND_OTHER,
};

/*
 * A file that @task of @d, or about to be, has without having opened it there.
 * All of these: task context, under any lock. *@name says what it is, for people.
 */
enum sh_kind sh_file_kind(struct file *file, const struct sh_domain *d,
			  const struct task_struct *task, const char **name);

/* What a file that @task of @d has without having opened it reaches for, or NULL. */
const char *sh_file_reaches(struct file *file, const struct sh_domain *d,
			    const struct task_struct *task);

/* @p has no place for a file of @kind that it did not see opened. */
bool sh_kind_refused(const struct sh_policy *p, enum sh_kind kind);

/* A device node whose use is harmless, or mediated as a terminal. */
bool sh_device_harmless(const struct inode *inode);

/*
 * What @task of @d, opening @file, reaches for that is the kernel's own, or NULL. Writing
 * to the whole of a file system that steers the kernel is *@device.
 */
const char *sh_file_tampers(struct file *file, const struct sh_domain *d,
			    const struct task_struct *task, bool *device);

/*
 * What @task has open and mapped from before it is of @d, which has no
 * members but its process's yet to come: -EPERM for what the policy has no
 * place for, told in *@bad; -ENOMEM, -ENOSPC. Eventfds that others may share
 * are remembered. Task context, may sleep.
 */
struct sh_misfit {
	int fd;			/* -1: a mapping */
	const char *name;
};
int sh_admit(struct sh_domain *d, struct task_struct *task, struct sh_misfit *bad);

#endif /* SELFHEAL_GATE_KINDS_H */
