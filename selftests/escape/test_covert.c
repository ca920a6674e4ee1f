// SPDX-License-Identifier: GPL-2.0
/*
 * What gets out of a domain that holds everything, past every hold: how much, and how well. A
 * member sends numbers that both sides can work out, by one covert channel; an outsider counts the
 * right ones. These channels are not closed, see Documentation/threat-model.md: that they are
 * measured, and that they end with the freeze, is what is tested. No speed is.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/sched.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "rig.h"
#include "stream.h"

#define SYMBOLS 400		/* of those channels that tell each for certain */
#define BITS 48			/* of the one that does not */
#define SLOT_NS (50 * 1000000LL)
/* page->count */
#define SENT 0
#define MARK 1			/* of the first slot, in ns */
/* In a file of locks: the receiver's, which tell what it has, and from here on the sender's. */
#define DATA (1LL << 40)

/* The i-th number; neighbours differ in all bits. */
static uint32_t symbol(unsigned int i)
{
	uint32_t x = (i + 1) * 2654435761U;

	return x ^ x >> 15;
}

static bool bit(unsigned int i)
{
	return symbol(i) >> 7 & 1;
}

struct tally {
	unsigned int symbols, wrong;
	int64_t from, to;	/* ns */
};

static double entropy(double p)
{
	return p <= 0 || p >= 1 ? 0 : -p * log2(p) - (1 - p) * log2(1 - p);
}

/* Bits a second that such a channel carries without error: of symbols, or of a binary one. */
static double tell(const char *name, const struct tally *t, unsigned int bits)
{
	double seconds = (t->to - t->from) / 1e9, error = (double)t->wrong / t->symbols;
	double capacity = t->symbols / seconds * bits * (1 - entropy(error < .5 ? error : .5));

	printf("# covert %s: %u symbols of %u bits in %.3f s, %u wrong: %.0f bit/s\n", name,
	       t->symbols, bits, seconds, t->wrong, capacity);
	return capacity;
}

FIXTURE(covert)
{
	struct rig r;
};

/* The member has no other way to know them. */
static int listener, file;
static struct sockaddr_in listening;

FIXTURE_SETUP(covert)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	/* Nothing is let go before a verdict. */
	self->r.p.commit = 0;
	self->r.p.deadline_ms = 3600000;
	listener = tcp_listen(&listening);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, listen(listener, 256));
	file = memfd_create("locks", 0);
	ASSERT_LE(0, file);
}

FIXTURE_TEARDOWN(covert)
{
	int status;

	EXPECT_TRUE(rig_close(&self->r));
	/* Children that the member gave us. */
	while (waitpid(-1, &status, WNOHANG) > 0)
		;
	close(listener);
	close(file);
}

static void by_exit_status(struct page *page, void *arg)
{
	struct clone_args args = { .flags = CLONE_PARENT | CLONE_PIDFD };
	struct pollfd pfd = { .events = POLLIN };
	unsigned int i;

	(void)arg;
	for (i = 0;; i++) {
		int pidfd = -1;

		args.pidfd = (uintptr_t)&pidfd;
		if (!syscall(SYS_clone3, &args, sizeof(args)))
			_exit(symbol(i) & 0xff);
		page->count[SENT]++;
		/* The next one after its end, so that the order is kept. */
		pfd.fd = pidfd;
		poll(&pfd, 1, -1);
		close(pidfd);
	}
}

/* The next exit status, or false after ms without one. */
static bool next_status(struct rig *r, int ms, uint32_t *value)
{
	int64_t end = now_ms() + ms;
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid == r->kid.pid)
			return false;
		if (pid > 0) {
			*value = WEXITSTATUS(status);
			return WIFEXITED(status);
		}
		if (now_ms() >= end)
			return false;
		sched_yield();
	}
}

static void by_connection(struct page *page, void *arg)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	unsigned int i;
	int s;

	(void)arg;
	for (i = 0;; i++) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		/* No byte is sent: the address that it comes from is the message. */
		from.sin_addr.s_addr = htonl(0x7f010000 | (symbol(i) & 0xffff));
		if (bind(s, (struct sockaddr *)&from, sizeof(from)) ||
		    connect(s, (struct sockaddr *)&listening, sizeof(listening)))
			_exit(3);
		page->count[SENT]++;
		close(s);
	}
}

static bool next_connection(struct rig *r, int ms, uint32_t *value)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int s;

	(void)r;
	if (!rx_ready(listener, ms))
		return false;
	s = accept(listener, (struct sockaddr *)&from, &len);
	if (s < 0)
		return false;
	close(s);
	*value = ntohl(from.sin_addr.s_addr) & 0xffff;
	return true;
}

static int lock(short type, off_t start)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1 };

	return fcntl(file, F_SETLK, &l);
}

/* Where somebody else's lock is from @start on, before @end; -1 for none. */
static off_t locked(off_t start, off_t end)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start,
			   .l_len = end ? end - start : 0 };

	if (fcntl(file, F_GETLK, &l) || l.l_type == F_UNLCK)
		return -1;
	return l.l_start;
}

static off_t place_of(unsigned int i)
{
	return DATA + ((off_t)i << 16) + (symbol(i) & 0xffff);
}

