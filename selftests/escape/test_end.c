// SPDX-License-Identifier: GPL-2.0
/* Beginnings and ends of connections: effects beside the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls.h"

#define PAIRS 6
#define KIND_VSOCK 100

enum ending { END_CLOSE, END_SHUTDOWN, END_RESET };

/* fd[i] is the member's end of pair i. */
struct ends {
	int rx[PAIRS];
	bool data[PAIRS], end[PAIRS];
};

static int open_vsock_pair(struct pair *p)
{
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL,
				  .svm_port = VMADDR_PORT_ANY };
	socklen_t len = sizeof(vm);
	int lfd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (lfd < 0 || bind(lfd, (struct sockaddr *)&vm, len) || listen(lfd, 1) ||
	    getsockname(lfd, (struct sockaddr *)&vm, &len))
		return -errno;
	p->rx = socket(AF_VSOCK, SOCK_STREAM, 0);
	if (connect(p->rx, (struct sockaddr *)&vm, len))
		return -errno;
	p->tx = accept(lfd, NULL, NULL);
	close(lfd);
	return p->tx < 0 ? -errno : 0;
}

static int open_ends(struct esc *x)
{
	struct ends *e = calloc(1, sizeof(*e));
	bool vsock = x->row->kind == KIND_VSOCK;
	struct pair p;
	int i, err;

	x->priv = e;
	if (!e)
		return -ENOMEM;
	if (vsock && system("modprobe -q vsock_loopback"))
		return esc_lack(x, -ENOENT, "vsock_loopback");
	for (i = 0; i < PAIRS; i++) {
		err = vsock ? open_vsock_pair(&p) : pair_open(&p, x->row->kind);
		if (err)
			return err;
		e->rx[i] = p.rx;
		x->fd[i] = p.tx;
		fcntl(p.rx, F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static void close_ends(struct esc *x)
{
	struct ends *e = x->priv;
	int i;

	for (i = 0; e && i < PAIRS; i++)
		close(e->rx[i]);
	free(e);
}

/* With a token it is the first effect of an attempt, and the end is the second. */
static bool with_token(const struct esc *x)
{
	return x->row->per == 2;
}

static void look_pair(struct esc *x, struct ends *e, unsigned int i)
{
	char buf[TOKEN], want[TOKEN];
	ssize_t n;

	while ((n = read(e->rx[i], buf, sizeof(buf))) > 0) {
		esc_token(x, want, i, 0);
		if (n != TOKEN || memcmp(buf, want, TOKEN) || e->data[i])
			esc_wrong(x, "wrong data at pair %u", i);
		e->data[i] = true;
		esc_took(x, 1);
	}
	if ((n < 0 && errno != ECONNRESET) || e->end[i])
		return;
	/* The end alone is what a killed member leaves. */
	e->end[i] = true;
	if (e->data[i] || !with_token(x))
		esc_took(x, 1);
}

static void look_ends(struct esc *x)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++)
		look_pair(x, x->priv, i);
}

static int by_end(struct esc *x, unsigned int i)
{
	struct linger linger = { 1, 0 };
	int fd = x->fd[i], err = 0;
	char t[TOKEN];

	esc_token(x, t, i, 0);
	if (with_token(x))
		err = esc_result(write(fd, t, TOKEN), TOKEN);
	if (err)
		return err;
	switch (x->row->arg) {
	case END_SHUTDOWN:
		return shutdown(fd, SHUT_WR) ? -errno : 0;
	case END_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		break;
	}
	return close(fd) ? -errno : 0;
}

static int open_tcp_listener(struct esc *x)
{
	struct sockaddr_in sin;

	x->rx = tcp_listen(&sin);
	if (x->rx < 0)
		return x->rx;
	listen(x->rx, 64);
	memcpy(&x->to, &sin, sizeof(sin));
	x->tolen = sizeof(sin);
	return accept_init(x, false);
}

static int open_unix_listener(struct esc *x)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&x->to;

	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/tmp/selfheal.listen.%d", getpid());
	strcpy(x->path, sun->sun_path);
	unlink(x->path);
	x->tolen = sizeof(*sun);
	x->rx = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(x->rx, (struct sockaddr *)sun, sizeof(*sun)) || listen(x->rx, 64))
		return -errno;
	return accept_init(x, false);
}

