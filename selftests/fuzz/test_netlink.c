// SPDX-License-Identifier: GPL-2.0
/*
 * Random requests to the control interface (lib/message.h), SELFHEAL_MESSAGES
 * of them (default 20,000) from SELFHEAL_SEED on, while children run in the
 * domains that they make: each is answered, and the module lives on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "rig.h"

#define MESSAGES 20000
#define KIDS 6			/* fewer than MESSAGE_FDS: some descriptors are no pidfd */
#define CHECK_EACH 64
#define LIMIT 36000

FIXTURE(netlink)
{
	struct nlc c, asker;		/* the tester's, and the one that asks at random */
	struct child kid[KIDS];
	int out[2];
	struct message *m;
	/* Acknowledged without an error, and with one, by command. */
	uint64_t good[256], bad[256];
};

static void works(struct page *page, void *arg)
{
	int *out = arg;

	while (atomic_load(&page->go) < 2) {
		if (write(out[1], "x", 1) != 1 && errno != EAGAIN)
			return;
		pause_ms(2);
	}
}

static int start_kid(struct child *kid, int *out)
{
	int err = child_start(kid, works, out);

	if (!err)
		page_go(kid->page, 1);
	return err;
}

FIXTURE_SETUP(netlink)
{
	int i;

	self->m = calloc(1, sizeof(*self->m));
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, nlc_open(&self->c));
	ASSERT_EQ(0, nlc_open(&self->asker));
	ASSERT_EQ(0, nl_socket_set_buffer_size(self->asker.sk, 1 << 20, 0));
	ASSERT_EQ(0, pipe2(self->out, O_NONBLOCK));
	for (i = 0; i < KIDS; i++)
		ASSERT_EQ(0, start_kid(&self->kid[i], self->out));
}

static void end_incident(struct nlmsghdr *nlh, void *arg)
{
	struct incident inc;

	incident_parse(nlh, &inc);
	if (!inc.resolved_by)
		incident_verdict(arg, inc.id, SELFHEAL_VERDICT_KILL);
}

static void count_domains(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
}

/* What held output of the dead waits for is a verdict. */
static bool all_gone(struct nlc *c, struct nlc *other)
{
	int64_t end = now_ms() + BOUND;
	unsigned int left;

	do {
		left = 0;
		nlc_dump(c, SELFHEAL_CMD_INCIDENT_GET, end_incident, other);
		if (nlc_dump(c, SELFHEAL_CMD_DOMAIN_GET, count_domains, &left))
			return false;
		pause_ms(10);
	} while (left && now_ms() < end);
	return !left;
}

static void unload(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a = nla_find(genlmsg_attrdata(nlmsg_data(nlh), 0),
				    genlmsg_attrlen(nlmsg_data(nlh), 0), SELFHEAL_A_POLICY_NAME);
	struct nlc *c = arg;

	if (a)
		policy_unload(c, nla_get_string(a));
}

FIXTURE_TEARDOWN(netlink)
{
	int i;

	/* Frozen for hours perhaps, and each dies of this all the same. */
	for (i = 0; i < KIDS; i++)
		child_end(&self->kid[i]);
	EXPECT_TRUE(all_gone(&self->c, &self->asker));
	EXPECT_EQ(0, nlc_dump(&self->c, SELFHEAL_CMD_POLICY_GET, unload, &self->asker));
	nlc_close(&self->c);
	nlc_close(&self->asker);
	close(self->out[0]);
	close(self->out[1]);
	free(self->m);
}

/* What is new in an answer: ids to ask for. */
static void learn(struct message *m, struct nlmsghdr *nlh)
{
	struct nlattr *attrs = genlmsg_attrdata(nlmsg_data(nlh), 0), *a;
	int len = genlmsg_attrlen(nlmsg_data(nlh), 0);

	if (m->cmd != SELFHEAL_CMD_DOMAIN_NEW && m->cmd != SELFHEAL_CMD_DOMAIN_FREEZE)
		return;
	a = nla_find(attrs, len, SELFHEAL_A_DOMAIN_ID);
	if (a && nla_get_u64(a) > m->domains)
		m->domains = nla_get_u64(a);
	a = nla_find(attrs, len, SELFHEAL_A_DOMAIN_INCIDENT);
	if (a && nla_get_u64(a) > m->incidents)
		m->incidents = nla_get_u64(a);
}

