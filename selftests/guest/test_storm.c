// SPDX-License-Identifier: GPL-2.0
/*
 * Kill storms: a policy that kills too often within its window stops killing,
 * says so, and its domains stay frozen until somebody answers or the window is
 * over. The kernel's own kills (deadline, overflow) and the agent's rules.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent.h"
#include "rig.h"
#include "stream.h"

#define KIDS	5

struct one {
	struct child kid;
	uint64_t dom, incident;
};

FIXTURE(storm)
{
	struct rig r;
	struct one one[KIDS];
	struct pair ch;
	bool has_channel;
	pid_t agent;
};

FIXTURE_SETUP(storm)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(storm)
{
	int i;

	if (self->agent)
		agent_stop(self->agent);
	for (i = 0; i < KIDS; i++) {
		if (self->one[i].dom)
			EXPECT_TRUE(rig_reap(&self->r, self->one[i].dom));
		child_end(&self->one[i].kid);
	}
	EXPECT_TRUE(rig_close(&self->r));
	if (self->has_channel)
		pair_close(&self->ch);
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

static int start(struct rig *r, struct one *one, child_fn fn, void *arg)
{
	int err = child_start(&one->kid, fn, arg);

	if (!err)
		err = domain_new(&r->c, r->p.name, one->kid.pidfd, false, &one->dom);
	if (!err)
		page_go(one->kid.page, 1);
	return err;
}

static int start_frozen(struct rig *r, struct one *one)
{
	int err = start(r, one, idle, NULL);

	return err ? err : domain_freeze(&r->c, one->dom, &one->incident);
}

static bool killed_by(struct rig *r, struct one *one, uint32_t by, struct incident *inc)
{
	struct event ev;

	return nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED, one->dom, BOUND, &ev) &&
	       !incident_get(&r->c, one->incident, inc) &&
	       inc->verdict == SELFHEAL_VERDICT_KILL && inc->resolved_by == by &&
	       child_signaled(&one->kid, BOUND, SIGKILL);
}

/* So many events of the type are kept for the policy. */
struct count {
	uint32_t type;
	const char *policy;
	int n;
};

static void count_event(struct nlmsghdr *nlh, void *arg)
{
	struct count *count = arg;
	struct event ev;

	nlev_parse(nlh, &ev);
	count->n += ev.type == count->type && !strcmp(ev.policy, count->policy);
}

static int storms(struct rig *r)
{
	struct count count = { SELFHEAL_EVENT_TYPE_KILL_STORM, r->p.name, 0 };

	return nlc_dump(&r->c, SELFHEAL_CMD_EVENT_GET, count_event, &count) ? -1 : count.n;
}

TEST_F(storm, deadlines_stop_at_the_limit)
{
	struct rig *r = &self->r;
	struct incident inc[KIDS];
	/* Long enough for what is done within it. */
	const int limit = 3, window = slow_ms(10000);
	struct event ev;
	int i;

	r->p.kill_limit = limit;
	r->p.kill_window_ms = window;
	r->p.deadline_ms = 20;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < limit; i++) {
		ASSERT_EQ(0, start_frozen(r, &self->one[i]));
		ASSERT_TRUE(killed_by(r, &self->one[i], SELFHEAL_RESOLVED_BY_DEADLINE, &inc[i]));
	}
	EXPECT_EQ(0, storms(r));
	/* One too many: told once, and it stays as it is. */
	for (i = limit; i < KIDS; i++)
		ASSERT_EQ(0, start_frozen(r, &self->one[i]));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_KILL_STORM, 0, BOUND, &ev));
	EXPECT_STREQ(r->p.name, ev.policy);
	EXPECT_TRUE(ev.domain == self->one[3].dom || ev.domain == self->one[4].dom);
	/* People are not damped. */
	EXPECT_EQ(0, incident_get(&r->c, self->one[3].incident, &inc[3]));
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_NOBODY, inc[3].resolved_by);
	EXPECT_EQ(0, incident_verdict(&r->c, self->one[3].incident, SELFHEAL_VERDICT_KILL));
	ASSERT_TRUE(killed_by(r, &self->one[3], SELFHEAL_RESOLVED_BY_CONTROLLER, &inc[3]));
	/* The window's end brings the deadline's verdict, and not before. */
	ASSERT_TRUE(killed_by(r, &self->one[4], SELFHEAL_RESOLVED_BY_DEADLINE, &inc[4]));
	EXPECT_LE(window * 1000000ULL, inc[4].resolved_stamp - inc[0].resolved_stamp);
	EXPECT_EQ(1, storms(r));
}

