// SPDX-License-Identifier: GPL-2.0
/* The phases; see escape.h. Each takes all rows through at once. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "phase.h"

#define ATTEMPTS	6
#define ENDLESS		1000000		/* until told to stop */
#define AHEAD		4		/* attempts under way that no channel blocks for */

/* The rows of a phase; those that take no part are broken. */
struct set {
	struct esc *x;
	struct run *runs;
	unsigned int n;
};

static struct esc *esc_from(struct set *s, unsigned int *i)
{
	while (*i < s->n && s->x[*i].broken)
		(*i)++;
	return *i < s->n ? &s->x[*i] : NULL;
}

#define for_each_esc(set, i, esc) for ((i) = 0; ((esc) = esc_from(set, &(i))); (i)++)

static const char *name_of(int err)
{
	const char *name = strerrorname_np(err < 0 ? -err : err);

	return err ? name ? name : "an unknown error" : "success";
}

static void set_init(struct set *s, struct run *runs, unsigned int n, const struct nlc *c,
		     unsigned int attempts, enum phase ph)
{
	char why[128];
	unsigned int i;

	s->runs = runs;
	s->n = n;
	s->x = calloc(n, sizeof(*s->x));
	if (!s->x)
		abort();
	for (i = 0; i < n; i++) {
		struct esc *x = &s->x[i];

		x->row = runs[i].row;
		x->broken = runs[i].result[ph].outcome != UNTOLD;
		if (x->broken)
			continue;
		if (!esc_start(x, runs[i].row, attempts, why, sizeof(why)))
			result_set(&runs[i], ph, x->skip ? SKIPPED : FAILED, "%s", why);
		x->rig.c = *c;
	}
}

static void set_end(struct set *s, enum phase ph)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		struct esc *x = &s->x[i];

		if (!x->rig.kid.page && !x->rx)
			continue;
		if (!esc_end(x) && s->runs[i].result[ph].outcome == GOOD) {
			s->runs[i].result[ph].outcome = UNTOLD;
			result_set(&s->runs[i], ph, FAILED, "the domain does not go");
		}
		if (x->rig.p.name[0])
			policy_unload(&x->rig.c, x->rig.p.name);
	}
	free(s->x);
}

/* Enrol every row; one that is refused, as it should, has no further part. */
static void set_enrol(struct set *s, enum phase ph, bool hold)
{
	struct esc *x;
	unsigned int i;
	int err;

	for_each_esc(s, i, x) {
		bool full = hold || x->row->unfrozen;

		policy_init(&x->rig.p);
		/* Of a set of rows the first is frozen until the last has been looked at. */
		x->rig.p.deadline_ms = 3600000;
		if (full) {
			policy_hold(&x->rig.p);
			x->rig.p.commit = 0;
		}
		if (x->row->policy)
			x->row->policy(&x->rig.p, full);
		err = policy_load(&x->rig.c, &x->rig.p);
		if (!err)
			err = esc_enrol(x);
		if (x->row->held == ROW_REFUSED && err == -x->row->error) {
			result_set(&s->runs[i], ph, GOOD, "refused:%s", name_of(err));
			x->broken = true;
		} else if (x->row->held == ROW_REFUSED && hold) {
			result_set(&s->runs[i], ph, FAILED, "enrolled with %s where %s was due",
				   name_of(err), name_of(x->row->error));
			x->broken = true;
		} else if (err) {
			result_set(&s->runs[i], ph, FAILED, "enrolled with %s: %s",
				   name_of(err), x->rig.c.ext);
			x->broken = true;
		}
	}
}

/* The results of the attempts; false when they are not what the row says. */
static bool answers(struct esc *x, struct run *run, enum phase ph, bool denied)
{
	struct page *page = x->rig.kid.page;
	int want = denied ? -x->row->error : 0, got;
	unsigned int i;

	if (!page_wait(page, 2, BOUND)) {
		result_set(run, ph, FAILED, "attempt %u does not return",
			   (unsigned int)(page->count[MADE] + page->count[DENIALS]));
		return false;
	}
	for (i = 0; i < x->attempts && i < RESULTS; i++) {
		got = page->value[i];
		if (got != want) {
			result_set(run, ph, FAILED, "attempt %u gave %s where %s was due", i,
				   name_of(got), name_of(want));
			return false;
		}
	}
	return true;
}

