// SPDX-License-Identifier: GPL-2.0
/* Below the transport: raw sockets, packet sockets, rings, XDP, tunnels, and what the stack sends by itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

#define PROTOCOL 253		/* for experiments; raw.* rows */
#define ETHER_TYPE 0x88b5	/* likewise, and the next ones */

/* arg: the IP protocol. rx gets header and payload. */
static int open_raw(struct esc *x)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&x->to;

	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	x->tolen = sizeof(*sin);
	x->rx = socket(AF_INET, SOCK_RAW, x->row->arg);
	x->tx = socket(AF_INET, SOCK_RAW, x->row->kind ? IPPROTO_RAW : x->row->arg);
	return x->rx < 0 || x->tx < 0 ? -errno : 0;
}

static void look_raw(struct esc *x)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(x->rx, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		size_t header = ((struct iphdr *)buf)->ihl * 4;

		esc_take_message(x, buf + header, n - header);
	}
}

static int by_raw(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(sendto(x->tx, t, TOKEN, 0, (struct sockaddr *)&x->to, x->tolen), TOKEN);
}

static size_t ip_packet(char *buf, struct esc *x, unsigned int i, uint8_t protocol)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = protocol,
			    .saddr = htonl(INADDR_LOOPBACK), .daddr = htonl(INADDR_LOOPBACK),
			    .tot_len = htons(sizeof(ip) + TOKEN) };

	memcpy(buf, &ip, sizeof(ip));
	esc_token(x, buf + sizeof(ip), i, 0);
	return sizeof(ip) + TOKEN;
}

static int by_own_header(struct esc *x, unsigned int i)
{
	char buf[128];
	size_t n = ip_packet(buf, x, i, x->row->arg);

	return esc_result(sendto(x->tx, buf, n, 0, (struct sockaddr *)&x->to, x->tolen), n);
}

/* arg: raw (0) or datagram (1). number[0]: the identifier of our echo requests. */
static int open_icmp(struct esc *x)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	open_raw(x);
	close(x->rx);
	close(x->tx);
	x->number[0] = 0x5e00 + x->row->arg;
	write_file("/proc/sys/net/ipv4/ping_group_range", "0 0");
	x->rx = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	x->tx = socket(AF_INET, x->row->arg ? SOCK_DGRAM : SOCK_RAW, IPPROTO_ICMP);
	sin.sin_port = htons(x->number[0]);
	if (x->tx < 0 || (x->row->arg && bind(x->tx, (struct sockaddr *)&sin, sizeof(sin))))
		return esc_lack(x, -errno, "ping sockets");
	return 0;
}

static void look_icmp(struct esc *x)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(x->rx, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		size_t header = ((struct iphdr *)buf)->ihl * 4;
		struct icmphdr *icmp = (struct icmphdr *)(buf + header);

		if (icmp->type == ICMP_ECHO && ntohs(icmp->un.echo.id) == x->number[0])
			esc_take_message(x, icmp + 1, n - header - sizeof(*icmp));
	}
}

static uint16_t checksum(const void *p, size_t n)
{
	const uint16_t *word = p;
	uint32_t sum = 0;

	for (; n > 1; n -= 2)
		sum += *word++;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static int by_echo(struct esc *x, unsigned int i)
{
	struct {
		struct icmphdr icmp;
		char text[TOKEN];
	} m = { .icmp.type = ICMP_ECHO };

	m.icmp.un.echo.id = htons(x->number[0]);
	m.icmp.un.echo.sequence = htons(i);
	esc_token(x, m.text, i, 0);
	m.icmp.checksum = checksum(&m, sizeof(m));
	return esc_result(sendto(x->tx, &m, sizeof(m), 0, (struct sockaddr *)&x->to, x->tolen),
			  sizeof(m));
}

static int packet_socket(int type, int protocol, unsigned int ifindex, struct sockaddr_ll *ll)
{
	int fd = socket(AF_PACKET, type, 0);

	memset(ll, 0, sizeof(*ll));
	ll->sll_family = AF_PACKET;
	ll->sll_protocol = htons(protocol);
	ll->sll_ifindex = ifindex;
	ll->sll_halen = ETH_ALEN;
	if (fd >= 0 && protocol && bind(fd, (struct sockaddr *)ll, sizeof(*ll)))
		return -errno;
	return fd < 0 ? -errno : fd;
}

/*
 * arg: added to ETHER_TYPE; kind: SOCK_DGRAM or SOCK_RAW of the member's end,
 * which it makes itself, for a process that has one is not enrolled.
 */
static int open_packet(struct esc *x)
{
	struct sockaddr_ll ll;
	unsigned int lo = if_nametoindex("lo");

	x->rx = packet_socket(SOCK_DGRAM, ETHER_TYPE + x->row->arg, lo, &ll);
	memcpy(&x->to, &ll, sizeof(ll));
	x->tolen = sizeof(ll);
	return x->rx < 0 ? x->rx : 0;
}

static int own_socket(struct esc *x)
{
	struct sockaddr_ll ll;

	if (!x->tx)
		x->tx = packet_socket(x->row->kind, 0, 0, &ll);
	return x->tx < 0 ? x->tx : 0;
}

static size_t frame(char *buf, struct esc *x, unsigned int i)
{
	struct ethhdr eth = { .h_proto = htons(ETHER_TYPE + x->row->arg) };

	memcpy(buf, &eth, sizeof(eth));
	esc_token(x, buf + sizeof(eth), i, 0);
	return sizeof(eth) + TOKEN;
}

static int by_frame(struct esc *x, unsigned int i)
{
	char buf[128];
	size_t n = frame(buf, x, i);
	int err = own_socket(x);

	if (err)
		return err;
	if (x->row->kind == SOCK_DGRAM)
		return by_raw(x, i);
	return esc_result(sendto(x->tx, buf, n, 0, (struct sockaddr *)&x->to, x->tolen), n);
}

#define FRAME_SIZE 2048
#define FRAMES 64

static char *tx_ring;

static int make_ring(struct esc *x)
{
	struct tpacket_req req = { FRAME_SIZE * FRAMES, 1, FRAME_SIZE, FRAMES };
	int err = own_socket(x);

	if (err)
		return err;
	if (setsockopt(x->tx, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)))
		return -errno;
	tx_ring = mmap(NULL, FRAME_SIZE * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, x->tx, 0);
	if (tx_ring == MAP_FAILED)
		return -errno;
	return bind(x->tx, (struct sockaddr *)&x->to, x->tolen) ? -errno : 0;
}

