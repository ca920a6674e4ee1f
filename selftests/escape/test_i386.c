// SPDX-License-Identifier: GPL-2.0
/* The other system call table: int 0x80 from 64-bit code, and 32-bit programs by both of their ways. */
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

/* Numbers of arch/x86/entry/syscalls/syscall_32.tbl */
enum {
	I386_WRITE = 4, I386_SOCKETCALL = 102, I386_WRITEV = 146, I386_IO_SUBMIT = 248,
	I386_IO_SETUP = 245, I386_VMSPLICE = 316, I386_SENDMMSG = 345,
	I386_SENDTO = 369, I386_SENDMSG = 370, I386_PWRITEV2 = 379, I386_URING_SETUP = 425,
};

#define SOCKETCALL_SEND 9
#define SOCKETCALL_SENDMMSG 20

struct iovec32 {
	uint32_t base, len;
};

struct msghdr32 {
	uint32_t name, namelen, iov, iovlen, control, controllen, flags, len;
};

/* What the calls point to, below 4 GiB. */
struct low {
	char text[64][TOKEN];
	struct iovec32 iov[2];
	struct msghdr32 m;
	uint32_t args[6];
	uint64_t ring[32];
};

static struct low *low;
static char *text;	/* the token of this attempt */

static int prepare_low(struct esc *x)
{
	(void)x;
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return low == MAP_FAILED ? -errno : 0;
}

static uint32_t at(const void *p)
{
	return (uintptr_t)p;
}

