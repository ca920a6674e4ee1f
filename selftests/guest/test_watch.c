// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks that other users of ftrace share, that cannot be switched off, and
 * that are lost at run time. The loss is a real one: a module of the tests
 * overwrites the call at a function's entry (test_modules/selfheal_unhook.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#include "rig.h"
#include "stream.h"

#define TRACEFS	"/sys/kernel/tracing"
/* Two looks of the watch, which looks twice a second. */
#define LOOKS	1100

static const char unhook_path[] = "/opt/selfheal/test_modules/selfheal_unhook.ko";
static const char ipmodify_path[] = "/opt/selfheal/test_modules/selfheal_ipmodify.ko";

FIXTURE(watch)
{
	struct rig r;
	struct pair ch;
	bool unhooked;
	bool patched;
	bool traced;
};

FIXTURE_SETUP(watch)
{
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, pair_open(&self->ch, CH_PIPE));
	policy_hold(&self->r.p);
	self->r.p.hold_socket = SELFHEAL_CHANNEL_ACTION_PASS;
	self->r.p.hold_tty = SELFHEAL_CHANNEL_ACTION_PASS;
}

static int load_on(const char *path, const char *symbol)
{
	char args[64];

	snprintf(args, sizeof(args), "symbol=%s", symbol);
	return module_insert(path, args);
}

static int unhook(const char *symbol)
{
	return load_on(unhook_path, symbol);
}

static int rehook(void)
{
	return module_remove("selfheal_unhook");
}

static int trace_write(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	return write_file(path, text);
}

FIXTURE_TEARDOWN(watch)
{
	if (self->unhooked)
		EXPECT_EQ(0, rehook());
	if (self->patched)
		EXPECT_EQ(0, module_remove("selfheal_ipmodify"));
	if (self->traced) {
		trace_write("events/kprobes/enable", "0");
		trace_write("kprobe_events", "-:watched");
		trace_write("current_tracer", "nop");
		trace_write("set_ftrace_filter", " ");
	}
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

static void write_then_wait(struct page *page, void *arg)
{
	struct pair *ch = arg;
	uint32_t round;

	for (round = 2; ; round += 2) {
		if (write(ch->tx, "held", 4) != 4)
			_exit(1);
		page_step(page, round);
		page_spin(page, round);		/* no wait for input: still held */
		page_block(page, round + 1);	/* one: committed */
	}
}

static int64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static bool hook_is(const char *symbol, const char *state)
{
	char command[128];

	snprintf(command, sizeof(command), "healctl status | grep -Eq '^%s +%s '", symbol, state);
	return !system(command);
}

/* The round's write is held until the member waits. */
static bool holds(struct rig *r, struct pair *ch, uint32_t round)
{
	char got[4];

	return page_wait(r->kid.page, round, BOUND) && !rx_ready(ch->rx, QUIET) &&
	       (page_go(r->kid.page, round), rx_read(ch->rx, got, 4, BOUND) == 4);
}

TEST_F(watch, sysctl_cannot_switch_ftrace_off)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	EXPECT_EQ(-EBUSY, write_file("/proc/sys/kernel/ftrace_enabled", "0"));
	EXPECT_TRUE(file_has("/proc/sys/kernel/ftrace_enabled", "1"));
}

/* A tracer on the same functions is no loss, whoever came first. */
TEST_F(watch, tracers_share_the_entry)
{
	struct rig *r = &self->r;

	if (access(TRACEFS "/set_ftrace_filter", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	self->traced = true;
	ASSERT_EQ(0, rig_run(r, write_then_wait, &self->ch));
	EXPECT_TRUE(holds(r, &self->ch, 2));
	ASSERT_EQ(0, trace_write("set_ftrace_filter", "pipe_write security_bprm_check"));
	ASSERT_EQ(0, trace_write("current_tracer", "function"));
	ASSERT_EQ(0, trace_write("kprobe_events", "p:watched pipe_write"));
	ASSERT_EQ(0, trace_write("events/kprobes/enable", "1"));
	EXPECT_FALSE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_HOOK_LOST, 0, LOOKS, NULL));
	EXPECT_TRUE(hook_is("pipe_write", "active"));
	/* A hook that is new on a traced function. */
	r->p.exec_sense = true;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	EXPECT_TRUE(hook_is("security_bprm_check", "active"));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(holds(r, &self->ch, 4));
	/* And when they go. */
	ASSERT_EQ(0, trace_write("current_tracer", "nop"));
	ASSERT_EQ(0, trace_write("events/kprobes/enable", "0"));
	EXPECT_FALSE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_HOOK_LOST, 0, LOOKS, NULL));
	page_go(r->kid.page, 5);
	EXPECT_TRUE(holds(r, &self->ch, 6));
}

