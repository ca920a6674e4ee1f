// SPDX-License-Identifier: GPL-2.0
/*
 * What the control interface answers when it does answer: status, policies
 * as loaded, dumps over several messages and torn ones, events with their
 * sequence numbers, the quarantine listing, agents, and controllers that die.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <netlink/genl/ctrl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "rig.h"
#include "stream.h"

FIXTURE(iface)
{
	struct rig r;
};

FIXTURE_SETUP(iface)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(iface)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

struct status {
	uint32_t abi, policies, domains, members, open, agent;
	uint64_t seq;
	char version[64], kernel[128];
	int hooks, hooks_failed, hooks_dumb, counters, counters_dumb;
};

static void take_status(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_STATUS_MAX + 1], *in[SELFHEAL_A_HOOK_MAX + 1], *a;
	struct status *s = arg;
	int rem;

	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_STATUS_MAX, NULL))
		return;
	s->abi = nlc_get_u32(tb, SELFHEAL_A_STATUS_ABI);
	s->policies = nlc_get_u32(tb, SELFHEAL_A_STATUS_POLICIES);
	s->domains = nlc_get_u32(tb, SELFHEAL_A_STATUS_DOMAINS);
	s->members = nlc_get_u32(tb, SELFHEAL_A_STATUS_MEMBERS);
	s->open = nlc_get_u32(tb, SELFHEAL_A_STATUS_INCIDENTS_OPEN);
	s->agent = nlc_get_u32(tb, SELFHEAL_A_STATUS_AGENT);
	s->seq = nlc_get_u64(tb, SELFHEAL_A_STATUS_EVENT_SEQ);
	nlc_get_str(tb, SELFHEAL_A_STATUS_VERSION, s->version, sizeof(s->version));
	nlc_get_str(tb, SELFHEAL_A_STATUS_KERNEL, s->kernel, sizeof(s->kernel));
	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) == SELFHEAL_A_STATUS_HOOK) {
			s->hooks++;
			if (nla_parse_nested(in, SELFHEAL_A_HOOK_MAX, a, NULL))
				continue;
			s->hooks_failed += nlc_get_u32(in, SELFHEAL_A_HOOK_STATE) ==
					   SELFHEAL_HOOK_STATE_FAILED;
			s->hooks_dumb += !in[SELFHEAL_A_HOOK_SYMBOL] || !in[SELFHEAL_A_HOOK_LOST];
		} else if (nla_type(a) == SELFHEAL_A_STATUS_COUNTER) {
			s->counters++;
			if (nla_parse_nested(in, SELFHEAL_A_COUNTER_HELP, a, NULL))
				continue;
			s->counters_dumb += !in[SELFHEAL_A_COUNTER_NAME] ||
					    !in[SELFHEAL_A_COUNTER_VALUE] ||
					    !in[SELFHEAL_A_COUNTER_HELP];
		}
	}
}

static int get_status(struct nlc *c, struct status *s)
{
	memset(s, 0, sizeof(*s));
	return nlc_call(c, nlc_msg(c, SELFHEAL_CMD_STATUS_GET, 0), take_status, s);
}

TEST_F(iface, status)
{
	struct status s, later;
	struct utsname un;

	ASSERT_EQ(0, get_status(&self->r.c, &s)) { TH_LOG("%s", self->r.c.ext); }
	EXPECT_EQ(SELFHEAL_ABI_VERSION, s.abi);
	EXPECT_NE('\0', s.version[0]);
	uname(&un);
	EXPECT_STREQ(un.release, s.kernel);
	EXPECT_LT(0, s.hooks);
	EXPECT_EQ(0, s.hooks_failed);
	EXPECT_EQ(0, s.hooks_dumb);
	EXPECT_LT(0, s.counters);
	EXPECT_EQ(0, s.counters_dumb);
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, get_status(&self->r.c, &later));
	EXPECT_EQ(s.policies + 1, later.policies);
	EXPECT_EQ(s.domains + 1, later.domains);
	EXPECT_EQ(s.members + 1, later.members);
	EXPECT_LT(s.seq, later.seq);
}

struct reply {
	struct policy p;
	char match[2][64], allow[2][64];
	int matches, allows;
	bool has_source;
	char source[64];
	uint32_t domains;
	uint64_t stamp;
};

static void take_policy(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_POLICY_MAX + 1], *a;
	struct reply *r = arg;
	int rem;

	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_POLICY_MAX, NULL))
		return;
	nlc_get_str(tb, SELFHEAL_A_POLICY_NAME, r->p.name, sizeof(r->p.name));
	r->p.flags = nlc_get_u32(tb, SELFHEAL_A_POLICY_FLAGS);
	r->p.hold_socket = nlc_get_u32(tb, SELFHEAL_A_POLICY_HOLD_SOCKET);
	r->p.hold_pipe = nlc_get_u32(tb, SELFHEAL_A_POLICY_HOLD_PIPE);
	r->p.hold_tty = nlc_get_u32(tb, SELFHEAL_A_POLICY_HOLD_TTY);
	r->p.hold_other = nlc_get_u32(tb, SELFHEAL_A_POLICY_HOLD_OTHER);
	r->p.commit = nlc_get_u32(tb, SELFHEAL_A_POLICY_COMMIT);
	r->p.delay_ms = nlc_get_u32(tb, SELFHEAL_A_POLICY_COMMIT_DELAY);
	r->p.overflow = nlc_get_u32(tb, SELFHEAL_A_POLICY_OVERFLOW);
	r->p.max_bytes = nlc_get_u64(tb, SELFHEAL_A_POLICY_MAX_BYTES);
	r->p.fault_mask = nlc_get_u64(tb, SELFHEAL_A_POLICY_FAULT_MASK);
	r->p.exec_sense = tb[SELFHEAL_A_POLICY_EXEC_SENSE] != NULL;
	nlc_get_bin(tb, SELFHEAL_A_POLICY_SYSCALL_NEVER, r->p.never, sizeof(r->p.never));
	nlc_get_bin(tb, SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, r->p.deny_ia32,
		    sizeof(r->p.deny_ia32));
	r->p.default_verdict = nlc_get_u32(tb, SELFHEAL_A_POLICY_DEFAULT_VERDICT);
	r->p.deadline_ms = nlc_get_u32(tb, SELFHEAL_A_POLICY_DEADLINE);
	r->has_source = tb[SELFHEAL_A_POLICY_SOURCE] != NULL;
	nlc_get_bin(tb, SELFHEAL_A_POLICY_SOURCE, r->source, sizeof(r->source));
	r->domains = nlc_get_u32(tb, SELFHEAL_A_POLICY_DOMAINS);
	r->stamp = nlc_get_u64(tb, SELFHEAL_A_POLICY_STAMP);
	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) == SELFHEAL_A_POLICY_MATCH_EXE && r->matches < 2)
			nla_strlcpy(r->match[r->matches++], a, sizeof(r->match[0]));
		if (nla_type(a) == SELFHEAL_A_POLICY_EXEC_ALLOW && r->allows < 2)
			nla_strlcpy(r->allow[r->allows++], a, sizeof(r->allow[0]));
	}
}

static int get_policy(struct nlc *c, const char *name, struct reply *r)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_POLICY_GET, 0);

	memset(r, 0, sizeof(*r));
	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, name);
	return nlc_call(c, msg, take_policy, r);
}

TEST_F(iface, policy_as_loaded)
{
	struct policy *p = &self->r.p;
	struct nl_msg *msg;
	struct reply r;

	policy_hold(p);
	policy_faults(p);
	p->flags = SELFHEAL_POLICY_FLAG_FAULT_HANDLED;
	p->match[0] = "/usr/bin/true";
	p->match[1] = "/usr/bin/false";
	p->exec_sense = true;
	p->allow[0] = "/usr/bin/env";
	p->hold_other = SELFHEAL_CHANNEL_ACTION_PASS;
	p->commit = SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY;
	p->delay_ms = 250;
	p->overflow = SELFHEAL_OVERFLOW_DENY;
	p->max_bytes = 65536;
	sysmap_set(p->never, SYS_ptrace);
	sysmap_set(p->deny_ia32, 26);
	p->default_verdict = SELFHEAL_VERDICT_RELEASE;
	p->deadline_ms = 12345;
	msg = nlc_msg(&self->r.c, SELFHEAL_CMD_POLICY_LOAD, 0);
	policy_put(msg, p);
	nla_put(msg, SELFHEAL_A_POLICY_SOURCE, 12, "policy: test");
	ASSERT_EQ(0, nlc_call(&self->r.c, msg, NULL, NULL)) { TH_LOG("%s", self->r.c.ext); }
	ASSERT_EQ(0, get_policy(&self->r.c, p->name, &r));
	EXPECT_STREQ(p->name, r.p.name);
	EXPECT_EQ(p->flags, r.p.flags);
	EXPECT_EQ(p->hold_socket, r.p.hold_socket);
	EXPECT_EQ(p->hold_pipe, r.p.hold_pipe);
	EXPECT_EQ(p->hold_tty, r.p.hold_tty);
	EXPECT_EQ(p->hold_other, r.p.hold_other);
	EXPECT_EQ(p->commit, r.p.commit);
	EXPECT_EQ(p->delay_ms, r.p.delay_ms);
	EXPECT_EQ(p->overflow, r.p.overflow);
	EXPECT_EQ(p->max_bytes, r.p.max_bytes);
	EXPECT_EQ(p->fault_mask, r.p.fault_mask);
	EXPECT_TRUE(r.p.exec_sense);
	EXPECT_EQ(0, memcmp(p->never, r.p.never, sizeof(p->never)));
	EXPECT_EQ(0, memcmp(p->deny_ia32, r.p.deny_ia32, sizeof(p->deny_ia32)));
	EXPECT_EQ(p->default_verdict, r.p.default_verdict);
	EXPECT_EQ(p->deadline_ms, r.p.deadline_ms);
	EXPECT_EQ(2, r.matches);
	EXPECT_STREQ("/usr/bin/true", r.match[0]);
	EXPECT_STREQ("/usr/bin/false", r.match[1]);
	EXPECT_EQ(1, r.allows);
	EXPECT_STREQ("/usr/bin/env", r.allow[0]);
	EXPECT_STREQ("policy: test", r.source);
	EXPECT_EQ(0, r.domains);
	EXPECT_NE(0, r.stamp);
}

TEST_F(iface, defaults)
{
	struct reply r;

	self->r.p.hold_pipe = SELFHEAL_CHANNEL_ACTION_HOLD;
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, get_policy(&self->r.c, self->r.p.name, &r));
	EXPECT_EQ(SELFHEAL_CHANNEL_ACTION_PASS, r.p.hold_socket);
	EXPECT_EQ(SELFHEAL_CHANNEL_ACTION_HOLD, r.p.hold_pipe);
	EXPECT_EQ(SELFHEAL_CHANNEL_ACTION_DENY, r.p.hold_other);
	EXPECT_EQ(SELFHEAL_COMMIT_QUIESCE, r.p.commit);
	EXPECT_EQ(8ULL << 20, r.p.max_bytes);
	EXPECT_EQ(SELFHEAL_OVERFLOW_BLOCK, r.p.overflow);
	EXPECT_EQ(SELFHEAL_VERDICT_KILL, r.p.default_verdict);
	EXPECT_EQ(30000, r.p.deadline_ms);
	/* Nothing held: nothing denied. */
	self->r.p.hold_pipe = -1;
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, get_policy(&self->r.c, self->r.p.name, &r));
	EXPECT_EQ(SELFHEAL_CHANNEL_ACTION_PASS, r.p.hold_other);
}

