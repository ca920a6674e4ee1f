/* SPDX-License-Identifier: GPL-2.0 */
/* Callers with less than the control interface asks for. */
#ifndef GUEST_DROP_H
#define GUEST_DROP_H

#include <stdint.h>

/* Keep only these effective and permitted capabilities: 0 or -errno. */
int caps_keep(uint64_t mask);
/* Become root with all capabilities of a new user namespace: 0 or -errno. */
int enter_user_ns(void);

#endif
