/* SPDX-License-Identifier: GPL-2.0 */
/* Verdicts: the one place where an incident is resolved. */
#ifndef SELFHEAL_HEAL_VERDICT_H
#define SELFHEAL_HEAL_VERDICT_H

#include <linux/types.h>

struct sh_domain;
struct sh_incident;

/*
 * Resolve @inc with @verdict, release or kill; for rollback see rollback.h.
 * -EALREADY when somebody was faster, -EAGAIN for a kill by rule or deadline
 * that the policy's kill-limit forbids now. Process context, may sleep, no
 * lock held.
 */
int sh_verdict(struct sh_incident *inc, u8 verdict, u8 by);

/* The last member of @d died before a verdict: drop and close. Process context. */
void sh_verdict_death(struct sh_domain *d);

void sh_verdict_init(void);

#endif /* SELFHEAL_HEAL_VERDICT_H */
