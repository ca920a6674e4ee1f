// SPDX-License-Identifier: GPL-2.0
/* Sockets beyond the ordinary: addresses, other protocols, flags that change how data leaves. */
#include <errno.h>
#include <linux/udp.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "calls.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef MSG_PROBE
#define MSG_PROBE 0x10		/* not in the C library: no data goes out */
#endif

#define MESSAGES .look = look_messages

static int bound(struct esc *x, int fd, struct sockaddr *sa, socklen_t len)
{
	if (fd < 0 || bind(fd, sa, len) || getsockname(fd, sa, &len))
		return -errno;
	memcpy(&x->to, sa, len);
	x->tolen = len;
	return 0;
}

/* Two ends of a listener at an address of any family. */
static int connected(struct esc *x, int type, int proto, struct sockaddr *sa, socklen_t len)
{
	int lfd = socket(sa->sa_family, type, proto), err;

	if (lfd < 0)
		return esc_lack(x, -errno, "this kind of socket");
	err = bound(x, lfd, sa, len);
	x->tolen = 0;
	if (!err && listen(lfd, 1))
		err = -errno;
	x->rx = socket(sa->sa_family, type, proto);
	if (!err && connect(x->rx, sa, len))
		err = -errno;
	if (!err)
		x->tx = accept(lfd, NULL, NULL);
	close(lfd);
	return err ? err : x->tx < 0 ? -errno : 0;
}

static struct sockaddr_in local4(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int open_udp(struct esc *x)
{
	struct sockaddr_in sin = local4();

	x->rx = socket(AF_INET, SOCK_DGRAM, 0);
	x->tx = socket(AF_INET, SOCK_DGRAM, 0);
	return bound(x, x->rx, (struct sockaddr *)&sin, sizeof(sin));
}

static int open_udp6(struct esc *x)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	x->rx = socket(AF_INET6, SOCK_DGRAM, 0);
	x->tx = socket(AF_INET6, SOCK_DGRAM, 0);
	if (x->rx < 0)
		return esc_lack(x, -errno, "IPv6");
	return bound(x, x->rx, (struct sockaddr *)&sin6, sizeof(sin6));
}

static int open_tcp6(struct esc *x)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return connected(x, SOCK_STREAM, 0, (struct sockaddr *)&sin6, sizeof(sin6));
}

static int open_mptcp(struct esc *x)
{
	struct sockaddr_in sin = local4();

	return connected(x, SOCK_STREAM, IPPROTO_MPTCP, (struct sockaddr *)&sin, sizeof(sin));
}

static int open_vsock(struct esc *x)
{
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL,
				  .svm_port = VMADDR_PORT_ANY };

	if (system("modprobe -q vsock_loopback"))
		return esc_lack(x, -ENOENT, "vsock_loopback");
	return connected(x, x->row->arg, 0, (struct sockaddr *)&vm, sizeof(vm));
}

static int by_plain_send(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(send(x->tx, t, TOKEN, 0), TOKEN);
}

static socklen_t unix_name(struct sockaddr_un *sun, bool abstract)
{
	static unsigned int serial;
	int n;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path + abstract, sizeof(sun->sun_path) - 1, "%s.%d.%u",
		     abstract ? "selfheal" : "/tmp/selfheal", getpid(), serial++);
	return offsetof(struct sockaddr_un, sun_path) + n + 1;
}

/* arg: abstract */
static int open_unix_name(struct esc *x)
{
	struct sockaddr_un sun;
	socklen_t len = unix_name(&sun, x->row->arg);

	x->rx = socket(AF_UNIX, SOCK_DGRAM, 0);
	x->tx = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(x->rx, (struct sockaddr *)&sun, len))
		return -errno;
	memcpy(&x->to, &sun, len);
	x->tolen = len;
	if (!x->row->arg)
		snprintf(x->path, sizeof(x->path), "%s", sun.sun_path);
	return 0;
}

static int by_name(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(sendto(x->tx, t, TOKEN, 0, (struct sockaddr *)&x->to, x->tolen), TOKEN);
}

static int open_unix_listen(struct esc *x)
{
	struct sockaddr_un sun;
	socklen_t len = unix_name(&sun, true);

	x->rx = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(x->rx, (struct sockaddr *)&sun, len) || listen(x->rx, 64))
		return -errno;
	memcpy(&x->to, &sun, len);
	x->tolen = len;
	return accept_init(x, true);
}

