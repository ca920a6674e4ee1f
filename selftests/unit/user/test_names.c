// SPDX-License-Identifier: GPL-2.0
/* The name tables against the specification that the UAPI header comes from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include <linux/selfheal.h>

#include "names.h"
#include "test.h"

struct spec {
	yaml_document_t doc;
	char *text;
};

static yaml_node_t *child(struct spec *spec, yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *pair;

	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(&spec->doc, pair->key);

		if (!strcmp((char *)name->data.scalar.value, key))
			return yaml_document_get_node(&spec->doc, pair->value);
	}
	return NULL;
}

static const char *text_of(yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (char *)node->data.scalar.value : "";
}

/* The entry of a list whose member "name" is name. */
static yaml_node_t *named(struct spec *spec, yaml_node_t *list, const char *name)
{
	yaml_node_item_t *item;

	if (!list || list->type != YAML_SEQUENCE_NODE)
		return NULL;
	for (item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
		yaml_node_t *node = yaml_document_get_node(&spec->doc, *item);

		if (!strcmp(text_of(child(spec, node, "name")), name))
			return node;
	}
	return NULL;
}

static void load(struct spec *spec)
{
	yaml_parser_t parser;
	size_t len = 0;

	spec->text = test_read("Documentation/netlink/specs/selfheal.yaml", &len);
	CHECK(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (unsigned char *)spec->text, len);
	CHECK(yaml_parser_load(&parser, &spec->doc));
	yaml_parser_delete(&parser);
}

static void unload(struct spec *spec)
{
	yaml_document_delete(&spec->doc);
	free(spec->text);
}

/* The table has the names of the list, in its order, from index base on. */
static void compare(struct spec *spec, yaml_node_t *list, const struct names *names, uint32_t base)
{
	yaml_node_item_t *item;
	uint32_t at = base;

	CHECK(list && list->type == YAML_SEQUENCE_NODE);
	if (!list || list->type != YAML_SEQUENCE_NODE)
		return;
	for (item = list->data.sequence.items.start; item < list->data.sequence.items.top; item++) {
		yaml_node_t *node = yaml_document_get_node(&spec->doc, *item);
		const char *name = node->type == YAML_SCALAR_NODE ? text_of(node) :
				   text_of(child(spec, node, "name"));

		CHECK_STR(name_of(names, at) ? name_of(names, at) : "(no name)", name);
		at++;
	}
	CHECK_INT(names->n, at);
}

TEST(names_enums_follow_the_spec)
{
	const struct {
		const char *name;
		const struct names *names;
	} all[] = {
		{ "sensor", &sensor_names }, { "verdict", &verdict_names },
		{ "domain-state", &state_names }, { "channel", &channel_names },
		{ "channel-action", &action_names }, { "tamper-action", &tamper_names },
		{ "overflow", &overflow_names },
		{ "resolved-by", &resolved_by_names }, { "event-type", &event_names },
		{ "hook-state", &hook_state_names },
	};
	struct spec spec;
	size_t i;

	load(&spec);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		yaml_node_t *root = yaml_document_get_root_node(&spec.doc);
		yaml_node_t *def = named(&spec, child(&spec, root, "definitions"), all[i].name);

		test_about(all[i].name);
		compare(&spec, child(&spec, def, "entries"), all[i].names, 0);
	}
	unload(&spec);
}

TEST(names_attributes_follow_the_spec)
{
	const struct {
		const char *name;
		const struct names *names;
	} all[] = {
		{ "policy", &policy_attr_names }, { "domain", &domain_attr_names },
		{ "incident", &incident_attr_names }, { "held", &held_attr_names },
		{ "event", &event_attr_names }, { "status", &status_attr_names },
	};
	struct spec spec;
	size_t i;

	load(&spec);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		yaml_node_t *root = yaml_document_get_root_node(&spec.doc);
		yaml_node_t *set = named(&spec, child(&spec, root, "attribute-sets"), all[i].name);

		test_about(all[i].name);
		compare(&spec, child(&spec, set, "attributes"), all[i].names, 1);
	}
	unload(&spec);
}

TEST(names_unknown_values_have_none)
{
	CHECK(!name_of(&sensor_names, 1000));
	CHECK(!name_of(&policy_attr_names, 0));
	CHECK_INT(name_to_value(&verdict_names, "kil"), -1);
	CHECK_INT(name_to_value(&verdict_names, "kill"), SELFHEAL_VERDICT_KILL);
	CHECK_INT(fault_signal_from_name("SEGV"), 11);
	CHECK_INT(fault_signal_from_name("TERM"), 0);
	CHECK_INT(fault_signal_number(1000), 0);
}
