// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "nl_incident.h"

static void parse_registers(struct nlattr *nest, struct registers *r)
{
	struct nlattr *tb[SELFHEAL_A_REGISTERS_MAX + 1];
	uint64_t *slot = &r->ip;
	int i;

	if (nla_parse_nested(tb, SELFHEAL_A_REGISTERS_MAX, nest, NULL))
		return;
	/* The struct lists the registers in the order of the attributes. */
	for (i = SELFHEAL_A_REGISTERS_IP; i <= SELFHEAL_A_REGISTERS_R15; i++)
		*slot++ = nlc_get_u64(tb, i);
}

static void parse_trail(struct nlattr *nest, struct trail *t)
{
	struct nlattr *tb[SELFHEAL_A_TRAIL_MAX + 1];

	memset(t, 0, sizeof(*t));
	if (nla_parse_nested(tb, SELFHEAL_A_TRAIL_MAX, nest, NULL))
		return;
	t->nr = (int32_t)nlc_get_u32(tb, SELFHEAL_A_TRAIL_NR);
	t->arch = nlc_get_u32(tb, SELFHEAL_A_TRAIL_ARCH);
	nlc_get_bin(tb, SELFHEAL_A_TRAIL_ARGS, t->args, sizeof(t->args));
}

static void parse_numbers(struct nlattr **tb, struct incident *inc)
{
	inc->id = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_ID);
	inc->domain = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_DOMAIN);
	inc->stamp = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_STAMP);
	inc->resolved_stamp = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_RESOLVED_STAMP);
	inc->freeze_ns = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_FREEZE_NS);
	inc->held_bytes = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_HELD_BYTES);
	inc->dropped_bytes = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_DROPPED_BYTES);
	inc->committed_bytes = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_COMMITTED_BYTES);
	inc->sensor = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_SENSOR);
	inc->verdict = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_VERDICT);
	inc->resolved_by = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_RESOLVED_BY);
	inc->deadline_ms = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_DEADLINE_MS);
	inc->has_deadline = tb[SELFHEAL_A_INCIDENT_DEADLINE_MS] != NULL;
	inc->evidence_count = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_EVIDENCE_COUNT);
	inc->held_entries = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_HELD_ENTRIES);
	inc->observed = tb[SELFHEAL_A_INCIDENT_OBSERVED] != NULL;
	inc->tid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_TID);
	inc->pid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_PID);
	inc->ppid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_PPID);
	inc->uid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_UID);
	inc->euid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_EUID);
	inc->gid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_GID);
	inc->egid = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_EGID);
	inc->cap_effective = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_CAP_EFFECTIVE);
	inc->has_signal = tb[SELFHEAL_A_INCIDENT_SIGNAL] != NULL;
	inc->signal = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_SIGNAL);
	inc->signal_code = (int32_t)nlc_get_u32(tb, SELFHEAL_A_INCIDENT_SIGNAL_CODE);
	inc->fault_address = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_FAULT_ADDRESS);
	inc->syscall_nr = (int32_t)nlc_get_u32(tb, SELFHEAL_A_INCIDENT_SYSCALL_NR);
	inc->syscall_arch = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_SYSCALL_ARCH);
	inc->mapping_start = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_MAPPING_START);
	inc->mapping_end = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_MAPPING_END);
	inc->mapping_offset = nlc_get_u64(tb, SELFHEAL_A_INCIDENT_MAPPING_OFFSET);
	inc->mapping_flags = nlc_get_u32(tb, SELFHEAL_A_INCIDENT_MAPPING_FLAGS);
}

static void parse_texts(struct nlattr **tb, struct incident *inc)
{
	nlc_get_str(tb, SELFHEAL_A_INCIDENT_POLICY, inc->policy, sizeof(inc->policy));
	nlc_get_str(tb, SELFHEAL_A_INCIDENT_COMM, inc->comm, sizeof(inc->comm));
	nlc_get_str(tb, SELFHEAL_A_INCIDENT_EXE, inc->exe, sizeof(inc->exe));
	nlc_get_str(tb, SELFHEAL_A_INCIDENT_TARGET, inc->target, sizeof(inc->target));
	nlc_get_str(tb, SELFHEAL_A_INCIDENT_MAPPING_PATH, inc->mapping_path,
		    sizeof(inc->mapping_path));
	inc->cmdline_len = nlc_get_bin(tb, SELFHEAL_A_INCIDENT_CMDLINE, inc->cmdline,
				       sizeof(inc->cmdline));
	inc->stack_len = nlc_get_bin(tb, SELFHEAL_A_INCIDENT_STACK, inc->stack,
				     sizeof(inc->stack));
	inc->frames = nlc_get_bin(tb, SELFHEAL_A_INCIDENT_BACKTRACE, inc->backtrace,
				  sizeof(inc->backtrace)) / sizeof(uint64_t);
}

