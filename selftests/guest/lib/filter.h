/* SPDX-License-Identifier: GPL-2.0 */
/* A seccomp filter of one rule, and the supervisor's side of its notifications. */
#ifndef GUEST_FILTER_H
#define GUEST_FILTER_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * From now on the calling thread's call @nr gets @action; with @fd >= 0 only when that is its
 * first argument. 0, a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER in @flags), or -errno.
 */
int filter_install(long nr, int fd, uint32_t action, unsigned int flags);

/* The next notification, within the bound. */
bool notif_next(int listener, struct seccomp_notif *n, int ms);
/* Answer it: 0 or -errno. */
int notif_answer(int listener, uint64_t id, int64_t val, int error, uint32_t flags);
/* Give the caller our descriptor as the result of its call: the number there, or -errno. */
int notif_addfd(int listener, uint64_t id, int fd);
/* The descriptor @fd of another process. */
int fd_of(int pidfd, int fd);

#endif
