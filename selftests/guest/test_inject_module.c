// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of loading and unloading the module, and of loading,
 * replacing and unloading a policy: it is done, or it is refused with an errno
 * that says so and nothing of it stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/syscall.h>

#include "nl_inject.h"
#include "rig.h"

#define LIMIT 36000
#define LOOK_EACH 32
#define DEADLINE 5000
#define NEW_DEADLINE 7000

FIXTURE(inject_module)
{
	struct sweep s;
	int nth;
};

FIXTURE_SETUP(inject_module)
{
	/* Somebody else's domains are not ours to end. */
	if (module_unload_wait(slow_ms(5000)))
		SKIP(return, "selfheal is in use on this machine");
	self->nth = inject_open(0, 0);
	ASSERT_LE(0, self->nth);
}

FIXTURE_TEARDOWN(inject_module)
{
	inject_anywhere();
	EXPECT_EQ(0, inject_spare(NULL));
	close(self->nth);
	EXPECT_EQ(0, module_load());
}

static bool answers(void)
{
	struct nlc c;
	bool good = !nlc_open(&c) &&
		    !nlc_call(&c, nlc_msg(&c, SELFHEAL_CMD_STATUS_GET, 0), NULL, NULL);

	nlc_close(&c);
	return good;
}

/*
 * Of all that finit_module(2) does, what is done by us: the kernel's own part
 * has places that it warns of by itself (jump_label_module_notify()).
 */
TEST_F_TIMEOUT(inject_module, insmod, LIMIT)
{
	struct sweep *s = &self->s;
	const char *left;
	int image, err;
	bool hit;

	sweep_begin(s, "insmod");
	if (inject_below("do_init_module"))
		SKIP(return, "this kernel does not choose places by the functions above them");
	ASSERT_EQ(0, inject_spare("__kmem_cache_create_args"));
	image = open(module_path(), O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, image);
	while (sweep_next(s)) {
		sweep_arm(s, self->nth);
		err = syscall(SYS_finit_module, image, "", 0) ? -errno : 0;
		hit = sweep_hit(s, self->nth, err);
		if (err) {
			ASSERT_TRUE(hit && inject_error(err)) {
				TH_LOG("place %u: %s", s->nth, strerror(-err));
			}
		} else {
			ASSERT_TRUE(answers()) { TH_LOG("place %u", s->nth); }
			ASSERT_EQ(0, module_unload_wait(BOUND)) { TH_LOG("place %u", s->nth); }
		}
		/* A look takes a second, and what is there will be there. */
		left = s->nth % LOOK_EACH ? NULL : module_left_behind();
		ASSERT_EQ(NULL, left) { TH_LOG("place %u: %s", s->nth, left); }
	}
	left = module_left_behind();
	EXPECT_EQ(NULL, left) { TH_LOG("%s", left); }
	EXPECT_NE(0, sweep_end(s));
	close(image);
}

TEST_F_TIMEOUT(inject_module, rmmod, LIMIT)
{
	struct sweep *s = &self->s;
	const char *left;
	bool hit;
	int err;

	ASSERT_EQ(0, module_load());
	sweep_begin(s, "rmmod");
	while (sweep_next(s)) {
		ASSERT_EQ(0, module_load());
		sweep_arm(s, self->nth);
		err = syscall(SYS_delete_module, "selfheal", O_NONBLOCK) ? -errno : 0;
		hit = sweep_hit(s, self->nth, err);
		if (err) {
			ASSERT_TRUE(hit && inject_error(err)) {
				TH_LOG("place %u: %s", s->nth, strerror(-err));
			}
			ASSERT_TRUE(module_loaded() && answers());
			ASSERT_EQ(0, module_unload_wait(BOUND));
		}
		left = module_left_behind();
		ASSERT_EQ(NULL, left) { TH_LOG("place %u: %s", s->nth, left); }
	}
	EXPECT_NE(0, sweep_end(s));
}

FIXTURE(inject_policy)
{
	struct rig r;
	struct sweep s;
};

FIXTURE_SETUP(inject_policy)
{
	struct policy *p = &self->r.p;

	if (module_unload_wait(slow_ms(5000)))
		SKIP(return, "selfheal is in use on this machine");
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, rig_open(&self->r));
	/* All that a policy can have. */
	policy_hold(p);
	policy_faults(p);
	p->match[0] = "/usr/bin/true";
	p->match[1] = "/usr/bin/false";
	p->exec_sense = true;
	p->allow[0] = "/usr/bin/env";
	p->rescue = SELFHEAL_RESCUE_WAIT;
	p->default_verdict = SELFHEAL_VERDICT_ROLLBACK;
	p->deadline_ms = DEADLINE;
}

