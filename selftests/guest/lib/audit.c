// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit.h"

#define BACKLOG 8192
#define RCVBUF (16 << 20)
#define BOUND_MS 15000

/* The next message within the bound; its type and text. */
static int next(struct audit *a, int ms, struct nlmsghdr **nlh)
{
	static _Alignas(struct nlmsghdr) char buf[16384];
	struct pollfd pfd = { .fd = a->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ms) != 1)
		return -ETIMEDOUT;
	n = recv(a->fd, buf, sizeof(buf) - 1, 0);
	if (n < (ssize_t)sizeof(**nlh))
		return n < 0 ? -errno : -EIO;
	buf[n] = '\0';
	*nlh = (struct nlmsghdr *)buf;
	return 0;
}

/* Records carry the length of their text only in some versions: by what was received. */
static int keep(struct audit *a, const char *text)
{
	if (a->lines == AUDIT_LINES_MAX)
		return -ENOBUFS;
	a->line[a->lines] = strdup(text);
	return a->line[a->lines++] ? 0 : -ENOMEM;
}

static int request(struct audit *a, int type, const void *data, size_t len)
{
	struct {
		struct nlmsghdr nlh;
		char data[sizeof(struct audit_rule_data) + 64];
	} req = { 0 };
	struct nlmsghdr *nlh;
	int err;

	req.nlh.nlmsg_len = NLMSG_LENGTH(len);
	req.nlh.nlmsg_type = type;
	req.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	req.nlh.nlmsg_seq = ++a->seq;
	memcpy(req.data, data, len);
	if (send(a->fd, &req, req.nlh.nlmsg_len, 0) < 0)
		return -errno;
	while (!(err = next(a, BOUND_MS, &nlh))) {
		if (nlh->nlmsg_type == NLMSG_ERROR && nlh->nlmsg_seq == a->seq)
			return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		if (nlh->nlmsg_type == AUDIT_SYSCALL)
			err = keep(a, NLMSG_DATA(nlh));
		if (err)
			return err;
	}
	return err;
}

int audit_open(struct audit *a)
{
	struct audit_status on = {
		.mask = AUDIT_STATUS_ENABLED | AUDIT_STATUS_PID | AUDIT_STATUS_BACKLOG_LIMIT,
		.enabled = 1,
		.pid = getpid(),
		.backlog_limit = BACKLOG,
	};
	int size = RCVBUF;

	memset(a, 0, sizeof(*a));
	a->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (a->fd < 0)
		return -errno;
	setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return request(a, AUDIT_SET, &on, sizeof(on));
}

int audit_close(struct audit *a)
{
	struct audit_status off = { .mask = AUDIT_STATUS_ENABLED };
	struct audit_status gone = { .mask = AUDIT_STATUS_PID };
	int err;

	err = request(a, AUDIT_SET, &off, sizeof(off));
	if (!err)
		err = request(a, AUDIT_SET, &gone, sizeof(gone));
	while (a->lines)
		free(a->line[--a->lines]);
	close(a->fd);
	return err;
}

static int rule(struct audit *a, int type, pid_t pid)
{
	struct audit_rule_data data = {
		.flags = AUDIT_FILTER_EXIT,
		.action = AUDIT_ALWAYS,
		.field_count = 1,
		.fields = { AUDIT_PID },
		.values = { pid },
		.fieldflags = { AUDIT_EQUAL },
	};

	memset(data.mask, 0xff, sizeof(data.mask));
	return request(a, type, &data, sizeof(data));
}

int audit_watch(struct audit *a, pid_t pid)
{
	return rule(a, AUDIT_ADD_RULE, pid);
}

int audit_unwatch(struct audit *a, pid_t pid)
{
	return rule(a, AUDIT_DEL_RULE, pid);
}

static long long number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoll(at + strlen(word), NULL, 10) : -1;
}

int audit_collect(struct audit *a, pid_t pid, struct record *rec)
{
	bool begun = false, over = false;
	struct nlmsghdr *nlh;
	long long nr, exit;
	char out[128];
	unsigned int i;
	int err = 0;

	for (i = 0; !over; i++) {
		while (i == a->lines && !err) {
			err = next(a, BOUND_MS, &nlh);
			if (!err && nlh->nlmsg_type == AUDIT_SYSCALL)
				err = keep(a, NLMSG_DATA(nlh));
		}
		if (err)
			break;
		if (number_after(a->line[i], " pid=") != pid)
			continue;
		nr = number_after(a->line[i], " syscall=");
		exit = number_after(a->line[i], " exit=");
		begun = begun || nr == SYS_execve;
		over = nr == SYS_exit_group;
		if (exit > 0 && (nr == SYS_clone || nr == SYS_vfork || nr == SYS_fork))
			record_pid(rec, exit);
		/* A result that is an address differs from run to run. */
		snprintf(out, sizeof(out), "syscall=%lld success=%s exit=%lld", nr,
			 strstr(a->line[i], " success=yes") ? "yes" :
			 strstr(a->line[i], " success=no") ? "no" : "-",
			 exit > 1 << 24 ? 0 : exit);
		if (begun)
			record_line(rec, 0, out);
	}
	while (a->lines)
		free(a->line[--a->lines]);
	return err;
}
