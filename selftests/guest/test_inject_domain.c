// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of a controller's requests about a domain that holds
 * output: each is done, or refused and nothing has changed; what is frozen stays
 * frozen, what is held stays held, and comes out once or never.
 *
 *	test: controller, receiver
 *	  `- kid: member, or about to be one
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "crew.h"
#include "nl_inject.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000
#define CHUNK 700

FIXTURE(inject_domain)
{
	struct rig r;
	struct sweep s;
	struct pair pair;
	struct receiver rx;
};

FIXTURE_SETUP(inject_domain)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	ASSERT_EQ(0, pair_open(&self->pair, CH_TCP));
}

FIXTURE_TEARDOWN(inject_domain)
{
	inject_anywhere();
	EXPECT_TRUE(rig_close(&self->r));
	/* No domain, no policy and no incident has kept a reference. */
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	pair_close(&self->pair);
}

/* An answer that the request may have, with a fault or without. */
static bool good_answer(const struct answer *a, bool hit)
{
	return hit ? !a->err || inject_error(a->err) : !a->err && !a->lost;
}

static struct nl_msg *about_domain(struct rig *r, uint8_t cmd)
{
	struct nl_msg *msg = nlc_msg(&r->c, cmd, 0);

	nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, r->dom);
	return msg;
}

static struct nl_msg *verdict_message(struct rig *r, uint64_t id, uint32_t verdict)
{
	struct nl_msg *msg = nlc_msg(&r->c, SELFHEAL_CMD_INCIDENT_VERDICT, 0);

	nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, id);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, verdict);
	return msg;
}

static struct nl_msg *enrol_message(struct rig *r, bool tree)
{
	struct nl_msg *msg = nlc_msg(&r->c, SELFHEAL_CMD_DOMAIN_NEW, 0);

	nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, r->p.name);
	nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, r->kid.pidfd);
	if (tree)
		nla_put_flag(msg, SELFHEAL_A_DOMAIN_TREE);
	return msg;
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

/* Two processes of two threads. */
static void family(struct page *page, void *arg)
{
	pthread_t thread;

	(void)arg;
	fork();
	pthread_create(&thread, NULL, page_come_and_go, page);
	page_block(page, ~0U);
}

static void count_domains(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
}

/* Makes a domain of the kid again and again; with all @tasks of it, or of none. */
static bool enrol_rounds(struct rig *r, struct sweep *s, bool tree, unsigned int tasks)
{
	struct answer a;
	struct domain d;
	unsigned int domains;
	bool hit, good;

	while (sweep_next(s)) {
		hit = nl_inject(s, &r->c, enrol_message(r, tree), &a);
		r->dom = domain_of(&r->c, r->kid.pid);
		good = good_answer(&a, hit) && (r->dom ? !a.err : a.err || a.lost);
		if (good && r->dom)
			good = !domain_get(&r->c, r->dom, &d) && d.members == tasks &&
			       !domain_dissolve(&r->c, r->dom);
		domains = 0;
		if (!good || nlc_dump(&r->c, SELFHEAL_CMD_DOMAIN_GET, count_domains, &domains) ||
		    domains) {
			printf("# place %u: answer %d%s, domain %llu of %u, %u left\n", s->nth,
			       a.err, a.lost ? ", lost" : "", (unsigned long long)r->dom,
			       d.members, domains);
			return false;
		}
		r->dom = 0;
	}
	return true;
}

TEST_F_TIMEOUT(inject_domain, enrol, LIMIT)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, idle, NULL));
	sweep_begin(&self->s, "enrolment");
	ASSERT_TRUE(enrol_rounds(r, &self->s, false, 1));
	EXPECT_NE(0, sweep_end(&self->s));
	/* It has not noticed. */
	page_go(r->kid.page, ~0U);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

TEST_F_TIMEOUT(inject_domain, enrol_tree, LIMIT)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, family, NULL));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_threads(r->kid.page, 2, BOUND));
	sweep_begin(&self->s, "enrolment of a tree");
	ASSERT_TRUE(enrol_rounds(r, &self->s, true, 4));
	EXPECT_NE(0, sweep_end(&self->s));
	page_go(r->kid.page, ~0U);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

TEST_F_TIMEOUT(inject_domain, add, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	struct nl_msg *msg;
	struct child more;
	struct answer a;
	bool hit;
	int has;

	ASSERT_EQ(0, rig_prepare(r, idle, NULL));
	sweep_begin(s, "enrolment of one more");
	while (sweep_next(s)) {
		ASSERT_EQ(0, child_start(&more, idle, NULL));
		msg = about_domain(r, SELFHEAL_CMD_DOMAIN_ADD);
		nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, more.pidfd);
		hit = nl_inject(s, &r->c, msg, &a);
		has = domain_has(&r->c, r->dom, more.pid);
		ASSERT_TRUE(good_answer(&a, hit) && (has == 1 ? !a.err : a.err || a.lost)) {
			TH_LOG("place %u: answer %d, a member: %d", s->nth, a.err, has);
		}
		ASSERT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
		child_end(&more);
		ASSERT_TRUE(domain_wait_members(&r->c, r->dom, 1, BOUND));
	}
	EXPECT_NE(0, sweep_end(s));
}

/* Dissolved by the request, or a member as before, whose output is held. */
TEST_F_TIMEOUT(inject_domain, dissolve, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	struct answer a;
	uint64_t found;
	bool hit;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&r->kid, idle, NULL));
	sweep_begin(s, "dissolving");
	while (sweep_next(s)) {
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		hit = nl_inject(s, &r->c,
				about_domain(r, SELFHEAL_CMD_DOMAIN_DISSOLVE), &a);
		found = domain_of(&r->c, r->kid.pid);
		ASSERT_TRUE(good_answer(&a, hit) && (found ? a.err || a.lost : !a.err)) {
			TH_LOG("place %u: answer %d, domain %llu", s->nth, a.err,
			       (unsigned long long)found);
		}
		if (found)
			ASSERT_EQ(0, domain_dissolve(&r->c, r->dom));
		r->dom = 0;
	}
	EXPECT_NE(0, sweep_end(s));
}

/* Puts a part of the pattern out whenever it is told to, and works without an end. */
static void worker(struct page *page, void *arg)
{
	struct pair *pair = arg;
	uint32_t sent = 1;
	char bytes[CHUNK];

	for (;;) {
		atomic_fetch_add(&page->count[0], 1);
		if (atomic_load(&page->go) == sent) {
			sched_yield();
			continue;
		}
		pattern_fill(bytes, (uint64_t)(sent - 1) * CHUNK, CHUNK);
		if (write(pair->tx, bytes, CHUNK) != CHUNK)
			_exit(1);
		page_step(page, ++sent);
	}
}

static bool puts_out(struct rig *r, uint32_t n)
{
	page_go(r->kid.page, n + 1);
	return page_wait(r->kid.page, n + 1, BOUND);
}

static bool works(struct rig *r)
{
	uint64_t now = atomic_load(&r->kid.page->count[0]);

	return page_changed(&r->kid.page->count[0], now, BOUND);
}

/* Frozen, holding @held bytes, not at work, and nothing has come out beyond @out. */
static bool stands_still(struct rig *r, struct receiver *rx, uint64_t held, uint64_t out)
{
	struct domain d;
	uint64_t count;

	if (!domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND) ||
	    !domain_wait_parked(&r->c, r->dom, 1, BOUND))
		return false;
	count = atomic_load(&r->kid.page->count[0]);
	return !domain_get(&r->c, r->dom, &d) && d.incident && d.held_bytes == held &&
	       !page_changed(&r->kid.page->count[0], count, QUIET / 10) && rx->bytes == out;
}

TEST_F_TIMEOUT(inject_domain, freeze, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	uint64_t out = 0, held = 0;
	struct answer a;
	struct domain d;
	uint32_t n = 0;
	bool hit;

	ASSERT_EQ(0, receiver_start(&self->rx, self->pair.rx));
	ASSERT_EQ(0, rig_run(r, worker, &self->pair));
	sweep_begin(s, "freeze");
	while (sweep_next(s)) {
		ASSERT_TRUE(puts_out(r, ++n));
		held += CHUNK;
		hit = nl_inject(s, &r->c, about_domain(r, SELFHEAL_CMD_DOMAIN_FREEZE),
				&a);
		ASSERT_TRUE(good_answer(&a, hit)) { TH_LOG("place %u: %d", s->nth, a.err); }
		ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
		if (d.incident) {
			ASSERT_EQ(0, a.err) { TH_LOG("place %u", s->nth); }
			ASSERT_TRUE(stands_still(r, &self->rx, held, out)) {
				TH_LOG("place %u", s->nth);
			}
			ASSERT_EQ(0, incident_verdict(&r->c, d.incident, SELFHEAL_VERDICT_RELEASE));
			out += held;
			held = 0;
			ASSERT_TRUE(domain_wait_committed(&r->c, r->dom, out, BOUND));
		} else {
			ASSERT_TRUE(a.err || a.lost) { TH_LOG("place %u", s->nth); }
			ASSERT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
			ASSERT_EQ(held, d.held_bytes);
		}
		ASSERT_TRUE(works(r));
	}
	EXPECT_NE(0, sweep_end(s));
	EXPECT_TRUE(receiver_wait(&self->rx, out, BOUND));
	EXPECT_EQ(out, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

TEST_F_TIMEOUT(inject_domain, release, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	struct answer a;
	struct domain d;
	uint32_t n = 0;
	uint64_t id;
	bool hit;

	ASSERT_EQ(0, receiver_start(&self->rx, self->pair.rx));
	ASSERT_EQ(0, rig_run(r, worker, &self->pair));
	sweep_begin(s, "release");
	while (sweep_next(s)) {
		ASSERT_TRUE(puts_out(r, ++n));
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(stands_still(r, &self->rx, CHUNK, (n - 1) * (uint64_t)CHUNK));
		hit = nl_inject(s, &r->c,
				verdict_message(r, id, SELFHEAL_VERDICT_RELEASE), &a);
		ASSERT_TRUE(good_answer(&a, hit)) { TH_LOG("place %u: %d", s->nth, a.err); }
		ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
		if (d.incident) {
			ASSERT_TRUE(a.err || a.lost) { TH_LOG("place %u", s->nth); }
			ASSERT_TRUE(stands_still(r, &self->rx, CHUNK, (n - 1) * (uint64_t)CHUNK)) {
				TH_LOG("place %u", s->nth);
			}
			ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		} else {
			ASSERT_EQ(0, a.err) { TH_LOG("place %u", s->nth); }
		}
		ASSERT_TRUE(domain_wait_committed(&r->c, r->dom, n * (uint64_t)CHUNK, BOUND));
		ASSERT_TRUE(works(r));
	}
	EXPECT_NE(0, sweep_end(s));
	EXPECT_TRUE(receiver_wait(&self->rx, n * (uint64_t)CHUNK, BOUND));
	EXPECT_EQ(n * (uint64_t)CHUNK, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

/*
 * What the request leaves to a worker: the output that goes out with the
 * release. Where it cannot now, it is tried again.
 */
TEST_F_TIMEOUT(inject_domain, release_by_worker, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	struct crew crew;
	uint32_t n = 0;
	uint64_t id;

	ASSERT_EQ(0, receiver_start(&self->rx, self->pair.rx));
	ASSERT_EQ(0, rig_run(r, worker, &self->pair));
	sweep_begin(s, "release, the worker");
	if (!s->chooses)
		SKIP(return, "this kernel does not choose places by the functions above them");
	while (sweep_next(s)) {
		ASSERT_TRUE(puts_out(r, ++n));
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(stands_still(r, &self->rx, CHUNK, (n - 1) * (uint64_t)CHUNK));
		if (!s->counting && s->nth == 1)
			ASSERT_EQ(0, inject_below(NULL));
		ASSERT_EQ(0, crew_open(&crew));
		crew_arm(s, &crew);
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait_committed(&r->c, r->dom, n * (uint64_t)CHUNK, BOUND)) {
			TH_LOG("place %u", s->nth);
		}
		crew_hit(s, &crew, false);
		crew_close(&crew);
		ASSERT_TRUE(works(r));
	}
	EXPECT_NE(0, sweep_end(s));
	EXPECT_TRUE(receiver_wait(&self->rx, n * (uint64_t)CHUNK, BOUND));
	EXPECT_EQ(n * (uint64_t)CHUNK, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

/* Each round has a member of its own, and a connection of which nothing may come. */
TEST_F_TIMEOUT(inject_domain, kill, LIMIT)
{
	struct sweep *s = &self->s;
	struct rig *r = &self->r;
	struct incident inc;
	struct answer a;
	struct domain d;
	uint64_t id;
	bool hit;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	sweep_begin(s, "kill");
	while (sweep_next(s)) {
		pair_close(&self->pair);
		ASSERT_EQ(0, pair_open(&self->pair, CH_TCP));
		ASSERT_EQ(0, child_start(&r->kid, worker, &self->pair));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
		page_go(r->kid.page, 1);
		ASSERT_TRUE(puts_out(r, 1));
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(stands_still(r, &self->rx, CHUNK, self->rx.bytes));
		hit = nl_inject(s, &r->c,
				verdict_message(r, id, SELFHEAL_VERDICT_KILL), &a);
		ASSERT_TRUE(good_answer(&a, hit)) { TH_LOG("place %u: %d", s->nth, a.err); }
		ASSERT_EQ(0, incident_get(&r->c, id, &inc));
		if (inc.resolved_by == SELFHEAL_RESOLVED_BY_NOBODY) {
			ASSERT_TRUE(a.err || a.lost) { TH_LOG("place %u", s->nth); }
			ASSERT_TRUE(stands_still(r, &self->rx, CHUNK, self->rx.bytes));
			ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
			ASSERT_EQ(id, d.incident);
			ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
		} else {
			ASSERT_EQ(0, a.err) { TH_LOG("place %u", s->nth); }
		}
		ASSERT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
		ASSERT_EQ(0, incident_get(&r->c, id, &inc));
		ASSERT_EQ(CHUNK, inc.dropped_bytes);
		close(self->pair.tx);
		self->pair.tx = 0;
		ASSERT_TRUE(rx_eof(self->pair.rx, BOUND)) { TH_LOG("place %u", s->nth); }
		child_end(&r->kid);
		r->dom = 0;
	}
	EXPECT_NE(0, sweep_end(s));
}

INJECT_MAIN
