// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit program without a library: tool_i386 WAY CALL FD TEXT puts TEXT out
 * by the given call, entered by int 0x80 (WAY 0) or as the vDSO does it (WAY 1:
 * sysenter, or syscall on machines of AMD). Ends with 0 or the errno.
 */
#include <asm/unistd_32.h>
#include <linux/net.h>

struct iovec32 {
	const char *base;
	unsigned long len;
};

struct msghdr32 {
	void *name;
	int namelen;
	struct iovec32 *iov;
	unsigned long iovlen;
	void *control;
	unsigned long controllen;
	unsigned int flags;
};

static unsigned long vsyscall;

static long call6(int way, long nr, long a, long b, long c, long d, long e)
{
	long ret;

	if (way)
		asm volatile("call *%1" : "=a"(ret)
			     : "m"(vsyscall), "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			     : "memory");
	else
		asm volatile("int $0x80" : "=a"(ret)
			     : "0"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return ret;
}

static int number(const char *s)
{
	int n = 0;

	while (*s)
		n = n * 10 + *s++ - '0';
	return n;
}

static long put_out(int way, int call, int fd, const char *text, unsigned long n)
{
	struct iovec32 iov[2] = { { text, 5 }, { text + 5, n - 5 } };
	struct msghdr32 m = { .iov = iov, .iovlen = 2 };
	long send[4] = { fd, (long)text, n, 0 }, sendmsg[3] = { fd, (long)&m, 0 };

	switch (call) {
	case 1:
		return call6(way, __NR_writev, fd, (long)iov, 2, 0, 0);
	case 2:
		return call6(way, __NR_socketcall, SYS_SEND, (long)send, 0, 0, 0);
	case 3:
		return call6(way, __NR_socketcall, SYS_SENDMSG, (long)sendmsg, 0, 0, 0);
	case 4:
		return call6(way, __NR_sendmsg, fd, (long)&m, 0, 0, 0);
	case 5:
		return call6(way, __NR_vmsplice, fd, (long)iov, 2, 0, 0);
	default:
		return call6(way, __NR_write, fd, (long)text, n, 0, 0);
	}
}

/* sp: argc, argv[], 0, envp[], 0, auxv[] */
__attribute__((used)) void start(long *sp)
{
	char **argv = (char **)sp + 1;
	long *aux = sp + 1 + sp[0] + 1;
	unsigned long n = 0;
	int way = 0;
	long ret;

	while (*aux++)
		;
	for (; aux[0]; aux += 2) {
		if (aux[0] == 32)	/* AT_SYSINFO */
			vsyscall = aux[1];
	}
	if (sp[0] != 5)
		call6(0, __NR_exit, 22, 0, 0, 0, 0);
	way = number(argv[1]);
	while (argv[4][n])
		n++;
	/* A machine without the fast way, or a vDSO switched off. */
	if (way && !vsyscall)
		call6(0, __NR_exit, 38, 0, 0, 0, 0);
	ret = put_out(way, number(argv[2]), number(argv[3]), argv[4], n);
	call6(way, __NR_exit, ret == (long)n ? 0 : ret < 0 ? -ret : 5, 0, 0, 0, 0);
}

asm(".globl _start\n"
	"_start:\n"
	"	xorl %ebp, %ebp\n"
	"	movl %esp, %eax\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %eax\n"
	"	call start\n"
	"	hlt\n");
