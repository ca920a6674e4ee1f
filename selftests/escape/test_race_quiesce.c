// SPDX-License-Identifier: GPL-2.0
/*
 * Commits at a wait, raced: what a thread has produced goes out when that thread waits, never
 * when another does, however the two mix, and whatever the descriptor is on which it seems to
 * wait. And nothing goes out between a freeze and its release.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "race.h"

#define LEN 8
#define FLIPPED 200
#define RCVBUF (64 << 20)
/* page->count */
#define SILENT (RACE_OWN + 0)	/* writes of the thread that never waits */
#define BUSY (RACE_OWN + 1)	/* writes of those that do */
#define STOP 3

struct plan {
	struct pair silent, busy;
	struct page *page;
	int file, always;	/* reads of it are no wait; reads of it never block */
	unsigned int tries;
	bool flip;
	bool control;	/* the silent thread's pipe is not held: that has to be seen */
};

static void *stay_silent(void *arg)
{
	struct plan *p = arg;

	while (atomic_load(&p->page->go) < STOP) {
		if (p->page->count[SILENT] < p->tries && write(p->silent.tx, "unvetted", LEN) == LEN)
			p->page->count[SILENT]++;
		else
			sched_yield();
	}
	return NULL;
}

static void *flip_file(void *arg)
{
	struct plan *p = arg;
	unsigned int k;

	for (k = 0; atomic_load(&p->page->go) < STOP; k++) {
		dup2(k & 1 ? p->file : p->always, FLIPPED);
		p->page->count[RACE_FLIPS]++;
		if (k % 5 == 4)
			race_nap(k);
	}
	return NULL;
}

static void produce(struct page *page, void *arg)
{
	struct plan *p = arg;
	pthread_t t, f;
	char byte;

	p->page = page;
	dup2(p->file, FLIPPED);
	pthread_create(&t, NULL, stay_silent, p);
	if (p->flip)
		pthread_create(&f, NULL, flip_file, p);
	while (page->count[BUSY] < p->tries) {
		if (write(p->busy.tx, "vetted..", LEN) != LEN)
			break;
		page->count[BUSY]++;
		if (p->flip)
			pread(FLIPPED, &byte, 1, 0);
		else
			poll(NULL, 0, 0);
	}
	/* Now in any case. */
	poll(NULL, 0, 0);
	page_step(page, 2);
	page_spin(page, STOP);
	pthread_join(t, NULL);
	page_step(page, 3);
	page_block(page, ~0U);
}

static uint64_t take(struct pair *ch, char letter, bool *wrong)
{
	char buf[65536];
	uint64_t n = 0;
	ssize_t got, i;

	while ((got = read(ch->rx, buf, sizeof(buf))) > 0) {
		for (i = 0; i < got; i += LEN)
			*wrong |= buf[i] != letter;
		n += got;
	}
	return n;
}

/* Nothing leaves in the freeze: look, let time pass on the other CPU, look again. */
static bool frozen_is_silent(struct race *x, struct plan *p, uint64_t *came)
{
	bool wrong = false;
	uint64_t id, late;
	int left = 50;

	if (domain_freeze(&x->r.c, x->r.dom, &id) ||
	    !domain_wait(&x->r.c, x->r.dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND))
		return race_fail(x, "no freeze");
	*came += take(&p->busy, 'v', &wrong);
	while (left--)
		sched_yield();
	late = take(&p->busy, 'v', &wrong);
	if (late)
		return race_escape(x, "%llu bytes came while frozen", (unsigned long long)late);
	x->cycles++;
	return !incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_RELEASE);
}

