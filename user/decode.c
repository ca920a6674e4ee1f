// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes to plain structs: policy, domain, held, event, status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/errno.h>

#include "decode.h"

void get_u32(struct nlattr *attr, uint32_t *out)
{
	if (attr)
		*out = nla_get_u32(attr);
}

void get_u64(struct nlattr *attr, uint64_t *out)
{
	if (attr)
		*out = nla_get_u64(attr);
}

int get_string(struct nlattr *attr, char *buf, size_t size)
{
	size_t len;

	if (!attr)
		return 0;
	len = strnlen(nla_data(attr), nla_len(attr));
	if (len >= size)
		return -EBADMSG;
	memcpy(buf, nla_data(attr), len);
	buf[len] = '\0';
	return 0;
}

int get_bytes(struct nlattr *attr, void *buf, size_t size, size_t *len)
{
	if (!attr)
		return 0;
	if ((size_t)nla_len(attr) > size)
		return -EBADMSG;
	*len = nla_len(attr);
	memcpy(buf, nla_data(attr), *len);
	return 0;
}

int parse_attrs(struct nlattr **tb, int max, struct attrs attrs, const struct nla_policy *policy)
{
	/* libnl takes a policy without const before 3.8, and never writes to it. */
	int err = nla_parse(tb, max, attrs.head, attrs.len, (struct nla_policy *)policy);

	if (!err)
		return 0;
	return err == -NLE_NOMEM ? -ENOMEM : -EBADMSG;
}

struct attrs nested_attrs(struct nlattr *attr)
{
	return (struct attrs){ nla_data(attr), nla_len(attr) };
}

size_t count_attrs(struct attrs attrs, int type)
{
	struct nlattr *attr;
	size_t n = 0;
	int rest;

	nla_for_each_attr(attr, attrs.head, attrs.len, rest)
		if (nla_type(attr) == type)
			n++;
	return n;
}

static int get_list(struct attrs attrs, int type, struct string_list *list)
{
	struct nlattr *attr;
	char *path;
	int rest, err = 0;

	nla_for_each_attr(attr, attrs.head, attrs.len, rest) {
		if (nla_type(attr) != type || err)
			continue;
		path = strndup(nla_data(attr), nla_len(attr));
		err = path ? string_list_add(list, path) : -ENOMEM;
		free(path);
	}
	return err;
}

static int get_sysmap(struct nlattr *attr, struct policy *policy, uint32_t set, uint8_t *map)
{
	size_t len = 0;
	int err;

	if (!attr)
		return 0;
	err = get_bytes(attr, map, SELFHEAL_SYSMAP_LEN, &len);
	if (!err && len != SELFHEAL_SYSMAP_LEN)
		err = -EBADMSG;
	policy->set |= set;
	return err;
}

static void get_set_u32(struct nlattr *attr, struct policy *policy, uint32_t set, uint32_t *out)
{
	if (!attr)
		return;
	*out = nla_get_u32(attr);
	policy->set |= set;
}

static void get_set_u64(struct nlattr *attr, struct policy *policy, uint32_t set, uint64_t *out)
{
	if (!attr)
		return;
	*out = nla_get_u64(attr);
	policy->set |= set;
}

static int get_source(struct nlattr *attr, struct policy *policy)
{
	if (!attr)
		return 0;
	policy->source_len = nla_len(attr);
	policy->source = malloc(policy->source_len + 1);
	if (!policy->source)
		return -ENOMEM;
	memcpy(policy->source, nla_data(attr), policy->source_len);
	policy->source[policy->source_len] = '\0';
	return 0;
}

static const struct nla_policy policy_types[SELFHEAL_A_POLICY_MAX + 1] = {
	[SELFHEAL_A_POLICY_FLAGS] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_SOCKET] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_PIPE] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_TTY] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_OTHER] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_SIGNAL] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_IPC] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_HOLD_DEVICE] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_COMMIT] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_COMMIT_DELAY] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_MAX_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_POLICY_OVERFLOW] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_FAULT_MASK] = { .type = NLA_U64 },
	[SELFHEAL_A_POLICY_TAMPER] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_KILL_LIMIT] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_KILL_WINDOW] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_DEFAULT_VERDICT] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_DEADLINE] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_RESCUE] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_RESCUE_ERRNO] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_DOMAINS] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_STAMP] = { .type = NLA_U64 },
};

