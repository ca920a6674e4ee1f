// SPDX-License-Identifier: GPL-2.0
/*
 * A frozen domain: nothing of it runs, nobody around it notices, and only a
 * verdict, the deadline or SIGKILL ends it.
 *
 *	test
 *	  `- kid: 4 counting threads
 *	       |- counting child
 *	       `- counting child
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "rig.h"

#define COUNTERS 6

FIXTURE(freeze)
{
	struct rig r;
};

FIXTURE_SETUP(freeze)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(freeze)
{
	EXPECT_TRUE(rig_close(&self->r));
}

struct counting {
	struct page *page;
	int slot;
};

/* Odd slots make system calls, even ones never leave user mode. */
static void *count_up(void *arg)
{
	struct counting *c = arg;

	for (;;) {
		atomic_fetch_add(&c->page->count[c->slot], 1);
		if (c->slot % 2)
			syscall(SYS_getppid);
	}
	return NULL;
}

static void start_counting(struct page *page)
{
	static struct counting c[COUNTERS];
	pthread_t t;
	int i;

	for (i = 0; i < COUNTERS; i++) {
		c[i] = (struct counting){ page, i };
		if (i < 4)
			pthread_create(&t, NULL, count_up, &c[i]);
		else if (!fork())
			count_up(&c[i]);
	}
	page_step(page, 2);
}

static bool all_advance(struct page *page)
{
	int i;

	for (i = 0; i < COUNTERS; i++) {
		if (!page_changed(&page->count[i], page->count[i], BOUND))
			return false;
	}
	return true;
}

static bool any_advances(struct page *page)
{
	uint64_t before[COUNTERS];
	int i;

	for (i = 0; i < COUNTERS; i++)
		before[i] = page->count[i];
	pause_ms(QUIET);
	for (i = 0; i < COUNTERS; i++) {
		if (page->count[i] != before[i])
			return true;
	}
	return false;
}

static void family(struct page *page, void *arg)
{
	(void)arg;
	start_counting(page);
	page_spin(page, ~0U);
}

static volatile sig_atomic_t trapped;

static void on_trap(int sig)
{
	(void)sig;
	trapped++;
}

static void family_with_a_fault(struct page *page, void *arg)
{
	(void)arg;
	signal(SIGTRAP, on_trap);
	start_counting(page);
	page_spin(page, 2);
	asm volatile("int3");
	page_spin(page, ~0U);
}

