// SPDX-License-Identifier: GPL-2.0
/*
 * Domains made by exec of a matching file, and tasks whose state makes
 * membership delicate: their own system call dispatch, io_uring, tracers.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "rig.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif

FIXTURE(match)
{
	struct rig r;
	char dir[64], exe[128], other[128];
	pid_t pid;
};

static bool copy_file(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		return false;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			return false;
	}
	close(in);
	close(out);
	return n == 0;
}

FIXTURE_SETUP(match)
{
	ASSERT_EQ(0, rig_open(&self->r));
	snprintf(self->dir, sizeof(self->dir), "/tmp/selfheal.match.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->exe, sizeof(self->exe), "%s/server", self->dir);
	snprintf(self->other, sizeof(self->other), "%s/other", self->dir);
	ASSERT_TRUE(copy_file("/bin/sleep", self->exe));
	ASSERT_TRUE(copy_file("/bin/sleep", self->other));
	self->r.p.match[0] = self->exe;
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p)) { TH_LOG("%s", self->r.c.ext); }
}

FIXTURE_TEARDOWN(match)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	EXPECT_TRUE(rig_close(&self->r));
	unlink(self->exe);
	unlink(self->other);
	rmdir(self->dir);
}

static pid_t run_file(const char *path)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, path, "1000", NULL);
		_exit(127);
	}
	return pid;
}

static bool execed(pid_t pid, const char *name)
{
	int64_t end = now_ms() + BOUND;
	char path[64], comm[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	while (slurp(path, comm, sizeof(comm)) <= 0 || strncmp(comm, name, strlen(name))) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	/* The name comes early in an exec; the sleep is after all of it. */
	return proc_wait_syscall(pid, pid, SYS_clock_nanosleep, BOUND);
}

TEST_F(match, exec_makes_a_domain)
{
	struct event ev;
	struct domain d;

	self->pid = run_file(self->exe);
	ASSERT_TRUE(nlev_wait(&self->r.e, SELFHEAL_EVENT_TYPE_DOMAIN_NEW, 0, BOUND, &ev));
	EXPECT_STREQ(self->r.p.name, ev.policy);
	self->r.dom = ev.domain;
	ASSERT_TRUE(execed(self->pid, "server"));
	ASSERT_EQ(0, domain_get(&self->r.c, ev.domain, &d));
	EXPECT_EQ(self->pid, d.leader);
	EXPECT_STREQ(self->exe, d.exe);
	EXPECT_EQ(1, domain_has(&self->r.c, ev.domain, self->pid));
}

TEST_F(match, renamed_file_is_the_same_file)
{
	char moved[160];

	snprintf(moved, sizeof(moved), "%s/moved", self->dir);
	ASSERT_EQ(0, rename(self->exe, moved));
	self->pid = run_file(moved);
	ASSERT_TRUE(execed(self->pid, "moved"));
	self->r.dom = domain_of(&self->r.c, self->pid);
	EXPECT_NE(0, self->r.dom);
	unlink(moved);
}

TEST_F(match, another_file_at_the_path_is_not)
{
	ASSERT_EQ(0, rename(self->other, self->exe));
	self->pid = run_file(self->exe);
	ASSERT_TRUE(execed(self->pid, "server"));
	EXPECT_EQ(0, domain_of(&self->r.c, self->pid));
}

TEST_F(match, equal_contents_do_not_match)
{
	self->pid = run_file(self->other);
	ASSERT_TRUE(execed(self->pid, "other"));
	EXPECT_EQ(0, domain_of(&self->r.c, self->pid));
}

TEST_F(match, link_matches)
{
	char link_path[160];

	snprintf(link_path, sizeof(link_path), "%s/link", self->dir);
	ASSERT_EQ(0, symlink(self->exe, link_path));
	self->pid = run_file(link_path);
	ASSERT_TRUE(execed(self->pid, "link"));
	self->r.dom = domain_of(&self->r.c, self->pid);
	EXPECT_NE(0, self->r.dom);
	unlink(link_path);
}

TEST_F(match, unload_ends_matching)
{
	ASSERT_EQ(0, policy_unload(&self->r.c, self->r.p.name));
	self->pid = run_file(self->exe);
	ASSERT_TRUE(execed(self->pid, "server"));
	EXPECT_EQ(0, domain_of(&self->r.c, self->pid));
}

static void exec_path(struct page *page, void *arg)
{
	(void)page;
	execl(arg, arg, "1000", NULL);
}

