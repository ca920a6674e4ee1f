// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

int rig_open(struct rig *r)
{
	int err;

	memset(r, 0, sizeof(*r));
	err = nlc_open(&r->c);
	if (err)
		return err;
	policy_init(&r->p);
	return nlev_open(&r->e);
}

int rig_prepare(struct rig *r, child_fn fn, void *arg)
{
	int err = policy_load(&r->c, &r->p);

	if (err)
		return err;
	err = child_start(&r->kid, fn, arg);
	if (err)
		return err;
	return domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom);
}

int rig_run(struct rig *r, child_fn fn, void *arg)
{
	int err = rig_prepare(r, fn, arg);

	if (!err)
		page_go(r->kid.page, 1);
	return err;
}

uint64_t rig_frozen(struct rig *r)
{
	struct event ev;

	if (!nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev))
		return 0;
	if (!domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND))
		return 0;
	return ev.incident;
}

static void tell_what_stays(const struct domain *d)
{
	unsigned int i;

	printf("# domain %llu stays: state %u, incident %llu, members %u, parked %u, held %llu\n",
	       (unsigned long long)d->id, d->state, (unsigned long long)d->incident,
	       d->members, d->parked, (unsigned long long)d->held_bytes);
	for (i = 0; i < d->listed; i++) {
		char state = proc_state(d->member[i].pid, d->member[i].tid);

		printf("# member %u of %u: %s, task state %c, call %ld\n", d->member[i].tid,
		       d->member[i].pid, d->member[i].parked ? "parked" : "not parked",
		       state ? state : '-', proc_syscall(d->member[i].pid, d->member[i].tid));
	}
}

bool rig_reap(struct rig *r, uint64_t dom)
{
	int64_t end = now_ms() + BOUND;
	int64_t empty = now_ms();
	struct domain d;
	unsigned int i;

	while (!domain_get(&r->c, dom, &d) && d.state != SELFHEAL_DOMAIN_STATE_GONE) {
		if (now_ms() >= end) {
			tell_what_stays(&d);
			return false;
		}
		for (i = 0; i < d.listed; i++)
			kill(d.member[i].pid, SIGKILL);
		/* Output that outlived its producers waits for a verdict; a death needs none. */
		if (d.members || !d.incident)
			empty = now_ms();
		else if (now_ms() - empty > slow_ms(100))
			incident_verdict(&r->c, d.incident, SELFHEAL_VERDICT_KILL);
		if (!r->kid.pid || child_wait(&r->kid, 2))
			pause_ms(2);
	}
	return true;
}

bool rig_close(struct rig *r)
{
	bool clean = true;

	if (r->dom)
		clean = rig_reap(r, r->dom);
	child_end(&r->kid);
	if (r->c.sk) {
		int err = policy_unload(&r->c, r->p.name);

		clean = clean && (!err || err == -ENOENT);
	}
	nlev_close(&r->e);
	nlc_close(&r->c);
	return clean;
}

int rig_reload(struct rig *r)
{
	int err, again;

	policy_unload(&r->c, r->p.name);
	nlev_close(&r->e);
	nlc_close(&r->c);
	err = module_unload_wait(BOUND);
	again = module_load() ?: nlc_open(&r->c) ?: nlev_open(&r->e);
	return err ? err : again;
}
