// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that are killed when it is least convenient: between the judgement of all and
 * the first order of a rollback, and while the state of many threads is being saved. A process
 * of many threads makes both long enough.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "killer.h"
#include "rig.h"
#include "stream.h"

#define VICTIMS 4
#define CROWD 300
#define SMALL_CROWD 100
#define ROUNDS 24
/* Where 300 threads take their time, so many will do after that long. */
#define ROUNDS_LEAST 8
#define ENOUGH slow_ms(120000)
#define POINT_ROUNDS 8
/* By so much longer waits the killer of the next round. */
#define STEP_WORK 5000

FIXTURE(kill)
{
	struct rig r;
};

FIXTURE_SETUP(kill)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(kill)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void *sleeps(void *page)
{
	for (;;)
		page_block(page, UINT32_MAX);
	return NULL;
}

static void serve_one(struct page *page, void *arg)
{
	int fd = *(int *)arg;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (byte == 'X')
			page_spin(page, UINT32_MAX);
		atomic_fetch_add(&page->count[0], 1);
	}
	/* Back from a rollback it waits for its end. */
	page_spin(page, UINT32_MAX);
}

static int crowd = CROWD;

static void serve_amid_crowd(struct page *page, void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < crowd; i++)
		if (pthread_create(&thread, NULL, sleeps, page))
			_exit(1);
	serve_one(page, arg);
}

/* The first ones are the victims, the last one is the crowd. */
struct family {
	struct child kid[VICTIMS + 1];
	struct pair pair[VICTIMS + 1];
};

static bool family_start(struct rig *r, struct family *f)
{
	int i;

	for (i = 0; i <= VICTIMS; i++) {
		if (pair_open(&f->pair[i], CH_UNIX_STREAM) ||
		    child_start(&f->kid[i], i < VICTIMS ? serve_one : serve_amid_crowd,
				&f->pair[i].rx))
			return false;
		if (i ? domain_add(&r->c, r->dom, f->kid[i].pidfd, false) :
			domain_new(&r->c, r->p.name, f->kid[i].pidfd, false, &r->dom))
			return false;
		page_go(f->kid[i].page, 1);
	}
	return true;
}

/* Asked, it answers, and saves its threads before it waits again. */
static bool ask(struct child *kid, int fd)
{
	uint64_t seen = atomic_load(&kid->page->count[0]);

	return send(fd, "G", 1, 0) == 1 && page_changed(&kid->page->count[0], seen, BOUND);
}

/* All have points, and the victims have moved since: the incident, or 0. */
static uint64_t family_frozen(struct rig *r, struct family *f)
{
	int64_t end = now_ms() + BOUND;
	uint64_t id;
	int i;

	while (rescue_count(&r->c, r->dom) <= VICTIMS && now_ms() < end) {
		for (i = 0; i <= VICTIMS; i++)
			if (!ask(&f->kid[i], f->pair[i].tx))
				return 0;
	}
	for (i = 0; i < VICTIMS; i++)
		if (send(f->pair[i].tx, "X", 1, 0) != 1 ||
		    !proc_wait_state(f->kid[i].pid, f->kid[i].pid, 'R', BOUND))
			return 0;
	if (domain_freeze(&r->c, r->dom, &id) ||
	    !domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND))
		return 0;
	return id;
}

/* Some die after they have been judged, and before they are told to go back. */
TEST_F_TIMEOUT(kill, amid_the_judgement, 900)
{
	struct family *f = calloc(1, sizeof(*f));
	int64_t until = now_ms() + ENOUGH;
	struct rig *r = &self->r;
	uint64_t id;
	int i, k;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS && (i < ROUNDS_LEAST || now_ms() < until); i++) {
		struct killer killer = { .work = i * STEP_WORK, .n = VICTIMS };

		ASSERT_TRUE(family_start(r, f));
		id = family_frozen(r, f);
		ASSERT_NE(0, id) { TH_LOG("round %d: %s", i, r->c.ext); }
		for (k = 0; k < VICTIMS; k++)
			killer.pidfd[k] = f->kid[k].pidfd;
		EXPECT_EQ(0, killer_rollback(&killer, &r->c, id)) {
			TH_LOG("round %d: %s", i, r->c.ext);
		}
		for (k = 0; k < VICTIMS; k++)
			EXPECT_TRUE(child_signaled(&f->kid[k], BOUND, SIGKILL));
		for (k = 0; k <= VICTIMS; k++) {
			child_end(&f->kid[k]);
			pair_close(&f->pair[k]);
		}
		ASSERT_TRUE(rig_reap(r, r->dom)) { TH_LOG("round %d", i); }
		r->dom = 0;
	}
	TH_LOG("%d rounds", i);
	EXPECT_EQ(0, rig_reload(r));
	free(f);
}

/* What the last point knows of a thread is the next one's, too, unless one of them dies. */
TEST_F_TIMEOUT(kill, amid_a_point, 900)
{
	struct rig *r = &self->r;
	char ask_on[4096];
	struct pair pair;
	uint64_t seen;
	int64_t end;
	int i;

	crowd = SMALL_CROWD;
	memset(ask_on, 'G', sizeof(ask_on));
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < POINT_ROUNDS; i++) {
		ASSERT_EQ(0, pair_open(&pair, CH_UNIX_STREAM));
		ASSERT_EQ(0, child_start(&r->kid, serve_amid_crowd, &pair.rx));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		page_go(r->kid.page, 1);
		end = now_ms() + BOUND;
		while (!rescue_count(&r->c, r->dom) && now_ms() < end)
			ASSERT_TRUE(ask(&r->kid, pair.tx));
		ASSERT_GT(end, now_ms()) { TH_LOG("round %d has no point", i); }
		/* It comes to its wait over and over, and hardly does anything else. */
		ASSERT_EQ(sizeof(ask_on), send(pair.tx, ask_on, sizeof(ask_on), 0));
		seen = atomic_load(&r->kid.page->count[0]);
		ASSERT_TRUE(page_changed(&r->kid.page->count[0], seen, BOUND));
		ASSERT_EQ(0, kill(r->kid.pid, SIGKILL));
		EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
		ASSERT_TRUE(rig_reap(r, r->dom)) { TH_LOG("round %d", i); }
		child_end(&r->kid);
		pair_close(&pair);
		r->dom = 0;
	}
	EXPECT_EQ(0, rig_reload(r));
}

GUEST_MAIN
