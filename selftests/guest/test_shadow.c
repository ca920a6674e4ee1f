// SPDX-License-Identifier: GPL-2.0
/*
 * A rollback puts memory back to the byte and mappings to the page, whatever a
 * program has done to its address space between its rescue points.
 *
 * The member changes its memory at random, and keeps a model of what must be
 * where in a shared mapping, which no rollback undoes. After some waits it
 * destroys everything and crashes; its deadline takes it back to the last wait,
 * where it compares its memory with the model of that time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "nl_status.h"
#include "pattern.h"
#include "press.h"
#include "rig.h"

#define PAGE PATTERN_PAGE
#define REGIONS 16
#define PAGES_MAX 1100
#define MAPS_MAX (64 * 1024)
/*
 * On a host that is short of CPUs the kernel needs a second and more for what the
 * pressure asks of it, so the rounds end after that time when there were some.
 */
#define ENOUGH slow_ms(60000)
#define ROUNDS_LEAST 3

struct region {
	uint8_t *addr;			/* NULL: none */
	bool file, heap;
	int pages;
	uint8_t prot[PAGES_MAX];
	uint32_t seed[PAGES_MAX];	/* 0: as it was mapped */
};

/* Shared by member and test, and not undone. */
struct soup {
	struct region now[REGIONS], then[REGIONS];
	char maps_now[MAPS_MAX], maps_then[MAPS_MAX];
	uint64_t random;
	uint32_t armed, step_then;
	bool destroying, press;
	int rounds, regions, pages, file;
	int64_t until;		/* no round beyond the least begins after that, in ms */
	_Atomic int rollbacks, wrong_bytes, wrong_maps, wrong_state;
	_Atomic uint64_t first_wrong;
};

static uint32_t step;	/* in private memory, goes back */

static uint32_t rnd(struct soup *s, uint32_t below)
{
	s->random = s->random * 6364136223846793005ull + 1442695040888963407ull;
	return (s->random >> 33) % below;
}

/* What page @i of the file has. */
static uint32_t file_seed(int i)
{
	return 77 + i;
}

static struct region *any(struct soup *s)
{
	struct region *r = &s->now[rnd(s, s->regions)];

	return r->addr ? r : NULL;
}

static void poke(struct soup *s, struct region *r, int i)
{
	if (!(r->prot[i] & PROT_WRITE))
		return;
	r->seed[i] = 1 + rnd(s, 1u << 30);
	page_fill(r->addr + i * PAGE, r->seed[i]);
}

static void fresh(struct region *r, int from, int prot)
{
	int i;

	for (i = from; i < r->pages; i++) {
		r->prot[i] = prot;
		r->seed[i] = 0;
	}
}

static void do_map(struct soup *s)
{
	struct region *r = s->now + 1;
	int i;

	while (r < s->now + s->regions && r->addr)
		r++;
	if (r == s->now + s->regions)
		return;
	r->file = !rnd(s, 3);
	r->heap = false;
	r->pages = 1 + rnd(s, s->pages);
	r->addr = mmap(NULL, r->pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | (r->file ? 0 : MAP_ANONYMOUS), r->file ? s->file : -1, 0);
	if (r->addr == MAP_FAILED)
		_exit(10);
	fresh(r, 0, PROT_READ | PROT_WRITE);
	for (i = rnd(s, 3); i < r->pages; i += 1 + rnd(s, 5))
		poke(s, r, i);
}

static void do_unmap(struct soup *s)
{
	struct region *r = any(s);
	int keep;

	if (!r || r->heap)
		return;
	keep = rnd(s, 2) ? 0 : rnd(s, r->pages);
	munmap(r->addr + keep * PAGE, (r->pages - keep) * PAGE);
	r->pages = keep;
	if (!keep)
		r->addr = NULL;
}

static void do_poke(struct soup *s)
{
	struct region *r = any(s);
	int n;

	for (n = 1 + rnd(s, 6); r && r->pages && n; n--)
		poke(s, r, rnd(s, r->pages));
}

static void some_pages(struct soup *s, const struct region *r, int *from, int *count)
{
	*from = rnd(s, r->pages);
	*count = rnd(s, 2) ? 1 : 1 + rnd(s, r->pages - *from);
}

static void do_protect(struct soup *s)
{
	static const int prot[] = { PROT_READ, PROT_NONE, PROT_READ | PROT_WRITE,
				    PROT_READ | PROT_WRITE };
	struct region *r = any(s);
	int from, count, p = prot[rnd(s, 4)];

	if (!r || !r->pages)
		return;
	some_pages(s, r, &from, &count);
	if (rnd(s, 3) == 0) {
		from = 0;
		count = r->pages;
	}
	if (mprotect(r->addr + from * PAGE, count * PAGE, p))
		_exit(11);
	memset(r->prot + from, p, count);
}

