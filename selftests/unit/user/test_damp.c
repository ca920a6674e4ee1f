// SPDX-License-Identifier: GPL-2.0
/* The agent's kill-limit. */
#include "damp.h"
#include "test.h"

TEST(damp_counts_each_policy)
{
	struct damp d = { 0 };

	CHECK_INT(damp_take(&d, "a", 2, 1000, 5000), 0);
	CHECK_INT(damp_take(&d, "a", 2, 1000, 5300), 0);
	CHECK_INT(damp_take(&d, "a", 2, 1000, 5400), 600);
	CHECK_INT(damp_take(&d, "b", 2, 1000, 5400), 0);
	CHECK_INT(damp_take(&d, "a", 2, 1000, 5999), 1);
	CHECK_INT(damp_take(&d, "a", 2, 1000, 6000), 0);
	/* The second is the oldest now. */
	CHECK_INT(damp_take(&d, "a", 2, 1000, 6001), 299);
	damp_release(&d);
}

TEST(damp_limits_change_with_the_policy)
{
	struct damp d = { 0 };
	int i;

	for (i = 0; i < 50; i++)
		CHECK_INT(damp_take(&d, "a", 0, 1000, 5000), 0);
	CHECK_INT(damp_take(&d, "a", 1, 1000, 5000), 0);
	CHECK_INT(damp_take(&d, "a", 1, 1000, 5000), 1000);
	CHECK_INT(damp_take(&d, "a", 2, 1000, 5000), 0);
	damp_release(&d);
}
