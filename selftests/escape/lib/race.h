/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Races against the judgement of a call. A worker in a domain that holds everything until a
 * verdict makes an attempt over and over, while a flipper changes what the attempt is made of:
 * memory, descriptors, paths. The controller meanwhile freezes and releases the domain, again and
 * again, at any moment. Each time, frozen:
 *
 *	nothing has arrived since the last release was through	(else: escape)
 * and after the release:
 *	what arrives is what was held: as many bytes, and the same bytes as the dump showed
 *
 * Flippers sleep some microseconds now and then: where CPUs are emulated by turns, that is what
 * makes them meet the worker at any instruction, instead of at the end of its time slice.
 */
#ifndef ESCAPE_RACE_H
#define ESCAPE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rig.h"
#include "stream.h"

#define RACE_TRIES 20000	/* the environment's RACE_TRIES goes before it */
#define RACE_RX 4
#define RACE_SHARED (64 << 10)

enum race_who {
	BY_THREAD = 1,		/* of the worker's process */
	BY_VM = 2,		/* a process that shares memory and descriptors with it */
	BY_OUTSIDER = 4,	/* no member; shares x->shared */
};

struct race;

struct race_case {
	const char *row, *channel, *note;
	enum race_who flippers;		/* taken in turn, with a part of the tries each */
	unsigned int divide;		/* costly: this part of the tries; 0 is 1 */
	int (*open)(struct race *x);	/* outside: rx, tx, fd: 0 or -errno */
	/* In the worker: bytes that the call says it took, or -errno. */
	long (*attempt)(struct race *x, unsigned int i);
	void (*flip)(struct race *x, unsigned int k);
	void (*prepare)(struct race *x);	/* in the worker, after it became a member */
	void (*policy)(struct policy *p);
	/* Outside, once nothing is under way: the case's own checks; false with race_fail(). */
	bool (*check)(struct race *x);
	void (*close)(struct race *x);
	bool content;	/* one object: compare what was held with what came, byte by byte */
	unsigned int only;	/* of this channel alone comes anything to rx; 0: of any */
	bool drops;	/* errors that only the object finds, at the commit, are of the game */
	bool exact;	/* every byte that an attempt reported was held */
};

struct race {
	const struct race_case *how;
	enum race_who who;
	unsigned int tries;
	int rx[RACE_RX];	/* what arrives here was held */
	int tx[RACE_RX];
	int fd[RACE_RX];	/* the case's own, also in the member */
	char *shared;		/* RACE_SHARED bytes that all of them see */
	char dir[64];		/* for files of the case, removed at the end */
	void *priv;
	uint64_t came, dropped;	/* bytes */
	struct rig r;
	/* The tally. */
	unsigned int cycles, torn;
	bool escaped, failed;
	char why[160];
	/* The driver's. */
	char *held, *got;
	size_t held_len, got_len, held_only;
	pid_t outsider;
};

/* page->count: */
#define RACE_DONE 0		/* attempts made */
#define RACE_BYTES 1		/* bytes that they reported */
#define RACE_ERRORS 2		/* attempts that failed */
#define RACE_FLIPS 3
#define RACE_OWN 8		/* from here on the case's own */

/* Outside: something is wrong, by the text; returns false. */
bool race_fail(struct race *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Outside: something left; returns false. */
bool race_escape(struct race *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The tries of a case on this run. */
unsigned int race_tries(const struct race_case *how);
/* Some microseconds, not always the same. */
void race_nap(unsigned int k);

/* For programs that do without race_run(): the plan, and the exit status. */
void race_begin(unsigned int n);
int race_end(void);
/* One case as a KTAP result and a row of the table. */
void race_tell(const struct race_case *how, struct race *x, unsigned int tries, uint64_t flips);
int race_run(const struct race_case *cases, unsigned int n);

#define RACE_MAIN(cases)						\
	int main(void)							\
	{								\
		guest_begin();						\
		return guest_end(race_run(cases, sizeof(cases) / sizeof((cases)[0]))); \
	}

#endif
