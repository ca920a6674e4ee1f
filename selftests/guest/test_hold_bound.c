// SPDX-License-Identifier: GPL-2.0
/*
 * The bound of the quarantine and what happens at it, flow control of
 * non-blocking descriptors, and large transfers byte for byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "rig.h"
#include "stream.h"

#define BOUND_BYTES 65536
#define CHUNK 4096

FIXTURE(bulk)
{
	struct rig r;
	struct pair ch;
	struct receiver rx;
};

FIXTURE_VARIANT(bulk)
{
	enum channel_kind kind;
	uint64_t bytes;
};

FIXTURE_VARIANT_ADD(bulk, tcp) { CH_TCP, 4 << 20 };
FIXTURE_VARIANT_ADD(bulk, unix_stream) { CH_UNIX_STREAM, 4 << 20 };
FIXTURE_VARIANT_ADD(bulk, pipe) { CH_PIPE, 4 << 20 };
FIXTURE_VARIANT_ADD(bulk, fifo) { CH_FIFO, 1 << 20 };
FIXTURE_VARIANT_ADD(bulk, pty) { CH_PTY, 256 << 10 };

FIXTURE_SETUP(bulk)
{
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(bulk)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

struct plan {
	struct pair *ch;
	uint64_t bytes;
	size_t chunk;
	bool nonblock;
};

/*
 * value[0] = errno of a failure, value[1] = bytes taken, value[2] = times
 * EAGAIN, value[3] = short writes; count[0] follows the bytes taken.
 */
static void send_bulk(struct page *page, void *arg)
{
	struct plan *plan = arg;
	static uint8_t buf[1 << 20];
	struct pollfd pfd = { .fd = plan->ch->tx, .events = POLLOUT };
	uint64_t at = 0;
	ssize_t n;

	close(plan->ch->rx);
	if (plan->nonblock)
		fcntl(plan->ch->tx, F_SETFL, O_NONBLOCK);
	while (at < plan->bytes) {
		size_t want = plan->bytes - at < plan->chunk ? plan->bytes - at : plan->chunk;

		pattern_fill(buf, at, want);
		n = write(plan->ch->tx, buf, want);
		if (n < 0 && errno == EAGAIN && plan->nonblock) {
			if (!atomic_fetch_add(&page->value[2], 1))
				page_step(page, 2);
			poll(&pfd, 1, -1);
			continue;
		}
		if (n < 0) {
			atomic_store(&page->value[0], errno);
			break;
		}
		if ((size_t)n < want)
			atomic_fetch_add(&page->value[3], 1);
		at += n;
		atomic_store(&page->value[1], at);
		atomic_store(&page->count[0], at);
	}
	page_step(page, 3);
	page_spin(page, 3);
	poll(NULL, 0, -1);
}

TEST_F_TIMEOUT(bulk, nonblocking_flow_control, 900)
{
	struct plan plan = { &self->ch, variant->bytes, 100000, true };
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	/*
	 * Nobody reads: it must be told EAGAIN before all is taken, and not hang.
	 * Terminals have no room of their own to tell of: all of it is held.
	 */
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	if (variant->kind != CH_PTY) {
		EXPECT_GT(variant->bytes, r->kid.page->value[1]);
		EXPECT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_poll, BOUND));
		EXPECT_LT(0, r->kid.page->value[2]);
	}
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(receiver_wait(&self->rx, variant->bytes, slow_ms(90000)));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_EQ(variant->bytes, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

TEST_F_TIMEOUT(bulk, blocking_past_the_bound_with_commit, 900)
{
	struct plan plan = { &self->ch, variant->bytes, CHUNK, false };
	struct rig *r = &self->r;
	struct domain d;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_COMMIT;
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(receiver_wait(&self->rx, variant->bytes, slow_ms(90000)));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_EQ(-1, self->rx.wrong);
	/* The last byte is outside before the worker has accounted for it. */
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, variant->bytes, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(variant->bytes, d.held_total);
	EXPECT_EQ(variant->bytes, d.committed_bytes);
	receiver_stop(&self->rx);
}

TEST_F_TIMEOUT(bulk, one_write_larger_than_the_bound, 900)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, 4 * BOUND_BYTES, false };
	struct rig *r = &self->r;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_COMMIT;
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(receiver_wait(&self->rx, 4 * BOUND_BYTES, slow_ms(90000)));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

TEST_F_TIMEOUT(bulk, block_goes_on_as_the_delay_ends, 900)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, CHUNK, false };
	struct rig *r = &self->r;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_BLOCK;
	r->p.commit = SELFHEAL_COMMIT_DELAY;
	r->p.delay_ms = 50;
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	EXPECT_TRUE(receiver_wait(&self->rx, 4 * BOUND_BYTES, slow_ms(90000)));
	EXPECT_EQ(-1, self->rx.wrong);
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_OVERFLOW, r->dom, BOUND, NULL));
	page_go(r->kid.page, 3);
	receiver_stop(&self->rx);
}

TEST_F(bulk, block_holds_the_producer)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, CHUNK, false };
	struct rig *r = &self->r;
	struct domain d;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_BLOCK;
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_OVERFLOW, r->dom, BOUND, NULL));
	EXPECT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'S', BOUND));
	EXPECT_FALSE(page_changed(&r->kid.page->count[0], r->kid.page->count[0], QUIET));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_GE(BOUND_BYTES, d.held_bytes);
	EXPECT_LE(BOUND_BYTES - CHUNK, d.held_bytes);
	/* It can be killed there. */
	kill(r->kid.pid, SIGKILL);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

