/* SPDX-License-Identifier: GPL-2.0 */
/* Memory under pressure: swapped, moved, merged all the time. As root. */
#ifndef GUEST_PRESS_H
#define GUEST_PRESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Compressed swap in memory; false where this kernel has none. */
bool swap_on(void);
void swap_off(void);

/* Put @member under pressure: the process that does it, or -1. */
pid_t press_on(pid_t member);
void press_off(pid_t helper);

#endif
