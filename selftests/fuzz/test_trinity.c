// SPDX-License-Identifier: GPL-2.0
/*
 * A third party's fuzzer of system calls, as an unprivileged user, inside a
 * held and then frozen domain: nothing leaves.
 */
#include <kselftest_harness.h>

#include "trinity.h"

FIXTURE(trinity)
{
	struct fuzz f;
};

FIXTURE_SETUP(trinity)
{
	ASSERT_EQ(0, fuzz_begin(&self->f));
}

FIXTURE_TEARDOWN(trinity)
{
	EXPECT_TRUE(fuzz_end(&self->f));
}

/* Or the receivers would prove nothing. */
TEST_F(trinity, unprotected_reaches_the_outside)
{
	EXPECT_TRUE(fuzz_reaches(&self->f, NOBODY));
	TH_LOG("first: %s", self->f.out.what);
}

TEST_F_TIMEOUT(trinity, held_then_frozen, FUZZ_LIMIT)
{
	struct fuzz *f = &self->f;

	EXPECT_TRUE(fuzz_rounds(f, NOBODY)) { TH_LOG("%s", f->out.what); }
	EXPECT_LE(1000, f->calls);
	EXPECT_LT(0, f->held);
}

FUZZ_MAIN
