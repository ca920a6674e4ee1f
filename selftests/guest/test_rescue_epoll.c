// SPDX-License-Identifier: GPL-2.0
/*
 * Epoll sets after a rollback: a server changes what its set is interested in,
 * at random, is attacked amid of it, and finds the set as it was when it
 * waited. The kernel's own listing of the set tells, byte by byte.
 *
 *	test: client, controller
 *	  `- kid: server (member)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "nl_status.h"
#include "rig.h"
#include "stream.h"

#define FILES	24
#define OPS	40
#define ROUNDS	80
#define MANY	500		/* registrations that came before the domain */
#define SETS	20
#define MANY_FILES 900
#define CHANGES	(1 << 14)	/* of one point: SH_CHANGES_MAX */
#define LISTING	(256 * 1024)

/* page->count */
enum { ROLLED_BACK, WRONG, CHANGED, READY, GONE };
/* page->value: the seed of the next round, which no rollback undoes. */
enum { SEED };

struct server {
	struct pair ch;
	int epoll;
	int file[FILES];
	bool thread;		/* a thread serves, while the first one sleeps */
	bool forked;		/* and another process of the domain has the set, too */
	char *before, *now;	/* listings */
	struct page *page;
};

FIXTURE(sets)
{
	struct rig r;
	struct server s;
	int64_t failed;
};

FIXTURE_VARIANT(sets)
{
	unsigned int brought;
	bool thread, forked;
};

FIXTURE_VARIANT_ADD(sets, own) { };
FIXTURE_VARIANT_ADD(sets, brought) { .brought = MANY };
FIXTURE_VARIANT_ADD(sets, of_threads) { .thread = true };
FIXTURE_VARIANT_ADD(sets, of_two_processes) { .forked = true };

FIXTURE_SETUP(sets)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	unsigned int i;
	int fd;

	ASSERT_EQ(0, pair_open(&self->s.ch, CH_UNIX_STREAM));
	self->s.epoll = -1;
	self->s.thread = variant->thread;
	self->s.forked = variant->forked;
	if (variant->brought) {
		self->s.epoll = epoll_create1(0);
		for (i = 0; i < variant->brought; i++) {
			fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
			ev.data.u64 = i * 0x100000001ULL;
			ASSERT_EQ(0, epoll_ctl(self->s.epoll, EPOLL_CTL_ADD, fd, &ev));
			/* The first ones are changed later on. */
			if (i < FILES)
				self->s.file[i] = fd;
		}
	}
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
	self->failed = status_counter(&self->r.c, "objects_failed");
	ASSERT_LE(0, self->failed);
}

FIXTURE_TEARDOWN(sets)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->s.ch);
}

static void crash(void)
{
	volatile int *null = NULL;

	*null = 1;
}

static uint32_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

/* Reading a file of proc is no wait for input. */
static void list(int epoll, char *text)
{
	size_t n = 0;
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while ((got = pread(fd, text + n, LISTING - 1 - n, n)) > 0)
		n += got;
	text[n] = '\0';
	close(fd);
}

/* A new file in the place of an old one. */
static void replace(struct server *s, unsigned int i)
{
	int fd = eventfd(0, 0);

	if (fd >= 0 && dup2(fd, s->file[i]) < 0)
		_exit(2);
	close(fd);
}

static void change(struct server *s, uint64_t *seed)
{
	static const uint32_t events[] = {
		EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP, EPOLLIN | EPOLLEXCLUSIVE, 0,
	};
	struct epoll_event ev = { .events = events[next(seed) % 7], .data.u64 = *seed };
	unsigned int i = next(seed) % FILES;

	switch (next(seed) % 10) {
	case 0:
		replace(s, i);
		break;
	case 1:
		/* One that stays open for good, or until the rollback. */
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, eventfd(0, 0), &ev);
		break;
	case 2 ... 4:
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->file[i], NULL);
		break;
	case 5 ... 7:
		epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->file[i], &ev);
		break;
	default:
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->file[i], &ev);
	}
}

/* Where two listings begin to differ: the line. */
static size_t differs(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	while (n && a[n - 1] != '\n')
		n--;
	return n;
}

static void inspect(struct server *s)
{
	struct page *page = s->page;
	size_t at;

	list(s->epoll, s->now);
	at = differs(s->before, s->now);
	if (strcmp(s->before, s->now) && !atomic_fetch_add(&page->count[WRONG], 1))
		snprintf(page->text, sizeof(page->text), "from %zu of %zu\n%.400s\nis %zu\n%.400s",
			 at, strlen(s->before), s->before + at, strlen(s->now), s->now + at);
	atomic_fetch_add(&page->count[ROLLED_BACK], 1);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	uint64_t seed;
	char byte;
	int i;

	for (;;) {
		/* What has been closed is so at a wait, and listed no more. */
		poll(NULL, 0, 0);
		list(s->epoll, s->before);
		if (recv(s->ch.tx, &byte, 1, 0) != 1) {
			inspect(s);
			continue;
		}
		seed = atomic_fetch_add(&s->page->value[SEED], 1);
		for (i = 0; i < OPS; i++)
			change(s, &seed);
		list(s->epoll, s->now);
		if (strcmp(s->before, s->now))
			atomic_fetch_add(&s->page->count[CHANGED], 1);
		if (byte == 'X')
			crash();
		if (send(s->ch.tx, &byte, 1, 0) != 1)
			_exit(1);
	}
	return NULL;
}

