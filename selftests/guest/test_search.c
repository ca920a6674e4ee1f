// SPDX-License-Identifier: GPL-2.0
/*
 * Enrolment of what runs already: all of a process, or of a tree of them, whatever it forks
 * meanwhile, and whoever finds a child first.
 */
#include <kselftest_harness.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "rig.h"

FIXTURE(search)
{
	struct rig r;
};

FIXTURE_SETUP(search)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(search)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void *tell_tid(void *arg)
{
	struct page *page = arg;

	atomic_store(&page->value[atomic_fetch_add(&page->threads, 1) + 1], (pid_t)syscall(SYS_gettid));
	page_block(page, ~0U);
	return NULL;
}

static void family(struct page *page, void *arg)
{
	pthread_t t;
	int i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		if (!fork()) {
			tell_tid(page);
			_exit(0);
		}
	}
	for (i = 0; i < 4; i++)
		pthread_create(&t, NULL, tell_tid, page);
	while (atomic_load(&page->threads) < 6)
		sched_yield();
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(search, tree_of_a_running_process)
{
	struct rig *r = &self->r;
	struct domain d;
	int i;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, family, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, true, &r->dom));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(7, d.members);
	EXPECT_EQ(3, d.processes);
	for (i = 1; i <= 6; i++)
		EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.page->value[i]));
}

TEST_F(search, process_without_its_tree)
{
	struct rig *r = &self->r;
	struct domain d;
	int i;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, family, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(5, d.members);
	EXPECT_EQ(1, d.processes);
	/* Its children are not protected: end all of them by hand. */
	for (i = 1; i <= 6; i++)
		if (r->kid.page->value[i])
			kill(r->kid.page->value[i], SIGKILL);
}

/* Forks without a pause until go 2; every child stays. value[n] are the pids. */
static void fork_storm(struct page *page, void *arg)
{
	unsigned int n = 0;

	(void)arg;
	page_step(page, 2);
	while (atomic_load(&page->go) < 2 && n < 60) {
		pid_t pid = fork();

		if (!pid) {
			page_block(page, ~0U);
			_exit(0);
		}
		atomic_store(&page->value[n++], pid);
		atomic_store(&page->threads, n);
	}
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(search, enrolment_races_with_fork)
{
	struct rig *r = &self->r;
	unsigned int i, n;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, fork_storm, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, true, &r->dom));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	n = atomic_load(&r->kid.page->threads);
	/* Each joins when it first runs. */
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, n + 1, BOUND));
	for (i = 0; i < n; i++)
		EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.page->value[i]));
	/* Whatever became of them, none stays behind. */
	for (i = 0; i < n; i++)
		kill(r->kid.page->value[i], SIGKILL);
}

/*
 * A child of the kid is a member (value[1], step 2), forks on go 2 (value[2], step 3), and keeps
 * its only CPU from the newborn until go 3; step 4 is the newborn's.
 */
static void bear_and_hog(struct page *page, void *arg)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t cpu;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (!pid) {
		page->value[1] = getpid();
		page_step(page, 2);
		page_block(page, 2);
		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		if (sched_setaffinity(0, sizeof(cpu), &cpu) ||
		    sched_setscheduler(0, SCHED_FIFO, &first))
			_exit(1);
		pid = fork();
		if (!pid) {
			page_step(page, 4);
			page_block(page, ~0U);
		}
		page->value[2] = pid;
		page_step(page, 3);
		while (atomic_load(&page->go) < 3)
			;
	}
	page_block(page, ~0U);
}

/* Until the newborn is there and has not taken a step: 0, or what failed. */
static int newborn(struct rig *r)
{
	struct page *page;
	cpu_set_t cpu;
	int pidfd, err;

	CPU_ZERO(&cpu);
	CPU_SET(1, &cpu);
	if (policy_load(&r->c, &r->p) || child_start(&r->kid, bear_and_hog, NULL))
		return 1;
	page = r->kid.page;
	page_go(page, 1);
	if (!page_wait(page, 2, BOUND))
		return 2;
	pidfd = pidfd_of(page->value[1]);
	err = domain_new(&r->c, r->p.name, pidfd, false, &r->dom);
	close(pidfd);
	if (err || sched_setaffinity(0, sizeof(cpu), &cpu))
		return 3;
	page_go(page, 2);
	return page_wait(page, 3, BOUND) ? 0 : 4;
}

/* One that has been born, but has not taken a step, is found by a search: its birth ends, too. */
TEST_F(search, newborn_is_enrolled)
{
	struct rig *r = &self->r;
	struct page *page;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, newborn(r));
	page = r->kid.page;
	/* Its grandparent, and all that come of it. */
	EXPECT_EQ(0, domain_add(&r->c, r->dom, r->kid.pidfd, true));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, page->value[2]));
	EXPECT_EQ(3, page->step);
	page_go(page, 3);
	ASSERT_TRUE(page_wait(page, 4, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 3, BOUND));
}

/* The search of another domain leaves it to its parent's. */
TEST_F(search, newborn_of_another_domain)
{
	struct rig *r = &self->r;
	struct page *page;
	uint64_t other;
	int pidfd;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, newborn(r));
	page = r->kid.page;
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, true, &other));
	EXPECT_EQ(0, domain_has(&r->c, other, page->value[2]));
	pidfd = pidfd_of(page->value[2]);
	EXPECT_EQ(-EBUSY, domain_add(&r->c, other, pidfd, false));
	close(pidfd);
	EXPECT_EQ(3, page->step);
	page_go(page, 3);
	ASSERT_TRUE(page_wait(page, 4, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 2, BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, page->value[2]));
	EXPECT_TRUE(rig_reap(r, other));
}

GUEST_MAIN
