// SPDX-License-Identifier: GPL-2.0
/* Producers at rest: who counts as one, and when its output leaves. */
#include "fixture.h"

#define QUIESCE	SELFHEAL_COMMIT_QUIESCE
#define DELAY	SELFHEAL_COMMIT_DELAY

/* Two looks at the same sleep, and what was put out after it stays. */
TEST(rest_asleep_or_stopped)
{
	struct task_struct *t;

	fixture_setup(QUIESCE);
	t = &fx->task[0];
	write_text(0, 0, "a");
	write_text(1, 1, "other");
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "");
	/* Asleep at each look, but awake between them; or by a sleep that no signal ends. */
	t->__state = TASK_INTERRUPTIBLE;
	t->nvcsw++;
	shim_advance(110 * MS);
	t->nvcsw++;
	shim_advance(100 * MS);
	t->__state = TASK_UNINTERRUPTIBLE;
	shim_advance(1000 * MS);
	t->__state = TASK_INTERRUPTIBLE;
	shim_advance(100 * MS);
	CHECK_WIRE(0, "");
	shim_advance(100 * MS);
	CHECK_WIRE(0, "a");
	CHECK_WIRE(1, "");
	CHECK_INT(counter(SH_C_rest_commits), 1);
	/* It goes on. */
	t->__state = TASK_RUNNING;
	write_text(0, 0, "b");
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "a");
	/* A stop is seen at once, but not in the midst of its output. */
	t->stopped = true;
	fx->member[0].producing = true;
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "a");
	fx->member[0].producing = false;
	shim_advance(110 * MS);
	CHECK_WIRE(0, "ab");
	fixture_teardown();
}

/* What a point is due for waits for it, and nobody looks. */
TEST(rest_with_points)
{
	fixture_setup(QUIESCE);
	fx->policy.rescue = SELFHEAL_RESCUE_WAIT;
	fx->task[0].traced = true;
	write_text(0, 0, "a");
	CHECK_INT(shim_next_due(), U64_MAX);
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "");
	fixture_teardown();
}

TEST(rest_and_delay)
{
	fixture_setup(QUIESCE | DELAY);
	fx->policy.commit_delay_ms = 1000;
	fx->task[0].stopped = true;
	write_text(0, 0, "a");
	shim_advance(990 * MS);
	CHECK_WIRE(0, "");
	shim_advance(20 * MS);
	CHECK_WIRE(0, "a");
	fixture_teardown();
}
