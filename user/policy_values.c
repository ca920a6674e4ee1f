// SPDX-License-Identifier: GPL-2.0
/* Typed values of a policy file; a wrong one is reported with what is allowed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy_priv.h"
#include "units.h"

/* Room for a list of every name that a message can offer. */
#define ALLOWED_LEN 512

static const char *node_kind(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return node->data.scalar.length ? "a single value" : "nothing";
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return "nothing";
	}
}

static void append_name(char *buf, const char *name)
{
	size_t len = strlen(buf);

	snprintf(buf + len, ALLOWED_LEN - len, "%s%s", len ? ", " : "", name);
}

/* An untrusted text in a message: printable ASCII, and not too much of it. */
static const char *shown(const char *text, char buf[64])
{
	size_t i;

	for (i = 0; text[i] && i < 60; i++)
		buf[i] = text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i];
	if (text[i])
		strcpy(buf + i - 3, "...");
	else
		buf[i] = '\0';
	return buf;
}

yaml_node_t *value_node(struct parse *p, int index)
{
	return yaml_document_get_node(p->doc, index);
}

static bool default_tag(struct parse *p, yaml_node_t *node, const char *tag, const char *what)
{
	if (!node->tag || !strcmp((const char *)node->tag, tag))
		return true;
	diag_error(p, &node->start_mark, "%s: YAML tags are not used in policies; remove the tag", what);
	return false;
}

const char *value_scalar(struct parse *p, yaml_node_t *node, const char *what)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE) {
		diag_error(p, &node->start_mark, "%s: expected a single value, found %s",
			   what, node_kind(node));
		return NULL;
	}
	if (!default_tag(p, node, YAML_DEFAULT_SCALAR_TAG, what))
		return NULL;
	text = (const char *)node->data.scalar.value;
	if (strlen(text) != node->data.scalar.length) {
		diag_error(p, &node->start_mark, "%s: the value contains a NUL byte", what);
		return NULL;
	}
	return text;
}

bool value_bool(struct parse *p, yaml_node_t *node, const char *what, bool *out)
{
	const char *text = value_scalar(p, node, what);
	char buf[64];

	if (!text)
		return false;
	*out = !strcmp(text, "true");
	if (*out || !strcmp(text, "false"))
		return true;
	diag_error(p, &node->start_mark, "%s: '%s' is not one of: true, false", what, shown(text, buf));
	return false;
}

bool value_enum(struct parse *p, yaml_node_t *node, const char *what,
		const struct names *names, uint32_t allowed, uint32_t *out)
{
	const char *text = value_scalar(p, node, what);
	char list[ALLOWED_LEN] = "", buf[64];
	uint32_t i;
	int value;

	if (!text)
		return false;
	value = name_to_value(names, text);
	if (value >= 0 && (allowed >> value & 1)) {
		*out = (uint32_t)value;
		return true;
	}
	for (i = 0; i < names->n; i++)
		if (allowed >> i & 1)
			append_name(list, names->v[i]);
	diag_error(p, &node->start_mark, "%s: '%s' is not one of: %s", what, shown(text, buf), list);
	return false;
}

bool value_duration(struct parse *p, yaml_node_t *node, const char *what,
		    uint32_t min_ms, uint32_t max_ms, uint32_t *out)
{
	const char *text = value_scalar(p, node, what);
	char min[32], max[32], buf[64];
	uint64_t ms;
	int err;

	if (!text)
		return false;
	err = units_parse_duration(text, &ms);
	if (!err && ms >= min_ms && ms <= max_ms) {
		*out = (uint32_t)ms;
		return true;
	}
	units_format_duration(min, sizeof(min), min_ms);
	units_format_duration(max, sizeof(max), max_ms);
	if (err == -EINVAL)
		diag_error(p, &node->start_mark,
			   "%s: '%s' is not a duration; write a whole number and one of the units ms, s, m, such as 50ms",
			   what, shown(text, buf));
	else
		diag_error(p, &node->start_mark, "%s: %s is out of range; allowed are %s to %s",
			   what, shown(text, buf), min, max);
	return false;
}

bool value_size(struct parse *p, yaml_node_t *node, const char *what,
		uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = value_scalar(p, node, what);
	char low[32], high[32], buf[64];
	uint64_t bytes;
	int err;

	if (!text)
		return false;
	err = units_parse_size(text, &bytes);
	if (!err && bytes >= min && bytes <= max) {
		*out = bytes;
		return true;
	}
	units_format_size(low, sizeof(low), min);
	units_format_size(high, sizeof(high), max);
	if (err == -EINVAL)
		diag_error(p, &node->start_mark,
			   "%s: '%s' is not a size; write a whole number and one of the units B, KiB, MiB, GiB, such as 8MiB",
			   what, shown(text, buf));
	else
		diag_error(p, &node->start_mark, "%s: %s is out of range; allowed are %s to %s",
			   what, shown(text, buf), low, high);
	return false;
}

