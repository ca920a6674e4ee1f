// SPDX-License-Identifier: GPL-2.0
/* The agent's choice: the first rule that matches. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "test.h"

static struct incident *incident(uint32_t sensor)
{
	struct incident *i = calloc(1, sizeof(*i));

	i->sensor = sensor;
	i->has_credentials = true;
	i->uid = 33;
	strcpy(i->exe, "/usr/sbin/nginx");
	if (sensor == SELFHEAL_SENSOR_FAULT)
		i->signal = SIGSEGV;
	return i;
}

static struct decision decide(const struct rule *rules, size_t n, uint32_t sensor)
{
	struct incident *i = incident(sensor);
	struct decision decision = rules_decide(rules, n, i);

	free(i);
	return decision;
}

TEST(rules_none_is_left_alone)
{
	struct decision d = decide(NULL, 0, SELFHEAL_SENSOR_FAULT);

	CHECK_INT(d.verdict, SELFHEAL_VERDICT_NONE);
	CHECK_INT(d.line, 0);
}

TEST(rules_first_match_wins)
{
	const struct rule rules[] = {
		{ .has_sensor = true, .sensor = SELFHEAL_SENSOR_EXEC,
		  .verdict = SELFHEAL_VERDICT_KILL, .line = 3 },
		{ .verdict = SELFHEAL_VERDICT_RELEASE, .after_ms = 5000, .line = 4 },
		{ .has_sensor = true, .sensor = SELFHEAL_SENSOR_FAULT,
		  .verdict = SELFHEAL_VERDICT_KILL, .line = 5 },
	};
	struct decision d;

	d = decide(rules, 3, SELFHEAL_SENSOR_EXEC);
	CHECK_INT(d.verdict, SELFHEAL_VERDICT_KILL);
	CHECK_INT(d.line, 3);
	d = decide(rules, 3, SELFHEAL_SENSOR_FAULT);
	CHECK_INT(d.verdict, SELFHEAL_VERDICT_RELEASE);
	CHECK_INT(d.after_ms, 5000);
	CHECK_INT(d.line, 4);
}

/* A rule for the manual sensor, whose number is 0, is not a rule for any. */
TEST(rules_sensor_zero_is_a_sensor)
{
	const struct rule rule = {
		.has_sensor = true, .sensor = SELFHEAL_SENSOR_MANUAL,
		.verdict = SELFHEAL_VERDICT_RELEASE, .line = 1,
	};

	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_MANUAL).line, 1);
	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_FAULT).line, 0);
}

TEST(rules_every_condition_must_hold)
{
	char exe[] = "/usr/sbin/nginx", other[] = "/usr/sbin/nginx2";
	const struct rule all = {
		.signal = SIGSEGV, .exe = exe, .has_uid = true, .uid = 33,
		.verdict = SELFHEAL_VERDICT_KILL, .line = 9,
	};
	struct rule rule = all;
	struct incident *i;

	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_FAULT).line, 9);
	rule.signal = SIGBUS;
	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_FAULT).line, 0);
	rule = all;
	rule.exe = other;
	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_FAULT).line, 0);
	rule = all;
	rule.uid = 0;
	CHECK_INT(decide(&rule, 1, SELFHEAL_SENSOR_FAULT).line, 0);

	/* A signal left over in an incident of another sensor is no match. */
	rule = all;
	i = incident(SELFHEAL_SENSOR_EXEC);
	i->signal = SIGSEGV;
	CHECK_INT(rules_decide(&rule, 1, i).line, 0);
	/* Without credentials, uid 33 is not known to be uid 33. */
	i->sensor = SELFHEAL_SENSOR_FAULT;
	i->has_credentials = false;
	CHECK_INT(rules_decide(&rule, 1, i).line, 0);
	free(i);
}
