// SPDX-License-Identifier: GPL-2.0
/*
 * A call that we hold is seccomp's first: each action of a filter on it has its
 * effect, as without us, and only a call that the filter lets through is held.
 * Nothing commits here without a verdict, so that what is held can be counted.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/audit.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

#include "filter.h"
#include "rig.h"
#include "stream.h"

#define TEXT "sixteen bytes ..."
#define LEN 16
#define UNTOUCHED 4711
#define ANSWER 77
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1	/* si_code of SIGSYS; glibc lacks it */
#endif
#define DATA 321	/* of the filter: errno of a trap, message of a tracer's event */

struct plan {
	struct pair *ch, *other;
	long nr;		/* the call that is made */
	uint32_t action;
	unsigned int flags;
	bool thread;
};

FIXTURE(seccomp)
{
	struct rig r;
	struct pair ch, other;
	struct plan plan;
};

FIXTURE_VARIANT(seccomp)
{
	enum channel_kind kind;
	long nr;
};

FIXTURE_VARIANT_ADD(seccomp, pipe_write) { CH_PIPE, SYS_write };
FIXTURE_VARIANT_ADD(seccomp, udp_sendto) { CH_UDP, SYS_sendto };
FIXTURE_VARIANT_ADD(seccomp, pty_writev) { CH_PTY, SYS_writev };
FIXTURE_VARIANT_ADD(seccomp, unix_sendmsg) { CH_UNIX_STREAM, SYS_sendmsg };

FIXTURE_SETUP(seccomp)
{
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind));
	ASSERT_EQ(0, pair_open(&self->other, variant->kind));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.commit = 0;
	self->plan = (struct plan){ &self->ch, &self->other, variant->nr, 0, 0, false };
}

FIXTURE_TEARDOWN(seccomp)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
	pair_close(&self->other);
}

/* The arguments are those of @as, whatever the number that is called. */
static long call_as(long nr, long as, int fd)
{
	static char text[] = TEXT;
	static struct iovec iov = { text, LEN };
	static struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long ret;

	if (as == SYS_writev)
		ret = syscall(nr, fd, &iov, 1);
	else if (as == SYS_sendmsg)
		ret = syscall(nr, fd, &msg, 0);
	else
		ret = syscall(nr, fd, text, LEN, 0, NULL, 0);
	return ret < 0 ? -errno : ret;
}

/* What a handler of SIGSYS saw. */
static struct page *trap_page;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	atomic_store(&trap_page->value[4], info->si_syscall);
	atomic_store(&trap_page->value[5], info->si_errno);
	atomic_store(&trap_page->value[6], info->si_arch);
	atomic_store(&trap_page->value[7], info->si_code);
	uc->uc_mcontext.gregs[REG_RAX] = ANSWER;
}

struct shot {
	struct page *page;
	struct plan *plan;
};

static void *shoot(void *arg)
{
	struct shot *s = arg;
	long nr = s->plan->nr;

	atomic_store(&s->page->value[0], call_as(nr, nr, s->plan->ch->tx));
	return NULL;
}

/* value[0] result of the call, value[1] that of installing the filter. */
static void filtered(struct page *page, void *arg)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct plan *plan = arg;
	struct shot s = { page, plan };
	pthread_t t;

	trap_page = page;
	sigaction(SIGSYS, &sa, NULL);
	atomic_store(&page->value[0], UNTOUCHED);
	atomic_store(&page->value[1], filter_install(plan->nr, plan->ch->tx, plan->action,
						     plan->flags));
	page_step(page, 2);
	page_block(page, 2);
	if (plan->thread) {
		pthread_create(&t, NULL, shoot, &s);
		pthread_join(t, NULL);
	} else {
		shoot(&s);
	}
	page_step(page, 3);
	page_block(page, ~0U);
}

/* Makes @plan->nr's arguments, but calls getppid(2), which the filter stops. */
static void disguised(struct page *page, void *arg)
{
	struct plan *plan = arg;

	atomic_store(&page->value[1], filter_install(SYS_getppid, -1, plan->action, 0));
	page_step(page, 2);
	page_block(page, 2);
	atomic_store(&page->value[0], call_as(SYS_getppid, plan->nr, plan->ch->tx));
	page_step(page, 3);
	page_block(page, ~0U);
}

static bool start(struct rig *r, child_fn fn, struct plan *plan, uint32_t action)
{
	plan->action = action;
	return !rig_run(r, fn, plan) && page_wait(r->kid.page, 2, BOUND) &&
	       r->kid.page->value[1] >= 0;
}

