// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded into the fuzzer (LD_PRELOAD). It makes its own sockets to play with
 * when it starts; most of them become the descriptors that were handed to it,
 * FUZZ_FIRST to FUZZ_FIRST + FUZZ_COUNT - 1, whose other ends are outside.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned int first, count, calls;

static unsigned int number(const char *name)
{
	const char *text = getenv(name);

	return text ? atoi(text) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	first = number("FUZZ_FIRST");
	count = number("FUZZ_COUNT");
}

int socket(int domain, int type, int protocol)
{
	unsigned int call = calls++;

	if (count && call % 4)
		return fcntl(first + call % count, F_DUPFD, 32);
	return syscall(SYS_socket, domain, type, protocol);
}

/*
 * It tries up to a hundred options on each of them, and frees what was no allocation for some:
 * one will do. The children make their calls past the C library.
 */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	syscall(SYS_setsockopt, fd, level, option, value, len);
	return 0;
}
