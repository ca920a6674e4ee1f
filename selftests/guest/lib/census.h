/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who of a family is alive, by what /proc says and not by what the domain
 * lists: a family carries a name (PR_SET_NAME) that its descendants inherit.
 */
#ifndef GUEST_CENSUS_H
#define GUEST_CENSUS_H

#include <stdbool.h>

#include "nl_domain.h"

#define CENSUS_NAME	"sh-family"

struct census {
	unsigned int alive;		/* neither dying nor dead */
	unsigned int strangers;		/* of these, no members of the domain */
	uint32_t stranger;		/* one of them */
};

/* Count the tasks of the name; @d NULL for "no domain": all are strangers. */
void census_take(const struct domain *d, struct census *c);
/* Wait until nobody of the name is alive. */
bool census_empty(int ms);
/* End all of the name with SIGKILL, until nobody is left or the bound. */
bool census_kill(int ms);

#endif
