/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink attributes to plain structs and back. The decoders trust nothing: an
 * attribute of a wrong size is -EBADMSG, an unknown one is skipped, a missing
 * one leaves zero. On an error nothing is left to release.
 */
#ifndef HEALCTL_DECODE_H
#define HEALCTL_DECODE_H

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "containers.h"
#include "policy.h"

/* The attributes of one message or nest. */
struct attrs {
	struct nlattr *head;
	int len;
};

int decode_policy(struct attrs attrs, struct policy *policy);
int decode_domain(struct attrs attrs, struct domain *domain);
int decode_incident(struct attrs attrs, struct incident *incident);
int decode_held(struct attrs attrs, struct held *held);
int decode_rescue(struct attrs attrs, struct rescue_point *point);
int decode_event(struct attrs attrs, struct event *event);
int decode_status(struct attrs attrs, struct status *status);

void domain_release(struct domain *domain);
void held_release(struct held *held);
void status_release(struct status *status);

/* All the settings that the policy states; 0 or -EMSGSIZE. */
int encode_policy(struct nl_msg *msg, const struct policy *policy);
/* A message buffer that holds encode_policy()'s output. */
size_t encode_policy_size(const struct policy *policy);

/* Shared by the decoders: each does nothing when the attribute is absent. */
void get_u32(struct nlattr *attr, uint32_t *out);
void get_u64(struct nlattr *attr, uint64_t *out);
int get_string(struct nlattr *attr, char *buf, size_t size);
int get_bytes(struct nlattr *attr, void *buf, size_t size, size_t *len);
int parse_attrs(struct nlattr **tb, int max, struct attrs attrs, const struct nla_policy *policy);
struct attrs nested_attrs(struct nlattr *attr);
/* Room for n more attributes of a multi-attr; NULL when there are none. */
size_t count_attrs(struct attrs attrs, int type);

#endif
