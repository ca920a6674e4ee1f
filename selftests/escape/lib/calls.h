/* SPDX-License-Identifier: GPL-2.0 */
/* Attempts that any channel may use: tokens to x->tx, to x->to where there is an address. */
#ifndef ESCAPE_CALLS_H
#define ESCAPE_CALLS_H

#include "escape.h"

/* 0 for the whole length, -EIO for less, or -errno. */
int esc_result(long ret, size_t want);

int by_write(struct esc *x, unsigned int i);
int by_writev(struct esc *x, unsigned int i);
int by_pwritev2(struct esc *x, unsigned int i);	/* at the current position */
int by_send(struct esc *x, unsigned int i);	/* with row.arg as flags */
int by_sendto(struct esc *x, unsigned int i);
int by_sendmsg(struct esc *x, unsigned int i);
int by_sendmmsg(struct esc *x, unsigned int i);	/* row.per messages */
int by_more(struct esc *x, unsigned int i);	/* half a token with MSG_MORE, and the rest */

/*
 * Connections made by the attempts to rx, which listens. With tokens, each
 * brings one before its end; else the connection is the effect.
 */
int accept_init(struct esc *x, bool tokens);
void look_accept(struct esc *x);
void close_accept(struct esc *x);

/* A message of n bytes with a descriptor: 0 or -errno. */
int send_with_fd(int sock, int fd, const void *text, size_t n);
/* The descriptor, or -errno: -EPERM when it was withheld, -ENOMSG for none. */
int recv_with_fd(int sock, void *text, size_t n, ssize_t *got);
/* The same with a message of no meaning. */
int send_fd(int sock, int fd, unsigned int times);
int recv_fd(int sock);

#endif