/* Its end: 0 or -errno; 1 for a part of an answer. */
static int take_answer(struct message *m, struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
		return nlmsg_datalen(nlh) >= (int)sizeof(int) ? *(int *)nlmsg_data(nlh) : -EPROTO;
	if (nlh->nlmsg_type == m->family)
		learn(m, nlh);
	return 1;
}

/* The request is worked off when send() returns, a dump while its answer is read. */
static bool ask(struct message *m, int fd, uint64_t *good, uint64_t *bad)
{
	static _Alignas(8) char answer[256 * 1024];
	struct nlmsghdr *nlh;
	unsigned int ends = 0;
	int len, end;

	if (send(fd, m->bytes, m->len, 0) != (ssize_t)m->len)
		return false;
	while ((len = recv(fd, answer, sizeof(answer), MSG_DONTWAIT)) > 0) {
		for (nlh = (void *)answer; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
			end = take_answer(m, nlh);
			ends += end != 1;
			*good += !end;
			*bad += end < 0;
		}
	}
	return len < 0 && errno == EAGAIN && (ends || m->damaged);
}

/* One that is no member yet, in place of one that is dead, or has been there for long. */
static bool renew(struct child *kid, bool old, int *out, int *fd)
{
	if (old || child_wait(kid, 0) || kid->pid <= 0) {
		child_end(kid);
		if (start_kid(kid, out))
			return false;
	}
	*fd = kid->pidfd;
	return true;
}

static unsigned long number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	return n ? n : otherwise;
}

/* Each of these must have been done, and refused, or the requests were no good. */
static const uint8_t both[] = {
	SELFHEAL_CMD_POLICY_LOAD, SELFHEAL_CMD_POLICY_UNLOAD, SELFHEAL_CMD_POLICY_GET,
	SELFHEAL_CMD_DOMAIN_NEW, SELFHEAL_CMD_DOMAIN_ADD, SELFHEAL_CMD_DOMAIN_GET,
	SELFHEAL_CMD_DOMAIN_FREEZE, SELFHEAL_CMD_DOMAIN_DISSOLVE, SELFHEAL_CMD_INCIDENT_GET,
	SELFHEAL_CMD_INCIDENT_VERDICT, SELFHEAL_CMD_QUARANTINE_GET, SELFHEAL_CMD_RESCUE_GET,
};

TEST_F_TIMEOUT(netlink, random_requests, LIMIT)
{
	unsigned long n = number("SELFHEAL_MESSAGES", MESSAGES), i;
	unsigned long seed = number("SELFHEAL_SEED", 1);
	int fd = nl_socket_get_fd(self->asker.sk), k;
	struct message *m = self->m;
	char drain[4096];

	TH_LOG("%lu requests, SELFHEAL_SEED=%lu", n, seed);
	m->random = seed;
	m->family = self->asker.family;
	for (k = 0; k < MESSAGE_FDS; k++)
		m->fd[k] = self->out[0];
	for (i = 0; i < n; i++) {
		if (i % CHECK_EACH == 0) {
			for (k = 0; k < KIDS; k++)
				ASSERT_TRUE(renew(&self->kid[k], i / CHECK_EACH % KIDS == (unsigned int)k,
						  self->out, &m->fd[k]));
			ASSERT_EQ(0, nlc_call(&self->c,
					      nlc_msg(&self->c, SELFHEAL_CMD_STATUS_GET, 0),
					      NULL, NULL));
			while (read(self->out[0], drain, sizeof(drain)) > 0)
				;
		}
		message_make(m);
		ASSERT_TRUE(ask(m, fd, &self->good[m->cmd], &self->bad[m->cmd])) {
			TH_LOG("request %lu, command %u", i, m->cmd);
		}
	}
	for (i = 0; i < sizeof(both); i++) {
		TH_LOG("command %2u: %llu done, %llu refused", both[i],
		       (unsigned long long)self->good[both[i]],
		       (unsigned long long)self->bad[both[i]]);
		EXPECT_NE(0, self->good[both[i]]);
		EXPECT_NE(0, self->bad[both[i]]);
	}
}

GUEST_MAIN
