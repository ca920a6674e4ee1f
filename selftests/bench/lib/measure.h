/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions per operation, in a machine that counts instructions as time
 * (QEMU -icount shift=0): there the time stamp counter advances by one for each
 * instruction. Elsewhere the figures are cycles and repeat less well.
 *
 * Batches are shorter than a timer tick, so that most have none in them, and the
 * median is free of it.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>

struct op {
	const char *name;
	void (*run)(void);
	int batch;	/* operations; 0: one at a time, for what takes another path now and then */
};

/* False ends the program with the errno. */
void check(bool good, const char *what);

/* Prints a line: name, state, median, quartiles, least and most; sorts. */
void tell(const char *name, const char *state, double *figures, int n);

/* The same of an operation, over its batches. */
void measure(const struct op *op, const char *state);

/* One processor for all that take part: no wakeups across. */
void stay_on_one_cpu(void);

/* The cost of a fork depends on where the mappings lie: no randomisation. Executes anew. */
void same_layout(char **argv);

#endif
