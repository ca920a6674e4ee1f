// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harm.h"
#include "history.h"
#include "nl_policy.h"
#include "plan.h"
#include "press.h"
#include "proc.h"
#include "wire.h"

#define CGROUP		"/sys/fs/cgroup/selfheal.torture"
/* What a hog leaves of the memory that could be had, in KiB: short, but nothing is killed for it. */
#define LEFT_KB		(96 * 1024)

enum { SEQ_POLICIES = ASKER_HARM, SEQ_AGENT, SEQ_CPUS, SEQ_MEMORY, SEQ_LOAD };

void *harm_policies(void *arg)
{
	struct history_ask ask = { .what = "unload", .controller = ASKER_HARM };
	struct draw draw;
	struct nlc c;
	int plan;

	(void)arg;
	draw_seed(&draw, torture.seed, SEQ_POLICIES);
	must_connect(&c);
	while (!atomic_load(&torture.stop)) {
		plan = draw_below(&draw, PLANS);
		if (draw_chance(&draw, 40)) {
			ask.t = wire_now();
			ask.err = policy_unload(&c, plans[plan].name);
			history_ask(&ask);
		} else {
			plan_load(&c, plan, &draw);
		}
		rest(draw_range(&draw, 50, 1500));
	}
	nlc_close(&c);
	return NULL;
}

void *harm_agent(void *arg)
{
	char *argv[] = { "healctl", "agent", NULL };
	struct draw draw;
	pid_t pid;

	(void)arg;
	draw_seed(&draw, torture.seed, SEQ_AGENT);
	while (!atomic_load(&torture.stop)) {
		pid = launch(argv, NULL, 0, true);
		if (pid < 0)
			break;
		rest(draw_range(&draw, 300, 8000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		history("agent t=%" PRIu64, wire_now());
		count(T_AGENTS, 1);
		rest(draw_below(&draw, 1500));
	}
	return NULL;
}

static int cpu_set(int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return write_file(path, on ? "1" : "0");
}

void *harm_cpus(void *arg)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;
	struct draw draw;

	(void)arg;
	draw_seed(&draw, torture.seed, SEQ_CPUS);
	while (cpus > 1 && !atomic_load(&torture.stop)) {
		rest(draw_range(&draw, 500, 4000));
		cpu = draw_range(&draw, 1, cpus - 1);
		history("cpu t=%" PRIu64 " cpu=%d online=0", wire_now(), cpu);
		count(T_CPUS, !cpu_set(cpu, false));
		rest(draw_range(&draw, 50, 2500));
		cpu_set(cpu, true);
		history("cpu t=%" PRIu64 " cpu=%d online=1", wire_now(), cpu);
	}
	return NULL;
}

void harm_memory_begin(void)
{
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		printf("nemesis: no memory cgroup: %s\n", strerror(errno));
	if (!swap_on())
		printf("nemesis: no swap on this kernel\n");
}

void harm_memory_end(void)
{
	rmdir(CGROUP);
	swap_off();
}

/* Takes what can be had of memory, and holds it until it is killed. */
static pid_t hog(void)
{
	long kb = meminfo_kb("MemAvailable") - LEFT_KB;
	pid_t pid = kb > 0 ? fork() : -1;
	char *p;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p = mmap(NULL, kb << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		madvise(p, kb << 10, MADV_POPULATE_WRITE);
	for (;;)
		pause();
}

void *harm_memory(void *arg)
{
	struct draw draw;
	pid_t pid;
	int i;

	(void)arg;
	draw_seed(&draw, torture.seed, SEQ_MEMORY);
	while (!atomic_load(&torture.stop)) {
		rest(draw_range(&draw, 1000, 6000));
		pid = draw_chance(&draw, 60) ? hog() : -1;
		history("memory t=%" PRIu64 " hog=%d", wire_now(), pid > 0);
		count(T_HOGS, pid > 0);
		for (i = draw_range(&draw, 1, 20); i; i--) {
			write_file(CGROUP "/memory.reclaim", "2M");
			rest(50);
		}
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
	return NULL;
}

/* Faults, forks, execs and pipes, each of which our hooks see of everybody. */
void *harm_load(void *arg)
{
	char *argv[] = { "true", NULL };
	struct draw draw;
	char buf[512] = "";
	int fd[2], i;
	char *p;

	draw_seed(&draw, torture.seed, SEQ_LOAD + (long)arg);
	if (pipe(fd))
		return NULL;
	while (!atomic_load(&torture.stop)) {
		for (i = 0; i < 50; i++) {
			if (write(fd[1], buf, sizeof(buf)) < 0 || read(fd[0], buf, sizeof(buf)) < 0)
				break;
		}
		p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED) {
			memset(p, 1, 1 << 20);
			munmap(p, 1 << 20);
		}
		if (draw_chance(&draw, 10))
			launch_wait(argv);
		pause_ms(draw_range(&draw, 1, 20));
	}
	close(fd[0]);
	close(fd[1]);
	return NULL;
}
