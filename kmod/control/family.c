// SPDX-License-Identifier: GPL-2.0
/*
 * The family itself: who may ask, what can be asked, the agent, and the
 * multicast of events. Plain genl_ops: 6.1 has no split ones.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/utsname.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "../counters.h"
#include "../domain/controller.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/policy.h"
#include "../event.h"
#include "../gate/hooks.h"
#include "../incident/incident.h"
#include "../sense/sense.h"
#include "control.h"

static atomic_t sh_agent_port;

int sh_control_permit(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	struct sh_member *m = sh_member_get(current);

	if (m) {
		sh_sense_tamper_tap(m, "control interface");
		sh_member_put(m);
		sh_count(SH_C_requests_refused);
		NL_SET_ERR_MSG(extack, "the caller is a member of a domain");
		return -EPERM;
	}
	/* A worker sends what a member had put out: its credentials, and nobody's membership. */
	if (current->flags & PF_KTHREAD) {
		sh_count(SH_C_requests_refused);
		NL_SET_ERR_MSG(extack, "the request has been in a quarantine");
		return -EPERM;
	}
	if (!netlink_capable(skb, CAP_SYS_ADMIN)) {
		sh_count(SH_C_requests_refused);
		NL_SET_ERR_MSG(extack, "CAP_SYS_ADMIN in the initial user namespace is required");
		return -EPERM;
	}
	sh_controller_note(NETLINK_CB(skb).portid);
	return 0;
}

struct sk_buff *sh_reply_new(struct genl_info *info, u8 cmd, size_t size, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &sh_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int sh_reply_send(struct sk_buff *msg, void *hdr, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int sh_fill_hooks(struct sk_buff *msg)
{
	struct sh_hook_info h;
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; sh_hook_info(i, &h); i++) {
		nest = nla_nest_start(msg, SELFHEAL_A_STATUS_HOOK);
		if (!nest || nla_put_string(msg, SELFHEAL_A_HOOK_SYMBOL, h.symbol) ||
		    nla_put_u32(msg, SELFHEAL_A_HOOK_STATE, h.state) ||
		    (h.required && nla_put_flag(msg, SELFHEAL_A_HOOK_REQUIRED)) ||
		    nla_put_string(msg, SELFHEAL_A_HOOK_LOST, h.lost))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}

static int sh_fill_counters(struct sk_buff *msg)
{
	struct nlattr *nest;
	int i;

	for (i = 0; i < SH_COUNTER_NR; i++) {
		nest = nla_nest_start(msg, SELFHEAL_A_STATUS_COUNTER);
		if (!nest ||
		    nla_put_string(msg, SELFHEAL_A_COUNTER_NAME, sh_counter_descs[i].name) ||
		    nla_put_u64_64bit(msg, SELFHEAL_A_COUNTER_VALUE,
				      atomic64_read(&sh_counters[i]), SELFHEAL_A_COUNTER_PAD) ||
		    nla_put_string(msg, SELFHEAL_A_COUNTER_HELP, sh_counter_descs[i].help))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}

static u32 sh_member_total(void)
{
	return atomic64_read(&sh_counters[SH_C_members_new]) -
	       atomic64_read(&sh_counters[SH_C_members_gone]);
}

int sh_status_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	msg = sh_reply_new(info, SELFHEAL_CMD_STATUS_GET, 16384 + sh_guard_size(), &hdr);
	if (!msg)
		return -ENOMEM;
	err = -EMSGSIZE;
	if (nla_put_u32(msg, SELFHEAL_A_STATUS_ABI, SELFHEAL_ABI_VERSION) ||
	    nla_put_string(msg, SELFHEAL_A_STATUS_VERSION, THIS_MODULE->version) ||
	    nla_put_string(msg, SELFHEAL_A_STATUS_KERNEL, init_uts_ns.name.release) ||
	    nla_put_u32(msg, SELFHEAL_A_STATUS_POLICIES, sh_policy_count()) ||
	    nla_put_u32(msg, SELFHEAL_A_STATUS_DOMAINS, sh_domain_count()) ||
	    nla_put_u32(msg, SELFHEAL_A_STATUS_MEMBERS, sh_member_total()) ||
	    nla_put_u32(msg, SELFHEAL_A_STATUS_INCIDENTS_OPEN, sh_incident_open_count()) ||
	    nla_put_u32(msg, SELFHEAL_A_STATUS_AGENT, atomic_read(&sh_agent_port)) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_STATUS_EVENT_SEQ, sh_event_seq(),
			      SELFHEAL_A_STATUS_PAD) ||
	    (sh_locked() && nla_put_flag(msg, SELFHEAL_A_STATUS_LOCKED)))
		goto out;
	err = sh_guard_fill(msg);
	if (!err)
		err = sh_fill_hooks(msg);
	if (!err)
		err = sh_fill_counters(msg);
out:
	return sh_reply_send(msg, hdr, info, err);
}

static void sh_agent_event(u8 type)
{
	struct sh_event ev = { .type = type };

	sh_event_emit(&ev);
}

int sh_agent_register(struct sk_buff *skb, struct genl_info *info)
{
	int err = sh_control_permit(skb, info->extack);

	if (err)
		return err;
	if (atomic_cmpxchg(&sh_agent_port, 0, info->snd_portid)) {
		NL_SET_ERR_MSG(info->extack, "another agent is registered; stop it first");
		return -EBUSY;
	}
	sh_agent_event(SELFHEAL_EVENT_TYPE_AGENT_NEW);
	return 0;
}

static int sh_netlink_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct netlink_notify *n = data;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC || !n->portid ||
	    !net_eq(n->net, &init_net))
		return NOTIFY_DONE;
	sh_controller_gone(n->portid);
	if (atomic_cmpxchg(&sh_agent_port, n->portid, 0) == n->portid)
		sh_agent_event(SELFHEAL_EVENT_TYPE_AGENT_LOST);
	return NOTIFY_DONE;
}

