/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that pass or not by their arguments. Only registers are looked at:
 * what they hold when the gate sees them is what the call gets, while user
 * memory and descriptors can be swapped in between.
 */
#ifndef SELFHEAL_GATE_JUDGE_H
#define SELFHEAL_GATE_JUDGE_H

#include <linux/types.h>

struct sh_domain;

enum sh_judge {
	SH_JUDGE_NONE,
	/* Does it wait for input? */
	SH_JUDGE_FD,		/* unless its first descriptor is a plain file */
	SH_JUDGE_FUTEX,
	SH_JUDGE_FCNTL,
	/* The same, and is it of a channel? */
	SH_JUDGE_IOCTL,
	SH_JUDGE_SOCKETCALL,
	/* Is it of a channel? Nothing else from here on. */
	SH_JUDGE_CHANNEL,
	SH_JUDGE_SOCKOPT = SH_JUDGE_CHANNEL,
	SH_JUDGE_SHMCTL,
	SH_JUDGE_SEMCTL,
	SH_JUDGE_MSGCTL,
	SH_JUDGE_ADVICE,
	SH_JUDGE_PRCTL,
	SH_JUDGE_PID,		/* the first argument: 0 or a member's passes */
	SH_JUDGE_PRIORITY,
	SH_JUDGE_IOPRIO,
	SH_JUDGE_PRLIMIT,
};

/* The argument registers, as the call's ABI has them. */
struct sh_args {
	unsigned long v[4];
};

/*
 * Process context. The first is a hint only, and may look at a descriptor: a
 * wrong answer commits what would be committed at the next wait.
 */
bool sh_judge_waits(enum sh_judge judge, const struct sh_args *args);

/* Does the call do what its channel is there for? @d is current's domain. */
bool sh_judge_concerns(enum sh_judge judge, const struct sh_args *args, const struct sh_domain *d);

/* Is it about a controller? */
bool sh_judge_reaches(enum sh_judge judge, const struct sh_args *args);

#endif /* SELFHEAL_GATE_JUDGE_H */
