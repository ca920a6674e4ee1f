// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of no bytes. The tap on sends answers in the LSMs' place, where 0
 * is consent: what is held must never be answered with it.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sys/socket.h>

#include "rig.h"
#include "stream.h"

FIXTURE(empty)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_VARIANT(empty)
{
	enum channel_kind kind;
};

FIXTURE_VARIANT_ADD(empty, udp) { CH_UDP };
FIXTURE_VARIANT_ADD(empty, unix_dgram) { CH_UNIX_DGRAM };
FIXTURE_VARIANT_ADD(empty, unix_seqpacket) { CH_UNIX_SEQPACKET };

FIXTURE_SETUP(empty)
{
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(empty)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/* value[0..2]: 0 or the errno of an empty send, an empty write, a send of two bytes. */
static void send_nothing(struct page *page, void *arg)
{
	struct pair *ch = arg;

	atomic_store(&page->value[0], send(ch->tx, "", 0, 0) ? errno : 0);
	atomic_store(&page->value[1], write(ch->tx, "", 0) ? errno : 0);
	atomic_store(&page->value[2], send(ch->tx, "ab", 2, 0) == 2 ? 0 : errno);
	page_step(page, 2);
	page_spin(page, 2);
	poll(NULL, 0, -1);
}

TEST_F(empty, unprotected_it_arrives)
{
	struct child *kid = &self->r.kid;
	char buf[8];

	ASSERT_EQ(0, child_start(kid, send_nothing, &self->ch));
	page_go(kid->page, 1);
	ASSERT_TRUE(page_wait(kid->page, 2, BOUND));
	EXPECT_EQ(0, kid->page->value[0]);
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	EXPECT_EQ(0, recv(self->ch.rx, buf, sizeof(buf), MSG_DONTWAIT));
}

TEST_F(empty, held_it_is_refused)
{
	struct rig *r = &self->r;
	char buf[8];

	ASSERT_EQ(0, rig_run(r, send_nothing, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(ENOBUFS, r->kid.page->value[0]);
	EXPECT_EQ(ENOBUFS, r->kid.page->value[1]);
	EXPECT_EQ(0, r->kid.page->value[2]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	/* What had bytes comes, and it is the first that does. */
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	EXPECT_EQ(2, recv(self->ch.rx, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
}

FIXTURE(several)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(several)
{
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, pair_open(&self->ch, CH_TCP));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(several)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/* The second message goes to the address of the first, so the LSMs are not asked again. */
static void send_to_the_same(struct page *page, void *arg)
{
	struct pair *ch = arg;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct iovec iov[2] = { { "", 0 }, { "secret", 6 } };
	struct mmsghdr mm[2] = {
		{ .msg_hdr = { .msg_name = &sin, .msg_namelen = sizeof(sin), .msg_iov = iov,
			       .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_name = &sin, .msg_namelen = sizeof(sin), .msg_iov = iov + 1,
			       .msg_iovlen = 1 } },
	};

	atomic_store(&page->value[0], sendmmsg(ch->tx, mm, 2, 0));
	atomic_store(&page->value[1], mm[1].msg_len);
	page_step(page, 2);
	page_spin(page, 2);
	poll(NULL, 0, -1);
}

TEST_F(several, behind_an_empty_one)
{
	struct rig *r = &self->r;
	char buf[6];

	ASSERT_EQ(0, rig_run(r, send_to_the_same, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(2, r->kid.page->value[0]);
	EXPECT_EQ(6, r->kid.page->value[1]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	EXPECT_EQ(6, rx_read(self->ch.rx, buf, sizeof(buf), BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
}

GUEST_MAIN
