/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzz targets share; libFuzzer calls LLVMFuzzerTestOneInput() of each. */
#ifndef SELFHEAL_FUZZ_H
#define SELFHEAL_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken rule is a crash: libFuzzer keeps the input. */
#define MUST(cond)								\
	do {									\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
				__LINE__, #cond);				\
			abort();						\
		}								\
	} while (0)

#endif
