/* SPDX-License-Identifier: GPL-2.0 */
/* One direct ftrace call on one kernel function, on both supported kernels. */
#ifndef SELFHEAL_COMPAT_DIRECT_H
#define SELFHEAL_COMPAT_DIRECT_H

#include <linux/ftrace.h>
#include <linux/types.h>

struct sh_direct {
	struct ftrace_ops ops;
	unsigned long addr;
	unsigned long tramp;
};

/* Process context, may sleep. -EBUSY when somebody else has a direct call there. */
int sh_direct_register(struct sh_direct *d, unsigned long addr, void (*tramp)(void));

/*
 * Process context, may sleep. A task may still be inside the trampoline when
 * this returns: synchronize_rcu_tasks() before the text goes.
 */
int sh_direct_unregister(struct sh_direct *d);

/*
 * Keep kernel.ftrace_enabled=0 refused while any tap is in use, by a
 * permanent ftrace_ops on @addr that does nothing else.
 */
int sh_direct_pin(unsigned long addr);
void sh_direct_unpin(void);

#endif /* SELFHEAL_COMPAT_DIRECT_H */
