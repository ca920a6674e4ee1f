// SPDX-License-Identifier: GPL-2.0
/*
 * What a thread that is not at fault has taken in since the rescue point is
 * given back to it, byte by byte, when another one is attacked.
 *
 *	test: client of both, controller
 *	  `- kid: the guilty thread, and the innocent one (members)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "rig.h"
#include "stream.h"

#define ROOM 4096
#define BIG (64 * 1024)
#define SLOTS 8

/* page->value */
enum { ERRORS, LAST_ERROR, AGAINS, FAILURES, LAST_FAILURE, INNOCENT_TID, TOOK };

/* What the innocent thread has got, time by time; shared, so that no rollback undoes it. */
struct slot {
	ssize_t len;
	int flags;
	struct sockaddr_storage name;
	socklen_t namelen;
	uint8_t data[ROOM];
};

enum how { BY_READ, BY_READV, BY_RECV, BY_RECVFROM, BY_RECVMSG, BY_RECVMMSG, BY_ALL, BY_BIG, BY_ACCEPT };

struct serve {
	struct pair guilty, innocent;
	enum how how;
	int ear;		/* listens */
	struct slot *slot;
};

static struct page *shared_page;
static struct serve *s;
static volatile uint32_t word;
static uint8_t buffer[ROOM], big_buffer[BIG];
static struct slot mine;

static void crash(void)
{
	volatile int *null = NULL;

	*null = 1;
}

/* The guilty one: answers a byte with one, falls for an X. */
static void guilty(void)
{
	int fd = s->guilty.rx;
	char byte;

	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		if (recv(fd, &byte, 1, 0) != 1) {
			atomic_store(&shared_page->value[LAST_ERROR], errno);
			atomic_fetch_add(&shared_page->value[ERRORS], 1);
			continue;
		}
		if (byte == 'X') {
			memset(buffer, 0x41, sizeof(buffer));
			crash();
		}
		send(fd, &byte, 1, 0);
	}
}

static ssize_t take_message(struct slot *slot)
{
	struct iovec iov[2] = { { buffer, 100 }, { buffer + 100, sizeof(buffer) - 100 } };
	struct mmsghdr m = { .msg_hdr = {
		.msg_iov = iov, .msg_iovlen = 2, .msg_name = &slot->name,
		.msg_namelen = sizeof(slot->name),
	} };
	ssize_t got;

	if (s->how == BY_RECVMMSG) {
		got = recvmmsg(s->innocent.rx, &m, 1, 0, NULL);
		got = got == 1 ? m.msg_len : got;
	} else {
		got = recvmsg(s->innocent.rx, &m.msg_hdr, 0);
	}
	slot->namelen = m.msg_hdr.msg_namelen;
	slot->flags = m.msg_hdr.msg_flags;
	return got;
}

static ssize_t take_connection(void)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got = -1;
	int fd = accept4(s->ear, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return -1;
	/* The port is what tells connections apart. */
	if (len == sizeof(from) && fcntl(fd, F_GETFD) == FD_CLOEXEC) {
		memcpy(buffer, &from.sin_port, sizeof(from.sin_port));
		got = sizeof(from.sin_port);
	}
	if (got > 0)
		word = fd;
	return got;
}

static ssize_t take(struct slot *slot)
{
	struct iovec iov[2] = { { buffer, 7 }, { buffer + 7, sizeof(buffer) - 7 } };
	int fd = s->innocent.rx;

	switch (s->how) {
	case BY_READ:
		return read(fd, buffer, sizeof(buffer));
	case BY_READV:
		return readv(fd, iov, 2);
	case BY_RECV:
		return recv(fd, buffer, sizeof(buffer), 0);
	case BY_ALL:
		return recv(fd, buffer, ROOM, MSG_WAITALL);
	case BY_BIG:
		/* What fits is told, all of it is taken. */
		return recv(fd, big_buffer, BIG, MSG_WAITALL) == BIG ? ROOM : -1;
	case BY_RECVFROM:
		slot->namelen = sizeof(slot->name);
		return recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&slot->name,
				&slot->namelen);
	case BY_RECVMSG:
	case BY_RECVMMSG:
		return take_message(slot);
	case BY_ACCEPT:
		return take_connection();
	}
	return -1;
}

