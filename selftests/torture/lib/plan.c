// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"
#include "nl_policy.h"
#include "plan.h"
#include "proc.h"
#include "wire.h"

const struct plan plans[PLANS] = {
	{ "torture.rollback", SELFHEAL_VERDICT_ROLLBACK, BY_DEADLINE, true, true },
	{ "torture.kill", SELFHEAL_VERDICT_KILL, BY_DEADLINE, true, true },
	{ "torture.race", SELFHEAL_VERDICT_ROLLBACK, BY_CONTROLLERS, true, true },
	{ "torture.release", SELFHEAL_VERDICT_RELEASE, BY_CONTROLLERS, true, false },
	{ "torture.hold", SELFHEAL_VERDICT_RELEASE, BY_CONTROLLERS, false, false },
	{ "torture.agent", SELFHEAL_VERDICT_KILL, BY_AGENT, true, true },
};

int plan_of(const char *policy)
{
	int i;

	for (i = 0; i < PLANS; i++) {
		if (!strcmp(plans[i].name, policy))
			return i;
	}
	return -1;
}

/* The agent takes its rules from what healctl has loaded. */
static int load_rules(int plan, int deadline, const char *size)
{
	char text[512], path[] = "/tmp/torture-XXXXXX";
	char *argv[] = { "healctl", "policy", "load", path, NULL };
	int fd = mkstemp(path), err;

	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text),
		 "policy: %s\n"
		 "hold: {socket: hold, pipe: hold, commit: quiesce, max-bytes: %s}\n"
		 "sense: {fault: [SEGV, ABRT, ILL]}\n"
		 "rescue: {at: wait, errno: ECONNRESET}\n"
		 "respond:\n"
		 "  default: kill\n"
		 "  deadline: %dms\n"
		 "  kill-limit: 0\n"
		 "  rules:\n"
		 "    - {when: {signal: ABRT}, verdict: kill}\n"
		 "    - {when: {sensor: fault}, verdict: rollback}\n"
		 "    - {when: {sensor: manual}, verdict: release}\n",
		 plans[plan].name, size, deadline);
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	/* healctl guards what it loads, which it cannot do while it is open for writing. */
	close(fd);
	if (!err)
		err = launch_wait(argv);
	unlink(path);
	return err;
}

static int load_attributes(struct nlc *c, int plan, int deadline, uint64_t size, struct draw *d)
{
	struct policy p;

	policy_init(&p);
	snprintf(p.name, sizeof(p.name), "%s", plans[plan].name);
	policy_hold(&p);
	p.max_bytes = size;
	p.default_verdict = plans[plan].fallback;
	p.deadline_ms = deadline;
	p.kill_limit = 0;
	if (plans[plan].senses)
		policy_faults(&p);
	if (plans[plan].rescue)
		p.rescue = SELFHEAL_RESCUE_WAIT;
	/* A delay and rescue points exclude each other. */
	if (!plans[plan].rescue && draw_chance(d, 50)) {
		p.commit = SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY;
		p.delay_ms = draw_range(d, 1, 20);
	}
	return policy_load(c, &p);
}

int plan_load(struct nlc *c, int plan, struct draw *d)
{
	int deadline = slow_ms(draw_range(d, DEADLINE_LOW, DEADLINE_HIGH));
	int mib = 1 << draw_below(d, 4);
	struct history_ask ask = { .what = "load", .controller = ASKER_HARM, .t = wire_now() };
	char size[16];

	snprintf(size, sizeof(size), "%dMiB", mib);
	if (plans[plan].answers == BY_AGENT)
		ask.err = load_rules(plan, deadline, size);
	else
		ask.err = load_attributes(c, plan, deadline, (uint64_t)mib << 20, d);
	history_ask(&ask);
	count(T_POLICIES, !ask.err);
	return ask.err;
}
