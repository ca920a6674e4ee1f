// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

void record_init(struct record *r)
{
	memset(r, 0, sizeof(*r));
	r->size = 1 << 16;
	r->text = calloc(1, r->size);
}

void record_free(struct record *r)
{
	free(r->text);
	memset(r, 0, sizeof(*r));
}

int record_pid(struct record *r, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < r->pids; i++)
		if (r->pid[i] == pid)
			return i;
	if (r->pids == RECORD_PIDS)
		return -1;
	r->pid[r->pids] = pid;
	return r->pids++;
}

static void put(struct record *r, const char *text, size_t n)
{
	if (r->len + n + 1 > r->size) {
		r->size = 2 * (r->len + n + 1);
		r->text = realloc(r->text, r->size);
		if (!r->text)
			abort();
	}
	memcpy(r->text + r->len, text, n);
	r->len += n;
	r->text[r->len] = '\0';
}

/* The end of a number at @p: hexadecimal ones are addresses, some others process ids. */
static const char *put_number(struct record *r, const char *p)
{
	char word[32], *end;
	unsigned long long n;
	unsigned int i;

	if (p[0] == '0' && p[1] == 'x') {
		for (p += 2; isxdigit((unsigned char)*p); p++)
			;
		put(r, "ADDR", 4);
		return p;
	}
	n = strtoull(p, &end, 10);
	for (i = 0; i < r->pids; i++) {
		if (n == (unsigned long long)r->pid[i]) {
			put(r, word, snprintf(word, sizeof(word), "PID%u", i));
			return end;
		}
	}
	put(r, p, end - p);
	return end;
}

void record_line(struct record *r, int who, const char *line)
{
	char head[16], last = '\0';
	const char *p = line;

	put(r, head, snprintf(head, sizeof(head), "%d: ", who));
	while (*p && *p != '\n') {
		const char *from = p;

		if (isdigit((unsigned char)*p) && !isalnum((unsigned char)last) && last != '_' &&
		    last != '\\') {
			p = put_number(r, p);
		} else if (!strncmp(p, "getrandom(\"", 11)) {
			put(r, "getrandom(RANDOM", 16);
			for (p += 11; *p && *p != '"'; p++)
				if (*p == '\\' && p[1])
					p++;
			p += *p == '"';
		} else {
			put(r, p++, 1);
		}
		last = p[-1];
		if (p == from)
			break;
	}
	put(r, "\n", 1);
	r->lines++;
}

bool record_same(const struct record *a, const struct record *b)
{
	const char *p = a->text, *q = b->text;
	int line = 1;

	if (!strcmp(p, q))
		return true;
	while (*p && *q) {
		size_t n = strcspn(p, "\n"), m = strcspn(q, "\n");

		if (n != m || memcmp(p, q, n)) {
			printf("# line %d without a domain: %.*s\n", line, (int)n, p);
			printf("# line %d in a domain:      %.*s\n", line, (int)m, q);
			return false;
		}
		p += n + (p[n] != '\0');
		q += m + (q[m] != '\0');
		line++;
	}
	printf("# line %d is there only %s: %.*s\n", line,
	       *p ? "without a domain" : "in a domain",
	       (int)strcspn(*p ? p : q, "\n"), *p ? p : q);
	return false;
}
