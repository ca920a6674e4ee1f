// SPDX-License-Identifier: GPL-2.0
/* The printing layer: the tree as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "print_priv.h"

/* The string itself when it is UTF-8; else its wrong bytes come as \xNN. */
json_t *print_json_string(const char *text, size_t len)
{
	json_t *value = json_stringn(text, len);
	char *escaped;

	if (value)
		return value;
	escaped = print_escape(text, len, true);
	if (!escaped)
		return NULL;
	value = json_string(escaped);
	free(escaped);
	return value;
}

json_t *print_string(const char *text)
{
	return print_json_string(text, strlen(text));
}

static json_t *build(const struct node *node)
{
	json_t *json, *value;
	size_t i;
	int err;

	if (node->type == NODE_VALUE || node->type == NODE_BLOCK)
		return json_incref(node->value);
	json = node->type == NODE_LIST ? json_array() : json_object();
	for (i = 0; json && i < node->n; i++) {
		value = build(node->child[i]);
		if (node->type == NODE_LIST)
			err = json_array_append_new(json, value);
		else
			err = json_object_set_new(json, node->child[i]->key, value);
		if (err) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

int print_render_json(struct print *p)
{
	json_t *fields = build(p->root);
	json_t *top = json_pack("{s:i}", "schema", PRINT_SCHEMA);
	int err = -ENOMEM;

	if (fields && top && !json_object_update(top, fields)) {
		err = 0;
		if (json_dumpf(top, p->out, JSON_COMPACT) || fputc('\n', p->out) == EOF)
			err = -EIO;
	}
	json_decref(fields);
	json_decref(top);
	return err;
}
