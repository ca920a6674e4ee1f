// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "killer.h"
#include "nl_incident.h"

static void *kills(void *arg)
{
	struct killer *k = arg;
	volatile unsigned int i;
	unsigned int n;

	while (!atomic_load(&k->go))
		sched_yield();
	for (i = 0; i < k->work; i++)
		;
	for (n = 0; n < k->n; n++)
		syscall(SYS_pidfd_send_signal, k->pidfd[n], SIGKILL, NULL, 0);
	return NULL;
}

int killer_rollback(struct killer *k, struct nlc *c, uint64_t id)
{
	pthread_t thread;
	int err;

	if (pthread_create(&thread, NULL, kills, k))
		return -EAGAIN;
	atomic_store(&k->go, true);
	err = incident_rollback(c, id, -1);
	pthread_join(thread, NULL);
	/* Dying or dead already it has no way back, or nobody is left to answer for. */
	return err == -ENOTRECOVERABLE || err == -EALREADY || err == -EBUSY ? 0 : err;
}
