// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <time.h>

#include "stream.h"
#include "wire.h"

uint64_t wire_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void wire_fill(struct wire_record *r)
{
	pattern_fill(r + 1, r->serial, r->length - sizeof(*r));
}

int wire_intact(const struct wire_record *r)
{
	uint8_t want[WIRE_LENGTH_MAX];

	pattern_fill(want, r->serial, r->length - sizeof(*r));
	return !memcmp(r + 1, want, r->length - sizeof(*r));
}
