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

static struct history history;

static struct decision decide(const struct rule *rules, size_t n, uint32_t sensor)
{
	struct incident *i = incident(sensor);
	struct decision decision;

	history_note(&history, i, 1000);
	decision = rules_decide(rules, n, i, &history, 1000);

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
	CHECK_INT(rules_decide(&rule, 1, i, &history, 1000).line, 0);
	/* Without credentials, uid 33 is not known to be uid 33. */
	i->sensor = SELFHEAL_SENSOR_FAULT;
	i->has_credentials = false;
	CHECK_INT(rules_decide(&rule, 1, i, &history, 1000).line, 0);
	free(i);
}

/* A ladder: what comes again within the time is answered otherwise. */
TEST(rules_ladder)
{
	const struct rule rules[] = {
		{ .signal = SIGSEGV, .again = 3, .within_ms = 10000, .line = 1,
		  .verdict = SELFHEAL_VERDICT_KILL },
		{ .signal = SIGSEGV, .again = 1, .within_ms = 10000, .line = 2,
		  .verdict = SELFHEAL_VERDICT_ROLLBACK, .has_error = true },
		{ .signal = SIGSEGV, .line = 3, .verdict = SELFHEAL_VERDICT_ROLLBACK },
	};
	static const struct { unsigned int at_ms, line; } steps[] = {
		{ 1000, 3 }, { 1500, 2 }, { 2000, 2 }, { 2500, 1 }, { 3000, 1 },
		/* The first ones are too long ago by and by. */
		{ 11600, 1 }, { 12400, 1 }, { 30000, 3 }, { 40000, 2 }, { 50001, 3 },
	};
	static struct history h;
	struct incident *i = incident(SELFHEAL_SENSOR_FAULT);
	struct decision d;
	size_t k;

	for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		history_note(&h, i, steps[k].at_ms);
		d = rules_decide(rules, 3, i, &h, steps[k].at_ms);
		CHECK_INT(d.line, steps[k].line);
		CHECK_INT(d.error, d.line == 2 ? 0 : -1);
		CHECK_INT(rules[d.rule].line, d.line);
	}
	free(i);
}

static unsigned int before(struct history *h, struct incident *i)
{
	history_note(h, i, 5000);
	return history_before(h, i, 1000, 5000);
}

TEST(rules_what_is_the_same_fault)
{
	static struct history h;
	struct incident *i = incident(SELFHEAL_SENSOR_FAULT);
	unsigned int k;

	i->has_registers = true;
	i->registers.ip = 0x7f0000001234;
	i->has_mapping = true;
	i->mapping_start = 0x7f0000000000;
	i->mapping_offset = 0x2000;
	strcpy(i->mapping_path, "/usr/sbin/nginx");
	CHECK_INT(before(&h, i), 0);
	CHECK_INT(before(&h, i), 1);
	/* In a process that has the file elsewhere. */
	i->registers.ip += 0x10000;
	i->mapping_start += 0x10000;
	CHECK_INT(before(&h, i), 2);
	i->registers.ip++;
	CHECK_INT(before(&h, i), 0);
	strcpy(i->mapping_path, "/usr/lib/libc.so");
	CHECK_INT(before(&h, i), 0);
	i->signal = SIGBUS;
	CHECK_INT(before(&h, i), 0);
	strcpy(i->policy, "other");
	CHECK_INT(before(&h, i), 0);
	CHECK_INT(before(&h, i), 1);
	i->sensor = SELFHEAL_SENSOR_EXEC;
	strcpy(i->target, "/bin/sh");
	CHECK_INT(before(&h, i), 0);
	CHECK_INT(before(&h, i), 1);
	strcpy(i->target, "/bin/bash");
	CHECK_INT(before(&h, i), 0);
	/* Never more than are kept. */
	for (k = 0; k < 3 * HISTORY_MAX; k++)
		history_note(&h, i, 5000);
	CHECK_INT(before(&h, i), HISTORY_MAX - 1);
	free(i);
}
