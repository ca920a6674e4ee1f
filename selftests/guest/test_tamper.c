// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching for the kernel or the monitor: refused, told once a second, frozen
 * or passed as the policy says.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"

FIXTURE(tamper)
{
	struct rig r;
};

FIXTURE_SETUP(tamper)
{
	ASSERT_EQ(0, rig_open(&self->r));
	/* Devices pass: what is refused is refused as tampering. */
	self->r.p.hold_device = SELFHEAL_CHANNEL_ACTION_PASS;
}

FIXTURE_TEARDOWN(tamper)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static const struct {
	const char *path, *what;
	int flags;
} reaches[] = {
	{ "/proc/sys/kernel/panic", "sysctl", O_WRONLY },
	{ "/proc/sys/kernel/ftrace_enabled", "sysctl", O_RDWR },
	{ "/proc/sysrq-trigger", "sysrq", O_WRONLY },
	{ "/proc/kcore", "kernel memory", O_RDONLY },
	{ "/dev/mem", "kernel memory", O_RDONLY },
	{ "/dev/port", "kernel memory", O_RDONLY },
	{ "/dev/cpu/0/msr", "machine registers", O_RDONLY },
	{ "/sys/kernel/tracing/tracing_on", "tracefs", O_WRONLY },
	{ "/sys/kernel/debug/sleep_time", "debugfs", O_WRONLY },
	{ "/sys/kernel/debug/kprobes/enabled", "debugfs", O_WRONLY },
};

#define REACHES (sizeof(reaches) / sizeof(reaches[0]))

static int64_t reach(unsigned int i)
{
	int fd = open(reaches[i].path, reaches[i].flags), err = errno;

	if (fd < 0)
		return -err;
	close(fd);
	return 0;
}

static void reach_all(struct page *page, void *arg)
{
	unsigned int i;
	int fd;

	(void)arg;
	for (i = 0; i < REACHES; i++)
		atomic_store(&page->value[i], reach(i));
	/* Reading is no reach. */
	fd = open("/proc/sys/kernel/panic", O_RDONLY);
	atomic_store(&page->value[REACHES], fd < 0 ? -errno : 0);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* Does an event of the domain name it? */
static bool told(struct rig *r, const char *what, struct event *ev)
{
	while (nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_TAMPER, r->dom, QUIET, ev))
		if (!strcmp(ev->what, what))
			return true;
	return false;
}

TEST_F(tamper, refused)
{
	struct rig *r = &self->r;
	struct domain d;
	unsigned int i, refused = 0;

	ASSERT_EQ(0, rig_run(r, reach_all, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < REACHES; i++) {
		/* Not every kernel has every file. */
		if (access(reaches[i].path, F_OK))
			continue;
		EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[i]) TH_LOG("%s", reaches[i].path);
		refused++;
	}
	EXPECT_LE(3, refused);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[REACHES]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	EXPECT_EQ(0, d.incidents);
}

static void reach_one(struct page *page, void *arg)
{
	int i, n = arg ? *(int *)arg : 1;

	page_step(page, 2);
	for (i = 0; i < n; i++)
		atomic_store(&page->value[0], reach(0));
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(tamper, told_once_a_second)
{
	struct rig *r = &self->r;
	int many = 200, events = 0;
	int64_t begin = now_ms(), seconds;
	struct event ev;

	ASSERT_EQ(0, rig_run(r, reach_one, &many));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	seconds = (now_ms() - begin) / 1000;
	EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[0]);
	while (told(r, "sysctl", &ev)) {
		EXPECT_EQ(r->kid.pid, ev.tid);
		EXPECT_TRUE(ev.syscall_nr == SYS_openat || ev.syscall_nr == SYS_open);
		EXPECT_STREQ(r->p.name, ev.policy);
		events++;
	}
	EXPECT_LE(1, events);
	EXPECT_GE(seconds + 1, events);
}

TEST_F(tamper, kinds_are_told_apart)
{
	struct rig *r = &self->r;
	struct event ev;

	ASSERT_EQ(0, rig_run(r, reach_all, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_TRUE(told(r, "sysctl", &ev));
	EXPECT_TRUE(told(r, "sysrq", &ev));
}

TEST_F(tamper, frozen_and_still_refused_after_release)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	r->p.tamper = SELFHEAL_TAMPER_ACTION_FREEZE;
	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_SENSOR_TAMPER, inc.sensor);
	EXPECT_STREQ("sysctl", inc.target);
	EXPECT_EQ(r->kid.pid, inc.tid);
	EXPECT_EQ(SYS_openat, inc.syscall_nr);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[0]);
}

TEST_F(tamper, killed)
{
	struct rig *r = &self->r;
	uint64_t id;

	r->p.tamper = SELFHEAL_TAMPER_ACTION_FREEZE;
	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_EQ(2, r->kid.page->step);
}

TEST_F(tamper, passed)
{
	struct rig *r = &self->r;
	struct event ev;

	r->p.tamper = SELFHEAL_TAMPER_ACTION_PASS;
	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(0, (int64_t)r->kid.page->value[0]);
	EXPECT_FALSE(told(r, "sysctl", &ev));
}

TEST_F(tamper, passed_but_devices_are_denied)
{
	struct rig *r = &self->r;
	struct event ev;

	r->p.tamper = SELFHEAL_TAMPER_ACTION_PASS;
	r->p.hold_device = SELFHEAL_CHANNEL_ACTION_DENY;
	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[0]);
	EXPECT_FALSE(told(r, "sysctl", &ev));
}

TEST_F(tamper, observed)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	r->p.hold_device = SELFHEAL_CHANNEL_ACTION_DENY;
	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(0, (int64_t)r->kid.page->value[0]);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_TRUE(inc.observed);
	EXPECT_EQ(SELFHEAL_SENSOR_TAMPER, inc.sensor);
	EXPECT_STREQ("sysctl", inc.target);
}

TEST_F(tamper, nobody_else_is_refused)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, reach_one, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(-EPERM, (int64_t)r->kid.page->value[0]);
	EXPECT_EQ(0, reach(0));
}

GUEST_MAIN
