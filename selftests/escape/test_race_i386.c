// SPDX-License-Identifier: GPL-2.0
/* What calls of the 32-bit ABI read from memory, changed while they read it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "race_memory.h"
#include "target.h"

/* Numbers of arch/x86/entry/syscalls/syscall_32.tbl */
enum {
	I386_WRITE = 4, I386_SOCKETCALL = 102, I386_WRITEV = 146, I386_SENDMMSG = 345,
	I386_SENDMSG = 370,
};

#define SOCKETCALL_SEND 9
#define SOCKETCALL_SENDTO 11
#define SOCKETCALL_SENDMSG 16

struct iovec32 {
	uint32_t base, len;
};

struct msghdr32 {
	uint32_t name, namelen, iov, iovlen, control, controllen, flags, len;
};

/* In x->shared, which 32-bit pointers reach. */
struct low {
	char buf[2][RACE_SOME];
	struct iovec32 iov[2], other[2];
	struct msghdr32 msg[3];
	uint32_t args[6];
};

_Static_assert(sizeof(struct low) <= RACE_SHARED, "the layout is larger than the memory");

static struct low *low(const struct race *x)
{
	return (struct low *)x->shared;
}

static uint32_t at(const volatile void *p)
{
	return (uintptr_t)p;
}

static int open_kind(struct race *x, enum channel_kind kind)
{
	struct low *l = low(x);
	int i, err;

	memset(l->buf[0], 'A', RACE_SOME);
	memset(l->buf[1], 'B', RACE_SOME);
	l->iov[0] = (struct iovec32){ at(l->buf[0]), 100 };
	l->iov[1] = (struct iovec32){ at(l->buf[1]), 50 };
	l->other[0] = (struct iovec32){ at(l->buf[1]), 7 };
	l->other[1] = (struct iovec32){ at(l->buf[0]), 200 };
	for (i = 0; i < 3; i++)
		l->msg[i] = (struct msghdr32){ .iov = at(l->iov), .iovlen = 2 };
	err = race_pair(x, 0, kind);
	return err ? err : race_pair(x, 1, kind);
}

#define OPEN(name, kind)				\
	static int open_##name(struct race *x)		\
	{						\
		return open_kind(x, kind);		\
	}

OPEN(pipe, CH_PIPE)
OPEN(pty, CH_PTY)
OPEN(tcp, CH_TCP)
OPEN(udp, CH_UDP)
OPEN(unix_dgram, CH_UNIX_DGRAM)
OPEN(unix_seqpacket, CH_UNIX_SEQPACKET)

static void flip_vector32(struct race *x, unsigned int k)
{
	struct low *l = low(x);
	volatile struct iovec32 *iov = l->iov;

	iov[0].base = at(l->buf[k & 1]);
	iov[0].len = k & 2 ? 300 : 3;
	iov[1].len = k & 1 ? 0 : 200;
	iov[1].base = at(l->buf[~k & 1]);
}

static void flip_header32(struct race *x, unsigned int k)
{
	struct low *l = low(x);
	volatile struct msghdr32 *msg = &l->msg[k % 3 ? 0 : k / 3 % 3];

	msg->iov = at(k & 1 ? l->iov : l->other);
	msg->iovlen = 1 + (k >> 1 & 1);
	flip_vector32(x, k);
}

/* Descriptor, buffer and length of send(2), which socketcall(2) reads from memory. */
static void flip_arguments(struct race *x, unsigned int k)
{
	struct low *l = low(x);
	volatile uint32_t *args = l->args;

	args[0] = k % 7 ? (uint32_t)x->tx[k & 1] : 9999;
	args[1] = at(l->buf[k >> 1 & 1]);
	args[2] = 1 + k * 37 % RACE_SOME;
	args[3] = k & 4 ? MSG_NOSIGNAL : 0;
}

static void flip_message_arguments(struct race *x, unsigned int k)
{
	volatile uint32_t *args = low(x)->args;

	flip_header32(x, k);
	args[0] = k % 7 ? (uint32_t)x->tx[k & 1] : 9999;
	args[1] = at(&low(x)->msg[k % 3]);
	args[2] = k & 4 ? MSG_NOSIGNAL : 0;
}