TEST_F(iface, replaced_policy_is_for_new_domains)
{
	struct incident inc;
	struct reply r;
	uint64_t id;

	self->r.p.deadline_ms = 3600000;
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	self->r.p.deadline_ms = 1000000;
	EXPECT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, get_policy(&self->r.c, self->r.p.name, &r));
	EXPECT_EQ(1000000, r.p.deadline_ms);
	/* The live domain keeps the deadline that it was made with. */
	ASSERT_EQ(0, domain_freeze(&self->r.c, self->r.dom, &id));
	ASSERT_EQ(0, incident_get(&self->r.c, id, &inc));
	EXPECT_TRUE(inc.has_deadline);
	EXPECT_LT(3000000, inc.deadline_ms);
	EXPECT_GE(3600000, inc.deadline_ms);
	EXPECT_EQ(0, incident_verdict(&self->r.c, id, SELFHEAL_VERDICT_RELEASE));
}

#define MANY 400

struct walk {
	struct nlc *other;
	int seen[MANY];
	int total, sources;
	bool changed;
};

static void many_name(struct policy *p, int i)
{
	policy_init(p);
	snprintf(p->name, sizeof(p->name), "many.%d.%d.-padding-of-a-long-name", getpid(), i);
}

static void count_policy(struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	struct reply r = { .domains = 0 };
	int pid, i;

	take_policy(nlh, &r);
	if (sscanf(r.p.name, "many.%d.%d.", &pid, &i) == 2 && pid == getpid() && i < MANY)
		w->seen[i]++;
	w->sources += r.has_source;
	w->total++;
	if (w->other && !w->changed) {
		struct policy extra;

		many_name(&extra, MANY);
		w->changed = !policy_load(w->other, &extra);
	}
}