/* Takes, tells, and works on it without a call until it may go on. */
static void *innocent(void *arg)
{
	unsigned int turn = 0;
	int64_t times;
	ssize_t got;

	(void)arg;
	atomic_store(&shared_page->value[INNOCENT_TID], syscall(SYS_gettid));
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		memset(&mine, 0, sizeof(mine));
		got = take(&mine);
		if (got < 0) {
			atomic_store(&shared_page->value[LAST_FAILURE], errno);
			atomic_fetch_add(&shared_page->value[FAILURES], 1);
			continue;
		}
		times = atomic_load(&shared_page->value[TOOK]) % SLOTS;
		memcpy(mine.data, buffer, got);
		mine.len = got;
		s->slot[times] = mine;
		atomic_fetch_add(&shared_page->value[TOOK], 1);
		if (buffer[0] == 'W') {
			word = 1;
			syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		}
		page_spin(shared_page, 2 + turn++);
		if (s->how == BY_ACCEPT)
			send(word, "hello", 5, 0);
	}
	return NULL;
}

static void start(void *(*fn)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, NULL))
		_exit(1);
}

static void serve(struct page *page, void *arg)
{
	shared_page = page;
	s = arg;
	start(innocent);
	guilty();
}

struct bench {
	struct rig r;
	struct serve s;
	struct sockaddr_in at;
};

/* 0 or -errno. */
static int bench_open(struct bench *b)
{
	int err;

	memset(&b->s, 0, sizeof(b->s));
	b->s.slot = mmap(NULL, SLOTS * sizeof(*b->s.slot), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->s.slot == MAP_FAILED)
		return -errno;
	b->s.ear = tcp_listen(&b->at);
	if (b->s.ear < 0)
		return b->s.ear;
	err = pair_open(&b->s.guilty, CH_UNIX_STREAM);
	if (!err)
		err = rig_open(&b->r);
	policy_hold(&b->r.p);
	policy_faults(&b->r.p);
	b->r.p.rescue = SELFHEAL_RESCUE_WAIT;
	return err;
}

/* True when nothing of the domain has stayed. */
static bool bench_close(struct bench *b)
{
	bool clean = rig_close(&b->r);

	pair_close(&b->s.guilty);
	pair_close(&b->s.innocent);
	close(b->s.ear);
	munmap(b->s.slot, SLOTS * sizeof(*b->s.slot));
	return clean;
}

static bool value_becomes(struct rig *r, int which, int64_t value)
{
	return page_value(r->kid.page, which, value, BOUND);
}

/* The guilty one answers until there is a point in which both wait. */
static bool have_point(struct rig *r, struct serve *serve)
{
	int64_t end = now_ms() + BOUND;
	struct rescue point = { .stamp = 0 };
	char byte;

	do {
		if (send(serve->guilty.tx, "G", 1, 0) != 1 ||
		    rx_read(serve->guilty.tx, &byte, 1, BOUND) != 1 ||
		    rescue_get(&r->c, r->dom, &point))
			return false;
		if (!point.stamp)
			pause_ms(20);
	} while (!point.stamp && now_ms() < end);
	return point.stamp && proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND);
}

static long call_of(enum how how)
{
	static const long nr[] = {
		[BY_READ] = SYS_read, [BY_READV] = SYS_readv, [BY_RECV] = SYS_recvfrom,
		[BY_RECVFROM] = SYS_recvfrom, [BY_RECVMSG] = SYS_recvmsg,
		[BY_RECVMMSG] = SYS_recvmmsg, [BY_ALL] = SYS_recvfrom,
		[BY_BIG] = SYS_recvfrom, [BY_ACCEPT] = SYS_accept4,
	};

	return nr[how];
}

/* Both wait, and the last point has them so. */
static bool ready(struct rig *r, struct serve *serve, uint32_t threads)
{
	return page_threads(r->kid.page, threads, BOUND) &&
	       proc_wait_syscall(r->kid.pid, atomic_load(&r->kid.page->value[INNOCENT_TID]),
				 call_of(serve->how), BOUND) && have_point(r, serve);
}

