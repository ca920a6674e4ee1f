// SPDX-License-Identifier: GPL-2.0
/* The ring of events: numbers, gaps, the listener. */
#include "event.c"
#include "shim.h"
#include "test.h"

static void emit(u64 domain)
{
	struct sh_event ev = { .domain = domain, .type = 3, .seq = 77, .stamp = 77 };

	sh_event_emit(&ev);
}

static void emit_many(u64 n)
{
	u64 i;

	for (i = 0; i < n; i++)
		emit(1000 + i);
}

#define TOLD_MAX	(4 * SH_EVENTS_KEPT)

static struct sh_event told[TOLD_MAX];
static unsigned int nr_told;

static void hear(const struct sh_event *ev)
{
	SHIM_REQUIRE(!shim_spinning);
	if (nr_told < TOLD_MAX)
		told[nr_told++] = *ev;
}

static unsigned int nr_other;

static void hear_other(const struct sh_event *ev)
{
	nr_other++;
}

TEST(event_no_memory)
{
	shim_fail_alloc = 1;
	CHECK_INT(sh_event_init(), -ENOMEM);
	sh_event_exit();
}

TEST(event_empty)
{
	struct sh_event ev = { .seq = 5 };

	CHECK_INT(sh_event_init(), 0);
	CHECK_INT(sh_event_seq(), 0);
	CHECK(!sh_event_next(0, &ev));
	CHECK(!sh_event_next(U64_MAX, &ev));
	CHECK_INT(ev.seq, 5);
	sh_event_exit();
}

TEST(event_numbers_and_stamps)
{
	struct sh_event ev = { .domain = 8, .incident = 9, .type = 1, .state = 2, .sensor = 3,
			       .verdict = 4, .resolved_by = 5, .policy = "p", .hook = "h" };
	struct sh_event seen;
	u64 i;

	CHECK_INT(sh_event_init(), 0);
	for (i = 1; i <= 3; i++) {
		shim_now = 500 * i;
		sh_event_emit(&ev);
		CHECK_INT(ev.seq, i);
		CHECK_INT(ev.stamp, 500 * i);
		CHECK_INT(sh_event_seq(), i);
	}
	for (i = 1; i <= 3; i++) {
		memset(&seen, 0xff, sizeof(seen));
		CHECK(sh_event_next(i - 1, &seen));
		CHECK_INT(seen.seq, i);
		CHECK_INT(seen.stamp, 500 * i);
	}
	/* The last one filed is what was given, byte for byte. */
	CHECK(!memcmp(&seen, &ev, sizeof(ev)));
	CHECK(!sh_event_next(3, &seen));
	CHECK(!sh_event_next(4, &seen));
	CHECK(!sh_event_next(U64_MAX, &seen));
	sh_event_exit();
}

/* What a reader gets who has read up to @after, when the latest number is @head. */
static void check_next(u64 head, u64 after)
{
	u64 oldest = head > SH_EVENTS_KEPT ? head - SH_EVENTS_KEPT + 1 : 1;
	struct sh_event ev = { 0 };
	char about[64];

	snprintf(about, sizeof(about), "head %llu after %llu", head, after);
	test_about(about);
	CHECK_INT(sh_event_next(after, &ev), after < head);
	if (after < head) {
		CHECK_INT(ev.seq, after + 1 > oldest ? after + 1 : oldest);
		CHECK_INT(ev.domain, 1000 + ev.seq - 1);
	}
}

TEST(event_gap_when_the_ring_went_round)
{
	static const u64 heads[] = {
		SH_EVENTS_KEPT - 1, SH_EVENTS_KEPT, SH_EVENTS_KEPT + 1,
		2 * SH_EVENTS_KEPT - 1, 2 * SH_EVENTS_KEPT, 2 * SH_EVENTS_KEPT + 1,
		3 * SH_EVENTS_KEPT + 17,
	};
	u64 after, head = 0;
	unsigned int i;

	CHECK_INT(sh_event_init(), 0);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		for (; head < heads[i]; head++)
			emit(1000 + head);
		CHECK_INT(sh_event_seq(), head);
		for (after = 0; after <= head + 1; after++)
			check_next(head, after);
		check_next(head, U64_MAX - 1);
		check_next(head, U64_MAX);
	}
	sh_event_exit();
}

/* A dump since 0 gives each kept event once, in order. */
TEST(event_dump_of_all)
{
	struct sh_event ev = { 0 };
	u64 n = 0, last = SH_EVENTS_KEPT + 5 - SH_EVENTS_KEPT;

	CHECK_INT(sh_event_init(), 0);
	emit_many(SH_EVENTS_KEPT + 5);
	while (sh_event_next(ev.seq, &ev)) {
		CHECK_INT(ev.seq, ++last);
		n++;
	}
	CHECK_INT(n, SH_EVENTS_KEPT);
	sh_event_exit();
}

