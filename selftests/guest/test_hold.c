// SPDX-License-Identifier: GPL-2.0
/*
 * Held output, for each kind of channel: it stays until its producer waits or
 * exits, arrives then whole, in order and once; a kill drops it, a release
 * lets it out.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "rig.h"
#include "stream.h"

#define MESSAGES 5

static const char *const message[MESSAGES] = {
	"alpha", "a longer second message", "3", "the fourth", "omega and the end",
};

static size_t total(void)
{
	size_t n = 0;
	int i;

	for (i = 0; i < MESSAGES; i++)
		n += strlen(message[i]);
	return n;
}

FIXTURE(hold)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_VARIANT(hold)
{
	enum channel_kind kind;
};

FIXTURE_VARIANT_ADD(hold, tcp) { CH_TCP };
FIXTURE_VARIANT_ADD(hold, udp) { CH_UDP };
FIXTURE_VARIANT_ADD(hold, unix_stream) { CH_UNIX_STREAM };
FIXTURE_VARIANT_ADD(hold, unix_dgram) { CH_UNIX_DGRAM };
FIXTURE_VARIANT_ADD(hold, unix_seqpacket) { CH_UNIX_SEQPACKET };
FIXTURE_VARIANT_ADD(hold, netlink) { CH_NETLINK };
FIXTURE_VARIANT_ADD(hold, pipe) { CH_PIPE };
FIXTURE_VARIANT_ADD(hold, fifo) { CH_FIFO };
FIXTURE_VARIANT_ADD(hold, pty) { CH_PTY };

FIXTURE_SETUP(hold)
{
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind)) { TH_LOG("errno %d", errno); }
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
}

FIXTURE_TEARDOWN(hold)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/* value[0] = errno of the first failed send; value[1] = time before the first send. */
static void send_all(struct page *page, struct pair *ch)
{
	int i;

	close(ch->rx);
	atomic_store(&page->value[1], now_ns());
	for (i = 0; i < MESSAGES; i++) {
		ssize_t len = strlen(message[i]);

		if (write(ch->tx, message[i], len) != len && !page->value[0])
			atomic_store(&page->value[0], errno ? errno : EIO);
	}
	page_step(page, 2);
}

static void send_then_wait(struct page *page, void *arg)
{
	send_all(page, arg);
	page_spin(page, 2);
	poll(NULL, 0, -1);
}

static void send_then_spin(struct page *page, void *arg)
{
	send_all(page, arg);
	page_spin(page, 3);
}

static void send_then_exit(struct page *page, void *arg)
{
	send_all(page, arg);
	page_spin(page, 2);
}

static void send_then_abort(struct page *page, void *arg)
{
	send_all(page, arg);
	page_spin(page, 2);
	abort();
}

/* Everything once and in order, message boundaries kept where there are any. */
static bool arrives(struct pair *ch, int ms)
{
	char want[256] = "", got[256];
	ssize_t n;
	int i;

	if (pair_is_stream(ch)) {
		for (i = 0; i < MESSAGES; i++)
			strcat(want, message[i]);
		if (rx_read(ch->rx, got, total(), ms) != total() ||
		    memcmp(got, want, total()))
			return false;
	} else {
		for (i = 0; i < MESSAGES; i++) {
			if (!rx_ready(ch->rx, ms))
				return false;
			n = recv(ch->rx, got, sizeof(got), 0);
			if (n != (ssize_t)strlen(message[i]) || memcmp(got, message[i], n))
				return false;
		}
	}
	return !rx_ready(ch->rx, QUIET);
}

TEST_F(hold, stays_until_the_producer_waits)
{
	struct rig *r = &self->r;
	struct domain d;

	ASSERT_EQ(0, rig_run(r, send_then_wait, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(total(), d.held_bytes);
	EXPECT_EQ(MESSAGES, d.held_entries);
	page_go(r->kid.page, 2);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, total(), BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(total(), d.held_total);
	EXPECT_EQ(total(), d.committed_bytes);
	EXPECT_EQ(0, d.dropped_bytes);
	EXPECT_EQ(0, d.held_bytes);
	EXPECT_EQ(0, d.held_entries);
}

TEST_F(hold, commits_at_exit)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, send_then_exit, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

TEST_F(hold, kill_drops_everything)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, send_then_abort, &self->ch));
	page_go(r->kid.page, 2);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(total(), inc.held_bytes);
	EXPECT_EQ(MESSAGES, inc.held_entries);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	/* Nothing came, and where there is an end, it is the end at once. */
	close(self->ch.tx);
	self->ch.tx = -1;
	EXPECT_TRUE(pair_is_stream(&self->ch) || variant->kind == CH_UNIX_SEQPACKET ?
		    rx_eof(self->ch.rx, BOUND) : !rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(total(), inc.dropped_bytes);
	EXPECT_EQ(0, inc.committed_bytes);
	EXPECT_EQ(SELFHEAL_VERDICT_KILL, inc.verdict);
}

