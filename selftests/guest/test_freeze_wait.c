// SPDX-License-Identifier: GPL-2.0
/*
 * A freeze that ends in release leaves no trace in a call that the program
 * waits in: no EINTR, no stretched timeout, no lost or repeated wakeup.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "rig.h"
#include "stream.h"

#define UNREACHED (-1000000)

/* Made before the fork; the test wakes through these. */
static struct {
	struct pair pipe, sock;
	struct sockaddr_in sin;
	int listener, event, epoll, queue, waker;
	pid_t kid;
	struct page *page;
} w;

static int64_t result(long n)
{
	return n < 0 ? -errno : n;
}

static struct timespec to_spec(int ms)
{
	return (struct timespec){ ms / 1000, (ms % 1000) * 1000000L };
}

static int64_t w_epoll(int ms)
{
	struct epoll_event ev;

	return result(syscall(SYS_epoll_wait, w.epoll, &ev, 1, ms));
}

static int64_t w_epoll_pwait2(int ms)
{
	struct timespec ts = to_spec(ms);
	struct epoll_event ev;

	return result(syscall(SYS_epoll_pwait2, w.epoll, &ev, 1, ms < 0 ? NULL : &ts, NULL, 0));
}

static int64_t w_poll(int ms)
{
	struct pollfd p = { w.pipe.rx, POLLIN, 0 };

	return result(syscall(SYS_poll, &p, 1, ms));
}

static int64_t w_ppoll(int ms)
{
	struct pollfd p = { w.pipe.rx, POLLIN, 0 };
	struct timespec ts = to_spec(ms);

	return result(syscall(SYS_ppoll, &p, 1, ms < 0 ? NULL : &ts, NULL, 0));
}

static int64_t w_select(int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(w.pipe.rx, &in);
	return result(syscall(SYS_select, w.pipe.rx + 1, &in, NULL, NULL, ms < 0 ? NULL : &tv));
}

static int64_t w_nanosleep(int ms)
{
	struct timespec ts = to_spec(ms);

	return result(syscall(SYS_nanosleep, &ts, NULL));
}

static int64_t w_clock_nanosleep(int ms)
{
	struct timespec ts = to_spec(ms);

	return result(syscall(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &ts, NULL));
}

static int64_t w_clock_abstime(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += (ts.tv_nsec + ms * 1000000L) / 1000000000L;
	ts.tv_nsec = (ts.tv_nsec + ms * 1000000L) % 1000000000L;
	return result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
}

static int64_t w_futex(int ms)
{
	struct timespec ts = to_spec(ms);

	return result(syscall(SYS_futex, &w.page->threads, FUTEX_WAIT, 0,
			      ms < 0 ? NULL : &ts, NULL, 0));
}