static bool in_order(struct esc *x, struct run *run, enum phase ph, unsigned int due)
{
	if (x->wrong || x->have) {
		result_set(run, ph, FAILED, "%s", x->wrong ? x->what : "half a token is left");
		return false;
	}
	if (x->seen != due) {
		result_set(run, ph, x->seen > due ? ESCAPED : FAILED, "%u tokens of %u arrived",
			   x->seen, due);
		return false;
	}
	return true;
}

static unsigned int all_tokens(const struct esc *x)
{
	return x->attempts * esc_per(x);
}

void phase_plain(struct run *runs, unsigned int n, const struct nlc *c)
{
	struct set s;
	struct esc *x;
	unsigned int i;

	set_init(&s, runs, n, c, ATTEMPTS, PLAIN);
	for_each_esc(&s, i, x)
		page_go(x->rig.kid.page, GO_ATTEMPT(ATTEMPTS));
	for_each_esc(&s, i, x) {
		if (answers(x, &runs[i], PLAIN, false))
			esc_wait_seen(x, all_tokens(x), BOUND);
	}
	pause_ms(QUIET);
	for_each_esc(&s, i, x) {
		esc_look(x);
		if (in_order(x, &runs[i], PLAIN, all_tokens(x)))
			result_set(&runs[i], PLAIN, GOOD, "works");
	}
	set_end(&s, PLAIN);
}

struct freezer {
	struct esc *x;
	uint64_t incident;
	int err;
	_Atomic bool done;
};

static void *freeze(void *arg)
{
	struct freezer *f = arg;

	f->err = domain_freeze(&f->x->rig.c, f->x->rig.dom, &f->incident);
	f->done = true;
	return NULL;
}

/* Freeze the member amid attempts: their tokens are taken in all the while. */
static int freeze_amid(struct esc *x, uint64_t *incident)
{
	struct freezer f = { .x = x };
	pthread_t thread;

	if (pthread_create(&thread, NULL, freeze, &f))
		return -EAGAIN;
	do {
		esc_look(x);
		page_go(x->rig.kid.page, GO_ATTEMPT(x->seen / esc_per(x) + AHEAD));
	} while (!f.done);
	pthread_join(thread, NULL);
	*incident = f.incident;
	return f.err;
}

/* Freeze every domain that is left, and wait until they are. */
static void set_freeze(struct set *s, enum phase ph, uint64_t *incident)
{
	struct esc *x;
	unsigned int i;
	int err;

	for_each_esc(s, i, x) {
		if (ph == FROZEN)
			err = freeze_amid(x, &incident[i]);
		else
			err = domain_freeze(&x->rig.c, x->rig.dom, &incident[i]);
		if (err) {
			result_set(&s->runs[i], ph, FAILED, "freeze gave %s", name_of(err));
			x->broken = true;
		}
	}
	for_each_esc(s, i, x) {
		if (!domain_wait(&x->rig.c, x->rig.dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND)) {
			result_set(&s->runs[i], ph, FAILED, "does not freeze");
			x->broken = true;
		}
	}
}

static void set_verdict(struct set *s, enum phase ph, const uint64_t *incident)
{
	uint32_t verdict = ph == KILL ? SELFHEAL_VERDICT_KILL : SELFHEAL_VERDICT_RELEASE;
	struct esc *x;
	unsigned int i;
	int err;

	for_each_esc(s, i, x) {
		err = incident_verdict(&x->rig.c, incident[i], verdict);
		if (err) {
			result_set(&s->runs[i], ph, FAILED, "the verdict gave %s", name_of(err));
			x->broken = true;
		}
	}
}

