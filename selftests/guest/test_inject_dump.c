// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of what is asked about a frozen domain: an answer is
 * whole, or it is an error or none; and nothing moves meanwhile. What makes a core of
 * the frozen process reads its memory from /proc, so that is asked, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "nl_inject.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000
#define SENDS 40
#define CHUNK 1500

FIXTURE(inject_dump)
{
	struct rig r;
	struct sweep s;
	struct pair pair;
	uint64_t incident;
};

/* A domain of several threads and held messages, frozen by a fault. */
static void member(struct page *page, void *arg)
{
	struct pair *pair = arg;
	char bytes[CHUNK] = "";
	pthread_t thread;
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread, NULL, page_come_and_go, page);
	while (atomic_load(&page->threads) < 4)
		pause_ms(1);
	for (i = 0; i < SENDS; i++)
		if (send(pair->tx, bytes, CHUNK, 0) != CHUNK)
			_exit(1);
	*(volatile int *)NULL = 1;
}

FIXTURE_SETUP(inject_dump)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_open(r));
	policy_hold(&r->p);
	policy_faults(&r->p);
	r->p.rescue = SELFHEAL_RESCUE_WAIT;
	ASSERT_EQ(0, pair_open(&self->pair, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, member, &self->pair));
	self->incident = rig_frozen(r);
	ASSERT_NE(0, self->incident);
}

