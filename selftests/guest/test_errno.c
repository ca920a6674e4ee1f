// SPDX-License-Identifier: GPL-2.0
/*
 * Every refusal of the control interface: its errno, and that the kernel says
 * why. One process tree per caller variant:
 *
 *	test (root, CAP_SYS_ADMIN)
 *	  |- kid (member)
 *	  `- caller (what the variant takes away), calls every operation
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/types.h>

#include "drop.h"
#include "rig.h"

#define REFUSED(err, call)						\
	do {								\
		EXPECT_EQ(-(err), call);				\
		EXPECT_NE('\0', self->r.c.ext[0]) {			\
			TH_LOG("no extack text: %s", #call);		\
		}							\
	} while (0)

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

/* Every operation with arguments that would do for a controller. */
static const struct {
	const char *name;
	uint8_t cmd;
	int flags;
} every_op[] = {
	{ "status-get", SELFHEAL_CMD_STATUS_GET, 0 },
	{ "policy-load", SELFHEAL_CMD_POLICY_LOAD, 0 },
	{ "policy-unload", SELFHEAL_CMD_POLICY_UNLOAD, 0 },
	{ "policy-get", SELFHEAL_CMD_POLICY_GET, 0 },
	{ "policy-get dump", SELFHEAL_CMD_POLICY_GET, NLM_F_DUMP },
	{ "domain-new", SELFHEAL_CMD_DOMAIN_NEW, 0 },
	{ "domain-add", SELFHEAL_CMD_DOMAIN_ADD, 0 },
	{ "domain-get", SELFHEAL_CMD_DOMAIN_GET, 0 },
	{ "domain-get dump", SELFHEAL_CMD_DOMAIN_GET, NLM_F_DUMP },
	{ "domain-freeze", SELFHEAL_CMD_DOMAIN_FREEZE, 0 },
	{ "domain-dissolve", SELFHEAL_CMD_DOMAIN_DISSOLVE, 0 },
	{ "incident-get", SELFHEAL_CMD_INCIDENT_GET, 0 },
	{ "incident-get dump", SELFHEAL_CMD_INCIDENT_GET, NLM_F_DUMP },
	{ "incident-verdict", SELFHEAL_CMD_INCIDENT_VERDICT, 0 },
	{ "quarantine-get", SELFHEAL_CMD_QUARANTINE_GET, NLM_F_DUMP },
	{ "event-get", SELFHEAL_CMD_EVENT_GET, NLM_F_DUMP },
	{ "agent-register", SELFHEAL_CMD_AGENT_REGISTER, 0 },
	{ "lock", SELFHEAL_CMD_LOCK, 0 },
	{ "guard-add", SELFHEAL_CMD_GUARD_ADD, 0 },
};

#define N_OPS ((int)(sizeof(every_op) / sizeof(every_op[0])))

struct target {
	const char *policy;
	uint64_t dom;
	int pidfd;
};

static struct nl_msg *op_message(struct nlc *c, int op, const struct target *t)
{
	struct nl_msg *msg = nlc_msg(c, every_op[op].cmd, every_op[op].flags);

	switch (every_op[op].cmd) {
	case SELFHEAL_CMD_POLICY_LOAD:
	case SELFHEAL_CMD_POLICY_UNLOAD:
	case SELFHEAL_CMD_POLICY_GET:
		if (!(every_op[op].flags & NLM_F_DUMP))
			nla_put_string(msg, SELFHEAL_A_POLICY_NAME, t->policy);
		break;
	case SELFHEAL_CMD_DOMAIN_NEW:
		nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, t->policy);
		nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, t->pidfd);
		break;
	case SELFHEAL_CMD_DOMAIN_ADD:
		nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, t->pidfd);
		nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, t->dom);
		break;
	case SELFHEAL_CMD_DOMAIN_GET:
	case SELFHEAL_CMD_DOMAIN_FREEZE:
	case SELFHEAL_CMD_DOMAIN_DISSOLVE:
		if (!(every_op[op].flags & NLM_F_DUMP))
			nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, t->dom);
		break;
	case SELFHEAL_CMD_INCIDENT_GET:
		if (!(every_op[op].flags & NLM_F_DUMP))
			nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, 1);
		break;
	case SELFHEAL_CMD_INCIDENT_VERDICT:
		nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, 1);
		nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, SELFHEAL_VERDICT_KILL);
		break;
	case SELFHEAL_CMD_QUARANTINE_GET:
		nla_put_u64(msg, SELFHEAL_A_HELD_DOMAIN, t->dom);
		break;
	}
	return msg;
}

