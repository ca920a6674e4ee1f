/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of the module, by name. */
#ifndef GUEST_NL_STATUS_H
#define GUEST_NL_STATUS_H

#include "nl_client.h"

/* The counter's value, or -errno; -ENOENT when there is none of that name. */
int64_t status_counter(struct nlc *c, const char *name);

#endif