/* Attempts under the holding policy. @ph: whose results these are. */
static void attempts_held(struct set *s, enum phase ph)
{
	struct domain d;
	struct esc *x;
	unsigned int i;

	for_each_esc(s, i, x)
		page_go(x->rig.kid.page, GO_ATTEMPT(ATTEMPTS));
	for_each_esc(s, i, x) {
		struct run *run = &s->runs[i];
		bool good = answers(x, run, ph, x->row->held == ROW_DENIED);

		if (good && x->row->held == ROW_HELD &&
		    (domain_get(&x->rig.c, x->rig.dom, &d) || !d.held_entries))
			result_set(run, ph, FAILED, "the quarantine has nothing of it");
		if (good && x->row->held == ROW_PASSED &&
		    !esc_wait_seen(x, all_tokens(x), BOUND))
			result_set(run, ph, FAILED, "does not pass: the row is out of date");
	}
	pause_ms(QUIET);
	for_each_esc(s, i, x) {
		esc_look(x);
		in_order(x, &s->runs[i], ph, x->row->held == ROW_PASSED ? all_tokens(x) : 0);
	}
}

static void held_word(struct esc *x, struct run *run)
{
	if (x->row->held == ROW_DENIED)
		result_set(run, HELD, GOOD, "denied:%s", name_of(x->row->error));
	else
		result_set(run, HELD, GOOD, x->row->held == ROW_HELD ? "held" : "passed");
}

static void end_released(struct esc *x, struct run *run)
{
	unsigned int due = x->row->held == ROW_DENIED ? 0 : all_tokens(x);

	if (due && !esc_wait_seen(x, due, BOUND))
		in_order(x, run, RELEASE, due);
	page_go(x->rig.kid.page, GO_END);
	if (!child_exited(&x->rig.kid, BOUND, 0))
		result_set(run, RELEASE, FAILED, "the member does not go on");
}

static void end_killed(struct esc *x, struct run *run)
{
	if (!child_signaled(&x->rig.kid, BOUND, SIGKILL))
		result_set(run, KILL, FAILED, "the member does not die");
	if (!domain_wait(&x->rig.c, x->rig.dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND))
		result_set(run, KILL, FAILED, "the domain does not go");
}

void phase_held(struct run *runs, unsigned int n, const struct nlc *c, enum phase verdict)
{
	uint64_t *incident = calloc(n, sizeof(*incident));
	enum phase first = verdict == RELEASE ? HELD : KILL;
	struct set s;
	struct esc *x;
	unsigned int i;

	if (!incident)
		abort();
	set_init(&s, runs, n, c, ATTEMPTS, first);
	set_enrol(&s, first, true);
	attempts_held(&s, first);
	set_freeze(&s, first, incident);
	for_each_esc(&s, i, x) {
		esc_look(x);
		if (in_order(x, &runs[i], first, x->row->held == ROW_PASSED ? all_tokens(x) : 0) &&
		    first == HELD)
			held_word(x, &runs[i]);
	}
	set_verdict(&s, verdict, incident);
	for_each_esc(&s, i, x) {
		if (verdict == RELEASE)
			end_released(x, &runs[i]);
		else
			end_killed(x, &runs[i]);
	}
	pause_ms(QUIET);
	for_each_esc(&s, i, x) {
		bool out = x->row->held == ROW_PASSED ||
			   (x->row->held == ROW_HELD && verdict == RELEASE);

		esc_look(x);
		if (in_order(x, &runs[i], verdict, out ? all_tokens(x) : 0))
			result_set(&runs[i], verdict, GOOD, "%s",
				   verdict == KILL ? "none" : out ? "all" : "goes-on");
	}
	for (i = 0; i < n; i++) {
		if (runs[i].row->held == ROW_REFUSED && runs[i].result[HELD].outcome == GOOD)
			result_set(&runs[i], verdict, GOOD, "refused");
		else if (runs[i].result[first].outcome != GOOD)
			result_set(&runs[i], verdict, FAILED, "the phase before it failed");
	}
	set_end(&s, verdict);
	free(incident);
}

