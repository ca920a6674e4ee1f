// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nl_event.h"
#include "proc.h"
#include "torture.h"
#include "wire.h"

struct torture torture = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
};

static void die(const char *what, int err)
{
	printf("nemesis: %s: %s\n", what, strerror(-err));
	exit(2);
}

void must_connect(struct nlc *c)
{
	int err = nlc_open(c);

	if (err)
		die("connecting to the module", err);
}

void must_start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	int err = pthread_create(thread, NULL, fn, arg);

	if (err)
		die("starting a thread", -err);
}

pid_t launch(char *const argv[], const int *fds, unsigned int nr, bool quiet)
{
	posix_spawn_file_actions_t files;
	unsigned int i;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (quiet) {
		posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_adddup2(&files, 1, 2);
	}
	for (i = 0; i < nr; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], WIRE_FD_SHARED + i);
	posix_spawn_file_actions_addclosefrom_np(&files, WIRE_FD_SHARED + nr);
	err = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return err ? -err : pid;
}

int launch_wait(char *const argv[])
{
	pid_t pid = launch(argv, NULL, 0, true);
	int status;

	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void rest(int ms)
{
	int64_t end = now_ms() + ms;

	while (!atomic_load(&torture.stop) && now_ms() < end)
		pause_ms(end - now_ms() < 50 ? 5 : 50);
}
