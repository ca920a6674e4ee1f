// SPDX-License-Identifier: GPL-2.0
/* The system call sensor: calls that park, calls that are denied, of both architectures. */
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/audit.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "rig.h"

#define NR32_GETPGRP 65
#define NR32_GETPID 20
#define NR64_GETPID 39

static long call64(long nr)
{
	long ret;

	asm volatile("syscall" : "=a"(ret) : "a"(nr) : "rcx", "r11", "memory");
	return ret;
}

/* The 32-bit entry is open to 64-bit code. */
static long call32(long nr)
{
	int ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(0), "c"(0), "d"(0)
		     : "r8", "r9", "r10", "r11", "memory");
	return ret;
}

FIXTURE(calls)
{
	struct rig r;
};

FIXTURE_VARIANT(calls)
{
	long (*call)(long nr);
	long nr;
	uint32_t arch;
	bool ia32;
};

FIXTURE_VARIANT_ADD(calls, x86_64) { call64, SYS_getpgrp, AUDIT_ARCH_X86_64, false };
FIXTURE_VARIANT_ADD(calls, int80) { call32, NR32_GETPGRP, AUDIT_ARCH_I386, true };

FIXTURE_SETUP(calls)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(calls)
{
	EXPECT_TRUE(rig_close(&self->r));
}

struct plan {
	long (*call)(long nr);
	long nr;
};

static void one_call(struct page *page, void *arg)
{
	struct plan *plan = arg;

	page_step(page, 2);
	atomic_store(&page->value[0], plan->call(plan->nr));
	atomic_store(&page->value[1], getpgrp());
	page_step(page, 3);
	page_block(page, ~0U);
}

static void forbid(struct policy *p, bool ia32, long nr)
{
	sysmap_set(ia32 ? p->never_ia32 : p->never, nr);
}

static void deny(struct policy *p, bool ia32, long nr)
{
	sysmap_set(ia32 ? p->deny_ia32 : p->deny, nr);
}

TEST_F(calls, never_parks_and_release_proceeds)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	forbid(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_SENSOR_SYSCALL, inc.sensor);
	EXPECT_EQ(variant->nr, inc.syscall_nr);
	EXPECT_EQ(variant->arch, inc.syscall_arch);
	EXPECT_EQ(r->kid.pid, inc.tid);
	EXPECT_FALSE(inc.has_signal);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	/* Its own getpgrp() of the 64-bit table fires again in the first variant. */
	if (!variant->ia32) {
		struct event ev;

		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom,
				      BOUND, &ev));
		EXPECT_NE(id, ev.incident);
		ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_RELEASE));
	}
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(r->kid.page->value[1], r->kid.page->value[0]);
	EXPECT_LT(0, r->kid.page->value[0]);
}

TEST_F(calls, never_parks_and_kill_kills)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;
	uint64_t id;

	forbid(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_EQ(2, r->kid.page->step);
}

TEST_F(calls, deny_says_eperm)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;
	struct domain d;

	deny(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(-EPERM, r->kid.page->value[0]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(0, d.incidents);
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
}

TEST_F(calls, same_number_of_the_other_architecture)
{
	struct plan plan = { variant->call, variant->ia32 ? NR32_GETPID : NR64_GETPID };
	struct rig *r = &self->r;

	/* Forbidden for the other table only. */
	forbid(&r->p, !variant->ia32, plan.nr);
	deny(&r->p, !variant->ia32, plan.nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(r->kid.pid, r->kid.page->value[0]);
}

TEST_F(calls, numbers_beyond_the_table)
{
	struct plan plan = { variant->call, 511 };
	struct rig *r = &self->r;

	/* Bit 511 exists in the map; the call does not exist in the kernel. */
	deny(&r->p, variant->ia32, 511);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(-EPERM, r->kid.page->value[0]);
}

static void far_numbers(struct page *page, void *arg)
{
	static const long nr[] = { 512, 1000, 0x40000000 | SYS_getpgrp, -1, -2, 0x7fffffff };
	struct plan *plan = arg;
	unsigned int i;

	for (i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		atomic_store(&page->value[i], plan->call(nr[i]));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(calls, numbers_outside_the_map_do_not_exist)
{
	struct plan plan = { variant->call, 0 };
	struct rig *r = &self->r;
	int i;

	ASSERT_EQ(0, rig_run(r, far_numbers, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(-ENOSYS, r->kid.page->value[i]);
}

TEST_F(calls, observed_proceeds)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	forbid(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_LT(0, r->kid.page->value[0]);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_TRUE(inc.observed);
	EXPECT_EQ(SELFHEAL_VERDICT_RELEASE, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_RULE, inc.resolved_by);
}

TEST_F(calls, observed_deny_proceeds)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	deny(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, one_call, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_LT(0, r->kid.page->value[0]);
}

struct racer {
	struct plan *plan;
	struct page *page;
	int n;
};

static void *race(void *arg)
{
	struct racer *me = arg;

	page_spin(me->page, 2);
	atomic_store(&me->page->value[me->n], me->plan->call(me->plan->nr));
	atomic_fetch_add(&me->page->threads, 1);
	return NULL;
}

static void eight_calls(struct page *page, void *arg)
{
	struct racer racer[8];
	pthread_t t[8];
	int i;

	for (i = 0; i < 8; i++) {
		racer[i] = (struct racer){ arg, page, i };
		pthread_create(&t[i], NULL, race, &racer[i]);
	}
	page_step(page, 2);
	for (i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(calls, threads_that_call_at_once)
{
	struct plan plan = { variant->call, variant->nr };
	struct rig *r = &self->r;
	struct domain d;
	struct event ev;
	int rounds = 0, i;

	forbid(&r->p, variant->ia32, variant->nr);
	ASSERT_EQ(0, rig_run(r, eight_calls, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	page_go(r->kid.page, 2);
	/* Each thread's call is reported: in an incident of its own or as further evidence. */
	while (!page_wait(r->kid.page, 3, 0) && rounds < 8) {
		if (!nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, 1000, &ev))
			continue;
		rounds++;
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
		ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_RELEASE));
	}
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_LE(1, rounds);
	for (i = 0; i < 8; i++)
		EXPECT_LT(0, r->kid.page->value[i]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(rounds, d.incidents);
}

GUEST_MAIN
