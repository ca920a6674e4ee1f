// SPDX-License-Identifier: GPL-2.0
/* The write family and the send family, on every ordinary kind of object. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "calls.h"

/* Messages that are not tokens are wrong, where the object keeps boundaries. */
#define MESSAGES .look = look_messages

/* A pipe in packet mode: each write is a message. */
static int open_packets(struct esc *x)
{
	int fd[2];

	if (pipe2(fd, O_DIRECT))
		return -errno;
	x->rx = fd[0];
	x->tx = fd[1];
	return 0;
}

static int open_kind(struct esc *x, enum channel_kind kind)
{
	struct pair p;
	int err = pair_open(&p, kind);

	x->rx = p.rx;
	x->tx = p.tx;
	snprintf(x->path, sizeof(x->path), "%s", p.path);
	return err;
}

/* The member gets the reading end's path only, and opens that for writing. */
static int open_fifo_path(struct esc *x)
{
	int err = open_kind(x, CH_FIFO);

	if (!err) {
		close(x->tx);
		x->tx = 0;
	}
	return err;
}

static int by_reopen(struct esc *x, unsigned int i)
{
	char path[32], t[TOKEN];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", x->tx);
	fd = open(x->path[0] ? x->path : path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

static int by_dup(struct esc *x, unsigned int i)
{
	int fd = dup(x->tx), err;
	char t[TOKEN];

	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

static const struct row rows[] = {
	{ "pipe.write", "pipe", .kind = CH_PIPE, .attempt = by_write },
	{ "pipe.writev", "pipe", .kind = CH_PIPE, .attempt = by_writev },
	{ "pipe.pwritev2", "pipe", .kind = CH_PIPE, .attempt = by_pwritev2 },
	{ "pipe.packets", "pipe", .open = open_packets, .attempt = by_write, MESSAGES },
	{ "pipe.dup", "pipe", .kind = CH_PIPE, .attempt = by_dup },
	{ "pipe.reopen", "/proc/self/fd", .kind = CH_PIPE, .attempt = by_reopen },
	{ "fifo.write", "FIFO", .kind = CH_FIFO, .attempt = by_write },
	{ "fifo.writev", "FIFO", .kind = CH_FIFO, .attempt = by_writev },
	{ "fifo.path", "FIFO", .open = open_fifo_path, .attempt = by_reopen },
	{ "pty.write", "terminal", .kind = CH_PTY, .attempt = by_write },
	{ "pty.writev", "terminal", .kind = CH_PTY, .attempt = by_writev },
	{ "pty.pwritev2", "terminal", .kind = CH_PTY, .attempt = by_pwritev2 },
	{ "tcp.write", "TCP", .kind = CH_TCP, .attempt = by_write },
	{ "tcp.writev", "TCP", .kind = CH_TCP, .attempt = by_writev },
	{ "tcp.pwritev2", "TCP", .kind = CH_TCP, .attempt = by_pwritev2 },
	{ "tcp.send", "TCP", .kind = CH_TCP, .attempt = by_send },
	{ "tcp.send-nosignal", "TCP", .kind = CH_TCP, .arg = MSG_NOSIGNAL, .attempt = by_send },
	{ "tcp.send-dontwait", "TCP", .kind = CH_TCP, .arg = MSG_DONTWAIT, .attempt = by_send },
	{ "tcp.sendto", "TCP", .kind = CH_TCP, .attempt = by_sendto },
	{ "tcp.sendmsg", "TCP", .kind = CH_TCP, .attempt = by_sendmsg },
	{ "tcp.sendmmsg", "TCP", .kind = CH_TCP, .per = 3, .attempt = by_sendmmsg },
	{ "tcp.more", "MSG_MORE", .kind = CH_TCP, .attempt = by_more },
	{ "udp.write", "UDP", .kind = CH_UDP, .attempt = by_write, MESSAGES },
	{ "udp.writev", "UDP", .kind = CH_UDP, .attempt = by_writev, MESSAGES },
	{ "udp.sendmsg", "UDP", .kind = CH_UDP, .attempt = by_sendmsg, MESSAGES },
	{ "udp.sendmmsg", "UDP", .kind = CH_UDP, .per = 3, .attempt = by_sendmmsg, MESSAGES },
	{ "udp.more", "MSG_MORE", .kind = CH_UDP, .attempt = by_more, MESSAGES },
	{ "unix-stream.write", "unix", .kind = CH_UNIX_STREAM, .attempt = by_write },
	{ "unix-stream.sendmsg", "unix", .kind = CH_UNIX_STREAM, .attempt = by_sendmsg },
	{ "unix-stream.sendmmsg", "unix", .kind = CH_UNIX_STREAM, .per = 3,
	  .attempt = by_sendmmsg },
	{ "unix-dgram.write", "unix", .kind = CH_UNIX_DGRAM, .attempt = by_write, MESSAGES },
	{ "unix-dgram.sendmsg", "unix", .kind = CH_UNIX_DGRAM, .attempt = by_sendmsg, MESSAGES },
	{ "unix-seqpacket.write", "unix", .kind = CH_UNIX_SEQPACKET, .attempt = by_write,
	  MESSAGES },
	{ "unix-seqpacket.sendmsg", "unix", .kind = CH_UNIX_SEQPACKET, .attempt = by_sendmsg,
	  MESSAGES },
	{ "netlink.send", "netlink", .kind = CH_NETLINK, .attempt = by_send, MESSAGES },
	{ "netlink.sendmsg", "netlink", .kind = CH_NETLINK, .attempt = by_sendmsg, MESSAGES },
};

ESCAPE_MAIN(rows)