static int fill_policy(struct attrs attrs, struct nlattr **tb, struct policy *policy)
{
	int i, err;

	err = get_string(tb[SELFHEAL_A_POLICY_NAME], policy->name, sizeof(policy->name));
	if (!err)
		err = get_list(attrs, SELFHEAL_A_POLICY_MATCH_EXE, &policy->match_exe);
	if (!err)
		err = get_list(attrs, SELFHEAL_A_POLICY_EXEC_ALLOW, &policy->exec_allow);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_NEVER], policy,
				 POLICY_SET_NEVER, policy->never.native);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32], policy,
				 POLICY_SET_NEVER, policy->never.ia32);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_DENY], policy,
				 POLICY_SET_DENY, policy->deny.native);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_DENY_IA32], policy,
				 POLICY_SET_DENY, policy->deny.ia32);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_PASS], policy,
				 POLICY_SET_PASS, policy->pass.native);
	if (!err)
		err = get_sysmap(tb[SELFHEAL_A_POLICY_SYSCALL_PASS_IA32], policy,
				 POLICY_SET_PASS, policy->pass.ia32);
	if (!err)
		err = get_source(tb[SELFHEAL_A_POLICY_SOURCE], policy);
	if (err)
		return err;
	get_set_u32(tb[SELFHEAL_A_POLICY_FLAGS], policy, POLICY_SET_FLAGS, &policy->flags);
	for (i = 0; i < POLICY_CHANNELS; i++)
		get_set_u32(tb[SELFHEAL_A_POLICY_HOLD_SOCKET + i], policy,
			    (uint32_t)POLICY_SET_HOLD << i, &policy->hold[i]);
	get_set_u32(tb[SELFHEAL_A_POLICY_COMMIT], policy, POLICY_SET_COMMIT, &policy->commit);
	get_set_u32(tb[SELFHEAL_A_POLICY_COMMIT_DELAY], policy, POLICY_SET_COMMIT_DELAY,
		    &policy->commit_delay_ms);
	get_set_u64(tb[SELFHEAL_A_POLICY_MAX_BYTES], policy, POLICY_SET_MAX_BYTES,
		    &policy->max_bytes);
	get_set_u32(tb[SELFHEAL_A_POLICY_OVERFLOW], policy, POLICY_SET_OVERFLOW, &policy->overflow);
	get_set_u64(tb[SELFHEAL_A_POLICY_FAULT_MASK], policy, POLICY_SET_FAULT_MASK,
		    &policy->fault_mask);
	policy->exec_sense = tb[SELFHEAL_A_POLICY_EXEC_SENSE];
	get_set_u32(tb[SELFHEAL_A_POLICY_TAMPER], policy, POLICY_SET_TAMPER, &policy->tamper);
	get_set_u32(tb[SELFHEAL_A_POLICY_KILL_LIMIT], policy, POLICY_SET_KILL_LIMIT,
		    &policy->kill_limit);
	get_set_u32(tb[SELFHEAL_A_POLICY_KILL_WINDOW], policy, POLICY_SET_KILL_WINDOW,
		    &policy->kill_window_ms);
	get_set_u32(tb[SELFHEAL_A_POLICY_DEFAULT_VERDICT], policy, POLICY_SET_DEFAULT,
		    &policy->default_verdict);
	get_set_u32(tb[SELFHEAL_A_POLICY_DEADLINE], policy, POLICY_SET_DEADLINE,
		    &policy->deadline_ms);
	get_set_u32(tb[SELFHEAL_A_POLICY_RESCUE], policy, POLICY_SET_RESCUE, &policy->rescue);
	get_set_u32(tb[SELFHEAL_A_POLICY_RESCUE_ERRNO], policy, POLICY_SET_RESCUE_ERRNO,
		    &policy->rescue_errno);
	get_set_u32(tb[SELFHEAL_A_POLICY_DOMAINS], policy, POLICY_SET_DOMAINS, &policy->domains);
	get_set_u64(tb[SELFHEAL_A_POLICY_STAMP], policy, POLICY_SET_STAMP, &policy->stamp);
	return 0;
}