static long by_write32(struct race *x, unsigned int i)
{
	return int80(I386_WRITE, x->tx[0], at(low(x)->buf[0]), race_length(i), 0, 0);
}

static long by_writev32(struct race *x, unsigned int i)
{
	(void)i;
	return int80(I386_WRITEV, x->tx[0], at(low(x)->iov), 2, 0, 0);
}

static long by_sendmsg32(struct race *x, unsigned int i)
{
	(void)i;
	return int80(I386_SENDMSG, x->tx[0], at(&low(x)->msg[0]), 0, 0, 0);
}

static long by_sendmmsg32(struct race *x, unsigned int i)
{
	long n = int80(I386_SENDMMSG, x->tx[0], at(low(x)->msg), 1 + i % 3, 0, 0);

	return n < 0 ? n : 0;
}

static long by_socketcall(struct race *x, unsigned int i)
{
	return int80(I386_SOCKETCALL, i & 1 ? SOCKETCALL_SEND : SOCKETCALL_SENDTO,
		     at(low(x)->args), 0, 0, 0);
}

static long by_socketcall_message(struct race *x, unsigned int i)
{
	(void)i;
	return int80(I386_SOCKETCALL, SOCKETCALL_SENDMSG, at(low(x)->args), 0, 0, 0);
}

/* Unprotected: what was looked at was one letter, and another one came. */
static bool fooled_by_contents32(struct race *x, unsigned int i)
{
	char got[RACE_SOME], letter = *(volatile char *)low(x)->buf[0];

	(void)i;
	if (int80(I386_WRITE, x->tx[0], at(low(x)->buf[0]), RACE_SOME, 0, 0) != RACE_SOME)
		return false;
	return read(x->rx[0], got, RACE_SOME) == RACE_SOME &&
	       (got[0] != letter || got[RACE_SOME - 1] != letter);
}

#define ANYBODY .flippers = BY_THREAD | BY_VM | BY_OUTSIDER

static const struct race_case cases[] = {
	{ .row = "race.control.i386", .open = open_pipe, .flip = flip_contents,
	  .fooled = fooled_by_contents32 },
	{ .row = "race.i386.write", .channel = "int80", .open = open_pipe, .content = true,
	  .attempt = by_write32, .flip = flip_contents, .exact = true, ANYBODY,
	  .note = "the buffer is rewritten while it is read",
	  .covers = "i386.write i386.program-write i386.fast-write int80.write" },
	{ .row = "race.i386.writev", .channel = "int80", .open = open_pty, .content = true,
	  .attempt = by_writev32, .flip = flip_vector32, .exact = true, ANYBODY,
	  .note = "the vector is rewritten while it is read",
	  .covers = "i386.writev i386.pwritev2 i386.fast-writev int80.writev" },
	{ .row = "race.i386.sendmsg", .channel = "int80", .open = open_unix_seqpacket,
	  .attempt = by_sendmsg32, .flip = flip_header32, .exact = true, .content = true,
	  ANYBODY, .note = "the message header is rewritten while it is read",
	  .covers = "i386.sendmsg i386.program-sendmsg int80.sendmsg" },
	{ .row = "race.i386.sendmmsg", .channel = "int80", .open = open_unix_dgram,
	  .attempt = by_sendmmsg32, .flip = flip_header32, .content = true, ANYBODY,
	  .note = "the message headers are rewritten while they are read",
	  .covers = "i386.sendmmsg i386.socketcall-sendmmsg" },
	{ .row = "race.i386.socketcall", .channel = "int80", .open = open_tcp, .exact = true,
	  .attempt = by_socketcall, .flip = flip_arguments, ANYBODY,
	  .note = "socketcall's arguments, the descriptor too, are rewritten",
	  .covers = "i386.sendto i386.socketcall-send i386.fast-socketcall int80.sendto "
		    "int80.socketcall-send" },
	{ .row = "race.i386.socketcall-msg", .channel = "int80", .open = open_udp,
	  .attempt = by_socketcall_message, .flip = flip_message_arguments, .exact = true,
	  ANYBODY, .note = "the same, and the message that they lead to",
	  .covers = "i386.fast-socketcall-msg int80.socketcall-sendmsg" },
};

RACE_MAIN(cases)