static struct notifier_block sh_netlink_notifier = { .notifier_call = sh_netlink_notify };

#define SH_DO(c, f, table) \
	{ .cmd = SELFHEAL_CMD_##c, .doit = f, .policy = table, .maxattr = ARRAY_SIZE(table) - 1 }
#define SH_DUMP(c, f, d, table) \
	{ .cmd = SELFHEAL_CMD_##c, .doit = f, .dumpit = d, .policy = table, \
	  .maxattr = ARRAY_SIZE(table) - 1 }

/* Requests without a table take no attribute: genl refuses any. */
static const struct genl_ops sh_ops[] = {
	{ .cmd = SELFHEAL_CMD_STATUS_GET, .doit = sh_status_get },
	{ .cmd = SELFHEAL_CMD_AGENT_REGISTER, .doit = sh_agent_register },
	{ .cmd = SELFHEAL_CMD_LOCK, .doit = sh_lock },
	SH_DO(GUARD_ADD, sh_guard_request, sh_nl_guard),
	SH_DO(POLICY_LOAD, sh_policy_load, sh_nl_policy_load),
	SH_DO(POLICY_UNLOAD, sh_policy_unload, sh_nl_policy_name),
	SH_DUMP(POLICY_GET, sh_policy_get, sh_policy_dump, sh_nl_policy_name),
	SH_DO(DOMAIN_NEW, sh_domain_make, sh_nl_domain_new),
	SH_DO(DOMAIN_ADD, sh_domain_add, sh_nl_domain_add),
	SH_DUMP(DOMAIN_GET, sh_domain_get, sh_domain_dump, sh_nl_domain_id),
	SH_DO(DOMAIN_FREEZE, sh_domain_stop, sh_nl_domain_id),
	SH_DO(DOMAIN_DISSOLVE, sh_domain_dissolve, sh_nl_domain_id),
	SH_DUMP(INCIDENT_GET, sh_incident_get, sh_incident_dump, sh_nl_incident_id),
	SH_DO(INCIDENT_VERDICT, sh_incident_answer, sh_nl_incident_verdict),
	SH_DUMP(QUARANTINE_GET, NULL, sh_quarantine_dump, sh_nl_held),
	SH_DUMP(EVENT_GET, NULL, sh_event_dump, sh_nl_event),
	SH_DUMP(RESCUE_GET, NULL, sh_rescue_dump, sh_nl_rescue),
};

static const struct genl_multicast_group sh_groups[] = {
	{ .name = SELFHEAL_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_SYS_ADMIN },
};

struct genl_family sh_family = {
	.name = SELFHEAL_FAMILY_NAME,
	.version = SELFHEAL_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = false,
	.parallel_ops = true,
	.ops = sh_ops,
	.n_ops = ARRAY_SIZE(sh_ops),
	.resv_start_op = SELFHEAL_CMD_STATUS_GET,
	.mcgrps = sh_groups,
	.n_mcgrps = ARRAY_SIZE(sh_groups),
};

static void sh_event_multicast(const struct sh_event *ev)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return;
	hdr = genlmsg_put(msg, 0, 0, &sh_family, 0, SELFHEAL_CMD_EVENT);
	if (!hdr || sh_event_fill(msg, ev)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast(&sh_family, msg, 0, 0, GFP_KERNEL);
}

int sh_control_init(void)
{
	int err = netlink_register_notifier(&sh_netlink_notifier);

	if (err)
		return err;
	err = genl_register_family(&sh_family);
	if (err) {
		netlink_unregister_notifier(&sh_netlink_notifier);
		return err;
	}
	sh_event_listen(sh_event_multicast);
	return 0;
}

void sh_control_exit(void)
{
	sh_event_listen(NULL);
	genl_unregister_family(&sh_family);
	netlink_unregister_notifier(&sh_netlink_notifier);
}
