// SPDX-License-Identifier: GPL-2.0
/* The printing layer: the same calls as text and as JSON. */
#include <errno.h>
#include <string.h>

#include <linux/selfheal.h>

#include "capture.h"

static void record(struct print *p)
{
	print_open(p, "thing");
	print_u64(p, "id", 7);
	print_str(p, "long_name", "seven");
	print_bool(p, "on", true);
	print_hex(p, "address", 0xdeadbeef);
	print_size(p, "held_bytes", 64 << 20);
	print_ns(p, "freeze_ns", 1500000);
	print_ms(p, "deadline_ms", 30000);
	print_time(p, "time", 1500000000);
	print_enum(p, "sensor", &sensor_names, SELFHEAL_SENSOR_EXEC);
	print_enum(p, "future", &sensor_names, 99);
	print_u64(p, "raw", 5);
	print_json_only(p);
	print_open_list(p, "words", PRINT_TABLE);
	print_str(p, NULL, "a");
	print_str(p, NULL, "b");
	print_close(p);
	print_open_list(p, "none", PRINT_TABLE);
	print_close(p);
	print_open(p, "inner");
	print_s64(p, "code", -6);
	print_close(p);
	print_block(p, "source", "line 1\nline 2\n", 14);
	print_close(p);
}

TEST(print_record)
{
	check_both(record, "print_record");
}

static void table(struct print *p)
{
	print_open_list(p, "rows", PRINT_TABLE);
	print_open(p, NULL);
	print_u64(p, "id", 1);
	print_str(p, "name", "h\xc3\xa9");
	print_u64(p, "hidden", 1);
	print_json_only(p);
	print_str(p, "last", "x");
	print_close(p);
	print_open(p, NULL);
	print_u64(p, "id", 1000);
	print_str(p, "last", "y");
	print_open_list(p, "many", PRINT_TABLE);
	print_str(p, NULL, "q");
	print_str(p, NULL, "r");
	print_close(p);
	print_dump(p, "data", "AB\n", 3);
	print_close(p);
	print_close(p);
	print_open_list(p, "empty_things", PRINT_TABLE);
	print_close(p);
}

TEST(print_table)
{
	check_both(table, "print_table");
}

static void lines(struct print *p)
{
	print_open_list(p, "lines", PRINT_LINES);
	print_open(p, NULL);
	print_str(p, "place", "file:1:2");
	print_bare(p);
	print_u64(p, "n", 3);
	print_close(p);
	print_close(p);
}

TEST(print_lines)
{
	check_both(lines, "print_lines");
}

static void one_line(struct print *p)
{
	print_one_line(p);
	print_str(p, "event", "opened");
	print_bare(p);
	print_u64(p, "seq", 4);
	print_u64(p, "stamp_ns", 1);
	print_json_only(p);
}

TEST(print_one_line)
{
	check_both(one_line, "print_one_line");
}

/* What a task calls itself must not reach the terminal as a command. */
static void hostile(struct print *p)
{
	print_one_line(p);
	print_str(p, "comm", "a\033[2Jb\nc\x7f");
	print_str(p, "bytes", "x\xff\xc0\x80y");
	print_str(p, "c1", "\xc2\x9b" "31m");
	print_str(p, "bidi", "\xe2\x80\xae");
	print_str(p, "good", "\xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(print_escapes)
{
	check_both(hostile, "print_hostile");
}

static void styled(struct print *p)
{
	print_open(p, "thing");
	print_str(p, "state", "frozen");
	print_style(p, PRINT_WARN);
	print_close(p);
}

TEST(print_colours_only_when_asked)
{
	char *seen = capture_one(styled, false, true);

	CHECK_STR(seen, "state  \033[33mfrozen\033[0m\n");
	free(seen);
	seen = capture_one(styled, true, true);
	CHECK_STR(seen, "{\"schema\":1,\"thing\":{\"state\":\"frozen\"}}\n");
	free(seen);
}

static void extremes(struct print *p)
{
	print_one_line(p);
	print_u64(p, "max", UINT64_MAX);
	print_hex(p, "hex", UINT64_MAX);
	print_s64(p, "min", INT64_MIN);
	print_str(p, "empty", "");
}

TEST(print_extremes)
{
	check_both(extremes, "print_extremes");
}

TEST(print_nothing_is_nothing)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	struct print *p = print_new(f, true, false);

	CHECK_INT(print_flush(p), 0);
	fflush(f);
	CHECK_STR(out, "");
	print_free(p);
	fclose(f);
	free(out);
}

TEST(print_error_closes_what_is_open)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	struct print *p = print_new(f, true, false);

	print_open_list(p, "rows", PRINT_TABLE);
	print_open(p, NULL);
	print_u64(p, "id", 1);
	print_failed(p);
	print_open(p, "error");
	print_str(p, "message", "no");
	print_close(p);
	print_close(p);
	print_close(p);
	CHECK_INT(print_flush(p), 0);
	fflush(f);
	CHECK_STR(out, "{\"schema\":1,\"rows\":[{\"id\":1}],\"error\":{\"message\":\"no\"}}\n");
	print_free(p);
	fclose(f);
	free(out);
}

TEST(print_reports_a_full_disk)
{
	FILE *f = fopen("/dev/full", "w");
	struct print *p = print_new(f, false, false);

	print_str(p, "a", "b");
	CHECK_INT(print_flush(p), -EIO);
	print_free(p);
	fclose(f);
}
