// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history.h"
#include "nl_domain.h"
#include "nl_event.h"
#include "nl_incident.h"
#include "plan.h"
#include "proc.h"
#include "watch.h"
#include "wire.h"

#define HELD_MAX 4096

struct events {
	struct nlc c, asker;
	uint64_t seq;
	struct event batch[1024];
	unsigned int nr;
};

static void take(struct nlmsghdr *nlh, void *arg)
{
	struct events *e = arg;

	if (e->nr < sizeof(e->batch) / sizeof(e->batch[0]))
		nlev_parse(nlh, &e->batch[e->nr++]);
}

static void opens(struct events *e, const struct event *ev)
{
	struct incident inc;
	struct opened *o;

	pthread_mutex_lock(&torture.lock);
	o = &torture.opened[torture.opened_nr % OPENED_KEPT];
	*o = (struct opened){ ev->incident, ev->domain, ev->stamp, plan_of(ev->policy) };
	torture.opened_nr++;
	pthread_cond_broadcast(&torture.more);
	pthread_mutex_unlock(&torture.lock);
	count(T_INCIDENTS, 1);
	if (!incident_get(&e->asker, ev->incident, &inc))
		history("evidence incident=%" PRIu64 " pid=%u signal=%u", inc.id, inc.pid, inc.signal);
}

static void resolves(const struct event *ev)
{
	count(ev->verdict == SELFHEAL_VERDICT_RELEASE ? T_RELEASED :
	      ev->verdict == SELFHEAL_VERDICT_ROLLBACK ? T_ROLLED_BACK :
	      ev->verdict == SELFHEAL_VERDICT_KILL ? T_KILLED : T_DIED, 1);
	if (ev->resolved_by == SELFHEAL_RESOLVED_BY_CONTROLLER)
		count(T_BY_CONTROLLER, 1);
	if (ev->resolved_by == SELFHEAL_RESOLVED_BY_DEADLINE)
		count(T_BY_DEADLINE, 1);
}

static void tell(struct events *e, const struct event *ev)
{
	history("event seq=%" PRIu64 " t=%" PRIu64 " type=%u domain=%" PRIu64 " incident=%" PRIu64
		" state=%u sensor=%u verdict=%u by=%u policy=%s", ev->seq, ev->stamp, ev->type,
		ev->domain, ev->incident, ev->state, ev->sensor, ev->verdict, ev->resolved_by,
		ev->policy[0] ? ev->policy : "-");
	if (ev->type == SELFHEAL_EVENT_TYPE_INCIDENT_OPEN)
		opens(e, ev);
	if (ev->type == SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED)
		resolves(ev);
	e->seq = ev->seq;
}

static void fetch(struct events *e)
{
	struct nl_msg *msg = nlc_msg(&e->c, SELFHEAL_CMD_EVENT_GET, NLM_F_DUMP);
	unsigned int i;

	nla_put_u64(msg, SELFHEAL_A_EVENT_SEQ, e->seq);
	e->nr = 0;
	nlc_call(&e->c, msg, take, e);
	for (i = 0; i < e->nr; i++)
		tell(e, &e->batch[i]);
}

/* Notifications only wake it: the dump loses nothing as long as it is no thousand behind. */
void *watch_events(void *arg)
{
	struct events *e = calloc(1, sizeof(*e));
	struct nlev bell;
	struct event ev;
	bool last;

	(void)arg;
	if (!e || nlev_open(&bell))
		abort();
	must_connect(&e->c);
	must_connect(&e->asker);
	do {
		last = atomic_load(&torture.stop);
		if (nlev_next(&bell, 100, &ev)) {
			while (nlev_next(&bell, 0, &ev))
				;
		}
		fetch(e);
	} while (!last);
	nlc_close(&e->c);
	nlc_close(&e->asker);
	nlev_close(&bell);
	free(e);
	return NULL;
}

bool watch_next(uint64_t *seen, int ms, struct opened *inc)
{
	struct timespec end;
	bool found;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += (long)ms * 1000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	pthread_mutex_lock(&torture.lock);
	while (torture.opened_nr <= *seen) {
		if (pthread_cond_timedwait(&torture.more, &torture.lock, &end))
			break;
	}
	found = torture.opened_nr > *seen;
	if (found) {
		if (torture.opened_nr - *seen > OPENED_KEPT)
			*seen = torture.opened_nr - OPENED_KEPT;
		*inc = torture.opened[(*seen)++ % OPENED_KEPT];
	}
	pthread_mutex_unlock(&torture.lock);
	return found;
}

struct held_list {
	unsigned int nr;
	struct wire_record record[HELD_MAX];
};

static void keep_held(const struct held *h, void *arg)
{
	struct held_list *list = arg;

	if (h->data_len >= sizeof(list->record[0]) && list->nr < HELD_MAX)
		memcpy(&list->record[list->nr++], h->data, sizeof(list->record[0]));
}

static bool frozen_by(struct nlc *c, const struct opened *inc)
{
	struct domain d;

	return !domain_get(c, inc->domain, &d) && d.state == SELFHEAL_DOMAIN_STATE_FROZEN &&
	       d.incident == inc->id;
}

static bool wait_frozen(struct nlc *c, const struct opened *inc)
{
	int64_t end = now_ms() + slow_ms(500);
	struct domain d;

	while (!domain_get(c, inc->domain, &d) && d.incident == inc->id && now_ms() < end) {
		if (d.state == SELFHEAL_DOMAIN_STATE_FROZEN)
			return true;
		pause_ms(1);
	}
	return false;
}

void *watch_quarantine(void *arg)
{
	struct held_list *list = calloc(1, sizeof(*list));
	struct opened inc;
	uint64_t seen = 0, t;
	unsigned int i;
	struct nlc c;

	(void)arg;
	if (!list)
		abort();
	must_connect(&c);
	while (!atomic_load(&torture.stop)) {
		if (!watch_next(&seen, 100, &inc) || !wait_frozen(&c, &inc))
			continue;
		list->nr = 0;
		t = wire_now();
		if (quarantine_dump(&c, inc.domain, true, keep_held, list) || !frozen_by(&c, &inc))
			continue;
		/* Frozen by the same incident before and after: it stood still meanwhile. */
		history("audit t=%" PRIu64 " u=%" PRIu64 " domain=%" PRIu64 " incident=%" PRIu64
			" records=%u", t, wire_now(), inc.domain, inc.id, list->nr);
		for (i = 0; i < list->nr; i++)
			history("held domain=%" PRIu64 " incident=%" PRIu64 " process=%u serial=%u",
				inc.domain, inc.id, list->record[i].process, list->record[i].serial);
	}
	nlc_close(&c);
	free(list);
	return NULL;
}
