// SPDX-License-Identifier: GPL-2.0
/* The driver of the races; see race.h. */
#include <errno.h>
#include <fcntl.h>
#include <kselftest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "race.h"

#define CYCLE_MS 4		/* between a release and the next freeze */
#define HELD_MAX (1 << 20)
#define BUFFER (4 << 20)
#define STEP_DONE 2

static bool complain(struct race *x, const char *fmt, va_list ap)
{
	if (!x->why[0])
		vsnprintf(x->why, sizeof(x->why), fmt, ap);
	return false;
}

bool race_fail(struct race *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(x, fmt, ap);
	va_end(ap);
	x->failed = true;
	return false;
}

bool race_escape(struct race *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(x, fmt, ap);
	va_end(ap);
	x->escaped = true;
	return false;
}

unsigned int race_tries(const struct race_case *how)
{
	const char *text = getenv("RACE_TRIES");
	unsigned int tries = text ? strtoul(text, NULL, 10) : RACE_TRIES;

	tries /= how->divide ? how->divide : 1;
	return tries > 12 ? tries : 12;
}

void race_nap(unsigned int k)
{
	struct timespec ts = { 0, 1000 + k * 7919 % 60000 };

	nanosleep(&ts, NULL);
}

/* Flip for ever; some tight, some at odd moments. */
static void flip_on(struct race *x)
{
	unsigned int k;

	prctl(PR_SET_TIMERSLACK, 1);
	for (k = 0;; k++) {
		x->how->flip(x, k);
		x->r.kid.page->count[RACE_FLIPS]++;
		if (k % 5 == 4)
			race_nap(k);
	}
}

void *race_flip_thread(void *arg)
{
	flip_on(arg);
	return NULL;
}

static int flip_process(void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	flip_on(arg);
	return 0;
}

/* Has the worker met the flipper at all? That is waited for, but not for ever. */
static bool met(const struct race *x, unsigned int i)
{
	static int64_t end;

	if (i % 64)
		return false;
	if (!end)
		end = now_ms() + BOUND;
	if (now_ms() > end)
		return true;
	return x->r.kid.page->count[RACE_FLIPS] && (!x->how->enough || x->how->enough(x));
}

static void worker(struct page *page, void *arg)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct race *x = arg;
	pthread_t t;
	unsigned int i;
	long n;

	x->r.kid.page = page;
	if (x->how->prepare)
		x->how->prepare(x);
	if (x->who == BY_THREAD)
		pthread_create(&t, NULL, race_flip_thread, x);
	else if (x->who == BY_VM)
		clone(flip_process, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, x);
	for (i = 0; i < x->tries || !met(x, i); i++) {
		n = x->how->attempt(x, i);
		if (n < 0)
			page->count[RACE_ERRORS]++;
		else
			page->count[RACE_BYTES] += n;
		page->count[RACE_DONE]++;
	}
	page_step(page, STEP_DONE);
	page_block(page, ~0U);
}

/* Take in what has come to any receiver, without waiting. */
static void drain(struct race *x)
{
	char scrap[65536];
	ssize_t n;
	int i;

	for (i = 0; i < RACE_RX; i++) {
		if (x->rx[i] <= 0)
			continue;
		while ((n = read(x->rx[i], scrap, sizeof(scrap))) > 0) {
			n -= x->how->header;
			x->came += n;
			if (x->got_len + n <= BUFFER)
				memcpy(x->got + x->got_len, scrap + x->how->header, n);
			x->got_len += n;
		}
	}
	if (x->how->drain)
		x->how->drain(x);
}

static void keep_held(const struct held *h, void *arg)
{
	struct race *x = arg;
	size_t i;

	if (h->channel == x->how->only)
		x->held_only += h->length;
	if (h->data_len != h->length)
		race_fail(x, "the dump shows %zu of %u bytes", h->data_len, h->length);
	if (x->held_len + h->data_len <= BUFFER)
		memcpy(x->held + x->held_len, h->data, h->data_len);
	x->held_len += h->data_len;
	for (i = 1; i < h->data_len; i++) {
		if (h->data[i] != h->data[0]) {
			x->torn++;
			break;
		}
	}
}

/* Until all of the bytes came, or the object itself refused them at the commit. */
static bool wait_came(struct race *x, uint64_t bytes)
{
	int64_t end = now_ms() + BOUND;
	struct domain d;

	for (;;) {
		drain(x);
		if (x->came + x->dropped >= bytes)
			return true;
		if (now_ms() >= end)
			return false;
		if (x->how->drops && !domain_get(&x->r.c, x->r.dom, &d))
			x->dropped = d.dropped_bytes;
		pause_ms(1);
	}
}

bool race_freeze(struct race *x, uint64_t *id)
{
	int err = domain_freeze(&x->r.c, x->r.dom, id);

	if (err || !domain_wait(&x->r.c, x->r.dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND))
		return race_fail(x, "the freeze: %s", err ? strerror(-err) : "no end of it");
	return true;
}

bool race_silent(struct race *x, uint64_t before)
{
	drain(x);
	if (x->came == before)
		return true;
	return race_escape(x, "%llu bytes came while %llu were let go",
			   (unsigned long long)x->came, (unsigned long long)before);
}

