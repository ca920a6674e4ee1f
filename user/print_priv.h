/* SPDX-License-Identifier: GPL-2.0 */
/* The tree between print.c and its two renderers. */
#ifndef HEALCTL_PRINT_PRIV_H
#define HEALCTL_PRINT_PRIV_H

#include "print.h"

enum node_type {
	NODE_VALUE,
	NODE_BLOCK,
	NODE_OBJECT,
	NODE_LIST,
};

struct node {
	enum node_type type;
	enum print_list list;
	enum print_style style;
	bool json_only;
	bool bare;
	const char *key;	/* a literal of the caller */
	json_t *value;		/* scalars */
	char *text;		/* scalars; safe for a terminal */
	struct node **child;
	size_t n;
};

#define PRINT_DEPTH 8

struct print {
	FILE *out;
	const char *prefix;
	bool json;
	bool colour;
	bool one_line;
	bool failed;
	bool utc;
	int64_t clock;
	int err;
	struct node *root;
	struct node *stack[PRINT_DEPTH];
	unsigned int depth;
	struct node *last;
};

/* print.c */
struct node *node_add(struct print *p, enum node_type type, const char *key);

/* print_json.c */
json_t *print_json_string(const char *text, size_t len);
int print_render_json(struct print *p);

/* print_text.c; escaped text has no control characters and is valid UTF-8 */
char *print_escape(const char *text, size_t len, bool lines);
int print_render_text(struct print *p);

#endif