static uint64_t held_total(struct rig *r)
{
	struct domain d;

	return domain_get(&r->c, r->dom, &d) ? ~0ULL : d.held_total;
}

/* The call ended with the result, nothing was held, and nothing arrived. */
static bool refused(struct rig *r, struct pair *ch, int64_t result)
{
	return page_wait(r->kid.page, 3, BOUND) && r->kid.page->value[0] == result &&
	       held_total(r) == 0 && !rx_ready(ch->rx, 0);
}

/* The call succeeded and is held; after a release it arrives on @ch. */
static bool held_then_released(struct rig *r, struct pair *ch)
{
	char got[LEN];
	uint64_t id;

	if (!page_wait(r->kid.page, 3, BOUND) || r->kid.page->value[0] != LEN)
		return false;
	if (held_total(r) != LEN || rx_ready(ch->rx, QUIET))
		return false;
	if (domain_freeze(&r->c, r->dom, &id) ||
	    incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE))
		return false;
	return rx_read(ch->rx, got, LEN, BOUND) == LEN && !memcmp(got, TEXT, LEN);
}

TEST_F(seccomp, allow_is_held)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_ALLOW));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(held_then_released(r, &self->ch));
}

TEST_F(seccomp, fails_with_errno)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_ERRNO | EXDEV));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(refused(r, &self->ch, -EXDEV));
}

TEST_F(seccomp, kill_thread)
{
	struct rig *r = &self->r;

	self->plan.thread = true;
	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_KILL_THREAD));
	page_go(r->kid.page, 2);
	/* The thread was joined and never came back from its call. */
	EXPECT_TRUE(refused(r, &self->ch, UNTOUCHED));
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
}

TEST_F(seccomp, kill_process)
{
	struct rig *r = &self->r;

	self->plan.thread = true;
	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_KILL_PROCESS));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGSYS));
	EXPECT_EQ(2, r->kid.page->step);
	/* Nothing was held: the domain goes without a question. */
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
}

TEST_F(seccomp, trap)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_TRAP | DATA));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(refused(r, &self->ch, ANSWER));
	EXPECT_EQ(variant->nr, r->kid.page->value[4]);
	EXPECT_EQ(DATA, r->kid.page->value[5]);
	EXPECT_EQ(AUDIT_ARCH_X86_64, r->kid.page->value[6]);
	EXPECT_EQ(SYS_SECCOMP, r->kid.page->value[7]);
}

TEST_F(seccomp, log_is_held)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_LOG));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(held_then_released(r, &self->ch));
}

TEST_F(seccomp, trace_without_tracer)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_TRACE | DATA));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(refused(r, &self->ch, -ENOSYS));
}

/* Seize the child and let it run into its filter: true with the registers of that stop. */
static bool traced_to_the_call(struct rig *r, struct user_regs_struct *regs)
{
	pid_t pid = r->kid.pid;
	unsigned long data;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL))
		return false;
	page_go(r->kid.page, 2);
	if (waitpid(pid, &status, __WALL) != pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		return false;
	if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &data) || data != DATA)
		return false;
	return !ptrace(PTRACE_GETREGS, pid, 0, regs);
}

static bool go_on_with(struct rig *r, struct user_regs_struct *regs)
{
	return !ptrace(PTRACE_SETREGS, r->kid.pid, 0, regs) &&
	       !ptrace(PTRACE_DETACH, r->kid.pid, 0, 0);
}

TEST_F(seccomp, tracer_lets_it_through)
{
	struct user_regs_struct regs;
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_TRACE | DATA));
	ASSERT_TRUE(traced_to_the_call(r, &regs));
	EXPECT_EQ(variant->nr, regs.orig_rax);
	EXPECT_EQ(self->ch.tx, regs.rdi);
	/* Stopped before the call: nothing can be held yet. */
	EXPECT_EQ(0, held_total(r));
	ASSERT_TRUE(go_on_with(r, &regs));
	EXPECT_TRUE(held_then_released(r, &self->ch));
}

TEST_F(seccomp, tracer_skips_it)
{
	struct user_regs_struct regs;
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_TRACE | DATA));
	ASSERT_TRUE(traced_to_the_call(r, &regs));
	regs.orig_rax = -1;
	regs.rax = -EXDEV;
	ASSERT_TRUE(go_on_with(r, &regs));
	EXPECT_TRUE(refused(r, &self->ch, -EXDEV));
}

