// SPDX-License-Identifier: GPL-2.0
/*
 * What a program has corked, as servers do for a header and a file, it uncorks before it waits:
 * at the commit the cork is out. What leaves together leaves as it would have: in one segment.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "rig.h"
#include "segments.h"
#include "stream.h"

#define PARTS 3
#define PART 100

FIXTURE(cork)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(cork)
{
	ASSERT_EQ(0, pair_open(&self->ch, CH_TCP));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(cork)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

static void cork(int fd, int on)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* value[0] = bytes that the sends took. */
static void send_corked(struct page *page, void *arg)
{
	struct pair *ch = arg;
	char buf[PART] = "";
	int on = 1, i;

	cork(ch->tx, 1);
	for (i = 0; i < PARTS; i++)
		page->value[0] += send(ch->tx, buf, sizeof(buf), 0);
	cork(ch->tx, 0);
	setsockopt(ch->tx, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	page_step(page, 2);
	page_block(page, 2);
	/* And one alone: nobody waits for more behind it. */
	page->value[0] += send(ch->tx, buf, sizeof(buf), 0);
	page_step(page, 3);
	page_block(page, 3);
}

static void comes_in_one(struct __test_metadata *_metadata, struct pair *ch, struct child *kid)
{
	char got[PARTS * PART];

	ASSERT_TRUE(page_wait(kid->page, 2, BOUND));
	ASSERT_EQ(sizeof(got), rx_read(ch->rx, got, sizeof(got), BOUND));
	EXPECT_EQ(1, segments_in(ch->rx));
	page_go(kid->page, 2);
	ASSERT_TRUE(page_wait(kid->page, 3, BOUND));
	ASSERT_EQ(PART, rx_read(ch->rx, got, PART, BOUND));
	EXPECT_EQ(2, segments_in(ch->rx));
	EXPECT_EQ((PARTS + 1) * PART, kid->page->value[0]);
	page_go(kid->page, 3);
}

/* The control: the kernel alone. */
TEST_F(cork, unprotected)
{
	struct child kid;

	ASSERT_EQ(0, child_start(&kid, send_corked, &self->ch));
	page_go(kid.page, 1);
	comes_in_one(_metadata, &self->ch, &kid);
	child_end(&kid);
}

TEST_F(cork, held)
{
	ASSERT_EQ(0, rig_run(&self->r, send_corked, &self->ch));
	comes_in_one(_metadata, &self->ch, &self->r.kid);
}

GUEST_MAIN
