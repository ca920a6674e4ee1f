/* SPDX-License-Identifier: GPL-2.0 */
/* healctl agent, and policies that it reads: those that healctl has loaded. */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include <sys/types.h>

#include "nl_event.h"

/* healctl policy load of the text: 0, or its exit status. */
int agent_policy_load(const char *yaml);
/* Its pid once it is registered, which @e must hear of; 0 when that does not come. */
pid_t agent_start(struct nlev *e, int ms);
void agent_stop(pid_t pid);

#endif
