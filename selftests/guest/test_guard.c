// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be held is refused: signals to tasks outside, owners of
 * asynchronous signals, access to other tasks, sockets of other families, core
 * dumps. Inside the domain, under pass and under observe all of it works.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drop.h"
#include "rig.h"

/* What the policy of a test says; every member tries the same. */
enum rule { DENY, PASS, OBSERVE };

FIXTURE(guard)
{
	struct rig r;
	struct child outsider;
};

FIXTURE_VARIANT(guard)
{
	enum rule rule;
};

FIXTURE_VARIANT_ADD(guard, deny) { DENY };
FIXTURE_VARIANT_ADD(guard, pass) { PASS };
FIXTURE_VARIANT_ADD(guard, observe) { OBSERVE };

/* Counts SIGUSR1 and SIGIO in count[0], says so in step 2. */
static struct page *outsider_page;

static void count(int sig)
{
	(void)sig;
	atomic_fetch_add(&outsider_page->count[0], 1);
}

static void outside(struct page *page, void *arg)
{
	struct sigaction sa = { .sa_handler = count };

	(void)arg;
	outsider_page = page;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	page_step(page, 2);
	page_block(page, ~0U);
}

FIXTURE_SETUP(guard)
{
	struct rig *r = &self->r;

	/* Members signal their group: the harness is not to be in it. */
	ASSERT_EQ(0, setpgid(0, 0));
	ASSERT_EQ(0, rig_open(r));
	r->p.tamper = SELFHEAL_TAMPER_ACTION_PASS;
	if (variant->rule == PASS) {
		r->p.hold_signal = SELFHEAL_CHANNEL_ACTION_PASS;
		r->p.hold_other = SELFHEAL_CHANNEL_ACTION_PASS;
	} else {
		r->p.hold_socket = SELFHEAL_CHANNEL_ACTION_HOLD;
		r->p.hold_signal = SELFHEAL_CHANNEL_ACTION_DENY;
		r->p.hold_other = SELFHEAL_CHANNEL_ACTION_DENY;
		/* The taps are to be seen, not the gate before them. */
		sysmap_set(r->p.pass, SYS_ptrace);
		sysmap_set(r->p.pass, SYS_process_vm_writev);
	}
	if (variant->rule == OBSERVE)
		r->p.flags |= SELFHEAL_POLICY_FLAG_OBSERVE;
	ASSERT_EQ(0, child_start(&self->outsider, outside, NULL));
	page_go(self->outsider.page, 1);
	ASSERT_TRUE(page_wait(self->outsider.page, 2, BOUND));
}

FIXTURE_TEARDOWN(guard)
{
	child_end(&self->outsider);
	EXPECT_TRUE(rig_close(&self->r));
}

/* 0 or -errno of a call that returns -1 and sets errno. */
static int64_t result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void signals(struct page *page, void *arg)
{
	pid_t out = *(pid_t *)arg;
	union sigval value = { .sival_int = 1 };
	int pidfd = pidfd_of(out);
	int64_t *v = (int64_t *)page->value;

	v[0] = result(kill(out, SIGUSR1));
	v[1] = result(syscall(SYS_tgkill, out, out, SIGUSR1));
	v[2] = result(sigqueue(out, SIGUSR1, value));
	v[3] = result(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0));
	v[4] = result(kill(out, 0));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, signals_to_an_outsider)
{
	int64_t want = variant->rule == DENY ? -EPERM : 0;
	struct rig *r = &self->r;
	int i;

	ASSERT_EQ(0, rig_run(r, signals, &self->outsider.pid));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(want, (int64_t)r->kid.page->value[i]) TH_LOG("way %d", i);
	/* Is it there? That moves nothing. */
	EXPECT_EQ(0, (int64_t)r->kid.page->value[4]);
	EXPECT_EQ(!want, page_changed(self->outsider.page->count, 0, !want ? BOUND : QUIET));
}

static void ignore(int sig)
{
	(void)sig;
}

static void signals_inside(struct page *page, void *arg)
{
	struct sigaction sa = { .sa_handler = ignore };
	int64_t *v = (int64_t *)page->value;
	int status, i, failed = 0;
	pid_t kid;

	(void)arg;
	sigaction(SIGUSR1, &sa, NULL);
	v[0] = result(kill(getpid(), SIGUSR1));
	v[1] = result(raise(SIGUSR1));
	/* Also before the child has run for the first time, and when it is a zombie. */
	for (i = 0; i < 50; i++) {
		kid = fork();
		if (!kid) {
			for (;;)
				pause();
		}
		failed += kill(kid, SIGKILL) != 0;
		while (waitid(P_PID, kid, NULL, WEXITED | WNOWAIT) < 0)
			;
		failed += kill(kid, SIGUSR1) != 0;
		waitpid(kid, &status, 0);
	}
	v[2] = failed;
	/* To everybody in the group and to everybody: those outside are left out. */
	v[3] = result(kill(0, SIGUSR1));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, signals_inside_the_domain)
{
	struct rig *r = &self->r;
	struct sigaction old, sa = { .sa_handler = SIG_IGN };

	/* Test, outsider and member are one process group. */
	sigaction(SIGUSR1, &sa, &old);
	ASSERT_EQ(0, rig_run(r, signals_inside, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	sigaction(SIGUSR1, &old, NULL);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[0]);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[1]);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[2]);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[3]);
	EXPECT_EQ(variant->rule != DENY, page_changed(self->outsider.page->count, 0, variant->rule != DENY ? BOUND : QUIET));
}

