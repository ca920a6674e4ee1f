// SPDX-License-Identifier: GPL-2.0
/*
 * Membership that ends while its task lives on: by request, or since the
 * enrolment of others failed. At whatever moment that comes, nobody stays behind:
 * not a child that is just being born, not a thread that a sibling has just found.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "nl_status.h"
#include "rig.h"

#define THREADS 4
#define CHILDREN 24		/* of a thread */
#define ROUNDS 10
#define CROWD 16

FIXTURE(dissolve)
{
	struct rig r;
};

FIXTURE_SETUP(dissolve)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(dissolve)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void count_one(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(int *)arg;
}

static int domains(struct nlc *c)
{
	int n = 0;

	return nlc_dump(c, SELFHEAL_CMD_DOMAIN_GET, count_one, &n) ? -1 : n;
}

/* count[0]: children that were born. They stay until their parent ends. */
static void *bear(void *arg)
{
	struct page *page = arg;
	int i;

	for (i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			atomic_fetch_add(&page->count[0], 1);
			page_block(page, ~0U);
		}
		if (pid < 0)
			break;
	}
	page_block(page, ~0U);
	return NULL;
}

static void family(struct page *page, void *arg)
{
	pthread_t t;
	int i;

	(void)arg;
	for (i = 1; i < THREADS; i++)
		pthread_create(&t, NULL, bear, page);
	bear(page);
}

TEST_F_TIMEOUT(dissolve, amid_forks, 900)
{
	struct rig *r = &self->r;
	struct page *page;
	uint64_t born;
	int i, err;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, child_start(&r->kid, family, NULL));
		page = r->kid.page;
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		page_go(page, 1);
		ASSERT_TRUE(page_changed(&page->count[0], 0, BOUND));
		pause_ms(i);
		err = domain_dissolve(&r->c, r->dom);
		ASSERT_EQ(0, err) { TH_LOG("round %d: %s", i, r->c.ext); }
		/* Its processes are all alive, and none is a member. */
		ASSERT_EQ(0, domains(&r->c)) { TH_LOG("round %d", i); }
		EXPECT_FALSE(child_wait(&r->kid, 0));
		/* They go on as they would have. */
		while ((born = atomic_load(&page->count[0])) < THREADS * CHILDREN)
			ASSERT_TRUE(page_changed(&page->count[0], born, BOUND));
		ASSERT_EQ(0, domains(&r->c));
		child_end(&r->kid);
	}
	EXPECT_EQ(status_counter(&r->c, "members_new"), status_counter(&r->c, "members_gone"));
}

static void wait_in_vfork(struct page *page, void *arg)
{
	pid_t pid;

	(void)arg;
	pid = vfork();
	if (!pid) {
		page_step(page, 1);
		page_block(page, 2);
		_exit(0);
	}
	atomic_store(&page->value[0], waitpid(pid, NULL, 0) == pid);
	page_step(page, 3);
	page_block(page, ~0U);
}

/* Its return would be taken for that of a newborn: it is waited for, but not for ever. */
TEST_F(dissolve, amid_vfork)
{
	struct rig *r = &self->r;
	struct domain d;

	ASSERT_EQ(0, rig_run(r, wait_in_vfork, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 1, BOUND));
	EXPECT_EQ(-EBUSY, domain_dissolve(&r->c, r->dom));
	EXPECT_NE(NULL, strstr(r->c.ext, "vfork"));
	/* The parent alone is left. */
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(1, d.members);
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(1, r->kid.page->value[0]);
	EXPECT_EQ(0, domain_dissolve(&r->c, r->dom));
	EXPECT_EQ(0, domains(&r->c));
	EXPECT_FALSE(child_wait(&r->kid, 0));
}

static void *dissolve(void *arg)
{
	uint64_t *dom = arg;
	struct nlc c;

	if (nlc_open(&c))
		return "no controller";
	if (domain_dissolve(&c, *dom) != -EBUSY)
		return "not refused";
	if (!strstr(c.ext, "incident"))
		return "refused for another reason";
	nlc_close(&c);
	return NULL;
}

/* An incident comes while a fork is waited for: who is in the domain then stays, and is frozen. */
TEST_F(dissolve, stops_at_a_freeze)
{
	struct rig *r = &self->r;
	uint64_t id, born;
	pthread_t t;
	void *wrong;

	ASSERT_EQ(0, rig_run(r, wait_in_vfork, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 1, BOUND));
	ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 2, BOUND));
	ASSERT_EQ(0, pthread_create(&t, NULL, dissolve, &r->dom));
	/* The child has left. */
	ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
	born = status_counter(&r->c, "members_gone");
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	page_go(r->kid.page, 2);
	ASSERT_EQ(0, pthread_join(t, &wrong));
	EXPECT_EQ(NULL, wrong) { TH_LOG("%s", (char *)wrong); }
	EXPECT_TRUE(domain_wait_parked(&r->c, r->dom, 1, BOUND));
	EXPECT_EQ((int64_t)born, status_counter(&r->c, "members_gone"));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
}

