/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of calls as a tracer saw them, made comparable: process ids become numbers in order of
 * their birth, addresses and random bytes are struck out, and nothing else.
 */
#ifndef GUEST_RECORD_H
#define GUEST_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RECORD_PIDS 16

struct record {
	pid_t pid[RECORD_PIDS];
	unsigned int pids;
	char *text;
	size_t len, size;
	unsigned int lines;
};

void record_init(struct record *r);
void record_free(struct record *r);
/* The number of the process; a new one gets the next. -1: too many. */
int record_pid(struct record *r, pid_t pid);
/* Append one line of process @who, normalised. */
void record_line(struct record *r, int who, const char *line);
/* Equal? If not, the first lines that differ go to stdout. */
bool record_same(const struct record *a, const struct record *b);

#endif
