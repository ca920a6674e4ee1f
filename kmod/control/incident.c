// SPDX-License-Identifier: GPL-2.0
/* Requests about incidents: showing the evidence, taking the verdict. */
#include <linux/audit.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <net/genetlink.h>

#include "../domain/domain.h"
#include "../heal/rollback.h"
#include "../heal/verdict.h"
#include "../incident/incident.h"
#include "control.h"

const struct nla_policy sh_nl_incident_id[SELFHEAL_A_INCIDENT_MAX + 1] = {
	[SELFHEAL_A_INCIDENT_ID] = { .type = NLA_U64 },
};

const struct nla_policy sh_nl_incident_verdict[SELFHEAL_A_INCIDENT_MAX + 1] = {
	[SELFHEAL_A_INCIDENT_ID] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_VERDICT] = NLA_POLICY_RANGE(NLA_U32, SELFHEAL_VERDICT_RELEASE,
							 SELFHEAL_VERDICT_KILL),
	[SELFHEAL_A_INCIDENT_ERRNO] = NLA_POLICY_MAX(NLA_U32, MAX_ERRNO),
};

static int sh_put_u64(struct sk_buff *msg, int attr, u64 value)
{
	return nla_put_u64_64bit(msg, attr, value, SELFHEAL_A_INCIDENT_PAD);
}

/* Known before the verdict, but fixed in the incident only by it. */
static u64 sh_freeze_ns(const struct sh_incident *inc)
{
	struct sh_domain *d;
	u64 ns = inc->freeze_ns;

	if (READ_ONCE(inc->resolved_by) != SELFHEAL_RESOLVED_BY_NOBODY)
		return ns;
	d = sh_domain_find(inc->domain_id);
	if (d && sh_domain_state(d) == SELFHEAL_DOMAIN_STATE_FROZEN)
		ns = READ_ONCE(d->freeze_ns);
	if (d)
		sh_domain_put(d);
	return ns;
}

static int sh_fill_summary(struct sk_buff *msg, struct sh_incident *inc)
{
	u32 by = READ_ONCE(inc->resolved_by);
	s64 left = READ_ONCE(inc->deadline_stamp) - ktime_get_boottime_ns();

	if (sh_put_u64(msg, SELFHEAL_A_INCIDENT_ID, inc->id) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_DOMAIN, inc->domain_id) ||
	    nla_put_string(msg, SELFHEAL_A_INCIDENT_POLICY, inc->policy) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_SENSOR, inc->sensor) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_STAMP, inc->stamp) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_RESOLVED_STAMP, inc->resolved_stamp) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, inc->verdict) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_RESOLVED_BY, by) ||
	    (inc->observed && nla_put_flag(msg, SELFHEAL_A_INCIDENT_OBSERVED)) ||
	    (by == SELFHEAL_RESOLVED_BY_NOBODY &&
	     nla_put_u32(msg, SELFHEAL_A_INCIDENT_DEADLINE_MS,
			 left > 0 ? div_u64(left, NSEC_PER_MSEC) : 0)) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_EVIDENCE_COUNT, inc->evidence_count) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_FREEZE_NS, sh_freeze_ns(inc)) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_HELD_BYTES, inc->held_bytes) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_HELD_ENTRIES, inc->held_entries) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_DROPPED_BYTES, inc->dropped_bytes) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_COMMITTED_BYTES, inc->committed_bytes))
		return -EMSGSIZE;
	if (inc->target && nla_put_string(msg, SELFHEAL_A_INCIDENT_TARGET, inc->target))
		return -EMSGSIZE;
	if (!inc->has_task)
		return 0;
	if (nla_put_u32(msg, SELFHEAL_A_INCIDENT_TID, inc->tid) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_PID, inc->pid) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_PPID, inc->ppid) ||
	    nla_put_string(msg, SELFHEAL_A_INCIDENT_COMM, inc->comm) ||
	    (inc->exe && nla_put_string(msg, SELFHEAL_A_INCIDENT_EXE, inc->exe)) ||
	    (inc->signal &&
	     (nla_put_u32(msg, SELFHEAL_A_INCIDENT_SIGNAL, inc->signal) ||
	      nla_put_s32(msg, SELFHEAL_A_INCIDENT_SIGNAL_CODE, inc->signal_code) ||
	      sh_put_u64(msg, SELFHEAL_A_INCIDENT_FAULT_ADDRESS, inc->fault_address))) ||
	    nla_put_s32(msg, SELFHEAL_A_INCIDENT_SYSCALL_NR, inc->nr))
		return -EMSGSIZE;
	return 0;
}

