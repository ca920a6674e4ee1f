// SPDX-License-Identifier: GPL-2.0
/* Commands that rules have the agent run after a verdict. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_queue.h"
#include "agent_run.h"
#include "names.h"

#define VARIABLES 4

struct variables {
	char text[VARIABLES][NAME_LEN + 32];
	char **all;		/* ours, then those of the agent */
};

static int variables_make(struct variables *v, const struct agent_entry *entry)
{
	size_t n = 0, i;

	while (environ[n])
		n++;
	v->all = calloc(VARIABLES + n + 1, sizeof(*v->all));
	if (!v->all)
		return -ENOMEM;
	snprintf(v->text[0], sizeof(v->text[0]), "SELFHEAL_INCIDENT=%" PRIu64, entry->incident);
	snprintf(v->text[1], sizeof(v->text[1]), "SELFHEAL_DOMAIN=%" PRIu64, entry->domain);
	snprintf(v->text[2], sizeof(v->text[2]), "SELFHEAL_POLICY=%s", entry->policy);
	snprintf(v->text[3], sizeof(v->text[3]), "SELFHEAL_VERDICT=%s",
		 name_of(&verdict_names, entry->verdict));
	for (i = 0; i < VARIABLES; i++)
		v->all[i] = v->text[i];
	for (i = 0; i < n; i++)
		v->all[VARIABLES + i] = environ[i];
	return 0;
}

/* Nothing to read, and no signal blocked as in the agent. */
static int spawn(pid_t *pid, char **argv, char **env)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	sigemptyset(&none);
	err = posix_spawn_file_actions_init(&files);
	if (err)
		return err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		posix_spawnattr_setsigmask(&attr, &none);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
		err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY,
						       0);
		if (!err)
			err = posix_spawn(pid, argv[0], &files, &attr, argv, env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return err;
}

pid_t agent_run(const struct agent_entry *entry)
{
	char **argv = calloc(entry->run.n + 1, sizeof(*argv));
	struct variables variables;
	pid_t pid = -1;
	size_t i;
	int err;

	if (!argv)
		return -ENOMEM;
	for (i = 0; i < entry->run.n; i++)
		argv[i] = entry->run.v[i];
	err = variables_make(&variables, entry);
	if (!err) {
		err = -spawn(&pid, argv, variables.all);
		free(variables.all);
	}
	free(argv);
	return err ? err : pid;
}
