// SPDX-License-Identifier: GPL-2.0
/* The damping of kills, against a second count of what a window may hold. */
#include "domain/damp.c"
#include "shim.h"
#include "test.h"

#define MS	1000000ull
#define START	(1000 * MS)	/* the clock never begins at 0 */

TEST(damp_without_a_limit)
{
	struct sh_damp d = { 0 };
	bool begins;
	int i;

	for (i = 0; i < 100; i++)
		CHECK_INT(sh_damp_take(&d, START, &begins), 0);
	CHECK(!begins);
	CHECK_INT(sh_damp_wait(&d, START), 0);
	CHECK_INT(sh_damp_init(&d, 0, 1000), 0);
	CHECK_INT(sh_damp_take(&d, START, &begins), 0);
	sh_damp_free(&d);
}

TEST(damp_waits_for_the_oldest)
{
	struct sh_damp d = { 0 };
	bool begins;

	CHECK_INT(sh_damp_init(&d, 2, 1000), 0);
	CHECK_INT(sh_damp_take(&d, START, &begins), 0);
	CHECK_INT(sh_damp_take(&d, START + 400 * MS, &begins), 0);
	CHECK(!begins);
	CHECK_INT(sh_damp_take(&d, START + 500 * MS, &begins), 500 * MS);
	CHECK(begins);
	/* Told once a storm. */
	CHECK_INT(sh_damp_take(&d, START + 999 * MS, &begins), 1 * MS);
	CHECK(!begins);
	CHECK_INT(sh_damp_wait(&d, START + 999 * MS), 1 * MS);
	/* To look takes nothing. */
	CHECK_INT(sh_damp_wait(&d, START + 1000 * MS), 0);
	CHECK_INT(sh_damp_take(&d, START + 1000 * MS, &begins), 0);
	CHECK(!begins);
	/* The second is the oldest now. */
	CHECK_INT(sh_damp_take(&d, START + 1001 * MS, &begins), 399 * MS);
	CHECK(begins);
	CHECK_INT(sh_damp_take(&d, START + 1400 * MS, &begins), 0);
	sh_damp_free(&d);
}

/* However they come, no window of that length holds more than the limit. */
TEST(damp_no_window_holds_more)
{
	enum { LIMIT = 7, WINDOW = 1000, TRIES = 20000 };
	static u64 taken[TRIES];
	struct sh_damp d = { 0 };
	unsigned int seed = 1;
	int i, n = 0, refused = 0;
	u64 now = START;
	bool begins;

	CHECK_INT(sh_damp_init(&d, LIMIT, WINDOW), 0);
	for (i = 0; i < TRIES; i++) {
		seed = seed * 1103515245 + 12345;
		now += (seed >> 16) % 60 * MS;
		if (sh_damp_take(&d, now, &begins))
			refused++;
		else
			taken[n++] = now;
	}
	CHECK(refused > 100 && n > 100);
	for (i = LIMIT; i < n; i++)
		CHECK(taken[i] - taken[i - LIMIT] >= WINDOW * MS);
	sh_damp_free(&d);
}
