// SPDX-License-Identifier: GPL-2.0
/*
 * An outsider of the member's own user, without privileges, who would take out
 * what the member cannot put out: by its memory, its descriptors, its
 * registers. Without a domain the kernel lets him; root outside still may.
 *
 *	test (root)
 *	  |- kid: member, nobody
 *	  `- accomplice: outside, nobody
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <kselftest_harness.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "rig.h"

#define NOBODY 65534

static volatile uint64_t secret = 0x5ec2e7;
static pid_t victim;
static int victim_fd;

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(9);
	/* Cleared by the change of owner: without it even the kernel alone refuses. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* Each: 0, or -errno. */

static int read_memory(void)
{
	uint64_t got = 0;
	struct iovec to = { &got, sizeof(got) }, from = { (void *)&secret, sizeof(got) };

	return process_vm_readv(victim, &to, 1, &from, 1, 0) < 0 ? -errno : 0;
}

static int write_memory(void)
{
	uint64_t value = secret;
	struct iovec from = { &value, sizeof(value) }, to = { (void *)&secret, sizeof(value) };

	return process_vm_writev(victim, &from, 1, &to, 1, 0) < 0 ? -errno : 0;
}

static int open_proc(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", victim, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int proc_mem(void) { return open_proc("mem", O_RDONLY); }
static int proc_mem_write(void) { return open_proc("mem", O_RDWR); }

static int attach(void)
{
	if (ptrace(PTRACE_ATTACH, victim, 0, 0))
		return -errno;
	waitpid(victim, NULL, __WALL);
	ptrace(PTRACE_DETACH, victim, 0, 0);
	return 0;
}

static int seize(void)
{
	if (ptrace(PTRACE_SEIZE, victim, 0, 0))
		return -errno;
	ptrace(PTRACE_INTERRUPT, victim, 0, 0);
	waitpid(victim, NULL, __WALL);
	ptrace(PTRACE_DETACH, victim, 0, 0);
	return 0;
}

static int getfd(void)
{
	int fd = syscall(SYS_pidfd_getfd, victim_fd, 1, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

FIXTURE(accomplice)
{
	struct rig r;
};

FIXTURE_VARIANT(accomplice)
{
	int (*reach)(void);
	int error;
};

#define WAY(name, error) FIXTURE_VARIANT_ADD(accomplice, name) { name, error }

WAY(read_memory, EPERM);
WAY(write_memory, EPERM);
WAY(proc_mem, EACCES);
WAY(proc_mem_write, EACCES);
WAY(attach, EPERM);
WAY(seize, EPERM);
WAY(getfd, EPERM);

static void member(struct page *page, void *arg)
{
	(void)arg;
	become_nobody();
	page_step(page, 2);
	page_block(page, 2);
	page_step(page, 3);
	page_block(page, 3);
}

FIXTURE_SETUP(accomplice)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, child_start(&self->r.kid, member, NULL));
	page_go(self->r.kid.page, 1);
	ASSERT_TRUE(page_wait(self->r.kid.page, 2, BOUND));
	victim = self->r.kid.pid;
	victim_fd = self->r.kid.pidfd;
}

FIXTURE_TEARDOWN(accomplice)
{
	EXPECT_TRUE(rig_close(&self->r));
}

/* What a process of the same user gets: 0 or an errno. */
static int result_of(int (*reach)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		become_nobody();
		_exit(-reach());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(accomplice, is_refused)
{
	struct rig *r = &self->r;
	char scope[8];

	/* Yama alone would refuse: its rule is no descendant's. */
	if (slurp("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)) > 0 &&
	    scope[0] != '0')
		SKIP(return, "kernel.yama.ptrace_scope is not 0");
	ASSERT_EQ(0, result_of(variant->reach));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	EXPECT_EQ(variant->error, result_of(variant->reach));
	/* Root outside is trusted. */
	EXPECT_EQ(0, variant->reach());
	/* The member is none the worse for it. */
	page_go(r->kid.page, 2);
	EXPECT_TRUE(page_wait(r->kid.page, 3, BOUND));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

/* The same while it is frozen. */
TEST_F(accomplice, is_refused_frozen)
{
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_EQ(variant->error, result_of(variant->reach));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

GUEST_MAIN