TEST_F(hold, release_lets_everything_out)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(total(), inc.committed_bytes);
	EXPECT_EQ(0, inc.dropped_bytes);
	page_go(r->kid.page, 3);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

TEST_F(hold, released_fault_lets_out_and_crashes)
{
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, send_then_abort, &self->ch));
	page_go(r->kid.page, 2);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGABRT));
}

TEST_F(hold, by_verdict_alone)
{
	struct rig *r = &self->r;
	uint64_t id;

	r->p.commit = 0;
	ASSERT_EQ(0, rig_run(r, send_then_wait, &self->ch));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	/* It waits, and still nothing leaves. */
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
}

TEST_F(hold, output_that_outlives_its_producer)
{
	struct rig *r = &self->r;
	struct event ev;

	r->p.commit = 0;
	ASSERT_EQ(0, rig_run(r, send_then_exit, &self->ch));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	EXPECT_EQ(SELFHEAL_SENSOR_EXIT, ev.sensor);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
}

TEST_F(hold, output_that_outlives_its_producer_dropped)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.commit = 0;
	ASSERT_EQ(0, rig_run(r, send_then_exit, &self->ch));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_EQ(total(), inc.dropped_bytes);
	EXPECT_EQ(0, inc.committed_bytes);
}

TEST_F(hold, delay_alone)
{
	struct rig *r = &self->r;
	int64_t waited;

	r->p.commit = SELFHEAL_COMMIT_DELAY;
	r->p.delay_ms = 400;
	/* It never waits for input: the time alone commits. */
	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	waited = now_ns() - r->kid.page->value[1];
	EXPECT_LE(400 * 1000000LL, waited);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	page_go(r->kid.page, 3);
}

TEST_F(hold, delay_and_quiesce)
{
	struct rig *r = &self->r;
	int64_t waited;

	r->p.commit = SELFHEAL_COMMIT_DELAY | SELFHEAL_COMMIT_QUIESCE;
	r->p.delay_ms = 400;
	ASSERT_EQ(0, rig_run(r, send_then_wait, &self->ch));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	waited = now_ns() - r->kid.page->value[1];
	EXPECT_LE(400 * 1000000LL, waited);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
}

TEST_F(hold, delay_waits_for_quiesce)
{
	struct rig *r = &self->r;

	r->p.commit = SELFHEAL_COMMIT_DELAY | SELFHEAL_COMMIT_QUIESCE;
	r->p.delay_ms = 1;
	ASSERT_EQ(0, rig_run(r, send_then_wait, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
}

TEST_F(hold, deny_fails_with_eperm)
{
	struct rig *r = &self->r;

	r->p.hold_socket = SELFHEAL_CHANNEL_ACTION_DENY;
	r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_DENY;
	r->p.hold_tty = SELFHEAL_CHANNEL_ACTION_DENY;
	ASSERT_EQ(0, rig_run(r, send_then_wait, &self->ch));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(EPERM, r->kid.page->value[0]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

TEST_F(hold, pass_is_at_once)
{
	struct rig *r = &self->r;

	r->p.hold_socket = SELFHEAL_CHANNEL_ACTION_PASS;
	r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_PASS;
	r->p.hold_tty = SELFHEAL_CHANNEL_ACTION_PASS;
	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	page_go(r->kid.page, 3);
}

TEST_F(hold, observe_holds_nothing)
{
	struct rig *r = &self->r;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	page_go(r->kid.page, 3);
}

TEST_F(hold, dissolve_commits)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_dissolve(&r->c, r->dom));
	EXPECT_TRUE(arrives(&self->ch, BOUND));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0)) {
		TH_LOG("wait status %#x", r->kid.status);
	}
}

TEST_F(hold, killed_from_outside_commits)
{
	struct rig *r = &self->r;

	/* A producer that has gone sent what it sent: no sensor fired. */
	ASSERT_EQ(0, rig_run(r, send_then_spin, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	kill(r->kid.pid, SIGKILL);
	EXPECT_TRUE(arrives(&self->ch, BOUND));
}

GUEST_MAIN
