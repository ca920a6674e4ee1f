// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of what happens in a member's own thread: its forks, the
 * first step of a child, the execution of a file that a policy names, and the
 * incident that a fault of its own opens. Where memory is short it fails closed:
 * nobody runs unprotected, nothing comes out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "inject.h"
#include "nl_status.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000
#define CHUNK 700
#define TOOL "/usr/bin/true"

/* Shared by the test and the member. */
struct job {
	struct sweep s;
	struct pair pair;
	_Atomic int64_t result, hit;
};

FIXTURE(inject_member)
{
	struct rig r;
	struct job *job;
};

FIXTURE_SETUP(inject_member)
{
	struct job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, job);
	self->job = job;
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(inject_member)
{
	inject_anywhere();
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	munmap(self->job, sizeof(*self->job));
}

/* It dies or ends; what its fail-nth says can be read until it is reaped. */
static bool dead(struct child *kid, int ms)
{
	int64_t end = now_ms() + ms;
	siginfo_t info = {};

	while (!waitid(P_PID, kid->pid, &info, WEXITED | WNOWAIT | WNOHANG) && !info.si_pid) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return info.si_pid == kid->pid;
}

/* A round for each go that it is given; the child of the fork spins until it is killed. */
static void forks(struct page *page, void *arg)
{
	int nth = inject_open(0, 0);
	struct job *job = arg;
	uint32_t round;
	long pid;

	if (nth < 0)
		_exit(-nth);
	for (round = 2;; round++) {
		page_spin(page, round);
		sweep_arm(&job->s, nth);
		pid = syscall(SYS_fork);
		if (!pid) {
			for (;;)
				sched_yield();
		}
		atomic_store(&job->result, pid < 0 ? -errno : pid);
		atomic_store(&job->hit, sweep_hit(&job->s, nth, pid < 0));
		page_step(page, round);
		page_spin(page, ++round);
		if (pid > 0 && (kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid))
			_exit(1);
		page_step(page, round);
	}
}

static bool step(struct rig *r, uint32_t n)
{
	page_go(r->kid.page, n);
	return page_wait(r->kid.page, n, BOUND);
}

TEST_F_TIMEOUT(inject_member, fork, LIMIT)
{
	struct job *job = self->job;
	struct sweep *s = &job->s;
	struct rig *r = &self->r;
	uint32_t go = 1;

	ASSERT_EQ(0, rig_run(r, forks, job));
	sweep_begin(s, "fork");
	while (sweep_next(s)) {
		ASSERT_TRUE(step(r, ++go)) { TH_LOG("place %u", s->nth); }
		if (job->result > 0) {
			/* Whatever was missing, the child is a member, from its first step on. */
			ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 2, BOUND)) {
				TH_LOG("place %u", s->nth);
			}
			ASSERT_EQ(1, domain_has(&r->c, r->dom, job->result)) {
				TH_LOG("place %u", s->nth);
			}
		} else {
			ASSERT_TRUE(job->hit && (inject_error(job->result) ||
						 job->result == -EAGAIN)) {
				TH_LOG("place %u: %lld", s->nth, (long long)job->result);
			}
		}
		ASSERT_TRUE(step(r, ++go));
		ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
	}
	EXPECT_NE(0, sweep_end(s));
}

/* A newborn cannot be told before its first step where to fail: all below one function do, once. */
TEST_F_TIMEOUT(inject_member, newborn, LIMIT)
{
	struct job *job = self->job;
	struct sweep *s = &job->s;
	struct rig *r = &self->r;
	int64_t failed, end;
	long budget, all;
	uint32_t go = 1;
	unsigned int dead_children = 0;

	ASSERT_EQ(0, rig_run(r, forks, job));
	sweep_begin(s, "first step of a child");
	sweep_counted(s);
	if (inject_below("sh_tap_boundary"))
		SKIP(return, "this kernel does not choose places by the functions above them");
	/* What they allocate in all, then the first and the last of them fail. */
	inject_once(1 << 20);
	ASSERT_TRUE(step(r, ++go) && step(r, ++go));
	all = (1 << 20) - inject_budget();
	ASSERT_LT(0, all);
	for (budget = 0; budget <= all; budget += all) {
		failed = status_counter(&r->c, "births_failed");
		inject_once(budget);
		ASSERT_TRUE(step(r, ++go)) { TH_LOG("budget %ld", budget); }
		ASSERT_LT(0, job->result);
		for (end = now_ms() + BOUND; now_ms() < end; pause_ms(1))
			if (status_counter(&r->c, "births_failed") != failed)
				break;
		ASSERT_EQ(failed + 1, status_counter(&r->c, "births_failed"));
		ASSERT_TRUE(inject_spent());
		ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
		ASSERT_TRUE(step(r, ++go));
		dead_children++;
	}
	inject_never();
	s->points = s->refused = s->within = dead_children;
	EXPECT_EQ(2, sweep_end(s));
}

static void executes(struct page *page, void *arg)
{
	int nth = inject_open(0, 0);
	struct job *job = arg;

	(void)page;
	if (nth < 0)
		_exit(-nth);
	sweep_arm(&job->s, nth);
	execl(TOOL, TOOL, NULL);
	_exit(77);
}

