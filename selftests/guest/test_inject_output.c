// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of the calls that put output out, and of the waits that
 * commit it, by the member's own thread: a send is taken or refused, what was
 * taken stays held, and comes out whole, once and in order.
 *
 *	test: controller, receiver
 *	  `- kid (member): makes the rounds of the sweep
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "inject.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000
#define LARGEST (96 * 1024)
#define ROOM (256 << 20)

/* Shared by the test and the member. */
struct job {
	struct sweep s;
	struct pair pair;
	struct receiver rx;
	size_t size;			/* of a send */
	bool descriptor;		/* one goes with it */
	_Atomic uint64_t taken;		/* of the pattern, by all sends so far */
	_Atomic uint32_t wrong;		/* places + 1 */
	_Atomic int64_t result;		/* of the call there */
	uint8_t bytes[LARGEST];
};

FIXTURE(inject_output)
{
	struct rig r;
	struct job *job;
};

FIXTURE_VARIANT(inject_output)
{
	const char *hold, *commit;
	enum channel_kind kind;
	size_t size;
	bool descriptor;
};

#define CHANNEL(name, channel, bytes, fd)					\
	FIXTURE_VARIANT_ADD(inject_output, name)				\
	{									\
		.hold = "hold " #name, .commit = "commit " #name,		\
		.kind = channel, .size = bytes, .descriptor = fd		\
	}

CHANNEL(tcp, CH_TCP, 700, false);
CHANNEL(tcp_large, CH_TCP, LARGEST, false);
CHANNEL(udp, CH_UDP, 700, false);
CHANNEL(unix_stream, CH_UNIX_STREAM, 700, false);
CHANNEL(unix_dgram, CH_UNIX_DGRAM, 700, false);
CHANNEL(unix_descriptor, CH_UNIX_STREAM, 700, true);
CHANNEL(unix_seqpacket, CH_UNIX_SEQPACKET, 700, false);
CHANNEL(netlink, CH_NETLINK, 700, false);
CHANNEL(pipe, CH_PIPE, 700, false);
CHANNEL(fifo, CH_FIFO, 700, false);
CHANNEL(pty, CH_PTY, 700, false);

FIXTURE_SETUP(inject_output)
{
	struct job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, job);
	self->job = job;
	job->size = variant->size;
	job->descriptor = variant->descriptor;
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.max_bytes = ROOM;
	ASSERT_EQ(0, pair_open(&job->pair, variant->kind));
	/* What a pipe holds is in such pages. */
	inject_user_pages(true);
}

FIXTURE_TEARDOWN(inject_output)
{
	inject_anywhere();
	inject_user_pages(false);
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	pair_close(&self->job->pair);
	munmap(self->job, sizeof(*self->job));
}

static bool good_send(const struct job *job, long n, bool hit)
{
	if (n < 0)
		return hit && inject_error(n);
	return n == (long)job->size || (hit && pair_is_stream(&job->pair) && n > 0);
}

static long put_out(struct job *job)
{
	struct iovec iov = { job->bytes, job->size };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {
		.head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS },
	};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	long n;

	memcpy(CMSG_DATA(&control.head), &job->pair.rx, sizeof(int));
	n = job->descriptor ? syscall(SYS_sendmsg, job->pair.tx, &msg, 0) :
	    syscall(SYS_write, job->pair.tx, job->bytes, job->size);
	return n < 0 ? -errno : n;
}

static void note_wrong(struct job *job, long result)
{
	if (atomic_load(&job->wrong))
		return;
	atomic_store(&job->result, result);
	atomic_store(&job->wrong, job->s.nth + 1);
}

static void hold_round(struct job *job, int nth)
{
	bool hit;
	long n;

	pattern_fill(job->bytes, atomic_load(&job->taken), job->size);
	sweep_arm(&job->s, nth);
	n = put_out(job);
	hit = sweep_hit(&job->s, nth, n < 0);
	if (!good_send(job, n, hit))
		note_wrong(job, n);
	if (n > 0)
		atomic_fetch_add(&job->taken, n);
}

/* Nothing else waits for input than the call of the sweep. */
static void commit_round(struct job *job, int nth)
{
	struct timespec soon = { .tv_nsec = 1000000 };
	long n;

	pattern_fill(job->bytes, atomic_load(&job->taken), job->size);
	n = put_out(job);
	if (n != (long)job->size)
		note_wrong(job, n);
	if (n > 0)
		atomic_fetch_add(&job->taken, n);
	sweep_arm(&job->s, nth);
	n = syscall(SYS_ppoll, NULL, 0, &soon, NULL, 0) < 0 ? -errno : 0;
	if (n && (!sweep_hit(&job->s, nth, true) || !inject_error(n)))
		note_wrong(job, n);
	else if (!n)
		sweep_hit(&job->s, nth, false);
	while (atomic_load(&job->rx.bytes) < atomic_load(&job->taken))
		sched_yield();
}

static void make_rounds(struct page *page, struct job *job, void (*round)(struct job *, int))
{
	int nth = inject_open(0, 0);

	if (nth < 0)
		_exit(-nth);
	/* The first one counts, where that is possible; then the test sets the injectors. */
	sweep_next(&job->s);
	round(job, nth);
	page_step(page, 2);
	page_spin(page, 2);
	while (sweep_next(&job->s))
		round(job, nth);
	page_step(page, 3);
	page_spin(page, 3);
	page_block(page, 4);
}

static void member_holds(struct page *page, void *arg)
{
	make_rounds(page, arg, hold_round);
}

static void member_commits(struct page *page, void *arg)
{
	make_rounds(page, arg, commit_round);
}

static bool sweep_through(struct rig *r, struct job *job)
{
	if (!page_wait(r->kid.page, 2, BOUND))
		return false;
	sweep_counted(&job->s);
	page_go(r->kid.page, 2);
	return page_wait(r->kid.page, 3, 4 * BOUND);
}

TEST_F_TIMEOUT(inject_output, hold, LIMIT)
{
	struct rig *r = &self->r;
	struct job *job = self->job;
	struct domain d;

	sweep_begin(&job->s, variant->hold);
	ASSERT_EQ(0, rig_run(r, member_holds, job));
	ASSERT_TRUE(sweep_through(r, job));
	EXPECT_EQ(0, job->wrong) {
		TH_LOG("place %u: %lld", job->wrong - 1, (long long)job->result);
	}
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(job->taken, d.held_bytes);
	EXPECT_EQ(0, d.committed_bytes + d.dropped_bytes);
	EXPECT_FALSE(rx_ready(job->pair.rx, QUIET));
	ASSERT_EQ(0, receiver_start(&job->rx, job->pair.rx));
	page_go(r->kid.page, 3);
	EXPECT_TRUE(receiver_wait(&job->rx, job->taken, BOUND));
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, job->taken, BOUND));
	page_go(r->kid.page, 4);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	EXPECT_EQ(job->taken, job->rx.bytes);
	EXPECT_EQ(-1, job->rx.wrong);
	receiver_stop(&job->rx);
	EXPECT_NE(0, sweep_end(&job->s));
}

TEST_F_TIMEOUT(inject_output, commit, LIMIT)
{
	struct rig *r = &self->r;
	struct job *job = self->job;

	sweep_begin(&job->s, variant->commit);
	ASSERT_EQ(0, receiver_start(&job->rx, job->pair.rx));
	ASSERT_EQ(0, rig_run(r, member_commits, job));
	ASSERT_TRUE(sweep_through(r, job)) {
		TH_LOG("place %u: %llu of %llu came", job->s.nth, (unsigned long long)job->rx.bytes,
		       (unsigned long long)job->taken);
	}
	EXPECT_EQ(0, job->wrong) {
		TH_LOG("place %u: %lld", job->wrong - 1, (long long)job->result);
	}
	EXPECT_TRUE(domain_wait_committed(&r->c, r->dom, job->taken, BOUND));
	page_go(r->kid.page, 4);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	EXPECT_EQ(job->taken, job->rx.bytes);
	EXPECT_EQ(-1, job->rx.wrong);
	receiver_stop(&job->rx);
	EXPECT_NE(0, sweep_end(&job->s));
}

INJECT_MAIN
