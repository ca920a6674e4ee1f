// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching into a process outside that has the same owner: its memory, its
 * descriptors, its scheduling and limits. Numbers go up by one an attempt, so
 * whoever sees the number knows how many attempts came through.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "proc.h"
#include "target.h"

#define NR_IA32_PROCESS_VM_WRITEV 348
#define NR_IA32_SETPRIORITY 97

/* The word that attempts write, at the same address in the target. */
static _Atomic uint64_t word;

static void watch_word(struct esc *x, int out)
{
	uint64_t n = 0;

	(void)x;
	for (;;) {
		while (n < atomic_load(&word))
			target_token(out, n++);
		pause_ms(1);
	}
}

static int open_word(struct esc *x)
{
	return target_start(x, watch_word);
}

static int write_word(struct esc *x, unsigned int i)
{
	uint64_t value = i + 1;
	struct iovec local = { &value, sizeof(value) };
	struct iovec remote = { (void *)&word, sizeof(word) };

	return esc_result(process_vm_writev(target_pid(x), &local, 1, &remote, 1, 0),
			  sizeof(value));
}

static int open_mem(struct esc *x)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", target_pid(x));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int mem_write(struct esc *x, unsigned int i)
{
	uint64_t value = i + 1;
	int fd = open_mem(x), err;

	if (fd < 0)
		return fd;
	err = esc_result(pwrite(fd, &value, sizeof(value), (uintptr_t)&word), sizeof(value));
	close(fd);
	return err;
}

/* Opened before the process became a member. */
static int prepare_mem(struct esc *x)
{
	int fd = open_mem(x);

	if (fd < 0)
		return fd;
	x->number[1] = fd;
	return 0;
}

static int kept_mem_write(struct esc *x, unsigned int i)
{
	uint64_t value = i + 1;

	return esc_result(pwrite(x->number[1], &value, sizeof(value), (uintptr_t)&word),
			  sizeof(value));
}

static int poke(struct esc *x, unsigned int i)
{
	pid_t pid = target_pid(x);
	int status, err = 0;

	if (ptrace(PTRACE_ATTACH, pid, 0, 0))
		return -errno;
	if (waitpid(pid, &status, __WALL) != pid)
		return -errno;
	if (ptrace(PTRACE_POKEDATA, pid, &word, i + 1UL))
		err = -errno;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return err;
}

/* The tracer's side was there before it became a member. */
static int prepare_seize(struct esc *x)
{
	return ptrace(PTRACE_SEIZE, target_pid(x), 0, 0) ? -errno : 0;
}

static int kept_poke(struct esc *x, unsigned int i)
{
	pid_t pid = target_pid(x);
	int status, err = 0;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return -errno;
	if (waitpid(pid, &status, __WALL) != pid)
		return -errno;
	if (ptrace(PTRACE_POKEDATA, pid, &word, i + 1UL))
		err = -errno;
	ptrace(PTRACE_CONT, pid, 0, 0);
	return err;
}

/* The target has a pipe to the outside; the member has no descriptor of it. */
static int open_pipe_of(struct esc *x)
{
	int fd[2], err;

	if (pipe(fd))
		return -errno;
	x->number[1] = fd[1];
	err = target_start(x, watch_word);
	close(fd[1]);
	close(x->rx);
	x->rx = fd[0];
	return err;
}

