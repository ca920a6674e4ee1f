// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of changing an epoll set under rescue points. A change
 * that fails has changed nothing; after a rollback the set is as it was, or
 * objects_failed says that it is not known to be.
 *
 *	test: client, controller
 *	  `- kid: server (member)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "inject.h"
#include "nl_status.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000

/* Shared by the test and the server; no rollback undoes it. */
struct job {
	struct sweep s;
	struct pair pair;
	_Atomic uint64_t rounds, rolled_back;
	_Atomic uint64_t wrong_now;	/* refused, and changed; or done, and not */
	_Atomic uint64_t wrong_then;	/* not what it was after the rollback */
	_Atomic bool injected, over;
};

FIXTURE(inject_epoll)
{
	struct rig r;
	struct job *job;
};

FIXTURE_VARIANT(inject_epoll)
{
	const char *name;
	int op;
};

FIXTURE_VARIANT_ADD(inject_epoll, add) { "epoll add", EPOLL_CTL_ADD };
FIXTURE_VARIANT_ADD(inject_epoll, mod) { "epoll modify", EPOLL_CTL_MOD };
FIXTURE_VARIANT_ADD(inject_epoll, del) { "epoll remove", EPOLL_CTL_DEL };

static int operation;

FIXTURE_SETUP(inject_epoll)
{
	self->job = mmap(NULL, sizeof(*self->job), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->job);
	operation = variant->op;
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(inject_epoll)
{
	inject_anywhere();
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	pair_close(&self->job->pair);
	munmap(self->job, sizeof(*self->job));
}

/* The event of @file in the set, or 0 when it is not there. */
static unsigned int registered(int set, int file)
{
	unsigned int events = 0, found = 0;
	char path[64], line[256];
	int tfd;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", set);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "tfd: %d events: %x", &tfd, &events) == 2 && tfd == file)
			found = events;
	if (f)
		fclose(f);
	return found;
}

static void server(struct page *page, void *arg)
{
	struct epoll_event was = { .events = EPOLLIN }, to = { .events = EPOLLOUT };
	int nth = inject_open(0, 0), set, file = eventfd(0, 0);
	bool there = operation != EPOLL_CTL_ADD;
	unsigned int before = 0, after = 0, now;
	struct job *job = arg;
	bool done;
	char byte;
	long ret;

	(void)page;
	for (;;) {
		/* A set that nobody knows yet. */
		set = epoll_create1(0);
		if (there && epoll_ctl(set, EPOLL_CTL_ADD, file, &was))
			_exit(2);
		before = registered(set, file);
		ret = syscall(SYS_recvfrom, job->pair.rx, &byte, 1, 0, NULL, NULL);
		if (ret < 0) {
			if (registered(set, file) != before)
				atomic_fetch_add(&job->wrong_then, 1);
			close(set);
			if (!sweep_next(&job->s))
				atomic_store(&job->over, true);
			atomic_fetch_add(&job->rolled_back, 1);
			continue;
		}
		sweep_arm(&job->s, nth);
		ret = syscall(SYS_epoll_ctl, set, operation, file, &to);
		atomic_store(&job->injected, sweep_hit(&job->s, nth, ret < 0));
		now = registered(set, file);
		after = operation == EPOLL_CTL_DEL ? 0 : EPOLLOUT | EPOLLERR | EPOLLHUP;
		done = ret ? now == before && job->injected : now == after;
		if (!done)
			atomic_fetch_add(&job->wrong_now, 1);
		*(volatile int *)NULL = 1;
	}
}

TEST_F_TIMEOUT(inject_epoll, at_each_place, LIMIT)
{
	struct job *job = self->job;
	struct rig *r = &self->r;
	uint64_t id, rounds = 0, known = 0;
	int64_t failed, then;

	sweep_begin(&job->s, variant->name);
	sweep_next(&job->s);
	ASSERT_EQ(0, pair_open(&job->pair, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, server, job));
	while (!atomic_load(&job->over)) {
		then = status_counter(&r->c, "objects_failed");
		ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
		ASSERT_EQ(1, send(job->pair.tx, "X", 1, 0));
		id = rig_frozen(r);
		ASSERT_NE(0, id);
		/* The first round is undisturbed: its places are counted. */
		if (job->s.counting)
			sweep_counted(&job->s);
		ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
			TH_LOG("place %u: %s", job->s.nth, r->c.ext);
		}
		ASSERT_TRUE(page_changed(&job->rolled_back, rounds++, BOUND));
		failed = status_counter(&r->c, "objects_failed") - then;
		EXPECT_EQ(0, atomic_exchange(&job->wrong_now, 0)) {
			TH_LOG("place %u", job->s.nth);
		}
		/* What it says is so; and it says nothing where nothing failed. */
		if (atomic_exchange(&job->wrong_then, 0))
			EXPECT_LT(0, failed);
		if (!atomic_load(&job->injected))
			EXPECT_EQ(0, failed);
		known += failed;
	}
	TH_LOG("%s: %llu rounds, %llu changes not known", variant->name, (unsigned long long)rounds,
	       (unsigned long long)known);
	EXPECT_LT(0, sweep_end(&job->s));
}

INJECT_MAIN