/* The guilty one is attacked, and all is rolled back. */
static bool attacked(struct rig *r, struct serve *serve, int64_t times)
{
	uint64_t id;
	int err;

	if (send(serve->guilty.tx, "X", 1, 0) != 1)
		return false;
	id = rig_frozen(r);
	if (!id)
		return false;
	err = incident_rollback(&r->c, id, -1);
	if (err) {
		printf("# rollback: %d %s\n", err, r->c.ext);
		return false;
	}
	return domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND) &&
	       value_becomes(r, ERRORS, times) &&
	       atomic_load(&r->kid.page->value[LAST_ERROR]) == ECONNRESET;
}

static bool slot_is(const struct slot *slot, const void *data, ssize_t len)
{
	if (slot->len == len && !memcmp(slot->data, data, len))
		return true;
	printf("# got %zd bytes, first %02x, wanted %zd, first %02x\n", slot->len, slot->data[0],
	       len, *(const uint8_t *)data);
	return false;
}

FIXTURE(replay)
{
	struct bench b;
};

FIXTURE_VARIANT(replay)
{
	enum channel_kind kind;
	enum how how;
	size_t len;
	bool event;
};

FIXTURE_SETUP(replay)
{
	ASSERT_EQ(0, bench_open(&self->b));
}

FIXTURE_TEARDOWN(replay)
{
	EXPECT_TRUE(bench_close(&self->b));
}

