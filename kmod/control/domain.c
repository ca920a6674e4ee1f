// SPDX-License-Identifier: GPL-2.0
/* Requests about domains: making, freezing, dissolving, showing. */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../incident/incident.h"
#include "../quarantine/quarantine.h"
#include "control.h"

const struct nla_policy sh_nl_domain_new[SELFHEAL_A_DOMAIN_MAX + 1] = {
	[SELFHEAL_A_DOMAIN_POLICY] = { .type = NLA_NUL_STRING, .len = SELFHEAL_POLICY_NAME_MAX },
	[SELFHEAL_A_DOMAIN_PIDFD] = { .type = NLA_S32 },
	[SELFHEAL_A_DOMAIN_TREE] = { .type = NLA_FLAG },
	[SELFHEAL_A_DOMAIN_STARTING] = { .type = NLA_FLAG },
};

const struct nla_policy sh_nl_domain_add[SELFHEAL_A_DOMAIN_MAX + 1] = {
	[SELFHEAL_A_DOMAIN_ID] = { .type = NLA_U64 },
	[SELFHEAL_A_DOMAIN_PIDFD] = { .type = NLA_S32 },
	[SELFHEAL_A_DOMAIN_TREE] = { .type = NLA_FLAG },
};

const struct nla_policy sh_nl_domain_id[SELFHEAL_A_DOMAIN_MAX + 1] = {
	[SELFHEAL_A_DOMAIN_ID] = { .type = NLA_U64 },
};

/* What is held goes out, and all go on unprotected. As sh_dissolve(). */
static int sh_let_go(struct sh_domain *d)
{
	int err;

	sh_quarantine_release(d->quarantine);
	err = sh_dissolve(d);
	sh_quarantine_kick(d->quarantine);
	return err;
}

int sh_domain_make(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *name = info->attrs[SELFHEAL_A_DOMAIN_POLICY];
	struct sh_policy *p;
	struct sh_domain *d;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	if (!name) {
		NL_SET_ERR_MSG(info->extack, "name the policy");
		return -EINVAL;
	}
	if (!info->attrs[SELFHEAL_A_DOMAIN_PIDFD]) {
		NL_SET_ERR_MSG(info->extack, "name the process by a pidfd");
		return -EINVAL;
	}
	p = sh_policy_find(nla_data(name));
	if (!p) {
		NL_SET_ERR_MSG_ATTR(info->extack, name, "no policy of this name is loaded");
		return -ENOENT;
	}
	/* First, so that nothing can fail once the process is enrolled. */
	msg = sh_reply_new(info, SELFHEAL_CMD_DOMAIN_NEW, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg) {
		sh_policy_put(p);
		return -ENOMEM;
	}
	d = sh_domain_new(p);
	sh_policy_put(p);
	if (IS_ERR(d)) {
		nlmsg_free(msg);
		return PTR_ERR(d);
	}
	sh_domain_hold(d);
	err = sh_enrol(d, info);
	if (err) {
		/* Nothing is half done: whoever had been enrolled goes on unprotected. */
		sh_let_go(d);
		sh_domain_abort(d);
	} else if (nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_ID, d->id, SELFHEAL_A_DOMAIN_PAD)) {
		err = -EMSGSIZE;
	}
	sh_domain_put(d);
	return sh_reply_send(msg, hdr, info, err);
}

static struct sh_domain *sh_need_domain(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[SELFHEAL_A_DOMAIN_ID];
	struct sh_domain *d;
	int err = sh_control_permit(skb, info->extack);

	if (err)
		return ERR_PTR(err);
	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "name the domain by its id");
		return ERR_PTR(-EINVAL);
	}
	d = sh_domain_find(nla_get_u64(attr));
	if (!d) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no domain has this id");
		return ERR_PTR(-ENOENT);
	}
	return d;
}

int sh_domain_add(struct sk_buff *skb, struct genl_info *info)
{
	struct sh_domain *d = sh_need_domain(skb, info);
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	err = sh_enrol(d, info);
	sh_domain_put(d);
	return err;
}

