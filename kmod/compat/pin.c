// SPDX-License-Identifier: GPL-2.0
/*
 * A module that cannot be unloaded. A reference alone does not do: the flag
 * of `rmmod -f' takes a module away whatever its references say. One that
 * another module uses is refused before that, so ours uses itself.
 */
#include <linux/list.h>
#include <linux/module.h>

#include "pin.h"

void sh_module_pin(void)
{
#ifdef CONFIG_MODULE_UNLOAD
	/*
	 * The kernel's writers of this list are modules that use symbols of
	 * ours, and we export none; its readers see the whole entry or none.
	 */
	static struct module_use use = { .source = THIS_MODULE, .target = THIS_MODULE };

	INIT_LIST_HEAD(&use.target_list);
	list_add_rcu(&use.source_list, &THIS_MODULE->source_list);
#endif
	__module_get(THIS_MODULE);
}
