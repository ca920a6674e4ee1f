// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

int agent_policy_load(const char *yaml)
{
	char path[] = "/tmp/selfheal-agent-XXXXXX", command[96];
	size_t len = strlen(yaml);
	int fd = mkstemp(path), status = -1;

	if (fd < 0)
		return -1;
	snprintf(command, sizeof(command), "healctl policy load %s > /dev/null", path);
	if (write(fd, yaml, len) == (ssize_t)len)
		status = system(command);
	close(fd);
	unlink(path);
	return status;
}

pid_t agent_start(struct nlev *e, int ms)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("healctl", "healctl", "agent", NULL);
		_exit(127);
	}
	if (pid < 0)
		return 0;
	if (nlev_wait(e, SELFHEAL_EVENT_TYPE_AGENT_NEW, 0, ms, NULL))
		return pid;
	agent_stop(pid);
	return 0;
}

void agent_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