/* Nothing runs, and no more has come than what the attempts until then made. */
static void judge_frozen(struct esc *x, struct run *run, uint64_t made)
{
	struct page *page = x->rig.kid.page;

	esc_look(x);
	if (x->wrong)
		result_set(run, FROZEN, FAILED, "%s", x->what);
	else if (page->count[MADE] != made)
		result_set(run, FROZEN, ESCAPED, "the member makes attempts while frozen");
	else if (x->seen > (made + 1) * esc_per(x))
		result_set(run, FROZEN, ESCAPED, "%u tokens arrived, %llu attempts were made",
			   x->seen, (unsigned long long)made);
}

static void tell_failed(const struct page *page, struct run *run)
{
	uint64_t all = page->count[MADE] + page->count[DENIALS];
	unsigned int i;

	for (i = 0; i < all && i < RESULTS; i++) {
		if (page->value[i]) {
			result_set(run, FROZEN, FAILED, "attempt %u gave %s", i,
				   name_of(page->value[i]));
			return;
		}
	}
	result_set(run, FROZEN, FAILED, "an attempt failed");
}

static void end_frozen(struct esc *x, struct run *run)
{
	struct page *page = x->rig.kid.page;
	bool denied = x->row->unfrozen && x->row->held == ROW_DENIED;
	int64_t end = now_ms() + BOUND;

	page->threads = 1;
	page_go(page, GO_END - 1);
	/* It may be in the middle of an attempt, and need room for it. */
	while (!page_wait(page, 2, 1) && now_ms() < end)
		esc_look(x);
	if (!page_wait(page, 2, 0))
		result_set(run, FROZEN, FAILED, "the member does not go on");
	if (!denied && page->count[DENIALS])
		tell_failed(page, run);
	if (!denied)
		esc_wait_seen(x, page->count[MADE] * esc_per(x), BOUND);
	page_go(page, GO_END);
	if (!child_exited(&x->rig.kid, BOUND, 0))
		result_set(run, FROZEN, FAILED, "the member does not end");
}

void phase_frozen(struct run *runs, unsigned int n, const struct nlc *c)
{
	uint64_t *incident = calloc(n, sizeof(*incident)), *made = calloc(n, sizeof(*made));
	struct set s;
	struct esc *x;
	unsigned int i, few;

	if (!incident || !made)
		abort();
	set_init(&s, runs, n, c, ENDLESS, FROZEN);
	set_enrol(&s, FROZEN, false);
	for_each_esc(&s, i, x) {
		few = x->row->max ? x->row->max / 2 : ATTEMPTS;
		page_go(x->rig.kid.page, GO_ATTEMPT(few - 1));
		if (!x->row->unfrozen && !esc_wait_seen(x, few * esc_per(x), BOUND)) {
			result_set(&runs[i], FROZEN, FAILED, "%u tokens of %u before the freeze",
				   x->seen, few * esc_per(x));
			x->broken = true;
		}
	}
	set_freeze(&s, FROZEN, incident);
	for_each_esc(&s, i, x) {
		made[i] = x->rig.kid.page->count[MADE];
		if (!x->row->unfrozen && !x->row->halts &&
		    !esc_wait_seen(x, made[i] * esc_per(x), BOUND))
			result_set(&runs[i], FROZEN, FAILED,
				   "of %llu tokens that were out before %u arrive",
				   (unsigned long long)made[i] * esc_per(x), x->seen);
		page_go(x->rig.kid.page, GO_ATTEMPT(x->seen / esc_per(x) + 2 * AHEAD));
	}
	pause_ms(QUIET);
	for_each_esc(&s, i, x)
		judge_frozen(x, &runs[i], made[i]);
	set_verdict(&s, FROZEN, incident);
	for_each_esc(&s, i, x)
		end_frozen(x, &runs[i]);
	pause_ms(QUIET);
	for_each_esc(&s, i, x) {
		esc_look(x);
		if (in_order(x, &runs[i], FROZEN, x->rig.kid.page->count[MADE] * esc_per(x)))
			result_set(&runs[i], FROZEN, GOOD, x->row->unfrozen ? "as-held" : "silent");
	}
	set_end(&s, FROZEN);
	free(incident);
	free(made);
}