static void do_forget(struct soup *s)
{
	struct region *r = any(s);
	int from, count, i;

	if (!r || !r->pages)
		return;
	some_pages(s, r, &from, &count);
	if (!madvise(r->addr + from * PAGE, count * PAGE, MADV_DONTNEED)) {
		memset(r->seed + from, 0, count * sizeof(r->seed[0]));
		return;
	}
	/* What is locked stays, and what lies before the first of that has gone. */
	for (i = from; i < from + count; i++)
		if (!madvise(r->addr + i * PAGE, PAGE, MADV_DONTNEED))
			r->seed[i] = 0;
}

/* Another size, another place, or both. */
static void do_remap(struct soup *s)
{
	struct region *r = any(s);
	int pages, i;
	uint8_t *to = NULL;
	bool move = rnd(s, 2);

	if (!r || !r->pages || r->heap)
		return;
	for (i = 1; i < r->pages; i++)
		if (r->prot[i] != r->prot[0])
			return;
	pages = move ? r->pages : 1 + (int)rnd(s, s->pages);
	if (move) {
		to = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		to = mremap(r->addr, r->pages * PAGE, pages * PAGE,
			    MREMAP_MAYMOVE | MREMAP_FIXED, to);
	} else {
		to = mremap(r->addr, r->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);
	}
	/* It is more than one mapping, by a lock of a part. */
	if (to == MAP_FAILED)
		return;
	r->addr = to;
	i = r->pages;
	r->pages = pages;
	fresh(r, i, r->prot[0]);
}

static void do_brk(struct soup *s)
{
	struct region *r = &s->now[0];
	int pages = rnd(s, s->pages), i = r->pages;

	if (brk(r->addr + pages * PAGE))
		_exit(13);
	r->pages = pages;
	fresh(r, i, PROT_READ | PROT_WRITE);
}

static __attribute__((noinline)) uint32_t deep(struct soup *s, int depth)
{
	volatile uint8_t frame[PAGE];

	frame[rnd(s, PAGE)] = depth;
	return depth ? deep(s, depth - 1) + frame[7] : frame[9];
}

static void do_stack(struct soup *s)
{
	deep(s, rnd(s, 64));
}

static void scribble(struct soup *s, uint32_t seed)
{
	struct region *r;
	int i;

	for (r = s->now; r < s->now + s->regions; r++)
		for (i = 0; r->addr && i < r->pages; i++)
			if (r->prot[i] & PROT_WRITE)
				page_fill(r->addr + i * PAGE, seed);
}

static void do_fork(struct soup *s)
{
	pid_t pid;

	/* The wait for a child would be a point amid the destruction. */
	if (s->destroying)
		return;
	pid = fork();
	if (!pid) {
		scribble(s, 4711);
		_exit(0);
	}
	if (pid < 0)
		_exit(14);
	if (waitpid(pid, NULL, 0) != pid)
		_exit(14);
}

static void do_lock(struct soup *s)
{
	struct region *r = any(s);
	int from, count;

	if (!r || !r->pages)
		return;
	some_pages(s, r, &from, &count);
	if (rnd(s, 2))
		mlock(r->addr + from * PAGE, count * PAGE);
	else
		munlock(r->addr + from * PAGE, count * PAGE);
}

/* The kernel writes. */
static void do_read(struct soup *s)
{
	struct region *r = any(s);
	int i, from = rnd(s, s->pages);

	if (!r || !r->pages)
		return;
	i = rnd(s, r->pages);
	if ((r->prot[i] & PROT_WRITE) &&
	    pread(s->file, r->addr + i * PAGE, PAGE, from * PAGE) == (ssize_t)PAGE)
		r->seed[i] = file_seed(from);
}

/* Pages that are only read are the kernel's one page of zeros, or the file's. */
static void do_look(struct soup *s)
{
	struct region *r = any(s);
	int i, from, count;

	if (!r || !r->pages)
		return;
	some_pages(s, r, &from, &count);
	for (i = from; i < from + count; i++)
		if (r->prot[i] & PROT_READ)
			(void)*(volatile uint8_t *)(r->addr + i * PAGE);
}

/* To swap, where there is some. */
static void do_out(struct soup *s)
{
	struct region *r = any(s);
	int from, count;

	if (!r || !r->pages)
		return;
	some_pages(s, r, &from, &count);
	madvise(r->addr + from * PAGE, count * PAGE, MADV_PAGEOUT);
}