enum caller_kind { NO_CAPS, NET_ADMIN_ONLY, USER_NS, MEMBER };

struct call_plan {
	enum caller_kind kind;
	struct target target;
	struct nlc *inherited;
};

/* value[op] = errno seen, count[op] = length of the text; step 2 when all are done. */
static void call_every_op(struct page *page, void *arg)
{
	struct call_plan *plan = arg;
	struct nlc c;
	int op, err = 0;

	switch (plan->kind) {
	case NO_CAPS:
		err = caps_keep(0);
		break;
	case NET_ADMIN_ONLY:
		err = caps_keep(1ULL << CAP_NET_ADMIN);
		break;
	case USER_NS:
		err = enter_user_ns();
		break;
	case MEMBER:
		break;
	}
	if (!err)
		err = nlc_open(&c);
	atomic_store(&page->value[63], err);
	for (op = 0; !err && op < N_OPS; op++) {
		int ret = nlc_call(&c, op_message(&c, op, &plan->target), NULL, NULL);

		atomic_store(&page->value[op], ret);
		atomic_store(&page->count[op], strlen(c.ext));
	}
	page_step(page, 2);
}

FIXTURE(caller)
{
	struct rig r;
	struct child who;
};

FIXTURE_VARIANT(caller)
{
	enum caller_kind kind;
};

FIXTURE_VARIANT_ADD(caller, no_capabilities) { .kind = NO_CAPS };
FIXTURE_VARIANT_ADD(caller, net_admin_only) { .kind = NET_ADMIN_ONLY };
FIXTURE_VARIANT_ADD(caller, user_namespace_root) { .kind = USER_NS };
FIXTURE_VARIANT_ADD(caller, member_root) { .kind = MEMBER };

FIXTURE_SETUP(caller)
{
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
}

FIXTURE_TEARDOWN(caller)
{
	child_end(&self->who);
	EXPECT_TRUE(rig_close(&self->r));
}

