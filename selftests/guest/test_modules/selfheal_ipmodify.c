// SPDX-License-Identifier: GPL-2.0
/*
 * For guest/test_watch: what a livepatch is to ftrace. Sits on the entry of
 * the function @symbol with the right to send its callers elsewhere, which it
 * does not use; loads only if ftrace lets it.
 */
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

static char *symbol = "pipe_write";
module_param(symbol, charp, 0444);

static void notrace nothing(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *op,
			    struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func = nothing,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init ipmodify_init(void)
{
	int err = ftrace_set_filter(&ops, symbol, strlen(symbol), 1);

	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	return err;
}

static void __exit ipmodify_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(ipmodify_init);
module_exit(ipmodify_exit);

MODULE_DESCRIPTION("Test of selfheal: may redirect a function, as a livepatch may");
MODULE_LICENSE("GPL");
