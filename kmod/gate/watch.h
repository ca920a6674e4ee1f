/* SPDX-License-Identifier: GPL-2.0 */
/* The watch over installed hooks. */
#ifndef SELFHEAL_GATE_WATCH_H
#define SELFHEAL_GATE_WATCH_H

/* Goes on by itself as long as a hook is installed. Process context. */
void sh_watch_start(void);

/* Waits for a look that is under way. Process context, may sleep. */
void sh_watch_stop(void);

#endif /* SELFHEAL_GATE_WATCH_H */
