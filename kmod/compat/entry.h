/* SPDX-License-Identifier: GPL-2.0 */
/* What the first instruction of a tapped function does. */
#ifndef SELFHEAL_COMPAT_ENTRY_H
#define SELFHEAL_COMPAT_ENTRY_H

#include <linux/types.h>

struct sh_direct;

enum sh_entry {
	SH_ENTRY_LOST,		/* our trampoline is not called */
	SH_ENTRY_SHARED,	/* by way of ftrace, since somebody else traces it, too */
	SH_ENTRY_DIRECT,	/* it calls the trampoline */
};

/* -EOPNOTSUPP, with a line in the log, when the kernel lacks what this needs. */
int sh_entry_init(void);

/* Of a registered tap. Process context. */
enum sh_entry sh_entry_look(const struct sh_direct *d);

/*
 * Calls the tapped function, by a direct call as its callers do, without
 * arguments: for the current task the trampoline must answer in its place, so
 * only where sh_entry_look() says SH_ENTRY_DIRECT. True when it did. Process
 * context, may sleep; one caller at a time.
 */
bool sh_entry_probe(const struct sh_direct *d);

#endif /* SELFHEAL_COMPAT_ENTRY_H */
