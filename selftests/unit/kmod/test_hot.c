// SPDX-License-Identifier: GPL-2.0
/* The set of pages that a rescue point copies. */
#include "shim.h"
#include "heal/hot.c"
#include "test.h"

static struct sh_hot set;

/* Addresses that lie apart by @stride pages. */
static unsigned long nth(unsigned long i, unsigned long stride)
{
	return 0x7f0000000000ul + i * stride * PAGE_SIZE;
}

TEST(hot_keeps_each_page_once_and_in_order)
{
	unsigned int i, round;

	sh_hot_clear(&set);
	for (round = 0; round < 3; round++)
		for (i = 0; i < 1000; i++)
			CHECK_INT(sh_hot_add(&set, nth(i * 7919 % 1000, 1)), i);
	CHECK_INT(set.nr, 1000);
	for (i = 0; i < 1000; i++)
		CHECK(set.page[i] == nth(i * 7919 % 1000, 1));
}

TEST(hot_is_bounded)
{
	static const unsigned long stride[] = { 1, 2, 512, 1 << 18 };
	unsigned int i, n;

	for (n = 0; n < 4; n++) {
		sh_hot_clear(&set);
		CHECK_INT(set.nr, 0);
		for (i = 0; i < SH_HOT_MAX; i++)
			CHECK_INT(sh_hot_add(&set, nth(i, stride[n])), i);
		CHECK_INT(sh_hot_add(&set, nth(SH_HOT_MAX, stride[n])), -ENOSPC);
		/* Those that are in it are no harm. */
		for (i = 0; i < SH_HOT_MAX; i++)
			CHECK_INT(sh_hot_add(&set, nth(i, stride[n])), i);
		CHECK_INT(set.nr, SH_HOT_MAX);
	}
}
