// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stall_object.h"
#include "target.h"

#define HALF 64
#define I386_SOCKETCALL 102
#define I386_SEND 9

struct stall_aside *stall_aside(const struct race *x)
{
	return (struct stall_aside *)((struct stall *)x->priv)->mem;
}

char *stall_place(const struct race *x, const struct stall_object *o)
{
	return ((struct stall *)x->priv)->mem + STALL_PAGE - o->split;
}

static void compose_data(struct race *x, void *to)
{
	(void)x;
	memset(to, 'A', HALF);
	memset((char *)to + HALF, 'B', HALF);
}

static long call_write(struct race *x, void *at)
{
	(void)x;
	return race_result(write(STALL_FD, at, 2 * HALF));
}

static void compose_vector(struct race *x, void *to)
{
	struct iovec iov[2] = { { stall_aside(x)->buf[0], 100 }, { stall_aside(x)->buf[1], 50 } };

	memcpy(to, iov, sizeof(iov));
}

static long call_writev(struct race *x, void *at)
{
	(void)x;
	return race_result(writev(STALL_FD, at, 2));
}

static struct msghdr message(struct race *x)
{
	struct stall_aside *a = stall_aside(x);

	a->iov[0] = (struct iovec){ a->buf[0], 30 };
	a->iov[1] = (struct iovec){ a->buf[1], 20 };
	return (struct msghdr){ .msg_iov = a->iov, .msg_iovlen = 2 };
}

static void compose_header(struct race *x, void *to)
{
	struct msghdr m = message(x);

	m.msg_name = &stall_aside(x)->name[0];
	m.msg_namelen = sizeof(stall_aside(x)->name[0]);
	memcpy(to, &m, sizeof(m));
}

static long call_sendmsg(struct race *x, void *at)
{
	(void)x;
	return race_result(sendmsg(STALL_FD, at, MSG_NOSIGNAL));
}

static void compose_name(struct race *x, void *to)
{
	memcpy(to, &stall_aside(x)->name[0], sizeof(struct sockaddr_in));
	stall_aside(x)->msg = message(x);
	stall_aside(x)->msg.msg_name = stall_place(x, &stall_name);
	stall_aside(x)->msg.msg_namelen = sizeof(struct sockaddr_in);
}

static long call_aside(struct race *x, void *at)
{
	(void)at;
	return race_result(sendmsg(STALL_FD, &stall_aside(x)->msg, MSG_NOSIGNAL));
}

static void compose_control(struct race *x, void *to)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
	struct cmsghdr *c = (struct cmsghdr *)control;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &x->fd[0], sizeof(int));
	memcpy(to, control, sizeof(control));
	stall_aside(x)->msg = message(x);
	stall_aside(x)->msg.msg_control = stall_place(x, &stall_control);
	stall_aside(x)->msg.msg_controllen = sizeof(control);
}

static void compose_many(struct race *x, void *to)
{
	struct mmsghdr many[2] = { { .msg_hdr = message(x) }, { .msg_hdr = message(x) } };

	memcpy(to, many, sizeof(many));
}

/* The kernel writes the lengths back, into what may not be written to. */
static long call_sendmmsg(struct race *x, void *at)
{
	int n = sendmmsg(STALL_FD, at, 2, MSG_NOSIGNAL);

	(void)x;
	return n < 0 ? -errno : 0;
}

static void compose_arguments(struct race *x, void *to)
{
	uint32_t args[4] = { STALL_FD, (uintptr_t)stall_aside(x)->buf[0], 40, 0 };

	memcpy(to, args, sizeof(args));
}

static long call_socketcall(struct race *x, void *at)
{
	(void)x;
	return int80(I386_SOCKETCALL, I386_SEND, (uintptr_t)at, 0, 0, 0);
}

static void compose_request(struct race *x, void *to)
{
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = STALL_FD,
			   .aio_buf = (uintptr_t)stall_aside(x)->buf[0], .aio_nbytes = 40 };

	memcpy(to, &cb, sizeof(cb));
}

