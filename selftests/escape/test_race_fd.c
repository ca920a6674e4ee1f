// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors that change while a call uses them: by dup2(2) among held objects, objects that
 * pass, files and terminals, and by close(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "race.h"

#define TEXT "0123456789abcdef"
#define LEN 16
#define FLIPPED 200		/* the descriptor's number in the member */
#define RCVBUF (64 << 20)

static long result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static int open_one(struct race *x, int i, enum channel_kind kind)
{
	struct pair p;
	int err = pair_open(&p, kind), size = RCVBUF;

	x->rx[i] = p.rx;
	x->tx[i] = p.tx;
	setsockopt(p.rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return err;
}

static int open_file(struct race *x)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", x->dir);
	return open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

/* A pipe, a stream, datagrams, a terminal, and a file. */
static int open_zoo(struct race *x)
{
	int err = open_one(x, 0, CH_PIPE);

	if (!err)
		err = open_one(x, 1, CH_UNIX_STREAM);
	if (!err)
		err = open_one(x, 2, CH_UDP);
	if (!err)
		err = open_one(x, 3, CH_PTY);
	x->fd[0] = open_file(x);
	return err ? err : x->fd[0] < 0 ? -errno : 0;
}

static void start_flipped(struct race *x)
{
	dup2(x->tx[0], FLIPPED);
}

static void flip_zoo(struct race *x, unsigned int k)
{
	unsigned int i = k % 6;

	if (i < RACE_RX)
		dup2(x->tx[i], FLIPPED);
	else if (i == RACE_RX)
		dup2(x->fd[0], FLIPPED);
	else
		close(FLIPPED);
}

static long by_write(struct race *x, unsigned int i)
{
	(void)x;
	(void)i;
	return result(write(FLIPPED, TEXT, LEN));
}

/* What was reported was held, or is in the file. */
static bool check_file(struct race *x)
{
	struct domain d;
	struct stat st;
	char path[128];
	uint64_t said = x->r.kid.page->count[RACE_BYTES];

	snprintf(path, sizeof(path), "%s/file", x->dir);
	if (stat(path, &st) || domain_get(&x->r.c, x->r.dom, &d))
		return race_fail(x, "no file or no domain");
	if (said == d.held_total + st.st_size)
		return true;
	return race_escape(x, "%llu bytes reported, %llu held, %llu in the file",
			   (unsigned long long)said, (unsigned long long)d.held_total,
			   (unsigned long long)st.st_size);
}

/* A socket that passes against a pipe that is held. */
static int open_pass(struct race *x)
{
	struct pair p;
	int err = open_one(x, 0, CH_PIPE);

	if (!err)
		err = pair_open(&p, CH_UNIX_DGRAM);
	x->fd[0] = p.tx;
	x->fd[1] = p.rx;
	return err ? err : fcntl(p.tx, F_SETFL, O_NONBLOCK);
}

static void pass_sockets(struct policy *p)
{
	p->hold_socket = SELFHEAL_CHANNEL_ACTION_PASS;
}

static void flip_pass(struct race *x, unsigned int k)
{
	dup2(k & 1 ? x->tx[0] : x->fd[0], FLIPPED);
}

/*
 * The socket's first messages fill it; it takes no more, and that is as good a flip. What was on
 * its way to it when a freeze came was held, and came after the release.
 */
static bool check_pass(struct race *x)
{
	uint64_t said = x->r.kid.page->count[RACE_BYTES], passed = 0;
	int64_t end = now_ms() + BOUND;
	char buf[64];
	ssize_t n;

	/* The last ones wait in the quarantine for room, which the reading makes. */
	do {
		while ((n = recv(x->fd[1], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			passed += n;
		if (said == x->came + passed)
			return true;
		pause_ms(2);
	} while (said > x->came + passed && now_ms() < end);
	return race_escape(x, "%llu bytes reported, %llu came of the held, %llu passed",
			   (unsigned long long)said, (unsigned long long)x->came,
			   (unsigned long long)passed);
}

/* sendfile(2) and a descriptor that is a pipe, a socket or a file by turns. */
static int open_sendfile(struct race *x)
{
	int err = open_zoo(x);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/source", x->dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (err || fd < 0 || write(fd, TEXT, LEN) != LEN)
		return err ? err : -errno;
	x->fd[1] = fd;
	return 0;
}

static long by_sendfile(struct race *x, unsigned int i)
{
	off_t zero = 0;

	(void)i;
	/* Into a file opened for appending it fails: then the others are to be met. */
	return result(sendfile(FLIPPED, x->fd[1], &zero, LEN));
}

#define RACED(name_, channel_, open_, attempt_, flip_, note_)				\
	.row = name_, .channel = channel_, .open = open_, .attempt = attempt_,		\
	.flip = flip_, .prepare = start_flipped, .flippers = BY_THREAD | BY_VM, .note = note_

static const struct race_case cases[] = {
	{ RACED("race.dup2.held", "pipe", open_zoo, by_write, flip_zoo,
		"the descriptor is a pipe, socket, terminal, file or closed by turns"),
	  .check = check_file },
	{ RACED("race.dup2.passed", "pipe", open_pass, by_write, flip_pass,
		"the descriptor is a held pipe and a socket that passes by turns"),
	  .policy = pass_sockets, .only = SELFHEAL_CHANNEL_PIPE, .check = check_pass },
	{ RACED("race.dup2.sendfile", "sendfile", open_sendfile, by_sendfile, flip_zoo,
		"sendfile to a descriptor that changes"),
	  .check = check_file },
};

RACE_MAIN(cases)
