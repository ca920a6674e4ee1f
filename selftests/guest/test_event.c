// SPDX-License-Identifier: GPL-2.0
/*
 * Events and their numbers, the quarantine listing, the agent, and controllers
 * that die half-way.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/stat.h>

#include "rig.h"
#include "stream.h"

FIXTURE(event)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_SETUP(event)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(event)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

struct log {
	struct event ev[2048];
	int n;
	bool ordered;
	uint64_t after;
};

static void take_event(struct nlmsghdr *nlh, void *arg)
{
	struct log *log = arg;
	struct event *ev = &log->ev[log->n];

	if (log->n == 2048)
		return;
	nlev_parse(nlh, ev);
	if (ev->seq <= log->after)
		log->ordered = false;
	log->after = ev->seq;
	log->n++;
}

static int events_since(struct nlc *c, uint64_t seq, struct log *log)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_EVENT_GET, NLM_F_DUMP);

	memset(log, 0, sizeof(*log));
	log->ordered = true;
	log->after = seq;
	nla_put_u64(msg, SELFHEAL_A_EVENT_SEQ, seq);
	return nlc_call(c, msg, take_event, log);
}

TEST_F(event, whole_story_in_order)
{
	static const uint32_t story[] = {
		SELFHEAL_EVENT_TYPE_POLICY_LOADED, SELFHEAL_EVENT_TYPE_DOMAIN_NEW,
		SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED,
		SELFHEAL_EVENT_TYPE_DOMAIN_GONE, SELFHEAL_EVENT_TYPE_POLICY_UNLOADED,
	};
	struct rig *r = &self->r;
	static struct log log;
	struct event ev, prev = { .seq = 0 };
	unsigned int next = 0, i, same = 0;
	uint64_t inc, first = 0;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &inc));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_KILL));
	ASSERT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	while (next < sizeof(story) / sizeof(story[0]) && nlev_next(&r->e, BOUND, &ev)) {
		if (!first)
			first = ev.seq;
		if (prev.seq) {
			/* Multicast order is the order of the numbers, without a gap. */
			EXPECT_EQ(prev.seq + 1, ev.seq);
			EXPECT_LE(prev.stamp, ev.stamp);
		}
		prev = ev;
		if (ev.type != story[next])
			continue;
		if (ev.type == SELFHEAL_EVENT_TYPE_INCIDENT_OPEN) {
			EXPECT_EQ(inc, ev.incident);
			EXPECT_EQ(SELFHEAL_SENSOR_MANUAL, ev.sensor);
		}
		if (ev.type == SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED) {
			EXPECT_EQ(inc, ev.incident);
			EXPECT_EQ(SELFHEAL_VERDICT_KILL, ev.verdict);
			EXPECT_EQ(SELFHEAL_RESOLVED_BY_CONTROLLER, ev.resolved_by);
		}
		if (ev.type == SELFHEAL_EVENT_TYPE_POLICY_LOADED ||
		    ev.type == SELFHEAL_EVENT_TYPE_POLICY_UNLOADED) {
			EXPECT_STREQ(r->p.name, ev.policy);
		} else {
			EXPECT_EQ(r->dom, ev.domain);
		}
		/* Told last of all: an id that is unknown already is no sign of it. */
		if (ev.type == SELFHEAL_EVENT_TYPE_DOMAIN_GONE)
			ASSERT_EQ(0, policy_unload(&r->c, r->p.name));
		next++;
	}
	EXPECT_EQ(sizeof(story) / sizeof(story[0]), next) {
		TH_LOG("event type %u never came", story[next]);
	}
	/* The kept events are the same ones. */
	ASSERT_EQ(0, events_since(&r->c, first - 1, &log));
	EXPECT_TRUE(log.ordered);
	ASSERT_LE(1, log.n);
	EXPECT_EQ(first, log.ev[0].seq);
	for (i = 0; i < (unsigned int)log.n; i++)
		same += log.ev[i].seq == prev.seq && log.ev[i].type == prev.type;
	EXPECT_EQ(1, same);
	/* Since the last one: none of these again. */
	ASSERT_EQ(0, events_since(&r->c, prev.seq, &log));
	EXPECT_TRUE(log.ordered);
	if (log.n)
		EXPECT_LT(prev.seq, log.ev[0].seq);
}

TEST_F(event, states_are_reported)
{
	static const uint32_t want[] = {
		SELFHEAL_DOMAIN_STATE_FREEZING, SELFHEAL_DOMAIN_STATE_FROZEN,
		SELFHEAL_DOMAIN_STATE_RELEASING, SELFHEAL_DOMAIN_STATE_RUNNING,
	};
	struct rig *r = &self->r;
	struct event ev;
	uint64_t inc;
	unsigned int i;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &inc));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_RELEASE));
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_STATE, r->dom,
				      BOUND, &ev)) {
			TH_LOG("state %u never came", want[i]);
		}
		EXPECT_EQ(want[i], ev.state);
	}
}