TEST_F(iface, dump_over_many_messages)
{
	struct walk w = { .total = 0 }, torn = { .total = 0 };
	static const char text[1000];
	struct nl_msg *msg;
	struct policy p;
	struct nlc other;
	int once = 0, i;

	for (i = 0; i < MANY; i++) {
		many_name(&p, i);
		msg = nlc_msg(&self->r.c, SELFHEAL_CMD_POLICY_LOAD, 0);
		policy_put(msg, &p);
		nla_put(msg, SELFHEAL_A_POLICY_SOURCE, sizeof(text), text);
		ASSERT_EQ(0, nlc_call(&self->r.c, msg, NULL, NULL));
	}
	EXPECT_EQ(0, nlc_dump(&self->r.c, SELFHEAL_CMD_POLICY_GET, count_policy, &w));
	EXPECT_LT(2, self->r.c.messages);
	EXPECT_FALSE(self->r.c.torn);
	EXPECT_EQ(0, w.sources);
	for (i = 0; i < MANY; i++)
		once += w.seen[i] == 1;
	EXPECT_EQ(MANY, once);
	/* A change in the middle shows as an interrupted dump. */
	ASSERT_EQ(0, nlc_open(&other));
	torn.other = &other;
	EXPECT_EQ(0, nlc_dump(&self->r.c, SELFHEAL_CMD_POLICY_GET, count_policy, &torn));
	EXPECT_TRUE(torn.changed);
	EXPECT_TRUE(self->r.c.torn);
	nlc_close(&other);
	for (i = 0; i <= MANY; i++) {
		many_name(&p, i);
		EXPECT_EQ(0, policy_unload(&self->r.c, p.name));
	}
}

