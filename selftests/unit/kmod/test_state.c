// SPDX-License-Identifier: GPL-2.0
/* The state machine of a domain, against the drawings written down a second time. */
#include "domain/state.c"

#include "test.h"

#define STATES	7

static const char *const names[STATES] = {
	"RUNNING", "FREEZING", "FROZEN", "RELEASING", "ROLLING_BACK", "KILLING", "GONE",
};

/*
 * A row is where a state may go, in the order of the names. The last two
 * columns of ROLLING_BACK: a rollback that fails ends in a kill, never in
 * going on with a corrupted image.
 */
static const char *const edges[STATES] = {
	/*		    Run Fre Fro Rel Rol Kil Gon */
	/* RUNNING */	   " -   x   -   -   -   -   x",
	/* FREEZING */	   " -   -   x   x   -   x   x",
	/* FROZEN */	   " -   -   -   x   x   x   x",
	/* RELEASING */	   " x   -   -   -   -   -   x",
	/* ROLLING_BACK */ " x   -   -   -   -   x   x",
	/* KILLING */	   " -   -   -   -   -   -   x",
	/* GONE */	   " -   -   -   -   -   -   -",
};

static bool drawn(unsigned int from, unsigned int to)
{
	return edges[from][1 + 4 * to] == 'x';
}

/* The states that can be reached from @from in any number of steps. */
static unsigned int reach(unsigned int from)
{
	unsigned int seen = 1u << from, before, a, b;

	do {
		before = seen;
		for (a = 0; a < STATES; a++)
			for (b = 0; b < STATES; b++)
				if ((seen & (1u << a)) && sh_state_may(a, b))
					seen |= 1u << b;
	} while (seen != before);
	return seen;
}

TEST(state_numbers_of_the_interface)
{
	CHECK_INT(SELFHEAL_DOMAIN_STATE_RUNNING, 0);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_FREEZING, 1);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_FROZEN, 2);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_RELEASING, 3);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_ROLLING_BACK, 4);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_KILLING, 5);
	CHECK_INT(SELFHEAL_DOMAIN_STATE_GONE, 6);
}

TEST(state_every_edge)
{
	unsigned int from, to;
	char about[64];

	for (from = 0; from < STATES; from++) {
		for (to = 0; to < STATES; to++) {
			snprintf(about, sizeof(about), "%s -> %s", names[from], names[to]);
			test_about(about);
			CHECK_INT(sh_state_may(from, to), drawn(from, to));
		}
	}
}

TEST(state_numbers_out_of_range)
{
	static const unsigned int wrong[] = {
		7, 8, 31, 32, 33, 38, 63, 64, 255, 256, 0x7fffffff, 0x80000000, 0x80000006,
		0xffffffff,
	};
	unsigned int i, s;
	char about[64];

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		for (s = 0; s < STATES; s++) {
			snprintf(about, sizeof(about), "%s and %#x", names[s], wrong[i]);
			test_about(about);
			CHECK(!sh_state_may(s, wrong[i]));
			CHECK(!sh_state_may(wrong[i], s));
		}
		CHECK(!sh_state_may(wrong[i], wrong[i]));
	}
}

TEST(state_no_state_follows_itself)
{
	unsigned int s;

	for (s = 0; s < STATES; s++)
		CHECK(!sh_state_may(s, s));
}

TEST(state_gone_is_near_and_final)
{
	unsigned int s;

	for (s = 0; s < STATES; s++) {
		test_about(names[s]);
		CHECK(reach(s) & (1u << SELFHEAL_DOMAIN_STATE_GONE));
		CHECK_INT(sh_state_may(s, SELFHEAL_DOMAIN_STATE_GONE),
			  s != SELFHEAL_DOMAIN_STATE_GONE);
		CHECK(!sh_state_may(SELFHEAL_DOMAIN_STATE_GONE, s));
	}
	CHECK_INT(reach(SELFHEAL_DOMAIN_STATE_GONE), 1u << SELFHEAL_DOMAIN_STATE_GONE);
}

/* What is decided stays decided: no way back from a kill, no freeze undone without a verdict. */
TEST(state_ways_that_must_not_exist)
{
	CHECK_INT(reach(SELFHEAL_DOMAIN_STATE_KILLING),
		  1u << SELFHEAL_DOMAIN_STATE_KILLING | 1u << SELFHEAL_DOMAIN_STATE_GONE);
	CHECK(!sh_state_may(SELFHEAL_DOMAIN_STATE_FREEZING, SELFHEAL_DOMAIN_STATE_RUNNING));
	CHECK(!sh_state_may(SELFHEAL_DOMAIN_STATE_FROZEN, SELFHEAL_DOMAIN_STATE_RUNNING));
	CHECK(!sh_state_may(SELFHEAL_DOMAIN_STATE_RUNNING, SELFHEAL_DOMAIN_STATE_KILLING));
	CHECK(!sh_state_may(SELFHEAL_DOMAIN_STATE_RUNNING, SELFHEAL_DOMAIN_STATE_FROZEN));
}

TEST(state_all_can_happen)
{
	CHECK_INT(reach(SELFHEAL_DOMAIN_STATE_RUNNING), (1u << STATES) - 1);
}

TEST(state_runs_and_open)
{
	/* Runs: the gate lets pass. Open: a verdict is awaited. */
	static const struct {
		bool runs, open;
	} want[STATES] = {
		[SELFHEAL_DOMAIN_STATE_RUNNING] = { true, false },
		[SELFHEAL_DOMAIN_STATE_FREEZING] = { false, true },
		[SELFHEAL_DOMAIN_STATE_FROZEN] = { false, true },
		[SELFHEAL_DOMAIN_STATE_RELEASING] = { false, false },
		[SELFHEAL_DOMAIN_STATE_ROLLING_BACK] = { false, false },
		[SELFHEAL_DOMAIN_STATE_KILLING] = { false, false },
		[SELFHEAL_DOMAIN_STATE_GONE] = { true, false },
	};
	unsigned int s;

	for (s = 0; s < STATES; s++) {
		test_about(names[s]);
		CHECK_INT(sh_state_runs(s), want[s].runs);
		CHECK_INT(sh_state_open(s), want[s].open);
	}
	/* Neither is true of a number that is no state. */
	CHECK(!sh_state_runs(STATES) && !sh_state_open(STATES));
}
