/* SPDX-License-Identifier: GPL-2.0 */
/* Segments of a TCP connection. */
#ifndef GUEST_SEGMENTS_H
#define GUEST_SEGMENTS_H

#include <stdint.h>

/* With data, that @fd has received; 0 for none, and where it is no such socket. */
uint32_t segments_in(int fd);

#endif
