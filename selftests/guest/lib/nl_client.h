/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One connection to the generic netlink family: requests with any attributes,
 * acknowledgements as -errno with the kernel's extack text, and dumps.
 */
#ifndef GUEST_NL_CLIENT_H
#define GUEST_NL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <linux/selfheal.h>

struct nlc {
	struct nl_sock *sk;
	int family;
	bool torn;		/* the latest dump was marked NLM_F_DUMP_INTR */
	int messages;		/* datagrams that the latest answer took */
	char ext[256];		/* extack text of the latest refusal, else "" */
};

/* Called for each reply message with the payload's attribute stream. */
typedef void (*nlc_fn)(struct nlmsghdr *nlh, void *arg);

/* 0, or -errno; -ENOENT when the family is not there. */
int nlc_open(struct nlc *c);
void nlc_close(struct nlc *c);

/* A request to fill with nla_put*(); flags is 0 or NLM_F_DUMP. */
struct nl_msg *nlc_msg(struct nlc *c, uint8_t cmd, int flags);
/* Send, wait for the end, free the message: 0 or -errno, text in c->ext. */
int nlc_call(struct nlc *c, struct nl_msg *msg, nlc_fn fn, void *arg);
/* The same for a command that takes at most one u64. */
int nlc_u64(struct nlc *c, uint8_t cmd, int attr, uint64_t value, nlc_fn fn, void *arg);
int nlc_dump(struct nlc *c, uint8_t cmd, nlc_fn fn, void *arg);
/* Send without waiting for an answer; 0 or -errno. */
int nlc_send_only(struct nlc *c, struct nl_msg *msg);

/* Readers that tolerate a missing attribute. */
uint32_t nlc_get_u32(struct nlattr **tb, int attr);
uint64_t nlc_get_u64(struct nlattr **tb, int attr);
void nlc_get_str(struct nlattr **tb, int attr, char *buf, size_t size);
size_t nlc_get_bin(struct nlattr **tb, int attr, void *buf, size_t size);

#endif
