// SPDX-License-Identifier: GPL-2.0
/*
 * The lock. It lasts until reboot, so this program runs only where the machine
 * is thrown away afterwards (SELFHEAL_DISPOSABLE, set by the guest's runner),
 * and says that it leaves the module locked: the runner then ends the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/syscall.h>

#include "rig.h"

FIXTURE(lock)
{
	struct rig r;
};

FIXTURE_SETUP(lock)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(lock)
{
	struct rig *r = &self->r;

	/* The policies stay: rig_close() would want them to go. */
	if (r->dom)
		EXPECT_TRUE(rig_reap(r, r->dom));
	child_end(&r->kid);
	nlev_close(&r->e);
	nlc_close(&r->c);
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

static void see_locked(struct nlmsghdr *nlh, void *arg)
{
	*(bool *)arg = nla_find(genlmsg_attrdata(nlmsg_data(nlh), 0),
				genlmsg_attrlen(nlmsg_data(nlh), 0), SELFHEAL_A_STATUS_LOCKED);
}

static bool status_locked(struct nlc *c)
{
	bool locked = false;

	nlc_call(c, nlc_msg(c, SELFHEAL_CMD_STATUS_GET, 0), see_locked, &locked);
	return locked;
}

static int lock(struct nlc *c)
{
	return nlc_call(c, nlc_msg(c, SELFHEAL_CMD_LOCK, 0), NULL, NULL);
}

/* Each test runs in a process of its own: whoever is first locks. */
static bool be_locked(struct nlc *c)
{
	int err = lock(c);

	return (!err || err == -EALREADY) && status_locked(c);
}

#define REFUSED(err, call)						\
	do {								\
		EXPECT_EQ(-(err), call);				\
		EXPECT_NE('\0', self->r.c.ext[0]) {			\
			TH_LOG("no extack text: %s", #call);		\
		}							\
	} while (0)

/* First of all, while nothing is locked: what the lock forbids works. */
TEST_F(lock, before_all_of_it_works)
{
	struct rig *r = &self->r;

	ASSERT_FALSE(status_locked(&r->c));
	ASSERT_EQ(0, rig_run(r, idle, NULL));
	EXPECT_EQ(0, policy_load(&r->c, &r->p));
	EXPECT_EQ(0, domain_dissolve(&r->c, r->dom));
	r->dom = 0;
	EXPECT_EQ(0, policy_unload(&r->c, r->p.name));
}

TEST_F(lock, once_and_with_an_event)
{
	struct rig *r = &self->r;
	struct event ev;

	ASSERT_EQ(0, lock(&r->c));
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_LOCKED, 0, BOUND, &ev));
	EXPECT_TRUE(status_locked(&r->c));
	REFUSED(EALREADY, lock(&r->c));
	EXPECT_TRUE(status_locked(&r->c));
}

TEST_F(lock, policies_stay)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(be_locked(&r->c));
	/* One more is more protection. */
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	r->p.fault_mask = SIGMASK(SIGSEGV);
	REFUSED(EPERM, policy_load(&r->c, &r->p));
	REFUSED(EPERM, policy_unload(&r->c, r->p.name));
	/* Whether there is such a policy or not. */
	REFUSED(EPERM, policy_unload(&r->c, "no.such.policy"));
	EXPECT_EQ(0, nlc_dump(&r->c, SELFHEAL_CMD_POLICY_GET, NULL, NULL));
}

TEST_F(lock, domains_stay_and_work)
{
	struct rig *r = &self->r;
	uint64_t inc;

	ASSERT_TRUE(be_locked(&r->c));
	ASSERT_EQ(0, rig_run(r, idle, NULL));
	REFUSED(EPERM, domain_dissolve(&r->c, r->dom));
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
	/* Freezing and answering go on. */
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &inc));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	REFUSED(EPERM, domain_dissolve(&r->c, r->dom));
	EXPECT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &inc));
	EXPECT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

/* No domain is left here, so that nothing but the lock keeps the module. */
TEST_F(lock, module_stays)
{
	struct rig *r = &self->r;

	ASSERT_TRUE(be_locked(&r->c));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	/* rmmod -f: the kernel would take a module that is only referenced. */
	EXPECT_EQ(-1, syscall(SYS_delete_module, "selfheal", O_NONBLOCK | O_TRUNC));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_TRUE(module_loaded());
	EXPECT_TRUE(status_locked(&r->c));
	EXPECT_TRUE(file_has("/proc/modules", "selfheal"));
}

TEST_F(lock, healctl_says_so)
{
	struct rig *r = &self->r;

	/* Without --yes and a terminal it does nothing but say how. */
	EXPECT_EQ(2, WEXITSTATUS(system("healctl lock < /dev/null > /dev/null 2>&1")));
	ASSERT_TRUE(be_locked(&r->c));
	EXPECT_EQ(0, WEXITSTATUS(system("healctl status | grep -Eq '^locked +yes'")));
	EXPECT_EQ(1, WEXITSTATUS(system("healctl lock --yes 2>/dev/null")));
	EXPECT_EQ(0, WEXITSTATUS(system("healctl monitor --once --since 0 | grep -qw locked")));
}

int main(int argc, char **argv)
{
	if (!getenv("SELFHEAL_DISPOSABLE")) {
		printf("TAP version 13\n"
		       "1..0 # SKIP locks the module until reboot: set SELFHEAL_DISPOSABLE where that does not matter\n");
		return 4;
	}
	guest_begin();
	/* For the runner, which compares it with what it finds. */
	printf("# leaves the module locked until reboot\n");
	return test_harness_run(argc, argv);
}