TEST_F(freeze, by_command_stops_everything)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct domain d;
	unsigned int i;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_TRUE(all_advance(r->kid.page));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_FALSE(any_advances(r->kid.page));
	EXPECT_TRUE(domain_wait_parked(&r->c, r->dom, 7, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(7, d.members);
	EXPECT_EQ(id, d.incident);
	EXPECT_LT(0, d.freeze_ns);
	EXPECT_GT(BOUND * 1000000ULL, d.freeze_ns);
	for (i = 0; i < d.listed; i++) {
		pid_t pid = d.member[i].pid, tid = d.member[i].tid;

		EXPECT_TRUE(d.member[i].parked);
		/* Asleep, and not stopped: it counts as parked just before it sleeps. */
		EXPECT_TRUE(proc_wait_not(pid, tid, "R", BOUND));
		EXPECT_TRUE(proc_wait_not(pid, tid, "Tt", 0)) {
			TH_LOG("state %c", proc_state(pid, tid));
		}
	}
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(d.freeze_ns, inc.freeze_ns);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(all_advance(r->kid.page));
	EXPECT_TRUE(domain_wait_parked(&r->c, r->dom, 0, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(0, d.incident);
	EXPECT_EQ(1, d.incidents);
}

TEST_F(freeze, by_a_fault_in_one_thread)
{
	struct rig *r = &self->r;
	uint64_t id;

	policy_faults(&r->p);
	r->p.flags = SELFHEAL_POLICY_FLAG_FAULT_HANDLED;
	ASSERT_EQ(0, rig_run(r, family_with_a_fault, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_TRUE(all_advance(r->kid.page));
	page_go(r->kid.page, 2);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_FALSE(any_advances(r->kid.page));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(all_advance(r->kid.page));
}

TEST_F(freeze, kill_ends_every_process)
{
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	/* At once, whether frozen already or not. */
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_FALSE(any_advances(r->kid.page));
}

static _Atomic int child_signals;

static void on_sigchld(int sig)
{
	(void)sig;
	child_signals++;
}

TEST_F(freeze, parent_notices_nothing)
{
	struct rig *r = &self->r;
	uint64_t id;
	int status, i;

	signal(SIGCHLD, on_sigchld);
	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
		EXPECT_EQ(0, waitpid(r->kid.pid, &status, WNOHANG | WUNTRACED | WCONTINUED));
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(all_advance(r->kid.page));
		EXPECT_EQ(0, waitpid(r->kid.pid, &status, WNOHANG | WUNTRACED | WCONTINUED));
	}
	EXPECT_EQ(0, child_signals);
}

TEST_F(freeze, sigkill_works_on_the_frozen)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct domain d;
	unsigned int i;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	kill(r->kid.pid, SIGKILL);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	/* The two other processes stay as they are. */
	EXPECT_TRUE(domain_wait_members(&r->c, r->dom, 2, BOUND));
	EXPECT_FALSE(any_advances(r->kid.page));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_FROZEN, d.state);
	for (i = 0; i < d.listed; i++)
		kill(d.member[i].pid, SIGKILL);
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEATH, inc.resolved_by);
}

FIXTURE(deadline)
{
	struct rig r;
};

FIXTURE_VARIANT(deadline)
{
	uint32_t verdict;
};

FIXTURE_VARIANT_ADD(deadline, kill) { SELFHEAL_VERDICT_KILL };
FIXTURE_VARIANT_ADD(deadline, release) { SELFHEAL_VERDICT_RELEASE };

FIXTURE_SETUP(deadline)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(deadline)
{
	EXPECT_TRUE(rig_close(&self->r));
}

TEST_F(deadline, fires_with_the_default_verdict)
{
	struct rig *r = &self->r;
	struct incident inc;
	int64_t start, took;
	struct event ev;
	uint64_t id;

	r->p.default_verdict = variant->verdict;
	r->p.deadline_ms = 500;
	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	start = now_ms();
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED, r->dom, BOUND, &ev));
	took = now_ms() - start;
	EXPECT_LE(500, took);
	EXPECT_GT(BOUND, took);
	EXPECT_EQ(variant->verdict, ev.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEADLINE, ev.resolved_by);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(variant->verdict, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEADLINE, inc.resolved_by);
	EXPECT_EQ(-EALREADY, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(variant->verdict == SELFHEAL_VERDICT_KILL ?
		    child_signaled(&r->kid, BOUND, SIGKILL) : all_advance(r->kid.page));
}

TEST_F(deadline, answered_in_time_does_not_fire)
{
	struct rig *r = &self->r;
	struct incident inc;
	int64_t start;
	uint64_t id;

	r->p.default_verdict = variant->verdict;
	r->p.deadline_ms = slow_ms(1000);
	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	start = now_ms();
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE)) {
		TH_LOG("%lld ms after the freeze", (long long)(now_ms() - start));
	}
	pause_ms(slow_ms(1000) + QUIET);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_VERDICT_RELEASE, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_CONTROLLER, inc.resolved_by);
	EXPECT_TRUE(all_advance(r->kid.page));
}

