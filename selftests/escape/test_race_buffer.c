// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers, vectors, message headers, addresses and control data that change while a held call
 * reads them: what is held is one copy, and that copy is what arrives.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "race.h"

#define SOME 512		/* bytes of one attempt at most */
#define RCVBUF (64 << 20)
#define QLEN "/proc/sys/net/unix/max_dgram_qlen"

/* In x->shared: two buffers, each of one letter, and what points to them. */
struct layout {
	char buf[2][SOME];
	struct iovec iov[2], other[2];
	struct msghdr msg;
	struct mmsghdr many[3];
	struct sockaddr_in name[2];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
};

_Static_assert(sizeof(struct layout) <= RACE_SHARED, "the layout is larger than the memory");

static struct layout *of(const struct race *x)
{
	return (struct layout *)x->shared;
}

static long result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static size_t length(unsigned int i)
{
	/* Mostly short, for many; some long, for a copy that takes its time. */
	return 1 + i * 37 % (i % 8 ? 256 : SOME);
}

static int open_kind(struct race *x, enum channel_kind kind)
{
	struct layout *l = of(x);
	char old[32] = "";
	struct pair p;
	int size = RCVBUF, err;

	if (kind == CH_UNIX_DGRAM && slurp(QLEN, old, sizeof(old)) > 0)
		write_file(QLEN, "4096");
	err = pair_open(&p, kind);
	if (old[0])
		write_file(QLEN, old);
	x->rx[0] = p.rx;
	x->tx[0] = p.tx;
	/* What a datagram socket has no room for is lost without us, too. */
	setsockopt(p.rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	memset(l->buf[0], 'A', SOME);
	memset(l->buf[1], 'B', SOME);
	l->iov[0] = (struct iovec){ l->buf[0], 100 };
	l->iov[1] = (struct iovec){ l->buf[1], 50 };
	l->other[0] = (struct iovec){ l->buf[1], 7 };
	l->other[1] = (struct iovec){ l->buf[0], 200 };
	l->msg = (struct msghdr){ .msg_iov = l->iov, .msg_iovlen = 2 };
	return err;
}

#define OPEN(name, kind)				\
	static int open_##name(struct race *x)		\
	{						\
		return open_kind(x, kind);		\
	}

OPEN(pipe, CH_PIPE)
OPEN(fifo, CH_FIFO)
OPEN(pty, CH_PTY)
OPEN(tcp, CH_TCP)
OPEN(udp, CH_UDP)
OPEN(unix_stream, CH_UNIX_STREAM)
OPEN(unix_dgram, CH_UNIX_DGRAM)
OPEN(unix_seqpacket, CH_UNIX_SEQPACKET)
OPEN(netlink, CH_NETLINK)

/* The contents of the one buffer that is written. */
static void flip_contents(struct race *x, unsigned int k)
{
	memset(of(x)->buf[0], 'A' + (k & 1), SOME);
}

static long by_write(struct race *x, unsigned int i)
{
	return result(write(x->tx[0], of(x)->buf[0], length(i)));
}

static long by_send(struct race *x, unsigned int i)
{
	return result(send(x->tx[0], of(x)->buf[0], length(i), MSG_NOSIGNAL));
}

static void flip_vector(struct race *x, unsigned int k)
{
	struct layout *l = of(x);
	volatile struct iovec *iov = l->iov;

	iov[0].iov_base = l->buf[k & 1];
	iov[0].iov_len = k & 2 ? 300 : 3;
	iov[1].iov_len = k & 1 ? 0 : 200;
	iov[1].iov_base = l->buf[~k & 1];
}

static long by_writev(struct race *x, unsigned int i)
{
	(void)i;
	return result(writev(x->tx[0], of(x)->iov, 2));
}

/* Which vector, and how much of it. */
static void flip_header(struct race *x, unsigned int k)
{
	struct layout *l = of(x);
	volatile struct msghdr *msg = &l->msg;

	msg->msg_iov = k & 1 ? l->iov : l->other;
	msg->msg_iovlen = 1 + (k >> 1 & 1);
	flip_vector(x, k);
}

static long by_sendmsg(struct race *x, unsigned int i)
{
	(void)i;
	return result(sendmsg(x->tx[0], &of(x)->msg, MSG_NOSIGNAL));
}

static int open_many(struct race *x)
{
	int err = open_kind(x, CH_UNIX_DGRAM), i;

	for (i = 0; i < 3; i++)
		of(x)->many[i].msg_hdr = of(x)->msg;
	return err;
}

static void flip_many(struct race *x, unsigned int k)
{
	volatile struct mmsghdr *m = &of(x)->many[k % 3];

	flip_header(x, k);
	m->msg_hdr.msg_iov = k & 1 ? of(x)->iov : of(x)->other;
	m->msg_hdr.msg_iovlen = 1 + (k >> 2 & 1);
	/* Where the kernel tells what it sent: not what we may believe. */
	m->msg_len = k;
}

static long by_sendmmsg(struct race *x, unsigned int i)
{
	int n = sendmmsg(x->tx[0], of(x)->many, 1 + i % 3, MSG_NOSIGNAL);

	return n < 0 ? -errno : 0;
}

/* Two receivers: to whom is it addressed? */
static int open_names(struct race *x)
{
	struct layout *l = of(x);
	socklen_t len;
	int i, err;

	for (i = 1; i >= 0; i--) {
		err = open_kind(x, CH_UDP);
		if (err)
			return err;
		len = sizeof(l->name[i]);
		getsockname(x->rx[0], (struct sockaddr *)&l->name[i], &len);
		x->rx[i] = x->rx[0];
		if (i)
			close(x->tx[0]);
	}
	l->msg.msg_name = &l->name[0];
	l->msg.msg_namelen = sizeof(l->name[0]);
	l->msg.msg_iov = l->other;
	return 0;
}

static void flip_name(struct race *x, unsigned int k)
{
	struct layout *l = of(x);
	volatile struct msghdr *msg = &l->msg;
	volatile struct sockaddr_in *name = &l->name[0];

	msg->msg_name = &l->name[k & 1];
	/* No name at all: to the peer that the socket is connected to. */
	msg->msg_namelen = k % 5 ? sizeof(*name) : 0;
	name->sin_family = k % 7 ? AF_INET : AF_UNIX;
	name->sin_family = AF_INET;
	msg->msg_iovlen = 1 + (k & 1);
}

/* Descriptors in flight, and how many of them: two pipes' reading ends, or none. */
static int open_control(struct race *x)
{
	int err = open_kind(x, CH_UNIX_DGRAM);
	struct layout *l = of(x);
	struct cmsghdr *c = (struct cmsghdr *)l->control;

	if (err || pipe(x->fd) || pipe(x->fd + 2))
		return err ? err : -errno;
	l->msg.msg_control = l->control;
	l->msg.msg_controllen = CMSG_SPACE(sizeof(int));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), x->fd, sizeof(int));
	return 0;
}

