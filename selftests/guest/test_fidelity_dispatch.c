// SPDX-License-Identifier: GPL-2.0
/*
 * A program that dispatches its own system calls (Syscall User Dispatch, as Wine does) keeps
 * working inside a domain: what it blocks comes to its handler, what its handler does is held.
 * Each program runs without a domain first; both runs must give the same values.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "rig.h"
#include "stream.h"

#define ALLOW 0		/* SYSCALL_DISPATCH_FILTER_ALLOW */
#define BLOCK 1
#define ROUNDS 8
#define WORD "dispatch"
#define LEN 8

static __thread volatile char selector;
static __thread int caught;

FIXTURE(dispatch)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(dispatch)
{
	ASSERT_EQ(0, pair_open(&self->ch, CH_PIPE));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.commit = 0;
}

FIXTURE_TEARDOWN(dispatch)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/*
 * Does the blocked call itself and gives its result. The selector stays open, for the return
 * from here is a system call as well.
 */
static void emulate(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *reg = uc->uc_mcontext.gregs;

	(void)sig;
	selector = ALLOW;
	caught++;
	reg[REG_RAX] = syscall(info->si_syscall, reg[REG_RDI], reg[REG_RSI], reg[REG_RDX]);
	if (reg[REG_RAX] < 0)
		reg[REG_RAX] = -errno;
}

static int switch_on(void)
{
	struct sigaction sa = { .sa_sigaction = emulate, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
}

static int switch_off(void)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
}

/* value[n]: results, for comparison. */
static void blocked_writes(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int i;

	page->value[0] = switch_on();
	for (i = 0; i < ROUNDS; i++) {
		selector = BLOCK;
		page->value[1 + i] = write(ch->tx, WORD, LEN);
	}
	page->value[10] = caught;
	page->value[11] = switch_off();
	/* Off: blocking has no effect any more. */
	selector = BLOCK;
	page->value[12] = write(ch->tx, WORD, LEN);
	page->value[13] = caught;
	selector = ALLOW;
	page->value[14] = switch_on();
	selector = BLOCK;
	page->value[15] = write(ch->tx, WORD, LEN);
	selector = ALLOW;
	page->value[16] = caught;
}

/* A fork ends the dispatch in the child, until that switches it on for itself. */
static void forked_writes(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int status;
	pid_t pid;

	page->value[0] = switch_on();
	pid = fork();
	if (!pid) {
		selector = BLOCK;
		page->value[1] = write(ch->tx, WORD, LEN);
		page->value[2] = caught;
		selector = ALLOW;
		page->value[3] = switch_on();
		selector = BLOCK;
		page->value[4] = write(ch->tx, WORD, LEN);
		selector = ALLOW;
		page->value[5] = caught;
		_exit(9);
	}
	waitpid(pid, &status, 0);
	page->value[6] = WEXITSTATUS(status);
	selector = BLOCK;
	page->value[7] = write(ch->tx, WORD, LEN);
	selector = ALLOW;
	page->value[8] = caught;
}

struct sibling {
	struct page *page;
	struct pair *ch;
};

static void *sibling(void *arg)
{
	struct sibling *s = arg;

	s->page->value[1] = write(s->ch->tx, WORD, LEN);
	s->page->value[2] = caught;
	s->page->value[3] = switch_on();
	selector = BLOCK;
	s->page->value[4] = write(s->ch->tx, WORD, LEN);
	selector = ALLOW;
	s->page->value[5] = caught;
	return NULL;
}

/* The dispatch is a thread's own. */
static void threads_write(struct page *page, void *arg)
{
	struct sibling s = { page, arg };
	pthread_t t;

	page->value[0] = switch_on();
	pthread_create(&t, NULL, sibling, &s);
	pthread_join(t, NULL);
	selector = BLOCK;
	page->value[6] = write(s.ch->tx, WORD, LEN);
	selector = ALLOW;
	page->value[7] = caught;
}

