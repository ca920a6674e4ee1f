// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP: frames in memory that the member and the kernel share, put out by a kick that passes no
 * tap of ours. No member makes, brings or is given such a socket, or the mapping of its ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define ETHER_TYPE 0x88b5	/* for experiments, and the next ones */
#define FRAME_SIZE 2048
#define FRAMES 64		/* one for each attempt, so none has to come back */
#define ATTEMPTS_MAX 48

struct xdp {
	int fd;
	char *frames, *ring;
	struct xdp_mmap_offsets off;
};

static int ring_map(struct xdp *u)
{
	socklen_t len = sizeof(u->off);

	if (getsockopt(u->fd, SOL_XDP, XDP_MMAP_OFFSETS, &u->off, &len))
		return -errno;
	u->ring = mmap(NULL, u->off.tx.desc + FRAMES * sizeof(struct xdp_desc),
		       PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, XDP_PGOFF_TX_RING);
	if (u->ring != MAP_FAILED)
		return 0;
	u->ring = NULL;
	return -errno;
}

static int xdp_bind(struct xdp *u, unsigned int ifindex)
{
	struct sockaddr_xdp to = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY,
				   .sxdp_ifindex = ifindex };

	return bind(u->fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

/* Its memory and rings, not bound yet: the 6.1 kernel maps no ring of a bound one. */
static int xdp_make(struct xdp *u)
{
	struct xdp_umem_reg reg = { .len = FRAMES * FRAME_SIZE, .chunk_size = FRAME_SIZE };
	int n = FRAMES;

	u->fd = socket(AF_XDP, SOCK_RAW, 0);
	if (u->fd < 0)
		return -errno;
	/* Shared with whoever is born later. */
	u->frames = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (u->frames == MAP_FAILED)
		return -errno;
	reg.addr = (uintptr_t)u->frames;
	if (setsockopt(u->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ||
	    setsockopt(u->fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof(n)) ||
	    setsockopt(u->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof(n)) ||
	    setsockopt(u->fd, SOL_XDP, XDP_TX_RING, &n, sizeof(n)))
		return -errno;
	return 0;
}

static int xdp_open(struct xdp *u, unsigned int ifindex)
{
	int err = xdp_make(u);

	if (!err)
		err = ring_map(u);
	return err ? err : xdp_bind(u, ifindex);
}

/* By stores alone. */
static void xdp_queue(struct xdp *u, struct esc *x, unsigned int i)
{
	struct ethhdr eth = { .h_proto = htons(ETHER_TYPE + x->row->arg) };
	uint32_t *producer = (uint32_t *)(u->ring + u->off.tx.producer);
	struct xdp_desc *desc = (struct xdp_desc *)(u->ring + u->off.tx.desc);
	unsigned int at = i % FRAMES;
	char *frame = u->frames + at * FRAME_SIZE;

	memcpy(frame, &eth, sizeof(eth));
	esc_token(x, frame + sizeof(eth), i, 0);
	desc[at] = (struct xdp_desc){ .addr = at * FRAME_SIZE, .len = sizeof(eth) + TOKEN };
	__atomic_store_n(producer, *producer + 1, __ATOMIC_RELEASE);
}

static int xdp_kick(int fd)
{
	return sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

/* The kernel brings its queues up by a worker: a frame sent before is refused. */
static bool link_comes_up(const char *name)
{
	int64_t end = now_ms() + BOUND;
	char path[64], state[16] = "";

	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", name);
	while (slurp(path, state, sizeof(state)) >= 0 && strcmp(state, "up\n") && now_ms() < end)
		pause_ms(2);
	return !strcmp(state, "up\n");
}

/* A link of two ends for each row; arg is its number. rx listens at the far end. */
static int open_link(struct esc *x)
{
	static const char commands[] =
		"ip link add shx%1$d type veth peer name shy%1$d && "
		"ip link set shx%1$d arp off up && ip link set shy%1$d arp off up";
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETHER_TYPE + x->row->arg) };
	char command[256], name[16];
	struct xdp *u = calloc(1, sizeof(*u));

	x->priv = u;
	snprintf(command, sizeof(command), commands, x->row->arg);
	if (!u || system("modprobe -q veth") || system(command))
		return esc_lack(x, -ENOENT, "veth");
	snprintf(name, sizeof(name), "shx%d", x->row->arg);
	if (!link_comes_up(name))
		return -ENETDOWN;
	x->number[0] = if_nametoindex(name);
	snprintf(name, sizeof(name), "shy%d", x->row->arg);
	ll.sll_ifindex = if_nametoindex(name);
	x->rx = socket(AF_PACKET, SOCK_DGRAM, 0);
	return bind(x->rx, (struct sockaddr *)&ll, sizeof(ll)) ? -errno : 0;
}

static void close_link(struct esc *x)
{
	struct xdp *u = x->priv;
	char command[64];

	snprintf(command, sizeof(command), "ip link del shx%d 2> /dev/null", x->row->arg);
	if (u && u->ring)
		munmap(u->ring, u->off.tx.desc + FRAMES * sizeof(struct xdp_desc));
	if (u && u->frames && u->frames != MAP_FAILED)
		munmap(u->frames, FRAMES * FRAME_SIZE);
	if (u && u->fd > 0)
		close(u->fd);
	if (x->number[1] > 0)
		close(x->number[1]);
	free(u);
	if (system(command))
		esc_wrong(x, "the link stays");
}

static int own_socket(struct esc *x)
{
	struct xdp *u = x->priv;

	return u->ring ? 0 : xdp_open(u, x->number[0]);
}

static int by_own(struct esc *x, unsigned int i)
{
	struct xdp *u = x->priv;
	int err = own_socket(x);

	if (err)
		return err;
	xdp_queue(u, x, i);
	return xdp_kick(u->fd);
}

/* An outsider's socket, which fd[0] brings in messages. */
static int open_passed(struct esc *x)
{
	struct xdp *u;
	int err = open_link(x), sv[2];

	if (err)
		return err;
	u = x->priv;
	err = xdp_make(u);
	if (err || socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return err ? err : -errno;
	x->number[1] = sv[0];
	x->fd[0] = sv[1];
	return send_fd(sv[0], u->fd, ATTEMPTS_MAX);
}

static int by_passed(struct esc *x, unsigned int i)
{
	struct xdp *u = x->priv;
	int fd = recv_fd(x->fd[0]), err = 0;

	if (fd < 0)
		return fd;
	/* The frames are inherited memory. */
	if (!u->ring) {
		u->fd = fd;
		err = ring_map(u);
		if (!err)
			err = xdp_bind(u, x->number[0]);
	}
	if (err)
		return err;
	xdp_queue(u, x, i);
	err = xdp_kick(fd);
	if (fd != u->fd)
		close(fd);
	return err;
}

/* The outsider keeps the descriptor and kicks; the member has the ring by inheritance. */
static int open_mapped(struct esc *x)
{
	int err = open_link(x);

	return err ? err : xdp_open(x->priv, x->number[0]);
}

static int by_mapped(struct esc *x, unsigned int i)
{
	xdp_queue(x->priv, x, i);
	return 0;
}

static void look_mapped(struct esc *x)
{
	struct xdp *u = x->priv;

	xdp_kick(u->fd);
	look_messages(x);
}

#define RING_NOTE "the kernel reads the ring while the member may change it"
#define DENIED ROW_DENIED, EPERM, RING_NOTE
#define REFUSED ROW_REFUSED, EPERM, RING_NOTE
#define XDP(number) .arg = (number), .max = ATTEMPTS_MAX, .close = close_link

static const struct row rows[] = {
	{ "xdp.socket", "AF_XDP", DENIED, .open = open_link, XDP(0), .attempt = by_own,
	  .look = look_messages },
	{ "xdp.before", "AF_XDP", REFUSED, .open = open_link, XDP(1), .prepare = own_socket,
	  .attempt = by_own, .look = look_messages },
	{ "xdp.passed", "SCM_RIGHTS", DENIED, .open = open_passed, XDP(2),
	  .attempt = by_passed, .look = look_messages },
	/* The last one: the members of rows behind it would have the mapping, too. */
	{ "xdp.mapped", "AF_XDP", REFUSED, .open = open_mapped, XDP(3), .attempt = by_mapped,
	  .look = look_mapped,
	  .unfrozen = "another task drives the ring once the member has it" },
};

ESCAPE_MAIN(rows)
