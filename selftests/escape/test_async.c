// SPDX-License-Identifier: GPL-2.0
/* Output that another context may carry out: aio and io_uring. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "uring.h"

#define URING_NOTE "the ring works past the gate"

/* number[0] of the member: its aio context. */
static int prepare_aio(struct esc *x)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 64, &ctx))
		return -errno;
	x->number[0] = ctx;
	return 0;
}

static int submit(struct esc *x, struct iocb *cb)
{
	struct iocb *list[1] = { cb };
	struct io_event ev;

	if (syscall(SYS_io_submit, x->number[0], 1, list) != 1)
		return -errno;
	if (syscall(SYS_io_getevents, x->number[0], 1, 1, &ev, NULL) != 1)
		return -errno;
	return ev.res < 0 ? (int)ev.res : (uint64_t)ev.res == cb->aio_nbytes ? 0 : -EIO;
}

static int by_aio(struct esc *x, unsigned int i)
{
	char t[TOKEN];
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = x->tx,
			   .aio_buf = (uintptr_t)t, .aio_nbytes = TOKEN };

	esc_token(x, t, i, 0);
	return submit(x, &cb);
}

/* A write to a file of one's own signals an eventfd of somebody else. */
static int open_eventfd(struct esc *x)
{
	x->rx = eventfd(0, EFD_NONBLOCK);
	x->tx = dup(x->rx);
	x->fd[0] = memfd_create("own", 0);
	return x->rx < 0 || x->fd[0] < 0 ? -errno : 0;
}

static int by_notification(struct esc *x, unsigned int i)
{
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = x->fd[0],
			   .aio_buf = (uintptr_t)"x", .aio_nbytes = 1,
			   .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = x->tx };

	(void)i;
	return submit(x, &cb);
}

static void look_eventfd(struct esc *x)
{
	uint64_t n;

	if (read(x->rx, &n, sizeof(n)) == sizeof(n))
		esc_took(x, n);
}

static int open_uring_pipe(struct esc *x)
{
	struct uring u;
	struct pair p;
	int err = uring_open(&u, 1, 0);

	if (err)
		return esc_lack(x, err, "io_uring");
	uring_close(&u);
	err = pair_open(&p, x->row->kind);
	x->rx = p.rx;
	x->tx = p.tx;
	return err;
}

static struct uring ring;

static int write_by(struct uring *u, struct esc *x, int fd, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	uring_queue(u, fd, t, TOKEN);
	return uring_enter(u, 1);
}

/* A new ring for each token. */
static int by_setup(struct esc *x, unsigned int i)
{
	struct uring u;
	int err = uring_open(&u, 1, 0);

	if (err)
		return err;
	err = write_by(&u, x, x->tx, i);
	uring_close(&u);
	return err;
}

static int prepare_ring(struct esc *x)
{
	(void)x;
	return uring_open(&ring, 64, 0);
}

static int prepare_registered(struct esc *x)
{
	int err = uring_open(&ring, 64, 0);

	return err ? err : uring_register_file(&ring, x->tx);
}

static int prepare_polled(struct esc *x)
{
	int err = uring_open(&ring, 64, IORING_SETUP_SQPOLL);

	return err ? err : uring_register_file(&ring, x->tx);
}

static int by_ring(struct esc *x, unsigned int i)
{
	return write_by(&ring, x, x->row->arg ? -1 : x->tx, i);
}

/* By stores alone, as long as the kernel's thread is awake. */
static int by_polled(struct esc *x, unsigned int i)
{
	static char t[64 * TOKEN];
	char *slot = t + i % 64 * TOKEN;

	esc_token(x, slot, i, 0);
	uring_queue(&ring, -1, slot, TOKEN);
	return uring_wake(&ring);
}

/* An outsider's ring with everything queued; arg: its descriptor comes by inheritance (1) or message. */
static int open_foreign(struct esc *x)
{
	static char t[64][TOKEN];
	struct uring *u = calloc(1, sizeof(*u));
	int err = open_uring_pipe(x), sv[2];
	unsigned int i;

	if (err || !u)
		return err ? err : -ENOMEM;
	x->priv = u;
	err = uring_open(u, 64, 0);
	if (!err)
		err = uring_register_file(u, x->tx);
	if (err)
		return err;
	/* The descriptor is what this is about. */
	uring_unshare(u);
	for (i = 0; i < 64; i++) {
		token(t[i], i);
		uring_queue(u, -1, t[i], TOKEN);
	}
	close(x->tx);
	x->tx = 0;
	if (x->row->arg == 1) {
		x->fd[0] = dup(u->fd);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return -errno;
	x->number[0] = sv[0];
	x->fd[1] = sv[1];
	err = send_fd(sv[0], u->fd, 64);
	/* Newer kernels send none: that would be a cycle that nobody breaks. */
	return err ? esc_lack(x, err, "a message with a ring") : 0;
}

static void close_foreign(struct esc *x)
{
	struct uring *u = x->priv;

	if (u)
		uring_close(u);
	if (x->number[0])
		close(x->number[0]);
	if (x->number[1])
		munmap((void *)(intptr_t)x->number[1], 4096);
	free(u);
}

static int by_foreign(struct esc *x, unsigned int i)
{
	int fd = x->fd[0];
	long ret;

	(void)i;
	if (x->row->arg != 1)
		fd = recv_fd(x->fd[1]);
	if (fd < 0)
		return fd;
	ret = syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0);
	return esc_result(ret, 1);
}