/* A process of many threads that may be a member, and a child of it that may not. */
static void crowd(struct page *page, void *arg)
{
	pthread_t t;
	int i;

	(void)arg;
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (syscall(SYS_userfaultfd, O_CLOEXEC) < 0)
			_exit(1);
		page_step(page, 1);
		page_block(page, ~0U);
	}
	for (i = 0; i < CROWD; i++) {
		if (pthread_create(&t, NULL, page_come_and_go, page))
			_exit(1);
	}
	page_come_and_go(page);
}

TEST_F_TIMEOUT(dissolve, after_a_failed_enrolment, 900)
{
	struct rig *r = &self->r;
	uint64_t dom;
	int i;

	policy_hold(&r->p);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, child_start(&r->kid, crowd, NULL));
		page_go(r->kid.page, 1);
		ASSERT_TRUE(page_wait(r->kid.page, 1, BOUND));
		while (atomic_load(&r->kid.page->threads) <= CROWD)
			sched_yield();
		ASSERT_EQ(-EPERM, domain_new(&r->c, r->p.name, r->kid.pidfd, true, &dom));
		ASSERT_EQ(0, domains(&r->c)) { TH_LOG("round %d", i); }
		EXPECT_FALSE(child_wait(&r->kid, 0));
		child_end(&r->kid);
	}
	EXPECT_EQ(0, policy_unload(&r->c, r->p.name));
}

static void ring(struct page *page)
{
	struct io_uring_params params = { .flags = 0 };

	(void)page;
	if (syscall(SYS_io_uring_setup, 4, &params) < 0)
		_exit(1);
}

static void fault_descriptor(struct page *page)
{
	(void)page;
	if (syscall(SYS_userfaultfd, O_CLOEXEC) < 0)
		_exit(1);
}

FIXTURE(misfit)
{
	struct rig r;
};

/* What one child has, whose parent and sibling may be members. */
FIXTURE_VARIANT(misfit)
{
	void (*take)(struct page *page);
	int error;
};

FIXTURE_VARIANT_ADD(misfit, ring) { .take = ring, .error = -EBUSY };
FIXTURE_VARIANT_ADD(misfit, userfaultfd) { .take = fault_descriptor, .error = -EPERM };

FIXTURE_SETUP(misfit)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(misfit)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void siblings(struct page *page, void *arg)
{
	void (*take)(struct page *page) = arg;
	int i;

	for (i = 0; i < 3; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i == 1)
			take(page);
		page->value[i] = getpid();
		atomic_fetch_add(&page->threads, 1);
		page_block(page, ~0U);
	}
	page_block(page, ~0U);
}

static bool siblings_start(struct child *kid, void *take)
{
	int64_t end = now_ms() + BOUND;

	if (child_start(kid, siblings, take))
		return false;
	page_go(kid->page, 1);
	while (atomic_load(&kid->page->threads) < 3) {
		if (now_ms() > end)
			return false;
		pause_ms(1);
	}
	return true;
}

static void member_waits(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

/* One of the children may not be a member: none of them becomes one, and who was one stays. */
TEST_F(misfit, nobody_is_enrolled)
{
	struct rig *r = &self->r;
	struct child kid;
	struct domain d;
	uint64_t dom;
	pid_t pid[3];
	int i;

	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, member_waits, NULL));
	ASSERT_TRUE(siblings_start(&kid, variant->take));
	EXPECT_EQ(variant->error, domain_new(&r->c, r->p.name, kid.pidfd, true, &dom));
	EXPECT_NE('\0', r->c.ext[0]);
	EXPECT_EQ(1, domains(&r->c));
	EXPECT_EQ(variant->error, domain_add(&r->c, r->dom, kid.pidfd, true));
	EXPECT_NE('\0', r->c.ext[0]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(1, d.members);
	/* Itself alone, it can be one, and the error takes away nothing of it. */
	EXPECT_EQ(0, domain_add(&r->c, r->dom, kid.pidfd, false));
	EXPECT_EQ(-EBUSY, domain_add(&r->c, r->dom, kid.pidfd, true));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(2, d.members);
	EXPECT_FALSE(child_wait(&kid, 0));
	for (i = 0; i < 3; i++)
		pid[i] = kid.page->value[i];
	child_end(&kid);
	/* It was a member, its children are none: they hear of its death as they asked to. */
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(proc_wait_not(pid[i], pid[i], "SRD", BOUND));
}

GUEST_MAIN
