// SPDX-License-Identifier: GPL-2.0
/* Direct ftrace calls; serialised by the caller (gate/hooks.c). */
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/string.h>

#include "direct.h"
#include "kernel.h"

int sh_direct_register(struct sh_direct *d, unsigned long addr, void (*tramp)(void))
{
	int err;

	d->addr = addr;
	d->tramp = (unsigned long)tramp;
#if SH_KERNEL_6_1
	err = register_ftrace_direct(d->addr, d->tramp);
#else
	memset(&d->ops, 0, sizeof(d->ops));
	err = ftrace_set_filter_ip(&d->ops, d->addr, 0, 0);
	if (err)
		return err;
	err = register_ftrace_direct(&d->ops, d->tramp);
	if (err)
		ftrace_free_filter(&d->ops);
#endif
	return err;
}

int sh_direct_unregister(struct sh_direct *d)
{
#if SH_KERNEL_6_1
	return unregister_ftrace_direct(d->addr, d->tramp);
#else
	return unregister_ftrace_direct(&d->ops, d->tramp, true);
#endif
}

#if SH_KERNEL_6_1
/* The kernel's own direct_ops is permanent on 6.1. */
int sh_direct_pin(unsigned long addr)
{
	return 0;
}

void sh_direct_unpin(void)
{
}
#else
static void notrace sh_direct_pin_func(unsigned long ip, unsigned long parent_ip,
				       struct ftrace_ops *op, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops sh_direct_pin_ops;

int sh_direct_pin(unsigned long addr)
{
	int err;

	memset(&sh_direct_pin_ops, 0, sizeof(sh_direct_pin_ops));
	sh_direct_pin_ops.func = sh_direct_pin_func;
	sh_direct_pin_ops.flags = FTRACE_OPS_FL_PERMANENT;
	err = ftrace_set_filter_ip(&sh_direct_pin_ops, addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&sh_direct_pin_ops);
	if (err)
		ftrace_free_filter(&sh_direct_pin_ops);
	return err;
}

void sh_direct_unpin(void)
{
	unregister_ftrace_function(&sh_direct_pin_ops);
	ftrace_free_filter(&sh_direct_pin_ops);
}
#endif