static int by_getfd(struct esc *x, unsigned int i)
{
	int fd = syscall(SYS_pidfd_getfd, target_pidfd(x), (int)x->number[1], 0), err;
	char t[TOKEN];

	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

static int by_proc_fd(struct esc *x, unsigned int i)
{
	char path[64], t[TOKEN];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", target_pid(x), (int)x->number[1]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

/* ---- what the kernel keeps of the target ---- */

static void sleeps(struct esc *x, int out)
{
	(void)x;
	(void)out;
	for (;;)
		pause();
}

static int open_sleeper(struct esc *x)
{
	return target_start(x, sleeps);
}

static int set_nice(struct esc *x, unsigned int i)
{
	return setpriority(PRIO_PROCESS, target_pid(x), i + 1) ? -errno : 0;
}

static int set_nice_int80(struct esc *x, unsigned int i)
{
	return int80(NR_IA32_SETPRIORITY, PRIO_PROCESS, target_pid(x), i + 1, 0, 0);
}

static void look_nice(struct esc *x)
{
	esc_level(x, getpriority(PRIO_PROCESS, target_pid(x)));
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int set_attr(struct esc *x, unsigned int i)
{
	struct attr a = { .size = sizeof(a), .nice = i + 1 };

	return syscall(SYS_sched_setattr, target_pid(x), &a, 0) ? -errno : 0;
}

static int set_scheduler(struct esc *x, unsigned int i)
{
	struct sched_param p = { .sched_priority = i + 1 };

	return sched_setscheduler(target_pid(x), SCHED_RR, &p) ? -errno : 0;
}

/* Starts from 1, which is no attempt's. */
static int set_param(struct esc *x, unsigned int i)
{
	struct sched_param p = { .sched_priority = i + 2 };

	return sched_setparam(target_pid(x), &p) ? -errno : 0;
}

static int open_rr(struct esc *x)
{
	struct sched_param p = { .sched_priority = 1 };
	int err = open_sleeper(x);

	return err ? err : sched_setscheduler(target_pid(x), SCHED_RR, &p) ? -errno : 0;
}

static void look_priority(struct esc *x)
{
	struct sched_param p = {};

	sched_getparam(target_pid(x), &p);
	esc_level(x, p.sched_priority - x->row->arg);
}

static int set_affinity(struct esc *x, unsigned int i)
{
	cpu_set_t set;

	(void)i;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(target_pid(x), sizeof(set), &set) ? -errno : 0;
}

static int open_affinity(struct esc *x)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return esc_lack(x, -ENODEV, "a second CPU");
	return open_sleeper(x);
}

static void look_affinity(struct esc *x)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(target_pid(x), sizeof(set), &set);
	esc_level(x, CPU_COUNT(&set) == 1);
}

static int set_limit(struct esc *x, unsigned int i)
{
	struct rlimit l = { i + 1, RLIM_INFINITY };

	return prlimit(target_pid(x), RLIMIT_MSGQUEUE, &l, NULL) ? -errno : 0;
}

static int open_limit(struct esc *x)
{
	struct rlimit l = { 0, RLIM_INFINITY };
	int err = open_sleeper(x);

	return err ? err : prlimit(target_pid(x), RLIMIT_MSGQUEUE, &l, NULL) ? -errno : 0;
}

static void look_limit(struct esc *x)
{
	struct rlimit l = {};

	prlimit(target_pid(x), RLIMIT_MSGQUEUE, NULL, &l);
	esc_level(x, l.rlim_cur);
}

/* From the lowest best-effort level upwards. */
static int set_ioprio(struct esc *x, unsigned int i)
{
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, target_pid(x),
		       IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, i + 1)) ? -errno : 0;
}

static void look_ioprio(struct esc *x)
{
	int prio = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, target_pid(x));

	esc_level(x, IOPRIO_PRIO_CLASS(prio) == IOPRIO_CLASS_BE ? IOPRIO_PRIO_LEVEL(prio) : 0);
}

static int open_ioprio(struct esc *x)
{
	int err = open_sleeper(x);

	if (!err && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, target_pid(x),
			    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 0)))
		err = -errno;
	return err;
}

static int set_oom_adj(struct esc *x, unsigned int i)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", target_pid(x));
	snprintf(text, sizeof(text), "%u", i + 1);
	return write_file(path, text);
}

static void look_oom_adj(struct esc *x)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", target_pid(x));
	if (slurp(path, text, sizeof(text)) > 0)
		esc_level(x, atoi(text));
}

#define PROCESS(opener) .open = opener, .close = target_end, .held = ROW_DENIED, .error = EPERM

static const struct row rows[] = {
	{ "process_vm_writev", "memory", PROCESS(open_word), .attempt = write_word },
	{ "proc-mem", "memory", PROCESS(open_word), .attempt = mem_write },
	{ "proc-mem.kept", "memory", .open = open_word, .close = target_end,
	  .prepare = prepare_mem, .attempt = kept_mem_write, .held = ROW_REFUSED,
	  .error = EPERM },
	{ "ptrace.attach", "ptrace", PROCESS(open_word), .attempt = poke, .halts = true },
	{ "ptrace.kept", "ptrace", PROCESS(open_word), .prepare = prepare_seize,
	  .attempt = kept_poke, .halts = true },
	{ "pidfd_getfd", "descriptor", PROCESS(open_pipe_of), .attempt = by_getfd },
	{ "proc-fd", "descriptor", .open = open_pipe_of, .close = target_end, .held = ROW_DENIED,
	  .error = EACCES, .attempt = by_proc_fd },
	{ "setpriority", "process", PROCESS(open_sleeper), .attempt = set_nice,
	  .look = look_nice, .max = 19 },
	{ "int80.setpriority", "process", PROCESS(open_sleeper), .attempt = set_nice_int80,
	  .look = look_nice, .max = 19 },
	{ "sched_setattr", "process", PROCESS(open_sleeper), .attempt = set_attr,
	  .look = look_nice, .max = 19 },
	{ "sched_setscheduler", "process", PROCESS(open_sleeper), .attempt = set_scheduler,
	  .look = look_priority, .max = 90 },
	{ "sched_setparam", "process", PROCESS(open_rr), .attempt = set_param, .arg = 1,
	  .look = look_priority, .max = 90 },
	{ "sched_setaffinity", "process", PROCESS(open_affinity), .attempt = set_affinity,
	  .look = look_affinity, .max = 1 },
	{ "prlimit64", "process", PROCESS(open_limit), .attempt = set_limit,
	  .look = look_limit },
	{ "ioprio_set", "process", PROCESS(open_ioprio), .attempt = set_ioprio,
	  .look = look_ioprio, .max = 7 },
	{ "oom_score_adj", "process", PROCESS(open_sleeper), .attempt = set_oom_adj,
	  .look = look_oom_adj, .max = 900 },
};

ESCAPE_MAIN(rows)