static int open_tcp_listen(struct esc *x)
{
	struct sockaddr_in sin;
	int on = 64;

	x->rx = tcp_listen(&sin);
	if (x->rx < 0)
		return x->rx;
	listen(x->rx, 64);
	/* Both sides do without a cookie. */
	if (write_file("/proc/sys/net/ipv4/tcp_fastopen", "519") ||
	    setsockopt(x->rx, SOL_TCP, TCP_FASTOPEN, &on, sizeof(on)))
		return esc_lack(x, -errno, "TCP fast open");
	memcpy(&x->to, &sin, sizeof(sin));
	x->tolen = sizeof(sin);
	return accept_init(x, true);
}

/* Connect, one token, close. arg: TCP_FASTOPEN_CONNECT first. */
static int by_connection(struct esc *x, unsigned int i)
{
	int s = socket(x->to.ss_family, SOCK_STREAM, 0), on = 1, err = 0;
	char t[TOKEN];

	if (s < 0)
		return -errno;
	esc_token(x, t, i, 0);
	if ((x->row->arg && setsockopt(s, SOL_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on))) ||
	    connect(s, (struct sockaddr *)&x->to, x->tolen))
		err = -errno;
	if (!err)
		err = esc_result(write(s, t, TOKEN), TOKEN);
	close(s);
	return err;
}

static int by_fastopen(struct esc *x, unsigned int i)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), err;
	char t[TOKEN];

	if (s < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(sendto(s, t, TOKEN, MSG_FASTOPEN, (struct sockaddr *)&x->to, x->tolen),
			 TOKEN);
	close(s);
	return err;
}

static int open_oob(struct esc *x)
{
	struct pair p;
	int err = pair_open(&p, x->row->kind), on = 1;

	x->rx = p.rx;
	x->tx = p.tx;
	if (!err && setsockopt(x->rx, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)))
		err = -errno;
	return err;
}

static int prepare_zerocopy(struct esc *x)
{
	int on = 1;

	return setsockopt(x->tx, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) ? -errno : 0;
}

static int by_zerocopy(struct esc *x, unsigned int i)
{
	int err = prepare_zerocopy(x);

	return err ? err : by_send(x, i);
}

/* Something that must never arrive, then a token. */
static int by_probe(struct esc *x, unsigned int i)
{
	int err = esc_result(send(x->tx, "a probe is no message", 21, MSG_PROBE), 21);

	return err ? err : by_plain_send(x, i);
}

static int by_cork(struct esc *x, unsigned int i)
{
	int on = 1, off = 0, err;
	char t[TOKEN];

	esc_token(x, t, i, 0);
	if (setsockopt(x->tx, SOL_UDP, UDP_CORK, &on, sizeof(on)))
		return -errno;
	err = esc_result(send(x->tx, t, 6, 0), 6);
	if (!err)
		err = esc_result(send(x->tx, t + 6, TOKEN - 6, 0), TOKEN - 6);
	if (setsockopt(x->tx, SOL_UDP, UDP_CORK, &off, sizeof(off)) && !err)
		err = -errno;
	return err;
}

/* number[0]: a second receiver, to which nothing was sent. */
static int open_redirected(struct esc *x)
{
	struct sockaddr_in sin = local4();
	int err;

	x->number[0] = socket(AF_INET, SOCK_DGRAM, 0);
	err = bound(x, x->number[0], (struct sockaddr *)&sin, sizeof(sin));
	if (err)
		return err;
	memcpy((char *)&x->to + sizeof(sin), &sin, sizeof(sin));
	return open_udp(x);
}

static int by_redirection(struct esc *x, unsigned int i)
{
	struct sockaddr_in *two = (struct sockaddr_in *)&x->to;
	char t[TOKEN];
	int err;

	esc_token(x, t, i, 0);
	if (connect(x->tx, (struct sockaddr *)&two[0], sizeof(two[0])))
		return -errno;
	err = esc_result(write(x->tx, t, TOKEN), TOKEN);
	if (connect(x->tx, (struct sockaddr *)&two[1], sizeof(two[1])))
		return -errno;
	return err;
}

static void look_redirected(struct esc *x)
{
	look_messages(x);
	if (rx_ready(x->number[0], 0))
		esc_wrong(x, "a message went to the address that was connected after it");
}