bool value_number(struct parse *p, yaml_node_t *node, const char *what,
		  uint64_t min, uint64_t max, uint64_t *out)
{
	const char *text = value_scalar(p, node, what);
	char buf[64];
	uint64_t value;

	if (!text)
		return false;
	if (!units_parse_number(text, &value) && value >= min && value <= max) {
		*out = value;
		return true;
	}
	diag_error(p, &node->start_mark,
		   "%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64,
		   what, shown(text, buf), min, max);
	return false;
}

const char *value_path(struct parse *p, yaml_node_t *node, const char *what)
{
	const char *text = value_scalar(p, node, what);
	char buf[64];

	if (!text)
		return NULL;
	if (*text != '/') {
		diag_error(p, &node->start_mark, "%s: '%s' is not an absolute path", what, shown(text, buf));
		return NULL;
	}
	if (strlen(text) > SELFHEAL_PATH_MAX) {
		diag_error(p, &node->start_mark, "%s: the path is longer than %d bytes", what,
			   SELFHEAL_PATH_MAX);
		return NULL;
	}
	return text;
}

static void read_path(struct parse *p, yaml_node_t *node, const char *what,
		      size_t max, struct string_list *out)
{
	const char *path = value_path(p, node, what);
	size_t i;

	if (!path)
		return;
	for (i = 0; i < out->n; i++) {
		if (!strcmp(out->v[i], path)) {
			diag_error(p, &node->start_mark, "%s: this path is already in the list", what);
			return;
		}
	}
	if (out->n == max)
		diag_error(p, &node->start_mark, "%s: more than %zu paths", what, max);
	else if (string_list_add(out, path))
		p->err = -ENOMEM;
}

void value_paths(struct parse *p, yaml_node_t *node, const char *what,
		 size_t max, struct string_list *out)
{
	yaml_node_item_t *item;

	if (node->type == YAML_SCALAR_NODE) {
		read_path(p, node, what, max, out);
		return;
	}
	if (node->type != YAML_SEQUENCE_NODE) {
		diag_error(p, &node->start_mark, "%s: expected a path or a list of paths, found %s",
			   what, node_kind(node));
		return;
	}
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
		read_path(p, value_node(p, *item), what, max, out);
}

const char *value_syscall(struct parse *p, yaml_node_t *node, const char *what,
			  struct syscall_set *set)
{
	const char *name = value_scalar(p, node, what);
	char nearest[64];

	if (!name || !syscall_set_add(set, name))
		return name;
	if (syscall_nearest(name, nearest, sizeof(nearest)))
		diag_error(p, &node->start_mark,
			   "%s: '%.48s' is no system call of x86-64 or i386; did you mean '%s'?",
			   what, name, nearest);
	else
		diag_error(p, &node->start_mark,
			   "%s: this is no system call of x86-64 or i386; syscalls(2) lists them", what);
	return NULL;
}

void value_each(struct parse *p, yaml_node_t *node, const char *what,
		void (*read)(struct parse *p, yaml_node_t *item, void *target), void *target)
{
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE) {
		diag_error(p, &node->start_mark, "%s: expected a list such as [a, b], found %s",
			   what, node_kind(node));
		return;
	}
	if (!default_tag(p, node, YAML_DEFAULT_SEQUENCE_TAG, what))
		return;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
		read(p, value_node(p, *item), target);
}

static const struct key *find_key(const struct key *keys, size_t n_keys, const char *name)
{
	size_t i;

	for (i = 0; i < n_keys; i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

void value_map(struct parse *p, yaml_node_t *node, const char *what,
	       const struct key *keys, size_t n_keys, void *target)
{
	char list[ALLOWED_LEN] = "", buf[64];
	yaml_node_pair_t *pair;
	const struct key *key;
	uint64_t seen = 0;
	yaml_node_t *name;
	const char *text;
	size_t i;

	if (node->type != YAML_MAPPING_NODE) {
		for (i = 0; i < n_keys; i++)
			append_name(list, keys[i].name);
		diag_error(p, &node->start_mark, "%s: expected a mapping with the keys %s, found %s",
			   what, list, node_kind(node));
		return;
	}
	if (!default_tag(p, node, YAML_DEFAULT_MAPPING_TAG, what))
		return;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		name = value_node(p, pair->key);
		text = value_scalar(p, name, "key");
		if (!text)
			continue;
		key = find_key(keys, n_keys, text);
		if (!key) {
			list[0] = '\0';
			for (i = 0; i < n_keys; i++)
				append_name(list, keys[i].name);
			diag_error(p, &name->start_mark, "unknown key '%s' in %s; allowed are: %s",
				   shown(text, buf), what, list);
			continue;
		}
		if (seen >> (key - keys) & 1) {
			diag_error(p, &name->start_mark, "the key '%s' is given twice in %s",
				   key->name, what);
			continue;
		}
		seen |= 1ull << (key - keys);
		key->read(p, value_node(p, pair->value), target);
	}
}
