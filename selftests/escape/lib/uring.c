// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring.h"

int uring_open(struct uring *u, unsigned int entries, uint32_t flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 2000 };
	char *ring;

	memset(u, 0, sizeof(*u));
	u->fd = syscall(SYS_io_uring_setup, entries, &p);
	if (u->fd < 0)
		return -errno;
	u->entries = p.sq_entries;
	/* Every supported kernel has both rings in one mapping. */
	u->ring_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe) +
		       p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	ring = mmap(NULL, u->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
		    IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, p.sq_entries * sizeof(*u->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED, u->fd, IORING_OFF_SQES);
	if (ring == MAP_FAILED || u->sqes == MAP_FAILED)
		return -errno;
	u->ring = ring;
	u->sq_tail = (void *)(ring + p.sq_off.tail);
	u->sq_flags = (void *)(ring + p.sq_off.flags);
	u->sq_array = (void *)(ring + p.sq_off.array);
	u->sq_mask = *(uint32_t *)(ring + p.sq_off.ring_mask);
	u->cq_head = (void *)(ring + p.cq_off.head);
	u->cq_tail = (void *)(ring + p.cq_off.tail);
	return 0;
}

void uring_unshare(struct uring *u)
{
	madvise(u->ring, u->ring_size, MADV_DONTFORK);
	madvise(u->sqes, u->entries * sizeof(*u->sqes), MADV_DONTFORK);
}

void uring_close(struct uring *u)
{
	if (u->ring) {
		munmap(u->ring, u->ring_size);
		munmap(u->sqes, u->entries * sizeof(*u->sqes));
	}
	if (u->fd > 0)
		close(u->fd);
	memset(u, 0, sizeof(*u));
}

void uring_queue(struct uring *u, int fd, const void *buf, unsigned int n)
{
	uint32_t tail = *u->sq_tail, at = tail & u->sq_mask;
	struct io_uring_sqe *sqe = &u->sqes[at];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_WRITE;
	sqe->fd = fd < 0 ? 0 : fd;
	/* Workers run at the same time; tokens are to come in order. */
	sqe->flags = IOSQE_IO_DRAIN | (fd < 0 ? IOSQE_FIXED_FILE : 0);
	sqe->addr = (uintptr_t)buf;
	sqe->len = n;
	sqe->off = -1;
	u->sq_array[at] = at;
	*u->sq_tail = tail + 1;
}

int uring_enter(struct uring *u, unsigned int submit)
{
	long ret = syscall(SYS_io_uring_enter, u->fd, submit, submit, IORING_ENTER_GETEVENTS,
			   NULL, 0);

	if (ret < 0)
		return -errno;
	*u->cq_head = *u->cq_tail;
	return (unsigned int)ret == submit ? 0 : -EIO;
}

int uring_register_file(struct uring *u, int fd)
{
	return syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_FILES, &fd, 1) ? -errno : 0;
}

int uring_wake(struct uring *u)
{
	*u->cq_head = *u->cq_tail;
	if (!(*u->sq_flags & IORING_SQ_NEED_WAKEUP))
		return 0;
	return syscall(SYS_io_uring_enter, u->fd, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0) < 0 ?
	       -errno : 0;
}
