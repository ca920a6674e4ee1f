/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recorded history: a line for each thing that was seen or done, a word
 * for its kind and then NAME=NUMBER. Stamps are of CLOCK_BOOTTIME. What the
 * kinds are, and what must hold between them, is in history.py and check.py.
 */
#ifndef TORTURE_HISTORY_H
#define TORTURE_HISTORY_H

#include <stdint.h>

/* 0 or -errno. */
int history_open(const char *path);
void history_close(void);
__attribute__((format(printf, 1, 2)))
void history(const char *format, ...);

/* A request and its answer, @t and now; domain, incident, verdict 0 where there is none. */
struct history_ask {
	const char *what;
	int controller;
	uint64_t t, domain, incident;
	uint32_t verdict;
	int err;
};
void history_ask(const struct history_ask *a);

#endif