TEST(event_listener_hears_all_in_order)
{
	unsigned int i;

	CHECK_INT(sh_event_init(), 0);
	sh_event_listen(hear);
	emit_many(10);
	CHECK_INT(nr_told, 0);	/* never in the emitter's context */
	shim_advance(0);
	CHECK_INT(nr_told, 10);
	emit(1);
	emit(2);
	shim_advance(0);
	CHECK_INT(nr_told, 12);
	for (i = 0; i < nr_told; i++)
		CHECK_INT(told[i].seq, i + 1);
	sh_event_exit();
}

TEST(event_slow_listener_sees_the_gap)
{
	unsigned int i;

	CHECK_INT(sh_event_init(), 0);
	sh_event_listen(hear);
	emit(1);
	shim_advance(0);
	emit_many(SH_EVENTS_KEPT + 9);
	shim_advance(0);
	CHECK_INT(nr_told, 1 + SH_EVENTS_KEPT);
	CHECK_INT(told[0].seq, 1);
	for (i = 1; i < nr_told; i++)
		CHECK_INT(told[i].seq, 10 + i);
	sh_event_exit();
}

TEST(event_listeners_come_and_go)
{
	CHECK_INT(sh_event_init(), 0);
	emit_many(3);
	shim_advance(0);		/* nobody listens */
	sh_event_listen(hear);
	CHECK_INT(nr_told, 0);
	emit(1);
	shim_advance(0);
	CHECK_INT(nr_told, 4);		/* what was kept is told, too */
	sh_event_listen(hear_other);
	emit(2);
	shim_advance(0);
	CHECK_INT(nr_told, 4);
	CHECK_INT(nr_other, 1);		/* each event once, whoever listens */
	sh_event_listen(NULL);
	emit(3);
	shim_advance(0);
	CHECK_INT(nr_told + nr_other, 5);
	sh_event_exit();
}

static void hear_and_emit(const struct sh_event *ev)
{
	hear(ev);
	if (ev->seq < 5)
		emit(ev->seq);
}

/* An event that the listener causes is told in the same round, and does not lock up. */
TEST(event_listener_may_emit)
{
	CHECK_INT(sh_event_init(), 0);
	sh_event_listen(hear_and_emit);
	emit(1);
	shim_advance(0);
	CHECK_INT(nr_told, 5);
	CHECK_INT(told[4].seq, 5);
	sh_event_exit();
}

/* Nothing runs after the exit: the module's text is gone. */
TEST(event_exit_cancels)
{
	CHECK_INT(sh_event_init(), 0);
	sh_event_listen(hear);
	emit(1);
	CHECK(shim_next_due() != U64_MAX);
	sh_event_exit();
	CHECK_INT(shim_next_due(), U64_MAX);
	shim_advance(1);
	CHECK_INT(nr_told, 0);
}

#define THREADS		4
#define PER_THREAD	5000

static void *emitter(void *arg)
{
	struct sh_event ev = { .domain = (u64)(uintptr_t)arg };
	u64 last = 0;
	int i;

	for (i = 0; i < PER_THREAD; i++) {
		sh_event_emit(&ev);
		if (ev.seq <= last)
			shim_bug(__FILE__, __LINE__, "a number went back");
		last = ev.seq;
	}
	return NULL;
}

/* A reader that follows while the others write: numbers only rise, no torn event. */
static void *reader(void *arg)
{
	struct sh_event ev = { 0 };
	u64 after = 0;

	while (after < THREADS * PER_THREAD) {
		if (!sh_event_next(after, &ev))
			continue;
		if (ev.seq <= after || ev.domain < 1 || ev.domain > THREADS)
			shim_bug(__FILE__, __LINE__, "an event out of order, or torn");
		after = ev.seq;
	}
	return NULL;
}

/* In the middle of an emission, where the lock must keep the others out. */
static void yield(void)
{
	sched_yield();
}

TEST(event_threads)
{
	pthread_t threads[THREADS + 1];
	int i;

	CHECK_INT(sh_event_init(), 0);
	shim_tick = yield;
	pthread_create(&threads[THREADS], NULL, reader, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, emitter, (void *)(uintptr_t)(i + 1));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Each event has a number of its own. */
	CHECK_INT(sh_event_seq(), THREADS * PER_THREAD);
	pthread_join(threads[THREADS], NULL);
	sh_event_exit();
}