static void by_lock(struct page *page, void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0;; i++) {
		if (lock(F_WRLCK, place_of(i)))
			_exit(3);
		if (i)
			lock(F_UNLCK, place_of(i - 1));
		page->count[SENT]++;
		/* The receiver locks the number of what it has. */
		while (locked(i, i + 1) < 0)
			sched_yield();
	}
}

/* Which number is next is the receiver's own knowledge. */
static unsigned int locks;

static bool next_lock(struct rig *r, int ms, uint32_t *value)
{
	int64_t end = now_ms() + ms;
	off_t at;

	(void)r;
	do {
		at = locked(DATA + ((off_t)locks << 16), DATA + ((off_t)(locks + 1) << 16));
		if (at >= 0) {
			*value = (at - DATA) & 0xffff;
			if (locks)
				lock(F_UNLCK, locks - 1);
			lock(F_WRLCK, locks++);
			return true;
		}
		sched_yield();
	} while (now_ms() < end);
	return false;
}

typedef bool (*next_fn)(struct rig *r, int ms, uint32_t *value);

/* Channels on which each symbol is there or not: all of them come right, until the freeze. */
static void certain(struct __test_metadata *_metadata, struct rig *r, const char *name,
		    child_fn send, next_fn next, unsigned int bits)
{
	uint32_t value, mask = (1U << bits) - 1;
	struct tally t = { 0 };
	uint64_t id, sent;
	double capacity;

	ASSERT_EQ(0, rig_run(r, send, NULL));
	ASSERT_TRUE(next(r, BOUND, &value));
	EXPECT_EQ(symbol(0) & mask, value);
	t.from = now_ns();
	while (t.symbols < SYMBOLS) {
		ASSERT_TRUE(next(r, BOUND, &value));
		t.symbols++;
		t.wrong += value != (symbol(t.symbols) & mask);
	}
	t.to = now_ns();
	capacity = tell(name, &t, bits);
	EXPECT_EQ(0, t.wrong);
	EXPECT_TRUE(isfinite(capacity) && capacity > 0);
	/* It is past the hold: nothing else has left. */
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	/* Those that were out, or under way in the kernel. */
	sent = r->kid.page->count[SENT];
	while (next(r, QUIET, &value))
		t.symbols++;
	EXPECT_GE(sent + 1, t.symbols + 1);
	EXPECT_EQ(sent, r->kid.page->count[SENT]);
	EXPECT_FALSE(next(r, QUIET, &value));
}

TEST_F(covert, exit_status)
{
	certain(_metadata, &self->r, "exit-status", by_exit_status, next_status, 8);
}

TEST_F(covert, connections)
{
	certain(_metadata, &self->r, "connections", by_connection, next_connection, 16);
}

TEST_F(covert, file_locks)
{
	locks = 0;
	certain(_metadata, &self->r, "file-locks", by_lock, next_lock, 16);
}

static void on_first_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* In the slots of a 1 it takes half of the CPU away from whoever is on it. */
static void by_load(struct page *page, void *arg)
{
	unsigned int i;
	int64_t start;

	(void)arg;
	on_first_cpu();
	page_step(page, 2);
	page_block(page, 2);
	start = page->count[MARK];
	for (i = 0; i < BITS; i++) {
		sleep_until(start + i * SLOT_NS);
		while (bit(i) && now_ns() < start + (i + 1) * SLOT_NS)
			page->count[SENT]++;
	}
	page_step(page, 3);
	for (;;)
		page->count[SENT]++;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* What the receiver itself gets done in a slot; less than the middle is a 1. */
static void receive_load(int64_t start, uint64_t work[BITS])
{
	unsigned int i;

	for (i = 0; i < BITS; i++) {
		sleep_until(start + i * SLOT_NS);
		for (work[i] = 0; now_ns() < start + (i + 1) * SLOT_NS; work[i]++)
			;
	}
}

static unsigned int wrong_bits(const uint64_t work[BITS])
{
	uint64_t sorted[BITS];
	unsigned int i, wrong = 0;

	memcpy(sorted, work, sizeof(sorted));
	qsort(sorted, BITS, sizeof(*sorted), by_value);
	for (i = 0; i < BITS; i++)
		wrong += (work[i] < sorted[BITS / 2]) != bit(i);
	return wrong;
}

TEST_F(covert, cpu_load)
{
	struct rig *r = &self->r;
	struct tally t = { .symbols = BITS };
	cpu_set_t all;
	uint64_t work[BITS], id, sent;
	double capacity;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, rig_run(r, by_load, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	on_first_cpu();
	t.from = now_ns() + 2 * SLOT_NS;
	r->kid.page->count[MARK] = t.from;
	page_go(r->kid.page, 2);
	receive_load(t.from, work);
	t.to = now_ns();
	sched_setaffinity(0, sizeof(all), &all);
	t.wrong = wrong_bits(work);
	capacity = tell("cpu-load", &t, 1);
	/* How many are wrong is the machine's affair; with all of them wrong it is a channel, too. */
	EXPECT_TRUE(isfinite(capacity) && capacity >= 0 && capacity <= 1e9 / SLOT_NS);
	/* Frozen, it has no CPU to spend. */
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	sent = r->kid.page->count[SENT];
	pause_ms(QUIET);
	EXPECT_EQ(sent, r->kid.page->count[SENT]);
}

GUEST_MAIN
