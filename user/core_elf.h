/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a frozen process as an ELF core file. */
#ifndef HEALCTL_CORE_ELF_H
#define HEALCTL_CORE_ELF_H

#include <stddef.h>

#include "containers.h"

/*
 * Write the process of @incident, which is open, to @fd, a new regular file:
 * what gdb needs. The thread at fault comes first, with the registers of the
 * evidence; of the others the kernel tells only where they stand. -1 with a
 * text in @why.
 */
int core_write(int fd, const struct incident *incident, char *why, size_t size);

#endif