static void count_domain(struct nlmsghdr *nlh, void *arg)
{
	struct domain d, *mine = arg;

	domain_parse(nlh, &d);
	if (d.id == mine->id)
		*mine = d;
}

TEST_F(iface, domain_get)
{
	struct domain d, dumped = { .id = 0 };
	char exe[256];
	ssize_t n;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, domain_get(&self->r.c, self->r.dom, &d));
	EXPECT_EQ(self->r.dom, d.id);
	EXPECT_STREQ(self->r.p.name, d.policy);
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	EXPECT_EQ(1, d.members);
	EXPECT_EQ(1, d.processes);
	EXPECT_EQ(self->r.kid.pid, d.leader);
	EXPECT_EQ(0, d.incident);
	EXPECT_NE(0, d.stamp);
	EXPECT_EQ(1, d.listed);
	EXPECT_EQ(self->r.kid.pid, d.member[0].tid);
	EXPECT_EQ(self->r.kid.pid, d.member[0].pid);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	ASSERT_LT(0, n);
	exe[n] = '\0';
	EXPECT_STREQ(exe, d.exe);
	dumped.id = self->r.dom;
	EXPECT_EQ(0, nlc_dump(&self->r.c, SELFHEAL_CMD_DOMAIN_GET, count_domain, &dumped));
	EXPECT_STREQ(self->r.p.name, dumped.policy);
	EXPECT_EQ(0, dumped.listed);
}

static void count_incident(struct nlmsghdr *nlh, void *arg)
{
	struct incident inc, *mine = arg;

	incident_parse(nlh, &inc);
	if (inc.id == mine->id)
		*mine = inc;
}

TEST_F(iface, incident_dump_without_evidence)
{
	struct incident inc, dumped = { .id = 0 };

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(&self->r.c, self->r.dom, &dumped.id));
	ASSERT_EQ(0, incident_get(&self->r.c, dumped.id, &inc));
	EXPECT_EQ(SELFHEAL_SENSOR_MANUAL, inc.sensor);
	EXPECT_EQ(SELFHEAL_VERDICT_NONE, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_NOBODY, inc.resolved_by);
	EXPECT_EQ(self->r.dom, inc.domain);
	EXPECT_FALSE(inc.has_signal);
	EXPECT_EQ(0, nlc_dump(&self->r.c, SELFHEAL_CMD_INCIDENT_GET, count_incident, &dumped));
	EXPECT_EQ(self->r.dom, dumped.domain);
	EXPECT_FALSE(dumped.has_registers);
	EXPECT_EQ(0, dumped.trails);
	EXPECT_EQ(0, dumped.stack_len);
	ASSERT_EQ(0, incident_verdict(&self->r.c, dumped.id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_EQ(0, incident_get(&self->r.c, dumped.id, &inc));
	EXPECT_EQ(SELFHEAL_VERDICT_RELEASE, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_CONTROLLER, inc.resolved_by);
	EXPECT_LE(inc.stamp, inc.resolved_stamp);
	EXPECT_FALSE(inc.has_deadline);
}

GUEST_MAIN
