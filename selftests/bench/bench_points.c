// SPDX-License-Identifier: GPL-2.0
/*
 * What a rescue point costs, and the way back to it, by the memory of the
 * process. In instructions, in a machine that counts these as time (see
 * lib/measure.h).
 *
 *	bench_points MIB...
 *	bench_points sleep MIB
 *
 * The latter only has that much memory and sleeps, for others that save and restore it.
 * For each size a process with that much memory, in small pages:
 *	point		a wait with a point, 32 pages having been written since the last
 *	bare		the same wait of a member without points
 *	touch		writing these pages
 *	faults		page faults of both, all together
 *	refreshed	points that were taken by a refresh, all together
 *	fork		fork(2) of a process that is no member
 *	copy		the first point, or one after a change of the mappings
 *	epoll		the first change of an epoll set after a point
 *	epoll_bare	the same change by a member without points
 *	back		from the crash, over a controller's rollback, to running again
 *
 * A line per figure: name, MiB, median, least, most.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "measure.h"
#include "nl_status.h"
#include "rig.h"

#define HOT 32
#define WARM 5
#define RUNS 41
#define COPIES 5
#define BACKS 7
#define PAGE 4096

struct shared {
	size_t mib;
	uint64_t point[RUNS], touch[RUNS], epoll[RUNS], copy[COPIES], back[BACKS], fork[COPIES];
	int64_t faults;
	_Atomic int crashes;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void say(const char *what, size_t mib, uint64_t *values, int n)
{
	qsort(values, n, sizeof(*values), by_value);
	printf("%s %zu %llu %llu %llu\n", what, mib, (unsigned long long)values[n / 2],
	       (unsigned long long)values[0], (unsigned long long)values[n - 1]);
	fflush(stdout);
}

static uint8_t *populate(size_t mib)
{
	uint8_t *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED && !madvise(memory, mib << 20, MADV_NOHUGEPAGE), "memory");
	check(!madvise(memory, mib << 20, MADV_POPULATE_WRITE), "memory");
	return memory;
}

static void touch(uint8_t *memory, size_t mib, uint8_t value)
{
	size_t step = (mib << 20) / HOT, i;

	for (i = 0; i < HOT; i++)
		memory[i * step] = value;
}

/* A wait that is over at once. */
static uint64_t timed_wait(void)
{
	uint64_t start = __rdtsc();

	poll(NULL, 0, 0);
	return __rdtsc() - start;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* One registration modified after each wait. */
static void changes(struct shared *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int set = epoll_create1(0), file = eventfd(0, 0), i;

	check(!epoll_ctl(set, EPOLL_CTL_ADD, file, &ev), "epoll");
	for (i = 0; i < RUNS; i++) {
		timed_wait();
		ev.events ^= EPOLLOUT;
		s->epoll[i] = __rdtsc();
		epoll_ctl(set, EPOLL_CTL_MOD, file, &ev);
		s->epoll[i] = __rdtsc() - s->epoll[i];
	}
}

static void points(struct page *page, void *arg)
{
	struct shared *s = arg;
	uint8_t *memory = populate(s->mib);
	uint64_t start;
	long before = 0;
	int i;

	for (i = 0; i < RUNS + WARM; i++) {
		if (i == WARM) {
			before = faults();
			page_step(page, 2);
			page_spin(page, 2);
		}
		start = __rdtsc();
		touch(memory, s->mib, i);
		if (i >= WARM)
			s->touch[i - WARM] = __rdtsc() - start;
		start = timed_wait();
		if (i >= WARM)
			s->point[i - WARM] = start;
	}
	s->faults = faults() - before;
	page_step(page, 3);
	page_spin(page, 3);
	for (i = 0; i < COPIES; i++) {
		/* One mapping more. */
		check(mmap(NULL, 2 * PAGE, i & 1 ? PROT_READ : PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "memory");
		s->copy[i] = timed_wait();
	}
	changes(s);
	page_step(page, 4);
}

static void crashes(struct page *page, void *arg)
{
	struct shared *s = arg;
	uint8_t *memory = populate(s->mib);
	volatile int *null = NULL;
	int n;

	(void)page;
	for (;;) {
		touch(memory, s->mib, 1);
		timed_wait();
		touch(memory, s->mib, 2);
		timed_wait();
		/* The last wait is where it is again after the crash. */
		n = atomic_load(&s->crashes);
		if (n & 1) {
			s->back[n / 2] = __rdtsc() - s->back[n / 2];
			atomic_store(&s->crashes, n + 1);
			if (n / 2 == BACKS - 1)
				return;
			continue;
		}
		atomic_store(&s->crashes, n + 1);
		s->back[n / 2] = __rdtsc();
		*null = 1;
	}
}

static void forks(struct shared *s)
{
	pid_t pid = fork();
	uint64_t start;
	int i, status;

	if (pid) {
		check(waitpid(pid, &status, 0) == pid && !status, "forks");
		return;
	}
	populate(s->mib);
	for (i = 0; i < COPIES; i++) {
		start = __rdtsc();
		pid = fork();
		if (!pid)
			_exit(0);
		s->fork[i] = __rdtsc() - start;
		check(waitpid(pid, NULL, 0) == pid, "waitpid");
	}
	_exit(0);
}

static void policy_of(struct rig *r, bool rescue)
{
	check(!rig_open(r), "control interface");
	policy_hold(&r->p);
	policy_faults(&r->p);
	if (rescue)
		r->p.rescue = SELFHEAL_RESCUE_WAIT;
}

static void measure_points(struct shared *s, bool rescue)
{
	struct rig r;
	uint64_t fresh;

	policy_of(&r, rescue);
	check(!rig_run(&r, points, s), r.c.ext);
	check(page_wait(r.kid.page, 2, BOUND), "warming up");
	fresh = status_counter(&r.c, "points_refreshed");
	page_go(r.kid.page, 2);
	check(page_wait(r.kid.page, 3, BOUND), "points");
	fresh = status_counter(&r.c, "points_refreshed") - fresh;
	page_go(r.kid.page, 3);
	check(child_exited(&r.kid, BOUND, 0), "its end");
	check(rig_close(&r), "the end");
	say(rescue ? "point" : "bare", s->mib, s->point, RUNS);
	say(rescue ? "epoll" : "epoll_bare", s->mib, s->epoll, RUNS);
	if (!rescue)
		return;
	say("touch", s->mib, s->touch, RUNS);
	say("copy", s->mib, s->copy, COPIES);
	say("faults", s->mib, (uint64_t *)&s->faults, 1);
	say("refreshed", s->mib, &fresh, 1);
}

static void measure_back(struct shared *s)
{
	struct event ev;
	struct rig r;
	int i;

	policy_of(&r, true);
	atomic_store(&s->crashes, 0);
	check(!rig_run(&r, crashes, s), r.c.ext);
	for (i = 0; i < BACKS; i++) {
		check(nlev_wait(&r.e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r.dom, BOUND, &ev) &&
		      !incident_rollback(&r.c, ev.incident, -1), "rollback");
	}
	check(child_exited(&r.kid, BOUND, 0), "its end");
	check(rig_close(&r), "the end");
	say("back", s->mib, s->back, BACKS);
}

/* No wakeups across processors. */
int main(int argc, char **argv)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	if (!module_path())
		return 4;	/* kselftest's skip */
	stay_on_one_cpu();
	if (argc == 3 && !strcmp(argv[1], "sleep")) {
		populate(atoi(argv[2]));
		for (;;)
			pause();
	}
	errno = -module_load();
	check(!errno, "loading the module");
	for (i = 1; i < argc; i++) {
		s->mib = atoi(argv[i]);
		forks(s);
		say("fork", s->mib, s->fork, COPIES);
		measure_points(s, false);
		measure_points(s, true);
		measure_back(s);
	}
	errno = -module_unload_wait(slow_ms(60000));
	check(!errno, "unloading the module");
	return 0;
}
