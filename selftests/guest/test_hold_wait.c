// SPDX-License-Identifier: GPL-2.0
/*
 * Which system calls wait for input, so that held output commits before them,
 * and which do not. The producer writes to a pipe and makes one call.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "nl_status.h"
#include "rig.h"
#include "stream.h"

/* Inherited by every producer; nobody ever writes to these. */
struct silent {
	int pipe[2], sock[2], event, epoll, timer, listener, tty;
	struct pair pty;
};

static struct silent quiet;

static int silent_open(struct silent *s)
{
	struct sockaddr_in sin;

	if (pipe(s->pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, s->sock))
		return -errno;
	s->event = eventfd(0, 0);
	s->epoll = epoll_create1(0);
	s->timer = timerfd_create(CLOCK_MONOTONIC, 0);
	s->listener = tcp_listen(&sin);
	return pair_open(&s->pty, CH_PTY);
}

static void read_some(int fd, size_t n)
{
	char b[8];

	if (read(fd, b, n) >= 0)
		_exit(9);
}

static void w_read_pipe(void) { read_some(quiet.pipe[0], 1); }
static void w_read_socket(void) { read_some(quiet.sock[0], 1); }
static void w_read_tty(void) { read_some(quiet.pty.tx, 1); }
static void w_read_eventfd(void) { read_some(quiet.event, 8); }
static void w_read_timerfd(void) { read_some(quiet.timer, 8); }
static void w_recv(void) { char b; recv(quiet.sock[0], &b, 1, 0); }

static void w_recvmsg(void)
{
	char b;
	struct iovec iov = { &b, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	recvmsg(quiet.sock[0], &m, 0);
}

static void w_accept(void) { accept(quiet.listener, NULL, NULL); }
static void w_accept4(void) { accept4(quiet.listener, NULL, NULL, SOCK_CLOEXEC); }

static void w_poll(void)
{
	struct pollfd p = { quiet.pipe[0], POLLIN, 0 };

	poll(&p, 1, -1);
}

static void w_ppoll(void)
{
	struct pollfd p = { quiet.pipe[0], POLLIN, 0 };

	ppoll(&p, 1, NULL, NULL);
}

static void w_select(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(quiet.pipe[0], &in);
	syscall(SYS_select, quiet.pipe[0] + 1, &in, NULL, NULL, NULL);
}

static void w_pselect(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(quiet.pipe[0], &in);
	pselect(quiet.pipe[0] + 1, &in, NULL, NULL, NULL, NULL);
}

static void w_epoll_wait(void)
{
	struct epoll_event ev;

	syscall(SYS_epoll_wait, quiet.epoll, &ev, 1, -1);
}

static void w_epoll_pwait(void)
{
	struct epoll_event ev;

	epoll_pwait(quiet.epoll, &ev, 1, -1, NULL);
}

static void w_epoll_pwait2(void)
{
	struct epoll_event ev;

	syscall(SYS_epoll_pwait2, quiet.epoll, &ev, 1, NULL, NULL, 0);
}

static void w_nanosleep(void)
{
	struct timespec ts = { 1000, 0 };

	syscall(SYS_nanosleep, &ts, NULL);
}

static void w_clock_nanosleep(void)
{
	struct timespec ts = { 1000, 0 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static void w_futex(void)
{
	uint32_t word = 0;

	syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void w_pause(void) { pause(); }

static void w_sigtimedwait(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	sigwaitinfo(&s, NULL);
}

static void w_sigsuspend(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigsuspend(&s);
}

static void waiting_child(void)
{
	if (!fork()) {
		for (;;)
			sched_yield();
	}
}

static void w_wait4(void) { waiting_child(); wait4(-1, NULL, 0, NULL); }

static void w_waitid(void)
{
	siginfo_t si;

	waiting_child();
	waitid(P_ALL, 0, &si, WEXITED);
}

static void w_msgrcv(void)
{
	struct { long type; char text[8]; } m;
	int q = msgget(IPC_PRIVATE, 0600);

	msgrcv(q, &m, sizeof(m.text), 0, 0);
}

/* Calls that ask nobody for input. */
static void n_getppid(void) { syscall(SYS_getppid); }
static void n_yield(void) { sched_yield(); }
static void n_futex_wake(void) { syscall(SYS_futex, &quiet, FUTEX_WAKE, 1); }

static void n_time(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
}


static void n_file(void)
{
	char b[64];
	int fd = open("/proc/self/stat", O_RDONLY);

	if (read(fd, b, sizeof(b)) < 0)
		_exit(9);
	close(fd);
}

FIXTURE(waits)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_VARIANT(waits)
{
	void (*call)(void);
	bool commits;
};

#define WAITS(name) FIXTURE_VARIANT_ADD(waits, name) { w_##name, true }
#define PASSES(name) FIXTURE_VARIANT_ADD(waits, not_##name) { n_##name, false }

WAITS(read_pipe);
WAITS(read_socket);
WAITS(read_tty);
WAITS(read_eventfd);
WAITS(read_timerfd);
WAITS(recv);
WAITS(recvmsg);
WAITS(accept);
WAITS(accept4);
WAITS(poll);
WAITS(ppoll);
WAITS(select);
WAITS(pselect);
WAITS(epoll_wait);
WAITS(epoll_pwait);
WAITS(epoll_pwait2);
WAITS(nanosleep);
WAITS(clock_nanosleep);
WAITS(futex);
WAITS(pause);
WAITS(sigtimedwait);
WAITS(sigsuspend);
WAITS(wait4);
WAITS(waitid);
WAITS(msgrcv);
PASSES(getppid);
PASSES(yield);
PASSES(futex_wake);
PASSES(time);
PASSES(file);

FIXTURE_SETUP(waits)
{
	ASSERT_EQ(0, silent_open(&quiet));
	ASSERT_EQ(0, pair_open(&self->ch, CH_PIPE));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.hold_ipc = SELFHEAL_CHANNEL_ACTION_PASS;	/* a queue to wait at */
}

FIXTURE_TEARDOWN(waits)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

struct plan {
	struct pair *ch;
	void (*call)(void);
};

static void write_and_call(struct page *page, void *arg)
{
	struct plan *plan = arg;

	close(plan->ch->rx);
	if (write(plan->ch->tx, "output", 6) != 6)
		atomic_store(&page->value[0], 1);
	page_step(page, 2);
	page_spin(page, 2);
	plan->call();
	page_step(page, 3);
	page_spin(page, 3);
}

TEST_F(waits, commits_before)
{
	struct plan plan = { &self->ch, variant->call };
	struct rig *r = &self->r;
	int64_t rested = status_counter(&r->c, "rest_commits");
	char got[6];

	ASSERT_LE(0, rested);
	ASSERT_EQ(0, rig_run(r, write_and_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, r->kid.page->value[0]);
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
	page_go(r->kid.page, 2);
	if (variant->commits) {
		EXPECT_EQ(6, rx_read(self->ch.rx, got, 6, BOUND));
		EXPECT_EQ(0, memcmp(got, "output", 6));
		EXPECT_EQ(2, r->kid.page->step);
		/* Before the wait, not because it has lasted. */
		EXPECT_EQ(rested, status_counter(&r->c, "rest_commits"));
	} else {
		ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
		EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	}
}

GUEST_MAIN
