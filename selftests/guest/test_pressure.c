// SPDX-License-Identifier: GPL-2.0
/*
 * Too much of everything: incidents, held objects, output for a reader that
 * never reads, memory, and an agent that dies when it is needed most. Each has
 * its defined result; nothing is lost, nothing passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

#define FLOOD	1000
#define OBJECTS	10000
#define ORPHANS	32
#define CGROUP	"/sys/fs/cgroup/selfheal.pressure"

FIXTURE(pressure)
{
	struct rig r;
};

FIXTURE_SETUP(pressure)
{
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, 2);
}

static void count_one(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(int *)arg;
}

/* Incidents that the kernel still knows. */
static int kept(struct nlc *c)
{
	int n = 0;

	return nlc_dump(c, SELFHEAL_CMD_INCIDENT_GET, count_one, &n) ? -1 : n;
}

TEST_F(pressure, thousand_incidents_in_a_row)
{
	struct rig *r = &self->r;
	uint64_t id, before = 0;
	struct domain d;
	int i;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	for (i = 0; i < FLOOD; i++) {
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id)) { TH_LOG("round %d", i); }
		/* Each one is another, and each verdict is taken. */
		ASSERT_LT(before, id);
		before = id;
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	}
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(FLOOD, d.incidents);
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	EXPECT_EQ(0, d.incident);
	EXPECT_LE(kept(&r->c), 64);
	/* The member has not noticed any of it. */
	page_go(r->kid.page, 2);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

static void forbidden_calls(struct page *page, void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < FLOOD; i++) {
		if (syscall(SYS_getppid) > 0)
			atomic_fetch_add(&page->count[0], 1);
	}
	page_step(page, 2);
	page_block(page, 2);
}

TEST_F(pressure, thousand_observed_incidents)
{
	struct rig *r = &self->r;
	struct domain d;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	sysmap_set(r->p.never, SYS_getppid);
	ASSERT_EQ(0, rig_run(r, forbidden_calls, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(FLOOD, r->kid.page->count[0]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(FLOOD, d.incidents);
	EXPECT_LE(kept(&r->c), 64);
}

static void be_the_agent(struct page *page, void *arg)
{
	struct nlc c;

	(void)arg;
	if (nlc_open(&c) || nlc_u64(&c, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL))
		_exit(1);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* The agent dies with many incidents open: the kernel's deadline answers every one. */
TEST_F(pressure, agent_dies_when_it_is_needed)
{
	struct rig *r = &self->r;
	static struct child kid[ORPHANS];
	uint64_t dom[ORPHANS], id[ORPHANS];
	struct incident inc;
	struct child agent;
	int i;

	r->p.deadline_ms = slow_ms(3000);
	r->p.kill_limit = 0;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&agent, be_the_agent, NULL));
	page_go(agent.page, 1);
	ASSERT_TRUE(page_wait(agent.page, 2, BOUND));
	for (i = 0; i < ORPHANS; i++) {
		ASSERT_EQ(0, child_start(&kid[i], idle, NULL));
		ASSERT_EQ(0, domain_new(&r->c, r->p.name, kid[i].pidfd, false, &dom[i]));
		page_go(kid[i].page, 1);
	}
	for (i = 0; i < ORPHANS; i++)
		ASSERT_EQ(0, domain_freeze(&r->c, dom[i], &id[i]));
	child_end(&agent);
	EXPECT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_AGENT_LOST, 0, BOUND, NULL));
	for (i = 0; i < ORPHANS; i++) {
		EXPECT_TRUE(child_signaled(&kid[i], BOUND, SIGKILL)) { TH_LOG("member %d", i); }
		ASSERT_EQ(0, incident_get(&r->c, id[i], &inc));
		EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEADLINE, inc.resolved_by);
		EXPECT_EQ(SELFHEAL_VERDICT_KILL, inc.verdict);
		EXPECT_TRUE(domain_wait(&r->c, dom[i], SELFHEAL_DOMAIN_STATE_GONE, BOUND));
		child_end(&kid[i]);
	}
}