#define VARIANT(name, k, h, l, ...)	\
	FIXTURE_VARIANT_ADD(replay, name) { .kind = k, .how = h, .len = l, ##__VA_ARGS__ }

VARIANT(tcp_read, CH_TCP, BY_READ, 3001);
VARIANT(tcp_readv, CH_TCP, BY_READV, 3001);
VARIANT(tcp_recv, CH_TCP, BY_RECV, 1);
VARIANT(tcp_recvmsg, CH_TCP, BY_RECVMSG, 3001);
VARIANT(tcp_waitall, CH_TCP, BY_ALL, ROOM);
VARIANT(unix_read, CH_UNIX_STREAM, BY_READ, 3001);
VARIANT(unix_recvmsg, CH_UNIX_STREAM, BY_RECVMSG, 3001);
VARIANT(udp_recvfrom, CH_UDP, BY_RECVFROM, 1000);
VARIANT(udp_recvmsg, CH_UDP, BY_RECVMSG, 1000);
VARIANT(udp_recvmmsg, CH_UDP, BY_RECVMMSG, 1000);
VARIANT(dgram_recvfrom, CH_UNIX_DGRAM, BY_RECVFROM, 1000);
VARIANT(seqpacket_read, CH_UNIX_SEQPACKET, BY_READ, 1000);
VARIANT(pipe_read, CH_PIPE, BY_READ, 3001);
VARIANT(fifo_readv, CH_FIFO, BY_READV, 3001);
VARIANT(eventfd, CH_PIPE, BY_READ, 8, .event = true);

static bool put(struct serve *serve, const void *data, size_t len)
{
	return write(serve->innocent.tx, data, len) == (ssize_t)len;
}

TEST_F(replay, is_given_back)
{
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;
	uint8_t first[ROOM], second[ROOM];
	uint64_t numbers[2] = { 77, 5 };

	pattern_fill(first, 0, sizeof(first));
	pattern_fill(second, 10000, sizeof(second));
	sv->how = variant->how;
	if (variant->event) {
		memcpy(first, &numbers[0], sizeof(numbers[0]));
		memcpy(second, &numbers[1], sizeof(numbers[1]));
		sv->innocent.rx = eventfd(0, 0);
		sv->innocent.tx = dup(sv->innocent.rx);
	} else {
		ASSERT_EQ(0, pair_open(&sv->innocent, variant->kind));
	}
	ASSERT_EQ(0, rig_run(r, serve, sv));
	ASSERT_TRUE(ready(r, sv, 2));
	ASSERT_TRUE(put(sv, first, variant->len));
	ASSERT_TRUE(value_becomes(r, TOOK, 1));
	/* What comes later comes after it. */
	ASSERT_TRUE(put(sv, second, variant->len));
	ASSERT_TRUE(attacked(r, sv, 1));
	ASSERT_TRUE(value_becomes(r, TOOK, 2));
	EXPECT_TRUE(slot_is(&sv->slot[0], first, variant->len));
	EXPECT_TRUE(slot_is(&sv->slot[1], first, variant->len));
	EXPECT_EQ(sv->slot[0].flags, sv->slot[1].flags);
	EXPECT_EQ(sv->slot[0].namelen, sv->slot[1].namelen);
	EXPECT_EQ(0, memcmp(&sv->slot[0].name, &sv->slot[1].name, sizeof(sv->slot[0].name)));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(value_becomes(r, TOOK, 3));
	EXPECT_TRUE(slot_is(&sv->slot[2], second, variant->len));
	EXPECT_EQ(0, atomic_load(&r->kid.page->value[FAILURES]));
	EXPECT_FALSE(child_wait(&r->kid, 0));
}

/* Cases of one kind each. */
FIXTURE(one)
{
	struct bench b;
};

FIXTURE_SETUP(one)
{
	ASSERT_EQ(0, bench_open(&self->b));
}

FIXTURE_TEARDOWN(one)
{
	EXPECT_TRUE(bench_close(&self->b));
}

/* The same connection comes out of the accept that is made again, and lives. */
TEST_F(one, accepted_connection_is_offered_again)
{
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	char text[8] = "";
	int fd;

	sv->how = BY_ACCEPT;
	ASSERT_EQ(0, rig_run(r, serve, sv));
	ASSERT_TRUE(ready(r, sv, 2));
	fd = tcp_connect(&self->b.at);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&own, &len));
	ASSERT_TRUE(value_becomes(r, TOOK, 1));
	ASSERT_TRUE(attacked(r, sv, 1));
	ASSERT_TRUE(value_becomes(r, TOOK, 2));
	EXPECT_TRUE(slot_is(&sv->slot[0], &own.sin_port, sizeof(own.sin_port)));
	EXPECT_TRUE(slot_is(&sv->slot[1], &own.sin_port, sizeof(own.sin_port)));
	page_go(r->kid.page, 2);
	ASSERT_EQ(5, rx_read(fd, text, 5, BOUND));
	EXPECT_STREQ("hello", text);
	EXPECT_EQ(0, atomic_load(&r->kid.page->value[FAILURES]));
	/* It is nobody's second time. */
	EXPECT_EQ(2, atomic_load(&r->kid.page->value[TOOK]));
	close(fd);
}

/*
 * One attack after the other while the innocent one works on what it was given
 * back: each time that there is a point in which it was about to get that.
 */
TEST_F(one, is_given_back_again)
{
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;
	int64_t end = now_ms() + BOUND;
	struct rescue point = { .stamp = 0 };
	int attacks = 0, again = 0, times = 0;
	uint8_t data[ROOM];

	sv->how = BY_READ;
	ASSERT_EQ(0, pair_open(&sv->innocent, CH_TCP));
	ASSERT_EQ(0, rig_run(r, serve, sv));
	ASSERT_TRUE(page_threads(r->kid.page, 2, BOUND));
	for (int round = 0; !again && now_ms() < end; round++) {
		pattern_fill(data, 1000 * round, sizeof(data));
		ASSERT_TRUE(ready(r, sv, 2));
		ASSERT_TRUE(put(sv, data, 2000));
		ASSERT_TRUE(value_becomes(r, TOOK, ++times));
		do {
			ASSERT_TRUE(attacked(r, sv, ++attacks));
			ASSERT_TRUE(value_becomes(r, TOOK, ++times));
			ASSERT_TRUE(slot_is(&sv->slot[(times - 1) % SLOTS], data, 2000));
			ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
			ASSERT_EQ(0, rescue_get(&r->c, r->dom, &point));
			again += !!point.stamp;
		} while (point.stamp && again < 4);
		page_go(r->kid.page, 2 + round);
	}
	/* There was a point after a rollback, and the attack on that one, too. */
	EXPECT_LE(1, again);
	TH_LOG("%d attacks", attacks);
	EXPECT_EQ(0, atomic_load(&r->kid.page->value[FAILURES]));
}