/* An exec ends it: nobody catches the calls of echo(1). */
static void executed_writes(struct page *page, void *arg)
{
	struct pair *ch = arg;
	int status;
	pid_t pid;

	page->value[0] = switch_on();
	pid = vfork();
	if (!pid) {
		dup2(ch->tx, 1);
		execl("/bin/echo", "echo", "-n", WORD, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	page->value[1] = status;
	selector = BLOCK;
	page->value[2] = write(ch->tx, WORD, LEN);
	selector = ALLOW;
	page->value[3] = caught;
}

struct program {
	void (*run)(struct page *page, void *arg);
	struct pair *ch;
};

static void run_program(struct page *page, void *arg)
{
	struct program *p = arg;

	p->run(page, p->ch);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* Words that arrive on the channel; -1: something else. */
static int words(struct pair *ch, int want)
{
	char got[LEN];
	int n = 0;

	while (n < want && rx_read(ch->rx, got, LEN, BOUND) == LEN) {
		if (memcmp(got, WORD, LEN))
			return -1;
		n++;
	}
	return rx_ready(ch->rx, 0) ? -1 : n;
}

static bool same_in_a_domain(struct rig *r, struct pair *ch,
			     void (*run)(struct page *page, void *arg), int writes)
{
	struct program p = { run, ch };
	int64_t value[64];
	struct domain d;
	uint64_t id;
	int i;

	if (child_start(&r->kid, run_program, &p))
		return false;
	page_go(r->kid.page, 1);
	if (!page_wait(r->kid.page, 2, BOUND) || words(ch, writes) != writes)
		return false;
	memcpy(value, (void *)r->kid.page->value, sizeof(value));
	child_end(&r->kid);

	if (rig_run(r, run_program, &p) || !page_wait(r->kid.page, 2, BOUND))
		return false;
	for (i = 0; i < 64; i++) {
		if (value[i] == r->kid.page->value[i])
			continue;
		printf("# value %d: %lld without a domain, %lld in one\n", i,
		       (long long)value[i], (long long)r->kid.page->value[i]);
		return false;
	}
	if (rx_ready(ch->rx, QUIET) || domain_get(&r->c, r->dom, &d) ||
	    d.held_total != (uint64_t)writes * LEN)
		return false;
	if (domain_freeze(&r->c, r->dom, &id) ||
	    incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE))
		return false;
	return words(ch, writes) == writes;
}

TEST_F(dispatch, handler_makes_held_calls)
{
	EXPECT_TRUE(same_in_a_domain(&self->r, &self->ch, blocked_writes, ROUNDS + 2));
	EXPECT_EQ(ROUNDS, self->r.kid.page->value[10]);
	EXPECT_EQ(ROUNDS, self->r.kid.page->value[13]);
	EXPECT_EQ(ROUNDS + 1, self->r.kid.page->value[16]);
}

TEST_F(dispatch, forks)
{
	EXPECT_TRUE(same_in_a_domain(&self->r, &self->ch, forked_writes, 3));
	EXPECT_EQ(0, self->r.kid.page->value[2]);
	EXPECT_EQ(1, self->r.kid.page->value[5]);
	EXPECT_EQ(9, self->r.kid.page->value[6]);
	EXPECT_EQ(1, self->r.kid.page->value[8]);
}

TEST_F(dispatch, threads)
{
	EXPECT_TRUE(same_in_a_domain(&self->r, &self->ch, threads_write, 3));
	EXPECT_EQ(0, self->r.kid.page->value[2]);
	EXPECT_EQ(1, self->r.kid.page->value[5]);
	EXPECT_EQ(1, self->r.kid.page->value[7]);
}

TEST_F(dispatch, executes)
{
	EXPECT_TRUE(same_in_a_domain(&self->r, &self->ch, executed_writes, 2));
	EXPECT_EQ(0, self->r.kid.page->value[1]);
	EXPECT_EQ(1, self->r.kid.page->value[3]);
}

GUEST_MAIN
