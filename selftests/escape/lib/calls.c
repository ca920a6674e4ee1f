// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"

#define PER_MAX 8

int esc_result(long ret, size_t want)
{
	if (ret < 0)
		return -errno;
	return (size_t)ret == want ? 0 : -EIO;
}

static struct sockaddr *to(struct esc *x)
{
	return x->tolen ? (struct sockaddr *)&x->to : NULL;
}

int by_write(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(write(x->tx, t, TOKEN), TOKEN);
}

/* In three pieces, one of them empty. */
static void cut(struct iovec iov[3], char *t)
{
	iov[0] = (struct iovec){ t, 5 };
	iov[1] = (struct iovec){ t, 0 };
	iov[2] = (struct iovec){ t + 5, TOKEN - 5 };
}

int by_writev(struct esc *x, unsigned int i)
{
	struct iovec iov[3];
	char t[TOKEN];

	esc_token(x, t, i, 0);
	cut(iov, t);
	return esc_result(writev(x->tx, iov, 3), TOKEN);
}

int by_pwritev2(struct esc *x, unsigned int i)
{
	struct iovec iov[3];
	char t[TOKEN];

	esc_token(x, t, i, 0);
	cut(iov, t);
	return esc_result(pwritev2(x->tx, iov, 3, -1, 0), TOKEN);
}

/* With MSG_ZEROCOPY the kernel reads the buffer after the call, too. */
int by_send(struct esc *x, unsigned int i)
{
	static char buffers[64][TOKEN];
	char *t = buffers[i % 64];

	esc_token(x, t, i, 0);
	return esc_result(send(x->tx, t, TOKEN, x->row->arg), TOKEN);
}

int by_sendto(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(sendto(x->tx, t, TOKEN, x->row->arg, to(x), x->tolen), TOKEN);
}

int by_sendmsg(struct esc *x, unsigned int i)
{
	struct iovec iov[3];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3, .msg_name = to(x),
			    .msg_namelen = x->tolen };
	char t[TOKEN];

	esc_token(x, t, i, 0);
	cut(iov, t);
	return esc_result(sendmsg(x->tx, &m, x->row->arg), TOKEN);
}

int by_sendmmsg(struct esc *x, unsigned int i)
{
	unsigned int n = x->row->per, k;
	struct mmsghdr m[PER_MAX] = {};
	struct iovec iov[PER_MAX];
	char t[PER_MAX][TOKEN];
	int ret;

	if (n > PER_MAX)
		return -E2BIG;
	for (k = 0; k < n; k++) {
		esc_token(x, t[k], i, k);
		iov[k] = (struct iovec){ t[k], TOKEN };
		m[k].msg_hdr.msg_iov = &iov[k];
		m[k].msg_hdr.msg_iovlen = 1;
		m[k].msg_hdr.msg_name = to(x);
		m[k].msg_hdr.msg_namelen = x->tolen;
	}
	ret = sendmmsg(x->tx, m, n, x->row->arg);
	for (k = 0; ret > 0 && k < (unsigned int)ret; k++) {
		if (m[k].msg_len != TOKEN)
			return -EIO;
	}
	return esc_result(ret, n);
}

int by_more(struct esc *x, unsigned int i)
{
	char t[TOKEN];
	int err;

	esc_token(x, t, i, 0);
	err = esc_result(sendto(x->tx, t, 7, MSG_MORE, to(x), x->tolen), 7);
	if (err)
		return err;
	return esc_result(sendto(x->tx, t + 7, TOKEN - 7, 0, to(x), x->tolen), TOKEN - 7);
}
