/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults for the kernel's workers: which of them will do a work is not known
 * before, so all of them are told to fail at their n-th place. To be used below
 * functions of ours only (inject_below()): other work must not notice.
 */
#ifndef GUEST_CREW_H
#define GUEST_CREW_H

#include "inject.h"

#define CREW_MAX 128

struct crew {
	int fd[CREW_MAX];		/* fail-nth of each */
	unsigned int nr;
};

/* All workers that there are now: 0 or -errno. */
int crew_open(struct crew *crew);
void crew_close(struct crew *crew);
void crew_arm(struct sweep *s, const struct crew *crew);
/* As sweep_hit(): one of them met a fault. */
bool crew_hit(struct sweep *s, const struct crew *crew, bool refused);

#endif
