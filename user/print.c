// SPDX-License-Identifier: GPL-2.0
/* The printing layer: the tree of fields. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "print_priv.h"

static void node_free(struct node *node)
{
	size_t i;

	if (!node)
		return;
	for (i = 0; i < node->n; i++)
		node_free(node->child[i]);
	json_decref(node->value);
	free(node->text);
	free(node->child);
	free(node);
}

/* Adds a node to the open object or list; NULL after noting the error. */
struct node *node_add(struct print *p, enum node_type type, const char *key)
{
	struct node *parent, *node, **child;

	if (!p->root)
		p->root = p->stack[0] = calloc(1, sizeof(*p->root));
	parent = p->stack[p->depth];
	if (!parent || p->err)
		goto fail;
	p->stack[0]->type = NODE_OBJECT;
	node = calloc(1, sizeof(*node));
	child = reallocarray(parent->child, parent->n + 1, sizeof(*child));
	if (child)
		parent->child = child;
	if (!node || !child) {
		free(node);
		goto fail;
	}
	node->type = type;
	node->key = key;
	parent->child[parent->n++] = node;
	p->last = node;
	return node;
fail:
	p->last = NULL;
	p->err = -ENOMEM;
	return NULL;
}

static void reset(struct print *p)
{
	node_free(p->root);
	p->root = NULL;
	p->last = NULL;
	p->depth = 0;
	p->stack[0] = NULL;
	p->one_line = false;
	p->failed = false;
	p->err = 0;
}

struct print *print_new(FILE *out, bool json, bool colour)
{
	struct print *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->out = out;
	p->json = json;
	p->colour = colour;
	p->prefix = "";
	return p;
}

void print_free(struct print *p)
{
	if (!p)
		return;
	reset(p);
	free(p);
}

bool print_is_json(const struct print *p)
{
	return p->json;
}

void print_output(struct print *p, FILE *out, const char *prefix)
{
	p->out = out;
	p->prefix = prefix;
}

void print_one_line(struct print *p)
{
	p->one_line = true;
}

void print_clock(struct print *p, int64_t boot_to_real_ns, bool utc)
{
	p->clock = boot_to_real_ns;
	p->utc = utc;
}

static void push(struct print *p, struct node *node)
{
	if (!node)
		return;
	if (p->depth + 1 == PRINT_DEPTH)
		p->err = -EOVERFLOW;
	else
		p->stack[++p->depth] = node;
}

void print_open(struct print *p, const char *key)
{
	push(p, node_add(p, NODE_OBJECT, key));
}

void print_open_list(struct print *p, const char *key, enum print_list style)
{
	struct node *node = node_add(p, NODE_LIST, key);

	if (node)
		node->list = style;
	push(p, node);
}

void print_close(struct print *p)
{
	if (p->depth && !p->err)
		p->last = p->stack[p->depth--];
}

void print_failed(struct print *p)
{
	p->depth = 0;
	p->failed = true;
}

void print_style(struct print *p, enum print_style style)
{
	if (p->last)
		p->last->style = style;
}

void print_json_only(struct print *p)
{
	if (p->last)
		p->last->json_only = true;
}

void print_bare(struct print *p)
{
	if (p->last)
		p->last->bare = true;
}

int print_flush(struct print *p)
{
	int err = p->err;

	if (!err && p->root)
		err = p->json ? print_render_json(p) : print_render_text(p);
	if (!err && (fflush(p->out) || ferror(p->out)))
		err = -EIO;
	reset(p);
	return err;
}
