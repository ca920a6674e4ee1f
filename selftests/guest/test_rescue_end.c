// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that end while they are rolled back: by SIGKILL from outside, at
 * any moment of it, or by the answer to the next incident. Nobody waits for a
 * thread that does not come any more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>

#include "killer.h"
#include "rig.h"
#include "stream.h"

#define SLEEPERS 6
#define ROUNDS 40
/* What a process has made since its point: a rollback ends the one, closes the other. */
#define NEWER_THREADS 8
#define NEWER_FILES 800
/* Steps of the delay between the rollback and the kill, and the work of one. */
#define STEPS 8
#define STEP_WORK 20000

FIXTURE(end)
{
	struct rig r;
	struct pair pair;
};

FIXTURE_SETUP(end)
{
	ASSERT_EQ(0, pair_open(&self->pair, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(end)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->pair);
}

static struct page *shared_page;
/* Its last act before the fault is to make threads, and files. */
static bool newer;

static void *sleeps(void *arg)
{
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;)
		page_block(shared_page, UINT32_MAX);
	return arg;
}

static void grow(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < NEWER_FILES; i++)
		if (dup(0) < 0)
			_exit(1);
	for (i = 0; i < NEWER_THREADS; i++)
		if (pthread_create(&thread, NULL, page_come_and_go, shared_page))
			_exit(1);
}

static void serve(struct page *page, void *arg)
{
	volatile int *null = NULL;
	struct pair *pair = arg;
	pthread_t thread;
	char byte;
	int i;

	shared_page = page;
	for (i = 0; !newer && i < SLEEPERS; i++)
		if (pthread_create(&thread, NULL, sleeps, NULL))
			_exit(1);
	while (recv(pair->rx, &byte, 1, 0) == 1) {
		if (byte == 'X' && newer)
			grow();
		if (byte == 'X')
			*null = 1;
		if (send(pair->rx, &byte, 1, 0) != 1)
			_exit(1);
	}
	page_spin(page, UINT32_MAX);
}

static bool has_point(struct rig *r, int fd)
{
	struct rescue point = { .stamp = 0 };
	int64_t end = now_ms() + BOUND;
	char byte;

	do {
		if (send(fd, "G", 1, 0) != 1 || rx_read(fd, &byte, 1, BOUND) != 1 ||
		    rescue_get(&r->c, r->dom, &point))
			return false;
		if (!point.stamp)
			pause_ms(20);
	} while (!point.stamp && now_ms() < end);
	return point.stamp;
}

/* A child of its own in a domain of its own, attacked and frozen: its incident, or 0. */
static uint64_t attacked(struct rig *r, struct pair *pair)
{
	int64_t end = now_ms() + BOUND;

	if (child_start(&r->kid, serve, pair) ||
	    domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom))
		return 0;
	page_go(r->kid.page, 1);
	while (!newer && atomic_load(&r->kid.page->threads) < SLEEPERS && now_ms() < end)
		pause_ms(1);
	if (!has_point(r, pair->tx) || send(pair->tx, "X", 1, 0) != 1)
		return 0;
	return rig_frozen(r);
}

/* The kill comes before, amid or after the return of each thread. */
static void killed_amid_a_rollback(struct __test_metadata *_metadata, struct rig *r,
				   struct pair *pair)
{
	unsigned int i;
	uint64_t id;
	int err;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS; i++) {
		struct killer k = { .work = i % STEPS * STEP_WORK, .n = 1 };

		id = attacked(r, pair);
		ASSERT_NE(0, id) { TH_LOG("round %u", i); }
		k.pidfd[0] = r->kid.pidfd;
		err = killer_rollback(&k, &r->c, id);
		EXPECT_EQ(0, err) { TH_LOG("round %u: %s", i, r->c.ext); }
		EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL)) { TH_LOG("round %u", i); }
		ASSERT_TRUE(rig_reap(r, r->dom)) { TH_LOG("round %u", i); }
		child_end(&r->kid);
		r->dom = 0;
	}
	EXPECT_EQ(0, rig_reload(r));
}

TEST_F_TIMEOUT(end, killed_amid_a_rollback, 900)
{
	killed_amid_a_rollback(_metadata, &self->r, &self->pair);
}

/* One of the threads that a rollback ends comes last, and puts back what all shared. */
TEST_F_TIMEOUT(end, killed_amid_a_rollback_of_newer_threads, 900)
{
	newer = true;
	killed_amid_a_rollback(_metadata, &self->r, &self->pair);
}

/* Rolled back, attacked again before it has a point: refused, killed, gone. */
TEST_F(end, killed_after_a_rollback)
{
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	id = attacked(r, &self->pair);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) { TH_LOG("%s", r->c.ext); }
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
}

GUEST_MAIN
