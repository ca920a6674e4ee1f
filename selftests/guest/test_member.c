// SPDX-License-Identifier: GPL-2.0
/*
 * Who is a member. Each variant makes a new task in another way:
 *
 *	test
 *	  `- kid (member)
 *	       `- new task (must be a member before its first instruction)
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "rig.h"

FIXTURE(member)
{
	struct rig r;
};

FIXTURE_SETUP(member)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(member)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static pid_t gettid_now(void)
{
	return syscall(SYS_gettid);
}

static long clone3_call(uint64_t flags, uint64_t exit_signal, pid_t *set_tid)
{
	struct clone_args args = {
		.flags = flags,
		.exit_signal = exit_signal,
		.set_tid = (uintptr_t)set_tid,
		.set_tid_size = set_tid ? 1 : 0,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

/* The new task says who it is and stays until go 2. */
static void announce(struct page *page)
{
	atomic_store(&page->value[0], gettid_now());
	page_step(page, 2);
	page_block(page, 2);
}

static void *announce_thread(void *page)
{
	announce(page);
	return NULL;
}

static void by_fork(struct page *page)
{
	if (!fork()) {
		announce(page);
		_exit(0);
	}
}

static void by_vfork(struct page *page)
{
	pid_t pid = vfork();

	if (!pid) {
		announce(page);
		_exit(0);
	}
}

static void by_thread(struct page *page)
{
	pthread_t t;

	pthread_create(&t, NULL, announce_thread, page);
	pthread_join(t, NULL);
}

static void by_clone3(struct page *page)
{
	if (!clone3_call(0, SIGCHLD, NULL)) {
		announce(page);
		_exit(0);
	}
}

static void by_clone_parent(struct page *page)
{
	if (!clone3_call(CLONE_PARENT, 0, NULL)) {
		announce(page);
		_exit(0);
	}
}

static void by_new_namespaces(struct page *page)
{
	if (!clone3_call(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS, SIGCHLD, NULL)) {
		/* Its own view of its id is 1: the domain lists the initial one. */
		page_step(page, 2);
		page_block(page, 2);
		_exit(0);
	}
}

static void by_double_fork(struct page *page)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		if (!fork()) {
			setsid();
			announce(page);
			_exit(0);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void by_thread_of_child(struct page *page)
{
	if (!fork()) {
		by_thread(page);
		_exit(0);
	}
}

struct way {
	void (*make)(struct page *page);
};

static void make_one(struct page *page, void *arg)
{
	((struct way *)arg)->make(page);
	page_block(page, 2);
	page_step(page, 3);
	page_block(page, ~0U);
}

FIXTURE(inherit)
{
	struct rig r;
};

FIXTURE_VARIANT(inherit)
{
	void (*make)(struct page *page);
	unsigned int members, left;
};

FIXTURE_VARIANT_ADD(inherit, fork) { by_fork, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, vfork) { by_vfork, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, thread) { by_thread, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, clone3) { by_clone3, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, clone3_parent) { by_clone_parent, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, new_namespaces) { by_new_namespaces, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, double_fork_daemon) { by_double_fork, 2, 1 };
FIXTURE_VARIANT_ADD(inherit, thread_of_child) { by_thread_of_child, 3, 1 };

FIXTURE_SETUP(inherit)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(inherit)
{
	EXPECT_TRUE(rig_close(&self->r));
}

TEST_F(inherit, new_task_is_a_member_until_it_exits)
{
	struct way way = { variant->make };
	struct rig *r = &self->r;
	int64_t tid;

	ASSERT_EQ(0, rig_run(r, make_one, &way));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	tid = r->kid.page->value[0];
	if (tid)
		EXPECT_EQ(1, domain_has(&r->c, r->dom, tid));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, variant->members, BOUND));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, variant->left, BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
}

static void exec_sleep(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	execl("/bin/sleep", "selfheal-sleep", "1000", NULL);
}

static void *exec_thread(void *page)
{
	exec_sleep(page, NULL);
	return NULL;
}

static void exec_from_thread(struct page *page, void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, exec_thread, page);
	pause();
}

