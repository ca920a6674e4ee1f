// SPDX-License-Identifier: GPL-2.0
/* A listener outside, to which each attempt connects anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "calls.h"

#define OPEN_AT_ONCE 64

struct accepted {
	bool tokens;
	unsigned int head, tail;
	size_t got[OPEN_AT_ONCE];
	int fd[OPEN_AT_ONCE];
};

int accept_init(struct esc *x, bool tokens)
{
	struct accepted *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->tokens = tokens;
	x->priv = a;
	return fcntl(x->rx, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/* The oldest connection; true when it is over. */
static bool drain(struct esc *x, struct accepted *a)
{
	unsigned int at = a->head % OPEN_AT_ONCE;
	char buf[TOKEN];
	ssize_t n;

	while ((n = read(a->fd[at], buf, sizeof(buf))) > 0) {
		esc_take(x, buf, n);
		a->got[at] += n;
	}
	/* A reset is an end, too. One that brings nothing is a dead member's. */
	if (n < 0 && errno != ECONNRESET)
		return false;
	if (a->got[at] % TOKEN)
		esc_wrong(x, "a connection ended after %zu bytes", a->got[at]);
	return true;
}

void look_accept(struct esc *x)
{
	struct accepted *a = x->priv;
	int fd;

	while (a->tail - a->head < OPEN_AT_ONCE) {
		fd = accept4(x->rx, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		if (!a->tokens) {
			esc_took(x, 1);
			close(fd);
			continue;
		}
		a->got[a->tail % OPEN_AT_ONCE] = 0;
		a->fd[a->tail++ % OPEN_AT_ONCE] = fd;
	}
	while (a->head != a->tail && drain(x, a))
		close(a->fd[a->head++ % OPEN_AT_ONCE]);
}

void close_accept(struct esc *x)
{
	struct accepted *a = x->priv;

	if (!a)
		return;
	while (a->head != a->tail)
		close(a->fd[a->head++ % OPEN_AT_ONCE]);
	free(a);
	x->priv = NULL;
}
