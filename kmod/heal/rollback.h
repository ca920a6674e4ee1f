/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verdict rollback. Each process at fault goes back to its own rescue
 * point, each thread in its own context, on its way to user mode; the others
 * stay where they are, and what was born since, thread or process, ends. With
 * nobody at fault all go back that have done something since.
 */
#ifndef SELFHEAL_HEAL_ROLLBACK_H
#define SELFHEAL_HEAL_ROLLBACK_H

#include <linux/types.h>

struct sh_domain;
struct sh_incident;
struct sh_member;

/*
 * Resolve @inc by a rollback; the call at the point that took the poisoned
 * input returns @error (0: end of file, else a negative errno). -EALREADY when somebody was
 * faster, -EBUSY when the domain does not come to a stop, -ENOTRECOVERABLE
 * when there is no way back, and *@why says in words why. Process context,
 * may sleep, no lock held.
 */
int sh_rollback(struct sh_incident *inc, u8 by, int error, const char **why);

/*
 * What the members have put out since their points is released: none of them
 * may go back and forget it. domain->lock held.
 */
void sh_rollback_forbid(struct sh_domain *d);

/* The part of member @m, current, that the rollback has marked; see sh_domain_park(). */
void sh_rollback_member(struct sh_member *m);

/* @m has left its domain, perhaps in the middle of its part. Process context, may sleep. */
void sh_rollback_left(struct sh_member *m);

#endif /* SELFHEAL_HEAL_ROLLBACK_H */