static bool wait_exe(pid_t pid, const char *name, int ms)
{
	int64_t end = now_ms() + ms;
	char path[64], comm[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	while (slurp(path, comm, sizeof(comm)) <= 0 || strncmp(comm, name, strlen(name))) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

TEST_F(member, exec_keeps_membership)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, exec_sleep, NULL));
	ASSERT_TRUE(wait_exe(r->kid.pid, "sleep", BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
}

TEST_F(member, exec_from_a_thread_keeps_one_member)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, exec_from_thread, NULL));
	ASSERT_TRUE(wait_exe(r->kid.pid, "sleep", BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
}

TEST_F(member, last_exit_ends_the_domain)
{
	struct rig *r = &self->r;
	struct domain d;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	kill(r->kid.pid, SIGKILL);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, NULL));
	EXPECT_EQ(-ENOENT, domain_get(&r->c, r->dom, &d));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

static void thread_and_leader_exit(struct page *page, void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, announce_thread, page);
	pthread_detach(t);
	page_block(page, 2);
	/* The leader goes, its thread stays. */
	syscall(SYS_exit, 0);
}

static void *long_thread(void *arg)
{
	struct page *page = arg;

	atomic_store(&page->value[0], gettid_now());
	page_step(page, 2);
	page_block(page, 3);
	return NULL;
}

static void leader_exits(struct page *page, void *arg)
{
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, long_thread, page);
	syscall(SYS_exit, 0);
}

TEST_F(member, leader_exits_before_its_thread)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, leader_exits, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.page->value[0]));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, NULL));
}

TEST_F(member, thread_exit_drops_one)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, thread_and_leader_exit, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 2, BOUND));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, NULL));
}

TEST_F(member, recycled_pid_is_nobody)
{
	struct rig *r = &self->r;
	struct child other;
	struct domain d;
	pid_t old, new;
	long ret;
	int i;

	/* A second member keeps the domain alive. */
	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, child_start(&other, idle, NULL));
	ASSERT_EQ(0, domain_add(&r->c, r->dom, other.pidfd, false));
	for (i = 0; i < 20; i++) {
		old = other.pid;
		new = old;
		child_end(&other);
		ret = clone3_call(0, SIGCHLD, &new);
		if (!ret) {
			pause();
			_exit(0);
		}
		ASSERT_EQ(old, ret);
		EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
		EXPECT_EQ(0, domain_has(&r->c, r->dom, old));
		EXPECT_EQ(0, domain_of(&r->c, old));
		kill(old, SIGKILL);
		ASSERT_EQ(old, waitpid(old, NULL, 0));
		ASSERT_EQ(0, child_start(&other, idle, NULL));
		ASSERT_EQ(0, domain_add(&r->c, r->dom, other.pidfd, false));
	}
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(2, d.members);
	child_end(&other);
}

/* A process of 5 threads, with two children; value[1..6] are their tids. */
static void fork_and_reap(struct page *page, void *arg)
{
	pid_t pid;
	int i;

	(void)arg;
	for (i = 0; i < 200; i++) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(member, many_short_lives)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, fork_and_reap, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
}

static void count_calls(struct page *page, void *arg)
{
	int i;

	(void)arg;
	page_step(page, 2);
	page_block(page, 2);
	for (i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(member, gate_counts_calls)
{
	struct rig *r = &self->r;
	struct domain before, after;

	ASSERT_EQ(0, rig_run(r, count_calls, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &before));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &after));
	EXPECT_LE(before.member[0].syscalls + 1000, after.member[0].syscalls);
	EXPECT_GE(before.member[0].syscalls + 1020, after.member[0].syscalls);
}

TEST_F(member, domain_ids_are_never_reused)
{
	struct rig *r = &self->r;
	uint64_t last = 0;
	int i;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, child_start(&r->kid, idle, NULL));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		EXPECT_LT(last, r->dom);
		last = r->dom;
		child_end(&r->kid);
		ASSERT_TRUE(domain_wait(&r->c, last, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	}
}

GUEST_MAIN