/* For KSM, which excludes refreshes. */
static void do_merge(struct soup *s)
{
	struct region *r = any(s);

	if (s->press && r && r->pages)
		madvise(r->addr, r->pages * PAGE, rnd(s, 3) ? MADV_UNMERGEABLE : MADV_MERGEABLE);
}

static void (*const deed[])(struct soup *s) = {
	do_poke, do_poke, do_poke, do_poke, do_poke, do_poke, do_poke, do_poke, do_map, do_map,
	do_unmap, do_protect, do_protect, do_forget, do_remap, do_brk, do_stack, do_fork, do_lock,
	do_read, do_look, do_out, do_merge,
};

/* Few kinds of deed in one round: those that leave the mappings alone, say, or just one. */
static void act(struct soup *s, uint32_t kinds)
{
	uint32_t i = rnd(s, ARRAY_SIZE(deed));

	if (kinds & (1u << i))
		deed[i](s);
	else
		do_poke(s);
}

static void read_maps(char *text)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t size = 0;
	ssize_t got;

	while ((got = read(fd, text + size, MAPS_MAX - 1 - size)) > 0)
		size += got;
	text[size] = '\0';
	close(fd);
}

static void compare(struct soup *s)
{
	const struct region *r;
	int i;

	if (s->step_then != step)
		atomic_fetch_add(&s->wrong_state, 1);
	read_maps(s->maps_now);
	if (strcmp(s->maps_now, s->maps_then))
		atomic_fetch_add(&s->wrong_maps, 1);
	memcpy(s->now, s->then, sizeof(s->now));
	s->destroying = false;
	for (r = s->now; r < s->now + s->regions; r++) {
		for (i = 0; r->addr && i < r->pages; i++) {
			if (!(r->prot[i] & PROT_READ) ||
			    page_is(r->addr + i * PAGE, r->seed[i] ? r->seed[i] :
				    r->file ? file_seed(i) : 0))
				continue;
			if (!atomic_fetch_add(&s->wrong_bytes, 1))
				atomic_store(&s->first_wrong, (uint64_t)(r->addr + i * PAGE));
		}
	}
}

/* What has been written is written over, and no page comes or goes. */
static void spoil(struct soup *s)
{
	struct region *r;
	int i;

	for (r = s->now; r < s->now + s->regions; r++)
		for (i = 0; r->addr && i < r->pages; i++)
			if ((r->prot[i] & PROT_WRITE) && r->seed[i] && rnd(s, 2))
				page_fill(r->addr + i * PAGE, 999);
}

/* All that the model knows, and more. */
static void wreck(struct soup *s)
{
	struct region *r;
	int i;

	for (i = 0; i < 10; i++)
		act(s, rnd(s, 2) ? ~0u : 0);
	if (rnd(s, 2))
		scribble(s, 666);
	for (r = s->now + 1; r < s->now + s->regions; r++) {
		if (!r->addr || !r->pages || rnd(s, 3))
			continue;
		if (rnd(s, 2)) {
			munmap(r->addr, r->pages * PAGE);
			r->addr = NULL;
		} else {
			mprotect(r->addr, r->pages * PAGE, PROT_READ | PROT_WRITE);
			memset(r->addr, 0xee, (r->file ? 1 : r->pages) * PAGE);
		}
	}
}

static void destroy(struct soup *s)
{
	volatile int *null = NULL;

	s->destroying = true;
	if (rnd(s, 2))
		spoil(s);
	else
		wreck(s);
	step = 0xdead;
	*null = 1;
}

static void wait_here(struct soup *s)
{
	step++;
	poll(NULL, 0, 0);
	(void)s;
}

static void soup_eater(struct page *page, void *arg)
{
	struct soup *s = arg;
	uint32_t kinds;
	int i, n;

	s->now[0].addr = (uint8_t *)(((uintptr_t)sbrk(0) + PAGE - 1) & -PAGE);
	s->now[0].heap = true;
	while (atomic_load(&s->rollbacks) < s->rounds &&
	       (atomic_load(&s->rollbacks) < ROUNDS_LEAST || now_ms() < s->until)) {
		kinds = rnd(s, 3) ? rnd(s, 3) ? 1u << rnd(s, ARRAY_SIZE(deed)) : 0 : ~0u;
		for (i = rnd(s, 6); i >= 0; i--) {
			for (n = 1 + rnd(s, 8); n; n--)
				act(s, kinds);
			wait_here(s);
		}
		for (n = 1 + rnd(s, 4); n; n--)
			act(s, kinds);
		memcpy(s->then, s->now, sizeof(s->now));
		read_maps(s->maps_then);
		s->armed = 1;
		s->step_then = step + 1;
		wait_here(s);
		if (s->armed) {
			s->armed = 0;
			destroy(s);
		}
		compare(s);
		atomic_fetch_add(&s->rollbacks, 1);
		page_step(page, 2 + atomic_load(&s->rollbacks));
	}
}

