// SPDX-License-Identifier: GPL-2.0
/*
 * Message headers, addresses and control data that change while a held send reads them, and the
 * peer that a socket is connected to.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "race_memory.h"

#define RCVBUF (64 << 20)

static int open_kind(struct race *x, enum channel_kind kind)
{
	race_memory_init(x);
	return race_pair(x, 0, kind);
}

#define OPEN(name, kind)				\
	static int open_##name(struct race *x)		\
	{						\
		return open_kind(x, kind);		\
	}

OPEN(tcp, CH_TCP)
OPEN(udp, CH_UDP)
OPEN(unix_stream, CH_UNIX_STREAM)
OPEN(unix_dgram, CH_UNIX_DGRAM)
OPEN(unix_seqpacket, CH_UNIX_SEQPACKET)
OPEN(netlink, CH_NETLINK)

/* Two receivers, and a socket that is connected to the first: to whom is it addressed? */
static int open_names(struct race *x)
{
	struct race_memory *l = race_memory(x);
	int i, err;

	race_memory_init(x);
	for (i = 0; i < 2; i++) {
		err = race_pair(x, i, CH_UDP);
		if (err)
			return err;
		l->namelen = sizeof(struct sockaddr_in);
		if (getsockname(x->rx[i], (struct sockaddr *)&l->name[i], &l->namelen))
			return -errno;
	}
	l->msg.msg_name = &l->name[0];
	l->msg.msg_namelen = l->namelen;
	l->msg.msg_iov = l->other;
	return 0;
}

/* Two receivers in the file system; the path differs in its last letter. */
static int open_paths(struct race *x)
{
	struct race_memory *l = race_memory(x);
	int i, size = RCVBUF, err;

	err = open_kind(x, CH_UNIX_DGRAM);
	race_deep(true);
	for (i = 0; i < 2 && !err; i++) {
		struct sockaddr_un *sun = (struct sockaddr_un *)&l->name[i];

		sun->sun_family = AF_UNIX;
		l->namelen = offsetof(struct sockaddr_un, sun_path) + 1 +
			     snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%d", x->dir, i);
		x->rx[1 + i] = socket(AF_UNIX, SOCK_DGRAM, 0);
		setsockopt(x->rx[1 + i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
		if (bind(x->rx[1 + i], (struct sockaddr *)sun, l->namelen))
			err = -errno;
	}
	race_deep(false);
	l->msg.msg_name = &l->name[0];
	l->msg.msg_namelen = l->namelen;
	l->msg.msg_iov = l->other;
	return err;
}

static void flip_path(struct race *x, unsigned int k)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&race_memory(x)->name[0];
	volatile char *last = sun->sun_path + strlen(x->dir) + 1;

	flip_name(x, k);
	/* "2" is nobody. */
	*last = '0' + k % 3;
}

/* Descriptors in flight, and how many of them: two pipes' reading ends, or none. */
static int open_control(struct race *x)
{
	int err = open_kind(x, CH_UNIX_DGRAM);
	struct race_memory *l = race_memory(x);
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
	struct race_memory *l = race_memory(x);
	volatile struct cmsghdr *c = (struct cmsghdr *)l->control;
	volatile int *fd = (int *)CMSG_DATA((struct cmsghdr *)l->control);

	fd[0] = k % 3 ? x->fd[k & 2] : -1;
	fd[1] = x->fd[~k & 2];
	c->cmsg_len = CMSG_LEN((k >> 1) % 3 * sizeof(int));
	((volatile struct msghdr *)&l->msg)->msg_controllen =
		k & 4 ? sizeof(l->control) : CMSG_SPACE(sizeof(int));
	c->cmsg_type = k % 11 ? SCM_RIGHTS : SCM_CREDENTIALS;
}

/* The peer, by connect(2), while others write without a name. */
static void flip_peer(struct race *x, unsigned int k)
{
	struct race_memory *l = race_memory(x);

	if (connect(x->tx[0], (struct sockaddr *)&l->name[k & 1], l->namelen))
		x->r.kid.page->count[RACE_OWN]++;
}

#define MESSAGE(name_, channel_, covers_)						\
	{ .row = "race.msghdr." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = race_sendmsg, .flip = flip_header, .content = true, .exact = true,	\
	  ANYBODY, .note = "the message header is rewritten while it is read",		\
	  .covers = covers_ }
#define MANY(name_, channel_, covers_)							\
	{ .row = "race.sendmmsg." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = race_sendmmsg, .flip = flip_many, .content = true, ANYBODY,		\
	  .note = "the headers are rewritten while they are read", .covers = covers_ }
#define ANYBODY .flippers = BY_THREAD | BY_VM | BY_OUTSIDER

static const struct race_case cases[] = {
	{ .row = "race.control.message", .open = open_unix_dgram, .flip = flip_header,
	  .fooled = fooled_by_header },
	MESSAGE(tcp, "TCP", "tcp.sendmsg"),
	MESSAGE(udp, "UDP", "udp.sendmsg"),
	MESSAGE(unix_stream, "unix", "unix-stream.sendmsg"),
	MESSAGE(unix_seqpacket, "unix", "unix-seqpacket.sendmsg"),
	MESSAGE(netlink, "netlink", "netlink.sendmsg"),
	MANY(unix_dgram, "unix", "unix-dgram.sendmsg"),
	MANY(tcp, "TCP", "tcp.sendmmsg unix-stream.sendmmsg"),
	MANY(udp, "UDP", "udp.sendmmsg"),
	{ .row = "race.msghdr.name", .channel = "UDP", .open = open_names,
	  .attempt = race_sendmsg, .flip = flip_name, .exact = true, ANYBODY,
	  .note = "the address is rewritten while it is read",
	  .covers = "udp.sendto udp.sendmsg-to udp.sendmmsg-to udp.more-to udp6.sendto" },
	{ .row = "race.msghdr.path", .channel = "unix", .open = open_paths,
	  .attempt = race_sendmsg, .flip = flip_path, .exact = true, .drops = true, ANYBODY,
	  .note = "the path of the receiver is rewritten while it is read",
	  .covers = "unix-dgram.path unix-dgram.abstract" },
	{ .row = "race.msghdr.control", .channel = "SCM_RIGHTS", .open = open_control,
	  .attempt = race_sendmsg, .flip = flip_control, .exact = true, .content = true,
	  .drops = true, ANYBODY,
	  .note = "descriptors in flight are rewritten while they are read",
	  .covers = "unix.rights" },
	{ .row = "race.connect", .channel = "connect", .open = open_names, .attempt = race_write,
	  .flip = flip_peer, .exact = true, .flippers = BY_THREAD | BY_VM,
	  .note = "the peer changes while data is taken for it", .covers = "udp.redirect" },
};

RACE_MAIN(cases)
