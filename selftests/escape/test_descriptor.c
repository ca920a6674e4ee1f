// SPDX-License-Identifier: GPL-2.0
/* Descriptors in messages, both ways, and terminals from behind. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "calls.h"

static int open_unix(struct esc *x)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		return -errno;
	x->rx = sv[0];
	x->tx = sv[1];
	return 0;
}

/* The token is in a file whose descriptor goes out: the text of the message is the same. */
static int by_rights(struct esc *x, unsigned int i)
{
	int fd = memfd_create("passed", MFD_CLOEXEC), err;
	char t[TOKEN];

	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(pwrite(fd, t, TOKEN, 0), TOKEN);
	if (!err)
		err = send_with_fd(x->tx, fd, t, TOKEN);
	close(fd);
	return err;
}

static void look_rights(struct esc *x)
{
	char t[TOKEN], text[TOKEN];
	ssize_t got;
	int fd;

	while (rx_ready(x->rx, 0)) {
		fd = recv_with_fd(x->rx, text, TOKEN, &got);
		if (fd == -ENOMSG && !got)
			break;		/* the end of the connection */
		if (fd < 0 || pread(fd, t, TOKEN, 0) != TOKEN || memcmp(t, text, TOKEN)) {
			esc_wrong(x, "a message without its file");
			break;
		}
		close(fd);
		esc_take_message(x, text, got);
	}
}

/* fd[0] brings the member the writing end of a pipe, as often as it asks. */
static int open_gift(struct esc *x)
{
	int sv[2], err;
	struct pair p;

	err = pair_open(&p, x->row->kind);
	if (err || socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return err ? err : -errno;
	x->rx = p.rx;
	x->number[0] = sv[0];
	x->fd[0] = sv[1];
	err = send_fd(sv[0], p.tx, x->row->max);
	close(p.tx);
	return err;
}

static void close_gift(struct esc *x)
{
	close(x->number[0]);
}

static int by_gift(struct esc *x, unsigned int i)
{
	int fd = recv_fd(x->fd[0]), err;
	char t[TOKEN];

	if (fd < 0)
		return fd;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

/* Both ends of a raw terminal; the master is the member's with arg. */
static int open_terminal(struct esc *x)
{
	int master, slave;
	struct termios raw;

	if (openpty(&master, &slave, NULL, NULL, NULL) || tcgetattr(slave, &raw))
		return -errno;
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw))
		return -errno;
	x->number[0] = dup(x->row->arg ? slave : master);
	x->rx = slave;
	x->tx = x->row->arg ? master : dup(slave);
	if (!x->row->arg)
		close(master);
	return 0;
}

static void close_terminal(struct esc *x)
{
	close(x->number[0]);
}

/* As if typed at the terminal: whoever reads there gets it. */
static int by_input(struct esc *x, unsigned int i)
{
	char t[TOKEN];
	int k;

	esc_token(x, t, i, 0);
	for (k = 0; k < TOKEN; k++) {
		if (ioctl(x->tx, TIOCSTI, &t[k]))
			return -errno;
	}
	return 0;
}

/* Sixty-four bits a call, and a signal to whoever is in the foreground. */
static int by_size(struct esc *x, unsigned int i)
{
	struct winsize size = { .ws_row = i + 1 };

	return ioctl(x->tx, TIOCSWINSZ, &size) ? -errno : 0;
}

static void look_size(struct esc *x)
{
	struct winsize size;

	if (!ioctl(x->number[0], TIOCGWINSZ, &size) && size.ws_row > x->seen)
		esc_took(x, size.ws_row - x->seen);
}

/* Control characters are settings that everybody sees who has the terminal. */
static int by_setting(struct esc *x, unsigned int i)
{
	struct termios t;

	if (tcgetattr(x->tx, &t))
		return -errno;
	t.c_cc[VMIN] = i + 2;	/* raw mode has 1 */
	return tcsetattr(x->tx, TCSANOW, &t) ? -errno : 0;
}

static void look_setting(struct esc *x)
{
	struct termios t;

	if (!tcgetattr(x->number[0], &t) && t.c_cc[VMIN] > x->seen + 1u)
		esc_took(x, t.c_cc[VMIN] - x->seen - 1);
}

static const struct row rows[] = {
	{ "unix.rights", "SCM_RIGHTS", .open = open_unix, .attempt = by_rights,
	  .look = look_rights },
	{ "unix.gift-pipe", "SCM_RIGHTS", .open = open_gift, .kind = CH_PIPE, .max = 48,
	  .attempt = by_gift, .close = close_gift },
	{ "unix.gift-tcp", "SCM_RIGHTS", .open = open_gift, .kind = CH_TCP, .max = 48,
	  .attempt = by_gift, .close = close_gift },
	{ "pty.master", "terminal", .open = open_terminal, .arg = 1, .attempt = by_write,
	  .close = close_terminal },
	{ "pty.input", "TIOCSTI", ROW_DENIED, EPERM, .open = open_terminal,
	  .attempt = by_input, .close = close_terminal },
	{ "pty.size", "terminal ioctl", ROW_DENIED, EPERM, .open = open_terminal, .max = 48,
	  .attempt = by_size, .look = look_size, .close = close_terminal },
	{ "pty.settings", "terminal ioctl", ROW_PASSED,
	  .note = "settings of a shared terminal: a few bytes for who has it open, too",
	  .open = open_terminal, .max = 48, .attempt = by_setting, .look = look_setting,
	  .close = close_terminal },
};

ESCAPE_MAIN(rows)
