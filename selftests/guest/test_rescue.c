// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points: which process has one, what a rollback does to processes that
 * are not at fault, and when it is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "nl_status.h"
#include "rig.h"
#include "stream.h"

FIXTURE(rescue)
{
	struct rig r;
};

FIXTURE_SETUP(rescue)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(rescue)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void crash(void)
{
	volatile int *null = NULL;

	*null = 1;
}

/* The child waits for go 2, and has a point there if it can have one. */
static bool blocks(struct rig *r)
{
	return page_wait(r->kid.page, 1, BOUND) &&
	       proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_futex, BOUND);
}

/* Refuses, says why, and the incident is still open for another answer. */
static void refused(struct __test_metadata *_metadata, struct rig *r, const char *why)
{
	uint64_t id = rig_frozen(r);

	ASSERT_NE(0, id);
	EXPECT_EQ(-ENOTRECOVERABLE, incident_rollback(&r->c, id, -1));
	EXPECT_NE(NULL, strstr(r->c.ext, why)) {
		TH_LOG("text: %s", r->c.ext);
	}
	EXPECT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

static void waits_and_crashes(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 1);
	page_block(page, 2);
	crash();
}

static void crashes_before_any_wait(struct page *page, void *arg)
{
	(void)arg;
	page_spin(page, 2);
	crash();
}

TEST_F(rescue, refused_without_points)
{
	self->r.p.rescue = -1;
	ASSERT_EQ(0, rig_run(&self->r, waits_and_crashes, NULL));
	ASSERT_TRUE(blocks(&self->r));
	page_go(self->r.kid.page, 2);
	refused(_metadata, &self->r, "takes no rescue points");
}

TEST_F(rescue, refused_before_the_first_wait)
{
	/* A member before its first wait: the wait for go 1 is over when it joins. */
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, child_start(&self->r.kid, crashes_before_any_wait, NULL));
	page_go(self->r.kid.page, 1);
	ASSERT_TRUE(proc_wait_state(self->r.kid.pid, self->r.kid.pid, 'R', BOUND));
	ASSERT_EQ(0, domain_new(&self->r.c, self->r.p.name, self->r.kid.pidfd, false,
				&self->r.dom));
	page_go(self->r.kid.page, 2);
	refused(_metadata, &self->r, "has not waited for input");
}

static void crashes_with_memory_that_does_not_fork(struct page *page, void *arg)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (madvise(memory, 4096, MADV_DONTFORK))
		_exit(1);
	page_step(page, 1);
	page_block(page, 2);
	crash();
}

TEST_F(rescue, refused_with_memory_that_does_not_fork)
{
	ASSERT_EQ(0, rig_run(&self->r, crashes_with_memory_that_does_not_fork, NULL));
	ASSERT_TRUE(blocks(&self->r));
	page_go(self->r.kid.page, 2);
	refused(_metadata, &self->r, "MADV_DONTFORK");
}

/* Puts out a byte after its wait, then works on until it is told to crash. */
static void sends_and_crashes(struct page *page, void *arg)
{
	struct pair *pair = arg;

	page_step(page, 1);
	page_block(page, 2);
	if (send(pair->tx, "A", 1, 0) != 1)
		_exit(1);
	page_step(page, 2);
	page_spin(page, 3);
	crash();
}

/* A byte that is out must not be forgotten. */
TEST_F(rescue, refused_after_a_release)
{
	struct rig *r = &self->r;
	struct pair pair;
	uint64_t id;
	char byte;

	ASSERT_EQ(0, pair_open(&pair, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, sends_and_crashes, &pair));
	ASSERT_TRUE(blocks(r));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(id, rig_frozen(r));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_EQ(1, rx_read(pair.rx, &byte, 1, BOUND));
	page_go(r->kid.page, 3);
	refused(_metadata, r, "has been released");
	pair_close(&pair);
}

/* Wakes, counts its wake-ups, and crashes at the first: the wait is made anew. */
static void crashes_at_its_first_wake(struct page *page, void *arg)
{
	struct pair *pair = arg;
	struct pollfd p = { .fd = pair->rx, .events = POLLIN };
	int ready = poll(&p, 1, -1);
	char byte;

	if (!atomic_fetch_add(&page->count[0], 1)) {
		fork();
		if (send(pair->rx, "Z", 1, 0) != 1)
			_exit(1);
		if (atomic_fetch_add(&page->count[1], 1))
			crash();
		/* One of the two processes goes on until all is frozen. */
		page_spin(page, ~0U);
	}
	if (ready != 1 || recv(pair->rx, &byte, 1, 0) != 1 || byte != 'I')
		_exit(2);
}

