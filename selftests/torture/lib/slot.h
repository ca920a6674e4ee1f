/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot has one domain after the other: it makes the members, enrols them,
 * is the client of each, attacks, and sees how they end.
 */
#ifndef TORTURE_SLOT_H
#define TORTURE_SLOT_H

#include "torture.h"

/* @arg: the number of the slot. Returns when torture.calm is set and its domain has gone. */
void *slot_run(void *arg);

#endif
