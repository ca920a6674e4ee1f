// SPDX-License-Identifier: GPL-2.0
/*
 * sendfile(2) into a pipe moves pages past pipe_write(): a member of a domain
 * that holds pipes is refused, and nothing arrives; others are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/sendfile.h>

#include "rig.h"
#include "stream.h"

#define LENGTH 4096

FIXTURE(splice)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(splice)
{
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, pair_open(&self->ch, CH_PIPE));
}

FIXTURE_TEARDOWN(splice)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/* value[0] = what sendfile returned, or -errno. */
static void send_file(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int fd = open("/proc/self/exe", O_RDONLY);
	ssize_t n = sendfile(ch->tx, fd, NULL, LENGTH);

	atomic_store(&page->value[0], n < 0 ? -errno : n);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(splice, held_pipe_refuses_sendfile)
{
	struct rig *r = &self->r;

	r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_HOLD;
	ASSERT_EQ(0, rig_run(r, send_file, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(-EINVAL, (int64_t)r->kid.page->value[0]);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

TEST_F(splice, passed_pipe_takes_sendfile)
{
	struct rig *r = &self->r;

	r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_PASS;
	ASSERT_EQ(0, rig_run(r, send_file, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(LENGTH, (int64_t)r->kid.page->value[0]);
	EXPECT_TRUE(rx_ready(self->ch.rx, BOUND));
}

/* What is held elsewhere is no reason to wait: its thread has not come to a wait yet. */
static void send_to_both(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int fd = open("/proc/self/exe", O_RDONLY);
	ssize_t n;

	atomic_store(&page->value[1], write(ch[1].tx, "held", 4));
	n = sendfile(ch->tx, fd, NULL, LENGTH);
	atomic_store(&page->value[0], n < 0 ? -errno : n);
	page_step(page, 2);
	page_spin(page, ~0U);
}

TEST_F(splice, passed_pipe_beside_a_held_socket)
{
	struct pair ch[2] = { self->ch };
	struct rig *r = &self->r;

	ASSERT_EQ(0, pair_open(&ch[1], CH_UNIX_STREAM));
	policy_hold(&r->p);
	r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_PASS;
	ASSERT_EQ(0, rig_run(r, send_to_both, ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(LENGTH, (int64_t)r->kid.page->value[0]);
	EXPECT_EQ(4, (int64_t)r->kid.page->value[1]);
	EXPECT_TRUE(rx_ready(self->ch.rx, 0));
	EXPECT_FALSE(rx_ready(ch[1].rx, QUIET));
	pair_close(&ch[1]);
}

GUEST_MAIN