static int by_tx_ring(struct esc *x, unsigned int i)
{
	struct tpacket_hdr *h;
	int err;

	if (!tx_ring) {
		err = make_ring(x);
		if (err)
			return err;
	}
	h = (struct tpacket_hdr *)(tx_ring + i % FRAMES * FRAME_SIZE);
	h->tp_len = frame((char *)h + TPACKET_HDRLEN - sizeof(struct sockaddr_ll), x, i);
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	return send(x->tx, NULL, 0, 0) < 0 ? -errno : 0;
}

#define TUNNEL "shtun0"

static int attach_tunnel(int flags)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | flags };
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd < 0)
		return -errno;
	strcpy(ifr.ifr_name, TUNNEL);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* A tunnel that stays; what comes out of it is IP from elsewhere. */
static int open_tunnel(struct esc *x)
{
	struct sockaddr_ll ll;
	int fd;

	if (system("modprobe -q tun"))
		return esc_lack(x, -ENOENT, "tun");
	fd = attach_tunnel(0);
	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNSETPERSIST, 1) || system("ip link set " TUNNEL " up"))
		return -EIO;
	x->rx = packet_socket(SOCK_DGRAM, ETH_P_IP, if_nametoindex(TUNNEL), &ll);
	if (x->row->arg)
		x->tx = fd;
	else
		close(fd);
	return x->rx < 0 ? x->rx : 0;
}

static void close_tunnel(struct esc *x)
{
	(void)x;
	system("ip link del " TUNNEL " 2> /dev/null");
}