int decode_policy(struct attrs attrs, struct policy *policy)
{
	struct nlattr *tb[SELFHEAL_A_POLICY_MAX + 1];
	int err;

	memset(policy, 0, sizeof(*policy));
	err = parse_attrs(tb, SELFHEAL_A_POLICY_MAX, attrs, policy_types);
	if (!err)
		err = fill_policy(attrs, tb, policy);
	if (err)
		policy_release(policy);
	return err;
}

static const struct nla_policy member_types[SELFHEAL_A_MEMBER_MAX + 1] = {
	[SELFHEAL_A_MEMBER_TID] = { .type = NLA_U32 },
	[SELFHEAL_A_MEMBER_PID] = { .type = NLA_U32 },
	[SELFHEAL_A_MEMBER_SYSCALLS] = { .type = NLA_U64 },
};

static int decode_member(struct attrs attrs, struct member *member)
{
	struct nlattr *tb[SELFHEAL_A_MEMBER_MAX + 1];
	int err = parse_attrs(tb, SELFHEAL_A_MEMBER_MAX, attrs, member_types);

	if (err)
		return err;
	get_u32(tb[SELFHEAL_A_MEMBER_TID], &member->tid);
	get_u32(tb[SELFHEAL_A_MEMBER_PID], &member->pid);
	get_u64(tb[SELFHEAL_A_MEMBER_SYSCALLS], &member->syscalls);
	member->parked = tb[SELFHEAL_A_MEMBER_PARKED];
	return get_string(tb[SELFHEAL_A_MEMBER_COMM], member->comm, sizeof(member->comm));
}

static int decode_members(struct attrs attrs, struct domain *domain)
{
	size_t n = count_attrs(attrs, SELFHEAL_A_DOMAIN_MEMBER);
	struct nlattr *attr;
	int rest, err = 0;

	if (!n)
		return 0;
	domain->threads = calloc(n, sizeof(*domain->threads));
	if (!domain->threads)
		return -ENOMEM;
	nla_for_each_attr(attr, attrs.head, attrs.len, rest)
		if (nla_type(attr) == SELFHEAL_A_DOMAIN_MEMBER && !err)
			err = decode_member(nested_attrs(attr), &domain->threads[domain->n_threads++]);
	return err;
}

static const struct nla_policy domain_types[SELFHEAL_A_DOMAIN_MAX + 1] = {
	[SELFHEAL_A_DOMAIN_ID] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_STATE] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_MEMBERS] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_PROCESSES] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_LEADER] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_STAMP] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_INCIDENT] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_INCIDENTS] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_HELD_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_HELD_ENTRIES] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_HELD_TOTAL] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_COMMITTED_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_DROPPED_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_PARKED] = { .type = NLA_U32 },
	[SELFHEAL_A_DOMAIN_FREEZE_NS] = { .type = NLA_U64 },
};

static int fill_domain(struct attrs attrs, struct nlattr **tb, struct domain *domain)
{
	int err;

	err = get_string(tb[SELFHEAL_A_DOMAIN_POLICY], domain->policy, sizeof(domain->policy));
	if (!err)
		err = get_string(tb[SELFHEAL_A_DOMAIN_COMM], domain->comm, sizeof(domain->comm));
	if (!err)
		err = get_string(tb[SELFHEAL_A_DOMAIN_EXE], domain->exe, sizeof(domain->exe));
	if (!err)
		err = decode_members(attrs, domain);
	if (err)
		return err;
	get_u64(tb[SELFHEAL_A_DOMAIN_ID], &domain->id);
	get_u32(tb[SELFHEAL_A_DOMAIN_STATE], &domain->state);
	get_u32(tb[SELFHEAL_A_DOMAIN_MEMBERS], &domain->members);
	get_u32(tb[SELFHEAL_A_DOMAIN_PROCESSES], &domain->processes);
	get_u32(tb[SELFHEAL_A_DOMAIN_LEADER], &domain->leader);
	get_u64(tb[SELFHEAL_A_DOMAIN_STAMP], &domain->stamp);
	get_u64(tb[SELFHEAL_A_DOMAIN_INCIDENT], &domain->incident);
	get_u32(tb[SELFHEAL_A_DOMAIN_INCIDENTS], &domain->incidents);
	get_u64(tb[SELFHEAL_A_DOMAIN_HELD_BYTES], &domain->held_bytes);
	get_u32(tb[SELFHEAL_A_DOMAIN_HELD_ENTRIES], &domain->held_entries);
	get_u64(tb[SELFHEAL_A_DOMAIN_HELD_TOTAL], &domain->held_total);
	get_u64(tb[SELFHEAL_A_DOMAIN_COMMITTED_BYTES], &domain->committed_bytes);
	get_u64(tb[SELFHEAL_A_DOMAIN_DROPPED_BYTES], &domain->dropped_bytes);
	get_u32(tb[SELFHEAL_A_DOMAIN_PARKED], &domain->parked);
	get_u64(tb[SELFHEAL_A_DOMAIN_FREEZE_NS], &domain->freeze_ns);
	return 0;
}

