/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one printing layer: a command names each field once, and both the text
 * for people and the JSON for programs come from it.
 *
 * Fields collect in a tree and come out at print_flush(): as JSON with the
 * member "schema" at the top, or as text, where an object becomes aligned lines,
 * a list of objects a table. Allocation and write errors are kept until the flush.
 */
#ifndef HEALCTL_PRINT_H
#define HEALCTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "names.h"

#define PRINT_SCHEMA 1

enum print_style {
	PRINT_PLAIN,
	PRINT_GOOD,
	PRINT_WARN,
	PRINT_BAD,
};

/* How a list of objects looks as text. */
enum print_list {
	PRINT_TABLE,	/* a table with a heading */
	PRINT_LINES,	/* one line each, bare values and key=value */
	PRINT_RECORDS,	/* aligned lines each, a blank line between */
};

struct print;

/* NULL when out of memory. */
struct print *print_new(FILE *out, bool json, bool colour);
void print_free(struct print *p);
bool print_is_json(const struct print *p);

/* The stream and a text put before each text line, such as "<6>". */
void print_output(struct print *p, FILE *out, const char *prefix);
/* The whole answer is one line of text: bare values and key=value. */
void print_one_line(struct print *p);
/* Nanoseconds to add to a CLOCK_BOOTTIME stamp to get the time of day. */
void print_clock(struct print *p, int64_t boot_to_real_ns, bool utc);

/* Objects and lists; key is NULL for an element of a list. */
void print_open(struct print *p, const char *key);
void print_open_list(struct print *p, const char *key, enum print_list style);
void print_close(struct print *p);
/*
 * The operation failed: closes whatever is open, so that an error can be added
 * at the top; an empty list is then no answer, and text leaves it out.
 */
void print_failed(struct print *p);

/* Fields. */
void print_str(struct print *p, const char *key, const char *value);
void print_bool(struct print *p, const char *key, bool value);
void print_u64(struct print *p, const char *key, uint64_t value);
void print_s64(struct print *p, const char *key, int64_t value);
void print_hex(struct print *p, const char *key, uint64_t value);
/* The name of a value; its number when this version knows no name for it. */
void print_enum(struct print *p, const char *key, const struct names *names, uint32_t value);
/* JSON has the number, text a form for people. */
void print_size(struct print *p, const char *key, uint64_t bytes);
void print_ns(struct print *p, const char *key, uint64_t ns);
void print_ms(struct print *p, const char *key, uint64_t ms);
/* A CLOCK_BOOTTIME stamp as time of day. */
void print_time(struct print *p, const char *key, uint64_t stamp);
/* JSON has the hexadecimal digits, text a dump with the printable characters. */
void print_dump(struct print *p, const char *key, const void *data, size_t len);
/* A text of several lines. */
void print_block(struct print *p, const char *key, const char *text, size_t len);
/* JSON gets value (stolen), text gets text; print_string() makes such a value. */
json_t *print_string(const char *text);
void print_json_text(struct print *p, const char *key, json_t *value, const char *text);

/* About the field that was printed last. */
void print_style(struct print *p, enum print_style style);
void print_json_only(struct print *p);
void print_bare(struct print *p);	/* a line shows it without its key */

/* Writes everything and starts anew; 0, -ENOMEM or -EIO. */
int print_flush(struct print *p);

#endif
