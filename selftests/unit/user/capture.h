/* SPDX-License-Identifier: GPL-2.0 */
/* What the printing layer makes of one sequence of calls: text and JSON. */
#ifndef SELFHEAL_UNIT_CAPTURE_H
#define SELFHEAL_UNIT_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "print.h"
#include "test.h"

struct capture {
	char *text;
	char *json;
};

static inline char *capture_one(void (*fill)(struct print *p), bool json, bool colour)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	struct print *p = print_new(f, json, colour);

	/* The stamps of the tests count from 2026-01-01. */
	print_clock(p, 1767225600000000000ll, true);
	fill(p);
	CHECK_INT(print_flush(p), 0);
	print_free(p);
	fclose(f);
	return out;
}

/* The transcript that a file of transcripts/ holds. */
static inline char *transcript(const char *name, const char *suffix)
{
	char path[128];
	size_t len = 0;

	snprintf(path, sizeof(path), "selftests/unit/user/transcripts/%s.%s", name, suffix);
	return test_read(path, &len);
}

/* Text must be the same to the byte; JSON must be one line with the same members. */
static inline void check_both(void (*fill)(struct print *p), const char *name)
{
	char *seen = capture_one(fill, false, false), *expected = transcript(name, "txt");
	json_t *seen_json, *expected_json;

	CHECK_STR(seen, expected ? expected : "a transcript");
	free(seen);
	free(expected);
	seen = capture_one(fill, true, false);
	expected = transcript(name, "json");
	seen_json = json_loads(seen, JSON_REJECT_DUPLICATES, NULL);
	expected_json = json_loads(expected ? expected : "", JSON_REJECT_DUPLICATES, NULL);
	if (!expected_json || !json_equal(seen_json, expected_json))
		CHECK_STR(seen, expected ? expected : "a transcript");
	CHECK(strchr(seen, '\n') && !strchr(seen, '\n')[1]);
	json_decref(seen_json);
	json_decref(expected_json);
	free(seen);
	free(expected);
}

#endif