static int64_t w_recv(int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	char b;

	if (ms >= 0)
		setsockopt(w.sock.rx, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return result(syscall(SYS_recvfrom, w.sock.rx, &b, 1, 0, NULL, NULL));
}

static int64_t w_accept(int ms)
{
	struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
	int fd;

	if (ms >= 0)
		setsockopt(w.listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	fd = syscall(SYS_accept, w.listener, NULL, NULL);
	return fd < 0 ? -errno : 1;
}

static int64_t w_sigtimedwait(int ms)
{
	struct timespec ts = to_spec(ms);
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return result(syscall(SYS_rt_sigtimedwait, &s, NULL, ms < 0 ? NULL : &ts, 8));
}

static int64_t w_read_pipe(int ms)
{
	char b;

	(void)ms;
	return result(read(w.pipe.rx, &b, 1));
}

static int64_t w_read_event(int ms)
{
	uint64_t b;

	(void)ms;
	return result(read(w.event, &b, 8));
}

static int64_t w_msgrcv(int ms)
{
	struct { long type; char text[8]; } m;

	(void)ms;
	return result(msgrcv(w.queue, &m, sizeof(m.text), 0, 0));
}

static void put(int fd, const void *data, ssize_t n)
{
	if (write(fd, data, n) != n)
		abort();
}

static void wake_pipe(void) { put(w.pipe.tx, "x", 1); }
static void wake_sock(void) { put(w.sock.tx, "x", 1); }
static void wake_event(void) { put(w.event, &(uint64_t){ 1 }, 8); }
static void wake_signal(void) { kill(w.kid, SIGUSR2); }
static void wake_accept(void) { w.waker = tcp_connect(&w.sin); }

static void wake_futex(void)
{
	syscall(SYS_futex, &w.page->threads, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void wake_msg(void)
{
	struct { long type; char text[4]; } m = { 1, "xyz" };

	if (msgsnd(w.queue, &m, sizeof(m.text), 0))
		abort();
}

FIXTURE(wait)
{
	struct rig r;
};

FIXTURE_VARIANT(wait)
{
	long nr;
	int64_t (*call)(int ms);
	int64_t expired;		/* answer at the timeout; UNREACHED: takes none */
	void (*wake)(void);
	int64_t woken;
};

FIXTURE_VARIANT_ADD(wait, epoll_wait) { SYS_epoll_wait, w_epoll, 0, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, epoll_pwait2) { SYS_epoll_pwait2, w_epoll_pwait2, 0, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, poll) { SYS_poll, w_poll, 0, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, ppoll) { SYS_ppoll, w_ppoll, 0, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, select) { SYS_select, w_select, 0, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, nanosleep) { SYS_nanosleep, w_nanosleep, 0, NULL, 0 };
FIXTURE_VARIANT_ADD(wait, clock_nanosleep) {
	SYS_clock_nanosleep, w_clock_nanosleep, 0, NULL, 0 };
FIXTURE_VARIANT_ADD(wait, clock_nanosleep_abstime) {
	SYS_clock_nanosleep, w_clock_abstime, 0, NULL, 0 };
FIXTURE_VARIANT_ADD(wait, futex) { SYS_futex, w_futex, -ETIMEDOUT, wake_futex, 0 };
FIXTURE_VARIANT_ADD(wait, recv) { SYS_recvfrom, w_recv, -EAGAIN, wake_sock, 1 };
FIXTURE_VARIANT_ADD(wait, accept) { SYS_accept, w_accept, -EAGAIN, wake_accept, 1 };
FIXTURE_VARIANT_ADD(wait, sigtimedwait) {
	SYS_rt_sigtimedwait, w_sigtimedwait, -EAGAIN, wake_signal, SIGUSR2 };
FIXTURE_VARIANT_ADD(wait, read_pipe) { SYS_read, w_read_pipe, UNREACHED, wake_pipe, 1 };
FIXTURE_VARIANT_ADD(wait, read_eventfd) { SYS_read, w_read_event, UNREACHED, wake_event, 8 };
FIXTURE_VARIANT_ADD(wait, msgrcv) { SYS_msgrcv, w_msgrcv, UNREACHED, wake_msg, 4 };

FIXTURE_SETUP(wait)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	sigset_t s;

	memset(&w, 0, sizeof(w));
	ASSERT_EQ(0, pair_open(&w.pipe, CH_PIPE));
	ASSERT_EQ(0, pair_open(&w.sock, CH_TCP));
	w.listener = tcp_listen(&w.sin);
	w.event = eventfd(0, 0);
	w.epoll = epoll_create1(0);
	w.queue = msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(0, epoll_ctl(w.epoll, EPOLL_CTL_ADD, w.pipe.rx, &ev));
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, NULL);
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(wait)
{
	EXPECT_TRUE(rig_close(&self->r));
	msgctl(w.queue, IPC_RMID, NULL);
}

struct plan {
	int64_t (*call)(int ms);
	int ms;
	bool again;
};

/* value[0] answer, value[1] nanoseconds, value[2] answer of a second wait of 1 ms, value[3] begin. */
static void wait_once(struct page *page, void *arg)
{
	struct plan *plan = arg;
	int64_t start;

	w.page = page;
	start = now_ns();
	atomic_store(&page->value[3], start);
	page_step(page, 2);
	atomic_store(&page->value[0], plan->call(plan->ms));
	atomic_store(&page->value[1], now_ns() - start);
	if (plan->again)
		atomic_store(&page->value[2], plan->call(1));
	page_step(page, 3);
	page_block(page, ~0U);
}

static bool freeze_asleep(struct rig *r, long nr, uint64_t *id)
{
	return proc_wait_syscall(r->kid.pid, r->kid.pid, nr, BOUND) &&
	       !domain_freeze(&r->c, r->dom, id) &&
	       domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND);
}

TEST_F(wait, timeout_is_not_stretched)
{
	const int64_t timeout = slow_ms(1000);
	struct plan plan = { variant->call, timeout, false };
	struct rig *r = &self->r;
	int64_t frozen, due;
	uint64_t id;

	if (variant->expired == UNREACHED)
		return;		/* the call has no timeout */
	ASSERT_EQ(0, rig_run(r, wait_once, &plan));
	ASSERT_TRUE(freeze_asleep(r, variant->nr, &id));
	/* Frozen for most of the wait; it must not add up. */
	frozen = now_ns();
	pause_ms(timeout - timeout / 5);
	frozen = now_ns() - frozen;
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	/* On a busy machine the release comes after the timeout. */
	due = now_ns() - r->kid.page->value[3];
	if (due < timeout * 1000000LL)
		due = timeout * 1000000LL;
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(variant->expired, r->kid.page->value[0]);
	/* Some count jiffies, which lag behind while the host has no time for this CPU. */
	EXPECT_LE((timeout - timeout / 10) * 1000000LL, r->kid.page->value[1]);
	EXPECT_GT(due + frozen, r->kid.page->value[1]) {
		TH_LOG("due after %lld ms, frozen for %lld ms", (long long)due / 1000000,
		       (long long)frozen / 1000000);
	}
}

TEST_F(wait, timeout_ends_while_frozen)
{
	const int timeout = slow_ms(600);
	struct plan plan = { variant->call, timeout, false };
	struct rig *r = &self->r;
	uint64_t id;

	if (variant->expired == UNREACHED)
		return;		/* the call has no timeout */
	ASSERT_EQ(0, rig_run(r, wait_once, &plan));
	ASSERT_TRUE(freeze_asleep(r, variant->nr, &id));
	pause_ms(timeout);
	/* Its time is over, and it does not run. */
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(variant->expired, r->kid.page->value[0]);
}

TEST_F(wait, wakeup_while_frozen)
{
	struct plan plan = { variant->call, -1, variant->expired != UNREACHED };
	struct rig *r = &self->r;
	uint64_t id;

	if (!variant->wake)
		return;		/* nothing wakes it */
	ASSERT_EQ(0, rig_run(r, wait_once, &plan));
	w.kid = r->kid.pid;
	w.page = r->kid.page;
	ASSERT_TRUE(freeze_asleep(r, variant->nr, &id));
	variant->wake();
	pause_ms(QUIET);
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(variant->woken, r->kid.page->value[0]);
	/* Edge-triggered, consumed or one-shot: there is no second wakeup. */
	if (plan.again && variant->nr != SYS_poll && variant->nr != SYS_ppoll &&
	    variant->nr != SYS_select)
		EXPECT_EQ(variant->expired, r->kid.page->value[2]);
}

TEST_F(wait, wakeup_after_the_release)
{
	struct plan plan = { variant->call, -1, false };
	struct rig *r = &self->r;
	uint64_t id;
	int i;

	if (!variant->wake)
		return;		/* nothing wakes it */
	ASSERT_EQ(0, rig_run(r, wait_once, &plan));
	w.kid = r->kid.pid;
	w.page = r->kid.page;
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(freeze_asleep(r, variant->nr, &id));
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	}
	pause_ms(QUIET / 3);
	EXPECT_EQ(2, r->kid.page->step);
	EXPECT_EQ(variant->nr, proc_syscall(r->kid.pid, r->kid.pid));
	variant->wake();
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(variant->woken, r->kid.page->value[0]);
}

GUEST_MAIN
