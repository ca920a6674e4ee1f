/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debian's trinity, a fuzzer of system calls, in a domain that holds
 * everything until a verdict:
 *
 *	test (controller)	receivers of fuzz/lib/outside.h
 *	  `- kid: trinity	in a cgroup that bounds its memory and CPU
 *	       `- its children
 *
 * In rounds: run held, freeze amid of it, look on, kill. Nothing may come to
 * any receiver; while frozen, no call is made, no task born and no time used.
 */
#ifndef FUZZ_TRINITY_H
#define FUZZ_TRINITY_H

#include <stdbool.h>
#include <stdint.h>

#include "outside.h"
#include "rig.h"

#define NOBODY		65534
#define FIRST_FD	3

struct fuzz {
	uid_t uid;		/* what it runs as */
	bool protect;
	unsigned int seed;
	struct outside out;
	struct rig rig;
	/* Over all rounds. */
	uint64_t calls, held;
	unsigned int lives, rounds;
};

/* Is trinity there? If not, the program ends with a skip. */
void fuzz_need(void);
int fuzz_begin(struct fuzz *f);
bool fuzz_end(struct fuzz *f);
/* Unprotected, within a bound: does anything come to the receivers, as it must not below? */
bool fuzz_reaches(struct fuzz *f, uid_t uid);
/* For SELFHEAL_TRINITY seconds; all of the below. False, with the reason printed or in out.what. */
bool fuzz_rounds(struct fuzz *f, uid_t uid);

/* Receivers and the fuzzer before its start: 0 or -errno. */
int fuzz_open(struct fuzz *f, uid_t uid, bool protect);
/* Let it run, for at most ms or until the receivers are touched: true when they are not. */
bool fuzz_run(struct fuzz *f, int ms);
/* Freeze amid, and look on for ms. False, with the reason printed, when anything goes on. */
bool fuzz_freeze(struct fuzz *f, int ms);
/* End all of it; false when something is left. */
bool fuzz_close(struct fuzz *f);

/* The harness ends a test that takes longer; the seconds can be set to any number. */
#define FUZZ_LIMIT 100000

#define FUZZ_MAIN						\
	int main(int argc, char **argv)				\
	{							\
		fuzz_need();					\
		guest_begin();					\
		return guest_end(test_harness_run(argc, argv)); \
	}

#endif
