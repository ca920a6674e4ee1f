// SPDX-License-Identifier: GPL-2.0
/* All phases of all rows of a program: KTAP, and a line of the table for each row. */
#include <kselftest.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "phase.h"

static const char *const phase_names[PHASES] = { "plain", "held", "release", "kill", "frozen" };

void result_set(struct run *run, enum phase ph, enum outcome outcome, const char *fmt, ...)
{
	struct result *r = &run->result[ph];
	va_list ap;

	if (r->outcome != UNTOLD)
		return;
	r->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

static void tell(const struct run *run, enum phase ph)
{
	const struct result *r = &run->result[ph];

	switch (r->outcome) {
	case GOOD:
		ksft_test_result_pass("%s %s\n", run->row->name, phase_names[ph]);
		break;
	case SKIPPED:
		ksft_test_result_skip("%s %s: %s\n", run->row->name, phase_names[ph], r->text);
		break;
	case UNTOLD:
		ksft_print_msg("%s %s: no result\n", run->row->name, phase_names[ph]);
		ksft_test_result_fail("%s %s\n", run->row->name, phase_names[ph]);
		break;
	default:
		ksft_print_msg("%s %s: %s%s\n", run->row->name, phase_names[ph],
			       r->outcome == ESCAPED ? "ESCAPED: " : "", r->text);
		ksft_test_result_fail("%s %s\n", run->row->name, phase_names[ph]);
	}
}

static const char *word(const struct run *run, enum phase ph)
{
	const struct result *r = &run->result[ph];

	switch (r->outcome) {
	case GOOD:
		return r->text;
	case ESCAPED:
		return "ESCAPED";
	case SKIPPED:
		return "skipped";
	default:
		return "FAILED";
	}
}

/* selftests/vm/suite collects these into the table of all programs. */
static void tell_row(const struct run *run)
{
	const struct row *row = run->row;
	const char *note = row->note ? row->note : "";

	if (run->result[PLAIN].outcome == SKIPPED)
		note = run->result[PLAIN].text;
	printf("# ROW %s channel=\"%s\" held=%s frozen=%s release=%s kill=%s note=\"%s\"\n",
	       row->name, row->channel, word(run, HELD), word(run, FROZEN), word(run, RELEASE),
	       word(run, KILL), note);
	if (row->race)
		printf("# ROW %s race=%s\n", row->name, row->race);
}

/* What holds for one phase of a row that could not be tried holds for all. */
static void settle(struct run *run)
{
	unsigned int ph;

	for (ph = HELD; ph < PHASES; ph++) {
		if (run->result[PLAIN].outcome == SKIPPED)
			result_set(run, ph, SKIPPED, "%s", run->result[PLAIN].text);
	}
}

int escape_run(const struct row *rows, unsigned int n)
{
	struct run *runs = calloc(n, sizeof(*runs));
	unsigned int i, ph;
	struct nlc c;
	int err;

	ksft_print_header();
	ksft_set_plan(n * PHASES);
	err = nlc_open(&c);
	if (err || !runs) {
		ksft_print_msg("the control interface: %s\n", strerror(-err));
		free(runs);
		return KSFT_FAIL;
	}
	for (i = 0; i < n; i++)
		runs[i].row = &rows[i];
	phase_plain(runs, n, &c);
	for (i = 0; i < n; i++)
		settle(&runs[i]);
	phase_held(runs, n, &c, RELEASE);
	phase_held(runs, n, &c, KILL);
	phase_frozen(runs, n, &c);
	nlc_close(&c);
	for (i = 0; i < n; i++) {
		for (ph = 0; ph < PHASES; ph++)
			tell(&runs[i], ph);
		tell_row(&runs[i]);
	}
	free(runs);
	ksft_print_cnts();
	if (ksft_get_fail_cnt())
		return KSFT_FAIL;
	return ksft_get_pass_cnt() ? KSFT_PASS : KSFT_SKIP;
}
