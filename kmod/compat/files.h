/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptor tables and iterators where the two kernels differ in names. */
#ifndef SELFHEAL_COMPAT_FILES_H
#define SELFHEAL_COMPAT_FILES_H

#include <linux/fdtable.h>
#include <linux/file.h>

#include "kernel.h"

/* Take @fd out of current's table without the side effects of a close; NULL if empty. */
static inline struct file *sh_take_fd(unsigned int fd)
{
#if SH_KERNEL_6_1
	return close_fd_get_file(fd);
#else
	return file_close_fd(fd);
#endif
}

static inline struct file *sh_fd_file(struct fd f)
{
#if SH_KERNEL_6_1
	return f.file;
#else
	return fd_file(f);
#endif
}

/* files->file_lock held. */
static inline bool sh_close_on_exec(unsigned int fd, struct files_struct *files)
{
#if SH_KERNEL_6_1
	return close_on_exec(fd, files_fdtable(files));
#else
	return close_on_exec(fd, files);
#endif
}

#endif /* SELFHEAL_COMPAT_FILES_H */
