// SPDX-License-Identifier: GPL-2.0
/*
 * A member that dumps core to the program of kernel.core_pattern, which is
 * outside every domain, when the freeze comes:
 *
 *	test ◄── FIFO "core" ── helper ◄── pipe ── kid (dumps)
 *	  `───── FIFO "go" ─────►
 *
 * The helper does not read before "go", so the kid sleeps in the dump.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "rig.h"
#include "stream.h"

#define PATTERN		"/proc/sys/kernel/core_pattern"
#define SECRET		(8 << 20)	/* bytes of memory that only a dump shows */
/* In the pipe, in the helper's hands and in the FIFO; one page is under way. */
#define BEFORE		(3 * 65536 + 4096)

FIXTURE(dump)
{
	struct rig r;
	char dir[32], pattern[256];
	int fd;
};

static void path_in(char *path, size_t size, const char *dir, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
}

static int make_helper(const char *dir)
{
	char path[64];
	FILE *f;

	path_in(path, sizeof(path), dir, "helper");
	f = fopen(path, "we");
	if (!f)
		return -errno;
	fprintf(f, "#!/bin/sh\n: > %s/started\nread x < %s/go\ncat > %s/core\n: > %s/ended\n",
		dir, dir, dir, dir);
	fchmod(fileno(f), 0755);
	fclose(f);
	path_in(path, sizeof(path), dir, "go");
	if (mkfifo(path, 0600))
		return -errno;
	path_in(path, sizeof(path), dir, "core");
	return mkfifo(path, 0600) ? -errno : 0;
}

static bool there_is(const char *dir, const char *name, int ms)
{
	int64_t end = now_ms() + ms;
	struct stat st;
	char path[64];

	path_in(path, sizeof(path), dir, name);
	while (stat(path, &st)) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	return true;
}

static void *spins(void *arg)
{
	struct page *page = arg;

	for (;;)
		atomic_fetch_add(&page->count[0], 1);
	return NULL;
}

static void crash(struct page *page, void *arg)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	pthread_t t;

	(void)arg;
	setrlimit(RLIMIT_CORE, &all);
	prctl(PR_SET_DUMPABLE, 1);
	memset(mmap(NULL, SECRET, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	       's', SECRET);
	/* Siblings wait in their exit until the dump is done. */
	pthread_create(&t, NULL, spins, page);
	pthread_create(&t, NULL, spins, page);
	page_step(page, 2);
	raise(SIGSEGV);
	_exit(1);
}

FIXTURE_SETUP(dump)
{
	char path[64], ours[64];

	strcpy(self->dir, "/tmp/selfheal.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	ASSERT_EQ(0, make_helper(self->dir));
	path_in(path, sizeof(path), self->dir, "core");
	self->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_LT(0, slurp(PATTERN, self->pattern, sizeof(self->pattern)));
	snprintf(ours, sizeof(ours), "|%s/helper", self->dir);
	ASSERT_EQ(0, write_file(PATTERN, ours));
	/* Nothing is held, so that the dump as such passes. */
	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, rig_run(&self->r, crash, NULL));
	ASSERT_TRUE(page_wait(self->r.kid.page, 2, BOUND));
	ASSERT_TRUE(there_is(self->dir, "started", BOUND));
	/* The pipe to the helper is full. */
	ASSERT_TRUE(proc_wait_state(self->r.kid.pid, self->r.kid.pid, 'S', BOUND));
}

/* It has told that it is there before it opens its end: until then there is nobody to write to. */
static bool let_helper_read(const char *dir, int ms)
{
	int64_t end = now_ms() + ms;
	char path[64];
	bool told;
	int fd;

	path_in(path, sizeof(path), dir, "go");
	while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
		if (now_ms() >= end)
			return false;
		pause_ms(2);
	}
	told = write(fd, "\n", 1) == 1;
	close(fd);
	return told;
}

static uint64_t arrived(int fd)
{
	static char buf[65536];
	uint64_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += n;
	return sum;
}

FIXTURE_TEARDOWN(dump)
{
	static const char *const names[] = { "helper", "go", "core", "started", "ended" };
	int64_t end = now_ms() + BOUND;
	unsigned int i;
	char path[64];

	if (self->pattern[0])
		EXPECT_EQ(0, write_file(PATTERN, self->pattern));
	let_helper_read(self->dir, 0);
	if (self->r.c.sk)
		EXPECT_TRUE(rig_close(&self->r));
	while (!there_is(self->dir, "ended", 5) && now_ms() < end) {
		let_helper_read(self->dir, 0);
		arrived(self->fd);
	}
	close(self->fd);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in(path, sizeof(path), self->dir, names[i]);
		unlink(path);
	}
	EXPECT_EQ(0, rmdir(self->dir));
}

TEST_F(dump, stops_and_goes_on)
{
	struct rig *r = &self->r;
	uint64_t id, bytes = 0;
	int64_t end;

	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_TRUE(let_helper_read(self->dir, BOUND));
	/* What was in the pipe comes; then comes no more. */
	ASSERT_TRUE(rx_ready(self->fd, BOUND));
	for (end = now_ms() + QUIET; now_ms() < end; pause_ms(2))
		bytes += arrived(self->fd);
	EXPECT_GT(BEFORE, bytes) {
		TH_LOG("%llu bytes of a frozen member's memory", (unsigned long long)bytes);
	}
	EXPECT_FALSE(child_wait(&r->kid, 0));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	for (end = now_ms() + BOUND; !child_wait(&r->kid, 5) && now_ms() < end;)
		bytes += arrived(self->fd);
	EXPECT_TRUE(r->kid.reaped && WIFSIGNALED(r->kid.status) && WCOREDUMP(r->kid.status));
	while (!there_is(self->dir, "ended", 5) && now_ms() < end + BOUND)
		bytes += arrived(self->fd);
	bytes += arrived(self->fd);
	EXPECT_LT(SECRET, bytes);
}

TEST_F(dump, killed_dumps_no_more)
{
	struct rig *r = &self->r;
	int64_t end = now_ms() + BOUND;
	uint64_t id, bytes = 0;

	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_TRUE(child_wait(&r->kid, BOUND));
	ASSERT_TRUE(let_helper_read(self->dir, BOUND));
	while (!there_is(self->dir, "ended", 5) && now_ms() < end)
		bytes += arrived(self->fd);
	bytes += arrived(self->fd);
	EXPECT_GT(BEFORE, bytes) {
		TH_LOG("%llu bytes of a killed member's memory", (unsigned long long)bytes);
	}
}

GUEST_MAIN