TEST_F(rescue, wait_is_made_again_and_newborn_ends)
{
	struct rig *r = &self->r;
	struct pair pair;
	struct domain d;
	uint64_t id;

	ASSERT_EQ(0, pair_open(&pair, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, crashes_at_its_first_wake, &pair));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_poll, BOUND));
	ASSERT_EQ(1, send(pair.tx, "I", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	ASSERT_EQ(2, d.processes);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	/* The input is still there; nothing of the attack came out. */
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	EXPECT_FALSE(rx_ready(pair.tx, QUIET));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	pair_close(&pair);
}

static void echo(struct page *page, int slot, int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		atomic_fetch_add(&page->count[slot], 1);
		if (byte == 'X')
			crash();
		if (send(fd, &byte, 1, 0) != 1)
			break;
	}
	atomic_fetch_add(&page->count[slot + 2], 1);
	page_spin(page, ~0U);
}

static void master_and_worker(struct page *page, void *arg)
{
	struct pair *pair = arg;

	if (!fork())
		echo(page, 0, pair[0].rx);
	echo(page, 1, pair[1].rx);
}

static bool echoed(int fd, char byte)
{
	char got = 0;

	return send(fd, &byte, 1, 0) == 1 && rx_read(fd, &got, 1, BOUND) == 1 && got == byte;
}