TEST_F(match, member_of_another_domain_stays_there)
{
	struct policy second;
	uint64_t dom;

	policy_init(&second);
	ASSERT_EQ(0, policy_load(&self->r.c, &second));
	ASSERT_EQ(0, child_start(&self->r.kid, exec_path, self->exe));
	ASSERT_EQ(0, domain_new(&self->r.c, second.name, self->r.kid.pidfd, false, &dom));
	page_go(self->r.kid.page, 1);
	ASSERT_TRUE(execed(self->r.kid.pid, "server"));
	EXPECT_EQ(dom, domain_of(&self->r.c, self->r.kid.pid));
	EXPECT_TRUE(rig_reap(&self->r, dom));
	EXPECT_EQ(0, policy_unload(&self->r.c, second.name));
}

TEST_F(match, each_exec_its_own_domain)
{
	uint64_t a, b;
	pid_t other;

	self->pid = run_file(self->exe);
	other = run_file(self->exe);
	ASSERT_TRUE(execed(self->pid, "server"));
	ASSERT_TRUE(execed(other, "server"));
	a = domain_of(&self->r.c, self->pid);
	b = domain_of(&self->r.c, other);
	EXPECT_NE(0, a);
	EXPECT_NE(0, b);
	EXPECT_NE(a, b);
	EXPECT_TRUE(rig_reap(&self->r, b));
	waitpid(other, NULL, 0);
	self->r.dom = a;
}

FIXTURE(odd)
{
	struct rig r;
};

FIXTURE_SETUP(odd)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(odd)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static volatile char selector;
static volatile sig_atomic_t dispatched, dispatched_nr;

static void on_sigsys(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *ctx = uc;

	(void)sig;
	selector = 0;		/* SYSCALL_DISPATCH_FILTER_ALLOW */
	dispatched++;
	dispatched_nr = si->si_syscall;
	ctx->uc_mcontext.gregs[REG_RAX] = 4242;
}

/*
 * value[]: 0 errno before, 1 with the selector open, 2 answer of the emulation,
 * 3 SIGSYS seen, 4 the call's number in it, 5 errno after it was switched off.
 */
