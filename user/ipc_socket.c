// SPDX-License-Identifier: GPL-2.0
/* The netlink sockets: requests, dumps, and what the kernel says about errors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "ipc_priv.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define BUFFER_SIZE (1 << 20)

/* A dump that changes under the reader is taken again, so many times. */
#define DUMP_TRIES 32

/* What is known about the answer to one request. */
struct answer {
	struct ipc *ipc;
	struct nl_msg *request;
	const struct names *attrs;
	ipc_reply_fn reply;
	void *arg;
	int err;
	bool done;
};

int ipc_fail(struct ipc *ipc, int err, const char *text)
{
	ipc->error.err = err;
	ipc->error.from_kernel = false;
	ipc->error.attribute = NULL;
	snprintf(ipc->error.text, sizeof(ipc->error.text), "%s", text);
	return err;
}

const struct ipc_error *ipc_error(const struct ipc *ipc)
{
	return &ipc->error;
}

void *ipc_grow(void **v, size_t *n, size_t size)
{
	char *grown = *v;

	/* Double at each power of two. */
	if (!(*n & (*n - 1))) {
		grown = reallocarray(*v, *n ? *n * 2 : 1, size);
		if (!grown)
			return NULL;
		*v = grown;
	}
	return memset(grown + (*n)++ * size, 0, size);
}

struct attrs ipc_attrs(struct nl_msg *msg)
{
	struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));

	return (struct attrs){ genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0) };
}

/* The name of the request's attribute at an offset that the kernel reported. */
static const char *attr_at(const struct answer *answer, uint32_t offset)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(answer->request);
	struct nlattr attr;

	if (offset > hdr->nlmsg_len || hdr->nlmsg_len - offset < sizeof(attr))
		return NULL;
	memcpy(&attr, (const char *)hdr + offset, sizeof(attr));
	return name_of(answer->attrs, attr.nla_type & NLA_TYPE_MASK);
}

static void read_extack(struct answer *answer, struct nlattr *head, int len)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	struct ipc_error *error = &answer->ipc->error;

	if (nla_parse(tb, NLMSGERR_ATTR_MAX, head, len, NULL))
		return;
	if (tb[NLMSGERR_ATTR_MSG] &&
	    !get_string(tb[NLMSGERR_ATTR_MSG], error->text, sizeof(error->text)))
		error->from_kernel = true;
	if (tb[NLMSGERR_ATTR_OFFS] && nla_len(tb[NLMSGERR_ATTR_OFFS]) >= 4)
		error->attribute = attr_at(answer, nla_get_u32(tb[NLMSGERR_ATTR_OFFS]));
	if (tb[NLMSGERR_ATTR_MISS_TYPE] && nla_len(tb[NLMSGERR_ATTR_MISS_TYPE]) >= 4)
		error->attribute = name_of(answer->attrs,
					   nla_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]));
}

/* The attributes behind a payload of size bytes of a message, if flagged. */
static void read_tlvs(struct answer *answer, struct nlmsghdr *hdr, size_t size)
{
	size_t len = nlmsg_datalen(hdr);

	size = NLMSG_ALIGN(size);
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || len < size)
		return;
	read_extack(answer, (struct nlattr *)((char *)nlmsg_data(hdr) + size), (int)(len - size));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *nlerr, void *arg)
{
	struct answer *answer = arg;
	struct nlmsghdr *hdr = (struct nlmsghdr *)((char *)nlerr - NLMSG_HDRLEN);
	size_t size = sizeof(*nlerr);

	(void)from;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED) && nlerr->msg.nlmsg_len > NLMSG_HDRLEN)
		size += nlerr->msg.nlmsg_len - NLMSG_HDRLEN;
	answer->err = nlerr->error;
	answer->done = true;
	read_tlvs(answer, hdr, size);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->done = true;
	return NL_STOP;
}

