/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family; the contract is Documentation/netlink/specs/selfheal.yaml. */
#ifndef SELFHEAL_CONTROL_CONTROL_H
#define SELFHEAL_CONTROL_CONTROL_H

#include <net/genetlink.h>

#include "../event.h"
#include "../limits.h"

int sh_control_init(void);
void sh_control_exit(void);

extern struct genl_family sh_family;

/* What each request may carry; anything else is refused as unknown. */
extern const struct nla_policy sh_nl_policy_load[SELFHEAL_A_POLICY_MAX + 1];
extern const struct nla_policy sh_nl_policy_name[SELFHEAL_A_POLICY_MAX + 1];
extern const struct nla_policy sh_nl_domain_new[SELFHEAL_A_DOMAIN_MAX + 1];
extern const struct nla_policy sh_nl_domain_add[SELFHEAL_A_DOMAIN_MAX + 1];
extern const struct nla_policy sh_nl_domain_id[SELFHEAL_A_DOMAIN_MAX + 1];
extern const struct nla_policy sh_nl_incident_id[SELFHEAL_A_INCIDENT_MAX + 1];
extern const struct nla_policy sh_nl_incident_verdict[SELFHEAL_A_INCIDENT_MAX + 1];
extern const struct nla_policy sh_nl_held[SELFHEAL_A_HELD_MAX + 1];
extern const struct nla_policy sh_nl_guard[SELFHEAL_A_STATUS_MAX + 1];
extern const struct nla_policy sh_nl_rescue[SELFHEAL_A_RESCUE_MAX + 1];
extern const struct nla_policy sh_nl_event[SELFHEAL_A_EVENT_MAX + 1];

/* Requests. All run in process context with the family's parallel_ops, so without genl's mutex. */
int sh_status_get(struct sk_buff *skb, struct genl_info *info);
int sh_agent_register(struct sk_buff *skb, struct genl_info *info);
int sh_lock(struct sk_buff *skb, struct genl_info *info);
int sh_guard_request(struct sk_buff *skb, struct genl_info *info);
int sh_policy_load(struct sk_buff *skb, struct genl_info *info);
int sh_policy_unload(struct sk_buff *skb, struct genl_info *info);
int sh_policy_get(struct sk_buff *skb, struct genl_info *info);
int sh_policy_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sh_domain_make(struct sk_buff *skb, struct genl_info *info);
int sh_domain_add(struct sk_buff *skb, struct genl_info *info);
int sh_domain_get(struct sk_buff *skb, struct genl_info *info);
int sh_domain_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sh_domain_stop(struct sk_buff *skb, struct genl_info *info);
int sh_domain_dissolve(struct sk_buff *skb, struct genl_info *info);
int sh_incident_get(struct sk_buff *skb, struct genl_info *info);
int sh_incident_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sh_incident_answer(struct sk_buff *skb, struct genl_info *info);
int sh_rescue_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sh_quarantine_dump(struct sk_buff *skb, struct netlink_callback *cb);
int sh_event_dump(struct sk_buff *skb, struct netlink_callback *cb);

/* -EPERM with a text unless the sender may control us. */
int sh_control_permit(struct sk_buff *skb, struct netlink_ext_ack *extack);

/*
 * The lock. Whatever it may forbid runs between enter and leave, asks
 * sh_locked() there, and answers with sh_lock_refuse(): -EPERM with a text.
 */
void sh_lock_enter(void);
void sh_lock_leave(void);
bool sh_locked(void);
int sh_lock_refuse(struct netlink_ext_ack *extack);

struct sh_domain;

/* Enrol the process that the request names, with an error text where it cannot be. */
int sh_enrol(struct sh_domain *d, struct genl_info *info);

/*
 * Take all members of @d, to which the caller has a reference, out of it. -EBUSY when the domain
 * is frozen meanwhile, or forks that had begun do not end: those that are in it then stay. Process
 * context; may sleep for seconds, and for a grace period of RCU-tasks.
 */
int sh_dissolve(struct sh_domain *d);

/* A reply under construction. */
struct sk_buff *sh_reply_new(struct genl_info *info, u8 cmd, size_t size, void **hdr);
int sh_reply_send(struct sk_buff *msg, void *hdr, struct genl_info *info, int err);

/* The guarded files, for the status; and about how much room they take. May sleep. */
int sh_guard_fill(struct sk_buff *msg);
size_t sh_guard_size(void);

int sh_event_fill(struct sk_buff *msg, const struct sh_event *ev);

#endif /* SELFHEAL_CONTROL_CONTROL_H */