TEST_F(caller, every_operation_refused)
{
	struct call_plan plan = {
		.kind = variant->kind,
		.target = {
			.policy = self->r.p.name,
			.dom = self->r.dom,
			.pidfd = self->r.kid.pidfd,
		},
	};
	struct domain d;
	int op;

	ASSERT_EQ(0, child_start(&self->who, call_every_op, &plan));
	if (variant->kind == MEMBER)
		ASSERT_EQ(0, domain_add(&self->r.c, self->r.dom, self->who.pidfd, false));
	page_go(self->who.page, 1);
	ASSERT_TRUE(page_wait(self->who.page, 2, BOUND));
	ASSERT_EQ(0, self->who.page->value[63]);
	for (op = 0; op < N_OPS; op++) {
		EXPECT_EQ(-EPERM, self->who.page->value[op]) {
			TH_LOG("%s", every_op[op].name);
		}
		EXPECT_LT(0, self->who.page->count[op]) {
			TH_LOG("%s: no extack text", every_op[op].name);
		}
	}
	/* And nothing has happened. */
	ASSERT_EQ(0, domain_get(&self->r.c, self->r.dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	EXPECT_EQ(0, d.incidents);
}

static void join_events(struct page *page, void *arg)
{
	struct call_plan *plan = arg;
	struct nlev e;
	int err;

	err = plan->kind == USER_NS ? enter_user_ns() :
	      plan->kind == NO_CAPS ? caps_keep(0) :
	      plan->kind == NET_ADMIN_ONLY ? caps_keep(1ULL << CAP_NET_ADMIN) : 0;
	atomic_store(&page->value[0], err);
	atomic_store(&page->value[1], nlev_open(&e));
	page_step(page, 2);
}

TEST_F(caller, events_group_refused)
{
	struct call_plan plan = { .kind = variant->kind };

	/* The group asks for a capability, which a root member has. */
	if (variant->kind == MEMBER)
		return;
	ASSERT_EQ(0, child_start(&self->who, join_events, &plan));
	page_go(self->who.page, 1);
	ASSERT_TRUE(page_wait(self->who.page, 2, BOUND));
	EXPECT_EQ(0, self->who.page->value[0]);
	EXPECT_EQ(-EPERM, self->who.page->value[1]);
}

FIXTURE(refuse)
{
	struct rig r;
};

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(refuse)
{
	EXPECT_TRUE(rig_close(&self->r));
}

TEST_F(refuse, unknown_ids)
{
	struct nlc *c = &self->r.c;
	const uint64_t no = 1ULL << 60;
	struct incident inc;
	struct domain d;

	REFUSED(ENOENT, policy_unload(c, "no-such-policy"));
	REFUSED(ENOENT, domain_get(c, no, &d));
	REFUSED(ENOENT, domain_freeze(c, no, NULL));
	REFUSED(ENOENT, domain_dissolve(c, no));
	REFUSED(ENOENT, incident_get(c, no, &inc));
	REFUSED(ENOENT, incident_verdict(c, no, SELFHEAL_VERDICT_KILL));
	REFUSED(ENOENT, quarantine_dump(c, no, false, NULL, NULL));
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	REFUSED(ENOENT, domain_add(c, no, self->r.kid.pidfd, false));
}

TEST_F(refuse, policy_get_unknown)
{
	struct nl_msg *msg = nlc_msg(&self->r.c, SELFHEAL_CMD_POLICY_GET, 0);

	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, "no-such-policy");
	REFUSED(ENOENT, nlc_call(&self->r.c, msg, NULL, NULL));
}

TEST_F(refuse, domain_of_unknown_policy)
{
	uint64_t id;

	ASSERT_EQ(0, child_start(&self->r.kid, idle, NULL));
	REFUSED(ENOENT, domain_new(&self->r.c, "no-such-policy", self->r.kid.pidfd, false, &id));
}

TEST_F(refuse, bad_pidfd)
{
	struct nlc *c = &self->r.c;
	int not_pidfd = eventfd(0, 0);
	uint64_t id;

	ASSERT_EQ(0, policy_load(c, &self->r.p));
	REFUSED(EBADF, domain_new(c, self->r.p.name, -1, false, &id));
	REFUSED(EBADF, domain_new(c, self->r.p.name, 1000, false, &id));
	REFUSED(EBADF, domain_new(c, self->r.p.name, not_pidfd, false, &id));
	ASSERT_EQ(0, child_start(&self->r.kid, idle, NULL));
	ASSERT_EQ(0, domain_new(c, self->r.p.name, self->r.kid.pidfd, false, &self->r.dom));
	REFUSED(EBADF, domain_add(c, self->r.dom, -1, false));
	REFUSED(EBADF, domain_add(c, self->r.dom, not_pidfd, false));
	close(not_pidfd);
}

static void leave(struct page *page, void *arg)
{
	(void)page;
	(void)arg;
}

TEST_F(refuse, process_gone)
{
	uint64_t id;

	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, child_start(&self->r.kid, leave, NULL));
	page_go(self->r.kid.page, 1);
	/* A zombie first, then nothing behind the pidfd. */
	ASSERT_TRUE(proc_wait_state(self->r.kid.pid, self->r.kid.pid, 'Z', BOUND));
	REFUSED(ESRCH, domain_new(&self->r.c, self->r.p.name, self->r.kid.pidfd, false, &id));
	ASSERT_TRUE(child_exited(&self->r.kid, BOUND, 0));
	REFUSED(ESRCH, domain_new(&self->r.c, self->r.p.name, self->r.kid.pidfd, false, &id));
}

TEST_F(refuse, protected_processes)
{
	const pid_t who[] = { 1, 2, getpid(), getppid() };
	struct nlc *c = &self->r.c;
	unsigned int i;
	uint64_t id;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	for (i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
		int fd = pidfd_of(who[i]);

		ASSERT_LE(0, fd);
		REFUSED(EPERM, domain_new(c, self->r.p.name, fd, false, &id));
		REFUSED(EPERM, domain_add(c, self->r.dom, fd, false));
		/* A tree that holds the caller is refused as a whole. */
		REFUSED(EPERM, domain_add(c, self->r.dom, fd, true));
		close(fd);
	}
	EXPECT_EQ(0, domain_of(c, getpid()));
}

TEST_F(refuse, member_twice)
{
	uint64_t id;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	REFUSED(EBUSY, domain_new(&self->r.c, self->r.p.name, self->r.kid.pidfd, false, &id));
	REFUSED(EBUSY, domain_add(&self->r.c, self->r.dom, self->r.kid.pidfd, false));
}

