// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <time.h>

#include "nl_domain.h"
#include "proc.h"

static void take_id(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_DOMAIN_MAX + 1];

	if (!genlmsg_parse(nlh, 0, tb, SELFHEAL_A_DOMAIN_MAX, NULL))
		*(uint64_t *)arg = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_ID);
}

static void take_incident(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_DOMAIN_MAX + 1];

	if (!genlmsg_parse(nlh, 0, tb, SELFHEAL_A_DOMAIN_MAX, NULL))
		*(uint64_t *)arg = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_INCIDENT);
}

static void parse_member(struct nlattr *nest, struct member *m)
{
	struct nlattr *tb[SELFHEAL_A_MEMBER_MAX + 1];

	memset(m, 0, sizeof(*m));
	if (nla_parse_nested(tb, SELFHEAL_A_MEMBER_MAX, nest, NULL))
		return;
	m->tid = nlc_get_u32(tb, SELFHEAL_A_MEMBER_TID);
	m->pid = nlc_get_u32(tb, SELFHEAL_A_MEMBER_PID);
	m->parked = tb[SELFHEAL_A_MEMBER_PARKED] != NULL;
	m->syscalls = nlc_get_u64(tb, SELFHEAL_A_MEMBER_SYSCALLS);
	nlc_get_str(tb, SELFHEAL_A_MEMBER_COMM, m->comm, sizeof(m->comm));
}

void domain_parse(struct nlmsghdr *nlh, struct domain *d)
{
	struct nlattr *tb[SELFHEAL_A_DOMAIN_MAX + 1], *a;
	int rem;

	memset(d, 0, sizeof(*d));
	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_DOMAIN_MAX, NULL))
		return;
	d->id = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_ID);
	d->incident = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_INCIDENT);
	d->stamp = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_STAMP);
	d->freeze_ns = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_FREEZE_NS);
	d->held_bytes = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_HELD_BYTES);
	d->held_total = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_HELD_TOTAL);
	d->committed_bytes = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_COMMITTED_BYTES);
	d->dropped_bytes = nlc_get_u64(tb, SELFHEAL_A_DOMAIN_DROPPED_BYTES);
	d->held_entries = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_HELD_ENTRIES);
	d->state = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_STATE);
	d->members = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_MEMBERS);
	d->processes = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_PROCESSES);
	d->leader = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_LEADER);
	d->incidents = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_INCIDENTS);
	d->parked = nlc_get_u32(tb, SELFHEAL_A_DOMAIN_PARKED);
	nlc_get_str(tb, SELFHEAL_A_DOMAIN_POLICY, d->policy, sizeof(d->policy));
	nlc_get_str(tb, SELFHEAL_A_DOMAIN_COMM, d->comm, sizeof(d->comm));
	nlc_get_str(tb, SELFHEAL_A_DOMAIN_EXE, d->exe, sizeof(d->exe));
	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) == SELFHEAL_A_DOMAIN_MEMBER && d->listed < MEMBERS_MAX)
			parse_member(a, &d->member[d->listed++]);
	}
}

static void take_domain(struct nlmsghdr *nlh, void *arg)
{
	domain_parse(nlh, arg);
}

int domain_new(struct nlc *c, const char *policy, int pidfd, bool tree, uint64_t *id)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_DOMAIN_NEW, 0);

	*id = 0;
	nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, policy);
	nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, pidfd);
	if (tree)
		nla_put_flag(msg, SELFHEAL_A_DOMAIN_TREE);
	return nlc_call(c, msg, take_id, id);
}

int domain_add(struct nlc *c, uint64_t id, int pidfd, bool tree)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_DOMAIN_ADD, 0);

	nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, id);
	nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, pidfd);
	if (tree)
		nla_put_flag(msg, SELFHEAL_A_DOMAIN_TREE);
	return nlc_call(c, msg, NULL, NULL);
}

int domain_get(struct nlc *c, uint64_t id, struct domain *d)
{
	memset(d, 0, sizeof(*d));
	return nlc_u64(c, SELFHEAL_CMD_DOMAIN_GET, SELFHEAL_A_DOMAIN_ID, id, take_domain, d);
}

int domain_freeze(struct nlc *c, uint64_t id, uint64_t *incident)
{
	uint64_t none;

	return nlc_u64(c, SELFHEAL_CMD_DOMAIN_FREEZE, SELFHEAL_A_DOMAIN_ID, id,
		       take_incident, incident ? incident : &none);
}

int domain_dissolve(struct nlc *c, uint64_t id)
{
	return nlc_u64(c, SELFHEAL_CMD_DOMAIN_DISSOLVE, SELFHEAL_A_DOMAIN_ID, id, NULL, NULL);
}

int domain_has(struct nlc *c, uint64_t id, uint32_t tid)
{
	struct domain d;
	unsigned int i;
	int err = domain_get(c, id, &d);

	if (err)
		return err;
	for (i = 0; i < d.listed; i++) {
		if (d.member[i].tid == tid)
			return 1;
	}
	return 0;
}

struct search {
	uint64_t id[64];
	unsigned int n;
};

static void take_each_id(struct nlmsghdr *nlh, void *arg)
{
	struct search *s = arg;

	if (s->n < sizeof(s->id) / sizeof(s->id[0]))
		take_id(nlh, &s->id[s->n++]);
}

uint64_t domain_of(struct nlc *c, uint32_t tid)
{
	struct search s = { .n = 0 };
	unsigned int i;

	nlc_dump(c, SELFHEAL_CMD_DOMAIN_GET, take_each_id, &s);
	for (i = 0; i < s.n; i++) {
		if (domain_has(c, s.id[i], tid) == 1)
			return s.id[i];
	}
	return 0;
}

bool domain_wait(struct nlc *c, uint64_t id, uint32_t state, int ms)
{
	int64_t end = now_ms() + ms;
	struct domain d;
	int err;

	for (;;) {
		err = domain_get(c, id, &d);
		if (err == -ENOENT)
			return state == SELFHEAL_DOMAIN_STATE_GONE;
		if (!err && d.state == state)
			return true;
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
}

bool domain_wait_members(struct nlc *c, uint64_t id, uint32_t members, int ms)
{
	int64_t end = now_ms() + ms;
	struct domain d;

	while (domain_get(c, id, &d) || d.members != members) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	return true;
}

bool domain_wait_parked(struct nlc *c, uint64_t id, uint32_t parked, int ms)
{
	int64_t end = now_ms() + ms;
	struct domain d;

	while (domain_get(c, id, &d) || d.parked != parked) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	return true;
}

bool domain_wait_committed(struct nlc *c, uint64_t id, uint64_t bytes, int ms)
{
	int64_t end = now_ms() + ms;
	struct domain d;

	while (domain_get(c, id, &d) || d.committed_bytes != bytes) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	return true;
}
