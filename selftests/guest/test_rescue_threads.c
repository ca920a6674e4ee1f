// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points of processes with several threads: one consistent image of
 * them all, each back in the wait where it was.
 *
 *	test: clients, controller
 *	  `- kid: a thread that answers on each pair, and sleepers (members)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <kselftest_harness.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

#define WORKERS 4
#define ATTACKS 25
#define BLOCK (64 * 1024)

static const char secret[] = "the secret that must not get out";

/* Counters of what a thread finds wrong after a rollback, in page->value. */
enum { SAW_MEMORY, SAW_TLS, SAW_REGISTER, SAW_MASK, SAW_KINDS, ERRORS, LAST_ERROR };
/* page->count: wake-ups of the sleepers. */
enum { WOKE_EPOLL, WOKE_FUTEX, WOKE_PPOLL, WOKE_SLEEP, WOKE_EVENT, SLEEPERS };

FIXTURE(threads)
{
	struct rig r;
	struct pair pair[WORKERS];
};

FIXTURE_SETUP(threads)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, pair_open(&self->pair[i], CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(threads)
{
	int i;

	EXPECT_TRUE(rig_close(&self->r));
	for (i = 0; i < WORKERS; i++)
		pair_close(&self->pair[i]);
}

static struct page *shared_page;
static struct pair *pairs;
static uint8_t *block;
static uint64_t answers[WORKERS];
static __thread volatile uint64_t local;
static volatile uint32_t gate_word, end_word;

static void crash(void)
{
	volatile int *null = NULL;

	*null = 1;
}

static int futex_wait(volatile uint32_t *word, uint32_t value)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

/* What an attacker does to the whole process before it crashes. */
static void attack(int fd)
{
	sigset_t mask;
	int i;

	send(fd, secret, sizeof(secret), 0);
	memset(block, 0x41, BLOCK);
	local = 0;
	for (i = 0; i < WORKERS; i++) {
		answers[i] += 1000;
		send(pairs[i].rx, secret, sizeof(secret), 0);
	}
	gate_word++;
	sigfillset(&mask);
	sigdelset(&mask, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	crash();
}

static void *born(void *arg)
{
	(void)arg;
	/* Outside any call, so that its place is in nobody's wait. */
	for (;;)
		atomic_fetch_add(&shared_page->count[SLEEPERS], 1);
	return NULL;
}

static void inspect(uint64_t id, uint64_t kept)
{
	sigset_t mask;
	int i, wrong = 0;

	for (i = 0; i < BLOCK; i++)
		wrong |= block[i] != pattern_at(i);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	atomic_fetch_add(&shared_page->value[SAW_MEMORY], wrong);
	atomic_fetch_add(&shared_page->value[SAW_TLS], local != id + 77);
	atomic_fetch_add(&shared_page->value[SAW_REGISTER], kept != id * 0x0101010101010101);
	atomic_fetch_add(&shared_page->value[SAW_MASK], !!sigismember(&mask, SIGUSR1));
}

/* recv() with a value in a register that a call leaves alone. */
static long recv_kept(int fd, char *byte, uint64_t *kept)
{
	register uint64_t r10 asm("r10") = 0;
	register uint64_t r8 asm("r8") = 0;
	register uint64_t r9 asm("r9") = 0;
	long got;

	asm volatile("movq %[kept], %%r15\n\tsyscall\n\tmovq %%r15, %[kept]"
		     : "=a" (got), [kept] "+b" (*kept)
		     : "a" ((long)SYS_recvfrom), "D" ((long)fd), "S" (byte), "d" (1L),
		       "r" (r10), "r" (r8), "r" (r9)
		     : "rcx", "r11", "r15", "memory");
	return got;
}

static void *worker(void *arg)
{
	uint64_t id = (uintptr_t)arg, kept;
	int fd = pairs[id].rx;
	pthread_t thread;
	char byte;
	long got;

	local = id + 77;
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		kept = id * 0x0101010101010101;
		got = recv_kept(fd, &byte, &kept);
		inspect(id, kept);
		if (got < 0) {
			atomic_store(&shared_page->value[LAST_ERROR], got);
			atomic_fetch_add(&shared_page->value[ERRORS], 1);
			continue;
		}
		if (got != 1)
			return NULL;
		if (byte == 'X')
			attack(fd);
		if (byte == 'N') {
			pthread_create(&thread, NULL, born, NULL);
			while (!atomic_load(&shared_page->count[SLEEPERS]))
				;
			crash();
		}
		if (byte == 'E') {
			/* Lets the sleeper of end_word go for good, without waiting itself. */
			end_word = 1;
			syscall(SYS_futex, &end_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
			while (!atomic_load(&shared_page->go) ||
			       atomic_load(&shared_page->go) < 5)
				;
			crash();
		}
		answers[id]++;
		if (send(fd, &answers[id], sizeof(answers[id]), 0) != sizeof(answers[id]))
			return NULL;
	}
}

static void *sleeps_in_epoll(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN }, got;
	int ep = epoll_create1(0), fd = *(int *)arg;
	uint64_t value;

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		if (epoll_wait(ep, &got, 1, -1) == 1)
			atomic_fetch_add(&shared_page->count[WOKE_EPOLL], 1);
		if (read(fd, &value, sizeof(value)) != sizeof(value))
			crash();
	}
	return NULL;
}

static void *sleeps_in_futex(void *arg)
{
	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		if (!futex_wait(&gate_word, 0))
			atomic_fetch_add(&shared_page->count[WOKE_FUTEX], 1);
		if (gate_word)
			return NULL;
	}
}

static void *sleeps_in_ppoll(void *arg)
{
	sigset_t all, mask;

	(void)arg;
	sigfillset(&all);
	atomic_fetch_add(&shared_page->threads, 1);
	ppoll(NULL, 0, NULL, &all);
	/* Comes here by a signal that cannot be: the mask outside is the thread's own. */
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	atomic_fetch_add(&shared_page->count[WOKE_PPOLL], 1);
	return NULL;
}

static void *sleeps_long(void *arg)
{
	struct timespec ts = { .tv_sec = 100000 };

	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	nanosleep(&ts, NULL);
	atomic_fetch_add(&shared_page->count[WOKE_SLEEP], 1);
	return NULL;
}

static int event;

static void begin(struct page *page, void *arg)
{
	shared_page = page;
	pairs = arg;
	block = malloc(BLOCK);
	pattern_fill(block, 0, BLOCK);
}

static void start(pthread_t *thread, void *(*fn)(void *), uintptr_t arg)
{
	if (pthread_create(thread, NULL, fn, (void *)arg))
		_exit(1);
}

static void serve(struct page *page, void *arg)
{
	pthread_t thread;
	int i;

	begin(page, arg);
	event = eventfd(0, 0);
	start(&thread, sleeps_in_epoll, (uintptr_t)&event);
	start(&thread, sleeps_in_futex, 0);
	start(&thread, sleeps_in_ppoll, 0);
	start(&thread, sleeps_long, 0);
	for (i = 1; i < WORKERS; i++)
		start(&thread, worker, i);
	worker((void *)0);
	page_spin(page, ~0U);
}

static bool answered(int fd, uint64_t expected)
{
	uint64_t answer = 0;

	return send(fd, "G", 1, 0) == 1 &&
	       rx_read(fd, &answer, sizeof(answer), BOUND) == sizeof(answer) &&
	       answer == expected;
}

/*
 * Answers of @w until there is a point that covers the last of them: where
 * CPUs are short, the others may come too late for the first.
 */
static bool answered_with_point(struct rig *r, int fd, uint64_t *n)
{
	int64_t end = now_ms() + BOUND;
	struct rescue point = { .stamp = 0 };

	do {
		if (!answered(fd, ++*n) || rescue_get(&r->c, r->dom, &point))
			return false;
		if (!point.stamp)
			pause_ms(20);
	} while (!point.stamp && now_ms() < end);
	return point.stamp;
}

static bool came_up(struct rig *r, uint32_t threads)
{
	return page_threads(r->kid.page, threads, BOUND);
}

static bool value_becomes(struct rig *r, int which, int64_t value)
{
	return page_value(r->kid.page, which, value, BOUND);
}

static int thread_count(pid_t pid)
{
	char text[32] = "";

	return proc_status(pid, "Threads", text, sizeof(text)) ? atoi(text) : -1;
}

TEST_F_TIMEOUT(threads, every_one_goes_back, 600)
{
	struct rig *r = &self->r;
	uint64_t id, n[WORKERS] = { 0 };
	int i, w, threads;

	ASSERT_EQ(0, rig_run(r, serve, self->pair));
	ASSERT_TRUE(came_up(r, WORKERS + 4));
	threads = thread_count(r->kid.pid);
	for (i = 1; i <= ATTACKS; i++) {
		for (w = 0; w < WORKERS; w++)
			ASSERT_TRUE(answered_with_point(r, self->pair[w].tx, &n[w])) {
				TH_LOG("worker %d before attack %d", w, i);
			}
		/* Each of them is attacked in turn, the leader too. */
		ASSERT_EQ(1, send(self->pair[i % WORKERS].tx, "X", 1, 0));
		id = rig_frozen(r);
		ASSERT_NE(0, id);
		ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
			TH_LOG("attack %d: %s", i, r->c.ext);
		}
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
		ASSERT_TRUE(value_becomes(r, ERRORS, i));
		EXPECT_EQ(-ECONNRESET, atomic_load(&r->kid.page->value[LAST_ERROR]));
	}
	for (w = 0; w < WORKERS; w++)
		EXPECT_TRUE(answered(self->pair[w].tx, n[w] + 1));
	for (i = 0; i < SAW_KINDS; i++)
		EXPECT_EQ(0, atomic_load(&r->kid.page->value[i])) {
			TH_LOG("check %d", i);
		}
	/* Nobody who slept has come back from it, and nobody is more or less. */
	for (i = 0; i < WOKE_EVENT; i++)
		EXPECT_EQ(0, atomic_load(&r->kid.page->count[i])) {
			TH_LOG("sleeper %d", i);
		}
	EXPECT_EQ(threads, thread_count(r->kid.pid));
	EXPECT_FALSE(child_wait(&r->kid, 0));
}

/* The thread that did not exist then ends alone. */
TEST_F(threads, newborn_leaves)
{
	struct rig *r = &self->r;
	int64_t end = now_ms() + BOUND;
	uint64_t id, spins, n = 0;
	int threads;

	ASSERT_EQ(0, rig_run(r, serve, self->pair));
	ASSERT_TRUE(came_up(r, WORKERS + 4));
	ASSERT_TRUE(answered_with_point(r, self->pair[1].tx, &n));
	threads = thread_count(r->kid.pid);
	ASSERT_EQ(1, send(self->pair[1].tx, "N", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(threads + 1, thread_count(r->kid.pid));
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	ASSERT_TRUE(value_becomes(r, ERRORS, 1));
	while (thread_count(r->kid.pid) != threads && now_ms() < end)
		pause_ms(1);
	EXPECT_EQ(threads, thread_count(r->kid.pid));
	spins = atomic_load(&r->kid.page->count[SLEEPERS]);
	EXPECT_TRUE(answered(self->pair[1].tx, n + 1));
	EXPECT_TRUE(answered(self->pair[2].tx, 1));
	EXPECT_EQ(spins, atomic_load(&r->kid.page->count[SLEEPERS]));
}

/* Is told an edge, takes its time, then answers what it finds. */
static void *follows_edges(void *arg)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET }, got;
	int ep = epoll_create1(0), fd = pairs[1].rx;
	char byte;

	(void)arg;
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;) {
		if (epoll_wait(ep, &got, 1, -1) != 1)
			continue;
		atomic_fetch_add(&shared_page->count[WOKE_EPOLL], 1);
		page_spin(shared_page, 5);
		while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
			send(fd, &byte, 1, 0);
	}
	return NULL;
}

static void serve_beside_edges(struct page *page, void *arg)
{
	pthread_t thread;

	begin(page, arg);
	start(&thread, follows_edges, 0);
	worker((void *)0);
}

/* An edge that was told after the point is told again. */
TEST_F(threads, edge_is_told_again)
{
	struct rig *r = &self->r;
	uint64_t id, n = 0;
	char byte;

	ASSERT_EQ(0, rig_run(r, serve_beside_edges, self->pair));
	ASSERT_TRUE(came_up(r, 2));
	ASSERT_TRUE(answered_with_point(r, self->pair[0].tx, &n));
	ASSERT_TRUE(proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND));
	ASSERT_EQ(1, send(self->pair[1].tx, "e", 1, 0));
	ASSERT_TRUE(page_changed(&r->kid.page->count[WOKE_EPOLL], 0, BOUND));
	ASSERT_EQ(1, send(self->pair[0].tx, "X", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
		TH_LOG("%s", r->c.ext);
	}
	ASSERT_TRUE(value_becomes(r, ERRORS, 1));
	page_go(r->kid.page, 5);
	ASSERT_EQ(1, rx_read(self->pair[1].tx, &byte, 1, BOUND));
	EXPECT_EQ('e', byte);
	EXPECT_EQ(2, atomic_load(&r->kid.page->count[WOKE_EPOLL]));
}

static void *ends_when_told(void *arg)
{
	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	while (!end_word)
		futex_wait(&end_word, 0);
	return NULL;
}

static void serve_and_end(struct page *page, void *arg)
{
	pthread_t thread;

	begin(page, arg);
	start(&thread, ends_when_told, 0);
	worker((void *)0);
}

/*
 * The second thread of @pid sleeps in its futex: past the gate, where it would wait for the
 * others again, and cost the point, if one of them had left meanwhile.
 */
static bool is_past_the_gate(pid_t pid)
{
	int64_t end = now_ms() + BOUND;
	char path[64], where[64] = "";
	struct dirent *entry;
	DIR *tasks;

	do {
		snprintf(path, sizeof(path), "/proc/%d/task", pid);
		tasks = opendir(path);
		while (tasks && (entry = readdir(tasks))) {
			if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == pid)
				continue;
			snprintf(path, sizeof(path), "/proc/%d/task/%d/wchan", pid,
				 atoi(entry->d_name));
			slurp(path, where, sizeof(where));
		}
		if (tasks)
			closedir(tasks);
		if (strstr(where, "futex"))
			return true;
		pause_ms(1);
	} while (now_ms() < end);
	return false;
}

/* A thread that has ended cannot be brought back. */
TEST_F(threads, refused_when_one_has_ended)
{
	struct rig *r = &self->r;
	int64_t end = now_ms() + BOUND;
	uint64_t id, n = 0;

	ASSERT_EQ(0, rig_run(r, serve_and_end, self->pair));
	ASSERT_TRUE(came_up(r, 2));
	ASSERT_TRUE(answered_with_point(r, self->pair[0].tx, &n));
	ASSERT_TRUE(is_past_the_gate(r->kid.pid));
	ASSERT_TRUE(answered_with_point(r, self->pair[0].tx, &n));
	ASSERT_EQ(1, send(self->pair[0].tx, "E", 1, 0));
	while (thread_count(r->kid.pid) > 1 && now_ms() < end)
		pause_ms(1);
	ASSERT_EQ(1, thread_count(r->kid.pid));
	page_go(r->kid.page, 5);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(-ENOTRECOVERABLE, incident_rollback(&r->c, id, -1));
	EXPECT_NE(NULL, strstr(r->c.ext, "has ended")) {
		TH_LOG("text: %s", r->c.ext);
	}
}

static void *spins(void *arg)
{
	(void)arg;
	atomic_fetch_add(&shared_page->threads, 1);
	for (;;)
		atomic_fetch_add(&shared_page->count[WOKE_EVENT], 1);
	return NULL;
}

static void serve_beside_a_spinner(struct page *page, void *arg)
{
	pthread_t thread;

	begin(page, arg);
	start(&thread, spins, 0);
	worker((void *)0);
}

/* One that never waits costs the points, and nothing else: the answers come. */
TEST_F(threads, busy_thread_costs_the_point)
{
	struct rig *r = &self->r;
	uint64_t id;
	int i;

	ASSERT_EQ(0, rig_run(r, serve_beside_a_spinner, self->pair));
	ASSERT_TRUE(came_up(r, 2));
	for (i = 1; i <= 20; i++)
		ASSERT_TRUE(answered(self->pair[0].tx, i));
	ASSERT_EQ(1, send(self->pair[0].tx, "X", 1, 0));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(-ENOTRECOVERABLE, incident_rollback(&r->c, id, -1));
	EXPECT_NE(NULL, strstr(r->c.ext, "was busy")) {
		TH_LOG("text: %s", r->c.ext);
	}
}

GUEST_MAIN
