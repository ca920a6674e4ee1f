// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "race_memory.h"

_Static_assert(sizeof(struct race_memory) <= RACE_SHARED, "the layout is larger than the memory");

struct race_memory *race_memory(const struct race *x)
{
	return (struct race_memory *)x->shared;
}

void race_memory_init(struct race *x)
{
	struct race_memory *l = race_memory(x);
	unsigned int i;

	memset(l->buf[0], 'A', RACE_SOME);
	memset(l->buf[1], 'B', RACE_SOME);
	l->iov[0] = (struct iovec){ l->buf[0], 100 };
	l->iov[1] = (struct iovec){ l->buf[1], 50 };
	l->other[0] = (struct iovec){ l->buf[1], 7 };
	l->other[1] = (struct iovec){ l->buf[0], 200 };
	l->msg = (struct msghdr){ .msg_iov = l->iov, .msg_iovlen = 2 };
	for (i = 0; i < 3; i++)
		l->many[i].msg_hdr = l->msg;
}

size_t race_length(unsigned int i)
{
	return 1 + i * 37 % (i % 8 ? 256 : RACE_SOME);
}

void flip_contents(struct race *x, unsigned int k)
{
	memset(race_memory(x)->buf[0], 'A' + (k & 1), RACE_SOME);
}

void flip_vector(struct race *x, unsigned int k)
{
	struct race_memory *l = race_memory(x);
	volatile struct iovec *iov = l->iov;

	iov[0].iov_base = l->buf[k & 1];
	iov[0].iov_len = k & 2 ? 300 : 3;
	iov[1].iov_len = k & 1 ? 0 : 200;
	iov[1].iov_base = l->buf[~k & 1];
}

void flip_header(struct race *x, unsigned int k)
{
	struct race_memory *l = race_memory(x);
	volatile struct msghdr *msg = &l->msg;

	msg->msg_iov = k & 1 ? l->iov : l->other;
	msg->msg_iovlen = 1 + (k >> 1 & 1);
	flip_vector(x, k);
}

void flip_many(struct race *x, unsigned int k)
{
	struct race_memory *l = race_memory(x);
	volatile struct mmsghdr *m = &l->many[k % 3];

	flip_header(x, k);
	m->msg_hdr.msg_iov = k & 1 ? l->iov : l->other;
	m->msg_hdr.msg_iovlen = 1 + (k >> 2 & 1);
	/* Where the kernel tells what it sent: not what we may believe. */
	m->msg_len = k;
}

void flip_name(struct race *x, unsigned int k)
{
	struct race_memory *l = race_memory(x);
	volatile struct msghdr *msg = &l->msg;
	volatile sa_family_t *family = &l->name[0].ss_family;
	sa_family_t right = l->name[1].ss_family;

	msg->msg_name = &l->name[k & 1];
	/* No name at all: to the peer that the socket is connected to. */
	msg->msg_namelen = k % 5 ? l->namelen : 0;
	*family = k % 7 ? right : AF_APPLETALK;
	*family = right;
	msg->msg_iovlen = 1 + (k & 1);
}

long race_write(struct race *x, unsigned int i)
{
	return race_result(write(x->tx[0], race_memory(x)->buf[0], race_length(i)));
}

long race_send(struct race *x, unsigned int i)
{
	return race_result(send(x->tx[0], race_memory(x)->buf[0], race_length(i), MSG_NOSIGNAL));
}

long race_writev(struct race *x, unsigned int i)
{
	(void)i;
	return race_result(writev(x->tx[0], race_memory(x)->iov, 2));
}

long race_sendmsg(struct race *x, unsigned int i)
{
	(void)i;
	return race_result(sendmsg(x->tx[0], &race_memory(x)->msg, MSG_NOSIGNAL));
}

long race_sendmmsg(struct race *x, unsigned int i)
{
	int n = sendmmsg(x->tx[0], race_memory(x)->many, 1 + i % 3, MSG_NOSIGNAL);

	return n < 0 ? -errno : 0;
}

bool fooled_by_contents(struct race *x, unsigned int i)
{
	volatile char *seen = race_memory(x)->buf[0];
	char got[RACE_SOME], letter = *seen;
	ssize_t n;

	(void)i;
	if (write(x->tx[0], race_memory(x)->buf[0], RACE_SOME) != RACE_SOME)
		return false;
	n = read(x->rx[0], got, sizeof(got));
	return n == RACE_SOME && (got[0] != letter || got[RACE_SOME - 1] != letter);
}

bool fooled_by_header(struct race *x, unsigned int i)
{
	volatile struct msghdr *msg = &race_memory(x)->msg;
	char got[2 * RACE_SOME];
	size_t looked = 0, k;
	ssize_t n, m;

	(void)i;
	for (k = 0; k < msg->msg_iovlen; k++)
		looked += ((volatile struct iovec *)msg->msg_iov)[k].iov_len;
	n = sendmsg(x->tx[0], &race_memory(x)->msg, MSG_NOSIGNAL);
	if (n <= 0)
		return false;
	m = read(x->rx[0], got, sizeof(got));
	return m == n && (size_t)m != looked;
}