int decode_domain(struct attrs attrs, struct domain *domain)
{
	struct nlattr *tb[SELFHEAL_A_DOMAIN_MAX + 1];
	int err;

	memset(domain, 0, sizeof(*domain));
	err = parse_attrs(tb, SELFHEAL_A_DOMAIN_MAX, attrs, domain_types);
	if (!err)
		err = fill_domain(attrs, tb, domain);
	if (err)
		domain_release(domain);
	return err;
}

void domain_release(struct domain *domain)
{
	free(domain->threads);
	domain->threads = NULL;
	domain->n_threads = 0;
}

static const struct nla_policy held_types[SELFHEAL_A_HELD_MAX + 1] = {
	[SELFHEAL_A_HELD_DOMAIN] = { .type = NLA_U64 },
	[SELFHEAL_A_HELD_SEQ] = { .type = NLA_U64 },
	[SELFHEAL_A_HELD_CHANNEL] = { .type = NLA_U32 },
	[SELFHEAL_A_HELD_OBJECT] = { .type = NLA_U64 },
	[SELFHEAL_A_HELD_TID] = { .type = NLA_U32 },
	[SELFHEAL_A_HELD_LENGTH] = { .type = NLA_U32 },
	[SELFHEAL_A_HELD_STAMP] = { .type = NLA_U64 },
};

int decode_held(struct attrs attrs, struct held *held)
{
	struct nlattr *tb[SELFHEAL_A_HELD_MAX + 1], *data;
	int err;

	memset(held, 0, sizeof(*held));
	err = parse_attrs(tb, SELFHEAL_A_HELD_MAX, attrs, held_types);
	if (!err)
		err = get_string(tb[SELFHEAL_A_HELD_PEER], held->peer, sizeof(held->peer));
	if (err)
		return err;
	get_u64(tb[SELFHEAL_A_HELD_DOMAIN], &held->domain);
	get_u64(tb[SELFHEAL_A_HELD_SEQ], &held->seq);
	get_u32(tb[SELFHEAL_A_HELD_CHANNEL], &held->channel);
	get_u64(tb[SELFHEAL_A_HELD_OBJECT], &held->object);
	get_u32(tb[SELFHEAL_A_HELD_TID], &held->tid);
	get_u32(tb[SELFHEAL_A_HELD_LENGTH], &held->length);
	get_u64(tb[SELFHEAL_A_HELD_STAMP], &held->stamp);
	data = tb[SELFHEAL_A_HELD_DATA];
	if (!data)
		return 0;
	held->has_data = true;
	held->data_len = nla_len(data);
	held->data = malloc(held->data_len + 1);
	if (!held->data)
		return -ENOMEM;
	memcpy(held->data, nla_data(data), held->data_len);
	return 0;
}

static const struct nla_policy rescue_types[SELFHEAL_A_RESCUE_MAX + 1] = {
	[SELFHEAL_A_RESCUE_DOMAIN] = { .type = NLA_U64 },
	[SELFHEAL_A_RESCUE_TID] = { .type = NLA_U32 },
	[SELFHEAL_A_RESCUE_PID] = { .type = NLA_U32 },
	[SELFHEAL_A_RESCUE_STAMP] = { .type = NLA_U64 },
	[SELFHEAL_A_RESCUE_SYSCALL_NR] = { .type = NLA_U32 },
	[SELFHEAL_A_RESCUE_TAKEN] = { .type = NLA_U64 },
	[SELFHEAL_A_RESCUE_USED] = { .type = NLA_U32 },
};

