/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure logic of kmod/ needs of the kernel, in user space. Locks are
 * checked (none is taken twice, nothing sleeps under a spinlock), time and
 * work items move only when a test says so, and memory can be made to fail.
 */
#ifndef SELFHEAL_SHIM_H
#define SELFHEAL_SHIM_H

#include "shim_base.h"
#include "shim_list.h"
#include "shim_sync.h"
#include "shim_work.h"
#include "shim_xarray.h"
#include "shim_object.h"

#endif
