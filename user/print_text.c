// SPDX-License-Identifier: GPL-2.0
/* The printing layer: the tree as text for people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "print_priv.h"

/* Length of the UTF-8 sequence at s, 0 if it is not a printable one. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t len, i;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	len = s[0] >= 0xf0 && s[0] < 0xf8 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	      s[0] >= 0xc0 && s[0] < 0xe0 ? 2 : 0;
	if (!len || len > left)
		return 0;
	code = s[0] & (0xff >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* Overlong forms, surrogates, C1 controls and direction overrides. */
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
	    (code >= 0x80 && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069))
		return 0;
	return len;
}

char *print_escape(const char *text, size_t len, bool lines)
{
	const unsigned char *s = (const unsigned char *)text;
	char *out = malloc(len * 4 + 1), *to = out;
	size_t i = 0, n;

	if (!out)
		return NULL;
	while (i < len) {
		n = utf8_len(s + i, len - i);
		if (lines && (s[i] == '\n' || s[i] == '\t'))
			n = 1;
		if (n) {
			memcpy(to, s + i, n);
			to += n;
			i += n;
		} else {
			to += sprintf(to, "\\x%02x", s[i++]);
		}
	}
	*to = '\0';
	return out;
}

/* Columns on a terminal: characters, not bytes. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* The unit at the end of a key is for JSON; text has it at the value. */
static size_t key_len(const char *key)
{
	size_t len = strlen(key);

	if (len > 3 && (!strcmp(key + len - 3, "_ns") || !strcmp(key + len - 3, "_ms")))
		len -= 3;
	return len;
}

static void put_key(FILE *f, const char *key, bool upper)
{
	size_t i, len = key_len(key);

	for (i = 0; i < len; i++) {
		if (key[i] == '_')
			fputc(' ', f);
		else
			fputc(upper && key[i] >= 'a' && key[i] <= 'z' ? key[i] - 32 : key[i], f);
	}
}

static void put_text(struct print *p, const struct node *node)
{
	static const char *const colours[] = {
		[PRINT_GOOD] = "\033[32m", [PRINT_WARN] = "\033[33m", [PRINT_BAD] = "\033[1;31m",
	};
	bool colour = p->colour && node->style != PRINT_PLAIN;

	if (colour)
		fputs(colours[node->style], p->out);
	fputs(node->text, p->out);
	if (colour)
		fputs("\033[0m", p->out);
}

static void pad(FILE *f, size_t n)
{
	while (n--)
		fputc(' ', f);
}

static void start_line(struct print *p, unsigned int indent)
{
	fputs(p->prefix, p->out);
	pad(p->out, indent);
}

static bool shown(const struct node *node)
{
	return !node->json_only;
}

static bool is_object_list(const struct node *node)
{
	return node->type == NODE_LIST && node->n && node->child[0]->type == NODE_OBJECT;
}

/* Bare values as they are, the others as key=value, all on one line. */
static void put_line(struct print *p, const struct node *object, unsigned int indent)
{
	const struct node *node;
	bool first = true;
	size_t i;

	start_line(p, indent);
	for (i = 0; i < object->n; i++) {
		node = object->child[i];
		if (!shown(node) || node->type != NODE_VALUE)
			continue;
		if (!first)
			fputc(' ', p->out);
		first = false;
		if (!node->bare)
			fprintf(p->out, "%.*s=", (int)key_len(node->key), node->key);
		put_text(p, node);
	}
	fputc('\n', p->out);
}

static void put_block(struct print *p, const struct node *node, unsigned int indent)
{
	const char *line = node->text, *end;

	while (*line) {
		end = strchrnul(line, '\n');
		start_line(p, indent);
		fwrite(line, 1, end - line, p->out);
		fputc('\n', p->out);
		line = *end ? end + 1 : end;
	}
}

/* A scalar, or a list of scalars, after its key. */
static void put_inline(struct print *p, const struct node *node)
{
	size_t i;

	if (node->type == NODE_VALUE) {
		put_text(p, node);
		return;
	}
	if (!node->n)
		fputc('-', p->out);
	for (i = 0; i < node->n; i++) {
		if (i)
			fputs(", ", p->out);
		put_text(p, node->child[i]);
	}
}

/* The columns of a table: every key that a row shows, in order of appearance. */
struct column {
	const char *key;
	size_t width;
};

static const struct node *cell(const struct node *row, const char *key)
{
	size_t i;

	for (i = 0; i < row->n; i++)
		if (shown(row->child[i]) && row->child[i]->type != NODE_OBJECT &&
		    row->child[i]->type != NODE_BLOCK && !strcmp(row->child[i]->key, key))
			return row->child[i];
	return NULL;
}

static size_t cell_width(const struct node *node)
{
	size_t i, sum = 0;

	if (!node || (node->type == NODE_LIST && !node->n))
		return 1;
	if (node->type == NODE_VALUE)
		return width(node->text);
	for (i = 0; i < node->n; i++)
		sum += width(node->child[i]->text) + (i ? 2 : 0);
	return sum;
}

