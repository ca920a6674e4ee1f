// SPDX-License-Identifier: GPL-2.0
/*
 * For guest/test_cycles, which must notice it: each load of it leaks an object
 * of @bytes, as a module with a forgotten kfree() would.
 */
#include <linux/init.h>
#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/slab.h>

static unsigned int bytes = 192;
module_param(bytes, uint, 0444);

static int __init leak_init(void)
{
	void *lost = kmalloc(bytes, GFP_KERNEL);

	/* On purpose: a kernel that looks for leaks need not tell. */
	kmemleak_not_leak(lost);
	return lost ? 0 : -ENOMEM;
}

static void __exit leak_exit(void)
{
}

module_init(leak_init);
module_exit(leak_exit);

MODULE_DESCRIPTION("Test of selfheal: leaks on purpose");
MODULE_LICENSE("GPL");
