// SPDX-License-Identifier: GPL-2.0
/* Durations and sizes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "test.h"
#include "units.h"

TEST(units_durations)
{
	const struct {
		const char *text;
		int err;
		uint64_t ms;
	} rows[] = {
		{ "0ms", 0, 0 }, { "1ms", 0, 1 }, { "50ms", 0, 50 }, { "30s", 0, 30000 },
		{ "2m", 0, 120000 }, { "60m", 0, 3600000 },
		{ "", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "30", -EINVAL, 0 },
		{ "30 s", -EINVAL, 0 }, { "30S", -EINVAL, 0 }, { "-1s", -EINVAL, 0 },
		{ "+1s", -EINVAL, 0 }, { "1.5s", -EINVAL, 0 }, { "1h", -EINVAL, 0 },
		{ " 1s", -EINVAL, 0 }, { "1s ", -EINVAL, 0 }, { "0x10s", -EINVAL, 0 },
		{ "18446744073709551615ms", 0, UINT64_MAX },
		{ "18446744073709551616ms", -ERANGE, 0 },
		{ "18446744073709551615s", -ERANGE, 0 },
		{ "99999999999999999999999999999999m", -ERANGE, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ms = 0;

		test_about(rows[i].text);
		CHECK_INT(units_parse_duration(rows[i].text, &ms), rows[i].err);
		CHECK(ms == rows[i].ms);
	}
}

TEST(units_sizes)
{
	const struct {
		const char *text;
		int err;
		uint64_t bytes;
	} rows[] = {
		{ "0B", 0, 0 }, { "4096B", 0, 4096 }, { "4KiB", 0, 4096 },
		{ "8MiB", 0, 8 << 20 }, { "1GiB", 0, 1 << 30 },
		{ "8MB", -EINVAL, 0 }, { "8M", -EINVAL, 0 }, { "8mib", -EINVAL, 0 },
		{ "8", -EINVAL, 0 }, { "MiB", -EINVAL, 0 }, { "8 MiB", -EINVAL, 0 },
		{ "17179869183GiB", 0, 18446744072635809792ull },
		{ "17179869184GiB", -ERANGE, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t bytes = 0;

		test_about(rows[i].text);
		CHECK_INT(units_parse_size(rows[i].text, &bytes), rows[i].err);
		CHECK(bytes == rows[i].bytes);
	}
}

TEST(units_numbers)
{
	uint64_t value = 7;

	CHECK_INT(units_parse_number("18446744073709551615", &value), 0);
	CHECK(value == UINT64_MAX);
	CHECK_INT(units_parse_number("18446744073709551616", &value), -ERANGE);
	CHECK_INT(units_parse_number("", &value), -EINVAL);
	CHECK_INT(units_parse_number("1x", &value), -EINVAL);
	CHECK_INT(units_parse_number("-1", &value), -EINVAL);
}

TEST(units_formatted_values_read_back)
{
	const uint64_t values[] = {
		0, 1, 59, 60, 999, 1000, 1001, 60000, 61000, 3600000, 4096, 8 << 20, 1 << 30,
		UINT64_MAX,
	};
	char text[32];
	uint64_t back;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		units_format_duration(text, sizeof(text), values[i]);
		test_about(text);
		CHECK_INT(units_parse_duration(text, &back), 0);
		CHECK(back == values[i]);
		units_format_size(text, sizeof(text), values[i]);
		CHECK_INT(units_parse_size(text, &back), 0);
		CHECK(back == values[i]);
	}
	units_format_duration(text, sizeof(text), 90000);
	CHECK_STR(text, "90s");
	units_format_size(text, sizeof(text), 8 << 20);
	CHECK_STR(text, "8MiB");
}

TEST(units_for_people)
{
	char text[32];

	units_human_ns(text, sizeof(text), 999);
	CHECK_STR(text, "999 ns");
	units_human_ns(text, sizeof(text), 1500000);
	CHECK_STR(text, "1.5 ms");
	units_human_size(text, sizeof(text), 10239);
	CHECK_STR(text, "10239 B");
	units_human_size(text, sizeof(text), 8 << 20);
	CHECK_STR(text, "8.0 MiB");
	units_human_size(text, sizeof(text), 64 << 20);
	CHECK_STR(text, "64.0 MiB");
}