FIXTURE_TEARDOWN(inject_dump)
{
	struct domain d;

	inject_anywhere();
	/* Frozen as before, and nothing has come out. */
	EXPECT_EQ(0, domain_get(&self->r.c, self->r.dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_FROZEN, d.state);
	EXPECT_EQ(SENDS * CHUNK, d.held_bytes);
	EXPECT_FALSE(rx_ready(self->pair.rx, 0));
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	pair_close(&self->pair);
}

/* The same request in each round, with one u64 and perhaps a flag. */
struct request {
	uint8_t cmd;
	int flags, attr, flag;
	uint64_t value;
	bool name;		/* without memory for it, the name of the executable is left out */
};

static struct nl_msg *request_message(struct nlc *c, const struct request *q)
{
	struct nl_msg *msg = nlc_msg(c, q->cmd, q->flags);

	if (q->attr)
		nla_put_u64(msg, q->attr, q->value);
	if (q->flag)
		nla_put_flag(msg, q->flag);
	return msg;
}

/* The first round, without a fault, tells what a whole answer is. */
static bool asks(struct sweep *s, struct nlc *c, const char *name,
		 const struct request *q)
{
	struct answer whole, a;
	bool hit;

	sweep_begin(s, name);
	s->counting = true;
	sweep_next(s);
	nl_inject(s, c, request_message(c, q), &whole);
	while (sweep_next(s)) {
		hit = nl_inject(s, c, request_message(c, q), &a);
		if ((a.err && (!hit || !inject_error(a.err))) || (!hit && a.lost) ||
		    (!a.err && !a.lost && (a.parts != whole.parts ||
					   (!q->name && a.bytes != whole.bytes)))) {
			printf("# place %u: answer %d%s, %u of %u parts, %zu of %zu bytes\n",
			       s->nth, a.err, a.lost ? ", lost" : "", a.parts, whole.parts,
			       a.bytes, whole.bytes);
			return false;
		}
	}
	return !whole.err && whole.parts && sweep_end(s);
}

TEST_F_TIMEOUT(inject_dump, netlink, LIMIT)
{
	const struct request status = { .cmd = SELFHEAL_CMD_STATUS_GET };
	const struct request policies = { .cmd = SELFHEAL_CMD_POLICY_GET, .flags = NLM_F_DUMP };
	const struct request domains = {
		.cmd = SELFHEAL_CMD_DOMAIN_GET, .flags = NLM_F_DUMP, .name = true,
	};
	const struct request incidents = { .cmd = SELFHEAL_CMD_INCIDENT_GET, .flags = NLM_F_DUMP };
	const struct request events = { .cmd = SELFHEAL_CMD_EVENT_GET, .flags = NLM_F_DUMP };
	const struct request domain = {
		.cmd = SELFHEAL_CMD_DOMAIN_GET, .name = true,
		.attr = SELFHEAL_A_DOMAIN_ID, .value = self->r.dom,
	};
	const struct request incident = {
		.cmd = SELFHEAL_CMD_INCIDENT_GET,
		.attr = SELFHEAL_A_INCIDENT_ID, .value = self->incident,
	};
	const struct request rescue = {
		.cmd = SELFHEAL_CMD_RESCUE_GET, .flags = NLM_F_DUMP,
		.attr = SELFHEAL_A_RESCUE_DOMAIN, .value = self->r.dom,
	};
	const struct request held = {
		.cmd = SELFHEAL_CMD_QUARANTINE_GET, .flags = NLM_F_DUMP,
		.attr = SELFHEAL_A_HELD_DOMAIN, .value = self->r.dom,
		.flag = SELFHEAL_A_HELD_CONTENTS,
	};
	struct sweep *s = &self->s;
	struct nlc *c = &self->r.c;

	EXPECT_TRUE(asks(s, c, "get status", &status));
	EXPECT_TRUE(asks(s, c, "get domain", &domain));
	EXPECT_TRUE(asks(s, c, "get incident", &incident));
	EXPECT_TRUE(asks(s, c, "dump policies", &policies));
	EXPECT_TRUE(asks(s, c, "dump domains", &domains));
	EXPECT_TRUE(asks(s, c, "dump incidents", &incidents));
	EXPECT_TRUE(asks(s, c, "dump events", &events));
	EXPECT_TRUE(asks(s, c, "dump rescue points", &rescue));
	EXPECT_TRUE(asks(s, c, "dump held output", &held));
}

/* All of a file of the frozen process, or of a mapping of it: bytes, or -errno. */
static long read_all(const char *path, off_t from, size_t most)
{
	static char bytes[64 * 1024];
	long fd, n = 0, sum = 0;

	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	while ((size_t)sum < most) {
		n = syscall(SYS_pread64, fd, bytes, sizeof(bytes), from + sum);
		if (n <= 0)
			break;
		sum += n;
	}
	n = n < 0 ? -errno : 0;
	syscall(SYS_close, fd);
	return n ?: sum;
}

static bool reads(struct sweep *s, int nth, const char *name, const char *path, off_t from,
		  size_t most)
{
	long whole = read_all(path, from, most), n;
	bool hit;

	sweep_begin(s, name);
	while (sweep_next(s)) {
		sweep_arm(s, nth);
		n = read_all(path, from, most);
		hit = sweep_hit(s, nth, n < 0);
		/* A read that fails in its midst says how far it has come; EIO: a page was not got. */
		if (n != whole && (!hit || (n < 0 && !inject_error(n) && n != -EIO))) {
			printf("# place %u of %s: %ld of %ld\n", s->nth, path, n, whole);
			return false;
		}
	}
	return whole > 0 && sweep_end(s);
}

TEST_F_TIMEOUT(inject_dump, core, LIMIT)
{
	struct sweep *s = &self->s;
	char path[64];
	int nth = inject_open(0, 0);
	unsigned long from;
	char maps[256];

	ASSERT_LE(0, nth);
	snprintf(path, sizeof(path), "/proc/%d/maps", self->r.kid.pid);
	ASSERT_LT(0, slurp(path, maps, sizeof(maps)));
	from = strtoul(maps, NULL, 16);
	EXPECT_TRUE(reads(s, nth, "core: mappings", path, 0, 1 << 20));
	snprintf(path, sizeof(path), "/proc/%d/auxv", self->r.kid.pid);
	EXPECT_TRUE(reads(s, nth, "core: auxiliary vector", path, 0, 4096));
	snprintf(path, sizeof(path), "/proc/%d/mem", self->r.kid.pid);
	EXPECT_TRUE(reads(s, nth, "core: memory", path, from, 4096));
	close(nth);
}

INJECT_MAIN
