/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controllers: processes that have asked us something by a netlink socket
 * that is still open. They are no members, and what members would do to them
 * is tampering.
 */
#ifndef SELFHEAL_DOMAIN_CONTROLLER_H
#define SELFHEAL_DOMAIN_CONTROLLER_H

#include <linux/types.h>

struct task_struct;

/* Current controls by the socket @portid; its executable is guarded. May sleep. */
void sh_controller_note(u32 portid);

/* The socket has been closed. Process context. */
void sh_controller_gone(u32 portid);

/* Is @task's process one? Any context. */
bool sh_controller_is(struct task_struct *task);

/*
 * Is one meant by @nr, as current's namespaces have it; 0 is current's own process, group or user.
 * Process context, any lock but the list's.
 */
enum sh_by {
	SH_BY_PROCESS,
	SH_BY_GROUP,
	SH_BY_USER,
};

bool sh_controller_named(enum sh_by by, u32 nr);

void sh_controller_exit(void);

#endif /* SELFHEAL_DOMAIN_CONTROLLER_H */