TEST_F(bulk, blocked_producer_frozen_and_killed)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, CHUNK, false };
	struct rig *r = &self->r;
	uint64_t id;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_BLOCK;
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_OVERFLOW, r->dom, BOUND, NULL));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

TEST_F(bulk, deny_says_enobufs)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, CHUNK, false };
	struct rig *r = &self->r;
	uint64_t taken;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_DENY;
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(ENOBUFS, r->kid.page->value[0]);
	taken = r->kid.page->value[1];
	EXPECT_GE(BOUND_BYTES, taken);
	EXPECT_LE(BOUND_BYTES - CHUNK, taken);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	/* What was taken arrives. */
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(receiver_wait(&self->rx, taken, BOUND));
	EXPECT_EQ(taken, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

TEST_F(bulk, kill_opens_an_incident)
{
	struct plan plan = { &self->ch, 4 * BOUND_BYTES, CHUNK, false };
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.max_bytes = BOUND_BYTES;
	r->p.overflow = SELFHEAL_OVERFLOW_KILL;
	ASSERT_EQ(0, rig_run(r, send_bulk, &plan));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	EXPECT_EQ(SELFHEAL_SENSOR_OVERFLOW, ev.sensor);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_EQ(SELFHEAL_VERDICT_KILL, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_RULE, inc.resolved_by);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

/* value[2] = errno of the full send, value[3] = nanoseconds that it took. */
static void fill_until_refused(struct page *page, void *arg)
{
	struct plan *plan = arg;
	static uint8_t buf[CHUNK];
	int64_t start;

	close(plan->ch->rx);
	if (plan->nonblock)
		fcntl(plan->ch->tx, F_SETFL, O_NONBLOCK);
	do {
		start = now_ns();
	} while (write(plan->ch->tx, buf, sizeof(buf)) > 0);
	atomic_store(&page->value[2], errno);
	atomic_store(&page->value[3], now_ns() - start);
	page_step(page, 2);
	page_spin(page, 2);
}

TEST_F(bulk, block_on_a_nonblocking_descriptor)
{
	struct plan plan = { .ch = &self->ch, .nonblock = true };
	struct rig *r = &self->r;

	r->p.max_bytes = 2 * CHUNK;
	r->p.overflow = SELFHEAL_OVERFLOW_BLOCK;
	ASSERT_EQ(0, rig_run(r, fill_until_refused, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(EAGAIN, r->kid.page->value[2]);
	page_go(r->kid.page, 2);
}

TEST_F(bulk, send_timeout_is_kept)
{
	struct timeval tv = { 0, 300000 };
	struct plan plan = { .ch = &self->ch };
	struct rig *r = &self->r;

	if (variant->kind != CH_TCP && variant->kind != CH_UNIX_STREAM)
		return;		/* a socket option */
	ASSERT_EQ(0, setsockopt(self->ch.tx, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	r->p.max_bytes = 2 * CHUNK;
	r->p.overflow = SELFHEAL_OVERFLOW_BLOCK;
	ASSERT_EQ(0, rig_run(r, fill_until_refused, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(EAGAIN, r->kid.page->value[2]);
	EXPECT_LE(290000000LL, r->kid.page->value[3]);
	page_go(r->kid.page, 2);
}

FIXTURE(late)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(late)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(late)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

static _Atomic int pipe_signals;

static void on_sigpipe(int sig)
{
	(void)sig;
	pipe_signals++;
}

/* value[2] = SIGPIPEs before the second write, value[3] = its errno, value[4] = SIGPIPEs after. */
static void write_to_nobody(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int i;

	signal(SIGPIPE, on_sigpipe);
	close(ch->rx);
	if (write(ch->tx, "x", 1) != 1)
		atomic_store(&page->value[0], errno);
	page_step(page, 2);
	page_spin(page, 2);
	poll(NULL, 0, 50);
	atomic_store(&page->value[2], pipe_signals);
	/* A TCP sender learns of the reset with its second packet, when that has been sent. */
	for (i = 0; i < 100 && !page->value[3]; i++) {
		if (write(ch->tx, "y", 1) < 0)
			atomic_store(&page->value[3], errno);
		poll(NULL, 0, 50);
	}
	atomic_store(&page->value[4], pipe_signals);
	page_step(page, 3);
}

TEST_F(late, receiver_gone_before_the_commit)
{
	static const enum channel_kind kinds[] = { CH_TCP, CH_UNIX_STREAM, CH_PIPE };
	struct rig *r = &self->r;
	unsigned int i;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pair_open(&self->ch, kinds[i]));
		ASSERT_EQ(0, child_start(&r->kid, write_to_nobody, &self->ch));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		page_go(r->kid.page, 1);
		ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
		pair_close(&self->ch);
		page_go(r->kid.page, 2);
		ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
		EXPECT_EQ(0, r->kid.page->value[0]);
		/* The commit itself raises no signal in the program. */
		EXPECT_EQ(0, r->kid.page->value[2]);
		EXPECT_TRUE(r->kid.page->value[3] == EPIPE ||
			    r->kid.page->value[3] == ECONNRESET) {
			TH_LOG("kind %d: errno %lld", kinds[i],
			       (long long)r->kid.page->value[3]);
		}
		child_end(&r->kid);
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	}
}

GUEST_MAIN
