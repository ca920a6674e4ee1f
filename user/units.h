/* SPDX-License-Identifier: GPL-2.0 */
/* Durations and sizes as people write them: a whole number and a unit. */
#ifndef HEALCTL_UNITS_H
#define HEALCTL_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* "50ms", "30s", "2m" to milliseconds; -EINVAL, or -ERANGE beyond 64 bits. */
int units_parse_duration(const char *text, uint64_t *ms);

/* "512B", "64KiB", "8MiB", "1GiB" to bytes; -EINVAL, or -ERANGE. */
int units_parse_size(const char *text, uint64_t *bytes);

/* A plain decimal number; -EINVAL, or -ERANGE. */
int units_parse_number(const char *text, uint64_t *value);

/* The shortest exact form that the parsers above read back. */
void units_format_duration(char *buf, size_t size, uint64_t ms);
void units_format_size(char *buf, size_t size, uint64_t bytes);

/* For people: three digits or so, not exact. */
void units_human_ns(char *buf, size_t size, uint64_t ns);
void units_human_size(char *buf, size_t size, uint64_t bytes);

#endif