struct many {
	int n;
	int (*fd)[2];		/* [0] is ours, [1] the member's */
};

static int many_open(struct many *many, int n)
{
	struct rlimit limit = { 2 * n + 256, 2 * n + 256 };

	many->n = 0;
	many->fd = calloc(n, sizeof(*many->fd));
	if (!many->fd || setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	for (; many->n < n; many->n++)
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, many->fd[many->n]))
			return -errno;
	return 0;
}

static void many_close(struct many *many)
{
	while (many->n--) {
		close(many->fd[many->n][0]);
		close(many->fd[many->n][1]);
	}
	free(many->fd);
}

/* value[0] = sent, value[1] = errno of the first that was not. */
static void send_to_many(struct page *page, void *arg)
{
	struct many *many = arg;
	int i;

	for (i = 0; i < many->n; i++) {
		if (write(many->fd[i][1], &i, sizeof(i)) != sizeof(i)) {
			atomic_store(&page->value[1], errno);
			break;
		}
		atomic_fetch_add(&page->value[0], 1);
	}
	page_step(page, 2);
	page_spin(page, 2);
	page_block(page, 3);
}

/* Objects on which exactly its own message has arrived, and nothing more. */
static int many_arrived(struct many *many, int ms)
{
	int i, got, n = 0;

	for (i = 0; i < many->n; i++) {
		if (!rx_ready(many->fd[i][0], ms))
			continue;
		if (recv(many->fd[i][0], &got, sizeof(got), MSG_DONTWAIT) != sizeof(got) ||
		    got != i || rx_ready(many->fd[i][0], 0))
			return -1;
		n++;
	}
	return n;
}

TEST_F(pressure, ten_thousand_held_objects_released)
{
	struct rig *r = &self->r;
	struct many many;
	struct domain d;
	uint64_t id;

	ASSERT_EQ(0, many_open(&many, OBJECTS));
	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, send_to_many, &many));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(OBJECTS, r->kid.page->value[0]) { TH_LOG("errno %ld", (long)r->kid.page->value[1]); }
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(OBJECTS, d.held_entries);
	EXPECT_EQ(OBJECTS * sizeof(int), d.held_bytes);
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_EQ(0, many_arrived(&many, 0));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_EQ(OBJECTS, many_arrived(&many, BOUND));
	/* Once. */
	EXPECT_EQ(0, many_arrived(&many, 0));
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, OBJECTS * sizeof(int), BOUND));
	many_close(&many);
}

TEST_F(pressure, ten_thousand_held_objects_dropped)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct many many;
	uint64_t id;

	ASSERT_EQ(0, many_open(&many, OBJECTS));
	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, send_to_many, &many));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(OBJECTS * sizeof(int), inc.dropped_bytes);
	EXPECT_EQ(0, many_arrived(&many, 0));
	many_close(&many);
}

/* The bound counts entries, too: 1 MiB of quarantine are 4096 of them. */
TEST_F(pressure, full_of_small_objects)
{
	struct rig *r = &self->r;
	struct many many;
	struct domain d;
	int64_t sent;

	ASSERT_EQ(0, many_open(&many, 5000));
	policy_hold(&r->p);
	r->p.max_bytes = 1 << 20;
	r->p.overflow = SELFHEAL_OVERFLOW_DENY;
	ASSERT_EQ(0, rig_run(r, send_to_many, &many));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	sent = r->kid.page->value[0];
	EXPECT_EQ(4096, sent);
	EXPECT_EQ(ENOBUFS, r->kid.page->value[1]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(sent, d.held_entries);
	EXPECT_EQ(0, many_arrived(&many, 0));
	/* Once it waits, all that was taken goes out, and nothing else. */
	page_go(r->kid.page, 2);
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, sent * sizeof(int), BOUND));
	EXPECT_EQ(sent, many_arrived(&many, 0));
	many_close(&many);
}

struct two {
	struct pair never, reader;
};

#define STUCK	(1 << 20)