/* Killed, or a member of a domain of its own: it never runs as neither. */
TEST_F_TIMEOUT(inject_member, exec, LIMIT)
{
	struct job *job = self->job;
	struct sweep *s = &job->s;
	struct rig *r = &self->r;
	int64_t members, failed;
	bool hit, killed;
	long left;
	int nth;

	r->p.match[0] = TOOL;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	sweep_begin(s, "execution under a policy");
	if (!s->chooses)
		SKIP(return, "this kernel does not choose places by the functions above them");
	while (sweep_next(s)) {
		/* The program has hundreds of places of its own, which do not concern us. */
		if (!s->counting && s->nth == 1)
			ASSERT_EQ(0, inject_below(NULL));
		members = status_counter(&r->c, "members_new");
		failed = status_counter(&r->c, "births_failed");
		ASSERT_EQ(0, child_start(&r->kid, executes, job));
		nth = inject_open(r->kid.pid, r->kid.pid);
		ASSERT_LE(0, nth);
		page_go(r->kid.page, 1);
		ASSERT_TRUE(dead(&r->kid, BOUND));
		left = inject_left(nth);
		hit = !s->counting && !left;
		ASSERT_TRUE(child_wait(&r->kid, BOUND));
		killed = WIFSIGNALED(r->kid.status) && WTERMSIG(r->kid.status) == SIGKILL;
		ASSERT_TRUE(killed ? hit : WIFEXITED(r->kid.status)) {
			TH_LOG("place %u: status 0x%x", s->nth, r->kid.status);
		}
		if (killed) {
			ASSERT_EQ(failed + 1, status_counter(&r->c, "births_failed"));
		} else if (WEXITSTATUS(r->kid.status) == 77) {
			ASSERT_TRUE(hit);
			ASSERT_EQ(members, status_counter(&r->c, "members_new"));
		} else {
			ASSERT_EQ(members + 1, status_counter(&r->c, "members_new"));
		}
		sweep_left(s, left, killed || WEXITSTATUS(r->kid.status));
		close(nth);
		child_end(&r->kid);
	}
	EXPECT_NE(0, sweep_end(s));
}

static void crashes(struct page *page, void *arg)
{
	int nth = inject_open(0, 0);
	struct job *job = arg;
	char bytes[CHUNK] = "held";

	if (nth < 0 || write(job->pair.tx, bytes, CHUNK) != CHUNK)
		_exit(1);
	page_step(page, 2);
	page_spin(page, 2);
	sweep_arm(&job->s, nth);
	*(volatile int *)NULL = 1;
	page_step(page, 3);
}

/* Frozen, with what could be found out, or ended at once: nothing comes out of it. */
TEST_F_TIMEOUT(inject_member, incident, LIMIT)
{
	struct job *job = self->job;
	struct sweep *s = &job->s;
	struct rig *r = &self->r;
	int64_t end;
	struct domain d;
	bool frozen = false;
	int nth;

	policy_faults(&r->p);
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	sweep_begin(s, "incident by a sensor");
	while (sweep_next(s)) {
		ASSERT_EQ(0, pair_open(&job->pair, CH_TCP));
		ASSERT_EQ(0, child_start(&r->kid, crashes, job));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		nth = inject_open(r->kid.pid, r->kid.pid);
		ASSERT_LE(0, nth);
		page_go(r->kid.page, 1);
		ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
		page_go(r->kid.page, 2);
		for (end = now_ms() + BOUND; now_ms() < end; pause_ms(1)) {
			frozen = !domain_get(&r->c, r->dom, &d) &&
				 d.state == SELFHEAL_DOMAIN_STATE_FROZEN && d.parked == 1;
			if (frozen || dead(&r->kid, 0))
				break;
		}
		ASSERT_TRUE(frozen || dead(&r->kid, 0)) { TH_LOG("place %u", s->nth); }
		if (frozen) {
			ASSERT_NE(0, d.incident);
			ASSERT_EQ(CHUNK, d.held_bytes);
			ASSERT_FALSE(rx_ready(job->pair.rx, QUIET / 10));
		}
		if (!sweep_hit(s, nth, !frozen))
			ASSERT_TRUE(frozen) { TH_LOG("place %u", s->nth); }
		if (frozen)
			ASSERT_EQ(0, incident_verdict(&r->c, d.incident, SELFHEAL_VERDICT_KILL));
		ASSERT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL)) {
			TH_LOG("place %u: status 0x%x", s->nth, r->kid.status);
		}
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
		ASSERT_EQ(2, atomic_load(&r->kid.page->step));
		close(job->pair.tx);
		job->pair.tx = 0;
		ASSERT_TRUE(rx_eof(job->pair.rx, BOUND)) { TH_LOG("place %u", s->nth); }
		pair_close(&job->pair);
		close(nth);
		child_end(&r->kid);
		r->dom = 0;
	}
	EXPECT_NE(0, sweep_end(s));
}

INJECT_MAIN
