// SPDX-License-Identifier: GPL-2.0
/* Dumps of the quarantine and of the kept events. */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "../compat/genl.h"
#include "../domain/domain.h"
#include "../event.h"
#include "../heal/rescue.h"
#include "../quarantine/quarantine.h"
#include "control.h"

const struct nla_policy sh_nl_held[SELFHEAL_A_HELD_MAX + 1] = {
	[SELFHEAL_A_HELD_DOMAIN] = { .type = NLA_U64 },
	[SELFHEAL_A_HELD_CONTENTS] = { .type = NLA_FLAG },
};

const struct nla_policy sh_nl_event[SELFHEAL_A_EVENT_MAX + 1] = {
	[SELFHEAL_A_EVENT_SEQ] = { .type = NLA_U64 },
};

static int sh_held_fill(struct sk_buff *msg, u64 domain, const struct sh_held_info *h,
			const void *data)
{
	if (nla_put_u64_64bit(msg, SELFHEAL_A_HELD_DOMAIN, domain, SELFHEAL_A_HELD_PAD) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_HELD_SEQ, h->seq, SELFHEAL_A_HELD_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_HELD_CHANNEL, h->channel) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_HELD_OBJECT, h->object, SELFHEAL_A_HELD_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_HELD_TID, h->tid) ||
	    nla_put_u32(msg, SELFHEAL_A_HELD_LENGTH, h->len) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_HELD_STAMP, h->stamp, SELFHEAL_A_HELD_PAD) ||
	    nla_put_string(msg, SELFHEAL_A_HELD_PEER, h->peer) ||
	    (h->data_len && nla_put(msg, SELFHEAL_A_HELD_DATA, h->data_len, data)))
		return -EMSGSIZE;
	return 0;
}

const struct nla_policy sh_nl_rescue[SELFHEAL_A_RESCUE_MAX + 1] = {
	[SELFHEAL_A_RESCUE_DOMAIN] = { .type = NLA_U64 },
};

static int sh_rescue_fill(struct sk_buff *msg, u64 domain, const struct sh_rescue_info *r)
{
	if (nla_put_u64_64bit(msg, SELFHEAL_A_RESCUE_DOMAIN, domain, SELFHEAL_A_RESCUE_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_RESCUE_TID, r->tid) ||
	    nla_put_u32(msg, SELFHEAL_A_RESCUE_PID, r->pid) ||
	    (r->why && nla_put_string(msg, SELFHEAL_A_RESCUE_MISSING, r->why)) ||
	    (!r->why &&
	     (nla_put_u64_64bit(msg, SELFHEAL_A_RESCUE_STAMP, r->stamp, SELFHEAL_A_RESCUE_PAD) ||
	      nla_put_s32(msg, SELFHEAL_A_RESCUE_SYSCALL_NR, r->nr))) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_RESCUE_TAKEN, r->taken, SELFHEAL_A_RESCUE_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_RESCUE_USED, r->used))
		return -EMSGSIZE;
	return 0;
}

int sh_rescue_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = sh_dump_attrs(genl_dumpit_info(cb));
	struct sh_rescue_info info;
	unsigned int i = cb->args[0];
	struct sh_domain *d;
	void *hdr;
	int err;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	if (!attrs[SELFHEAL_A_RESCUE_DOMAIN]) {
		NL_SET_ERR_MSG(cb->extack, "name the domain by its id");
		return -EINVAL;
	}
	d = sh_domain_find(nla_get_u64(attrs[SELFHEAL_A_RESCUE_DOMAIN]));
	if (!d) {
		if (i)
			return 0;
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[SELFHEAL_A_RESCUE_DOMAIN],
				    "no domain has this id");
		return -ENOENT;
	}
	for (; sh_rescue_info(d, i, &info); i++) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_RESCUE_GET);
		err = hdr ? sh_rescue_fill(skb, d->id, &info) : -EMSGSIZE;
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	cb->args[0] = i;
	sh_domain_put(d);
	return skb->len ?: err;
}

