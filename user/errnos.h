/* SPDX-License-Identifier: GPL-2.0 */
/* Error numbers by the names that errno(3) gives them, and "eof" for none. */
#ifndef HEALCTL_ERRNOS_H
#define HEALCTL_ERRNOS_H

#include <stdint.h>

#define ERRNO_MAX 4095

/* 0 for "eof"; -1 for a text that is no name. */
int errno_from_name(const char *name);

/* "eof" for 0, NULL for a number without a name. */
const char *errno_name(uint32_t number);

#endif