FIXTURE(shadow)
{
	struct rig r;
	struct soup *s;
	char path[64];
	bool swap;
	pid_t press;
};

FIXTURE_VARIANT(shadow)
{
	int rounds, regions, pages;
	bool press;
};

FIXTURE_VARIANT_ADD(shadow, small) { .rounds = 60, .regions = REGIONS, .pages = 40 };
FIXTURE_VARIANT_ADD(shadow, huge) { .rounds = 15, .regions = 4, .pages = PAGES_MAX };
FIXTURE_VARIANT_ADD(shadow, pressed) { .rounds = 40, .regions = REGIONS, .pages = 40,
				       .press = true };
FIXTURE_VARIANT_ADD(shadow, huge_pressed) { .rounds = 15, .regions = 4, .pages = PAGES_MAX,
					    .press = true };

static int make_file(char *path)
{
	uint8_t *page = aligned_alloc(PAGE, PAGE);
	int i, fd;

	strcpy(path, "/tmp/shadow-XXXXXX");
	fd = mkstemp(path);
	for (i = 0; fd >= 0 && i < PAGES_MAX; i++) {
		page_fill(page, file_seed(i));
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			return -1;
	}
	free(page);
	return fd;
}

FIXTURE_SETUP(shadow)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
	self->r.p.default_verdict = SELFHEAL_VERDICT_ROLLBACK;
	self->r.p.deadline_ms = 10;
	self->s = mmap(NULL, sizeof(*self->s), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->s);
	self->s->rounds = variant->rounds;
	self->s->regions = variant->regions;
	self->s->pages = variant->pages;
	self->s->press = variant->press;
	self->s->file = make_file(self->path);
	ASSERT_LE(0, self->s->file);
	if (variant->press)
		self->swap = swap_on();
}

FIXTURE_TEARDOWN(shadow)
{
	EXPECT_TRUE(rig_close(&self->r));
	if (variant->press)
		press_off(self->press);
	if (self->swap)
		swap_off();
	close(self->s->file);
	unlink(self->path);
	munmap(self->s, sizeof(*self->s));
}

static uint64_t seed_of_run(void)
{
	const char *text = getenv("SELFHEAL_SEED");

	/* The same in each run of the suite; make test-long takes others. */
	return text ? strtoull(text, NULL, 0) : 1;
}

TEST_F_TIMEOUT(shadow, is_exact, 600)
{
	struct rig *r = &self->r;
	struct soup *s = self->s;
	int64_t points = status_counter(&r->c, "points");
	int64_t fresh = status_counter(&r->c, "points_refreshed");
	int64_t in_place = status_counter(&r->c, "restores_in_place");

	s->random = seed_of_run();
	s->until = now_ms() + ENOUGH;
	TH_LOG("SELFHEAL_SEED=%llu", (unsigned long long)s->random);
	ASSERT_EQ(0, rig_prepare(r, soup_eater, s));
	if (variant->press)
		self->press = press_on(r->kid.pid);
	page_go(r->kid.page, 1);
	EXPECT_TRUE(child_exited(&r->kid, ENOUGH + 7 * BOUND, 0)) {
		TH_LOG("status %x after %d rollbacks", r->kid.status, s->rollbacks);
	}
	EXPECT_LE(ROUNDS_LEAST, s->rollbacks);
	EXPECT_EQ(0, s->wrong_state);
	EXPECT_EQ(0, s->wrong_maps) {
		TH_LOG("%s\nshould be\n%s", s->maps_now, s->maps_then);
	}
	EXPECT_EQ(0, s->wrong_bytes) {
		TH_LOG("first at %llx", (unsigned long long)s->first_wrong);
	}
	points = status_counter(&r->c, "points") - points;
	fresh = status_counter(&r->c, "points_refreshed") - fresh;
	in_place = status_counter(&r->c, "restores_in_place") - in_place;
	TH_LOG("%d rollbacks, %lld in place; %lld points, %lld of them refreshed", s->rollbacks,
	       (long long)in_place, (long long)points, (long long)fresh);
	EXPECT_LT(2 * s->rollbacks, points);
	/* Both ways to take one, and to go back. KSM, where it is on, excludes one of each. */
	EXPECT_LT(s->rollbacks / 4, points - fresh);
	EXPECT_GT(s->rollbacks, in_place);
	if (!variant->press) {
		EXPECT_LT(s->rollbacks / 4, fresh);
		EXPECT_LT(s->rollbacks / 8, in_place);
	}
}

GUEST_MAIN