static void close_redirected(struct esc *x)
{
	close(x->number[0]);
}

/* Order is kept within a connection; each token here has one of its own. */
#define ACCEPTED .look = look_accept, .close = close_accept, .apart = true

#define ZEROCOPY_NOTE "the kernel sends from the buffer after the call"

static const struct row rows[] = {
	{ "udp.sendto", "UDP", .open = open_udp, .attempt = by_sendto, MESSAGES },
	{ "udp.sendmsg-to", "UDP", .open = open_udp, .attempt = by_sendmsg, MESSAGES },
	{ "udp.sendmmsg-to", "UDP", .open = open_udp, .per = 3, .attempt = by_sendmmsg, MESSAGES },
	{ "udp.more-to", "MSG_MORE", .open = open_udp, .attempt = by_more, MESSAGES },
	{ "udp.confirm", "MSG_CONFIRM", .kind = CH_UDP, .arg = MSG_CONFIRM, .attempt = by_send,
	  MESSAGES },
	{ "udp.probe", "MSG_PROBE", .kind = CH_UDP, .attempt = by_probe, MESSAGES },
	{ "udp.cork", "setsockopt", ROW_DENIED, EPERM,
	  "held pieces would lose their boundary; MSG_MORE is kept", .kind = CH_UDP,
	  .attempt = by_cork, MESSAGES },
	{ "udp.redirect", "connect", .open = open_redirected, .attempt = by_redirection,
	  .look = look_redirected, .close = close_redirected },
	{ "udp6.sendto", "UDP", .open = open_udp6, .attempt = by_sendto, MESSAGES },
	{ "tcp6.send", "TCP", .open = open_tcp6, .attempt = by_plain_send },
	{ "tcp.connection", "connect", .open = open_tcp_listen, .attempt = by_connection,
	  .note = "the connection is made, its data and end wait", ACCEPTED },
	{ "tcp.fastopen", "MSG_FASTOPEN", ROW_DENIED, EOPNOTSUPP,
	  "a send that connects cannot be held; programs fall back", .open = open_tcp_listen,
	  .attempt = by_fastopen, ACCEPTED },
	{ "tcp.fastopen-connect", "MSG_FASTOPEN", .open = open_tcp_listen, .arg = 1,
	  .attempt = by_connection, ACCEPTED },
	{ "tcp.oob", "MSG_OOB", .open = open_oob, .kind = CH_TCP, .arg = MSG_OOB,
	  .attempt = by_send },
	{ "unix-stream.oob", "MSG_OOB", .open = open_oob, .kind = CH_UNIX_STREAM, .arg = MSG_OOB,
	  .attempt = by_send },
	{ "tcp.zerocopy", "MSG_ZEROCOPY", ROW_DENIED, EPERM, "SO_ZEROCOPY is refused; programs fall back",
	  .kind = CH_TCP, .arg = MSG_ZEROCOPY, .attempt = by_zerocopy, .unfrozen = ZEROCOPY_NOTE },
	{ "tcp.zerocopy-before", "MSG_ZEROCOPY", ROW_DENIED, ENOBUFS,
	  "set before enrolment; programs fall back", .kind = CH_TCP, .arg = MSG_ZEROCOPY,
	  .prepare = prepare_zerocopy, .attempt = by_send, .unfrozen = ZEROCOPY_NOTE },
	{ "mptcp.send", "MPTCP", .open = open_mptcp, .attempt = by_plain_send },
	{ "mptcp.writev", "MPTCP", .open = open_mptcp, .attempt = by_writev },
	{ "vsock-stream.send", "vsock", .open = open_vsock, .arg = SOCK_STREAM,
	  .attempt = by_plain_send },
	{ "vsock-seqpacket.send", "vsock", .open = open_vsock, .arg = SOCK_SEQPACKET,
	  .attempt = by_plain_send, MESSAGES },
	{ "unix-dgram.path", "unix", .open = open_unix_name, .attempt = by_name, MESSAGES },
	{ "unix-dgram.abstract", "unix abstract", .open = open_unix_name, .arg = 1,
	  .attempt = by_name, MESSAGES },
	{ "unix-stream.connection", "unix abstract", .open = open_unix_listen,
	  .attempt = by_connection, .note = "the connection is made, its data and end wait",
	  ACCEPTED },
};

ESCAPE_MAIN(rows)