/* The end of a dump carries the dump's own error. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct answer *answer = arg;
	int err = 0;

	if (nlmsg_datalen(hdr) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(hdr), sizeof(err));
	if (err < 0) {
		answer->err = err;
		read_tlvs(answer, hdr, sizeof(err));
	}
	answer->done = true;
	return NL_OK;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;
	int err;

	if (!answer->reply || answer->err)
		return NL_OK;
	err = answer->reply(ipc_attrs(msg), answer->arg);
	if (err == -EBADMSG)
		ipc_fail(answer->ipc, err, "the module's reply is malformed; healctl and selfheal.ko may be of different builds");
	answer->err = err;
	return NL_OK;
}

static int nle_to_errno(int nle)
{
	switch (-nle) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	case NLE_MSG_OVERFLOW:
	case NLE_MSGSIZE:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

/* Sends the request and reads until the kernel has answered it in full. */
static int transact(struct answer *answer)
{
	struct nl_sock *sk = answer->ipc->request;
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, answer);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, answer);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answer);
	ret = nl_send_auto(sk, answer->request);
	while (ret >= 0 && !answer->done)
		ret = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	if (answer->err)
		return answer->err;
	if (ret < 0)
		return ipc_fail(answer->ipc, nle_to_errno(ret), nl_geterror(ret));
	return 0;
}

static int finish(struct ipc *ipc, int err)
{
	ipc->error.err = err;
	return err;
}

