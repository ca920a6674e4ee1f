// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/handlers.h>

#include "nl_client.h"
#include "proc.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* A kernel that does not answer within this time has failed the test. */
#define ANSWER_BOUND_S (slow_ms(60000) / 1000)

struct call {
	struct nlc *c;
	nlc_fn fn;
	void *arg;
	int err;
	bool done;
};

static void keep_text(struct nlc *c, struct nlattr *attrs, int len)
{
	struct nlattr *msg = nla_find(attrs, len, NLMSGERR_ATTR_MSG);

	if (msg)
		nla_strlcpy(c->ext, msg, sizeof(c->ext));
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct call *call = arg;
	int skip = sizeof(*e), rest;

	(void)who;
	call->err = e->error;
	call->done = true;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
		rest = nlmsg_datalen(nlh) - skip;
		if (rest > 0)
			keep_text(call->c, (struct nlattr *)((char *)e + skip), rest);
	}
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;

	(void)msg;
	call->done = true;
	return NL_STOP;
}

static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct call *call = arg;

	if (nlmsg_datalen(nlh) >= (int)sizeof(int)) {
		call->err = *(int *)nlmsg_data(nlh);
		if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
			keep_text(call->c, nlmsg_attrdata(nlh, sizeof(int)),
				  nlmsg_attrlen(nlh, sizeof(int)));
	}
	call->done = true;
	return NL_STOP;
}

static int on_torn(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;

	(void)msg;
	call->c->torn = true;
	return NL_OK;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;

	if (call->fn)
		call->fn(nlmsg_hdr(msg), call->arg);
	return NL_OK;
}

int nlc_open(struct nlc *c)
{
	struct timeval tv = { .tv_sec = ANSWER_BOUND_S };
	int on = 1, fd;

	memset(c, 0, sizeof(*c));
	c->sk = nl_socket_alloc();
	if (!c->sk)
		return -ENOMEM;
	if (genl_connect(c->sk)) {
		nlc_close(c);
		return -EPROTONOSUPPORT;
	}
	c->family = genl_ctrl_resolve(c->sk, SELFHEAL_FAMILY_NAME);
	if (c->family < 0) {
		nlc_close(c);
		return -ENOENT;
	}
	nl_socket_enable_msg_peek(c->sk);
	fd = nl_socket_get_fd(c->sk);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return 0;
}

void nlc_close(struct nlc *c)
{
	if (c->sk)
		nl_socket_free(c->sk);
	c->sk = NULL;
}

struct nl_msg *nlc_msg(struct nlc *c, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(128 * 1024);

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, c->family, 0,
				 flags, cmd, SELFHEAL_FAMILY_VERSION))
		abort();
	return msg;
}

int nlc_send_only(struct nlc *c, struct nl_msg *msg)
{
	int ret = nl_send_auto(c->sk, msg);

	nlmsg_free(msg);
	return ret < 0 ? -EIO : 0;
}

/* libnl reads on over the datagrams of a dump: count them here. */
static __thread int datagrams;

static int count_datagram(struct nl_sock *sk, struct sockaddr_nl *who, unsigned char **buf,
			  struct ucred **creds)
{
	datagrams++;
	return nl_recv(sk, who, buf, creds);
}

int nlc_call(struct nlc *c, struct nl_msg *msg, nlc_fn fn, void *arg)
{
	struct call call = { .c = c, .fn = fn, .arg = arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		abort();
	c->ext[0] = '\0';
	c->torn = false;
	datagrams = 0;
	nl_cb_overwrite_recv(cb, count_datagram);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &call);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &call);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, &call);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &call);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_torn, &call);
	ret = nl_send_auto(c->sk, msg);
	nlmsg_free(msg);
	if (ret < 0)
		call.err = -EIO;
	while (ret >= 0 && !call.done) {
		ret = nl_recvmsgs(c->sk, cb);
		if (ret < 0 && !call.done)
			call.err = ret == -NLE_AGAIN ? -ETIMEDOUT : -EPROTO;
	}
	nl_cb_put(cb);
	c->messages = datagrams;
	return call.err;
}

int nlc_u64(struct nlc *c, uint8_t cmd, int attr, uint64_t value, nlc_fn fn, void *arg)
{
	struct nl_msg *msg = nlc_msg(c, cmd, 0);

	if (attr)
		nla_put_u64(msg, attr, value);
	return nlc_call(c, msg, fn, arg);
}

int nlc_dump(struct nlc *c, uint8_t cmd, nlc_fn fn, void *arg)
{
	return nlc_call(c, nlc_msg(c, cmd, NLM_F_DUMP), fn, arg);
}

uint32_t nlc_get_u32(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

uint64_t nlc_get_u64(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u64(tb[attr]) : 0;
}

void nlc_get_str(struct nlattr **tb, int attr, char *buf, size_t size)
{
	buf[0] = '\0';
	if (tb[attr])
		nla_strlcpy(buf, tb[attr], size);
}

size_t nlc_get_bin(struct nlattr **tb, int attr, void *buf, size_t size)
{
	size_t len = 0;

	if (tb[attr]) {
		len = nla_len(tb[attr]);
		memcpy(buf, nla_data(tb[attr]), len < size ? len : size);
	}
	return len;
}
