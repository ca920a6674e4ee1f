/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that follow from a seed. Each thread has a sequence of its own. */
#ifndef TORTURE_DRAW_H
#define TORTURE_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
	uint64_t state;
};

void draw_seed(struct draw *d, uint64_t seed, uint64_t sequence);
/* 0 to n - 1, and from low to high. */
uint32_t draw_below(struct draw *d, uint32_t n);
int draw_range(struct draw *d, int low, int high);
bool draw_chance(struct draw *d, int percent);

#endif