struct nl_msg *ipc_msg(struct ipc *ipc, uint8_t cmd, int flags, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_size(size + 256);

	memset(&ipc->error, 0, sizeof(ipc->error));
	if (!msg)
		return NULL;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ipc->family, 0, flags, cmd,
			SELFHEAL_FAMILY_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int ipc_do(struct ipc *ipc, struct nl_msg *msg, const struct names *attrs,
	   ipc_reply_fn reply, void *arg)
{
	struct answer answer = {
		.ipc = ipc, .request = msg, .attrs = attrs, .reply = reply, .arg = arg,
	};
	int err;

	if (!msg)
		return finish(ipc, -ENOMEM);
	err = transact(&answer);
	nlmsg_free(msg);
	return finish(ipc, err);
}

int ipc_dump(struct ipc *ipc, struct nl_msg *msg, const struct names *attrs,
	     const struct ipc_dump *dump)
{
	struct answer answer;
	int tries, err = -ENOMEM;

	for (tries = 0; msg && tries < DUMP_TRIES; tries++) {
		dump->begin(dump->arg);
		answer = (struct answer){
			.ipc = ipc, .request = msg, .attrs = attrs,
			.reply = dump->reply, .arg = dump->arg,
		};
		/* A number used before would make the answer a stale one. */
		nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
		err = transact(&answer);
		if (err != -EAGAIN)
			break;
	}
	nlmsg_free(msg);
	if (err)
		dump->begin(dump->arg);
	if (err == -EAGAIN)
		ipc_fail(ipc, err, "the list changed faster than it could be read; try again");
	return finish(ipc, err);
}

static struct nl_sock *open_socket(int *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int on = 1, ret;

	*err = -ENOMEM;
	if (!sk)
		return NULL;
	ret = genl_connect(sk);
	if (ret < 0) {
		*err = nle_to_errno(ret);
		nl_socket_free(sk);
		return NULL;
	}
	nl_socket_enable_msg_peek(sk);
	/* Each is an improvement that old kernels may refuse. */
	nl_socket_set_buffer_size(sk, BUFFER_SIZE, BUFFER_SIZE);
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	*err = 0;
	return sk;
}

static int resolve(struct ipc *ipc)
{
	struct status status;
	char text[128];
	int err;

	ipc->family = genl_ctrl_resolve(ipc->request, SELFHEAL_FAMILY_NAME);
	if (ipc->family < 0 && ipc->family != -NLE_OBJ_NOTFOUND)
		return ipc_fail(ipc, nle_to_errno(ipc->family), nl_geterror(ipc->family));
	if (ipc->family < 0)
		return ipc_fail(ipc, -ESRCH,
				"the module selfheal is not loaded; load it with 'modprobe selfheal' or 'insmod selfheal.ko'");
	err = ipc_status(ipc, &status);
	if (err)
		return err;
	if (status.abi != SELFHEAL_ABI_VERSION) {
		snprintf(text, sizeof(text),
			 "the loaded module has the ABI version %u, this healctl speaks %u; install both from one release",
			 status.abi, SELFHEAL_ABI_VERSION);
		err = ipc_fail(ipc, -EPROTO, text);
	}
	status_release(&status);
	return err;
}

int ipc_open(struct ipc **out)
{
	struct ipc *ipc = calloc(1, sizeof(*ipc));
	int err;

	*out = ipc;
	if (!ipc)
		return -ENOMEM;
	ipc->request = open_socket(&err);
	if (err)
		return ipc_fail(ipc, err, "cannot open a netlink socket");
	return resolve(ipc);
}

void ipc_close(struct ipc *ipc)
{
	if (!ipc)
		return;
	nl_socket_free(ipc->request);
	nl_socket_free(ipc->events);
	free(ipc);
}

int ipc_subscribe(struct ipc *ipc)
{
	int group, err;

	group = genl_ctrl_resolve_grp(ipc->request, SELFHEAL_FAMILY_NAME, SELFHEAL_MCGRP_EVENTS);
	if (group < 0)
		return ipc_fail(ipc, -EPROTO, "the module has no multicast group 'events'");
	ipc->events = open_socket(&err);
	if (err)
		return ipc_fail(ipc, err, "cannot open a netlink socket for events");
	nl_socket_disable_seq_check(ipc->events);
	nl_socket_set_nonblocking(ipc->events);
	/* The family's groups end silently with it; the controller tells. */
	err = genl_ctrl_resolve_grp(ipc->request, "nlctrl", "notify");
	if (err >= 0)
		err = nl_socket_add_membership(ipc->events, err);
	if (err < 0)
		return ipc_fail(ipc, nle_to_errno(err), "cannot follow the families of generic netlink");
	err = nl_socket_add_membership(ipc->events, group);
	if (err < 0)
		return ipc_fail(ipc, nle_to_errno(err),
				"cannot join the multicast group 'events', which needs CAP_SYS_ADMIN");
	return 0;
}

int ipc_event_fd(const struct ipc *ipc)
{
	return nl_socket_get_fd(ipc->events);
}

struct event_reader {
	struct ipc *ipc;
	void (*handle)(void *arg, const struct event *event);
	void *arg;
};

static int on_event(struct nl_msg *msg, void *arg)
{
	struct event_reader *reader = arg;
	struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));
	int type = nlmsg_hdr(msg)->nlmsg_type;
	struct nlattr *id;
	struct event event;

	if (type == GENL_ID_CTRL && genl->cmd == CTRL_CMD_DELFAMILY) {
		id = nla_find(ipc_attrs(msg).head, ipc_attrs(msg).len, CTRL_ATTR_FAMILY_ID);
		if (id && nla_len(id) >= 2 && nla_get_u16(id) == reader->ipc->family)
			reader->ipc->gone = true;
	} else if (type == reader->ipc->family && genl->cmd == SELFHEAL_CMD_EVENT &&
		   !decode_event(ipc_attrs(msg), &event)) {
		reader->handle(reader->arg, &event);
	}
	return NL_OK;
}

/* Notifications carry no sequence number of a request. */
static int on_event_seq(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

int ipc_event_read(struct ipc *ipc, void (*handle)(void *arg, const struct event *event),
		   void *arg)
{
	struct event_reader reader = { ipc, handle, arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, &reader);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_event_seq, NULL);
	do {
		ret = nl_recvmsgs(ipc->events, cb);
	} while (ret >= 0);
	nl_cb_put(cb);
	if (ipc->gone)
		return -ENODEV;
	if (ret == -NLE_AGAIN)
		return 0;
	/* libnl folds ENOBUFS into its own out-of-memory code. */
	return ret == -NLE_NOMEM ? -ENOBUFS : nle_to_errno(ret);
}
