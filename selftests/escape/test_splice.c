// SPDX-License-Identifier: GPL-2.0
/* Data that moves inside the kernel: splice, tee, vmsplice, sendfile, copy_file_range; and files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"

#define SPLICE_NOTE "programs fall back on read and write"
#define FILE_NOTE "files are neither held nor undone"

/* fd[0], fd[1]: a pipe of the member's own; fd[2]: a file of tokens. */
static int open_sources(struct esc *x)
{
	unsigned int i;
	char t[TOKEN];
	struct pair p;
	int err, fd[2];

	err = pair_open(&p, x->row->kind);
	if (err)
		return err;
	x->rx = p.rx;
	x->tx = p.tx;
	strcpy(x->path, p.path);
	if (pipe(fd))
		return -errno;
	x->fd[0] = fd[0];
	x->fd[1] = fd[1];
	x->fd[2] = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	for (i = 0; i < 4096; i++) {
		token(t, i);
		if (pwrite(x->fd[2], t, TOKEN, i * TOKEN) != TOKEN)
			return -EIO;
	}
	return 0;
}

static off_t offset_of(unsigned int i)
{
	return i % 4096 * TOKEN;
}

/* The own pipe is output like any other, so it is filled from the file. */
static int by_splice(struct esc *x, unsigned int i)
{
	off_t off = offset_of(i);
	int err;

	err = esc_result(splice(x->fd[2], &off, x->fd[1], NULL, TOKEN, 0), TOKEN);
	return err ? err : esc_result(splice(x->fd[0], NULL, x->tx, NULL, TOKEN, 0), TOKEN);
}

static int by_splice_from_file(struct esc *x, unsigned int i)
{
	off_t off = offset_of(i);

	return esc_result(splice(x->fd[2], &off, x->tx, NULL, TOKEN, 0), TOKEN);
}

static int by_sendfile(struct esc *x, unsigned int i)
{
	off_t off = offset_of(i);

	return esc_result(sendfile(x->tx, x->fd[2], &off, TOKEN), TOKEN);
}

static int by_vmsplice(struct esc *x, unsigned int i)
{
	static char t[TOKEN * 64];
	char *slot = t + i % 64 * TOKEN;
	struct iovec iov = { slot, TOKEN };

	esc_token(x, slot, i, 0);
	return esc_result(vmsplice(x->tx, &iov, 1, x->row->arg), TOKEN);
}

/* fd[3]: the reading end of a pipe that holds tokens already. */
static int open_tee(struct esc *x)
{
	int err = open_sources(x), fd[2];
	unsigned int i;
	char t[TOKEN];

	if (err)
		return err;
	if (pipe(fd) || fcntl(fd[1], F_SETPIPE_SZ, 1 << 20) < 0)
		return -errno;
	for (i = 0; i < x->row->max; i++) {
		token(t, i);
		if (write(fd[1], t, TOKEN) != TOKEN)
			return -errno;
	}
	x->fd[3] = fd[0];
	x->fd[4] = fd[1];
	return 0;
}

/* What is copied to tx stays in the pipe: read it away, for the next one. */
static int by_tee(struct esc *x, unsigned int i)
{
	char t[TOKEN];
	int err;

	(void)i;
	err = esc_result(tee(x->fd[3], x->tx, TOKEN, 0), TOKEN);
	return err ? err : esc_result(read(x->fd[3], t, TOKEN), TOKEN);
}