FIXTURE_TEARDOWN(inject_policy)
{
	const char *left;

	if (!self->r.c.sk)
		return;
	EXPECT_TRUE(rig_close(&self->r));
	/* No reference has been lost, no hook is left in place. */
	EXPECT_EQ(0, module_unload_wait(BOUND));
	left = module_left_behind();
	EXPECT_EQ(NULL, left) { TH_LOG("something of ours in %s", left); }
	EXPECT_EQ(0, module_load());
}

static struct nl_msg *load_message(struct rig *r)
{
	struct nl_msg *msg = nlc_msg(&r->c, SELFHEAL_CMD_POLICY_LOAD, 0);
	static const char source[2000] = "kept for who asks for it";

	policy_put(msg, &r->p);
	nla_put(msg, SELFHEAL_A_POLICY_SOURCE, sizeof(source), source);
	return msg;
}

static void take_deadline(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_POLICY_MAX + 1];

	if (!genlmsg_parse(nlh, 0, tb, SELFHEAL_A_POLICY_MAX, NULL))
		*(int64_t *)arg = nlc_get_u32(tb, SELFHEAL_A_POLICY_DEADLINE);
}

/* Of the loaded policy; -errno when there is none. */
static int64_t deadline_of(struct rig *r)
{
	struct nl_msg *msg = nlc_msg(&r->c, SELFHEAL_CMD_POLICY_GET, 0);
	int64_t deadline = 0;
	int err;

	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, r->p.name);
	err = nlc_call(&r->c, msg, take_deadline, &deadline);
	return err ? err : deadline;
}

TEST_F_TIMEOUT(inject_policy, load, LIMIT)
{
	struct rig *r = &self->r;
	struct sweep *s = &self->s;
	struct answer a;
	int64_t found;

	sweep_begin(s, "policy load");
	while (sweep_next(s)) {
		if (!nl_inject(s, &r->c, load_message(r), &a))
			ASSERT_EQ(0, a.err);
		ASSERT_TRUE(!a.err || inject_error(a.err)) {
			TH_LOG("place %u: %s", s->nth, strerror(-a.err));
		}
		found = deadline_of(r);
		ASSERT_TRUE((!a.err && found == DEADLINE) ||
			    ((a.err || a.lost) && found == -ENOENT)) {
			TH_LOG("place %u: answer %d, found %lld", s->nth, a.err, (long long)found);
		}
		ASSERT_EQ(found < 0 ? -ENOENT : 0, policy_unload(&r->c, r->p.name));
	}
	EXPECT_NE(0, sweep_end(s));
}

/* The old one is in force until the new one is. */
TEST_F_TIMEOUT(inject_policy, replace, LIMIT)
{
	struct rig *r = &self->r;
	struct sweep *s = &self->s;
	struct answer a;
	int64_t found;

	sweep_begin(s, "policy replace");
	while (sweep_next(s)) {
		r->p.deadline_ms = DEADLINE;
		ASSERT_EQ(0, policy_load(&r->c, &r->p));
		r->p.deadline_ms = NEW_DEADLINE;
		if (!nl_inject(s, &r->c, load_message(r), &a))
			ASSERT_EQ(0, a.err);
		ASSERT_TRUE(!a.err || inject_error(a.err));
		found = deadline_of(r);
		ASSERT_TRUE((!a.err && found == NEW_DEADLINE) ||
			    ((a.err || a.lost) && found == DEADLINE)) {
			TH_LOG("place %u: answer %d, found %lld", s->nth, a.err, (long long)found);
		}
	}
	EXPECT_NE(0, sweep_end(s));
}

TEST_F_TIMEOUT(inject_policy, unload, LIMIT)
{
	struct rig *r = &self->r;
	struct sweep *s = &self->s;
	struct nl_msg *msg;
	struct answer a;
	int64_t found;

	sweep_begin(s, "policy unload");
	while (sweep_next(s)) {
		ASSERT_EQ(0, policy_load(&r->c, &r->p));
		msg = nlc_msg(&r->c, SELFHEAL_CMD_POLICY_UNLOAD, 0);
		nla_put_string(msg, SELFHEAL_A_POLICY_NAME, r->p.name);
		if (!nl_inject(s, &r->c, msg, &a))
			ASSERT_EQ(0, a.err);
		ASSERT_TRUE(!a.err || inject_error(a.err));
		found = deadline_of(r);
		ASSERT_TRUE((!a.err && found == -ENOENT) ||
			    ((a.err || a.lost) && found == DEADLINE)) {
			TH_LOG("place %u: answer %d, found %lld", s->nth, a.err, (long long)found);
		}
	}
	EXPECT_NE(0, sweep_end(s));
}

INJECT_MAIN