int sh_domain_stop(struct sk_buff *skb, struct genl_info *info)
{
	const struct sh_evidence ev = { .sensor = SELFHEAL_SENSOR_MANUAL, .nr = -1 };
	struct sh_domain *d = sh_need_domain(skb, info);
	struct sh_incident *inc = NULL;
	struct sk_buff *msg;
	void *hdr;
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	msg = sh_reply_new(info, SELFHEAL_CMD_DOMAIN_FREEZE, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg) {
		sh_domain_put(d);
		return -ENOMEM;
	}
	if (sh_domain_state(d) != SELFHEAL_DOMAIN_STATE_RUNNING) {
		NL_SET_ERR_MSG(info->extack, "the domain is not running");
		err = -EBUSY;
	} else {
		inc = sh_incident_open(d, NULL, &ev, NULL);
		err = inc ? 0 : -ENOMEM;
	}
	if (inc && (nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_ID, d->id, SELFHEAL_A_DOMAIN_PAD) ||
		    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_INCIDENT, inc->id,
				      SELFHEAL_A_DOMAIN_PAD)))
		err = -EMSGSIZE;
	sh_incident_put(inc);
	sh_domain_put(d);
	return sh_reply_send(msg, hdr, info, err);
}

int sh_domain_dissolve(struct sk_buff *skb, struct genl_info *info)
{
	struct sh_domain *d = sh_need_domain(skb, info);
	int err = 0;

	if (IS_ERR(d))
		return PTR_ERR(d);
	sh_lock_enter();
	if (sh_locked()) {
		err = sh_lock_refuse(info->extack);
	} else if (sh_domain_state(d) != SELFHEAL_DOMAIN_STATE_RUNNING) {
		NL_SET_ERR_MSG(info->extack, "the domain has an open incident; answer it first");
		err = -EBUSY;
	} else {
		err = sh_let_go(d);
		if (err && !sh_state_runs(sh_domain_state(d)))
			NL_SET_ERR_MSG(info->extack,
				       "an incident came in between, and who has not left is frozen; answer it first");
		else if (err)
			NL_SET_ERR_MSG(info->extack,
				       "a fork does not end (vfork(2), a tracer); all but those in it have left");
	}
	sh_lock_leave();
	sh_domain_put(d);
	return err;
}

static u32 sh_count_processes(struct sh_domain *d)
{
	struct sh_member *m;
	u32 n = 0;

	list_for_each_entry(m, &d->members, node)
		n += thread_group_leader(m->task);
	return n;
}

/* domain->lock held. */
static int sh_domain_fill_state(struct sk_buff *msg, struct sh_domain *d)
{
	if (nla_put_u32(msg, SELFHEAL_A_DOMAIN_STATE, d->state) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_MEMBERS, d->nr_members) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_PROCESSES, sh_count_processes(d)) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_LEADER, d->leader) ||
	    nla_put_string(msg, SELFHEAL_A_DOMAIN_COMM, d->comm) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_INCIDENT,
			      d->incident ? d->incident->id : 0, SELFHEAL_A_DOMAIN_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_INCIDENTS, d->incidents) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_PARKED, atomic_read(&d->nr_parked)) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_FREEZE_NS, d->freeze_ns,
			      SELFHEAL_A_DOMAIN_PAD))
		return -EMSGSIZE;
	return 0;
}

static int sh_domain_fill_quarantine(struct sk_buff *msg, struct sh_quarantine *q)
{
	u64 bytes, total, committed, dropped;
	u32 entries;

	spin_lock(&q->lock);
	bytes = q->bytes;
	entries = q->entries;
	total = q->total;
	committed = q->committed;
	dropped = q->dropped;
	spin_unlock(&q->lock);
	if (nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_HELD_BYTES, bytes, SELFHEAL_A_DOMAIN_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_DOMAIN_HELD_ENTRIES, entries) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_HELD_TOTAL, total,
			      SELFHEAL_A_DOMAIN_PAD) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_COMMITTED_BYTES, committed,
			      SELFHEAL_A_DOMAIN_PAD) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_DROPPED_BYTES, dropped,
			      SELFHEAL_A_DOMAIN_PAD))
		return -EMSGSIZE;
	return 0;
}