static void flip_control(struct race *x, unsigned int k)
{
	struct layout *l = of(x);
	volatile struct cmsghdr *c = (struct cmsghdr *)l->control;
	volatile int *fd = (int *)CMSG_DATA((struct cmsghdr *)l->control);

	fd[0] = k % 3 ? x->fd[k & 2] : -1;
	fd[1] = x->fd[~k & 2];
	c->cmsg_len = CMSG_LEN((k >> 1) % 3 * sizeof(int));
	((volatile struct msghdr *)&l->msg)->msg_controllen =
		k & 4 ? sizeof(l->control) : CMSG_SPACE(sizeof(int));
	c->cmsg_type = k % 11 ? SCM_RIGHTS : SCM_CREDENTIALS;
}

#define CONTENTS(name_, channel_)							\
	{ .row = "race.buffer." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = by_write, .flip = flip_contents, .content = true, .exact = true,	\
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,					\
	  .note = "the buffer is rewritten while it is read" }
#define VECTOR(name_, channel_)								\
	{ .row = "race.iovec." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = by_writev, .flip = flip_vector, .content = true, .exact = true,	\
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,					\
	  .note = "the vector is rewritten while it is read" }

static const struct race_case cases[] = {
	CONTENTS(pipe, "pipe"),
	CONTENTS(fifo, "FIFO"),
	CONTENTS(pty, "terminal"),
	CONTENTS(tcp, "TCP"),
	CONTENTS(udp, "UDP"),
	CONTENTS(unix_stream, "unix"),
	CONTENTS(unix_seqpacket, "unix"),
	CONTENTS(netlink, "netlink"),
	{ .row = "race.buffer.unix_dgram", .channel = "unix", .open = open_unix_dgram,
	  .attempt = by_send, .flip = flip_contents, .content = true, .exact = true,
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "the buffer is rewritten while it is read" },
	VECTOR(pipe, "pipe"),
	VECTOR(pty, "terminal"),
	VECTOR(tcp, "TCP"),
	{ .row = "race.msghdr.unix_stream", .channel = "unix", .open = open_unix_stream,
	  .attempt = by_sendmsg, .flip = flip_header, .content = true, .exact = true,
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "the message header is rewritten while it is read" },
	{ .row = "race.msghdr.many", .channel = "unix", .open = open_many,
	  .attempt = by_sendmmsg, .flip = flip_many, .content = true,
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "sendmmsg: the headers are rewritten while they are read" },
	{ .row = "race.msghdr.name", .channel = "UDP", .open = open_names,
	  .attempt = by_sendmsg, .flip = flip_name, .exact = true,
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "the address is rewritten while it is read" },
	{ .row = "race.msghdr.control", .channel = "SCM_RIGHTS", .open = open_control,
	  .attempt = by_sendmsg, .flip = flip_control, .exact = true, .content = true,
	  .drops = true,
	  .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "descriptors in flight are rewritten while they are read" },
};

RACE_MAIN(cases)
