/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What attempts aim at where there is no channel to read from: a process
 * outside, a number that the outside can see, or a thing that the member gains.
 */
#ifndef ESCAPE_TARGET_H
#define ESCAPE_TARGET_H

#include "escape.h"

typedef void (*target_fn)(struct esc *x, int out);

/*
 * Start a process outside that runs fn, which writes tokens to out; x->rx reads
 * them, x->number[0] is its pid, x->fd[ESC_FDS - 1] its pidfd. 0 or -errno.
 */
int target_start(struct esc *x, target_fn fn);
pid_t target_pid(const struct esc *x);
int target_pidfd(const struct esc *x);
/* For row.close. */
void target_end(struct esc *x);
/* In the target: put out token n. */
void target_token(int out, unsigned int n);

/* Outside: a number that attempt i sets to i + 1. */
void esc_level(struct esc *x, int64_t level);

/* In the member: it has got what it tried for. */
void esc_gain(struct esc *x);
/* Outside: what was gained counts as arrived. */
void look_gains(struct esc *x);

/* A program beside this one: 0 or -errno. */
int tool_path(const char *name, char *path, size_t size);

/* A system call of the 32-bit ABI; pointers must be below 4 GiB. -errno. */
long int80(long nr, long a, long b, long c, long d, long e);
/* Memory that a 32-bit pointer reaches. */
void *low_memory(size_t size);

#endif