static struct column *collect_columns(const struct node *list, size_t *n)
{
	struct column *columns = malloc(sizeof(*columns)), *grown;
	const struct node *node;
	size_t row, i, j, w;

	*n = 0;
	for (row = 0; columns && row < list->n; row++) {
		for (i = 0; i < list->child[row]->n; i++) {
			node = list->child[row]->child[i];
			if (!cell(list->child[row], node->key) || is_object_list(node))
				continue;
			for (j = 0; j < *n && strcmp(columns[j].key, node->key); j++)
				;
			if (j == *n) {
				grown = reallocarray(columns, *n + 1, sizeof(*columns));
				if (!grown) {
					free(columns);
					return NULL;
				}
				columns = grown;
				columns[(*n)++] = (struct column){ node->key, key_len(node->key) };
			}
			w = cell_width(node);
			if (w > columns[j].width)
				columns[j].width = w;
		}
	}
	return columns;
}

static void put_blocks(struct print *p, const struct node *row, unsigned int indent)
{
	size_t i;

	for (i = 0; i < row->n; i++)
		if (shown(row->child[i]) && row->child[i]->type == NODE_BLOCK)
			put_block(p, row->child[i], indent + 4);
}

static int put_table(struct print *p, const struct node *list, unsigned int indent)
{
	struct column *columns;
	const struct node *node;
	size_t n, row, i;

	columns = collect_columns(list, &n);
	if (!columns)
		return -ENOMEM;
	start_line(p, indent);
	for (i = 0; i < n; i++) {
		put_key(p->out, columns[i].key, true);
		if (i + 1 < n)
			pad(p->out, columns[i].width - key_len(columns[i].key) + 2);
	}
	fputc('\n', p->out);
	for (row = 0; row < list->n; row++) {
		start_line(p, indent);
		for (i = 0; i < n; i++) {
			node = cell(list->child[row], columns[i].key);
			if (node)
				put_inline(p, node);
			else
				fputc('-', p->out);
			if (i + 1 < n)
				pad(p->out, columns[i].width - cell_width(node) + 2);
		}
		fputc('\n', p->out);
		put_blocks(p, list->child[row], indent);
	}
	free(columns);
	return 0;
}

static int put_object(struct print *p, const struct node *object, unsigned int indent);

static int put_list(struct print *p, const struct node *list, unsigned int indent)
{
	int err = 0;
	size_t i;

	if (list->list == PRINT_TABLE)
		return put_table(p, list, indent);
	for (i = 0; i < list->n && !err; i++) {
		if (list->list == PRINT_LINES) {
			put_line(p, list->child[i], indent);
			continue;
		}
		if (i)
			fputc('\n', p->out);
		err = put_object(p, list->child[i], indent);
	}
	return err;
}

static bool is_inline(const struct node *node)
{
	return node->type == NODE_VALUE || (node->type == NODE_LIST && !is_object_list(node));
}

static int put_object(struct print *p, const struct node *object, unsigned int indent)
{
	const struct node *node;
	size_t i, w = 0;
	int err = 0;

	for (i = 0; i < object->n; i++) {
		node = object->child[i];
		if (shown(node) && is_inline(node) && key_len(node->key) > w)
			w = key_len(node->key);
	}
	for (i = 0; i < object->n && !err; i++) {
		node = object->child[i];
		if (!shown(node))
			continue;
		start_line(p, indent);
		put_key(p->out, node->key, false);
		if (is_inline(node)) {
			pad(p->out, w - key_len(node->key) + 2);
			put_inline(p, node);
			fputc('\n', p->out);
			continue;
		}
		fputs(":\n", p->out);
		if (node->type == NODE_BLOCK)
			put_block(p, node, indent + 2);
		else if (node->type == NODE_LIST)
			err = put_list(p, node, indent + 2);
		else
			err = put_object(p, node, indent + 2);
	}
	return err;
}

int print_render_text(struct print *p)
{
	const struct node *root = p->root, *node;
	bool first = true;
	size_t i;
	int err = 0;

	if (p->one_line) {
		put_line(p, root, 0);
		return 0;
	}
	for (i = 0; i < root->n && !err; i++) {
		node = root->child[i];
		if (!shown(node) || (node->type == NODE_LIST && !node->n &&
				     (node->list == PRINT_LINES || p->failed)))
			continue;
		if (!first && node->type != NODE_VALUE && root->child[i - 1]->type != NODE_VALUE)
			fputc('\n', p->out);
		first = false;
		if (node->type == NODE_OBJECT) {
			err = put_object(p, node, 0);
		} else if (is_object_list(node)) {
			err = put_list(p, node, 0);
		} else if (node->type == NODE_LIST && node->list != PRINT_LINES) {
			start_line(p, 0);
			fputs("no ", p->out);
			put_key(p->out, node->key, false);
			fputc('\n', p->out);
		} else if (node->type == NODE_VALUE) {
			start_line(p, 0);
			put_text(p, node);
			fputc('\n', p->out);
		}
	}
	return err;
}