void incident_parse(struct nlmsghdr *nlh, struct incident *inc)
{
	struct nlattr *tb[SELFHEAL_A_INCIDENT_MAX + 1], *a;
	int rem;

	memset(inc, 0, sizeof(*inc));
	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_INCIDENT_MAX, NULL))
		return;
	parse_numbers(tb, inc);
	parse_texts(tb, inc);
	if (tb[SELFHEAL_A_INCIDENT_REGISTERS]) {
		inc->has_registers = true;
		parse_registers(tb[SELFHEAL_A_INCIDENT_REGISTERS], &inc->regs);
	}
	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) == SELFHEAL_A_INCIDENT_TRAIL &&
		    inc->trails < SELFHEAL_TRAIL_MAX)
			parse_trail(a, &inc->trail[inc->trails++]);
	}
}

static void take_incident(struct nlmsghdr *nlh, void *arg)
{
	incident_parse(nlh, arg);
}

int incident_get(struct nlc *c, uint64_t id, struct incident *inc)
{
	memset(inc, 0, sizeof(*inc));
	return nlc_u64(c, SELFHEAL_CMD_INCIDENT_GET, SELFHEAL_A_INCIDENT_ID, id,
		       take_incident, inc);
}

int incident_verdict(struct nlc *c, uint64_t id, uint32_t verdict)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_INCIDENT_VERDICT, 0);

	nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, id);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, verdict);
	return nlc_call(c, msg, NULL, NULL);
}

int incident_rollback(struct nlc *c, uint64_t id, int error)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_INCIDENT_VERDICT, 0);

	nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, id);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, SELFHEAL_VERDICT_ROLLBACK);
	if (error >= 0)
		nla_put_u32(msg, SELFHEAL_A_INCIDENT_ERRNO, error);
	return nlc_call(c, msg, NULL, NULL);
}

static void parse_rescue(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_RESCUE_MAX + 1];
	struct rescue *r = arg;

	if (r->tid || genlmsg_parse(nlh, 0, tb, SELFHEAL_A_RESCUE_MAX, NULL))
		return;
	r->tid = nlc_get_u32(tb, SELFHEAL_A_RESCUE_TID);
	r->pid = nlc_get_u32(tb, SELFHEAL_A_RESCUE_PID);
	r->used = nlc_get_u32(tb, SELFHEAL_A_RESCUE_USED);
	r->taken = nlc_get_u64(tb, SELFHEAL_A_RESCUE_TAKEN);
	r->stamp = nlc_get_u64(tb, SELFHEAL_A_RESCUE_STAMP);
	r->nr = (int32_t)nlc_get_u32(tb, SELFHEAL_A_RESCUE_SYSCALL_NR);
	nlc_get_str(tb, SELFHEAL_A_RESCUE_MISSING, r->missing, sizeof(r->missing));
}

int rescue_get(struct nlc *c, uint64_t domain, struct rescue *r)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_RESCUE_GET, NLM_F_DUMP);

	memset(r, 0, sizeof(*r));
	nla_put_u64(msg, SELFHEAL_A_RESCUE_DOMAIN, domain);
	return nlc_call(c, msg, parse_rescue, r);
}

static void count_rescue(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_RESCUE_MAX + 1];
	int *n = arg;

	if (!genlmsg_parse(nlh, 0, tb, SELFHEAL_A_RESCUE_MAX, NULL))
		*n += nlc_get_u64(tb, SELFHEAL_A_RESCUE_STAMP) != 0;
}

int rescue_count(struct nlc *c, uint64_t domain)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_RESCUE_GET, NLM_F_DUMP);
	int n = 0, err;

	nla_put_u64(msg, SELFHEAL_A_RESCUE_DOMAIN, domain);
	err = nlc_call(c, msg, count_rescue, &n);
	return err ? err : n;
}

struct held_walk {
	held_fn fn;
	void *arg;
};

static void take_held(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_HELD_MAX + 1];
	struct held_walk *walk = arg;
	static struct held h;

	memset(&h, 0, sizeof(h));
	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_HELD_MAX, NULL))
		return;
	h.domain = nlc_get_u64(tb, SELFHEAL_A_HELD_DOMAIN);
	h.seq = nlc_get_u64(tb, SELFHEAL_A_HELD_SEQ);
	h.object = nlc_get_u64(tb, SELFHEAL_A_HELD_OBJECT);
	h.stamp = nlc_get_u64(tb, SELFHEAL_A_HELD_STAMP);
	h.channel = nlc_get_u32(tb, SELFHEAL_A_HELD_CHANNEL);
	h.tid = nlc_get_u32(tb, SELFHEAL_A_HELD_TID);
	h.length = nlc_get_u32(tb, SELFHEAL_A_HELD_LENGTH);
	nlc_get_str(tb, SELFHEAL_A_HELD_PEER, h.peer, sizeof(h.peer));
	h.has_data = tb[SELFHEAL_A_HELD_DATA] != NULL;
	h.data_len = nlc_get_bin(tb, SELFHEAL_A_HELD_DATA, h.data, sizeof(h.data));
	walk->fn(&h, walk->arg);
}

int quarantine_dump(struct nlc *c, uint64_t domain, bool contents, held_fn fn, void *arg)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_QUARANTINE_GET, NLM_F_DUMP);
	struct held_walk walk = { .fn = fn, .arg = arg };

	nla_put_u64(msg, SELFHEAL_A_HELD_DOMAIN, domain);
	if (contents)
		nla_put_flag(msg, SELFHEAL_A_HELD_CONTENTS);
	return nlc_call(c, msg, take_held, &walk);
}