static void fork_on_and_on(struct page *page, void *arg)
{
	pid_t pid;

	(void)arg;
	page_step(page, 2);
	for (;;) {
		pid = fork();
		if (!pid) {
			atomic_fetch_add(&page->count[1], 1);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		atomic_fetch_add(&page->count[0], 1);
	}
}

TEST_F(freeze, races_with_fork)
{
	struct rig *r = &self->r;
	uint64_t id, a, b;
	int i;

	ASSERT_EQ(0, rig_run(r, fork_on_and_on, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(page_changed(&r->kid.page->count[0], r->kid.page->count[0], BOUND));
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
		a = r->kid.page->count[0];
		b = r->kid.page->count[1];
		pause_ms(20);
		EXPECT_EQ(a, r->kid.page->count[0]);
		EXPECT_EQ(b, r->kid.page->count[1]);
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	}
}

static void *spin_thread(void *arg)
{
	struct page *page = arg;

	atomic_fetch_add(&page->threads, 1);
	while (atomic_load(&page->go) < 2)
		atomic_fetch_add(&page->count[0], 1);
	return NULL;
}

static void sixty_four(struct page *page, void *arg)
{
	pthread_t t[63];
	int i;

	(void)arg;
	for (i = 0; i < 63; i++)
		pthread_create(&t[i], NULL, spin_thread, page);
	while (atomic_load(&page->threads) < 63)
		sched_yield();
	page_step(page, 2);
	spin_thread(page);
}

TEST_F(freeze, sixty_four_threads_spin)
{
	struct rig *r = &self->r;
	struct domain d;
	uint64_t id, at;

	ASSERT_EQ(0, rig_run(r, sixty_four, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	at = r->kid.page->count[0];
	pause_ms(QUIET);
	EXPECT_EQ(at, r->kid.page->count[0]);
	EXPECT_TRUE(domain_wait_parked(&r->c, r->dom, 64, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(64, d.members);
	EXPECT_LT(0, d.freeze_ns);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(page_changed(&r->kid.page->count[0], at, BOUND));
}

TEST_F(freeze, under_a_tracer)
{
	struct rig *r = &self->r;
	uint64_t id, at;
	int status;

	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, r->kid.pid, 0, 0));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_FALSE(any_advances(r->kid.page));
	/* A tracer cannot make it run either. */
	ptrace(PTRACE_INTERRUPT, r->kid.pid, 0, 0);
	EXPECT_FALSE(any_advances(r->kid.page));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_EQ(r->kid.pid, waitpid(r->kid.pid, &status, __WALL));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, r->kid.pid, 0, 0));
	at = r->kid.page->count[5];
	EXPECT_TRUE(page_changed(&r->kid.page->count[5], at, BOUND));
	/* Stopped by its tracer when the freeze comes. */
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, r->kid.pid, 0, 0));
	ASSERT_EQ(r->kid.pid, waitpid(r->kid.pid, &status, __WALL));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, r->kid.pid, 0, 0));
	EXPECT_FALSE(any_advances(r->kid.page));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(all_advance(r->kid.page));
}

static void spin_alone(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	for (;;)
		atomic_fetch_add(&page->count[0], 1);
}

TEST_F(freeze, stopped_member_stays_stopped)
{
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, spin_alone, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	kill(r->kid.pid, SIGSTOP);
	ASSERT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'T', BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	/* Continued while frozen, it does not run. */
	kill(r->kid.pid, SIGCONT);
	EXPECT_FALSE(any_advances(r->kid.page));
	kill(r->kid.pid, SIGSTOP);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'T', BOUND));
	kill(r->kid.pid, SIGCONT);
	EXPECT_TRUE(page_changed(&r->kid.page->count[0], r->kid.page->count[0], BOUND));
}

static void vfork_and_spin(struct page *page, void *arg)
{
	pid_t pid;

	(void)arg;
	pid = vfork();
	if (!pid) {
		page_step(page, 2);
		while (atomic_load(&page->go) < 2)
			atomic_fetch_add(&page->count[0], 1);
		_exit(3);
	}
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(freeze, vfork_parent_waits)
{
	struct rig *r = &self->r;
	struct domain d;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, vfork_and_spin, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	/* The child is parked; the parent sleeps in vfork, which is as good. */
	EXPECT_TRUE(domain_wait_parked(&r->c, r->dom, 1, BOUND));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(2, d.members);
	EXPECT_FALSE(any_advances(r->kid.page));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	page_go(r->kid.page, 2);
	EXPECT_TRUE(page_wait(r->kid.page, 3, BOUND));
}

static struct page *signal_page;

static void on_usr1(int sig)
{
	(void)sig;
	atomic_fetch_add(&signal_page->value[0], 1);
}

static void spin_with_handler(struct page *page, void *arg)
{
	signal_page = page;
	signal(SIGUSR1, on_usr1);
	spin_alone(page, arg);
}

TEST_F(freeze, signals_wait_for_the_release)
{
	struct rig *r = &self->r;
	int64_t end;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, spin_with_handler, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	kill(r->kid.pid, SIGUSR1);
	EXPECT_FALSE(any_advances(r->kid.page));
	EXPECT_EQ(0, r->kid.page->value[0]);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	for (end = now_ms() + BOUND; !r->kid.page->value[0] && now_ms() < end;)
		pause_ms(1);
	EXPECT_EQ(1, r->kid.page->value[0]);
	EXPECT_TRUE(page_changed(&r->kid.page->count[0], r->kid.page->count[0], BOUND));
}

TEST_F_TIMEOUT(freeze, many_times_in_a_row, 900)
{
	struct rig *r = &self->r;
	uint64_t id;
	int i;

	ASSERT_EQ(0, rig_run(r, family, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 100; i++) {
		/* Every second time the verdict comes before the freeze is complete. */
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		if (i % 2)
			ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN,
						BOUND));
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	}
	EXPECT_TRUE(all_advance(r->kid.page));
}

GUEST_MAIN
