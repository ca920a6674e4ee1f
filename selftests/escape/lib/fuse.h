/* SPDX-License-Identifier: GPL-2.0 */
/* The least FUSE server: one directory with one file "page", read page by page. */
#ifndef ESCAPE_FUSE_H
#define ESCAPE_FUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Mount at the directory: the server's descriptor, or -errno. */
int fuse_mount(const char *dir);
/*
 * Answer what can be answered at once, without waiting: 1 when a read has come, which *unique and
 * *size name; 0 when there is no more; or -errno.
 */
int fuse_serve(int fd, uint64_t *unique, uint32_t *size);
/* Answer the read. 0 or -errno. */
int fuse_give(int fd, uint64_t unique, const void *data, size_t n);

#endif