int sh_quarantine_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_dumpit_info *info = genl_dumpit_info(cb);
	struct nlattr **attrs = sh_dump_attrs(info);
	struct sh_held_info *h = NULL;
	u64 after = cb->args[0];
	struct sh_domain *d;
	void *data = NULL, *hdr;
	int err;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	if (!attrs[SELFHEAL_A_HELD_DOMAIN]) {
		NL_SET_ERR_MSG(cb->extack, "name the domain by its id");
		return -EINVAL;
	}
	d = sh_domain_find(nla_get_u64(attrs[SELFHEAL_A_HELD_DOMAIN]));
	if (!d) {
		/* It may end between two parts of a dump: then that is the end. */
		if (after)
			return 0;
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[SELFHEAL_A_HELD_DOMAIN],
				    "no domain has this id");
		return -ENOENT;
	}
	h = kmalloc(sizeof(*h), GFP_KERNEL);
	if (attrs[SELFHEAL_A_HELD_CONTENTS])
		data = kvmalloc(SELFHEAL_DATA_MAX, GFP_KERNEL);
	if (!h || (attrs[SELFHEAL_A_HELD_CONTENTS] && !data)) {
		err = -ENOMEM;
		goto out;
	}
	while (sh_quarantine_next(d->quarantine, after, h, data, SELFHEAL_DATA_MAX)) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_QUARANTINE_GET);
		err = hdr ? sh_held_fill(skb, d->id, h, data) : -EMSGSIZE;
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		after = h->seq;
	}
	cb->args[0] = after;
out:
	kvfree(data);
	kfree(h);
	sh_domain_put(d);
	return skb->len ?: err;
}

int sh_event_fill(struct sk_buff *msg, const struct sh_event *ev)
{
	if (nla_put_u64_64bit(msg, SELFHEAL_A_EVENT_SEQ, ev->seq, SELFHEAL_A_EVENT_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_EVENT_TYPE, ev->type) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_EVENT_STAMP, ev->stamp, SELFHEAL_A_EVENT_PAD) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_EVENT_DOMAIN, ev->domain, SELFHEAL_A_EVENT_PAD) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_EVENT_INCIDENT, ev->incident,
			      SELFHEAL_A_EVENT_PAD) ||
	    nla_put_string(msg, SELFHEAL_A_EVENT_POLICY, ev->policy) ||
	    nla_put_u32(msg, SELFHEAL_A_EVENT_STATE, ev->state) ||
	    nla_put_u32(msg, SELFHEAL_A_EVENT_SENSOR, ev->sensor) ||
	    nla_put_u32(msg, SELFHEAL_A_EVENT_VERDICT, ev->verdict) ||
	    nla_put_u32(msg, SELFHEAL_A_EVENT_RESOLVED_BY, ev->resolved_by) ||
	    (ev->hook[0] && nla_put_string(msg, SELFHEAL_A_EVENT_HOOK, ev->hook)))
		return -EMSGSIZE;
	if (ev->type == SELFHEAL_EVENT_TYPE_TAMPER &&
	    (nla_put_string(msg, SELFHEAL_A_EVENT_WHAT, ev->what) ||
	     nla_put_u32(msg, SELFHEAL_A_EVENT_TID, ev->tid) ||
	     nla_put_s32(msg, SELFHEAL_A_EVENT_SYSCALL_NR, ev->nr)))
		return -EMSGSIZE;
	return 0;
}

int sh_event_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = sh_dump_attrs(genl_dumpit_info(cb));
	struct sh_event ev;
	void *hdr;
	u64 after;
	int err;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	/* args[1]: the cursor in args[0] is valid. */
	after = cb->args[0];
	if (!cb->args[1] && attrs[SELFHEAL_A_EVENT_SEQ])
		after = nla_get_u64(attrs[SELFHEAL_A_EVENT_SEQ]);
	cb->args[1] = 1;
	while (sh_event_next(after, &ev)) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_EVENT_GET);
		err = hdr ? sh_event_fill(skb, &ev) : -EMSGSIZE;
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		after = ev.seq;
	}
	cb->args[0] = after;
	return skb->len ?: err;
}
