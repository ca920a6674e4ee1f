// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define GAINS 8		/* page->count */

int target_start(struct esc *x, target_fn fn)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fd[0]);
		fn(x, fd[1]);
		_exit(0);
	}
	close(fd[1]);
	x->rx = fd[0];
	if (pid < 0)
		return -errno;
	x->number[0] = pid;
	x->fd[ESC_FDS - 1] = pidfd_of(pid);
	return x->fd[ESC_FDS - 1] < 0 ? -errno : 0;
}

pid_t target_pid(const struct esc *x)
{
	return x->number[0];
}

int target_pidfd(const struct esc *x)
{
	return x->fd[ESC_FDS - 1];
}

void target_end(struct esc *x)
{
	if (x->number[0] <= 0)
		return;
	kill(x->number[0], SIGKILL);
	waitpid(x->number[0], NULL, __WALL);
	x->number[0] = 0;
}

void target_token(int out, unsigned int n)
{
	char t[TOKEN];

	token(t, n);
	if (write(out, t, TOKEN) != TOKEN)
		_exit(1);
}

void esc_level(struct esc *x, int64_t level)
{
	if (level < (int64_t)x->seen)
		esc_wrong(x, "a level of %lld after %u", (long long)level, x->seen);
	else
		esc_took(x, level - x->seen);
}

void esc_gain(struct esc *x)
{
	x->rig.kid.page->count[GAINS]++;
}

void look_gains(struct esc *x)
{
	esc_level(x, x->rig.kid.page->count[GAINS]);
}

int tool_path(const char *name, char *path, size_t size)
{
	char self[512], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	snprintf(path, size, "%s/%s", self, name);
	return access(path, X_OK) ? -errno : 0;
}

long int80(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		     : "r8", "r9", "r10", "r11", "memory");
	return (int)ret;
}

void *low_memory(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}
