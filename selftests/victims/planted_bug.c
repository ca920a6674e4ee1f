// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into servers of the distribution, it plants the holes that they do
 * not have: whatever the server takes in from a socket is parsed for
 *
 *	~planted:HOLE:ALL:LEAK:COPY:TEXT
 *
 * by code that trusts every number in it. First LEAK bytes of a buffer of 16
 * are sent back, which is an over-read: behind them lies the secret. They go to
 * the client that asked, or with ALL = 1 to all. Then TEXT is copied:
 *
 *	stack	COPY bytes of it over a buffer on the stack, return address included
 *	canary	the same in a function that notices
 *	heap	COPY bytes of it over an object on the heap and its function pointer
 *	run	a length that became negative: over all of the heap, to its end
 *	none	not at all
 *
 *	PLANTED_SECRET=FILE LD_PRELOAD=.../planted_bug.so server
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MARK "~planted:"
#define FD_MAX 256
#define export __attribute__((visibility("default")))
#define unprotected __attribute__((noinline, optimize("no-stack-protector")))

struct reply {
	char text[16];
	char secret[240];
};

struct object {
	char name[32];
	void (*done)(struct object *o);
};

static struct reply *reply;
static struct object *object;
static volatile char *low;	/* of the heap */

static void object_done(struct object *o)
{
	(void)o;
}

__attribute__((constructor)) static void plant(void)
{
	const char *file = getenv("PLANTED_SECRET");
	int fd;

	low = malloc(64);
	reply = calloc(1, sizeof(*reply));
	object = calloc(1, sizeof(*object));
	if (!file || !low || !reply || !object)
		return;
	memcpy(reply->text, "16 bytes of text", sizeof(reply->text));
	object->done = object_done;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, reply->secret, sizeof(reply->secret)) < 0)
		perror(file);
	close(fd);
}

static void leak(int from, size_t size, bool all)
{
	struct sockaddr_storage peer;
	socklen_t len;
	int fd;

	for (fd = 0; fd < FD_MAX; fd++) {
		len = sizeof(peer);
		if ((fd == from || all) && !getpeername(fd, (struct sockaddr *)&peer, &len))
			send(fd, reply->text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static unprotected void copy_stack(const char *text, size_t size)
{
	char name[32];

	memcpy(name, text, size);
	/* Or the compiler has no use for the copy. */
	asm volatile("" : : "r" (name) : "memory");
}

static __attribute__((noinline, optimize("stack-protector-all"))) void
copy_canary(const char *text, size_t size)
{
	char name[32];

	memcpy(name, text, size);
	asm volatile("" : : "r" (name) : "memory");
}

static void copy_heap(const char *text, size_t size)
{
	memcpy(object->name, text, size);
	object->done(object);
}

static void run(const char *text)
{
	volatile char *to = low;

	while (true)
		*to++ = *text;
}

/* @text ends with a 0. */
static void parse(int fd, const char *text)
{
	unsigned int all, size, copy;
	char hole[16];
	int at = 0;

	if (sscanf(text, MARK "%15[a-z]:%u:%u:%u:%n", hole, &all, &size, &copy, &at) < 4)
		return;
	leak(fd, size, all);
	text += at;
	if (!strcmp(hole, "stack"))
		copy_stack(text, copy);
	else if (!strcmp(hole, "canary"))
		copy_canary(text, copy);
	else if (!strcmp(hole, "heap"))
		copy_heap(text, copy);
	else if (!strcmp(hole, "run"))
		run(text);
}

static void look(int fd, const void *data, ssize_t got)
{
	const char *found;
	char text[1024] = "";
	size_t left;

	if (got <= 0)
		return;
	found = memmem(data, got, MARK, strlen(MARK));
	if (!found)
		return;
	left = (const char *)data + got - found;
	memcpy(text, found, left < sizeof(text) ? left : sizeof(text) - 1);
	parse(fd, text);
}

static void look_at_vector(int fd, const struct iovec *iov, size_t count, ssize_t got)
{
	size_t i;

	for (i = 0; i < count && got > 0; i++) {
		look(fd, iov[i].iov_base, got < (ssize_t)iov[i].iov_len ? got :
		     (ssize_t)iov[i].iov_len);
		got -= iov[i].iov_len;
	}
}

export ssize_t read(int fd, void *buf, size_t size)
{
	ssize_t got = syscall(SYS_read, fd, buf, size);

	look(fd, buf, got);
	return got;
}

export ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
			socklen_t *len)
{
	ssize_t got = syscall(SYS_recvfrom, fd, buf, size, flags, from, len);

	look(fd, buf, got);
	return got;
}

export ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	return recvfrom(fd, buf, size, flags, NULL, NULL);
}

export ssize_t readv(int fd, const struct iovec *iov, int count)
{
	ssize_t got = syscall(SYS_readv, fd, iov, count);

	look_at_vector(fd, iov, count, got);
	return got;
}

export ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t got = syscall(SYS_recvmsg, fd, msg, flags);

	look_at_vector(fd, msg->msg_iov, msg->msg_iovlen, got);
	return got;
}

/* What programs call that were compiled with _FORTIFY_SOURCE. */
export ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
	(void)room;
	return read(fd, buf, size);
}

export ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags)
{
	(void)room;
	return recv(fd, buf, size, flags);
}

export ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room, int flags,
			      struct sockaddr *from, socklen_t *len)
{
	(void)room;
	return recvfrom(fd, buf, size, flags, from, len);
}