TEST_F(event, kept_events_have_a_bound)
{
	static struct log log;
	uint64_t inc;
	int i;

	/* A freeze and its release make four events or more. */
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, domain_freeze(&self->r.c, self->r.dom, &inc));
		ASSERT_EQ(0, incident_verdict(&self->r.c, inc, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait(&self->r.c, self->r.dom,
					SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	}
	ASSERT_EQ(0, events_since(&self->r.c, 0, &log));
	EXPECT_EQ(1024, log.n);
	EXPECT_TRUE(log.ordered);
	EXPECT_EQ(log.ev[0].seq + 1023, log.ev[1023].seq);
}

struct send_plan {
	int fd;
};

static const char *const word[] = { "first", "second message", "third" };

static void send_words(struct page *page, void *arg)
{
	struct send_plan *plan = arg;
	int i;

	for (i = 0; i < 3; i++) {
		if (write(plan->fd, word[i], strlen(word[i])) < 0)
			atomic_store(&page->value[0], errno);
	}
	page_step(page, 2);
	page_block(page, ~0U);
}

struct listing {
	struct held h[8];
	int n;
};

static void take_held(const struct held *h, void *arg)
{
	struct listing *l = arg;

	if (l->n < 8)
		l->h[l->n] = *h;
	l->n++;
}

TEST_F(event, quarantine_listing)
{
	struct send_plan plan;
	struct rig *r = &self->r;
	static struct listing l;
	struct domain d;
	struct stat st;
	int i;

	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	plan.fd = self->ch.tx;
	ASSERT_EQ(0, fstat(self->ch.tx, &st));
	policy_hold(&r->p);
	r->p.commit = 0;		/* by verdict alone */
	ASSERT_EQ(0, rig_run(r, send_words, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, r->kid.page->value[0]);
	memset(&l, 0, sizeof(l));
	ASSERT_EQ(0, quarantine_dump(&r->c, r->dom, false, take_held, &l));
	ASSERT_EQ(3, l.n);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(r->dom, l.h[i].domain);
		EXPECT_EQ(SELFHEAL_CHANNEL_SOCKET, l.h[i].channel);
		EXPECT_EQ(strlen(word[i]), l.h[i].length);
		EXPECT_EQ(r->kid.pid, l.h[i].tid);
		EXPECT_EQ(st.st_ino, l.h[i].object);
		EXPECT_FALSE(l.h[i].has_data);
		EXPECT_NE(0, l.h[i].stamp);
		if (i)
			EXPECT_LT(l.h[i - 1].seq, l.h[i].seq);
	}
	memset(&l, 0, sizeof(l));
	ASSERT_EQ(0, quarantine_dump(&r->c, r->dom, true, take_held, &l));
	ASSERT_EQ(3, l.n);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(l.h[i].has_data);
		EXPECT_EQ(strlen(word[i]), l.h[i].data_len);
		EXPECT_EQ(0, memcmp(word[i], l.h[i].data, strlen(word[i])));
	}
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(3, d.held_entries);
	EXPECT_EQ(24, d.held_bytes);
	EXPECT_EQ(24, d.held_total);
	EXPECT_EQ(0, d.committed_bytes);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

TEST_F(event, agent_comes_and_goes)
{
	struct event ev;
	struct nlc agent;

	ASSERT_EQ(0, nlc_open(&agent));
	ASSERT_EQ(0, nlc_u64(&agent, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL));
	EXPECT_TRUE(nlev_wait_without(&self->r.e, SELFHEAL_EVENT_TYPE_AGENT_LOST,
				      SELFHEAL_EVENT_TYPE_AGENT_NEW, 0, BOUND));
	EXPECT_FALSE(nlev_wait(&self->r.e, SELFHEAL_EVENT_TYPE_AGENT_LOST, 0, 0, &ev));
	nlc_close(&agent);
	ASSERT_TRUE(nlev_wait(&self->r.e, SELFHEAL_EVENT_TYPE_AGENT_LOST, 0, BOUND, &ev));
}

struct doomed {
	uint64_t dom;
};

/* A controller: registers as agent, freezes, asks for a long dump and does not read it. */
static void control_and_hang(struct page *page, void *arg)
{
	struct doomed *plan = arg;
	uint64_t inc = 0;
	struct nlc c;
	int err;

	err = nlc_open(&c);
	if (!err)
		err = nlc_u64(&c, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL);
	if (!err)
		err = domain_freeze(&c, plan->dom, &inc);
	if (!err)
		err = nlc_send_only(&c, nlc_msg(&c, SELFHEAL_CMD_EVENT_GET, NLM_F_DUMP));
	atomic_store(&page->value[0], err);
	atomic_store(&page->value[1], inc);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(event, controller_killed_in_the_middle)
{
	struct rig *r = &self->r;
	struct doomed plan;
	struct child doomed;
	struct incident inc;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	plan.dom = r->dom;
	ASSERT_EQ(0, child_start(&doomed, control_and_hang, &plan));
	page_go(doomed.page, 1);
	ASSERT_TRUE(page_wait(doomed.page, 2, BOUND));
	ASSERT_EQ(0, doomed.page->value[0]);
	id = doomed.page->value[1];
	kill(doomed.pid, SIGKILL);
	ASSERT_TRUE(child_signaled(&doomed, BOUND, SIGKILL));
	child_end(&doomed);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_AGENT_LOST, 0, BOUND, NULL));
	/* Its incident stays open, and anybody else may answer. */
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_NOBODY, inc.resolved_by);
	EXPECT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
}

TEST_F(event, two_controllers_race)
{
	struct rig *r = &self->r;
	struct nlc other;
	uint64_t inc;
	int a, b, i;

	ASSERT_EQ(0, nlc_open(&other));
	ASSERT_EQ(0, rig_run(r, idle, NULL));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &inc));
		a = incident_verdict(i % 2 ? &r->c : &other, inc, SELFHEAL_VERDICT_RELEASE);
		b = incident_verdict(i % 2 ? &other : &r->c, inc, SELFHEAL_VERDICT_KILL);
		EXPECT_EQ(0, a);
		EXPECT_EQ(-EALREADY, b);
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	}
	nlc_close(&other);
}

TEST_F(event, dissolve_frees_the_tasks)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, domain_dissolve(&r->c, r->dom));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND, NULL));
	EXPECT_EQ(0, domain_of(&r->c, r->kid.pid));
	EXPECT_EQ(0, kill(r->kid.pid, 0));
	/* It can be enrolled anew. */
	EXPECT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
}

GUEST_MAIN
