// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control.h"
#include "history.h"
#include "nl_domain.h"
#include "nl_incident.h"
#include "plan.h"
#include "proc.h"
#include "watch.h"
#include "wire.h"

#define PENDING_MAX	64
#define DELAY_MS	slow_ms(700)
/* Answers that are later than that, since healctl takes its time, tell nothing new. */
#define STALE_MS	slow_ms(5000)

struct pending {
	struct opened inc;
	int64_t due;			/* ms of CLOCK_MONOTONIC */
	uint32_t verdict;
};

struct controller {
	int number;
	bool healctl;
	struct draw draw;
	struct nlc c;
	struct pending pending[PENDING_MAX];
	unsigned int nr;
	int64_t next_freeze, next_read;
};

/* What all controllers draw alike: some incidents are answered by all at one instant. */
static int64_t common_delay(const struct opened *inc)
{
	struct draw draw;

	draw_seed(&draw, torture.seed, inc->id);
	return draw_chance(&draw, 30) ? 0 : draw_below(&draw, DELAY_MS);
}

static uint32_t any_verdict(struct draw *d)
{
	uint32_t n = draw_below(d, 100);

	return n < 40 ? SELFHEAL_VERDICT_RELEASE : n < 80 ? SELFHEAL_VERDICT_ROLLBACK :
	       SELFHEAL_VERDICT_KILL;
}

static void consider(struct controller *w, const struct opened *inc, int64_t now)
{
	struct pending *p = &w->pending[w->nr];
	int percent = 20;

	if (inc->plan < 0 || w->nr == PENDING_MAX)
		return;
	if (plans[inc->plan].answers == BY_CONTROLLERS)
		percent = 90;
	if (!draw_chance(&w->draw, percent))
		return;
	p->inc = *inc;
	p->verdict = any_verdict(&w->draw);
	p->due = now + common_delay(inc);
	if (draw_chance(&w->draw, 50))
		p->due += draw_below(&w->draw, 20);
	w->nr++;
}

static int answer_by_healctl(uint64_t incident, uint32_t verdict)
{
	static const char *const names[] = {
		[SELFHEAL_VERDICT_RELEASE] = "release", [SELFHEAL_VERDICT_ROLLBACK] = "rollback",
		[SELFHEAL_VERDICT_KILL] = "kill",
	};
	char id[24];
	char *argv[] = { "healctl", "verdict", (char *)names[verdict], id, NULL };

	snprintf(id, sizeof(id), "%" PRIu64, incident);
	return launch_wait(argv);
}

static void answer(struct controller *w, struct pending *p)
{
	struct history_ask ask = { .what = "verdict", .controller = w->number, .t = wire_now(),
				   .domain = p->inc.domain, .incident = p->inc.id,
				   .verdict = p->verdict };

	if (w->healctl)
		ask.err = answer_by_healctl(p->inc.id, p->verdict);
	else if (p->verdict == SELFHEAL_VERDICT_ROLLBACK)
		ask.err = incident_rollback(&w->c, p->inc.id, -1);
	else
		ask.err = incident_verdict(&w->c, p->inc.id, p->verdict);
	history_ask(&ask);
}

static void answer_due(struct controller *w, int64_t now)
{
	unsigned int i = 0;

	while (i < w->nr) {
		struct pending p = w->pending[i];

		if (p.due > now) {
			i++;
			continue;
		}
		w->pending[i] = w->pending[--w->nr];
		if (now_ms() < p.due + STALE_MS)
			answer(w, &p);
	}
}

static void freeze_one(struct controller *w)
{
	uint64_t domain = atomic_load(&torture.domain[draw_below(&w->draw, torture.slots)]);
	struct history_ask ask = { .what = "freeze", .controller = w->number, .t = wire_now(),
				   .domain = domain };
	char id[24];
	char *argv[] = { "healctl", "domain", "freeze", id, NULL };

	if (!domain)
		return;
	snprintf(id, sizeof(id), "%" PRIu64, domain);
	if (w->healctl)
		ask.err = launch_wait(argv);
	else
		ask.err = domain_freeze(&w->c, domain, &ask.incident);
	history_ask(&ask);
}

/* Nobody wants the answers; that they are made while all changes is what matters. */
static void read_tables(struct controller *w)
{
	static const uint8_t dumps[] = { SELFHEAL_CMD_DOMAIN_GET, SELFHEAL_CMD_INCIDENT_GET,
					 SELFHEAL_CMD_POLICY_GET };
	uint64_t domain = atomic_load(&torture.domain[draw_below(&w->draw, torture.slots)]);
	struct domain d;

	nlc_dump(&w->c, dumps[draw_below(&w->draw, sizeof(dumps))], NULL, NULL);
	nlc_call(&w->c, nlc_msg(&w->c, SELFHEAL_CMD_STATUS_GET, 0), NULL, NULL);
	if (domain) {
		domain_get(&w->c, domain, &d);
		rescue_count(&w->c, domain);
	}
}

static void step(struct controller *w, uint64_t *seen)
{
	struct opened inc;
	bool more = watch_next(seen, w->nr ? 1 : 20, &inc);
	int64_t now = now_ms();

	if (more)
		consider(w, &inc, now);
	answer_due(w, now);
	if (atomic_load(&torture.calm))
		return;
	if (now >= w->next_freeze) {
		freeze_one(w);
		w->next_freeze = now + slow_ms(draw_range(&w->draw, 200, 2500));
	}
	if (now >= w->next_read) {
		read_tables(w);
		w->next_read = now + slow_ms(draw_range(&w->draw, 20, 600));
	}
}

void *control_run(void *arg)
{
	struct controller *w = calloc(1, sizeof(*w));
	uint64_t seen = 0;

	if (!w)
		abort();
	w->number = (long)arg;
	w->healctl = w->number == CONTROLLERS - 1;
	draw_seed(&w->draw, torture.seed, w->number);
	must_connect(&w->c);
	while (!atomic_load(&torture.stop))
		step(w, &seen);
	nlc_close(&w->c);
	free(w);
	return NULL;
}