static void start(struct page *page, void *arg)
{
	struct server *s = arg;
	pthread_t thread;
	int i;

	s->page = page;
	s->before = malloc(LISTING);
	s->now = malloc(LISTING);
	if (s->epoll < 0) {
		s->epoll = epoll_create1(0);
		for (i = 0; i < FILES; i++)
			s->file[i] = eventfd(0, 0);
	}
	if (s->forked && !fork())
		page_block(page, ~0U);
	if (!s->thread)
		serve(s);
	if (pthread_create(&thread, NULL, serve, s))
		_exit(1);
	page_block(page, ~0U);
}

/* An answer, after which it waits with a point. */
static bool answers(struct rig *r, struct server *s)
{
	int64_t end = now_ms() + BOUND;
	struct rescue point = { .stamp = 0 };
	char byte;

	while (!point.stamp && now_ms() < end) {
		if (send(s->ch.rx, "G", 1, 0) != 1 || rx_read(s->ch.rx, &byte, 1, BOUND) != 1 ||
		    rescue_get(&r->c, r->dom, &point))
			return false;
		if (!point.stamp)
			pause_ms(20);
	}
	return point.stamp;
}

/* The attack, and the rollback of the server to its @n-th error; *@why it was not. */
static bool rolled_back(struct rig *r, struct server *s, char attack, uint64_t n, const char **why)
{
	uint64_t id;

	*why = "no attack";
	if (send(s->ch.rx, &attack, 1, 0) != 1)
		return false;
	*why = "no freeze";
	id = rig_frozen(r);
	if (!id)
		return false;
	*why = r->c.ext;
	if (incident_rollback(&r->c, id, -1))
		return false;
	*why = "it is not back";
	return page_changed(&r->kid.page->count[ROLLED_BACK], n, BOUND);
}

TEST_F(sets, are_what_they_were)
{
	struct page *page;
	struct rig *r = &self->r;
	int64_t restored;
	const char *why;
	int i;

	restored = status_counter(&r->c, "objects_restored");
	ASSERT_EQ(0, rig_run(r, start, &self->s));
	page = r->kid.page;
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_TRUE(answers(r, &self->s));
		ASSERT_TRUE(rolled_back(r, &self->s, 'X', i, &why)) { TH_LOG("%s", why); }
		ASSERT_EQ(0, atomic_load(&page->count[WRONG])) {
			TH_LOG("round %d, %s", i, page->text);
		}
	}
	/* There was something to put back, and all of it was. */
	EXPECT_LT(ROUNDS, atomic_load(&page->count[CHANGED]));
	EXPECT_LE(restored + ROUNDS, status_counter(&r->c, "objects_restored"));
	EXPECT_EQ(self->failed, status_counter(&r->c, "objects_failed"));
}

FIXTURE(set)
{
	struct rig r;
	struct server s;
};

FIXTURE_SETUP(set)
{
	ASSERT_EQ(0, pair_open(&self->s.ch, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(set)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->s.ch);
}

/* A set within a set: that it has gone is seen there. */
static void closes_a_set(struct page *page, void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct server *s = arg;
	int inner = epoll_create1(0);
	char with[4096], without[4096];

	s->epoll = epoll_create1(0);
	list(s->epoll, without);
	if (epoll_ctl(inner, EPOLL_CTL_ADD, s->ch.tx, &ev) ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, inner, &ev))
		_exit(1);
	page_step(page, 1);
	page_block(page, 2);
	close(inner);
	page_step(page, 2);
	page_block(page, 3);
	list(s->epoll, with);
	atomic_store(&page->count[GONE], !strcmp(with, without));
	page_step(page, 3);
	page_block(page, ~0U);
}

/* What is known of a set keeps it no longer than until the next wait. */
TEST_F(set, closes_before_the_next_wait)
{
	struct page *page;
	uint32_t step;

	ASSERT_EQ(0, rig_run(&self->r, closes_a_set, &self->s));
	page = self->r.kid.page;
	for (step = 1; step < 3; step++) {
		ASSERT_TRUE(page_wait(page, step, BOUND));
		ASSERT_TRUE(proc_wait_syscall(self->r.kid.pid, self->r.kid.pid, SYS_futex, BOUND));
		page_go(page, step + 1);
	}
	ASSERT_TRUE(page_wait(page, 3, BOUND));
	EXPECT_EQ(1, atomic_load(&page->count[GONE]));
}