/* A file that outsiders have open. path: its name, where it has one. arg: a temporary one. */
static int open_file(struct esc *x)
{
	char path[64];

	if (open_sources(x))
		return -EIO;
	close(x->rx);
	close(x->tx);
	snprintf(path, sizeof(path), "/tmp/selfheal.file.%d.%s", getpid(), x->row->name);
	x->tx = open(x->row->arg ? "/tmp" : path,
		     O_RDWR | (x->row->arg ? O_TMPFILE : O_CREAT | O_TRUNC), 0600);
	if (x->tx < 0)
		return -errno;
	if (!x->row->arg)
		strcpy(x->path, path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", x->tx);
	x->rx = open(path, O_RDONLY);
	return x->rx < 0 ? -errno : 0;
}

static void look_file(struct esc *x)
{
	char t[TOKEN];

	while (pread(x->rx, t, TOKEN, x->seen * TOKEN) == TOKEN && t[0])
		esc_take(x, t, TOKEN);
}

static int by_pwrite(struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return esc_result(pwrite(x->tx, t, TOKEN, i * TOKEN), TOKEN);
}

static int by_copy_file_range(struct esc *x, unsigned int i)
{
	off_t from = offset_of(i), to = i * TOKEN;

	return esc_result(copy_file_range(x->fd[2], &from, x->tx, &to, TOKEN, 0), TOKEN);
}

static int by_mapping(struct esc *x, unsigned int i)
{
	size_t page = i * TOKEN / 4096 * 4096;
	char *map, t[TOKEN];

	esc_token(x, t, i, 0);
	if (ftruncate(x->tx, page + 4096))
		return -errno;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, x->tx, page);
	if (map == MAP_FAILED)
		return -errno;
	memcpy(map + i * TOKEN % 4096, t, TOKEN);
	munmap(map, 4096);
	return 0;
}

#define DENIED ROW_DENIED, EPERM, SPLICE_NOTE, .open = open_sources
#define TO_FILE ROW_PASSED, .note = FILE_NOTE, .open = open_file, .look = look_file

static const struct row rows[] = {
	{ "pipe.splice", "splice", DENIED, .kind = CH_PIPE, .attempt = by_splice },
	{ "pipe.splice-file", "splice", DENIED, .kind = CH_PIPE, .attempt = by_splice_from_file },
	{ "fifo.splice", "splice", DENIED, .kind = CH_FIFO, .attempt = by_splice },
	{ "tcp.splice", "splice", DENIED, .kind = CH_TCP, .attempt = by_splice },
	{ "unix-stream.splice", "splice", DENIED, .kind = CH_UNIX_STREAM, .attempt = by_splice },
	{ "pty.splice", "splice", DENIED, .kind = CH_PTY, .attempt = by_splice },
	{ "pipe.vmsplice", "vmsplice", DENIED, .kind = CH_PIPE, .attempt = by_vmsplice },
	{ "pipe.vmsplice-gift", "vmsplice", DENIED, .kind = CH_PIPE, .arg = SPLICE_F_GIFT,
	  .attempt = by_vmsplice },
	{ "pipe.tee", "tee", ROW_DENIED, EPERM, SPLICE_NOTE, .open = open_tee, .kind = CH_PIPE,
	  .max = 64, .attempt = by_tee },
	{ "pipe.sendfile", "sendfile", ROW_DENIED, EINVAL, SPLICE_NOTE, .open = open_sources,
	  .kind = CH_PIPE, .attempt = by_sendfile },
	{ "tcp.sendfile", "sendfile", .open = open_sources, .kind = CH_TCP,
	  .attempt = by_sendfile },
	{ "unix-stream.sendfile", "sendfile", .open = open_sources, .kind = CH_UNIX_STREAM,
	  .attempt = by_sendfile },
	{ "udp.sendfile", "sendfile", .open = open_sources, .kind = CH_UDP,
	  .attempt = by_sendfile, .look = look_messages },
	{ "pty.sendfile", "sendfile", .open = open_sources, .kind = CH_PTY,
	  .attempt = by_sendfile },
	{ "file.write", "regular file", TO_FILE, .attempt = by_write },
	{ "file.pwrite", "regular file", TO_FILE, .attempt = by_pwrite },
	{ "file.sendfile", "sendfile", TO_FILE, .attempt = by_sendfile },
	{ "file.copy-range", "copy_file_range", TO_FILE, .attempt = by_copy_file_range },
	{ "file.temporary", "O_TMPFILE", TO_FILE, .arg = 1, .attempt = by_write },
	{ "file.mapped", "MAP_SHARED", TO_FILE, .attempt = by_mapping },
};

ESCAPE_MAIN(rows)