/* value[0..2] = the owner that F_GETOWN names after each way to set one. */
static void owners(struct page *page, void *arg)
{
	struct f_owner_ex ex = { F_OWNER_PID, *(pid_t *)arg };
	int64_t *v = (int64_t *)page->value;
	int sv[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	fcntl(sv[0], F_SETOWN, *(pid_t *)arg);
	v[0] = fcntl(sv[0], F_GETOWN);
	fcntl(sv[1], F_SETOWN_EX, &ex);
	v[1] = fcntl(sv[1], F_GETOWN);
	fcntl(sv[0], F_SETOWN, getpid());
	v[2] = fcntl(sv[0], F_GETOWN);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, owner_outside_is_not_set)
{
	int64_t want = variant->rule == DENY ? 0 : self->outsider.pid;
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, owners, &self->outsider.pid));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(want, (int64_t)r->kid.page->value[0]);
	EXPECT_EQ(want, (int64_t)r->kid.page->value[1]);
	EXPECT_EQ(r->kid.pid, (int64_t)r->kid.page->value[2]);
}

static uint64_t scratch;

/* By a tracer whose end lets the tracee go. */
static int64_t seize(pid_t pid)
{
	int status;
	pid_t kid = fork();

	if (!kid)
		_exit(ptrace(PTRACE_SEIZE, pid, 0, 0) ? errno : 0);
	waitpid(kid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static void accesses(struct page *page, void *arg)
{
	pid_t out = *(pid_t *)arg, kid;
	int64_t *v = (int64_t *)page->value;
	uint64_t word = 1;
	struct iovec mine = { &word, sizeof(word) };
	/* The outsider is a fork of the same program. */
	struct iovec far = { &scratch, sizeof(word) };
	char path[64];

	v[0] = seize(out);
	snprintf(path, sizeof(path), "/proc/%d/mem", out);
	v[1] = result(open(path, O_RDONLY));
	v[2] = result(process_vm_writev(out, &mine, 1, &far, 1, 0));
	kid = fork();
	if (!kid) {
		for (;;)
			pause();
	}
	v[3] = seize(kid);
	v[4] = result(process_vm_writev(kid, &mine, 1, &far, 1, 0));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, access_to_an_outsider)
{
	struct rig *r = &self->r;
	int64_t *v;

	ASSERT_EQ(0, rig_run(r, accesses, &self->outsider.pid));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	v = (int64_t *)r->kid.page->value;
	if (variant->rule == DENY) {
		EXPECT_EQ(-EPERM, v[0]);
		/* procfs says EACCES, whatever the reason. */
		EXPECT_EQ(-EACCES, v[1]);
		EXPECT_EQ(-EPERM, v[2]);
	} else {
		EXPECT_EQ(0, v[0]);
		EXPECT_LE(0, v[1]);
		EXPECT_EQ(8, v[2]);
	}
	EXPECT_EQ(0, v[3]);
	EXPECT_EQ(8, v[4]);
}

static void lie_still(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	page_block(page, ~0U);
}

/* Attach from a process of the member's user without, and from root with, the capability. */
static int64_t attach(pid_t pid, bool root)
{
	int status;
	pid_t kid = fork();

	if (!kid)
		_exit(!root && caps_keep(0) ? 99 : -seize(pid));
	waitpid(kid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

TEST_F(guard, access_by_a_stranger)
{
	struct rig *r = &self->r;

	/* By credentials alone it may: capabilities of the target are none either. */
	ASSERT_EQ(0, attach(self->outsider.pid, true));
	ASSERT_EQ(0, rig_run(r, lie_still, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, attach(r->kid.pid, true));
}

static void lie_still_without_caps(struct page *page, void *arg)
{
	(void)arg;
	if (caps_keep(0))
		page_step(page, 3);
	prctl(PR_SET_DUMPABLE, 1);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, access_by_the_same_user)
{
	struct rig *r = &self->r;
	struct child plain;

	ASSERT_EQ(0, child_start(&plain, lie_still_without_caps, NULL));
	page_go(plain.page, 1);
	ASSERT_TRUE(page_wait(plain.page, 2, BOUND));
	/* Without a domain the same user may. */
	EXPECT_EQ(0, attach(plain.pid, false));
	child_end(&plain);
	ASSERT_EQ(0, rig_run(r, lie_still_without_caps, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(variant->rule == OBSERVE ? 0 : -EPERM, attach(r->kid.pid, false));
	EXPECT_EQ(0, attach(r->kid.pid, true));
}

static void sockets(struct page *page, void *arg)
{
	static const int family[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET };
	int64_t *v = (int64_t *)page->value;
	unsigned int i;

	(void)arg;
	for (i = 0; i < 5; i++)
		v[i] = result(socket(family[i], SOCK_RAW, 0));
	v[0] = result(socket(AF_UNIX, SOCK_STREAM, 0));
	v[1] = result(socket(AF_INET, SOCK_STREAM, 0));
	v[2] = result(socket(AF_INET6, SOCK_DGRAM, 0));
	v[5] = result(socket(AF_XDP, SOCK_RAW, 0));
	v[6] = result(socket(AF_ALG, SOCK_SEQPACKET, 0));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(guard, families_of_sockets)
{
	struct rig *r = &self->r;
	int plain = result(socket(AF_XDP, SOCK_RAW, 0)), i;

	/* XDP is built into the kernels of the suite; a family that is not cannot be told. */
	if (plain == -EAFNOSUPPORT)
		SKIP(return, "no AF_XDP in this kernel");
	ASSERT_LE(0, plain);
	close(plain);
	ASSERT_EQ(0, rig_run(r, sockets, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 5; i++)
		EXPECT_LE(0, (int64_t)r->kid.page->value[i]) TH_LOG("family %d", i);
	if (variant->rule == DENY) {
		EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[5]);
		EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[6]);
	} else {
		EXPECT_LE(0, (int64_t)r->kid.page->value[5]);
		EXPECT_NE(-EPERM, (int64_t)r->kid.page->value[6]);
	}
}

/* Where cores go for the time of a test. */
struct cores {
	char dir[64], pattern[256];
};

static bool cores_begin(struct cores *c)
{
	char text[128];

	strcpy(c->dir, "/tmp/core.XXXXXX");
	if (slurp("/proc/sys/kernel/core_pattern", c->pattern, sizeof(c->pattern)) < 0 ||
	    !mkdtemp(c->dir))
		return false;
	snprintf(text, sizeof(text), "%s/core", c->dir);
	return !write_file("/proc/sys/kernel/core_pattern", text);
}

/* Was there a core? Cleans up. */
static bool cores_end(struct cores *c)
{
	char path[128];
	bool any;

	snprintf(path, sizeof(path), "%s/core", c->dir);
	any = !unlink(path);
	rmdir(c->dir);
	write_file("/proc/sys/kernel/core_pattern", c->pattern);
	return any;
}

static void dump(struct page *page, void *arg)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)arg;
	setrlimit(RLIMIT_CORE, &all);
	page_step(page, 2);
	raise(SIGQUIT);
}

static bool dumps(struct rig *r, bool *run)
{
	struct cores c;

	*run = cores_begin(&c) && !rig_run(r, dump, NULL) &&
	       child_signaled(&r->kid, BOUND, SIGQUIT);
	return cores_end(&c);
}

TEST_F(guard, core_dump)
{
	bool run, dumped = dumps(&self->r, &run);

	ASSERT_TRUE(run);
	EXPECT_EQ(variant->rule != DENY, dumped);
	EXPECT_EQ(dumped, !!WCOREDUMP(self->r.kid.status));
}

TEST_F(guard, core_dump_by_the_policy)
{
	bool run, dumped;

	self->r.p.flags |= SELFHEAL_POLICY_FLAG_CORE_DUMP;
	dumped = dumps(&self->r, &run);
	ASSERT_TRUE(run);
	EXPECT_TRUE(dumped);
}


static void crash(struct page *page, void *arg)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)arg;
	setrlimit(RLIMIT_CORE, &all);
	page_step(page, 2);
	asm volatile("movl $1, 16");
}

TEST_F(guard, core_dump_of_a_released_fault)
{
	struct rig *r = &self->r;
	struct cores c;
	uint64_t id = 0;

	if (variant->rule == OBSERVE)
		SKIP(return, "nothing is released where nothing freezes");
	policy_faults(&r->p);
	ASSERT_TRUE(cores_begin(&c));
	if (!rig_run(r, crash, NULL))
		id = rig_frozen(r);
	EXPECT_NE(0, id);
	EXPECT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGSEGV));
	EXPECT_TRUE(cores_end(&c));
}

GUEST_MAIN