TEST_F(storm, release_in_a_storm_works)
{
	struct rig *r = &self->r;
	struct incident inc;

	r->p.kill_limit = 1;
	r->p.kill_window_ms = 3600000;
	r->p.deadline_ms = 10;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, start_frozen(r, &self->one[0]));
	ASSERT_TRUE(killed_by(r, &self->one[0], SELFHEAL_RESOLVED_BY_DEADLINE, &inc));
	ASSERT_EQ(0, start_frozen(r, &self->one[1]));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_KILL_STORM, self->one[1].dom, BOUND, NULL));
	/* What is left of the window is what is left of the deadline. */
	ASSERT_EQ(0, incident_get(&r->c, self->one[1].incident, &inc));
	EXPECT_TRUE(inc.has_deadline);
	EXPECT_EQ(0, incident_verdict(&r->c, self->one[1].incident, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(domain_wait(&r->c, self->one[1].dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	EXPECT_FALSE(child_wait(&self->one[1].kid, QUIET));
}

TEST_F(storm, only_kills_without_people_count)
{
	struct rig *r = &self->r;
	struct incident inc;
	int i;

	/* By people: as many as they like. */
	r->p.kill_limit = 1;
	r->p.kill_window_ms = 3600000;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, start_frozen(r, &self->one[i]));
		EXPECT_EQ(0, incident_verdict(&r->c, self->one[i].incident,
					      SELFHEAL_VERDICT_KILL));
		ASSERT_TRUE(killed_by(r, &self->one[i], SELFHEAL_RESOLVED_BY_CONTROLLER, &inc));
	}
	/* A deadline that releases. */
	r->p.default_verdict = SELFHEAL_VERDICT_RELEASE;
	r->p.deadline_ms = 10;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, start(r, &self->one[3], idle, NULL));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, domain_freeze(&r->c, self->one[3].dom, &self->one[3].incident));
		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED,
				      self->one[3].dom, BOUND, NULL));
	}
	EXPECT_EQ(0, storms(r));
}

TEST_F(storm, no_limit_is_no_limit)
{
	struct rig *r = &self->r;
	struct incident inc;
	int i;

	r->p.kill_limit = 0;
	r->p.deadline_ms = 10;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 12; i++) {
		child_end(&self->one[0].kid);
		ASSERT_EQ(0, start_frozen(r, &self->one[0]));
		ASSERT_TRUE(killed_by(r, &self->one[0], SELFHEAL_RESOLVED_BY_DEADLINE, &inc));
	}
	EXPECT_EQ(0, storms(r));
}

/* Writes more than the quarantine takes. */
static void overflow(struct page *page, void *arg)
{
	static char data[8192];
	struct pair *ch = arg;

	page_step(page, 2);
	while (write(ch->tx, data, sizeof(data)) > 0)
		;
	page_step(page, 3);
	page_spin(page, ~0U);
}

TEST_F(storm, overflow_rule_is_damped)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;
	int i;

	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	self->has_channel = true;
	policy_hold(&r->p);
	r->p.max_bytes = 4096;
	r->p.overflow = SELFHEAL_OVERFLOW_KILL;
	r->p.kill_limit = 2;
	r->p.kill_window_ms = 3600000;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, start(r, &self->one[i], overflow, &self->ch));
		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, self->one[i].dom,
				      BOUND, &ev));
		self->one[i].incident = ev.incident;
		ASSERT_TRUE(killed_by(r, &self->one[i], SELFHEAL_RESOLVED_BY_RULE, &inc));
	}
	ASSERT_EQ(0, start(r, &self->one[2], overflow, &self->ch));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_KILL_STORM, self->one[2].dom, BOUND, &ev));
	EXPECT_EQ(SELFHEAL_SENSOR_OVERFLOW, ev.sensor);
	self->one[2].incident = ev.incident;
	/* Frozen like any other: nothing leaves, nothing of it runs. */
	ASSERT_TRUE(domain_wait(&r->c, self->one[2].dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	EXPECT_EQ(2, self->one[2].kid.page->step);
	EXPECT_EQ(0, incident_verdict(&r->c, self->one[2].incident, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&self->one[2].kid, BOUND, SIGKILL));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

/* The overflow rule's kill is not forgotten for a default that releases. */
TEST_F(storm, overflow_is_killed_after_the_window)
{
	/* The second comes within it. */
	const int window = slow_ms(6000);
	struct rig *r = &self->r;
	struct incident inc[2];
	struct event ev;
	int i;

	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	self->has_channel = true;
	policy_hold(&r->p);
	r->p.max_bytes = 4096;
	r->p.overflow = SELFHEAL_OVERFLOW_KILL;
	r->p.default_verdict = SELFHEAL_VERDICT_RELEASE;
	r->p.deadline_ms = 10;
	r->p.kill_limit = 1;
	r->p.kill_window_ms = window;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, start(r, &self->one[i], overflow, &self->ch));
		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, self->one[i].dom,
				      BOUND, &ev));
		self->one[i].incident = ev.incident;
		ASSERT_TRUE(killed_by(r, &self->one[i], i ? SELFHEAL_RESOLVED_BY_DEADLINE :
				      SELFHEAL_RESOLVED_BY_RULE, &inc[i]));
	}
	EXPECT_LE(window * 1000000ULL, inc[1].resolved_stamp - inc[0].resolved_stamp);
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

static const char agent_policy[] =
	"policy: storm.agent\n"
	"sense: {fault: [SEGV]}\n"
	"respond:\n"
	"  deadline: 60m\n"
	"  kill-limit: 2\n"
	"  kill-window: 3s\n"
	"  rules: [{verdict: kill}]\n";

TEST_F(storm, agent_damps_its_rules)
{
	struct rig *r = &self->r;
	struct incident inc[3];
	int i;

	ASSERT_EQ(0, agent_policy_load(agent_policy));
	strcpy(r->p.name, "storm.agent");
	self->agent = agent_start(&r->e, BOUND);
	ASSERT_NE(0, self->agent);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, start_frozen(r, &self->one[i]));
		ASSERT_TRUE(killed_by(r, &self->one[i], SELFHEAL_RESOLVED_BY_CONTROLLER, &inc[i]));
	}
	/* The third had to wait until the first was out of the window. */
	EXPECT_LE(2000000000ULL, inc[2].resolved_stamp - inc[0].resolved_stamp);
}

GUEST_MAIN
