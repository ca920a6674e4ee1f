// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers and vectors that change while a held call reads them: what is held is one copy, and
 * that copy is what arrives.
 */
#include "race_memory.h"

static int open_kind(struct race *x, enum channel_kind kind)
{
	race_memory_init(x);
	return race_pair(x, 0, kind);
}

#define OPEN(name, kind)				\
	static int open_##name(struct race *x)		\
	{						\
		return open_kind(x, kind);		\
	}

OPEN(pipe, CH_PIPE)
OPEN(fifo, CH_FIFO)
OPEN(pty, CH_PTY)
OPEN(tcp, CH_TCP)
OPEN(udp, CH_UDP)
OPEN(unix_stream, CH_UNIX_STREAM)
OPEN(unix_dgram, CH_UNIX_DGRAM)
OPEN(unix_seqpacket, CH_UNIX_SEQPACKET)
OPEN(netlink, CH_NETLINK)

#define ANYBODY .flippers = BY_THREAD | BY_VM | BY_OUTSIDER

#define CONTENTS(name_, channel_, covers_)						\
	{ .row = "race.buffer." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = race_write, .flip = flip_contents, .content = true, .exact = true,	\
	  ANYBODY, .note = "the buffer is rewritten while it is read", .covers = covers_ }
#define VECTOR(name_, channel_, covers_)						\
	{ .row = "race.iovec." #name_, .channel = channel_, .open = open_##name_,	\
	  .attempt = race_writev, .flip = flip_vector, .content = true, .exact = true,	\
	  ANYBODY, .note = "the vector is rewritten while it is read", .covers = covers_ }

static const struct race_case cases[] = {
	{ .row = "race.control.buffer", .open = open_pipe, .flip = flip_contents,
	  .fooled = fooled_by_contents },
	CONTENTS(pipe, "pipe",
		 "pipe.write pipe.packets pipe.dup pipe.reopen pipe.close unix.gift-pipe"),
	CONTENTS(fifo, "FIFO", "fifo.write fifo.path"),
	CONTENTS(pty, "terminal", "pty.write pty.master"),
	CONTENTS(tcp, "TCP", "tcp.write tcp.send tcp.send-nosignal tcp.send-dontwait tcp.sendto "
		 "tcp.more tcp.oob tcp.connection tcp.fastopen-connect tcp.close tcp.shutdown "
		 "tcp.reset unix.gift-tcp"),
	CONTENTS(udp, "UDP", "udp.write udp.more udp.confirm udp.probe arp.resolve"),
	CONTENTS(unix_stream, "unix", "unix-stream.write unix-stream.oob unix-stream.connection "
		 "unix-stream.close unix-stream.shutdown f_setown.kept"),
	CONTENTS(unix_seqpacket, "unix", "unix-seqpacket.write"),
	CONTENTS(netlink, "netlink", "netlink.send"),
	{ .row = "race.buffer.unix_dgram", .channel = "unix", .open = open_unix_dgram,
	  .attempt = race_send, .flip = flip_contents, .content = true, .exact = true, ANYBODY,
	  .note = "the buffer is rewritten while it is read", .covers = "unix-dgram.write" },
	VECTOR(pipe, "pipe", "pipe.writev pipe.pwritev2"),
	VECTOR(fifo, "FIFO", "fifo.writev"),
	VECTOR(pty, "terminal", "pty.writev pty.pwritev2"),
	VECTOR(tcp, "TCP", "tcp.writev tcp.pwritev2"),
	VECTOR(udp, "UDP", "udp.writev"),
};

RACE_MAIN(cases)
