// SPDX-License-Identifier: GPL-2.0
/* See foreign.h. A list to which is only added while the domain lives. */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "domain.h"
#include "foreign.h"

struct sh_foreign {
	struct list_head node;
	struct eventfd_ctx *ctx;	/* reference */
};

static DEFINE_SPINLOCK(sh_foreign_lock);	/* a leaf: serialises adding */

static bool sh_foreign_find(struct sh_domain *d, const struct eventfd_ctx *ctx)
{
	struct sh_foreign *f;
	bool found = false;

	rcu_read_lock();
	list_for_each_entry_rcu(f, &d->foreign, node)
		found |= f->ctx == ctx;
	rcu_read_unlock();
	return found;
}

bool sh_foreign_has(struct sh_domain *d, struct file *file)
{
	/* As eventfd_ctx_fileget() does; only the address counts here. */
	return sh_foreign_find(d, file->private_data);
}

int sh_foreign_add(struct sh_domain *d, struct file *file)
{
	struct eventfd_ctx *ctx;
	struct sh_foreign *f;
	int err = 0;

	if (sh_foreign_has(d, file))
		return 0;
	f = kmalloc(sizeof(*f), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!f)
		return -ENOMEM;
	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx)) {
		kfree(f);
		return PTR_ERR(ctx);
	}
	f->ctx = ctx;
	spin_lock(&sh_foreign_lock);
	if (sh_foreign_find(d, ctx)) {
		err = -EEXIST;
	} else if (d->nr_foreign >= SH_FOREIGN_MAX) {
		err = -ENOSPC;
	} else {
		d->nr_foreign++;
		list_add_tail_rcu(&f->node, &d->foreign);
	}
	spin_unlock(&sh_foreign_lock);
	if (!err)
		return 0;
	/* Not the last reference: @file has one. */
	eventfd_ctx_put(ctx);
	kfree(f);
	return err == -EEXIST ? 0 : err;
}

void sh_foreign_free(struct sh_domain *d)
{
	struct sh_foreign *f, *next;

	list_for_each_entry_safe(f, next, &d->foreign, node) {
		eventfd_ctx_put(f->ctx);
		kfree(f);
	}
}
