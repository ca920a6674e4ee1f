// SPDX-License-Identifier: GPL-2.0
/*
 * A rollback judges all processes of a domain before it tells the first one what to do.
 * Processes are killed between the two: that of many threads, which is judged last, makes
 * it long enough.
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
#define ROUNDS 24
/* By so much longer waits the killer of the next round. */
#define STEP_WORK 5000

FIXTURE(judgement)
{
	struct rig r;
};

FIXTURE_SETUP(judgement)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(judgement)
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

static void serve_amid_crowd(struct page *page, void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < CROWD; i++)
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

/* All have points, and the victims have moved since: the incident, or 0. */
static uint64_t family_frozen(struct rig *r, struct family *f)
{
	int64_t end = now_ms() + BOUND;
	uint64_t id, seen;
	int i;

	while (rescue_count(&r->c, r->dom) <= VICTIMS && now_ms() < end) {
		for (i = 0; i <= VICTIMS; i++) {
			seen = atomic_load(&f->kid[i].page->count[0]);
			if (send(f->pair[i].tx, "G", 1, 0) != 1 ||
			    !page_changed(&f->kid[i].page->count[0], seen, BOUND))
				return 0;
		}
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
TEST_F_TIMEOUT(judgement, killed_amid_it, 900)
{
	struct family *f = calloc(1, sizeof(*f));
	struct rig *r = &self->r;
	uint64_t id;
	int i, k;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS; i++) {
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
	EXPECT_EQ(0, rig_reload(r));
	free(f);
}

GUEST_MAIN
