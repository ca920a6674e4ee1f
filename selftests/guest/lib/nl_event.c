// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <netlink/genl/ctrl.h>

#include "nl_event.h"

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int64_t now_ms(void)
{
	return now_ns() / 1000000;
}

void nlev_parse(struct nlmsghdr *nlh, struct event *out)
{
	struct nlattr *tb[SELFHEAL_A_EVENT_MAX + 1];

	memset(out, 0, sizeof(*out));
	if (genlmsg_parse(nlh, 0, tb, SELFHEAL_A_EVENT_MAX, NULL))
		return;
	out->seq = nlc_get_u64(tb, SELFHEAL_A_EVENT_SEQ);
	out->stamp = nlc_get_u64(tb, SELFHEAL_A_EVENT_STAMP);
	out->domain = nlc_get_u64(tb, SELFHEAL_A_EVENT_DOMAIN);
	out->incident = nlc_get_u64(tb, SELFHEAL_A_EVENT_INCIDENT);
	out->type = nlc_get_u32(tb, SELFHEAL_A_EVENT_TYPE);
	out->state = nlc_get_u32(tb, SELFHEAL_A_EVENT_STATE);
	out->sensor = nlc_get_u32(tb, SELFHEAL_A_EVENT_SENSOR);
	out->verdict = nlc_get_u32(tb, SELFHEAL_A_EVENT_VERDICT);
	out->resolved_by = nlc_get_u32(tb, SELFHEAL_A_EVENT_RESOLVED_BY);
	nlc_get_str(tb, SELFHEAL_A_EVENT_POLICY, out->policy, sizeof(out->policy));
	nlc_get_str(tb, SELFHEAL_A_EVENT_HOOK, out->hook, sizeof(out->hook));
	nlc_get_str(tb, SELFHEAL_A_EVENT_WHAT, out->what, sizeof(out->what));
	out->tid = nlc_get_u32(tb, SELFHEAL_A_EVENT_TID);
	out->syscall_nr = nlc_get_u32(tb, SELFHEAL_A_EVENT_SYSCALL_NR);
}

static int keep(struct nl_msg *msg, void *arg)
{
	struct nlev *e = arg;
	const unsigned int size = sizeof(e->queue) / sizeof(e->queue[0]);

	/* Old events give way: waits look for new ones. */
	if (e->head - e->tail == size)
		e->tail++;
	nlev_parse(nlmsg_hdr(msg), &e->queue[e->head++ % size]);
	return NL_OK;
}

int nlev_open(struct nlev *e)
{
	int group;

	memset(e, 0, sizeof(*e));
	e->sk = nl_socket_alloc();
	if (!e->sk)
		return -ENOMEM;
	nl_socket_disable_seq_check(e->sk);
	nl_socket_modify_cb(e->sk, NL_CB_VALID, NL_CB_CUSTOM, keep, e);
	if (genl_connect(e->sk))
		goto fail;
	group = genl_ctrl_resolve_grp(e->sk, SELFHEAL_FAMILY_NAME, SELFHEAL_MCGRP_EVENTS);
	if (group < 0)
		goto fail;
	nl_socket_set_buffer_size(e->sk, 1 << 20, 0);
	if (nl_socket_add_membership(e->sk, group)) {
		nlev_close(e);
		return -EPERM;
	}
	nl_socket_set_nonblocking(e->sk);
	return 0;
fail:
	nlev_close(e);
	return -ENOENT;
}

void nlev_close(struct nlev *e)
{
	if (e->sk)
		nl_socket_free(e->sk);
	e->sk = NULL;
}

bool nlev_next(struct nlev *e, int ms, struct event *out)
{
	const unsigned int size = sizeof(e->queue) / sizeof(e->queue[0]);
	struct pollfd pfd = { .fd = nl_socket_get_fd(e->sk), .events = POLLIN };
	int64_t end = now_ms() + ms;

	while (e->head == e->tail) {
		int64_t left = end - now_ms();

		/* An overrun (lost events) is no error: the caller's bound decides. */
		if (poll(&pfd, 1, left > 0 ? left : 0) > 0)
			nl_recvmsgs_default(e->sk);
		else if (left <= 0)
			return false;
	}
	*out = e->queue[e->tail++ % size];
	return true;
}

bool nlev_wait(struct nlev *e, uint32_t type, uint64_t domain, int ms, struct event *out)
{
	int64_t end = now_ms() + ms;
	struct event ev;

	if (!out)
		out = &ev;
	do {
		int64_t left = end - now_ms();

		if (!nlev_next(e, left > 0 ? left : 0, out))
			return false;
	} while ((type != EVENT_ANY && out->type != type) ||
		 (domain && out->domain != domain));
	return true;
}

bool nlev_wait_without(struct nlev *e, uint32_t unwanted, uint32_t type, uint64_t domain, int ms)
{
	int64_t end = now_ms() + ms;
	struct event ev;

	do {
		int64_t left = end - now_ms();

		if (!nlev_wait(e, EVENT_ANY, domain, left > 0 ? left : 0, &ev) ||
		    ev.type == unwanted)
			return false;
	} while (ev.type != type);
	return true;
}