/* The sixth argument is zero. */
static long int80(long nr, long a, long b, long c, long d, long e)
{
	register long zero asm("r12") = 0;
	long ret;

	asm volatile("xchgq %%rbp, %1\n\tint $0x80\n\txchgq %%rbp, %1"
		     : "=a"(ret), "+r"(zero)
		     : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void fill(struct esc *x, unsigned int i)
{
	/* Not the same place again: vmsplice takes the page as it is. */
	text = low->text[i % 64];
	esc_token(x, text, i, 0);
	low->iov[0] = (struct iovec32){ at(text), 5 };
	low->iov[1] = (struct iovec32){ at(text + 5), TOKEN - 5 };
	low->m = (struct msghdr32){ .iov = at(low->iov), .iovlen = 2 };
}

static long socketcall(int call, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	low->args[0] = a;
	low->args[1] = b;
	low->args[2] = c;
	low->args[3] = d;
	return int80(I386_SOCKETCALL, call, at(low->args), 0, 0, 0);
}

/* arg: the number of the call, or minus that of a socketcall. */
static int by_int80(struct esc *x, unsigned int i)
{
	long ret, want = TOKEN;

	fill(x, i);
	switch (x->row->arg) {
	case I386_WRITEV:
	case I386_VMSPLICE:
		ret = int80(x->row->arg, x->tx, at(low->iov), 2, 0, 0);
		break;
	case I386_PWRITEV2:
		ret = int80(I386_PWRITEV2, x->tx, at(low->iov), 2, -1, -1);
		break;
	case I386_SENDTO:
		ret = int80(I386_SENDTO, x->tx, at(text), TOKEN, 0, 0);
		break;
	case I386_SENDMSG:
		ret = int80(I386_SENDMSG, x->tx, at(&low->m), 0, 0, 0);
		break;
	case I386_SENDMMSG:
		want = 1;
		ret = int80(I386_SENDMMSG, x->tx, at(&low->m), 1, 0, 0);
		break;
	case -SOCKETCALL_SEND:
		ret = socketcall(SOCKETCALL_SEND, x->tx, at(text), TOKEN, 0);
		break;
	case -SOCKETCALL_SENDMMSG:
		want = 1;
		ret = socketcall(SOCKETCALL_SENDMMSG, x->tx, at(&low->m), 1, 0);
		break;
	default:
		ret = int80(I386_WRITE, x->tx, at(text), TOKEN, 0, 0);
	}
	return ret < 0 ? ret : ret == want ? 0 : -EIO;
}

/* A ring that is made shows as a descriptor; the write then proves that the call passed. */
static int by_uring(struct esc *x, unsigned int i)
{
	long fd;

	memset(low->ring, 0, sizeof(low->ring));
	fd = int80(I386_URING_SETUP, 1, at(low->ring), 0, 0, 0);
	if (fd < 0)
		return fd;
	close(fd);
	return by_int80(x, i);
}

/* struct iocb is the same for both; contexts are 32 bits wide. */
static int by_aio(struct esc *x, unsigned int i)
{
	uint64_t *cb = low->ring;
	long ret;

	if (!low->args[0]) {
		ret = int80(I386_IO_SETUP, 64, at(low->args), 0, 0, 0);
		if (ret)
			return ret;
	}
	fill(x, i);
	memset(cb, 0, 64);
	((uint16_t *)cb)[8] = 1;		/* aio_lio_opcode: IOCB_CMD_PWRITE */
	((uint32_t *)cb)[5] = x->tx;		/* aio_fildes */
	cb[3] = at(text);
	cb[4] = TOKEN;
	low->args[1] = at(cb);
	ret = int80(I386_IO_SUBMIT, low->args[0], 1, at(&low->args[1]), 0, 0);
	return ret < 0 ? ret : ret == 1 ? 0 : -EIO;
}

/* arg: ten times the way, and the call, of tool_i386. */
static int by_program(struct esc *x, unsigned int i)
{
	char tool[PATH_MAX], way[2] = {}, call[2] = {}, fd[8], word[TOKEN + 1] = {};
	char *argv[] = { tool, way, call, fd, word, NULL };
	ssize_t n = readlink("/proc/self/exe", tool, sizeof(tool) - 16);
	int status, err;
	pid_t pid;

	if (n <= 0)
		return -errno;
	tool[n] = '\0';
	strcpy(strrchr(tool, '/') + 1, "tool_i386");
	way[0] = '0' + x->row->arg / 10;
	call[0] = '0' + x->row->arg % 10;
	snprintf(fd, sizeof(fd), "%d", x->tx);
	esc_token(x, word, i, 0);
	err = posix_spawn(&pid, tool, NULL, NULL, argv, NULL);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EFAULT;
	return -WEXITSTATUS(status);
}

#define INT80(number) .prepare = prepare_low, .arg = (number), .attempt = by_int80
#define PROGRAM(number) .arg = (number), .attempt = by_program

static const struct row rows[] = {
	{ "i386.write", "int80", .kind = CH_PIPE, INT80(I386_WRITE) },
	{ "i386.writev", "int80", .kind = CH_TCP, INT80(I386_WRITEV) },
	{ "i386.pwritev2", "int80", .kind = CH_PTY, INT80(I386_PWRITEV2) },
	{ "i386.sendto", "int80", .kind = CH_UDP, INT80(I386_SENDTO) },
	{ "i386.sendmsg", "int80", .kind = CH_UNIX_SEQPACKET, INT80(I386_SENDMSG) },
	{ "i386.sendmmsg", "int80", .kind = CH_UNIX_DGRAM, INT80(I386_SENDMMSG) },
	{ "i386.socketcall-send", "int80", .kind = CH_TCP, INT80(-SOCKETCALL_SEND) },
	{ "i386.socketcall-sendmmsg", "int80", .kind = CH_UDP, INT80(-SOCKETCALL_SENDMMSG) },
	{ "i386.vmsplice", "int80", ROW_DENIED, EPERM, .kind = CH_PIPE, INT80(I386_VMSPLICE) },
	{ "i386.uring", "int80", ROW_DENIED, EPERM, .kind = CH_PIPE, .prepare = prepare_low,
	  .attempt = by_uring },
	{ "i386.aio", "int80", .kind = CH_PIPE, .prepare = prepare_low, .attempt = by_aio },
	{ "i386.program-write", "int80", .kind = CH_PIPE, PROGRAM(0) },
	{ "i386.program-sendmsg", "int80", .kind = CH_TCP, PROGRAM(4) },
	{ "i386.fast-write", "sysenter", .kind = CH_PIPE, PROGRAM(10) },
	{ "i386.fast-writev", "sysenter", .kind = CH_PTY, PROGRAM(11) },
	{ "i386.fast-socketcall", "sysenter", .kind = CH_TCP, PROGRAM(12) },
	{ "i386.fast-socketcall-msg", "sysenter", .kind = CH_UDP, PROGRAM(13) },
	{ "i386.fast-vmsplice", "sysenter", ROW_DENIED, EPERM, .kind = CH_PIPE, PROGRAM(15) },
};

ESCAPE_MAIN(rows)
