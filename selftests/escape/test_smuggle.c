// SPDX-License-Identifier: GPL-2.0
/*
 * What would reach the kernel or the monitor by a detour: switches that somebody else has opened,
 * and requests to the monitor that wait in the quarantine until a worker sends them.
 */
#include <fcntl.h>
#include <errno.h>
#include <kselftest_harness.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "calls.h"
#include "rig.h"

#define SWITCH	"/sys/kernel/tracing/tracing_on"

FIXTURE(smuggle)
{
	struct rig r;
};

FIXTURE_SETUP(smuggle)
{
	ASSERT_EQ(0, rig_open(&self->r));
	self->r.p.hold_device = SELFHEAL_CHANNEL_ACTION_PASS;
}

FIXTURE_TEARDOWN(smuggle)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, UINT32_MAX);
}

static void receive(struct page *page, void *arg)
{
	int fd = recv_fd(*(int *)arg);

	atomic_store(&page->value[0], fd);
	page_step(page, 2);
	page_block(page, UINT32_MAX);
}

/* A switch that somebody outside has opened does not come in by a message, */
TEST_F(smuggle, switches_are_not_received)
{
	struct rig *r = &self->r;
	struct event ev;
	int sv[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, rig_run(r, receive, &sv[0]));
	fd = open(SWITCH, O_WRONLY | O_CLOEXEC);
	ASSERT_LT(0, fd);
	ASSERT_EQ(0, send_fd(sv[1], fd, 1));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(-EPERM, r->kid.page->value[0]);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_TAMPER, r->dom, BOUND, &ev));
	EXPECT_STREQ("tracefs", ev.what);
	close(fd);
	close(sv[0]);
	close(sv[1]);
}

/* nor with a process that has it when it is enrolled. */
TEST_F(smuggle, switches_are_not_brought_along)
{
	int fd = open(SWITCH, O_WRONLY);
	struct rig *r = &self->r;

	ASSERT_LT(0, fd);
	EXPECT_EQ(-EPERM, rig_run(r, idle, NULL));
	child_end(&r->kid);
	close(fd);
	EXPECT_EQ(0, rig_run(r, idle, NULL));
}

/* A child asks the monitor to let the domain go, and dies before its output may leave. */
static void ask_and_die(struct page *page, void *arg)
{
	const uint64_t *dom = arg;
	struct nlc c;

	page_block(page, 2);
	if (!nlc_open(&c)) {
		struct nl_msg *msg = nlc_msg(&c, SELFHEAL_CMD_DOMAIN_DISSOLVE, 0);

		nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, *dom);
		atomic_store(&page->value[0], nlc_send_only(&c, msg));
	}
}

static void ask_by_a_child(struct page *page, void *arg)
{
	pid_t pid = fork();

	if (!pid) {
		ask_and_die(page, arg);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	page_step(page, 2);
	page_block(page, UINT32_MAX);
}

/* Whoever sends what it left has its credentials, and is no member. */
TEST_F(smuggle, requests_do_not_come_out_of_a_quarantine)
{
	struct rig *r = &self->r;
	static uint64_t *dom;
	struct domain d;

	dom = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	policy_hold(&r->p);
	r->p.commit = SELFHEAL_COMMIT_DELAY;
	r->p.delay_ms = 50;
	ASSERT_EQ(0, rig_run(r, ask_by_a_child, dom));
	*dom = r->dom;
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	/* It has been sent: with the quarantine empty, there is nothing more to come. */
	do {
		ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
		pause_ms(5);
	} while (d.held_entries);
	EXPECT_LT(0, d.held_total);
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
}

GUEST_MAIN
