/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The controllers: each freezes domains by hand, answers incidents at random,
 * half of them at one instant with all others, and reads the tables.
 */
#ifndef TORTURE_CONTROL_H
#define TORTURE_CONTROL_H

#include "torture.h"

/* @arg: the number of the controller. */
void *control_run(void *arg);

#endif