bool race_release(struct race *x, uint64_t id, uint64_t *before, struct domain *d)
{
	uint64_t due;
	int err;

	if (!race_silent(x, *before))
		return false;
	if (domain_get(&x->r.c, x->r.dom, d))
		return race_fail(x, "the domain has gone");
	x->held_len = 0;
	x->got_len = 0;
	x->held_only = 0;
	if ((x->how->content || x->how->only) &&
	    quarantine_dump(&x->r.c, x->r.dom, true, keep_held, x))
		return race_fail(x, "no dump of the quarantine");
	err = incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_RELEASE);
	if (err)
		return race_fail(x, "the release: %s", strerror(-err));
	due = x->how->only ? *before + x->held_only : d->held_total;
	if (!wait_came(x, due)) {
		domain_get(&x->r.c, x->r.dom, d);
		return race_fail(x, "%llu bytes of %llu came, %llu are held, %llu dropped",
				 (unsigned long long)x->came, (unsigned long long)due,
				 (unsigned long long)d->held_bytes,
				 (unsigned long long)d->dropped_bytes);
	}
	if (x->how->content && !x->dropped && (x->held_len != x->got_len || x->got_len > BUFFER ||
				memcmp(x->held, x->got, x->got_len)))
		return race_fail(x, "other bytes came than were held: %zu of %zu", x->got_len,
				 x->held_len);
	*before = x->came;
	x->cycles++;
	return true;
}

/* No progress for that long is a hang: the worker waits for room that releases give it. */
static bool races(struct race *x)
{
	uint64_t before = 0, last = ~0ULL, now, id;
	struct page *page = x->r.kid.page;
	int64_t end = now_ms() + 4 * BOUND;
	struct domain d = { 0 };
	bool done;

	do {
		done = page_wait(page, STEP_DONE, CYCLE_MS);
		if (child_wait(&x->r.kid, 0))
			return race_fail(x, "the worker ended with %#x", x->r.kid.status);
		now = page->count[RACE_DONE];
		if (now != last)
			end = now_ms() + 4 * BOUND;
		else if (now_ms() > end)
			return race_fail(x, "no attempt ends after %llu", (unsigned long long)now);
		last = now;
		if (!x->how->calm && (!race_freeze(x, &id) || !race_release(x, id, &before, &d)))
			return false;
	} while (!done);
	if (x->how->exact && d.held_total != page->count[RACE_BYTES])
		return race_fail(x, "%llu bytes were reported and %llu held",
				 (unsigned long long)page->count[RACE_BYTES],
				 (unsigned long long)d.held_total);
	return !x->how->check || x->how->check(x);
}

static void shut(int *fd)
{
	if (*fd > 2)
		close(*fd);
	*fd = 0;
}

void race_shut(struct race *x)
{
	int i;

	for (i = 0; i < RACE_RX; i++) {
		shut(&x->rx[i]);
		shut(&x->tx[i]);
		shut(&x->fd[i]);
	}
}

static void start_outsider(struct race *x)
{
	x->outsider = fork();
	if (x->outsider)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	flip_on(x);
}

void race_dir_remove(struct race *x)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", x->dir);
	if (x->dir[0] && system(command))
		race_fail(x, "cannot remove %s", x->dir);
}

static void close_race(struct race *x)
{
	if (!rig_close(&x->r))
		race_fail(x, "the domain does not go");
	if (x->outsider > 0) {
		kill(x->outsider, SIGKILL);
		waitpid(x->outsider, NULL, 0);
	}
	if (x->how->close)
		x->how->close(x);
	race_shut(x);
	munmap(x->shared, RACE_SHARED);
	free(x->held);
	free(x->got);
	race_dir_remove(x);
}

uint64_t race_with(struct race *x)
{
	struct page *page = page_new();
	uint64_t flips;
	int err, i;

	/* Where calls of the 32-bit ABI reach it, too. */
	x->shared = mmap(NULL, RACE_SHARED, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	x->held = malloc(BUFFER);
	x->got = malloc(BUFFER);
	strcpy(x->dir, "/tmp/selfheal.race.XXXXXX");
	if (x->shared == MAP_FAILED || !x->held || !x->got || !mkdtemp(x->dir))
		abort();
	err = rig_open(&x->r);
	if (!err)
		err = x->how->open(x);
	for (i = 0; i < RACE_RX && !err; i++) {
		if (x->rx[i] > 0 && fcntl(x->rx[i], F_SETFL, O_NONBLOCK))
			err = -errno;
	}
	if (!err) {
		policy_hold(&x->r.p);
		x->r.p.commit = 0;
		x->r.p.max_bytes = HELD_MAX;
		if (x->how->policy)
			x->how->policy(&x->r.p);
		err = policy_load(&x->r.c, &x->r.p);
	}
	/* The outsider counts its flips in the same page. */
	x->r.kid.page = page;
	if (!err && x->who == BY_OUTSIDER)
		start_outsider(x);
	if (!err)
		err = child_start_on(&x->r.kid, page, x->how->worker ? x->how->worker : worker, x);
	if (!err && x->how->ready)
		err = x->how->ready(x);
	if (!err)
		err = domain_new(&x->r.c, x->r.p.name, x->r.kid.pidfd, false, &x->r.dom);
	x->absent = err == -ENODEV;
	if (err) {
		race_fail(x, "cannot begin: %s (%s)", strerror(-err), x->r.c.ext);
	} else {
		page_go(page, x->how->ready ? 2 : 1);
		if (x->how->drive)
			x->how->drive(x);
		else
			races(x);
	}
	flips = page->count[RACE_FLIPS];
	ksft_print_msg("%s by %s: %llu tries, %llu of them failed, %llu flips, %u torn, %u freezes%s\n",
		       x->how->row, x->who == BY_THREAD ? "a thread" : x->who == BY_VM ?
		       "a process with the same memory" : "an outsider",
		       (unsigned long long)page->count[RACE_DONE],
		       (unsigned long long)page->count[RACE_ERRORS], (unsigned long long)flips,
		       x->torn, x->cycles, x->dropped ? ", some refused at the commit" : "");
	close_race(x);
	return flips;
}
