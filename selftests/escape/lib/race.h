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

#define RACE_TRIES 6000	/* the environment's RACE_TRIES goes before it; RACE_ONLY is a row */
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
	/* Rows of other programs that go by the same judgement, with blanks between them. */
	const char *covers;
	/* Outside: rx, tx, fd. 0 or -errno; -ENODEV when this kernel has no such thing. */
	int (*open)(struct race *x);
	/* In the worker: bytes that the call says it took, or -errno. */
	long (*attempt)(struct race *x, unsigned int i);
	void (*flip)(struct race *x, unsigned int k);
	void (*prepare)(struct race *x);	/* in the worker, after it became a member */
	void (*policy)(struct policy *p);
	/* Outside, again and again: take in what comes past rx. */
	void (*drain)(struct race *x);
	/* Outside, once nothing is under way: the case's own checks; false with race_fail(). */
	bool (*check)(struct race *x);
	void (*close)(struct race *x);
	/*
	 * For cases that have a way of their own: what the member is (it goes on by page_go(2)
	 * where there is ready()), what the outside does before it is enrolled, and then.
	 */
	child_fn worker;
	int (*ready)(struct race *x);
	bool (*drive)(struct race *x);
	const void *data;	/* the case's own */
	bool passes;	/* a gap that is known, shown to be one */
	/* In the worker: it may end after its tries, since it has met what it came for. */
	bool (*enough)(const struct race *x);
	bool calm;	/* no freezes meanwhile */
	/*
	 * The control, which has no attempt: without a domain, look at what a call is made of, make
	 * it, and tell whether it did something else. It goes on until it did: such a judge is
	 * fooled by this flipper, so the flipper does meet the window.
	 */
	bool (*fooled)(struct race *x, unsigned int i);
	bool content;	/* one object: compare what was held with what came, byte by byte */
	unsigned int only;	/* of this channel alone comes anything to rx; 0: of any */
	unsigned int header;	/* bytes of each message that the kernel puts before it */
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
	uint64_t came, passed, dropped;	/* bytes: at rx, and by drain() */
	struct rig r;
	/* The tally. */
	unsigned int cycles, torn;
	bool escaped, failed, absent;
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
/* The flipper, of a struct race. */
void *race_flip_thread(void *x);
/* One case with one kind of flipper; the number of flips. */
uint64_t race_with(struct race *x);
/* The parts of a cycle, for drive(): false when something is wrong, which is told. */
bool race_freeze(struct race *x, uint64_t *id);
/* Nothing has come beyond what was let go @before. */
bool race_silent(struct race *x, uint64_t before);
bool race_release(struct race *x, uint64_t id, uint64_t *before, struct domain *d);
void race_dir_remove(struct race *x);
/* Close rx, tx and fd. */
void race_shut(struct race *x);
/* Is it among what RACE_ONLY leaves? */
bool race_chosen(const char *row);
/* Outside: rx[i] and tx[i] of a pair of that kind, with room for all that a release lets go. */
int race_pair(struct race *x, int i, enum channel_kind kind);
/* Unix datagram sockets made now have room for a release, too. */
void race_deep(bool deep);
/* -errno, or what the call gave. */
long race_result(long n);
/* One case as a KTAP result and a row of the table. */
void race_tell(const struct race_case *how, struct race *x, unsigned int tries, uint64_t flips);
/* A control as a KTAP result; it is no row. */
void race_tell_control(const struct race_case *how, const struct race *x);
int race_run(const struct race_case *cases, unsigned int n);

#define RACE_MAIN(cases)						\
	int main(void)							\
	{								\
		guest_begin();						\
		return guest_end(race_run(cases, sizeof(cases) / sizeof((cases)[0]))); \
	}

#endif