/* An outsider's ring, its thread awake, mapped by inheritance: no descriptor is left of it. */
static int open_mapped(struct esc *x)
{
	struct uring *u = calloc(1, sizeof(*u));
	int err = open_uring_pipe(x);

	if (err || !u)
		return err ? err : -ENOMEM;
	x->priv = u;
	err = uring_open(u, 64, IORING_SETUP_SQPOLL);
	if (!err)
		err = uring_register_file(u, x->tx);
	if (err)
		return err;
	/* The thread's memory is ours: buffers have to be shared, too. */
	x->number[1] = (intptr_t)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	close(x->tx);
	x->tx = 0;
	return 0;
}

static int by_mapped(struct esc *x, unsigned int i)
{
	char *slot = (char *)(intptr_t)x->number[1] + i % 64 * TOKEN;

	esc_token(x, slot, i, 0);
	uring_queue(x->priv, -1, slot, TOKEN);
	return 0;
}

/* Outside, it is kept awake. */
static void look_mapped(struct esc *x)
{
	char buf[1024];
	ssize_t n;

	uring_wake(x->priv);
	while (rx_ready(x->rx, 0) && (n = read(x->rx, buf, sizeof(buf))) > 0)
		esc_take(x, buf, n);
}

#define RING_NOTE "another task drives the ring once the member has it"

static const struct row rows[] = {
	{ "pipe.aio", "aio", .kind = CH_PIPE, .prepare = prepare_aio, .attempt = by_aio },
	{ "tcp.aio", "aio", .kind = CH_TCP, .prepare = prepare_aio, .attempt = by_aio },
	{ "unix-stream.aio", "aio", .kind = CH_UNIX_STREAM, .prepare = prepare_aio,
	  .attempt = by_aio },
	{ "pty.aio", "aio", .kind = CH_PTY, .prepare = prepare_aio, .attempt = by_aio },
	{ "aio.eventfd", "aio", ROW_DENIED, EPERM, "an outsider's eventfd", .open = open_eventfd,
	  .prepare = prepare_aio, .attempt = by_notification, .look = look_eventfd },
	{ "uring.setup", "io_uring", ROW_DENIED, EPERM, URING_NOTE, .open = open_uring_pipe,
	  .kind = CH_PIPE, .attempt = by_setup },
	{ "uring.setup-tcp", "io_uring", ROW_DENIED, EPERM, URING_NOTE, .open = open_uring_pipe,
	  .kind = CH_TCP, .attempt = by_setup },
	{ "uring.before", "io_uring", ROW_REFUSED, EBUSY, URING_NOTE, .open = open_uring_pipe,
	  .kind = CH_PIPE, .prepare = prepare_ring, .attempt = by_ring },
	{ "uring.registered", "io_uring", ROW_REFUSED, EBUSY, URING_NOTE,
	  .open = open_uring_pipe, .kind = CH_TCP, .arg = 1, .prepare = prepare_registered,
	  .attempt = by_ring },
	{ "uring.sqpoll", "io_uring", ROW_REFUSED, EBUSY, URING_NOTE, .open = open_uring_pipe,
	  .kind = CH_PIPE, .prepare = prepare_polled, .attempt = by_polled,
	  .unfrozen = RING_NOTE },
	{ "uring.inherited", "io_uring", ROW_REFUSED, EPERM, URING_NOTE, .open = open_foreign,
	  .kind = CH_PIPE, .arg = 1, .max = 48, .attempt = by_foreign, .close = close_foreign,
	  .unfrozen = RING_NOTE },
	{ "uring.passed", "SCM_RIGHTS", ROW_DENIED, EPERM, URING_NOTE, .open = open_foreign,
	  .kind = CH_PIPE, .arg = 2, .max = 48, .attempt = by_foreign, .close = close_foreign },
	/* The last one: the members of rows behind it would have the mapping, too. */
	{ "uring.mapped", "io_uring", ROW_REFUSED, EPERM, URING_NOTE, .open = open_mapped,
	  .kind = CH_PIPE, .attempt = by_mapped, .look = look_mapped, .close = close_foreign,
	  .unfrozen = RING_NOTE },
};

ESCAPE_MAIN(rows)
