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
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

#define SLEEPERS 6
#define ROUNDS 40
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

static void *sleeps(void *arg)
{
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;)
		page_block(shared_page, UINT32_MAX);
	return arg;
}

static void serve(struct page *page, void *arg)
{
	volatile int *null = NULL;
	struct pair *pair = arg;
	pthread_t thread;
	char byte;
	int i;

	shared_page = page;
	for (i = 0; i < SLEEPERS; i++)
		if (pthread_create(&thread, NULL, sleeps, NULL))
			_exit(1);
	while (recv(pair->rx, &byte, 1, 0) == 1) {
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
	while (atomic_load(&r->kid.page->threads) < SLEEPERS && now_ms() < end)
		pause_ms(1);
	if (!has_point(r, pair->tx) || send(pair->tx, "X", 1, 0) != 1)
		return 0;
	return rig_frozen(r);
}

struct killer {
	int pidfd;
	unsigned int work;
	_Atomic bool go;
};

static void *kills(void *arg)
{
	struct killer *k = arg;
	volatile unsigned int i;

	while (!atomic_load(&k->go))
		sched_yield();
	for (i = 0; i < k->work; i++)
		;
	syscall(SYS_pidfd_send_signal, k->pidfd, SIGKILL, NULL, 0);
	return NULL;
}

/* The kill comes before, amid or after the return of each thread. */
TEST_F_TIMEOUT(end, killed_amid_a_rollback, 900)
{
	struct rig *r = &self->r;
	unsigned int i;
	pthread_t thread;
	uint64_t id;
	int err;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS; i++) {
		struct killer k = { .work = i % STEPS * STEP_WORK };

		id = attacked(r, &self->pair);
		ASSERT_NE(0, id) { TH_LOG("round %u", i); }
		k.pidfd = r->kid.pidfd;
		ASSERT_EQ(0, pthread_create(&thread, NULL, kills, &k));
		atomic_store(&k.go, true);
		err = incident_rollback(&r->c, id, -1);
		pthread_join(thread, NULL);
		/* Dying or dead already it has no way back, or nobody is left to answer for. */
		EXPECT_TRUE(!err || err == -ENOTRECOVERABLE || err == -EALREADY || err == -EBUSY) {
			TH_LOG("round %u: %d, %s", i, err, r->c.ext);
		}
		EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL)) {
			TH_LOG("round %u, after %d", i, err);
		}
		ASSERT_TRUE(rig_reap(r, r->dom)) { TH_LOG("round %u, after %d", i, err); }
		child_end(&r->kid);
		r->dom = 0;
	}
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
