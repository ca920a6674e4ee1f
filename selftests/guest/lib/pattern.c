// SPDX-License-Identifier: GPL-2.0
/* See pattern.h. */
#include "pattern.h"

static uint64_t word_of(uint32_t seed, unsigned int i)
{
	return seed ? seed * 0x9e3779b97f4a7c15ull + i * 0x2545f4914f6cdd1dull : 0;
}

void page_fill(uint8_t *page, uint32_t seed)
{
	uint64_t *word = (uint64_t *)page;
	unsigned int i;

	for (i = 0; i < PATTERN_PAGE / sizeof(*word); i++)
		word[i] = word_of(seed, i);
}

bool page_is(const uint8_t *page, uint32_t seed)
{
	const uint64_t *word = (const uint64_t *)page;
	unsigned int i;

	for (i = 0; i < PATTERN_PAGE / sizeof(*word); i++)
		if (word[i] != word_of(seed, i))
			return false;
	return true;
}
