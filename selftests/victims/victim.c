// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop of the vulnerable server (see victim.h): one thread, epoll,
 * non-blocking clients that stay connected.
 *
 *   victim DIR [PORT]
 *
 * DIR holds the files "secret" and "password" and becomes the working
 * directory. Port 0 or none takes a free one; "listening on PORT" on stdout
 * says which.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "victim.h"

struct server server;
char secret[SECRET_MAX];

static int epoll_fd;
static unsigned int next_id;

static size_t read_file(const char *name, char *to, size_t max)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		err(1, "%s/%s", server.dir, name);
	len = read(fd, to, max);
	if (len < 0)
		err(1, "%s/%s", server.dir, name);
	close(fd);
	return len;
}

static void flush(struct client *c)
{
	struct epoll_event event = { .data.ptr = c };
	ssize_t sent = 0;

	while (c->out_len) {
		sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
		if (sent < 0)
			break;
		c->out_len -= sent;
		memmove(c->out, c->out + sent, c->out_len);
	}
	if (sent < 0 && errno != EAGAIN) {
		c->out_len = 0;
		c->closing = true;
	}
	event.events = EPOLLIN | (c->out_len ? EPOLLOUT : 0);
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

void reply(struct client *c, const void *data, size_t len)
{
	c->out = realloc(c->out, c->out_len + len);
	if (!c->out)
		abort();
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	flush(c);
}

void replyf(struct client *c, const char *format, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len < 0)
		abort();
	reply(c, text, len);
	free(text);
}

/* The descriptor has no CLOEXEC: one more habit that helps an attacker. */
static void accept_client(int listener)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct epoll_event event = { .events = EPOLLIN };
	struct client *c;
	int fd = accept4(listener, (struct sockaddr *)&peer, &len,
			 SOCK_NONBLOCK);

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->fd = fd;
	c->id = ++next_id;
	snprintf(c->peer, sizeof(c->peer), "%s:%u", inet_ntoa(peer.sin_addr),
		 ntohs(peer.sin_port));
	event.data.ptr = c;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
	server.clients++;
}

static void drop_client(struct client *c)
{
	close(c->fd);
	free(c->note);
	free(c->out);
	free(c);
	server.clients--;
}

/* Returns false when the client is gone. */
static bool read_client(struct client *c)
{
	ssize_t got = recv(c->fd, c->in + c->in_len, IN_MAX - c->in_len, 0);
	int used = 0;

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	c->in_len += got;
	while (c->in_len && !c->closing) {
		used = serve_request(c);
		if (used <= 0)
			break;
		c->in_len -= used;
		memmove(c->in, c->in + used, c->in_len);
	}
	return used >= 0 && c->in_len < IN_MAX;
}

static void serve_client(struct client *c, unsigned int events)
{
	bool alive = true;

	if (events & EPOLLOUT)
		flush(c);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = read_client(c);
	if (!alive || (c->closing && !c->out_len))
		drop_client(c);
}

static int listen_on(unsigned short port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	socklen_t len = sizeof(addr);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		err(1, "port %u", port);
	printf("listening on %u\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event events[16];
	struct epoll_event event = { .events = EPOLLIN };
	int listener, count, i;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: victim DIR [PORT]\n");
		return 2;
	}
	server.dir = argv[1];
	if (chdir(server.dir))
		err(1, "%s", server.dir);
	server.secret_len = read_file("secret", secret, sizeof(secret));
	read_file("password", server.password, sizeof(server.password) - 1);
	server.password[strcspn(server.password, "\n")] = '\0';
	signal(SIGPIPE, SIG_IGN);

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		err(1, "epoll_create1");
	listener = listen_on(argc > 2 ? atoi(argv[2]) : 0);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event))
		err(1, "epoll_ctl");

	for (;;) {
		count = epoll_wait(epoll_fd, events, 16, -1);
		if (count < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				accept_client(listener);
			else
				serve_client(events[i].data.ptr,
					     events[i].events);
		}
	}
}
