// SPDX-License-Identifier: GPL-2.0
/* See measure.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>
#include <x86intrin.h>

#include "measure.h"

#define BATCHES 101
/* Of what is measured one at a time; the least counts. */
#define SINGLES 201

void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static int by_value(const void *a, const void *c)
{
	double x = *(const double *)a, y = *(const double *)c;

	return (x > y) - (x < y);
}

void tell(const char *name, const char *state, double *figures, int n)
{
	qsort(figures, n, sizeof(figures[0]), by_value);
	printf("%s %s %.2f %.2f %.2f %.2f %.2f\n", name, state, figures[n / 2], figures[n / 4],
	       figures[n * 3 / 4], figures[0], figures[n - 1]);
	fflush(stdout);
}

void measure(const struct op *op, const char *state)
{
	static double per[SINGLES];
	int batches = op->batch ? BATCHES : SINGLES, size = op->batch ? op->batch : 1;
	int i, n;

	/* Caches of every kind warm up first. */
	for (n = 0; n < size * 3; n++)
		op->run();
	for (i = 0; i < batches; i++) {
		uint64_t start = __rdtsc();

		for (n = 0; n < size; n++)
			op->run();
		per[i] = (double)(__rdtsc() - start) / size;
	}
	tell(op->name, state, per, batches);
}

void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

void same_layout(char **argv)
{
	int old = personality(0xffffffff);

	if (old & ADDR_NO_RANDOMIZE)
		return;
	check(personality(old | ADDR_NO_RANDOMIZE) >= 0, "personality");
	execv("/proc/self/exe", argv);
	check(false, "/proc/self/exe");
}
