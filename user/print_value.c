// SPDX-License-Identifier: GPL-2.0
/* The printing layer: typed fields. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "print_priv.h"
#include "units.h"

#define NSEC_PER_SEC 1000000000ll

/* Takes over value and text. */
static void add(struct print *p, enum node_type type, const char *key, json_t *value, char *text)
{
	struct node *node = value && text ? node_add(p, type, key) : NULL;

	if (node) {
		node->value = value;
		node->text = text;
		return;
	}
	json_decref(value);
	free(text);
	p->last = NULL;
	if (!p->err)
		p->err = -ENOMEM;
}

void print_json_text(struct print *p, const char *key, json_t *value, const char *text)
{
	add(p, NODE_VALUE, key, value, print_escape(text, strlen(text), false));
}

void print_str(struct print *p, const char *key, const char *value)
{
	print_json_text(p, key, print_json_string(value, strlen(value)), value);
}

void print_bool(struct print *p, const char *key, bool value)
{
	print_json_text(p, key, json_boolean(value), value ? "yes" : "no");
}

/* JSON numbers of jansson are signed. */
static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

void print_u64(struct print *p, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	print_json_text(p, key, number(value), text);
}

void print_s64(struct print *p, const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	print_json_text(p, key, json_integer(value), text);
}

void print_hex(struct print *p, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	print_str(p, key, text);
}

void print_enum(struct print *p, const char *key, const struct names *names, uint32_t value)
{
	const char *name = name_of(names, value);
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, value);
	print_str(p, key, name ? name : text);
}

void print_size(struct print *p, const char *key, uint64_t bytes)
{
	char text[32];

	units_human_size(text, sizeof(text), bytes);
	print_json_text(p, key, number(bytes), text);
}

void print_ns(struct print *p, const char *key, uint64_t ns)
{
	char text[32];

	units_human_ns(text, sizeof(text), ns);
	print_json_text(p, key, number(ns), text);
}

void print_ms(struct print *p, const char *key, uint64_t ms)
{
	char text[32];

	/* Settings are round; a time that is left is not, and need not be exact. */
	if (ms > 1000 && ms % 1000)
		units_human_ns(text, sizeof(text), ms * 1000000);
	else
		units_format_duration(text, sizeof(text), ms);
	print_json_text(p, key, number(ms), text);
}

void print_time(struct print *p, const char *key, uint64_t stamp)
{
	int64_t ns = (int64_t)(stamp & INT64_MAX);
	char day[64], zulu[80], local[80];
	struct tm tm;
	time_t sec;
	int ms;

	if (__builtin_add_overflow(ns, p->clock, &ns) || ns < 0)
		ns = 0;
	sec = ns / NSEC_PER_SEC;
	ms = (int)(ns % NSEC_PER_SEC / 1000000);
	gmtime_r(&sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(zulu, sizeof(zulu), "%s.%03dZ", day, ms);
	if (!p->utc)
		localtime_r(&sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(local, sizeof(local), "%s.%03d", day, ms);
	print_json_text(p, key, json_string(zulu), local);
}

#define DUMP_WIDTH 16

static void dump_line(FILE *f, size_t offset, const unsigned char *data, size_t n)
{
	size_t i;

	fprintf(f, "%06zx ", offset);
	for (i = 0; i < DUMP_WIDTH; i++) {
		if (i < n)
			fprintf(f, " %02x", data[i]);
		else
			fputs("   ", f);
	}
	fputs("  |", f);
	for (i = 0; i < n; i++)
		fputc(data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '.', f);
	fputs("|\n", f);
}

void print_dump(struct print *p, const char *key, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	char *digits = malloc(len * 2 + 1);
	char *text = NULL;
	json_t *value;
	size_t i, size;
	FILE *f;

	f = open_memstream(&text, &size);
	if (!f || !digits) {
		if (f)
			fclose(f);
		free(text);
		free(digits);
		p->err = -ENOMEM;
		return;
	}
	digits[0] = '\0';
	for (i = 0; i < len; i++)
		sprintf(digits + i * 2, "%02x", bytes[i]);
	for (i = 0; i < len; i += DUMP_WIDTH)
		dump_line(f, i, bytes + i, len - i < DUMP_WIDTH ? len - i : DUMP_WIDTH);
	if (fclose(f)) {
		free(text);
		text = NULL;
	}
	value = json_string(digits);
	free(digits);
	add(p, NODE_BLOCK, key, value, text);
}

void print_block(struct print *p, const char *key, const char *text, size_t len)
{
	add(p, NODE_BLOCK, key, print_json_string(text, len), print_escape(text, len, true));
}