static long call_submit(struct race *x, void *at)
{
	struct iocb *list[1] = { at };
	struct io_event ev;

	if (!stall_aside(x)->context && syscall(SYS_io_setup, 8, &stall_aside(x)->context))
		return -errno;
	if (syscall(SYS_io_submit, stall_aside(x)->context, 1, list) != 1 ||
	    syscall(SYS_io_getevents, stall_aside(x)->context, 1, 1, &ev, NULL) != 1)
		return -errno;
	return ev.res;
}

/* The last letter is on the other page: '0', a file of ours, or '1', a device. */
static void compose_path(struct race *x, void *to)
{
	snprintf(to, stall_path.size, "%.25s/%u", x->dir, x->r.kid.page->go & 1);
}

static long call_open(struct race *x, void *at)
{
	int fd = open(at, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		x->r.kid.page->count[STALL_GAINED]++;
	close(fd);
	return 0;
}

/* From the beginning of fd[0]. */
static void compose_offset(struct race *x, void *to)
{
	(void)x;
	memset(to, 0, sizeof(off_t));
}

static long call_sendfile(struct race *x, void *at)
{
	return race_result(sendfile(STALL_FD, x->fd[0], at, 2 * HALF));
}

/* A write that stalls before the pipe has it, and pages behind it. */
static long call_both(struct race *x, void *at)
{
	long n = call_writev(x, at), more;
	off_t from = 0;

	more = n < 0 ? n : race_result(sendfile(STALL_FD, x->fd[0], &from, 2 * HALF));
	return more < 0 ? more : n + more;
}

const struct stall_object stall_data = {
	.nr = SYS_write,
	.size = 2 * HALF,
	.split = HALF,
	.compose = compose_data,
	.call = call_write,
};

const struct stall_object stall_vector = {
	.nr = SYS_writev,
	.size = 2 * sizeof(struct iovec),
	.split = sizeof(struct iovec),
	.compose = compose_vector,
	.call = call_writev,
};

const struct stall_object stall_header = {
	.nr = SYS_sendmsg,
	.size = sizeof(struct msghdr),
	.split = 16,
	.compose = compose_header,
	.call = call_sendmsg,
};

const struct stall_object stall_name = {
	.nr = SYS_sendmsg,
	.size = sizeof(struct sockaddr_in),
	.split = 4,
	.compose = compose_name,
	.call = call_aside,
};

const struct stall_object stall_control = {
	.nr = SYS_sendmsg,
	.size = CMSG_SPACE(sizeof(int)),
	.split = CMSG_LEN(0),
	.compose = compose_control,
	.call = call_aside,
};

const struct stall_object stall_many = {
	.nr = SYS_sendmmsg,
	.size = 2 * sizeof(struct mmsghdr),
	.split = sizeof(struct mmsghdr),
	.compose = compose_many,
	.call = call_sendmmsg,
};

const struct stall_object stall_arguments = {
	.nr = I386_SOCKETCALL,
	.size = 16,
	.split = 4,
	.compose = compose_arguments,
	.call = call_socketcall,
};

const struct stall_object stall_request = {
	.nr = SYS_io_submit,
	.size = sizeof(struct iocb),
	.split = 16,
	.compose = compose_request,
	.call = call_submit,
};

const struct stall_object stall_path = {
	.nr = SYS_openat,
	.size = 28,
	.split = 26,
	.compose = compose_path,
	.call = call_open,
};

const struct stall_object stall_offset = {
	.nr = SYS_sendfile,
	.size = sizeof(off_t),
	.split = 4,
	.compose = compose_offset,
	.call = call_sendfile,
};

const struct stall_object stall_behind = {
	.nr = SYS_writev,
	.size = 2 * sizeof(struct iovec),
	.split = sizeof(struct iovec),
	.compose = compose_vector,
	.call = call_both,
};
