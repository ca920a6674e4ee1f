// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors that change while a call uses them: by dup2(2) among held objects, objects that
 * pass, files and terminals, and by close(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "race.h"

#define TEXT "0123456789abcdef"
#define LEN 16
#define FLIPPED 200		/* the descriptor's number in the member */

static int open_file(struct race *x)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", x->dir);
	return open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

/* A pipe, a stream, datagrams, a terminal, and a file. */
static int open_zoo(struct race *x)
{
	int err = race_pair(x, 0, CH_PIPE);

	if (!err)
		err = race_pair(x, 1, CH_UNIX_STREAM);
	if (!err)
		err = race_pair(x, 2, CH_UDP);
	if (!err)
		err = race_pair(x, 3, CH_PTY);
	x->fd[0] = open_file(x);
	return err ? err : x->fd[0] < 0 ? -errno : 0;
}

static void start_flipped(struct race *x)
{
	dup2(x->tx[0], FLIPPED);
}

static void flip_zoo(struct race *x, unsigned int k)
{
	unsigned int i = k % 6;

	if (i < RACE_RX)
		dup2(x->tx[i], FLIPPED);
	else if (i == RACE_RX)
		dup2(x->fd[0], FLIPPED);
	else
		close(FLIPPED);
}

static long by_write(struct race *x, unsigned int i)
{
	(void)x;
	(void)i;
	return race_result(write(FLIPPED, TEXT, LEN));
}

static long by_sendmsg(struct race *x, unsigned int i)
{
	struct iovec iov[2] = { { TEXT, 5 }, { TEXT + 5, LEN - 5 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	(void)x;
	(void)i;
	return race_result(sendmsg(FLIPPED, &m, MSG_NOSIGNAL));
}

static long by_writev(struct race *x, unsigned int i)
{
	struct iovec iov[2] = { { TEXT, 5 }, { TEXT + 5, LEN - 5 } };

	(void)x;
	(void)i;
	return race_result(writev(FLIPPED, iov, 2));
}

/* A request for aio, in x->shared: descriptor, buffer, length and kind change. */
struct request {
	struct iocb cb;
	struct iovec iov[2];
	char text[LEN];
};

static struct request *request(const struct race *x)
{
	return (struct request *)x->shared;
}

static aio_context_t context;

static void start_aio(struct race *x)
{
	struct request *r = request(x);

	memcpy(r->text, TEXT, LEN);
	r->iov[0] = (struct iovec){ r->text, 3 };
	r->iov[1] = (struct iovec){ r->text, 4 };
	r->cb = (struct iocb){ .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = x->tx[0],
			       .aio_buf = (uintptr_t)r->text, .aio_nbytes = LEN };
	start_flipped(x);
	if (syscall(SYS_io_setup, 8, &context))
		_exit(3);
}

static void flip_request(struct race *x, unsigned int k)
{
	struct request *r = request(x);
	volatile struct iocb *cb = &r->cb;
	volatile struct iovec *iov = r->iov;
	unsigned int i = k % 6;

	/* Half of the time the number stays and what it names changes. */
	if (k & 8)
		cb->aio_fildes = i < RACE_RX ? x->tx[i] : i == RACE_RX ? x->fd[0] : 9999;
	else
		cb->aio_fildes = FLIPPED;
	flip_zoo(x, k);
	iov[1].iov_len = k % LEN;
	if (k % 3) {
		cb->aio_lio_opcode = IOCB_CMD_PWRITE;
		cb->aio_buf = (uintptr_t)r->text;
		cb->aio_nbytes = 1 + k % LEN;
	} else {
		cb->aio_lio_opcode = IOCB_CMD_PWRITEV;
		cb->aio_buf = (uintptr_t)r->iov;
		cb->aio_nbytes = 2;
	}
}

static long by_aio(struct race *x, unsigned int i)
{
	struct iocb *list[1] = { &request(x)->cb };
	struct io_event ev;

	(void)i;
	if (syscall(SYS_io_submit, context, 1, list) != 1)
		return -errno;
	if (syscall(SYS_io_getevents, context, 1, 1, &ev, NULL) != 1)
		return -errno;
	return ev.res;
}

/* A pipe, or the file. */
static void flip_two(struct race *x, unsigned int k)
{
	dup2(k & 1 ? x->tx[0] : x->fd[0], FLIPPED);
}

/* It was the pipe when it was looked at, and nothing came there of an unprotected write. */
static bool fooled_by_descriptor(struct race *x, unsigned int i)
{
	struct stat seen;
	char buf[LEN];

	(void)i;
	if (fstat(FLIPPED, &seen) || write(FLIPPED, TEXT, LEN) != LEN)
		return false;
	return read(x->rx[0], buf, LEN) != LEN && S_ISFIFO(seen.st_mode);
}

/* What was reported was held, or is in the file. */
static bool check_file(struct race *x)
{
	struct domain d;
	struct stat st;
	char path[128];
	uint64_t said = x->r.kid.page->count[RACE_BYTES];

	snprintf(path, sizeof(path), "%s/file", x->dir);
	if (stat(path, &st) || domain_get(&x->r.c, x->r.dom, &d))
		return race_fail(x, "no file or no domain");
	if (said == d.held_total + st.st_size)
		return true;
	return race_escape(x, "%llu bytes reported, %llu held, %llu in the file",
			   (unsigned long long)said, (unsigned long long)d.held_total,
			   (unsigned long long)st.st_size);
}

/* A socket that passes against a pipe that is held. */
static int open_pass(struct race *x)
{
	struct pair p;
	int err = race_pair(x, 0, CH_PIPE);

	if (!err)
		err = pair_open(&p, CH_UNIX_DGRAM);
	x->fd[0] = p.tx;
	x->fd[1] = p.rx;
	return err ? err : fcntl(p.tx, F_SETFL, O_NONBLOCK);
}

static void pass_sockets(struct policy *p)
{
	p->hold_socket = SELFHEAL_CHANNEL_ACTION_PASS;
}

static void flip_pass(struct race *x, unsigned int k)
{
	dup2(k & 1 ? x->tx[0] : x->fd[0], FLIPPED);
}

/*
 * What is held of the socket's was on its way when a freeze came, or comes after such. It
 * waits for room in the socket: unread it fills the quarantine, and the worker waits for ever.
 */
static void drain_pass(struct race *x)
{
	char buf[64];
	ssize_t n;

	while ((n = recv(x->fd[1], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		x->passed += n;
}

static bool check_pass(struct race *x)
{
	uint64_t said = x->r.kid.page->count[RACE_BYTES];
	int64_t end = now_ms() + BOUND;

	/* The last ones are still on their way. */
	for (;;) {
		drain_pass(x);
		if (said <= x->came + x->passed || now_ms() >= end)
			break;
		pause_ms(2);
	}
	return said == x->came + x->passed ||
	       race_escape(x, "%llu bytes reported, %llu came of the held, %llu passed",
			   (unsigned long long)said, (unsigned long long)x->came,
			   (unsigned long long)x->passed);
}

/* sendfile(2) and a descriptor that is a pipe, a socket or a file by turns. */
static int open_sendfile(struct race *x)
{
	int err = open_zoo(x);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/source", x->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (err || fd < 0 || write(fd, TEXT, LEN) != LEN)
		return err ? err : -errno;
	x->fd[1] = fd;
	return 0;
}

static long by_sendfile(struct race *x, unsigned int i)
{
	off_t zero = 0;

	(void)i;
	/* Into a file opened for appending it fails: then the others are to be met. */
	return race_result(sendfile(FLIPPED, x->fd[1], &zero, LEN));
}

#define RACED(name_, channel_, open_, attempt_, flip_, note_)				\
	.row = name_, .channel = channel_, .open = open_, .attempt = attempt_,		\
	.flip = flip_, .prepare = start_flipped, .flippers = BY_THREAD | BY_VM, .note = note_

static const struct race_case cases[] = {
	{ .row = "race.control.descriptor", .open = open_zoo, .prepare = start_flipped,
	  .flip = flip_two, .fooled = fooled_by_descriptor },
	{ RACED("race.dup2.held", "pipe", open_zoo, by_write, flip_zoo,
		"the descriptor is a pipe, socket, terminal, file or closed by turns"),
	  .check = check_file },
	{ RACED("race.dup2.writev", "pipe", open_zoo, by_writev, flip_zoo,
		"the same, by a vector"),
	  .check = check_file },
	{ RACED("race.dup2.sendmsg", "unix", open_zoo, by_sendmsg, flip_zoo,
		"the same, by a message"),
	  .check = check_file },
	{ .row = "race.aio.request", .channel = "aio", .open = open_zoo, .attempt = by_aio,
	  .prepare = start_aio, .flip = flip_request, .flippers = BY_THREAD | BY_VM,
	  .note = "the request, what it points to and its descriptor change",
	  .check = check_file,
	  .covers = "pipe.aio tcp.aio unix-stream.aio pty.aio i386.aio" },
	{ RACED("race.dup2.passed", "pipe", open_pass, by_write, flip_pass,
		"the descriptor is a held pipe and a socket that passes by turns"),
	  .policy = pass_sockets, .only = SELFHEAL_CHANNEL_PIPE, .drain = drain_pass,
	  .check = check_pass },
	{ RACED("race.dup2.sendfile", "sendfile", open_sendfile, by_sendfile, flip_zoo,
		"sendfile to a descriptor that changes"),
	  .check = check_file,
	  .covers = "tcp.sendfile unix-stream.sendfile udp.sendfile pty.sendfile ktls.sendfile" },
};

RACE_MAIN(cases)