TEST_F(refuse, policy_in_use)
{
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	REFUSED(EBUSY, policy_unload(&self->r.c, self->r.p.name));
	ASSERT_TRUE(rig_reap(&self->r, self->r.dom));
	EXPECT_EQ(0, policy_unload(&self->r.c, self->r.p.name));
	REFUSED(ENOENT, policy_unload(&self->r.c, self->r.p.name));
}

TEST_F(refuse, frozen_domain)
{
	struct nlc *c = &self->r.c;
	struct child other;
	uint64_t inc;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, child_start(&other, idle, NULL));
	ASSERT_EQ(0, domain_freeze(c, self->r.dom, &inc));
	REFUSED(EBUSY, domain_freeze(c, self->r.dom, NULL));
	ASSERT_TRUE(domain_wait(c, self->r.dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	REFUSED(EBUSY, domain_freeze(c, self->r.dom, NULL));
	REFUSED(EBUSY, domain_dissolve(c, self->r.dom));
	REFUSED(EBUSY, domain_add(c, self->r.dom, other.pidfd, false));
	child_end(&other);
	ASSERT_EQ(0, incident_verdict(c, inc, SELFHEAL_VERDICT_RELEASE));
}

TEST_F(refuse, second_verdict)
{
	struct nlc *c = &self->r.c;
	uint64_t inc;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(c, self->r.dom, &inc));
	ASSERT_TRUE(domain_wait(c, self->r.dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	REFUSED(ENOTRECOVERABLE, incident_verdict(c, inc, SELFHEAL_VERDICT_ROLLBACK));
	/* The kernel's own check of an attribute against its range. */
	REFUSED(ERANGE, incident_verdict(c, inc, SELFHEAL_VERDICT_NONE));
	REFUSED(ERANGE, incident_verdict(c, inc, SELFHEAL_VERDICT_KILL + 1));
	/* None of these was an answer. */
	EXPECT_TRUE(domain_wait(c, self->r.dom, SELFHEAL_DOMAIN_STATE_FROZEN, 0));
	EXPECT_EQ(0, incident_verdict(c, inc, SELFHEAL_VERDICT_RELEASE));
	REFUSED(EALREADY, incident_verdict(c, inc, SELFHEAL_VERDICT_RELEASE));
	REFUSED(EALREADY, incident_verdict(c, inc, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(domain_wait(c, self->r.dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
}

TEST_F(refuse, verdict_after_death)
{
	struct nlc *c = &self->r.c;
	struct incident inc;
	uint64_t id;

	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(c, self->r.dom, &id));
	ASSERT_TRUE(rig_reap(&self->r, self->r.dom));
	REFUSED(EALREADY, incident_verdict(c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_EQ(0, incident_get(c, id, &inc));
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEATH, inc.resolved_by);
}

TEST_F(refuse, forgotten_incident)
{
	struct nlc *c = &self->r.c;
	uint64_t first = 0, inc;
	struct incident old;
	int i;

	/* The latest 64 resolved ones are kept. */
	ASSERT_EQ(0, rig_run(&self->r, idle, NULL));
	for (i = 0; i < 65; i++) {
		ASSERT_EQ(0, domain_freeze(c, self->r.dom, &inc));
		ASSERT_EQ(0, incident_verdict(c, inc, SELFHEAL_VERDICT_RELEASE));
		ASSERT_TRUE(domain_wait(c, self->r.dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
		if (!first)
			first = inc;
		EXPECT_EQ(first + i, inc);
	}
	REFUSED(ENOENT, incident_get(c, first, &old));
	REFUSED(ENOENT, incident_verdict(c, first, SELFHEAL_VERDICT_KILL));
	EXPECT_EQ(0, incident_get(c, first + 1, &old));
}

TEST_F(refuse, second_agent)
{
	struct nlc *c = &self->r.c, other;

	ASSERT_EQ(0, nlc_open(&other));
	ASSERT_EQ(0, nlc_u64(&other, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL));
	REFUSED(EBUSY, nlc_u64(c, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL));
	nlc_close(&other);
	ASSERT_TRUE(nlev_wait(&self->r.e, SELFHEAL_EVENT_TYPE_AGENT_LOST, 0, BOUND, NULL));
	EXPECT_EQ(0, nlc_u64(c, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL));
}

GUEST_MAIN
