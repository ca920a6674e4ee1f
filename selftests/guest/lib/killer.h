/* SPDX-License-Identifier: GPL-2.0 */
/* SIGKILL from outside, at any moment of a rollback. */
#ifndef GUEST_KILLER_H
#define GUEST_KILLER_H

#include "nl_client.h"

#define KILLER_MAX 8

struct killer {
	int pidfd[KILLER_MAX];
	unsigned int n;
	unsigned int work;	/* passes of an empty loop between the request and the kill */
	_Atomic bool go;
};

/*
 * Rolls incident @id back while another thread kills the @n processes. 0, or the error that
 * a death does not explain.
 */
int killer_rollback(struct killer *k, struct nlc *c, uint64_t id);

#endif
