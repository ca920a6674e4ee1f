/* SPDX-License-Identifier: GPL-2.0 */
/* Those who only look: at the events, and at what frozen domains hold. */
#ifndef TORTURE_WATCH_H
#define TORTURE_WATCH_H

#include "torture.h"

/* Every event of the module to the history; incidents to torture.opened as well. */
void *watch_events(void *arg);
/* What domains hold that stay frozen while one looks. */
void *watch_quarantine(void *arg);
/* The incidents that have opened since @seen: the next one, or false after @ms without. */
bool watch_next(uint64_t *seen, int ms, struct opened *inc);

#endif
