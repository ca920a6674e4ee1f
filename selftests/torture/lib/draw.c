// SPDX-License-Identifier: GPL-2.0
/* splitmix64: Steele, Lea and Flood, OOPSLA 2014. */
#include "draw.h"

static uint64_t next(struct draw *d)
{
	uint64_t x = d->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void draw_seed(struct draw *d, uint64_t seed, uint64_t sequence)
{
	d->state = sequence;
	d->state = seed ^ next(d);
}

uint32_t draw_below(struct draw *d, uint32_t n)
{
	return (next(d) >> 32) * n >> 32;
}

int draw_range(struct draw *d, int low, int high)
{
	return low + (int)draw_below(d, high - low + 1);
}

bool draw_chance(struct draw *d, int percent)
{
	return draw_below(d, 100) < (uint32_t)percent;
}
