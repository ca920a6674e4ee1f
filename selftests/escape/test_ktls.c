// SPDX-License-Identifier: GPL-2.0
/*
 * TLS in the kernel: another protocol's sendmsg under a TCP socket. Taking it up is refused, since
 * what is held would then be sent by it; a socket that has it already is held as any other, in
 * clear text, and encrypted at the commit. The receiver has it, too, and so gets clear text back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "calls.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define TYPE 100	/* of records that are not data */

static int upper_layer(int fd)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "tls", sizeof("tls")) ? -errno : 0;
}

/* The key is of no matter; both ends have the same one. */
static int key(int fd, int direction)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 },
		.key = "selfheal escape",
	};

	return setsockopt(fd, SOL_TLS, direction, &info, sizeof(info)) ? -errno : 0;
}

/* fd[0]: a file of tokens. */
static int open_tls(struct esc *x)
{
	unsigned int i;
	struct pair p;
	char t[TOKEN];
	int err;

	if (system("modprobe -q tls"))
		return esc_lack(x, -ENOENT, "the module tls");
	err = pair_open(&p, CH_TCP);
	x->rx = p.rx;
	x->tx = p.tx;
	if (!err)
		err = upper_layer(x->rx);
	if (!err)
		err = key(x->rx, TLS_RX);
	if (err)
		return esc_lack(x, err, "TLS in the kernel");
	x->fd[0] = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	for (i = 0; i < 4096; i++) {
		token(t, i);
		if (pwrite(x->fd[0], t, TOKEN, i * TOKEN) != TOKEN)
			return -EIO;
	}
	return 0;
}

static int prepare_layer(struct esc *x)
{
	return upper_layer(x->tx);
}

static int prepare_tls(struct esc *x)
{
	int err = upper_layer(x->tx);

	return err ? err : key(x->tx, TLS_TX);
}

/* number[0] of the member: it is done. arg: the layer is there, the key is not. */
static int by_enabling(struct esc *x, unsigned int i)
{
	int err = 0;

	if (!x->number[0]) {
		err = x->row->arg ? key(x->tx, TLS_TX) : prepare_tls(x);
		x->number[0] = !err;
	}
	return err ? err : by_write(x, i);
}

static int by_sendfile(struct esc *x, unsigned int i)
{
	off_t off = i % 4096 * TOKEN;

	return esc_result(sendfile(x->tx, x->fd[0], &off, TOKEN), TOKEN);
}

/* A record of another type: that comes by control data. */
static int by_record(struct esc *x, unsigned int i)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(1)] = {};
	char t[TOKEN];
	struct iovec iov = { t, TOKEN };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	esc_token(x, t, i, 0);
	c->cmsg_level = SOL_TLS;
	c->cmsg_type = TLS_SET_RECORD_TYPE;
	c->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(c) = TYPE;
	return esc_result(sendmsg(x->tx, &m, 0), TOKEN);
}

static void look_records(struct esc *x)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(1)];
	char t[TOKEN];
	struct iovec iov = { t, TOKEN };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c;
	ssize_t n;

	for (;;) {
		m.msg_controllen = sizeof(control);
		n = recvmsg(x->rx, &m, MSG_DONTWAIT);
		if (n <= 0)
			return;
		c = CMSG_FIRSTHDR(&m);
		if (!c || c->cmsg_type != TLS_GET_RECORD_TYPE || *CMSG_DATA(c) != TYPE)
			esc_wrong(x, "a record of another type");
		esc_take_message(x, t, n);
	}
}

#define DENIED ROW_DENIED, EPERM, "what is held would be sent by another protocol"

static const struct row rows[] = {
	{ "ktls.enable", "kTLS", DENIED, .open = open_tls, .attempt = by_enabling },
	{ "ktls.key", "kTLS", DENIED, .open = open_tls, .prepare = prepare_layer, .arg = 1,
	  .attempt = by_enabling },
	{ "ktls.write", "kTLS", .open = open_tls, .prepare = prepare_tls, .attempt = by_write },
	{ "ktls.sendmsg", "kTLS", .open = open_tls, .prepare = prepare_tls,
	  .attempt = by_sendmsg },
	{ "ktls.more", "kTLS", .open = open_tls, .prepare = prepare_tls, .attempt = by_more },
	{ "ktls.sendfile", "kTLS", .open = open_tls, .prepare = prepare_tls,
	  .attempt = by_sendfile },
	{ "ktls.record", "kTLS", .open = open_tls, .prepare = prepare_tls, .attempt = by_record,
	  .look = look_records },
};

ESCAPE_MAIN(rows)