static int by_connect(struct esc *x, unsigned int i)
{
	int s = socket(x->to.ss_family, SOCK_STREAM, 0), err = 0;

	(void)i;
	if (s < 0)
		return -errno;
	if (connect(s, (struct sockaddr *)&x->to, x->tolen))
		err = -errno;
	close(s);
	return err;
}

static const char fifo_format[] = "/tmp/selfheal.ends.%d.%u";

static int open_fifos(struct esc *x)
{
	struct ends *e = calloc(1, sizeof(*e));
	unsigned int i;
	char path[64];

	x->priv = e;
	if (!e)
		return -ENOMEM;
	for (i = 0; i < PAIRS; i++) {
		snprintf(path, sizeof(path), fifo_format, getpid(), i);
		unlink(path);
		if (mkfifo(path, 0600))
			return -errno;
		e->rx[i] = open(path, O_RDONLY | O_NONBLOCK);
		if (e->rx[i] < 0)
			return -errno;
	}
	x->number[0] = getpid();
	return 0;
}

static void close_fifos(struct esc *x)
{
	unsigned int i;
	char path[64];

	for (i = 0; i < PAIRS; i++) {
		snprintf(path, sizeof(path), fifo_format, getpid(), i);
		unlink(path);
	}
	close_ends(x);
}

/* A writer that came and went has left a hang-up, which no writer before leaves. */
static void look_fifos(struct esc *x)
{
	struct ends *e = x->priv;
	struct pollfd pfd = { .events = POLLIN };
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		pfd.fd = e->rx[i];
		if (e->end[i] || poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLHUP))
			continue;
		e->end[i] = true;
		esc_took(x, 1);
	}
}

static int by_fifo(struct esc *x, unsigned int i)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), fifo_format, (int)x->number[0], i);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

#define ENDS .open = open_ends, .attempt = by_end, .look = look_ends, .close = close_ends, \
	     .max = PAIRS
#define BIT_NOTE "no bytes: a bit, and a moment, for each object"

static const struct row rows[] = {
	{ "tcp.close", "close", .kind = CH_TCP, .arg = END_CLOSE, .per = 2, ENDS },
	{ "tcp.shutdown", "shutdown", .kind = CH_TCP, .arg = END_SHUTDOWN, .per = 2, ENDS },
	{ "tcp.reset", "SO_LINGER", .kind = CH_TCP, .arg = END_RESET, .per = 2, ENDS },
	{ "unix-stream.close", "close", .kind = CH_UNIX_STREAM, .arg = END_CLOSE, .per = 2, ENDS },
	{ "unix-stream.shutdown", "shutdown", .kind = CH_UNIX_STREAM, .arg = END_SHUTDOWN,
	  .per = 2, ENDS },
	{ "vsock-stream.close", "close", .kind = KIND_VSOCK, .arg = END_CLOSE, .per = 2, ENDS },
	{ "pipe.close", "close", .kind = CH_PIPE, .arg = END_CLOSE, .per = 2, ENDS },
	{ "tcp.close-empty", "close", ROW_PASSED, .note = BIT_NOTE, .kind = CH_TCP,
	  .arg = END_CLOSE, ENDS },
	{ "tcp.shutdown-empty", "shutdown", ROW_PASSED, .note = BIT_NOTE, .kind = CH_TCP,
	  .arg = END_SHUTDOWN, ENDS },
	{ "pipe.close-empty", "close", ROW_PASSED, .note = BIT_NOTE, .kind = CH_PIPE,
	  .arg = END_CLOSE, ENDS },
	{ "tcp.connect", "connect", ROW_PASSED,
	  .note = "no bytes: that a connection is opened, and to where",
	  .open = open_tcp_listener, .attempt = by_connect, .look = look_accept,
	  .close = close_accept },
	{ "unix.connect", "connect", ROW_PASSED,
	  .note = "no bytes: that a connection is opened, and to where",
	  .open = open_unix_listener, .attempt = by_connect, .look = look_accept,
	  .close = close_accept },
	{ "fifo.open", "FIFO", ROW_PASSED, .note = BIT_NOTE, .open = open_fifos, .max = PAIRS,
	  .attempt = by_fifo, .look = look_fifos, .close = close_fifos },
};

ESCAPE_MAIN(rows)
