// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "nl_event.h"
#include "proc.h"
#include "stream.h"

int tcp_listen(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)sin, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)sin, &len))
		return -errno;
	return fd;
}

int tcp_connect(const struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)sin, sizeof(*sin)))
		return -errno;
	return fd;
}

static int open_tcp(struct pair *p)
{
	struct sockaddr_in sin;
	int lfd = tcp_listen(&sin);

	if (lfd < 0)
		return lfd;
	p->rx = tcp_connect(&sin);
	p->tx = accept(lfd, NULL, NULL);
	close(lfd);
	return p->rx < 0 || p->tx < 0 ? -errno : 0;
}

static int open_udp(struct pair *p)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->rx = socket(AF_INET, SOCK_DGRAM, 0);
	p->tx = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(p->rx, (struct sockaddr *)&sin, len) ||
	    getsockname(p->rx, (struct sockaddr *)&sin, &len) ||
	    connect(p->tx, (struct sockaddr *)&sin, len))
		return -errno;
	return 0;
}

static int open_unix(struct pair *p, int type)
{
	int sv[2];

	if (socketpair(AF_UNIX, type, 0, sv))
		return -errno;
	p->tx = sv[0];
	p->rx = sv[1];
	return 0;
}

/* Two user-protocol sockets: unicast from port to port, no kernel receiver. */
static int open_netlink(struct pair *p)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(nl);

	p->rx = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	p->tx = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	if (bind(p->rx, (struct sockaddr *)&nl, sizeof(nl)) ||
	    getsockname(p->rx, (struct sockaddr *)&nl, &len) ||
	    connect(p->tx, (struct sockaddr *)&nl, sizeof(nl)))
		return -errno;
	return 0;
}

static int open_fifo(struct pair *p)
{
	snprintf(p->path, sizeof(p->path), "/tmp/selfheal.fifo.%d.%d", getpid(), rand());
	if (mkfifo(p->path, 0600))
		return -errno;
	p->rx = open(p->path, O_RDONLY | O_NONBLOCK);
	p->tx = open(p->path, O_WRONLY);
	if (p->rx < 0 || p->tx < 0)
		return -errno;
	return fcntl(p->rx, F_SETFL, 0) ? -errno : 0;
}

static int open_pty(struct pair *p)
{
	struct termios raw;

	if (openpty(&p->rx, &p->tx, NULL, NULL, NULL) || tcgetattr(p->tx, &raw))
		return -errno;
	cfmakeraw(&raw);
	return tcsetattr(p->tx, TCSANOW, &raw) ? -errno : 0;
}

int pair_open(struct pair *p, enum channel_kind kind)
{
	int fd[2];

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	switch (kind) {
	case CH_TCP:
		return open_tcp(p);
	case CH_UDP:
		return open_udp(p);
	case CH_UNIX_STREAM:
		return open_unix(p, SOCK_STREAM);
	case CH_UNIX_DGRAM:
		return open_unix(p, SOCK_DGRAM);
	case CH_UNIX_SEQPACKET:
		return open_unix(p, SOCK_SEQPACKET);
	case CH_NETLINK:
		return open_netlink(p);
	case CH_PIPE:
		if (pipe(fd))
			return -errno;
		p->rx = fd[0];
		p->tx = fd[1];
		return 0;
	case CH_FIFO:
		return open_fifo(p);
	case CH_PTY:
		return open_pty(p);
	}
	return -EINVAL;
}

void pair_close(struct pair *p)
{
	if (p->tx > 0)
		close(p->tx);
	if (p->rx > 0)
		close(p->rx);
	if (p->path[0])
		unlink(p->path);
	memset(p, 0, sizeof(*p));
}

bool pair_is_stream(const struct pair *p)
{
	return p->kind == CH_TCP || p->kind == CH_UNIX_STREAM || p->kind == CH_PIPE ||
	       p->kind == CH_FIFO || p->kind == CH_PTY;
}

bool rx_ready(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = now_ms() + ms, left;
	int n;

	do {
		left = end - now_ms();
		n = poll(&pfd, 1, left > 0 ? left : 0);
	} while (n < 0 && errno == EINTR);
	return n == 1 && (pfd.revents & POLLIN);
}

size_t rx_read(int fd, void *buf, size_t n, int ms)
{
	int64_t end = now_ms() + ms;
	size_t have = 0;
	ssize_t got;

	while (have < n) {
		if (!rx_ready(fd, end - now_ms() > 0 ? end - now_ms() : 0))
			break;
		got = read(fd, (char *)buf + have, n - have);
		if (got <= 0)
			break;
		have += got;
	}
	return have;
}

bool rx_eof(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char byte;
	ssize_t n;

	if (poll(&pfd, 1, ms) != 1)
		return false;
	n = read(fd, &byte, 1);
	/* A pty master whose last writer closed says EIO. */
	return n == 0 || (n < 0 && (errno == EIO || errno == ECONNRESET));
}

uint8_t pattern_at(uint64_t offset)
{
	return (offset % 251) ^ (uint8_t)(offset / 251);
}

void pattern_fill(void *buf, uint64_t offset, size_t n)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = pattern_at(offset + i);
}

static void *receive(void *arg)
{
	struct receiver *r = arg;
	static __thread uint8_t buf[65536], want[65536];
	uint64_t at = 0;
	ssize_t n, i;

	while ((n = read(r->fd, buf, sizeof(buf))) > 0) {
		pattern_fill(want, at, n);
		if (r->wrong < 0 && memcmp(buf, want, n)) {
			for (i = 0; buf[i] == want[i]; i++)
				;
			r->wrong = at + i;
		}
		at += n;
		r->bytes = at;
	}
	r->eof = true;
	return NULL;
}

int receiver_start(struct receiver *r, int fd)
{
	r->fd = fd;
	r->bytes = 0;
	r->wrong = -1;
	r->eof = false;
	return -pthread_create(&r->thread, NULL, receive, r);
}

bool receiver_wait(struct receiver *r, uint64_t bytes, int ms)
{
	int64_t end = now_ms() + ms;

	while (r->bytes < bytes) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

bool receiver_wait_eof(struct receiver *r, int ms)
{
	int64_t end = now_ms() + ms;

	while (!r->eof) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

void receiver_stop(struct receiver *r)
{
	pthread_cancel(r->thread);
	pthread_join(r->thread, NULL);
}