static bool run(struct race *x, struct plan *p, bool freeze)
{
	uint64_t came = 0, leaked = 0, silent;
	int64_t end = now_ms() + 8 * BOUND;
	struct page *page;
	bool wrong = false, done;

	if (rig_run(&x->r, produce, p))
		return race_fail(x, "cannot begin: %s", x->r.c.ext);
	page = x->r.kid.page;
	do {
		done = page_wait(page, 2, freeze ? 5 : 1);
		came += take(&p->busy, 'v', &wrong);
		if (freeze && !frozen_is_silent(x, p, &came))
			return false;
		/* A release lets everything out that was held: then it tells nothing. */
		if (!freeze)
			leaked += take(&p->silent, 'u', &wrong);
		if (p->control && leaked)
			return true;
		if (leaked || wrong)
			return race_escape(x, "%llu bytes came of a thread that never waited",
					   (unsigned long long)leaked);
		if (now_ms() > end)
			return race_fail(x, "no end after %llu writes",
					 (unsigned long long)page->count[BUSY]);
	} while (!done);
	if (p->control)
		return race_fail(x, "nothing is seen of what a thread puts out without a wait");
	x->tries = page->count[BUSY] + page->count[SILENT];
	page_go(page, STOP);
	if (!page_wait(page, 3, BOUND))
		return race_fail(x, "the member does not stop");
	/* It waits now, and the thread has exited: all of it comes. */
	silent = page->count[SILENT] * LEN;
	end = now_ms() + BOUND;
	while (came < page->count[BUSY] * LEN || leaked < silent) {
		came += take(&p->busy, 'v', &wrong);
		leaked += take(&p->silent, 'u', &wrong);
		if (now_ms() > end)
			return race_fail(x, "%llu of %llu and %llu of %llu bytes came at last",
					 (unsigned long long)came,
					 (unsigned long long)page->count[BUSY] * LEN,
					 (unsigned long long)leaked, (unsigned long long)silent);
		pause_ms(1);
	}
	return !wrong;
}

static void race(const struct race_case *how, bool flip, bool freeze)
{
	struct plan p = { .flip = flip, .tries = race_tries(how), .control = how->passes };
	struct race x = { .how = how };
	uint64_t flips;
	int zero;

	if (!race_chosen(how->row))
		return;

	zero = open("/dev/zero", O_RDONLY);
	p.file = memfd_create("file", 0);
	p.always = zero;
	if (rig_open(&x.r) || pair_open(&p.silent, CH_PIPE) ||
	    pair_open(&p.busy, CH_UNIX_STREAM) || write(p.file, "x", 1) != 1 || zero < 0) {
		race_fail(&x, "no descriptors");
	} else {
		fcntl(p.silent.rx, F_SETFL, O_NONBLOCK);
		fcntl(p.busy.rx, F_SETFL, O_NONBLOCK);
		policy_hold(&x.r.p);
		x.r.p.max_bytes = 64 << 20;
		if (p.control)
			x.r.p.hold_pipe = SELFHEAL_CHANNEL_ACTION_PASS;
		run(&x, &p, freeze);
	}
	flips = flip && x.r.kid.page ? x.r.kid.page->count[RACE_FLIPS] : x.tries;
	ksft_print_msg("%s: %u writes, %u freezes\n", how->row, x.tries, x.cycles);
	if (!rig_close(&x.r))
		race_fail(&x, "the domain does not go");
	pair_close(&p.silent);
	pair_close(&p.busy);
	close(zero);
	close(p.file);
	if (p.control)
		race_tell_control(how, &x);
	else
		race_tell(how, &x, x.tries, flips);
}

int main(void)
{
	static const struct race_case others = {
		.row = "race.quiesce.threads", .channel = "pipe",
		.note = "a thread waits while another produces",
	}, file = {
		.row = "race.quiesce.descriptor", .channel = "pipe",
		.note = "the descriptor that a thread seems to wait on changes",
	}, frozen = {
		.row = "race.quiesce.freeze", .channel = "unix",
		.note = "freezes in the midst of commits",
	}, control = {
		.row = "race.control.quiesce", .passes = true,
	};

	guest_begin();
	race_begin(race_chosen(control.row) + race_chosen(others.row) + race_chosen(file.row) +
		   race_chosen(frozen.row));
	race(&control, false, false);
	race(&others, false, false);
	race(&file, true, false);
	race(&frozen, false, true);
	return guest_end(race_end());
}