int decode_rescue(struct attrs attrs, struct rescue_point *point)
{
	struct nlattr *tb[SELFHEAL_A_RESCUE_MAX + 1];
	uint32_t nr = (uint32_t)-1;
	int err;

	memset(point, 0, sizeof(*point));
	err = parse_attrs(tb, SELFHEAL_A_RESCUE_MAX, attrs, rescue_types);
	if (!err)
		err = get_string(tb[SELFHEAL_A_RESCUE_MISSING], point->missing,
				 sizeof(point->missing));
	if (err)
		return err;
	get_u64(tb[SELFHEAL_A_RESCUE_DOMAIN], &point->domain);
	get_u32(tb[SELFHEAL_A_RESCUE_TID], &point->tid);
	get_u32(tb[SELFHEAL_A_RESCUE_PID], &point->pid);
	point->valid = tb[SELFHEAL_A_RESCUE_STAMP];
	get_u64(tb[SELFHEAL_A_RESCUE_STAMP], &point->stamp);
	get_u32(tb[SELFHEAL_A_RESCUE_SYSCALL_NR], &nr);
	point->syscall_nr = (int32_t)nr;
	get_u64(tb[SELFHEAL_A_RESCUE_TAKEN], &point->taken);
	get_u32(tb[SELFHEAL_A_RESCUE_USED], &point->used);
	return 0;
}

void held_release(struct held *held)
{
	free(held->data);
	held->data = NULL;
}

static const struct nla_policy event_types[SELFHEAL_A_EVENT_MAX + 1] = {
	[SELFHEAL_A_EVENT_SEQ] = { .type = NLA_U64 },
	[SELFHEAL_A_EVENT_TYPE] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_STAMP] = { .type = NLA_U64 },
	[SELFHEAL_A_EVENT_DOMAIN] = { .type = NLA_U64 },
	[SELFHEAL_A_EVENT_INCIDENT] = { .type = NLA_U64 },
	[SELFHEAL_A_EVENT_STATE] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_SENSOR] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_VERDICT] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_RESOLVED_BY] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_TID] = { .type = NLA_U32 },
	[SELFHEAL_A_EVENT_SYSCALL_NR] = { .type = NLA_S32 },
};

int decode_event(struct attrs attrs, struct event *event)
{
	struct nlattr *tb[SELFHEAL_A_EVENT_MAX + 1];
	int err;

	memset(event, 0, sizeof(*event));
	event->syscall_nr = -1;
	err = parse_attrs(tb, SELFHEAL_A_EVENT_MAX, attrs, event_types);
	if (!err && (!tb[SELFHEAL_A_EVENT_SEQ] || !tb[SELFHEAL_A_EVENT_TYPE]))
		err = -EBADMSG;
	if (!err)
		err = get_string(tb[SELFHEAL_A_EVENT_POLICY], event->policy, sizeof(event->policy));
	if (!err)
		err = get_string(tb[SELFHEAL_A_EVENT_HOOK], event->hook, sizeof(event->hook));
	if (!err)
		err = get_string(tb[SELFHEAL_A_EVENT_WHAT], event->what, sizeof(event->what));
	if (err)
		return err;
	get_u64(tb[SELFHEAL_A_EVENT_SEQ], &event->seq);
	get_u32(tb[SELFHEAL_A_EVENT_TYPE], &event->type);
	get_u64(tb[SELFHEAL_A_EVENT_STAMP], &event->stamp);
	get_u64(tb[SELFHEAL_A_EVENT_DOMAIN], &event->domain);
	get_u64(tb[SELFHEAL_A_EVENT_INCIDENT], &event->incident);
	get_u32(tb[SELFHEAL_A_EVENT_STATE], &event->state);
	get_u32(tb[SELFHEAL_A_EVENT_SENSOR], &event->sensor);
	get_u32(tb[SELFHEAL_A_EVENT_VERDICT], &event->verdict);
	get_u32(tb[SELFHEAL_A_EVENT_RESOLVED_BY], &event->resolved_by);
	get_u32(tb[SELFHEAL_A_EVENT_TID], &event->tid);
	if (tb[SELFHEAL_A_EVENT_SYSCALL_NR])
		event->syscall_nr = nla_get_s32(tb[SELFHEAL_A_EVENT_SYSCALL_NR]);
	return 0;
}