static int sh_fill_registers(struct sk_buff *msg, const struct sh_regs *r)
{
	/* The attributes stand in the order of the structure. */
	const u64 *value = (const u64 *)r;
	struct nlattr *nest = nla_nest_start(msg, SELFHEAL_A_INCIDENT_REGISTERS);
	unsigned int i;

	BUILD_BUG_ON(sizeof(*r) / sizeof(u64) !=
		     SELFHEAL_A_REGISTERS_R15 - SELFHEAL_A_REGISTERS_IP + 1);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < sizeof(*r) / sizeof(u64); i++)
		if (nla_put_u64_64bit(msg, SELFHEAL_A_REGISTERS_IP + i, value[i],
				      SELFHEAL_A_REGISTERS_PAD))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int sh_fill_trail(struct sk_buff *msg, const struct sh_incident *inc)
{
	struct nlattr *nest;
	u32 i;

	for (i = 0; i < inc->nr_trail; i++) {
		nest = nla_nest_start(msg, SELFHEAL_A_INCIDENT_TRAIL);
		if (!nest || nla_put_s32(msg, SELFHEAL_A_TRAIL_NR, inc->trail[i].nr) ||
		    nla_put_u32(msg, SELFHEAL_A_TRAIL_ARCH,
				inc->trail[i].ia32 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64) ||
		    nla_put(msg, SELFHEAL_A_TRAIL_ARGS, sizeof(inc->trail[i].args),
			    inc->trail[i].args))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}

static int sh_fill_evidence(struct sk_buff *msg, const struct sh_incident *inc)
{
	int err;

	if (!inc->has_task)
		return 0;
	if (nla_put(msg, SELFHEAL_A_INCIDENT_CMDLINE, inc->cmdline_len, inc->cmdline) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_UID, inc->uid) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_EUID, inc->euid) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_GID, inc->gid) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_EGID, inc->egid) ||
	    sh_put_u64(msg, SELFHEAL_A_INCIDENT_CAP_EFFECTIVE, inc->cap_effective) ||
	    nla_put_u32(msg, SELFHEAL_A_INCIDENT_SYSCALL_ARCH, inc->arch) ||
	    nla_put(msg, SELFHEAL_A_INCIDENT_BACKTRACE, inc->nr_backtrace * sizeof(u64),
		    inc->backtrace) ||
	    nla_put(msg, SELFHEAL_A_INCIDENT_STACK, inc->stack_len, inc->stack))
		return -EMSGSIZE;
	if (inc->mapping_path &&
	    (nla_put_string(msg, SELFHEAL_A_INCIDENT_MAPPING_PATH, inc->mapping_path) ||
	     sh_put_u64(msg, SELFHEAL_A_INCIDENT_MAPPING_START, inc->mapping_start) ||
	     sh_put_u64(msg, SELFHEAL_A_INCIDENT_MAPPING_END, inc->mapping_end) ||
	     sh_put_u64(msg, SELFHEAL_A_INCIDENT_MAPPING_OFFSET, inc->mapping_offset) ||
	     nla_put_u32(msg, SELFHEAL_A_INCIDENT_MAPPING_FLAGS, inc->mapping_flags)))
		return -EMSGSIZE;
	err = sh_fill_registers(msg, &inc->regs);
	return err ?: sh_fill_trail(msg, inc);
}

static struct sh_incident *sh_need_incident(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[SELFHEAL_A_INCIDENT_ID];
	struct sh_incident *inc;
	int err = sh_control_permit(skb, info->extack);

	if (err)
		return ERR_PTR(err);
	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "name the incident by its id");
		return ERR_PTR(-EINVAL);
	}
	inc = sh_incident_find(nla_get_u64(attr));
	if (!inc) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no incident has this id, or it is forgotten");
		return ERR_PTR(-ENOENT);
	}
	return inc;
}

int sh_incident_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sh_incident *inc = sh_need_incident(skb, info);
	struct sk_buff *msg;
	void *hdr;
	int err;

	if (IS_ERR(inc))
		return PTR_ERR(inc);
	msg = sh_reply_new(info, SELFHEAL_CMD_INCIDENT_GET, 32768, &hdr);
	if (msg) {
		err = sh_fill_summary(msg, inc);
		if (!err)
			err = sh_fill_evidence(msg, inc);
		err = sh_reply_send(msg, hdr, info, err);
	} else {
		err = -ENOMEM;
	}
	sh_incident_put(inc);
	return err;
}

int sh_incident_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	u64 id = cb->args[0];
	struct sh_incident *inc;
	void *hdr;
	int err;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	cb->seq = sh_incident_generation();
	for (;; id++) {
		inc = sh_incident_next(&id);
		if (!inc)
			break;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_INCIDENT_GET);
		err = hdr ? sh_fill_summary(skb, inc) : -EMSGSIZE;
		sh_incident_put(inc);
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genl_dump_check_consistent(cb, hdr);
		genlmsg_end(skb, hdr);
	}
	cb->args[0] = id;
	return skb->len ?: err;
}

/* -ENOTRECOVERABLE with the reason in words. */
static int sh_answer_rollback(struct sh_incident *inc, struct genl_info *info)
{
	struct nlattr *error = info->attrs[SELFHEAL_A_INCIDENT_ERRNO];
	struct sh_domain *d = sh_domain_find(inc->domain_id);
	const char *why;
	int err;

	if (!d)
		return -EALREADY;
	err = sh_rollback(inc, SELFHEAL_RESOLVED_BY_CONTROLLER,
			  error ? -(int)nla_get_u32(error) : sh_policy_error(d->policy), &why);
	sh_domain_put(d);
	/* One of our constant texts: NL_SET_ERR_MSG() takes a literal alone. */
	if (err == -ENOTRECOVERABLE && info->extack)
		info->extack->_msg = why;
	else if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "the domain has not come to a stop; try again");
	return err;
}

int sh_incident_answer(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[SELFHEAL_A_INCIDENT_VERDICT];
	struct sh_incident *inc;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "a verdict is release, rollback or kill");
		return -EINVAL;
	}
	inc = sh_need_incident(skb, info);
	if (IS_ERR(inc))
		return PTR_ERR(inc);
	if (nla_get_u32(attr) == SELFHEAL_VERDICT_ROLLBACK) {
		err = sh_answer_rollback(inc, info);
	} else if (info->attrs[SELFHEAL_A_INCIDENT_ERRNO]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[SELFHEAL_A_INCIDENT_ERRNO],
				    "errno goes with the verdict rollback");
		err = -EINVAL;
	} else {
		err = sh_verdict(inc, nla_get_u32(attr), SELFHEAL_RESOLVED_BY_CONTROLLER);
	}
	if (err == -EALREADY)
		NL_SET_ERR_MSG(info->extack, "the incident has been resolved");
	sh_incident_put(inc);
	return err;
}