/* The executable of the domain's leader, or of its oldest member; may sleep. */
static int sh_domain_fill_exe(struct sk_buff *msg, struct sh_domain *d)
{
	struct task_struct *task = NULL;
	struct sh_member *m;
	char *exe;
	int err;

	spin_lock(&d->lock);
	list_for_each_entry(m, &d->members, node) {
		if (task && task_tgid_nr(m->task) != d->leader)
			continue;
		if (task)
			put_task_struct(task);
		task = get_task_struct(m->task);
		if (task_tgid_nr(task) == d->leader)
			break;
	}
	spin_unlock(&d->lock);
	if (!task)
		return 0;
	exe = sh_task_exe(task);
	put_task_struct(task);
	err = exe ? nla_put_string(msg, SELFHEAL_A_DOMAIN_EXE, exe) : 0;
	kfree(exe);
	return err;
}

static int sh_domain_fill(struct sk_buff *msg, struct sh_domain *d)
{
	int err;

	if (nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_ID, d->id, SELFHEAL_A_DOMAIN_PAD) ||
	    nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, d->policy->name) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_DOMAIN_STAMP, d->stamp, SELFHEAL_A_DOMAIN_PAD))
		return -EMSGSIZE;
	spin_lock(&d->lock);
	err = sh_domain_fill_state(msg, d);
	spin_unlock(&d->lock);
	if (!err)
		err = sh_domain_fill_exe(msg, d);
	return err ?: sh_domain_fill_quarantine(msg, d->quarantine);
}

/* As many members as fit; the count above tells whether that was all. */
static void sh_domain_fill_members(struct sk_buff *msg, struct sh_domain *d)
{
	char comm[TASK_COMM_LEN];
	struct nlattr *nest;
	struct sh_member *m;

	spin_lock(&d->lock);
	list_for_each_entry(m, &d->members, node) {
		nest = nla_nest_start(msg, SELFHEAL_A_DOMAIN_MEMBER);
		if (!nest)
			break;
		get_task_comm(comm, m->task);
		if (nla_put_u32(msg, SELFHEAL_A_MEMBER_TID, task_pid_nr(m->task)) ||
		    nla_put_u32(msg, SELFHEAL_A_MEMBER_PID, task_tgid_nr(m->task)) ||
		    nla_put_string(msg, SELFHEAL_A_MEMBER_COMM, comm) ||
		    (m->parked && nla_put_flag(msg, SELFHEAL_A_MEMBER_PARKED)) ||
		    nla_put_u64_64bit(msg, SELFHEAL_A_MEMBER_SYSCALLS, READ_ONCE(m->syscalls),
				      SELFHEAL_A_MEMBER_PAD)) {
			nla_nest_cancel(msg, nest);
			break;
		}
		nla_nest_end(msg, nest);
	}
	spin_unlock(&d->lock);
}

int sh_domain_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sh_domain *d = sh_need_domain(skb, info);
	struct sk_buff *msg;
	void *hdr;
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	msg = sh_reply_new(info, SELFHEAL_CMD_DOMAIN_GET, 32768, &hdr);
	if (!msg) {
		sh_domain_put(d);
		return -ENOMEM;
	}
	err = sh_domain_fill(msg, d);
	if (!err)
		sh_domain_fill_members(msg, d);
	sh_domain_put(d);
	return sh_reply_send(msg, hdr, info, err);
}

int sh_domain_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	u64 id = cb->args[0];
	struct sh_domain *d;
	int err = 0;
	void *hdr;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	cb->seq = sh_domain_generation();
	for (;; id++) {
		d = sh_domain_next(&id);
		if (!d)
			break;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_DOMAIN_GET);
		err = hdr ? sh_domain_fill(skb, d) : -EMSGSIZE;
		sh_domain_put(d);
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
