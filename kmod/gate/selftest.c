// SPDX-License-Identifier: GPL-2.0
/*
 * The self-test of hooks. A hook that is registered and does not fire is the
 * worst there is: a policy that protects nothing and says it does.
 */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/printk.h>

#include "../compat/direct.h"
#include "../compat/entry.h"
#include "selftest.h"

/* The kernel puts a breakpoint there while it changes the instruction. */
#define SH_LOOKS	5
#define SH_LOOK_MS	20

static enum sh_entry sh_look_again(const struct sh_direct *d)
{
	enum sh_entry entry = sh_entry_look(d);
	int i;

	for (i = 1; i < SH_LOOKS && entry == SH_ENTRY_LOST; i++) {
		msleep(SH_LOOK_MS);
		entry = sh_entry_look(d);
	}
	return entry;
}

bool sh_hook_stands(const struct sh_direct *d)
{
	return sh_look_again(d) != SH_ENTRY_LOST;
}

int sh_selftest(const struct sh_direct *d, const char *symbol)
{
	switch (sh_look_again(d)) {
	case SH_ENTRY_DIRECT:
		if (sh_entry_probe(d))
			return 0;
		pr_err("the hook on %s was called and did not answer\n", symbol);
		return -EIO;
	case SH_ENTRY_SHARED:
		return 0;
	default:
		pr_err("the entry of %s does not lead to its hook\n", symbol);
		return -EIO;
	}
}
