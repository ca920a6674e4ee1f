/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program that tries everything could reach outside its domain: the
 * other ends of its descriptors, the wire, things of IPC, and a process of its
 * own user in its own session. Nothing may come to any of them.
 */
#ifndef FUZZ_OUTSIDE_H
#define FUZZ_OUTSIDE_H

#include <mqueue.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "child.h"
#include "stream.h"

#define PAIRS 9

struct outside {
	struct pair pair[PAIRS];
	int capture;		/* every packet of this network namespace */
	int event;		/* an eventfd that the member has, too */
	mqd_t queue;
	int msg, sem, shm;	/* System V, open to all */
	char dir[64];		/* files to play with, a terminal and a FIFO among them */
	struct child canary;
	uint64_t came;		/* what was looked at and was not to come */
	char what[128];		/* the first of it */
};

/* First, once: a network namespace of the test's own. 0 or -errno. */
int outside_network(void);
/* All of it, for a member of this user: 0 or -errno. */
int outside_open(struct outside *o, uid_t uid);
/* The member's ends, at most PAIRS + 2 of them: the count. */
unsigned int outside_ends(const struct outside *o, int *fd);
/* In the parent, once the member has its own. */
void outside_shut_ends(struct outside *o);
/* Take in what has come, without waiting: true when nothing ever has. */
bool outside_untouched(struct outside *o);
void outside_close(struct outside *o);

#endif
