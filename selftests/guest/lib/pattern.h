/* SPDX-License-Identifier: GPL-2.0 */
/* Pages whose contents follow from a number. */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_PAGE 4096ul

/* Of seed 0: zeros. @page is aligned to 8 bytes. */
void page_fill(uint8_t *page, uint32_t seed);
bool page_is(const uint8_t *page, uint32_t seed);

#endif
