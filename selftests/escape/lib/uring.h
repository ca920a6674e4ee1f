/* SPDX-License-Identifier: GPL-2.0 */
/* As little of io_uring as it takes to write a token, by bare system calls. */
#ifndef ESCAPE_URING_H
#define ESCAPE_URING_H

#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>

struct uring {
	int fd;
	unsigned int entries;
	void *ring;
	size_t ring_size;
	struct io_uring_sqe *sqes;
	_Atomic uint32_t *sq_tail, *sq_flags;
	_Atomic uint32_t *cq_head, *cq_tail;
	uint32_t *sq_array, sq_mask;
};

/* 0 or -errno. */
int uring_open(struct uring *u, unsigned int entries, uint32_t flags);
/* Keep it out of children that are forked later. */
void uring_unshare(struct uring *u);
void uring_close(struct uring *u);
/* Queue a write; with the ring's registered file 0 when fd is -1. */
void uring_queue(struct uring *u, int fd, const void *buf, unsigned int n);
/* Hand @submit entries in and wait for as many to be done: 0 or -errno. */
int uring_enter(struct uring *u, unsigned int submit);
int uring_register_file(struct uring *u, int fd);
/* Wake a polling kernel thread that has gone to sleep: 0 or -errno. */
int uring_wake(struct uring *u);

#endif