/* Who may redirect the function, as a livepatch: ftrace takes the first of us, and no other. */
TEST_F(watch, livepatches_do_not_share_the_entry)
{
	struct rig *r = &self->r;
	int64_t end;

	if (access(ipmodify_path, R_OK))
		SKIP(return, "selfheal_ipmodify.ko is missing: make test-modules KERNELS=...");
	ASSERT_EQ(0, rig_run(r, write_then_wait, &self->ch));
	EXPECT_TRUE(holds(r, &self->ch, 2));
	EXPECT_EQ(-EBUSY, load_on(ipmodify_path, "pipe_write"));
	EXPECT_TRUE(hook_is("pipe_write", "active"));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(holds(r, &self->ch, 4));
	ASSERT_TRUE(rig_reap(r, r->dom));
	r->dom = 0;
	ASSERT_EQ(0, policy_unload(&r->c, r->p.name));
	for (end = now_ms() + BOUND; !hook_is("pipe_write", "idle"); pause_ms(50))
		ASSERT_LT(now_ms(), end);
	/* It was first: no policy that would not hold what it says. */
	ASSERT_EQ(0, load_on(ipmodify_path, "pipe_write"));
	self->patched = true;
	EXPECT_EQ(-EBUSY, policy_load(&r->c, &r->p));
	EXPECT_NE('\0', r->c.ext[0]);
	ASSERT_EQ(0, module_remove("selfheal_ipmodify"));
	self->patched = false;
	EXPECT_EQ(0, policy_load(&r->c, &r->p));
	EXPECT_TRUE(hook_is("pipe_write", "active"));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

TEST_F(watch, lost_hook_freezes_and_comes_back)
{
	struct rig *r = &self->r;
	struct policy bare, observing;
	struct child other, watched;
	uint64_t other_dom, watched_dom, inc;
	struct incident i;
	struct domain d;
	struct event ev;
	int64_t start;

	if (access(unhook_path, R_OK))
		SKIP(return, "selfheal_unhook.ko is missing: make test-modules KERNELS=...");
	ASSERT_EQ(0, rig_run(r, write_then_wait, &self->ch));
	EXPECT_TRUE(holds(r, &self->ch, 2));
	/* One that does not need the hook, and one that only observes. */
	policy_init(&bare);
	ASSERT_EQ(0, policy_load(&r->c, &bare));
	ASSERT_EQ(0, child_start(&other, idle, NULL));
	ASSERT_EQ(0, domain_new(&r->c, bare.name, other.pidfd, false, &other_dom));
	policy_init(&observing);
	policy_hold(&observing);
	observing.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	ASSERT_EQ(0, policy_load(&r->c, &observing));
	ASSERT_EQ(0, child_start(&watched, idle, NULL));
	ASSERT_EQ(0, domain_new(&r->c, observing.name, watched.pidfd, false, &watched_dom));

	start = boottime_ns();
	ASSERT_EQ(0, unhook("pipe_write"));
	self->unhooked = true;
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_HOOK_LOST, 0, BOUND, &ev));
	TH_LOG("noticed after %lld ms", (long long)(((int64_t)ev.stamp - start) / 1000000));
	EXPECT_STREQ("pipe_write", ev.hook);
	inc = rig_frozen(r);
	ASSERT_NE(0, inc);
	ASSERT_EQ(0, incident_get(&r->c, inc, &i));
	EXPECT_EQ(SELFHEAL_SENSOR_TAMPER, i.sensor);
	EXPECT_STREQ("pipe_write", i.target);
	EXPECT_TRUE(hook_is("pipe_write", "failed"));
	ASSERT_EQ(0, domain_get(&r->c, other_dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	ASSERT_EQ(0, domain_get(&r->c, watched_dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);

	/* No new policy that needs it, no running on without it, no unloading. */
	EXPECT_EQ(-EIO, policy_load(&r->c, &r->p));
	EXPECT_NE('\0', r->c.ext[0]);
	EXPECT_EQ(0, policy_load(&r->c, &bare));
	EXPECT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_RELEASE));
	inc = rig_frozen(r);
	ASSERT_NE(0, inc);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());

	/* Back: a policy that needs it loads, and what was frozen can go on. */
	ASSERT_EQ(0, rehook());
	self->unhooked = false;
	EXPECT_TRUE(hook_is("pipe_write", "failed"));
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	EXPECT_TRUE(hook_is("pipe_write", "active"));
	EXPECT_EQ(0, incident_verdict(&r->c, inc, SELFHEAL_VERDICT_RELEASE));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(holds(r, &self->ch, 4));
	EXPECT_FALSE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_HOOK_LOST, 0, LOOKS, NULL));

	EXPECT_TRUE(rig_reap(r, other_dom));
	EXPECT_TRUE(rig_reap(r, watched_dom));
	child_end(&other);
	child_end(&watched);
	EXPECT_EQ(0, policy_unload(&r->c, bare.name));
	EXPECT_EQ(0, policy_unload(&r->c, observing.name));
}

/* Lost while nobody needs it any more: removed once it stands again. */
TEST_F(watch, lost_hook_of_nobody_keeps_the_module)
{
	struct rig *r = &self->r;
	int64_t end;

	if (access(unhook_path, R_OK))
		SKIP(return, "selfheal_unhook.ko is missing: make test-modules KERNELS=...");
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, unhook("pipe_write"));
	self->unhooked = true;
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_HOOK_LOST, 0, BOUND, NULL));
	EXPECT_EQ(0, policy_unload(&r->c, r->p.name));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	EXPECT_TRUE(hook_is("pipe_write", "failed"));
	ASSERT_EQ(0, rehook());
	self->unhooked = false;
	for (end = now_ms() + BOUND; !hook_is("pipe_write", "idle"); pause_ms(50))
		ASSERT_LT(now_ms(), end);
}

GUEST_MAIN
