// SPDX-License-Identifier: GPL-2.0
/* Buffers of the further families of sockets, changed while a held send reads them. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/tls.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race_memory.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define RCVBUF (64 << 20)
#define PROTOCOL 253		/* for experiments */
#define ETHER_TYPE 0x88b7	/* likewise */

static void deepen(int fd)
{
	int size = RCVBUF;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

/* Two ends of a listener; absent here: the error. */
static int connected(struct race *x, int type, int proto, struct sockaddr *sa, socklen_t len)
{
	int lfd = socket(sa->sa_family, type, proto), err = 0;

	race_memory_init(x);
	if (lfd < 0 || bind(lfd, sa, len) || getsockname(lfd, sa, &len) || listen(lfd, 1))
		return -errno;
	x->rx[0] = socket(sa->sa_family, type, proto);
	if (x->rx[0] < 0 || connect(x->rx[0], sa, len))
		err = -errno;
	if (!err)
		x->tx[0] = accept(lfd, NULL, NULL);
	close(lfd);
	return err ? err : x->tx[0] < 0 ? -errno : 0;
}

static int open_tcp6(struct race *x)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return connected(x, SOCK_STREAM, 0, (struct sockaddr *)&sin6, sizeof(sin6));
}

static int open_mptcp(struct race *x)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connected(x, SOCK_STREAM, IPPROTO_MPTCP, (struct sockaddr *)&sin, sizeof(sin));
}

static int open_vsock(struct race *x, int type)
{
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL,
				  .svm_port = VMADDR_PORT_ANY };

	if (system("modprobe -q vsock_loopback"))
		return -ENODEV;
	return connected(x, type, 0, (struct sockaddr *)&vm, sizeof(vm));
}

static int open_vsock_stream(struct race *x)
{
	return open_vsock(x, SOCK_STREAM);
}

static int open_vsock_seqpacket(struct race *x)
{
	return open_vsock(x, SOCK_SEQPACKET);
}

static int open_ktls(struct race *x)
{
	struct tls12_crypto_info_aes_gcm_128 info = {
		.info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 },
	};
	int err;

	race_memory_init(x);
	if (system("modprobe -q tls"))
		return -ENODEV;
	err = race_pair(x, 0, CH_TCP);
	if (err)
		return err;
	if (setsockopt(x->rx[0], SOL_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	    setsockopt(x->tx[0], SOL_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	    setsockopt(x->rx[0], SOL_TLS, TLS_RX, &info, sizeof(info)) ||
	    setsockopt(x->tx[0], SOL_TLS, TLS_TX, &info, sizeof(info)))
		return -errno;
	return 0;
}

static int open_udp(struct race *x)
{
	race_memory_init(x);
	return race_pair(x, 0, CH_UDP);
}

static int open_udp6(struct race *x)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(sin6);

	race_memory_init(x);
	x->rx[0] = socket(AF_INET6, SOCK_DGRAM, 0);
	x->tx[0] = socket(AF_INET6, SOCK_DGRAM, 0);
	deepen(x->rx[0]);
	if (bind(x->rx[0], (struct sockaddr *)&sin6, len) ||
	    getsockname(x->rx[0], (struct sockaddr *)&sin6, &len) ||
	    connect(x->tx[0], (struct sockaddr *)&sin6, len))
		return -errno;
	return 0;
}

static int open_raw(struct race *x)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	race_memory_init(x);
	x->rx[0] = socket(AF_INET, SOCK_RAW, PROTOCOL);
	x->tx[0] = socket(AF_INET, SOCK_RAW, PROTOCOL);
	deepen(x->rx[0]);
	return connect(x->tx[0], (struct sockaddr *)&sin, sizeof(sin)) ? -errno : 0;
}

/* A process that has one is not enrolled: the member makes its end itself, */
static int open_packet(struct race *x)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHER_TYPE),
				  .sll_ifindex = if_nametoindex("lo"), .sll_halen = ETH_ALEN };

	race_memory_init(x);
	memcpy(&race_memory(x)->name[0], &ll, sizeof(ll));
	return 0;
}

static void make_packet(struct race *x)
{
	x->tx[0] = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (x->tx[0] < 0)
		_exit(3);
}

/* and the outside makes its own after the member was forked. */
static int listen_packet(struct race *x)
{
	x->rx[0] = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	deepen(x->rx[0]);
	return bind(x->rx[0], (struct sockaddr *)&race_memory(x)->name[0],
		    sizeof(struct sockaddr_ll)) ? -errno : 0;
}

static long by_packet(struct race *x, unsigned int i)
{
	struct race_memory *l = race_memory(x);

	return race_result(sendto(x->tx[0], l->buf[0], race_length(i), 0,
				  (struct sockaddr *)&l->name[0], sizeof(struct sockaddr_ll)));
}

/* A connection of vsock does not survive hundreds of short messages that nobody reads. */
static void few(struct policy *p)
{
	p->max_bytes = 16 << 10;
}

#define ANYBODY .flippers = BY_THREAD | BY_VM | BY_OUTSIDER
#define CONTENTS(name_, channel_, covers_)						\
	{ .row = "race.buffer." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = race_write, .flip = flip_contents, .content = true, .exact = true,	\
	  ANYBODY, .note = "the buffer is rewritten while it is read", .covers = covers_ }

static const struct race_case cases[] = {
	{ .row = "race.control.net", .open = open_udp, .flip = flip_contents,
	  .fooled = fooled_by_contents },
	CONTENTS(tcp6, "TCP", "tcp6.send"),
	CONTENTS(udp6, "UDP", NULL),
	CONTENTS(mptcp, "MPTCP", "mptcp.send mptcp.writev"),
	CONTENTS(vsock_stream, "vsock", "vsock-stream.send vsock-stream.close"),
	{ .row = "race.buffer.vsock_seqpacket", .channel = "vsock", .open = open_vsock_seqpacket,
	  .policy = few, .attempt = race_write, .flip = flip_contents, .content = true,
	  .exact = true, ANYBODY, .note = "the buffer is rewritten while it is read",
	  .covers = "vsock-seqpacket.send" },
	CONTENTS(ktls, "kTLS", "ktls.write ktls.sendmsg ktls.more ktls.record"),
	{ .row = "race.buffer.raw", .channel = "raw", .open = open_raw, .attempt = race_write,
	  .flip = flip_contents, .content = true, .exact = true, ANYBODY,
	  .header = sizeof(struct iphdr), .note = "the buffer is rewritten while it is read",
	  .covers = "raw.send raw.header raw.icmp icmp.send" },
	{ .row = "race.buffer.packet", .channel = "AF_PACKET", .open = open_packet,
	  .ready = listen_packet, .prepare = make_packet, .attempt = by_packet, .flip = flip_contents,
	  .content = true, .exact = true, ANYBODY,
	  .note = "the buffer is rewritten while it is read",
	  .covers = "packet.dgram packet.raw" },
};

RACE_MAIN(cases)
