/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a member and the outside agree on: requests, records, and the log that
 * a member keeps in memory shared with the outside. A rollback does not undo
 * that log, so it tells what was done and then forgotten.
 */
#ifndef TORTURE_WIRE_H
#define TORTURE_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

#define WIRE_REQUEST	0x71657273u
#define WIRE_RECORD	0x64636572u

#define WIRE_PROCESSES	3		/* of a domain */
#define WIRE_CHANNELS	3		/* of a process */
#define WIRE_THREADS	2		/* of a process: each has channels of its own */
#define WIRE_ENTRIES	16384		/* records of a process, then it is replaced */
#define WIRE_LENGTH_MAX	1024		/* of a record */
#define WIRE_FD_SHARED	3		/* then each channel's input and output */
#define WIRE_FD_FIRST	4

enum wire_op {
	WIRE_SERVE,
	WIRE_SEGV,		/* produce the records, then fault */
	WIRE_ABRT,
	WIRE_ILL,
};

struct wire_request {
	uint32_t magic, id, op, records, length;
};

/* Of @counter each process has one in its own memory, which a rollback puts back; @serial never is. */
struct wire_record {
	uint32_t magic, length;
	uint32_t process, pid, serial, counter, request;
	uint32_t attack;
};

struct wire_entry {
	uint64_t made;			/* before the call that sends it */
	uint64_t wait;			/* before the next wait for input, 0 for none yet */
	uint64_t done;			/* when that had returned */
	uint32_t counter, channel, attack, thread;
	int32_t result;			/* 0 not known, 1 sent, -errno */
};

struct wire_log {
	_Atomic uint32_t pid;
	_Atomic uint32_t serial;	/* entries that have begun */
	uint32_t number;		/* of the process, in the whole run */
	_Atomic uint32_t errors;	/* of input: what a rollback makes of the poisoned one */
	struct wire_entry entry[WIRE_ENTRIES];
};

struct wire_shared {
	_Atomic uint32_t ready, go;
	uint32_t processes, channels, threads;
	uint32_t number[WIRE_PROCESSES][WIRE_CHANNELS];	/* of the channels, in the whole run */
	struct wire_log log[WIRE_PROCESSES];
};

/* CLOCK_BOOTTIME in nanoseconds, as the module's stamps. */
uint64_t wire_now(void);
/* The bytes behind the head of a record, and whether they are those. */
void wire_fill(struct wire_record *r);
int wire_intact(const struct wire_record *r);

#endif
