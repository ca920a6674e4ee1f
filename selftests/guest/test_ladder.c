// SPDX-License-Identifier: GPL-2.0
/*
 * The agent's ladder: the same fault again is answered by the next rule, with another error for
 * the input, and at last by a kill and a command.
 *
 *	test: sends what crashes, or kills
 *	  |- healctl agent
 *	  `- kid: reads, and crashes at the place that the byte names
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "agent.h"
#include "rig.h"
#include "stream.h"

#define RAN "/tmp/selfheal-ladder-ran"

static const char ladder[] =
	"policy: ladder\n"
	"hold: {socket: hold}\n"
	"sense: {fault: [SEGV]}\n"
	"rescue: {at: wait, errno: ECONNRESET}\n"
	"respond:\n"
	"  default: release\n"
	"  deadline: 60m\n"
	"  rules:\n"
	"  - {when: {sensor: fault, again: 3}, verdict: kill, run: [/bin/sh, -c,\n"
	"     'test \"$1\" = \"a b\" && echo $SELFHEAL_POLICY $SELFHEAL_VERDICT > " RAN "', sh, a b]}\n"
	"  - {when: {sensor: fault, again: 2}, verdict: rollback, errno: EPIPE}\n"
	"  - {when: {sensor: fault, again: 1}, verdict: rollback, errno: eof}\n"
	"  - {when: {sensor: fault}, verdict: rollback}\n";

FIXTURE(ladder)
{
	struct rig r;
	struct pair ch;
	pid_t agent;
};

FIXTURE_SETUP(ladder)
{
	unlink(RAN);
	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, agent_policy_load(ladder));
	strcpy(self->r.p.name, "ladder");
	self->agent = agent_start(&self->r.e, BOUND);
	ASSERT_NE(0, self->agent);
}

FIXTURE_TEARDOWN(ladder)
{
	if (self->agent)
		agent_stop(self->agent);
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
	unlink(RAN);
}

static int *volatile nowhere;

static void __attribute__((noinline)) crash_here(void)
{
	nowhere[2] = 1;
}

static void __attribute__((noinline)) crash_there(void)
{
	nowhere[4] = 2;
}

/* value[step]: what the read gave, or -errno. */
static void crash_as_told(struct page *page, void *arg)
{
	struct pair *ch = arg;
	uint32_t step = 1;
	char byte;
	ssize_t got;

	for (;;) {
		got = read(ch->tx, &byte, 1);
		page->value[step] = got < 0 ? -errno : got;
		if (got == 1 && byte == 'h')
			crash_here();
		if (got == 1 && byte == 't')
			crash_there();
		page_step(page, ++step);
	}
}

/* What the read gave after the crash that @byte makes; 99 when it did not come back. */
static int64_t crash(struct rig *r, struct pair *ch, const char *byte, uint32_t step)
{
	if (write(ch->rx, byte, 1) != 1 || !page_wait(r->kid.page, step + 1, BOUND))
		return 99;
	return r->kid.page->value[step];
}

TEST_F(ladder, step_by_step)
{
	struct rig *r = &self->r;
	struct pair *ch = &self->ch;
	char text[64];
	int64_t end;

	ASSERT_EQ(0, child_start(&r->kid, crash_as_told, ch));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	page_go(r->kid.page, 1);
	ASSERT_EQ(1, crash(r, ch, "-", 1));
	EXPECT_EQ(-ECONNRESET, crash(r, ch, "h", 2));
	EXPECT_EQ(0, crash(r, ch, "h", 3));
	/* Another fault begins at the first step. */
	EXPECT_EQ(-ECONNRESET, crash(r, ch, "t", 4));
	EXPECT_EQ(-EPIPE, crash(r, ch, "h", 5));
	EXPECT_EQ(0, crash(r, ch, "t", 6));
	EXPECT_NE(0, access(RAN, F_OK));
	ASSERT_EQ(1, write(ch->rx, "h", 1));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	/* The command is not waited for by anybody. */
	for (end = now_ms() + BOUND; slurp(RAN, text, sizeof(text)) <= 0 && now_ms() < end;)
		pause_ms(1);
	EXPECT_STREQ("ladder kill\n", text);
}

GUEST_MAIN
