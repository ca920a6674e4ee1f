/* SPDX-License-Identifier: GPL-2.0 */
/* What is done to the machine meanwhile. A thread each, until torture.stop. */
#ifndef TORTURE_HARM_H
#define TORTURE_HARM_H

/* Policies are loaded anew, and unloaded. */
void *harm_policies(void *arg);
/* The agent is killed, and started again. */
void *harm_agent(void *arg);
/* CPUs go off line and come back; all are on line at the end. */
void *harm_cpus(void *arg);
/* Memory runs short, for all and for the members' cgroup. */
void *harm_memory(void *arg);
/* Work of others that no domain knows of. */
void *harm_load(void *arg);

/* The cgroup of the members, before they come and when they have gone. */
void harm_memory_begin(void);
void harm_memory_end(void);

#endif
