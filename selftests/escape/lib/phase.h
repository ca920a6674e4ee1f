/* SPDX-License-Identifier: GPL-2.0 */
/* The phases of an escape test, and the life of a row in one of them. */
#ifndef ESCAPE_PHASE_H
#define ESCAPE_PHASE_H

#include "escape.h"

enum phase { PLAIN, HELD, RELEASE, KILL, FROZEN, PHASES };

enum outcome { UNTOLD, GOOD, ESCAPED, FAILED, SKIPPED };

struct result {
	enum outcome outcome;
	char text[128];		/* a word of the table, or what is wrong */
};

struct run {
	const struct row *row;
	struct result result[PHASES];
};

/* The first result of a phase counts. */
void result_set(struct run *run, enum phase ph, enum outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Permissions that the driver gives the member (page_go). */
#define GO_PREPARE	1
#define GO_ATTEMPT(i)	(3 + (i))
#define GO_END		UINT32_MAX
/* page->count */
#define MADE	0		/* attempts that went well */
#define DENIALS	1		/* attempts that failed */
/* page->value: the results of the first attempts, then of prepare(). */
#define RESULTS	32
#define PREPARED 63

/* Open the row and start its member; false when it is skipped or broken. */
bool esc_start(struct esc *x, const struct row *row, unsigned int attempts, char *why, size_t size);
/* Make it a domain of its own under rig.p: 0 or -errno. */
int esc_enrol(struct esc *x);
/* End whatever is left of it; false when something cannot be ended. */
bool esc_end(struct esc *x);
void esc_look(struct esc *x);
bool esc_wait_seen(struct esc *x, unsigned int n, int ms);
unsigned int esc_per(const struct esc *x);

void phase_plain(struct run *runs, unsigned int n, const struct nlc *c);
/* Also the phase of the verdict. */
void phase_held(struct run *runs, unsigned int n, const struct nlc *c, enum phase verdict);
void phase_frozen(struct run *runs, unsigned int n, const struct nlc *c);

#endif