/* A process that sleeps at its point is at it already: it does not notice. */
TEST_F(rescue, sleeper_stays)
{
	struct rig *r = &self->r;
	struct pair pair[2];
	uint64_t id;

	ASSERT_EQ(0, pair_open(&pair[0], CH_UNIX_STREAM));
	ASSERT_EQ(0, pair_open(&pair[1], CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, master_and_worker, pair));
	ASSERT_TRUE(echoed(pair[0].tx, 'a'));
	ASSERT_TRUE(echoed(pair[1].tx, 'b'));
	/* The worker is attacked; the master, older than it, sleeps. */
	ASSERT_EQ(1, send(pair[0].tx, "X", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	EXPECT_TRUE(page_changed(&r->kid.page->count[2], 0, BOUND));
	EXPECT_TRUE(echoed(pair[1].tx, 'c'));
	EXPECT_EQ(0, r->kid.page->count[3]);
	pair_close(&pair[0]);
	pair_close(&pair[1]);
}

/* Takes a byte, works on it until told, answers. */
static void slow_echo(struct page *page, int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (send(fd, &byte, 1, 0) != 1)
			break;
		atomic_fetch_add(&page->count[1], 1);
		page_spin(page, 2);
		if (send(fd, "!", 1, 0) != 1)
			break;
	}
	atomic_fetch_add(&page->count[3], 1);
	page_spin(page, ~0U);
}

static void worker_and_worker(struct page *page, void *arg)
{
	struct pair *pair = arg;

	if (!fork())
		echo(page, 0, pair[0].rx);
	slow_echo(page, pair[1].rx);
}

/* One that works for others meanwhile has taken input, too, and loses nothing. */
TEST_F(rescue, innocent_goes_on)
{
	struct rig *r = &self->r;
	struct pair pair[2];
	char answer[3] = "";
	uint64_t id;

	ASSERT_EQ(0, pair_open(&pair[0], CH_UNIX_STREAM));
	ASSERT_EQ(0, pair_open(&pair[1], CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, worker_and_worker, pair));
	/* It has waited since, so the younger one is none that the older one may have sent. */
	ASSERT_TRUE(echoed(pair[0].tx, 'a'));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
	ASSERT_EQ(1, send(pair[1].tx, "b", 1, 0));
	ASSERT_TRUE(page_changed(&r->kid.page->count[1], 0, BOUND));
	ASSERT_EQ(1, send(pair[0].tx, "X", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	EXPECT_TRUE(page_changed(&r->kid.page->count[2], 0, BOUND));
	/* What it held before the freeze and what it adds now go out together. */
	EXPECT_FALSE(rx_ready(pair[1].tx, QUIET));
	page_go(r->kid.page, 2);
	EXPECT_EQ(2, rx_read(pair[1].tx, answer, 2, BOUND));
	EXPECT_STREQ("b!", answer);
	EXPECT_TRUE(echoed(pair[1].tx, 'c'));
	EXPECT_EQ(0, r->kid.page->count[3]);
	pair_close(&pair[0]);
	pair_close(&pair[1]);
}

static void worker_that_lags(struct page *page, void *arg)
{
	struct pair *pair = arg;
	pid_t pid = fork();

	if (!pid)
		echo(page, 0, pair[0].rx);
	atomic_store(&page->value[0], pid);
	slow_echo(page, pair[1].rx);
}

static int schedule(pid_t pid, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(pid, sizeof(first), &first))
		return -errno;
	return sched_setscheduler(pid, policy, &param) ? -errno : 0;
}

/*
 * A child is as old as the fork, even if its parent has come to its next wait
 * before it has run at all: on one CPU in real time it does not run earlier.
 */
TEST_F(rescue, newborn_that_lags_is_known)
{
	struct rig *r = &self->r;
	struct pair pair[2];
	uint64_t id;
	pid_t worker;

	ASSERT_EQ(0, pair_open(&pair[0], CH_UNIX_STREAM));
	ASSERT_EQ(0, pair_open(&pair[1], CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_prepare(r, worker_that_lags, pair));
	if (schedule(r->kid.pid, SCHED_FIFO, 1))
		SKIP(goto out, "no real time scheduling here");
	page_go(r->kid.page, 1);
	ASSERT_TRUE(echoed(pair[0].tx, 'a'));
	worker = atomic_load(&r->kid.page->value[0]);
	EXPECT_EQ(0, schedule(worker, SCHED_OTHER, 0));
	EXPECT_EQ(0, schedule(r->kid.pid, SCHED_OTHER, 0));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
	/* Each has its turn, the parent's first; it moves on, or nobody would look at its point. */
	ASSERT_EQ(1, send(pair[1].tx, "b", 1, 0));
	ASSERT_TRUE(page_changed(&r->kid.page->count[1], 0, BOUND));
	ASSERT_EQ(1, send(pair[0].tx, "X", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) { TH_LOG("%s", r->c.ext); }
	/* It was killed where its parent went back to a time before it. */
	EXPECT_TRUE(page_changed(&r->kid.page->count[2], 0, BOUND));
	EXPECT_EQ(0, r->kid.page->count[3]);
	page_go(r->kid.page, 2);
	EXPECT_TRUE(echoed(pair[1].tx, 'b'));
out:
	pair_close(&pair[0]);
	pair_close(&pair[1]);
}

#define POINTS 8

static void poll_often(void)
{
	int i;

	for (i = 0; i < POINTS; i++)
		poll(NULL, 0, 0);
}

/* value[0]: it has crashed. Its point has been refreshed by then, and lacks a mapping. */
static void maps_and_crashes(struct page *page, void *arg)
{
	(void)arg;
	poll_often();
	if (!page->value[0]) {
		page->value[0] = 1;
		if (mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			_exit(1);
		crash();
	}
	page_step(page, 2);
	page_block(page, 2);
	poll_often();
	page_step(page, 3);
	page_block(page, 3);
}

/* What a shadow has had of its own while it was one is nothing to the process that goes on in it. */
TEST_F(rescue, is_refreshed_in_the_other_address_space)
{
	struct rig *r = &self->r;
	int64_t in_place, fresh;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, maps_and_crashes, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	fresh = status_counter(&r->c, "points_refreshed");
	EXPECT_LT(POINTS / 2, fresh);
	in_place = status_counter(&r->c, "restores_in_place");
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(in_place, status_counter(&r->c, "restores_in_place"));
	fresh = status_counter(&r->c, "points_refreshed");
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_LT(POINTS / 2, status_counter(&r->c, "points_refreshed") - fresh);
	page_go(r->kid.page, 3);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

TEST_F(rescue, policy_is_checked)
{
	struct rig *r = &self->r;
	struct policy good = r->p;

	EXPECT_EQ(0, policy_load(&r->c, &r->p));
	r->p.hold_socket = SELFHEAL_CHANNEL_ACTION_PASS;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
	r->p.commit = SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY;
	r->p.delay_ms = 10;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
	r->p.commit = 0;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
	r->p.overflow = SELFHEAL_OVERFLOW_COMMIT;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
	r->p.rescue_errno = 4096;
	EXPECT_EQ(-ERANGE, policy_load(&r->c, &r->p));
	r->p.rescue_errno = EIO;
	r->p.rescue = -1;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p.rescue_errno = -1;
	r->p.default_verdict = SELFHEAL_VERDICT_ROLLBACK;
	EXPECT_EQ(-EINVAL, policy_load(&r->c, &r->p));
	r->p = good;
}

GUEST_MAIN