/* Attack after attack under the number of a file that stays. */
static void crowds(struct page *page, void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 1 };
	struct server *s = arg;
	int file = eventfd(0, 0);
	unsigned int i;
	char byte;

	s->page = page;
	s->before = malloc(LISTING);
	s->now = malloc(LISTING);
	s->epoll = epoll_create1(0);
	s->file[0] = file;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, file, &ev))
		_exit(1);
	list(s->epoll, s->before);
	for (;;) {
		if (recv(s->ch.tx, &byte, 1, 0) != 1) {
			inspect(s);
			continue;
		}
		ev.data.u64++;
		if (byte == 'M')
			epoll_ctl(s->epoll, EPOLL_CTL_MOD, file, &ev);
		/* Each time another file, as far as the kernel's allocator lets it be. */
		for (i = atomic_load(&page->count[ROLLED_BACK]); i; i--)
			eventfd(0, 0);
		replace(s, 0);
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, file, &ev);
		crash();
	}
}

TEST_F(set, is_not_crowded_out)
{
	struct rig *r = &self->r;
	const char *why;
	int i;

	ASSERT_EQ(0, rig_run(r, crowds, &self->s));
	for (i = 0; i < 30; i++) {
		ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
		ASSERT_TRUE(rolled_back(r, &self->s, i < 20 ? 'A' : 'M', i, &why)) {
			TH_LOG("%s", why);
		}
		ASSERT_EQ(0, atomic_load(&r->kid.page->count[WRONG])) {
			TH_LOG("round %d, %s", i, r->kid.page->text);
		}
	}
}

/* More than a point takes back: a member must not fill the memory between two waits. */
static void changes_without_end(struct page *page, void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	static int set[SETS], file[MANY_FILES];
	struct server *s = arg;
	char byte;
	int i, n;

	for (i = 0; i < SETS; i++)
		set[i] = epoll_create1(0);
	for (n = 0; n < MANY_FILES; n++)
		file[n] = eventfd(0, 0);
	if (recv(s->ch.tx, &byte, 1, 0) == 1) {
		for (i = 0; i < SETS; i++)
			for (n = 0; n < MANY_FILES; n++)
				if (epoll_ctl(set[i], EPOLL_CTL_ADD, file[n], &ev))
					_exit(1);
		crash();
	}
	for (i = 0; i < SETS; i++) {
		list(set[i], s->now);
		for (n = 0; strstr(s->now, "tfd:") && n < MANY_FILES; n++)
			if (!epoll_ctl(set[i], EPOLL_CTL_DEL, file[n], NULL))
				atomic_fetch_add(&page->count[WRONG], 1);
	}
	atomic_store(&page->count[ROLLED_BACK], 1);
	page_block(page, ~0U);
}

TEST_F(set, changes_are_bounded)
{
	struct rig *r = &self->r;
	int64_t failed = status_counter(&r->c, "objects_failed");
	const char *why;

	self->s.now = malloc(LISTING);
	ASSERT_EQ(0, rig_run(r, changes_without_end, &self->s));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
	ASSERT_TRUE(rolled_back(r, &self->s, 'X', 0, &why)) { TH_LOG("%s", why); }
	EXPECT_EQ(failed + 1, status_counter(&r->c, "objects_failed"));
	/* The first ones are taken back, the others left. */
	EXPECT_EQ(SETS * MANY_FILES - CHANGES, atomic_load(&r->kid.page->count[WRONG]));
}

/* By a number that its file did not have at the point: no call can reach that afterwards. */
static void registers_by_another_number(struct page *page, void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct server *s = arg;
	int file = eventfd(0, 0), other = eventfd(0, 0);
	char byte;

	s->epoll = epoll_create1(0);
	if (recv(s->ch.tx, &byte, 1, 0) == 1) {
		dup2(file, other);
		if (!epoll_ctl(s->epoll, EPOLL_CTL_ADD, other, &ev))
			crash();
		_exit(1);
	}
	atomic_store(&page->count[ROLLED_BACK], 1);
	page_block(page, ~0U);
}

TEST_F(set, what_cannot_be_taken_back_is_counted)
{
	struct rig *r = &self->r;
	int64_t failed = status_counter(&r->c, "objects_failed");
	const char *why;

	ASSERT_EQ(0, rig_run(r, registers_by_another_number, &self->s));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
	ASSERT_TRUE(rolled_back(r, &self->s, 'X', 0, &why)) { TH_LOG("%s", why); }
	EXPECT_EQ(failed + 1, status_counter(&r->c, "objects_failed"));
}

GUEST_MAIN