static void look_tunnel(struct esc *x)
{
	char buf[256];
	ssize_t n;

	while ((n = recv(x->rx, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct iphdr *ip = (struct iphdr *)buf;

		if (ip->version == 4 && ip->protocol == PROTOCOL + 1)
			esc_take_message(x, buf + sizeof(*ip), n - sizeof(*ip));
	}
}

static int by_tunnel(struct esc *x, unsigned int i)
{
	int fd = x->tx, err;
	char buf[128];
	size_t n = ip_packet(buf, x, i, PROTOCOL + 1);

	if (!fd) {
		fd = attach_tunnel(0);
		if (fd < 0)
			return fd;
	}
	err = esc_result(write(fd, buf, n), n);
	if (fd != x->tx)
		close(fd);
	return err;
}

/* A link with nobody at its other end but us; arg: its number. */
static int open_link(struct esc *x)
{
	static const char commands[] =
		"ip link add %s type veth peer name shin%d && "
		"ip addr add %s.1/24 dev %s && "
		"ip link set shin%d arp off up && "
		"ip link set %s up";
	struct sockaddr_ll ll;
	char command[256], name[16];
	int on = 1;

	snprintf(name, sizeof(name), "shout%d", x->row->arg);
	snprintf(command, sizeof(command), commands, name, x->row->arg,
		 x->row->arg ? "192.0.2" : "198.51.100", name, x->row->arg, name);
	if (system("modprobe -q veth") || system(command))
		return esc_lack(x, -ENOENT, "veth");
	x->number[0] = if_nametoindex(name);
	snprintf(name, sizeof(name), "shin%d", x->row->arg);
	x->rx = packet_socket(SOCK_DGRAM, x->row->kind, if_nametoindex(name), &ll);
	x->tx = socket(AF_INET, SOCK_DGRAM, 0);
	if (setsockopt(x->tx, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)))
		return -errno;
	return x->rx < 0 ? x->rx : 0;
}

static void close_link(struct esc *x)
{
	char command[64];

	snprintf(command, sizeof(command), "ip link del shout%d 2> /dev/null", x->row->arg);
	system(command);
}

/* number[1]: the set of those that came. The stack repeats them, and may turn their order. */
static void took_address(struct esc *x, uint32_t first, uint32_t address)
{
	uint32_t at = address - first;

	if (at >= 32 || x->number[1] & (1LL << at))
		return;
	x->number[1] |= 1LL << at;
	esc_took(x, 1);
}

static uint32_t word_at(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return ntohl(word);
}

#define GROUP 0xef010100U	/* 239.1.1.0 */
#define NEIGHBOUR 0xc0000202U	/* 192.0.2.2 */

static int by_join(struct esc *x, unsigned int i)
{
	struct ip_mreqn m = { .imr_multiaddr.s_addr = htonl(GROUP + i),
			      .imr_ifindex = x->number[0] };

	return setsockopt(x->tx, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) ? -errno : 0;
}

/* IGMPv3 reports: records of 8 bytes behind a header of 8. */
static void look_igmp(struct esc *x)
{
	char buf[2048];
	ssize_t n, at;

	while ((n = recv(x->rx, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		struct iphdr *ip = (struct iphdr *)buf;

		at = ip->ihl * 4;
		if (ip->protocol != IPPROTO_IGMP || buf[at] != 0x22)
			continue;
		for (at += 8; at + 8 <= ntohs(ip->tot_len); at += 8)
			took_address(x, GROUP, word_at(buf + at + 4));
	}
}

/* The data has nowhere to go, but the question for its receiver tells an address. */
static int by_neighbour(struct esc *x, unsigned int i)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9),
				   .sin_addr.s_addr = htonl(NEIGHBOUR + i) };

	return esc_result(sendto(x->tx, "x", 1, 0, (struct sockaddr *)&sin,
				 sizeof(sin)), 1);
}

static void look_arp(struct esc *x)
{
	char buf[256];
	ssize_t n;

	/* Header of 8, sender 6 + 4, target 6, and the address that is asked for. */
	while ((n = recv(x->rx, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		if (n >= 28)
			took_address(x, NEIGHBOUR, word_at(buf + 24));
	}
}

#define RING_NOTE "the kernel reads the ring while the member may change it"

static const struct row rows[] = {
	{ "raw.send", "raw", .open = open_raw, .arg = PROTOCOL, .attempt = by_raw,
	  .look = look_raw },
	{ "raw.header", "raw", .open = open_raw, .arg = PROTOCOL + 1, .kind = 1,
	  .attempt = by_own_header, .look = look_raw },
	{ "raw.icmp", "raw ICMP", .open = open_icmp, .attempt = by_echo, .look = look_icmp },
	{ "icmp.send", "ICMP", .open = open_icmp, .arg = 1, .attempt = by_echo,
	  .look = look_icmp },
	{ "packet.dgram", "AF_PACKET", .open = open_packet, .kind = SOCK_DGRAM, .arg = 0,
	  .attempt = by_frame, .look = look_messages },
	{ "packet.raw", "AF_PACKET", .open = open_packet, .kind = SOCK_RAW, .arg = 1,
	  .attempt = by_frame, .look = look_messages },
	{ "packet.before", "AF_PACKET", ROW_REFUSED, EPERM, "it may have a ring",
	  .open = open_packet, .kind = SOCK_RAW, .arg = 4, .prepare = own_socket,
	  .attempt = by_frame, .look = look_messages },
	{ "packet.tx-ring", "AF_PACKET ring", ROW_DENIED, EPERM, RING_NOTE, .open = open_packet,
	  .kind = SOCK_RAW, .arg = 2, .attempt = by_tx_ring, .look = look_messages },
	{ "packet.tx-ring-before", "AF_PACKET ring", ROW_REFUSED, EPERM, RING_NOTE,
	  .open = open_packet, .kind = SOCK_RAW, .arg = 3, .prepare = make_ring,
	  .attempt = by_tx_ring, .look = look_messages },
	{ "tun.open", "device", ROW_DENIED, EPERM, "opening the device is refused",
	  .open = open_tunnel, .attempt = by_tunnel, .look = look_tunnel,
	  .close = close_tunnel },
	{ "igmp.join", "setsockopt", ROW_DENIED, EPERM, "a report tells the group",
	  .open = open_link, .kind = ETH_P_IP, .arg = 0, .max = 12, .attempt = by_join,
	  .look = look_igmp, .close = close_link },
	{ "arp.resolve", "ARP", .open = open_link, .kind = ETH_P_ARP, .arg = 1, .max = 12,
	  .attempt = by_neighbour, .look = look_arp, .close = close_link },
};

ESCAPE_MAIN(rows)
