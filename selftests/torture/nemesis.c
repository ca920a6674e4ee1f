// SPDX-License-Identifier: GPL-2.0
/*
 * nemesis SEED SECONDS HISTORY [WITHOUT...]
 *
 * Everything at once, for so long: domains that are attacked and answered by
 * racing controllers while policies, the agent, CPUs and memory come and go.
 * What happens is recorded for selftests/torture/run, which judges it. WITHOUT
 * names harms that are left out.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "control.h"
#include "harm.h"
#include "history.h"
#include "module.h"
#include "nl_domain.h"
#include "nl_incident.h"
#include "nl_policy.h"
#include "plan.h"
#include "proc.h"
#include "slot.h"
#include "watch.h"
#include "wire.h"

#define SLOTS		5
#define PROGRESS_MS	10000
#define BOUND		slow_ms(60000)

static const struct harm {
	const char *name;
	void *(*run)(void *arg);
} harms[] = {
	{ "policies", harm_policies },
	{ "agent", harm_agent },
	{ "cpus", harm_cpus },
	{ "memory", harm_memory },
	{ "load", harm_load },
};

#define HARMS (sizeof(harms) / sizeof(harms[0]))

static uint64_t tally(enum tally what)
{
	return atomic_load(&torture.tally[what]);
}

static void progress(int64_t began)
{
	printf("%4llds domains %" PRIu64 " incidents %" PRIu64 " (released %" PRIu64 " rolled back %"
	       PRIu64 " killed %" PRIu64 " died %" PRIu64 "; by deadline %" PRIu64 ") records %" PRIu64
	       " bytes %" PRIu64 " attacks %" PRIu64 " late %" PRIu64 " broken %" PRIu64
	       " | policies %" PRIu64 " agents %" PRIu64 " cpus %" PRIu64 " hogs %" PRIu64 "\n",
	       (long long)(now_ms() - began) / 1000, tally(T_DOMAINS), tally(T_INCIDENTS),
	       tally(T_RELEASED), tally(T_ROLLED_BACK), tally(T_KILLED), tally(T_DIED),
	       tally(T_BY_DEADLINE), tally(T_RECORDS), tally(T_BYTES), tally(T_ATTACKS),
	       tally(T_LATE), tally(T_BROKEN), tally(T_POLICIES), tally(T_AGENTS), tally(T_CPUS),
	       tally(T_HOGS));
}

static bool wanted(const struct harm *harm, char *const without[])
{
	for (; *without; without++) {
		if (!strcmp(*without, harm->name))
			return false;
	}
	return true;
}

static void count_one(struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	++*(unsigned int *)arg;
}

static void count_open(struct nlmsghdr *nlh, void *arg)
{
	struct incident inc;

	incident_parse(nlh, &inc);
	*(unsigned int *)arg += !inc.resolved_by;
}

static void tell_counter(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_COUNTER_MAX + 1], *a;
	int rem;

	(void)arg;
	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) != SELFHEAL_A_STATUS_COUNTER ||
		    nla_parse_nested(tb, SELFHEAL_A_COUNTER_MAX, a, NULL) ||
		    !tb[SELFHEAL_A_COUNTER_NAME] || !tb[SELFHEAL_A_COUNTER_VALUE])
			continue;
		history("counter name=%s value=%" PRIu64, nla_get_string(tb[SELFHEAL_A_COUNTER_NAME]),
			nla_get_u64(tb[SELFHEAL_A_COUNTER_VALUE]));
	}
}

/* What is left when all have gone, then the module as well. */
static void account(void)
{
	unsigned int domains = 0, open = 0;
	const char *left;
	struct nlc c;
	int i, err;

	must_connect(&c);
	nlc_dump(&c, SELFHEAL_CMD_DOMAIN_GET, count_one, &domains);
	nlc_dump(&c, SELFHEAL_CMD_INCIDENT_GET, count_open, &open);
	nlc_call(&c, nlc_msg(&c, SELFHEAL_CMD_STATUS_GET, 0), tell_counter, NULL);
	for (i = 0; i < PLANS; i++)
		policy_unload(&c, plans[i].name);
	nlc_close(&c);
	err = module_unload_wait(BOUND);
	left = err ? NULL : module_left_behind();
	history("over domains=%u open=%u unload=%d left=%s", domains, open, err, left ? left : "-");
}

/* The first puts the hooks in place, which may take a while: before the time begins. */
static void load_all(void)
{
	struct draw draw;
	struct nlc c;
	int i;

	draw_seed(&draw, torture.seed, ASKER_SLOT - 1);
	must_connect(&c);
	for (i = 0; i < PLANS; i++)
		plan_load(&c, i, &draw);
	nlc_close(&c);
}

static void run_for(int seconds, char *const without[])
{
	pthread_t slots[SLOTS], controllers[CONTROLLERS], looks[2], harm[HARMS];
	int64_t began = now_ms(), next = began;
	unsigned int i;

	must_start(&looks[0], watch_events, NULL);
	must_start(&looks[1], watch_quarantine, NULL);
	for (i = 0; i < SLOTS; i++)
		must_start(&slots[i], slot_run, (void *)(unsigned long)i);
	for (i = 0; i < CONTROLLERS; i++)
		must_start(&controllers[i], control_run, (void *)(unsigned long)i);
	for (i = 0; i < HARMS; i++) {
		harm[i] = 0;
		if (wanted(&harms[i], without))
			must_start(&harm[i], harms[i].run, NULL);
	}
	while (now_ms() - began < seconds * 1000LL) {
		next += PROGRESS_MS;
		while (now_ms() < next && now_ms() - began < seconds * 1000LL)
			pause_ms(100);
		progress(began);
	}
	/* The domains end while everything else goes on. */
	atomic_store(&torture.calm, true);
	for (i = 0; i < SLOTS; i++)
		pthread_join(slots[i], NULL);
	atomic_store(&torture.stop, true);
	for (i = 0; i < CONTROLLERS; i++)
		pthread_join(controllers[i], NULL);
	for (i = 0; i < HARMS; i++) {
		if (harm[i])
			pthread_join(harm[i], NULL);
	}
	for (i = 0; i < 2; i++)
		pthread_join(looks[i], NULL);
	progress(began);
}

int main(int argc, char **argv)
{
	struct utsname un;

	if (argc < 4) {
		fprintf(stderr, "usage: nemesis SEED SECONDS HISTORY [WITHOUT...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	/* Members whose parent has died are ours to reap. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	torture.seed = strtoull(argv[1], NULL, 0);
	torture.slots = SLOTS;
	if (module_load() || history_open(argv[3])) {
		fprintf(stderr, "nemesis: no module, or no history\n");
		return 2;
	}
	uname(&un);
	history("run seed=%" PRIu64 " seconds=%s kernel=%s deadline=%d slow=%d t=%" PRIu64, torture.seed,
		argv[2], un.release, slow_ms(DEADLINE_HIGH), slow_ms(1000), wire_now());
	harm_memory_begin();
	load_all();
	run_for(atoi(argv[2]), argv + 4);
	account();
	harm_memory_end();
	history_close();
	return 0;
}
