// SPDX-License-Identifier: GPL-2.0
/* Durations and sizes as people write them: a whole number and a unit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{ "m", 60 * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "GiB", 1 << 30 },
	{ "MiB", 1 << 20 },
	{ "KiB", 1 << 10 },
	{ "B", 1 },
	{ NULL, 0 },
};

/* Reads the digits at *text and moves it past them. */
static int parse_digits(const char **text, uint64_t *value)
{
	const char *p = *text;
	uint64_t sum = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*p - '0'), &sum))
			return -ERANGE;
	*text = p;
	*value = sum;
	return 0;
}

static int parse_unit(const char *text, const struct unit *unit, uint64_t *value)
{
	uint64_t number;
	int err;

	err = parse_digits(&text, &number);
	if (err)
		return err;
	for (; unit->name; unit++) {
		if (strcmp(text, unit->name))
			continue;
		if (__builtin_mul_overflow(number, unit->factor, &number))
			return -ERANGE;
		*value = number;
		return 0;
	}
	return -EINVAL;
}

int units_parse_duration(const char *text, uint64_t *ms)
{
	return parse_unit(text, durations, ms);
}

int units_parse_size(const char *text, uint64_t *bytes)
{
	return parse_unit(text, sizes, bytes);
}

int units_parse_number(const char *text, uint64_t *value)
{
	uint64_t number;
	int err;

	err = parse_digits(&text, &number);
	if (err)
		return err;
	if (*text)
		return -EINVAL;
	*value = number;
	return 0;
}

static void format_unit(char *buf, size_t size, const struct unit *unit, uint64_t value)
{
	while (unit->factor > 1 && (value < unit->factor || value % unit->factor))
		unit++;
	snprintf(buf, size, "%" PRIu64 "%s", value / unit->factor, unit->name);
}

void units_format_duration(char *buf, size_t size, uint64_t ms)
{
	format_unit(buf, size, durations, ms);
}

void units_format_size(char *buf, size_t size, uint64_t bytes)
{
	format_unit(buf, size, sizes, bytes);
}

void units_human_ns(char *buf, size_t size, uint64_t ns)
{
	if (ns < 1000)
		snprintf(buf, size, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(buf, size, "%.1f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, size, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(buf, size, "%.2f s", (double)ns / 1e9);
}

void units_human_size(char *buf, size_t size, uint64_t bytes)
{
	if (bytes < 10 * 1024)
		snprintf(buf, size, "%" PRIu64 " B", bytes);
	else if (bytes < 1024 * 1024)
		snprintf(buf, size, "%.1f KiB", (double)bytes / 1024);
	else
		snprintf(buf, size, "%.1f MiB", (double)bytes / (1024 * 1024));
}