static void own_dispatch(struct page *page, void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	(void)arg;
	sigaction(SIGSYS, &sa, NULL);
	atomic_store(&page->value[0], syscall(SYS_getpgrp) < 0 ? errno : 0);
	selector = 0;
	atomic_store(&page->value[6], prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
					    0, 0, &selector));
	atomic_store(&page->value[1], syscall(SYS_getpgrp) < 0 ? errno : 0);
	selector = 1;		/* SYSCALL_DISPATCH_FILTER_BLOCK */
	atomic_store(&page->value[2], syscall(SYS_getsid, 0));
	selector = 0;
	atomic_store(&page->value[3], dispatched);
	atomic_store(&page->value[4], dispatched_nr);
	atomic_store(&page->value[7], prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF,
					    0, 0, 0));
	atomic_store(&page->value[5], syscall(SYS_getpgrp) < 0 ? errno : 0);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(odd, own_syscall_dispatch)
{
	struct rig *r = &self->r;
	struct page *page;

	sysmap_set(r->p.deny, SYS_getpgrp);
	ASSERT_EQ(0, rig_run(r, own_dispatch, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	page = r->kid.page;
	EXPECT_EQ(EPERM, page->value[0]);
	EXPECT_EQ(0, page->value[6]);
	EXPECT_EQ(EPERM, page->value[1]);
	/* Its own dispatcher works... */
	EXPECT_EQ(4242, page->value[2]);
	EXPECT_EQ(1, page->value[3]);
	EXPECT_EQ(SYS_getsid, page->value[4]);
	EXPECT_EQ(0, page->value[7]);
	/* ...and switching it off does not switch ours off. */
	EXPECT_EQ(EPERM, page->value[5]);
}

static void dispatch_in_a_fork(struct page *page, void *arg)
{
	pid_t pid;

	(void)arg;
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
	/* A fork clears its dispatch, not membership. */
	pid = fork();
	if (!pid) {
		atomic_store(&page->value[0], syscall(SYS_getpgrp) < 0 ? errno : 0);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(odd, fork_with_own_dispatch)
{
	struct rig *r = &self->r;

	sysmap_set(r->p.deny, SYS_getpgrp);
	ASSERT_EQ(0, rig_run(r, dispatch_in_a_fork, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(EPERM, r->kid.page->value[0]);
}

static void dispatch_first(struct page *page, void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	(void)arg;
	sigaction(SIGSYS, &sa, NULL);
	selector = 0;
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
	page_step(page, 2);
	page_block(page, 2);
	atomic_store(&page->value[0], syscall(SYS_getpgrp) < 0 ? errno : 0);
	selector = 1;
	atomic_store(&page->value[1], syscall(SYS_getsid, 0));
	selector = 0;
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
	atomic_store(&page->value[2], syscall(SYS_getpgrp) < 0 ? errno : 0);
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(odd, enrolled_with_own_dispatch)
{
	struct rig *r = &self->r;

	sysmap_set(r->p.deny, SYS_getpgrp);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, dispatch_first, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(EPERM, r->kid.page->value[0]);
	EXPECT_EQ(4242, r->kid.page->value[1]);
	EXPECT_EQ(EPERM, r->kid.page->value[2]);
}

static void trace_me(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	while (atomic_load(&page->go) < 2) {
		if (syscall(SYS_getpgrp) >= 0 || errno != EPERM)
			atomic_fetch_add(&page->value[0], 1);
		atomic_fetch_add(&page->count[0], 1);
	}
}

TEST_F(odd, tracer_cannot_switch_the_gate_off)
{
#ifdef PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG
	const long set_config = PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG;
#else
	const long set_config = 0x4210;
#endif
	struct {
		uint64_t mode, selector, offset, len;
	} off = { .mode = PR_SYS_DISPATCH_OFF };
	struct rig *r = &self->r;
	uint64_t seen;
	int status;
	long ret;

	sysmap_set(r->p.deny, SYS_getpgrp);
	ASSERT_EQ(0, rig_run(r, trace_me, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, r->kid.pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, r->kid.pid, 0, 0));
	ASSERT_EQ(r->kid.pid, waitpid(r->kid.pid, &status, __WALL));
	ret = ptrace(set_config, r->kid.pid, sizeof(off), &off);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, r->kid.pid, 0, 0));
	seen = r->kid.page->count[0];
	EXPECT_TRUE(page_changed(&r->kid.page->count[0], seen, BOUND));
	EXPECT_TRUE(page_changed(&r->kid.page->count[0], r->kid.page->count[0], BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]) {
		TH_LOG("the tracer's request answered %ld", ret);
	}
	page_go(r->kid.page, 2);
}

static int uring_setup(void)
{
	struct io_uring_params params = { .flags = 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

static void try_uring(struct page *page, void *arg)
{
	int fd = uring_setup();

	(void)arg;
	atomic_store(&page->value[0], fd < 0 ? errno : 0);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(odd, no_new_uring_where_output_is_held)
{
	struct rig *r = &self->r;

	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, try_uring, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(EPERM, r->kid.page->value[0]);
}

TEST_F(odd, uring_where_nothing_is_held)
{
	struct rig *r = &self->r;
	int fd = uring_setup();

	if (fd < 0)
		SKIP(return, "this kernel refuses io_uring to everybody: errno %d", errno);
	close(fd);
	ASSERT_EQ(0, rig_run(r, try_uring, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]);
}

TEST_F(odd, live_uring_is_refused)
{
	struct rig *r = &self->r;
	uint64_t id;

	policy_hold(&r->p);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, try_uring, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	if (r->kid.page->value[0])
		SKIP(return, "this kernel refuses io_uring to everybody: errno %lld",
		     (long long)r->kid.page->value[0]);
	EXPECT_EQ(-EBUSY, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &id));
	EXPECT_NE('\0', r->c.ext[0]);
}

static void two_threads_stay(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(odd, stopped_process_can_be_enrolled)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, two_threads_stay, NULL));
	kill(r->kid.pid, SIGSTOP);
	ASSERT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'T', BOUND));
	EXPECT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	kill(r->kid.pid, SIGCONT);
	page_go(r->kid.page, 1);
	EXPECT_TRUE(page_wait(r->kid.page, 2, BOUND));
}

#define THREADS 24
#define CROWDS 12

static void crowd(struct page *page, void *arg)
{
	pthread_t t;
	int i;

	(void)arg;
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&t, NULL, page_come_and_go, page))
			_exit(1);
	}
	while (atomic_load(&page->threads) < THREADS)
		sched_yield();
	page_step(page, 1);
	page_come_and_go(page);
}

/*
 * Who is enrolled first looks for siblings, too, as some may have been born
 * unseen: whichever of the two finds a thread, it is no failure.
 */
TEST_F_TIMEOUT(odd, busy_threads_are_enrolled_once, 600)
{
	struct rig *r = &self->r;
	struct domain d;
	int i, err;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < CROWDS; i++) {
		ASSERT_EQ(0, child_start(&r->kid, crowd, NULL));
		page_go(r->kid.page, 1);
		ASSERT_TRUE(page_wait(r->kid.page, 1, BOUND));
		err = domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom);
		ASSERT_EQ(0, err) { TH_LOG("crowd %d: %s", i, r->c.ext); }
		ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
		EXPECT_EQ(THREADS + 1, d.members);
		child_end(&r->kid);
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	}
}

GUEST_MAIN
