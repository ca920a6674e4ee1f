/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Brings the threads of a process together for a rescue point. A point of a
 * process is taken when each of its threads waits for input: a thread in the
 * middle of a request would take its poison along into the point. Nobody is
 * interrupted for that; who comes to his wait first waits for the others.
 */
#ifndef SELFHEAL_HEAL_GATHER_H
#define SELFHEAL_HEAL_GATHER_H

#include <linux/types.h>

struct sh_member;

/*
 * Current @m, referenced, is at the entry of a call that waits. 0: it is its
 * turn to take a point, every other thread of its process waits and does not
 * come back before sh_gather_end(). Else there is nothing to end: -EALREADY
 * when another thread has just taken a point that covers this wait,
 * -ERESTARTNOINTR for a signal, -EAGAIN when the domain stops or @m has left
 * it, -EBUSY when the others did not come. Process context without locks,
 * may sleep.
 */
int sh_gather(struct sh_member *m);
void sh_gather_end(struct sh_member *m);

#endif /* SELFHEAL_HEAL_GATHER_H */