/* Of more than the bound there is no copy: the call fails, the guilty one's way. */
TEST_F(one, beyond_the_bound_it_fails)
{
	static uint8_t big[BIG];
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;

	pattern_fill(big, 0, sizeof(big));
	sv->how = BY_BIG;
	ASSERT_EQ(0, pair_open(&sv->innocent, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, serve, sv));
	ASSERT_TRUE(ready(r, sv, 2));
	ASSERT_TRUE(put(sv, big, sizeof(big)));
	ASSERT_TRUE(value_becomes(r, TOOK, 1));
	EXPECT_EQ(ROOM, sv->slot[0].len);
	ASSERT_TRUE(attacked(r, sv, 1));
	ASSERT_TRUE(value_becomes(r, FAILURES, 1));
	EXPECT_EQ(ECONNRESET, atomic_load(&r->kid.page->value[LAST_FAILURE]));
	EXPECT_EQ(1, atomic_load(&r->kid.page->value[TOOK]));
}

/* A thread crashes by what another one has read: that one's call fails. */
static void *wait_for_word(void *arg)
{
	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	while (!word)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	crash();
	return NULL;
}

static void serve_by_word(struct page *page, void *arg)
{
	shared_page = page;
	s = arg;
	start(wait_for_word);
	start(innocent);
	guilty();
}

TEST_F(one, poison_read_by_another)
{
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;
	uint64_t id;

	sv->how = BY_READ;
	ASSERT_EQ(0, pair_open(&sv->innocent, CH_TCP));
	ASSERT_EQ(0, rig_run(r, serve_by_word, sv));
	ASSERT_TRUE(ready(r, sv, 3));
	ASSERT_TRUE(put(sv, "W", 1));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	ASSERT_TRUE(value_becomes(r, FAILURES, 1));
	EXPECT_EQ(ECONNRESET, atomic_load(&r->kid.page->value[LAST_FAILURE]));
	EXPECT_EQ(0, atomic_load(&r->kid.page->value[ERRORS]));
	EXPECT_EQ(1, atomic_load(&r->kid.page->value[TOOK]));
}

/* Looks whether there is something, each time that it may. */
static void *looks(void *arg)
{
	unsigned int go = 2;
	char byte;

	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		page_spin(shared_page, go++);
		if (recv(s->innocent.rx, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
			atomic_fetch_add(&shared_page->value[AGAINS], 1);
		else
			atomic_fetch_add(&shared_page->value[FAILURES], 1);
	}
	return NULL;
}

static void serve_beside_looks(struct page *page, void *arg)
{
	shared_page = page;
	s = arg;
	start(looks);
	guilty();
}

/* Who has found nothing has taken nothing. */
TEST_F(one, nothing_taken_is_no_error)
{
	struct serve *sv = &self->b.s;
	struct rig *r = &self->b.r;
	struct rescue point = { .stamp = 0 };
	unsigned int n;

	ASSERT_EQ(0, pair_open(&sv->innocent, CH_TCP));
	ASSERT_EQ(0, rig_run(r, serve_beside_looks, sv));
	ASSERT_TRUE(page_threads(r->kid.page, 2, BOUND));
	/* Until one of the looks has its point with the other one in its wait. */
	for (n = 1; n <= 1000 && !point.stamp; n++) {
		ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
		page_go(r->kid.page, 1 + n);
		ASSERT_TRUE(value_becomes(r, AGAINS, n));
		ASSERT_EQ(0, rescue_get(&r->c, r->dom, &point));
	}
	ASSERT_NE(0, point.stamp);
	ASSERT_TRUE(attacked(r, sv, 1));
	/* It finds nothing again. */
	ASSERT_TRUE(value_becomes(r, AGAINS, n));
	EXPECT_EQ(0, atomic_load(&r->kid.page->value[FAILURES]));
}

GUEST_MAIN