static void send_to_two(struct page *page, void *arg)
{
	struct two *two = arg;
	static char data[STUCK];

	/* Not ours: a peer that is gone is another matter. */
	close(two->never.rx);
	if (write(two->never.tx, data, STUCK) != STUCK || write(two->reader.tx, "through", 7) != 7)
		_exit(1);
	page_step(page, 2);
	page_block(page, 2);
}

/* One object that takes nothing more does not keep the others from their output. */
TEST_F(pressure, reader_that_never_reads)
{
	struct rig *r = &self->r;
	struct domain d;
	struct two two;
	char got[7];

	ASSERT_EQ(0, pair_open(&two.never, CH_TCP));
	ASSERT_EQ(0, pair_open(&two.reader, CH_TCP));
	fcntl(two.never.tx, F_SETFL, 0);
	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, send_to_two, &two));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(7, rx_read(two.reader.rx, got, 7, BOUND));
	EXPECT_EQ(0, memcmp(got, "through", 7));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_RUNNING, d.state);
	EXPECT_EQ(STUCK + 7, d.held_bytes + d.committed_bytes);
	/* It ends with its producer, and with its peer what could not be sent. */
	page_go(r->kid.page, 2);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	pair_close(&two.never);
	pair_close(&two.reader);
}

/* value[0] = bytes that were taken. */
static void send_a_lot(struct page *page, void *arg)
{
	static char data[65536];
	struct pair *ch = arg;
	ssize_t n;

	while ((n = write(ch->tx, data, sizeof(data))) > 0)
		atomic_fetch_add(&page->value[0], n);
	atomic_store(&page->value[1], errno);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* How often the kernel has complained, whoever was the cause. */
static int complaints(void)
{
	FILE *f = popen("dmesg | grep -Ec 'BUG:|WARNING:|Oops|KASAN|KCSAN|rss-counter|hung_task'",
			"r");
	int n = -1;

	if (f && fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		pclose(f);
	return n;
}

/*
 * What is held counts against the producer's own cgroup: out of memory there
 * ends the producer, as it would for its own data, and nobody else. What it
 * held waits for the verdict.
 */
TEST_F(pressure, memory_cgroup_at_its_limit)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct domain d;
	struct event ev;
	struct pair ch;
	char pid[16], level[64];
	int before;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) || write_file(CGROUP "/memory.max", "16777216")) {
		rmdir(CGROUP);
		SKIP(return, "there is no cgroup v2 with the memory controller");
	}
	write_file(CGROUP "/memory.swap.max", "0");
	ASSERT_EQ(0, pair_open(&ch, CH_UNIX_STREAM));
	policy_hold(&r->p);
	r->p.commit = 0;		/* by verdict alone */
	r->p.max_bytes = 256 << 20;
	ASSERT_EQ(0, rig_prepare(r, send_a_lot, &ch));
	snprintf(pid, sizeof(pid), "%d", r->kid.pid);
	ASSERT_EQ(0, write_file(CGROUP "/cgroup.procs", pid));
	/* The report of the OOM killer has a call trace, which is no complaint here. */
	before = complaints();
	ASSERT_LE(0, before);
	ASSERT_LT(0, slurp("/proc/sys/kernel/printk", level, sizeof(level)));
	ASSERT_EQ(0, write_file("/proc/sys/kernel/printk", "1"));
	page_go(r->kid.page, 1);

	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	EXPECT_EQ(SELFHEAL_SENSOR_EXIT, ev.sensor);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_EQ(0, write_file("/proc/sys/kernel/printk", level));
	EXPECT_EQ(before, complaints());
	EXPECT_FALSE(file_has(CGROUP "/memory.events", "oom_kill 0"));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	/* It was charged: less than the limit, more than nothing. */
	EXPECT_LT(1 << 20, d.held_bytes);
	EXPECT_GT(16 << 20, d.held_bytes);
	EXPECT_LE((uint64_t)r->kid.page->value[0], d.held_bytes);
	EXPECT_FALSE(rx_ready(ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_EQ(d.held_bytes, inc.dropped_bytes);
	EXPECT_FALSE(rx_ready(ch.rx, 0));
	pair_close(&ch);
	EXPECT_EQ(0, rmdir(CGROUP));
}

GUEST_MAIN
