// SPDX-License-Identifier: GPL-2.0
/*
 * A third party's fuzzer of system calls, as a member that is root, inside a
 * held and then frozen domain: nothing leaves.
 */
#include <kselftest_harness.h>

#include "trinity.h"

FIXTURE(trinity_root)
{
	struct fuzz f;
};

FIXTURE_SETUP(trinity_root)
{
	ASSERT_EQ(0, fuzz_begin(&self->f));
}

FIXTURE_TEARDOWN(trinity_root)
{
	EXPECT_TRUE(fuzz_end(&self->f));
}

TEST_F_TIMEOUT(trinity_root, held_then_frozen, FUZZ_LIMIT)
{
	struct fuzz *f = &self->f;

	EXPECT_TRUE(fuzz_rounds(f, 0)) { TH_LOG("%s", f->out.what); }
	EXPECT_LE(1000, f->calls);
	EXPECT_LT(0, f->held);
}

FUZZ_MAIN