TEST_F(seccomp, tracer_changes_the_descriptor)
{
	struct user_regs_struct regs;
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, filtered, &self->plan, SECCOMP_RET_TRACE | DATA));
	ASSERT_TRUE(traced_to_the_call(r, &regs));
	regs.rdi = self->other.tx;
	ASSERT_TRUE(go_on_with(r, &regs));
	/* Judged is what happens: it is held on, and goes to, the other object. */
	EXPECT_TRUE(held_then_released(r, &self->other));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
}

TEST_F(seccomp, tracer_makes_a_held_call_of_another)
{
	struct user_regs_struct regs;
	struct rig *r = &self->r;

	ASSERT_TRUE(start(r, disguised, &self->plan, SECCOMP_RET_TRACE | DATA));
	ASSERT_TRUE(traced_to_the_call(r, &regs));
	EXPECT_EQ(SYS_getppid, regs.orig_rax);
	/* The gate saw getppid(2); what is done now is held all the same. */
	regs.orig_rax = variant->nr;
	ASSERT_TRUE(go_on_with(r, &regs));
	EXPECT_TRUE(held_then_released(r, &self->ch));
}

/* The supervisor's view of the pending call; its listener, or -1. */
static int supervised(struct rig *r, struct plan *plan, struct seccomp_notif *n)
{
	int listener;

	plan->flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (!start(r, filtered, plan, SECCOMP_RET_USER_NOTIF))
		return -1;
	listener = fd_of(r->kid.pidfd, r->kid.page->value[1]);
	page_go(r->kid.page, 2);
	if (!notif_next(listener, n, BOUND) || (pid_t)n->pid != r->kid.pid ||
	    n->data.nr != plan->nr || (int)n->data.args[0] != plan->ch->tx ||
	    held_total(r) != 0)
		return -1;
	return listener;
}

TEST_F(seccomp, supervisor_refuses)
{
	struct rig *r = &self->r;
	struct seccomp_notif n;
	int fd;

	fd = supervised(r, &self->plan, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, notif_answer(fd, n.id, 0, -EXDEV, 0));
	EXPECT_TRUE(refused(r, &self->ch, -EXDEV));
	close(fd);
}

TEST_F(seccomp, supervisor_stands_in)
{
	struct rig *r = &self->r;
	struct seccomp_notif n;
	int fd;

	fd = supervised(r, &self->plan, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, notif_answer(fd, n.id, 12345, 0, 0));
	EXPECT_TRUE(refused(r, &self->ch, 12345));
	close(fd);
}

TEST_F(seccomp, supervisor_lets_it_continue)
{
	struct rig *r = &self->r;
	struct seccomp_notif n;
	int fd;

	fd = supervised(r, &self->plan, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, notif_answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	EXPECT_TRUE(held_then_released(r, &self->ch));
	close(fd);
}

TEST_F(seccomp, supervisor_gives_a_descriptor)
{
	struct stat ours, theirs;
	struct rig *r = &self->r;
	struct seccomp_notif n;
	int fd, given;

	fd = supervised(r, &self->plan, &n);
	ASSERT_LE(0, fd);
	given = notif_addfd(fd, n.id, self->other.rx);
	ASSERT_LE(0, given);
	EXPECT_TRUE(refused(r, &self->ch, given));
	given = fd_of(r->kid.pidfd, given);
	ASSERT_LE(0, given);
	ASSERT_EQ(0, fstat(self->other.rx, &ours));
	ASSERT_EQ(0, fstat(given, &theirs));
	EXPECT_EQ(ours.st_ino, theirs.st_ino);
	close(given);
	close(fd);
}

TEST_F(seccomp, supervisor_continues_a_frozen_call)
{
	struct rig *r = &self->r;
	struct seccomp_notif n;
	char got[LEN];
	uint64_t id;
	int fd;

	fd = supervised(r, &self->plan, &n);
	ASSERT_LE(0, fd);
	/* Asleep in its filter it counts as stopped. */
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_EQ(0, notif_answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	/* The rest of the call runs in the kernel: into the quarantine, and no further. */
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	EXPECT_EQ(UNTOUCHED, r->kid.page->value[0]);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(LEN, r->kid.page->value[0]);
	/* It was held before or after the release, by where its CPU was. */
	if (!rx_ready(self->ch.rx, QUIET)) {
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	}
	EXPECT_EQ(LEN, rx_read(self->ch.rx, got, LEN, BOUND));
	close(fd);
}

GUEST_MAIN
