/* SPDX-License-Identifier: GPL-2.0 */
/* Does a hook fire? */
#ifndef SELFHEAL_GATE_SELFTEST_H
#define SELFHEAL_GATE_SELFTEST_H

#include <linux/types.h>

struct sh_direct;

/*
 * A tap that has just been registered, tried by a real call of its function
 * by the current task; where another tracer has the entry, shown by where it
 * leads. Process context, may sleep, serialised by the caller. 0 or -EIO.
 */
int sh_selftest(const struct sh_direct *d, const char *symbol);

/* Is the tap in place? Looks again for a tenth of a second before it says no. May sleep. */
bool sh_hook_stands(const struct sh_direct *d);

#endif /* SELFHEAL_GATE_SELFTEST_H */
