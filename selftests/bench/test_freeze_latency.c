// SPDX-License-Identifier: GPL-2.0
/*
 * From the sensor that fires to the last member stopped, as the kernel takes
 * it (the incident's freeze time). One member makes a call that its policy
 * never allows, again and again, and each time is released; the others
 *
 *	asleep	sleep in the kernel
 *	mixed	the same, but for some that spin in user mode and some that make calls; not more of
 *		them, or an emulated machine has no time left for its own work
 *
 * A table, and bounds that only say that nothing is far off: what this machine
 * is, is not known. See Documentation/performance.md.
 */
#include <kselftest_harness.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "rig.h"

#define NEVER		SYS_getpgrp
#define THREADS		100		/* of a process, at most */
#define ROUNDS_MAX	200
#define SPINNING	20
#define CALLING		20
/* page->count: what the spinning and the calling have done, in turns of many each */
#define SPUN		0
#define CALLED		1

FIXTURE(latency)
{
	struct rig r;
};

FIXTURE_VARIANT(latency)
{
	const char *how;
	unsigned int members, rounds;
	bool mixed;
	int bound_ms;			/* for half of the rounds */
};

#define VARIANT(name, how_, members_, rounds_, mixed_, bound_)			\
	FIXTURE_VARIANT_ADD(latency, name)					\
	{									\
		.how = how_, .members = members_, .rounds = rounds_,		\
		.mixed = mixed_, .bound_ms = bound_				\
	}

VARIANT(one, "alone", 1, 200, false, 500);
VARIANT(asleep_64, "asleep", 64, 100, false, 500);
VARIANT(mixed_64, "mixed", 64, 100, true, 2000);
VARIANT(asleep_1000, "asleep", 1000, 20, false, 5000);
VARIANT(mixed_1000, "mixed", 1000, 20, true, 10000);

FIXTURE_SETUP(latency)
{
	ASSERT_EQ(0, rig_open(&self->r));
	/* For an answer that lists a thousand members, and its acknowledgement. */
	ASSERT_EQ(0, nl_socket_set_buffer_size(self->r.c.sk, 1 << 18, 0));
}

FIXTURE_TEARDOWN(latency)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static struct page *shared;
static bool mixed;

static void *sleeps(void *arg)
{
	atomic_fetch_add(&shared->threads, 1);
	page_block(shared, UINT32_MAX);
	return arg;
}

static void *spins(void *arg)
{
	volatile unsigned int i;

	atomic_fetch_add(&shared->threads, 1);
	page_block(shared, 2);
	for (;;) {
		for (i = 0; i < 10000; i++)
			;
		atomic_fetch_add(&shared->count[SPUN], 1);
	}
	return arg;
}

static void *calls(void *arg)
{
	unsigned int i;

	atomic_fetch_add(&shared->threads, 1);
	page_block(shared, 2);
	for (;;) {
		for (i = 0; i < 100; i++)
			syscall(SYS_getppid);
		atomic_fetch_add(&shared->count[CALLED], 1);
	}
	return arg;
}

/* So many threads of this process, the calling one not counted. */
static void start_threads(unsigned int from, unsigned int n)
{
	pthread_attr_t attr;
	unsigned int i, nr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 16);
	for (i = 0; i < n; i++) {
		nr = mixed ? from + i : UINT32_MAX;
		if (pthread_create(&t, &attr, nr < SPINNING ? spins :
				   nr < SPINNING + CALLING ? calls : sleeps, NULL))
			_exit(1);
	}
}

/* The first member: the rest of them, then a forbidden call for each permission. */
static void be_all(struct page *page, void *arg)
{
	unsigned int left = *(unsigned int *)arg - 1, n, i;

	shared = page;
	while (left) {
		/* A process of its own counts as a thread, too. */
		n = left < THREADS ? left : THREADS;
		left -= n;
		if (!fork()) {
			start_threads(left, n - 1);
			sleeps(NULL);
		}
	}
	for (i = 2;; i++) {
		page_block(page, i);
		syscall(NEVER);
		page_step(page, i);
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void take_members(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a = nla_find(genlmsg_attrdata(nlmsg_data(nlh), 0),
				    genlmsg_attrlen(nlmsg_data(nlh), 0), SELFHEAL_A_STATUS_MEMBERS);

	*(unsigned int *)arg = a ? nla_get_u32(a) : 0;
}

/* By the total: an answer that lists a thousand takes its time, too. */
static bool wait_members(struct rig *r, unsigned int n)
{
	int64_t end = now_ms() + 5 * BOUND;
	unsigned int now = 0;

	do {
		nlc_call(&r->c, nlc_msg(&r->c, SELFHEAL_CMD_STATUS_GET, 0), take_members, &now);
		if (now == n && r->kid.page->threads == n - 1)
			return true;
		pause_ms(20);
	} while (now_ms() < end);
	printf("# %u members, %u threads\n", now, r->kid.page->threads + 1);
	return false;
}

/* Its incident, once it is frozen, by the events alone; 0 for none. */
static uint64_t frozen(struct rig *r)
{
	struct event open, ev;

	/* Whoever called parks when the incident is there: it comes before the state. */
	if (!nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &open))
		return 0;
	while (nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_STATE, r->dom, BOUND, &ev)) {
		if (ev.state == SELFHEAL_DOMAIN_STATE_FROZEN)
			return open.incident;
	}
	return 0;
}

/* The members run between two freezes: 0 or -errno of what went wrong. */
static int freeze_once(struct rig *r, unsigned int round, uint64_t *ns)
{
	struct page *page = r->kid.page;
	uint64_t spun = page->count[SPUN], called = page->count[CALLED], id;
	struct incident inc;
	int err;

	page_go(page, round);
	id = frozen(r);
	if (!id)
		return -ETIMEDOUT;
	err = incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE);
	if (!err)
		err = incident_get(&r->c, id, &inc);
	if (err)
		return err;
	*ns = inc.freeze_ns;
	if (!page_wait(page, round, BOUND))
		return -ETIMEDOUT;
	if (mixed && (!page_changed(&page->count[SPUN], spun, BOUND) ||
		      !page_changed(&page->count[CALLED], called, BOUND)))
		return -ETIMEDOUT;
	return 0;
}

TEST_F(latency, sensor_to_frozen)
{
	unsigned int n = variant->members, rounds = variant->rounds, i;
	static uint64_t ns[ROUNDS_MAX];
	struct rig *r = &self->r;
	uint64_t id;

	mixed = variant->mixed;
	sysmap_set(r->p.never, NEVER);
	ASSERT_EQ(0, rig_run(r, be_all, &n));
	ASSERT_TRUE(wait_members(r, n));
	for (i = 0; i < rounds; i++)
		ASSERT_EQ(0, freeze_once(r, i + 2, &ns[i])) { TH_LOG("round %u", i); }
	qsort(ns, rounds, sizeof(*ns), by_size);
	printf("# %4u members %-6s %3u freezes: p50 %8.3f p99 %8.3f worst %8.3f ms\n", n,
	       variant->how, rounds, ns[rounds / 2] / 1e6, ns[(rounds * 99 - 1) / 100] / 1e6,
	       ns[rounds - 1] / 1e6);
	EXPECT_GT((uint64_t)slow_ms(variant->bound_ms) * 1000000, ns[rounds / 2]);
	/* All of them at once. */
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, NULL));
}

GUEST_MAIN
