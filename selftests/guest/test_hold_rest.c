// SPDX-License-Identifier: GPL-2.0
/*
 * Producers at rest that wait for no input: stopped, traced, asleep for a lock or for the other
 * end of a FIFO. Where the one that would end the rest waits for their output, holding it for a
 * wait is a deadlock that the program does not have without us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "stream.h"

#define SAID "said"
#define LEN (sizeof(SAID) - 1)
/* The looks are 100 ms apart, and two are needed. */
#define LOOKS (QUIET + 500)

FIXTURE(rest)
{
	struct rig r;
	struct pair ch;
	char path[64];	/* a FIFO that nobody reads */
	int lock;
};

FIXTURE_SETUP(rest)
{
	ASSERT_EQ(0, pair_open(&self->ch, CH_PIPE));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	snprintf(self->path, sizeof(self->path), "/tmp/hold-rest-%d", getpid());
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	self->lock = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	ASSERT_LE(0, self->lock);
	ASSERT_EQ(0, flock(self->lock, LOCK_EX));
}

FIXTURE_TEARDOWN(rest)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
	unlink(self->path);
	close(self->lock);
}

struct how {
	struct pair *ch;
	const char *path;
	int lock;
};

/* In all of them: value[0] = what the output gave; step 2 when the rest is over. */
static void say(struct page *page, const struct how *how)
{
	page->value[0] = write(how->ch->tx, SAID, LEN);
}

static void stop(struct page *page, void *arg)
{
	say(page, arg);
	kill(getpid(), SIGSTOP);
	page_step(page, 2);
	page_spin(page, 2);
}

static void open_fifo(struct page *page, void *arg)
{
	struct how *how = arg;

	say(page, how);
	page->value[1] = open(how->path, O_WRONLY);
	page_step(page, 2);
	page_spin(page, 2);
}

/* Another description of the file, or the lock would be its own already. */
static void take_lock(struct page *page, void *arg)
{
	struct how *how = arg;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", how->lock);
	fd = open(path, O_RDWR);
	say(page, how);
	page->value[1] = flock(fd, LOCK_EX);
	page_step(page, 2);
	page_spin(page, 2);
}

/* The bound is full: it waits for room. */
static void fill(struct page *page, void *arg)
{
	struct how *how = arg;
	static char buf[8192];

	say(page, how);
	page_step(page, 2);
	page->value[1] = write(how->ch->tx, buf, sizeof(buf));
	page_step(page, 3);
	page_spin(page, 3);
}

static void spin(struct page *page, void *arg)
{
	say(page, arg);
	page_step(page, 2);
	page_spin(page, 2);
}

static bool comes(struct pair *ch)
{
	char buf[LEN];

	return rx_read(ch->rx, buf, LEN, BOUND) == LEN && !memcmp(buf, SAID, LEN);
}

TEST_F(rest, stopped)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, stop, &how));
	EXPECT_TRUE(comes(&self->ch));
	EXPECT_EQ('T', proc_state(r->kid.pid, r->kid.pid));
	ASSERT_EQ(0, kill(r->kid.pid, SIGCONT));
	EXPECT_TRUE(page_wait(r->kid.page, 2, BOUND));
}

TEST_F(rest, asleep_for_a_fifo)
{
	struct how how = { .ch = &self->ch, .path = self->path };
	struct rig *r = &self->r;
	int fd;

	ASSERT_EQ(0, rig_run(r, open_fifo, &how));
	EXPECT_TRUE(comes(&self->ch));
	EXPECT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_openat, BOUND));
	fd = open(self->path, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_LE(0, r->kid.page->value[1]);
	close(fd);
}

TEST_F(rest, asleep_for_a_lock)
{
	struct how how = { .ch = &self->ch, .lock = self->lock };
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, take_lock, &how));
	EXPECT_TRUE(comes(&self->ch));
	EXPECT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_flock, BOUND));
	ASSERT_EQ(0, flock(self->lock, LOCK_UN));
	EXPECT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[1]);
}

/* As debuggers do: the tracer, a member too, hears from its tracee before it lets it go on. */
static void trace(struct page *page, void *arg)
{
	struct how *how = arg;
	int fd[2], status;
	char byte;
	pid_t pid;

	if (pipe(fd))
		_exit(1);
	pid = fork();
	if (!pid) {
		page->value[1] = ptrace(PTRACE_TRACEME, 0, 0, 0);
		page->value[0] = write(fd[1], "x", 1);
		raise(SIGSTOP);
		_exit(7);
	}
	page->value[2] = read(fd[0], &byte, 1);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	waitpid(pid, &status, 0);
	page->value[3] = status;
	say(page, how);
	page_step(page, 2);
	page_block(page, 2);
}

TEST_F(rest, traced)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	r->p.hold_other = SELFHEAL_CHANNEL_ACTION_PASS;
	ASSERT_EQ(0, rig_run(r, trace, &how));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[1]);
	EXPECT_EQ(1, r->kid.page->value[2]);
	EXPECT_EQ(7 << 8, r->kid.page->value[3]);
	EXPECT_TRUE(comes(&self->ch));
}

/* A supervisor that answers when it has read what the call's maker said. */
static void supervised(struct page *page, void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };
	int fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	page->value[2] = fd;
	say(page, arg);
	page_step(page, 1);
	page->value[1] = syscall(SYS_getppid);
	page_step(page, 2);
	page_spin(page, 2);
}

TEST_F(rest, asleep_for_a_supervisor)
{
	struct seccomp_notif req = {};
	struct seccomp_notif_resp resp = {};
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;
	int fd;

	ASSERT_EQ(0, rig_run(r, supervised, &how));
	ASSERT_TRUE(page_wait(r->kid.page, 1, BOUND));
	ASSERT_LE(0, r->kid.page->value[2]);
	fd = syscall(SYS_pidfd_getfd, r->kid.pidfd, (int)r->kid.page->value[2], 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req));
	EXPECT_TRUE(comes(&self->ch));
	resp.id = req.id;
	resp.val = 42;
	ASSERT_EQ(0, ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp));
	EXPECT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(42, r->kid.page->value[1]);
	close(fd);
}

/* What is no rest: running; waiting for room; and nobody's rest where only a verdict commits. */
TEST_F(rest, not_while_it_runs)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, spin, &how));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, LOOKS));
	EXPECT_EQ((int64_t)LEN, r->kid.page->value[0]);
}

TEST_F(rest, not_while_it_waits_for_room)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	r->p.max_bytes = 4096;
	ASSERT_EQ(0, rig_run(r, fill, &how));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_write, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, LOOKS));
	EXPECT_TRUE(page_wait(r->kid.page, 2, 0));
	EXPECT_FALSE(page_wait(r->kid.page, 3, 0));
}

TEST_F(rest, not_where_a_verdict_commits)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	r->p.commit = 0;
	ASSERT_EQ(0, rig_run(r, stop, &how));
	ASSERT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'T', BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, LOOKS));
}

/* A point comes with a wait, and nothing is out that a rollback would forget. */
TEST_F(rest, not_where_points_are_taken)
{
	struct how how = { .ch = &self->ch };
	struct rig *r = &self->r;

	r->p.rescue = SELFHEAL_RESCUE_WAIT;
	ASSERT_EQ(0, rig_run(r, stop, &how));
	ASSERT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'T', BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, LOOKS));
}

GUEST_MAIN
