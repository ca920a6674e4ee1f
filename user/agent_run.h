/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that rules have the agent run after a verdict. */
#ifndef HEALCTL_AGENT_RUN_H
#define HEALCTL_AGENT_RUN_H

#include <sys/types.h>

struct agent_entry;

/*
 * Starts entry->run, which begins with a path, without a shell and without a
 * wait for its end; it learns of the incident by variables of its environment (see
 * selfheal-policy(5)). Its pid, or -errno.
 */
pid_t agent_run(const struct agent_entry *entry);

#endif
