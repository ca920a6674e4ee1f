/* SPDX-License-Identifier: GPL-2.0 */
/* One run: what its threads share. */
#ifndef TORTURE_H
#define TORTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "draw.h"
#include "nl_client.h"

#define SLOTS_MAX	8
#define CONTROLLERS	4	/* the last answers by healctl */
#define OPENED_KEPT	4096

/* Who asks, in the history; the controllers are 0 and up. */
#define ASKER_SLOT	100
#define ASKER_HARM	200

enum tally {
	T_INCIDENTS, T_RELEASED, T_ROLLED_BACK, T_KILLED, T_DIED,
	T_BY_CONTROLLER, T_BY_DEADLINE,
	T_DOMAINS, T_RECORDS, T_BYTES, T_BROKEN, T_ATTACKS, T_ASKED, T_LATE,
	T_POLICIES, T_AGENTS, T_CPUS, T_HOGS,
	T_MAX,
};

struct opened {
	uint64_t id, domain, stamp;
	int plan;		/* of the policy, -1 for none of ours */
};

struct torture {
	uint64_t seed;
	unsigned int slots;
	_Atomic bool calm;	/* no new attacks, freezes, domains: the end */
	_Atomic bool stop;	/* all threads but the slots' end */
	_Atomic uint64_t tally[T_MAX];
	_Atomic uint64_t domain[SLOTS_MAX];	/* that lives in the slot, 0 for none */
	/* Incidents in the order in which they opened. */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct opened opened[OPENED_KEPT];
	_Atomic uint64_t opened_nr;
};

extern struct torture torture;

static inline void count(enum tally what, uint64_t n)
{
	atomic_fetch_add_explicit(&torture.tally[what], n, memory_order_relaxed);
}

/* A connection, or the end of the run. */
void must_connect(struct nlc *c);
/* A new process; all descriptors but those of @fds, which become 3 and up, are closed. -errno. */
pid_t launch(char *const argv[], const int *fds, unsigned int nr, bool quiet);
/* The same, waited for: its exit status, or -errno. */
int launch_wait(char *const argv[]);
/* Sleep, but not beyond the end of the run. */
void rest(int ms);
void must_start(pthread_t *thread, void *(*fn)(void *arg), void *arg);

#endif
