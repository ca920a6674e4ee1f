// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes to plain structs: the status of the module. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

static const struct nla_policy hook_types[SELFHEAL_A_HOOK_MAX + 1] = {
	[SELFHEAL_A_HOOK_STATE] = { .type = NLA_U32 },
};

static int decode_hook(struct attrs attrs, struct hook *hook)
{
	struct nlattr *tb[SELFHEAL_A_HOOK_MAX + 1];
	int err = parse_attrs(tb, SELFHEAL_A_HOOK_MAX, attrs, hook_types);

	if (!err)
		err = get_string(tb[SELFHEAL_A_HOOK_SYMBOL], hook->symbol, sizeof(hook->symbol));
	if (!err)
		err = get_string(tb[SELFHEAL_A_HOOK_LOST], hook->lost, sizeof(hook->lost));
	if (err)
		return err;
	get_u32(tb[SELFHEAL_A_HOOK_STATE], &hook->state);
	hook->required = tb[SELFHEAL_A_HOOK_REQUIRED];
	return 0;
}

static const struct nla_policy counter_types[SELFHEAL_A_COUNTER_MAX + 1] = {
	[SELFHEAL_A_COUNTER_VALUE] = { .type = NLA_U64 },
};

static int decode_counter(struct attrs attrs, struct counter *counter)
{
	struct nlattr *tb[SELFHEAL_A_COUNTER_MAX + 1];
	int err = parse_attrs(tb, SELFHEAL_A_COUNTER_MAX, attrs, counter_types);

	if (!err)
		err = get_string(tb[SELFHEAL_A_COUNTER_NAME], counter->name, sizeof(counter->name));
	if (!err)
		err = get_string(tb[SELFHEAL_A_COUNTER_HELP], counter->help, sizeof(counter->help));
	if (err)
		return err;
	get_u64(tb[SELFHEAL_A_COUNTER_VALUE], &counter->value);
	return 0;
}

static int decode_tables(struct attrs attrs, struct status *status)
{
	size_t hooks = count_attrs(attrs, SELFHEAL_A_STATUS_HOOK);
	size_t counters = count_attrs(attrs, SELFHEAL_A_STATUS_COUNTER);
	struct nlattr *attr;
	int rest, err = 0;

	status->hooks = calloc(hooks + 1, sizeof(*status->hooks));
	status->counters = calloc(counters + 1, sizeof(*status->counters));
	if (!status->hooks || !status->counters)
		return -ENOMEM;
	nla_for_each_attr(attr, attrs.head, attrs.len, rest) {
		if (err)
			break;
		if (nla_type(attr) == SELFHEAL_A_STATUS_HOOK)
			err = decode_hook(nested_attrs(attr), &status->hooks[status->n_hooks++]);
		else if (nla_type(attr) == SELFHEAL_A_STATUS_COUNTER)
			err = decode_counter(nested_attrs(attr),
					     &status->counters[status->n_counters++]);
	}
	return err;
}

static int decode_guards(struct attrs attrs, struct status *status)
{
	size_t n = count_attrs(attrs, SELFHEAL_A_STATUS_GUARD);
	struct nlattr *attr;
	char *path;
	int rest;

	status->guards = calloc(n + 1, sizeof(*status->guards));
	if (!status->guards)
		return -ENOMEM;
	nla_for_each_attr(attr, attrs.head, attrs.len, rest) {
		if (nla_type(attr) != SELFHEAL_A_STATUS_GUARD)
			continue;
		path = strndup(nla_data(attr), nla_len(attr));
		if (!path)
			return -ENOMEM;
		status->guards[status->n_guards++] = path;
	}
	return 0;
}

static const struct nla_policy status_types[SELFHEAL_A_STATUS_MAX + 1] = {
	[SELFHEAL_A_STATUS_ABI] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_POLICIES] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_DOMAINS] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_MEMBERS] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_INCIDENTS_OPEN] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_AGENT] = { .type = NLA_U32 },
	[SELFHEAL_A_STATUS_EVENT_SEQ] = { .type = NLA_U64 },
};

static int fill_status(struct attrs attrs, struct nlattr **tb, struct status *status)
{
	int err;

	err = get_string(tb[SELFHEAL_A_STATUS_VERSION], status->version, sizeof(status->version));
	if (!err)
		err = get_string(tb[SELFHEAL_A_STATUS_KERNEL], status->kernel, sizeof(status->kernel));
	if (!err)
		err = decode_tables(attrs, status);
	if (!err)
		err = decode_guards(attrs, status);
	if (err)
		return err;
	get_u32(tb[SELFHEAL_A_STATUS_ABI], &status->abi);
	get_u32(tb[SELFHEAL_A_STATUS_POLICIES], &status->policies);
	get_u32(tb[SELFHEAL_A_STATUS_DOMAINS], &status->domains);
	get_u32(tb[SELFHEAL_A_STATUS_MEMBERS], &status->members);
	get_u32(tb[SELFHEAL_A_STATUS_INCIDENTS_OPEN], &status->incidents_open);
	get_u32(tb[SELFHEAL_A_STATUS_AGENT], &status->agent);
	get_u64(tb[SELFHEAL_A_STATUS_EVENT_SEQ], &status->event_seq);
	status->locked = tb[SELFHEAL_A_STATUS_LOCKED];
	return 0;
}

int decode_status(struct attrs attrs, struct status *status)
{
	struct nlattr *tb[SELFHEAL_A_STATUS_MAX + 1];
	int err;

	memset(status, 0, sizeof(*status));
	err = parse_attrs(tb, SELFHEAL_A_STATUS_MAX, attrs, status_types);
	if (!err)
		err = fill_status(attrs, tb, status);
	if (err)
		status_release(status);
	return err;
}

void status_release(struct status *status)
{
	while (status->n_guards)
		free(status->guards[--status->n_guards]);
	free(status->guards);
	status->guards = NULL;
	free(status->hooks);
	free(status->counters);
	status->hooks = NULL;
	status->counters = NULL;
}
