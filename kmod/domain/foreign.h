/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Eventfds that somebody outside a domain may share: those that it had when
 * it began and those that it was sent. Each is kept by a reference, so that
 * a new one cannot be taken for it.
 */
#ifndef SELFHEAL_DOMAIN_FOREIGN_H
#define SELFHEAL_DOMAIN_FOREIGN_H

#include <linux/types.h>

struct file;
struct sh_domain;

/* Task context, under any lock but RCU callbacks'. -ENOMEM, -ENOSPC. */
int sh_foreign_add(struct sh_domain *d, struct file *file);

/* Task context, never sleeps. */
bool sh_foreign_has(struct sh_domain *d, struct file *file);

/* Nobody else has @d any more. */
void sh_foreign_free(struct sh_domain *d);

#endif /* SELFHEAL_DOMAIN_FOREIGN_H */
