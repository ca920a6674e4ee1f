// SPDX-License-Identifier: GPL-2.0
/*
 * The same sends, held until the sender waits for input, by us and by what people
 * would build without a module: what one costs, in instructions (lib/measure.h).
 *
 *	bench_peers WAY
 *
 *	plain	nobody holds anything
 *	member	the process is a member of a domain that holds all output
 *	notify	a supervisor answers the calls, by seccomp_unotify(2)
 *	ptrace	a tracer does, by ptrace(2), stopped by a seccomp filter where a
 *		call is to be held or output to be let go, and nowhere else
 *
 * An operation is a write of 16 bytes and the read of them at the other end, by
 * one process. A supervisor copies the bytes out of the caller at the write, says
 * that they are sent, and sends them by descriptors of its own when the caller
 * comes to the read. It is written to be fast rather than safe: the filter looks at
 * two calls and at high descriptors alone, descriptors are fetched once and taken
 * to stay what they are, and no freeze, no order over threads, no bound is there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "rig.h"
#include "stream.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS	SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP	(1UL << 0)
#endif

#define LEN 16
/* So that the longest batch, by the dearest way, is shorter than a timer tick. */
#define BATCH 20
/* The descriptors that a supervisor looks after. */
#define HIGH 100
#define HIGH_END 132

static struct pair ends[4];
static char byte[LEN];

/* Between the worker and its supervisor. */
static struct meeting {
	_Atomic int listener;	/* the worker's number for it */
	_Atomic int ready;	/* the supervisor is */
} *meeting;

static void through(struct pair *p)
{
	check(write(p->tx, byte, LEN) == LEN, "send");
	check(read(p->rx, byte, LEN) == LEN, "receive");
}

static void op_pipe(void) { through(&ends[0]); }
static void op_unix(void) { through(&ends[1]); }
static void op_udp(void) { through(&ends[2]); }
static void op_tcp(void) { through(&ends[3]); }

static const struct op ops[] = {
	{ "pipe", op_pipe, BATCH },
	{ "unix", op_unix, BATCH },
	{ "udp", op_udp, BATCH },
	{ "tcp", op_tcp, BATCH },
};

static int raised(int fd)
{
	int high = fcntl(fd, F_DUPFD, HIGH);

	check(high >= HIGH && high < HIGH_END, "a high descriptor");
	close(fd);
	return high;
}

static void open_ends(void)
{
	static const enum channel_kind kind[] = { CH_PIPE, CH_UNIX_STREAM, CH_UDP, CH_TCP };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		check(!pair_open(&ends[i], kind[i]), "channels");
		ends[i].tx = raised(ends[i].tx);
		ends[i].rx = raised(ends[i].rx);
	}
}

static void measure_ops(const char *way)
{
	unsigned int i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		measure(&ops[i], way);
}

/* The filter, for calls that @action has a supervisor see. Returns what seccomp(2) does. */
static int supervise(unsigned int action, unsigned int flags)
{
	const unsigned int fd = offsetof(struct seccomp_data, args[0]);	/* the lower half */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, fd),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, HIGH, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* What a supervisor has of its one caller. */
static struct caller {
	pid_t pid;
	int pidfd, own[HIGH_END];	/* its descriptors here; 0: not fetched yet */
	unsigned int held;
	struct {
		int fd;
		size_t len;
		char data[LEN];
	} entry[64];
} caller;

static void caller_open(pid_t pid)
{
	caller.pid = pid;
	caller.pidfd = syscall(SYS_pidfd_open, pid, 0);
	check(caller.pidfd >= 0, "pidfd_open");
}

static int caller_fd(int fd)
{
	if (!caller.own[fd]) {
		caller.own[fd] = syscall(SYS_pidfd_getfd, caller.pidfd, fd, 0);
		check(caller.own[fd] > 0, "pidfd_getfd");
	}
	return caller.own[fd];
}

static void hold(int fd, uint64_t addr, size_t len)
{
	struct iovec to = { caller.entry[caller.held].data, len };
	struct iovec from = { (void *)addr, len };

	errno = E2BIG;
	check(len <= LEN && caller.held < 64, "a send");
	check(process_vm_readv(caller.pid, &to, 1, &from, 1, 0) == (ssize_t)len, "the bytes");
	caller.entry[caller.held].fd = caller_fd(fd);
	caller.entry[caller.held++].len = len;
}

static void let_go(void)
{
	unsigned int i;

	for (i = 0; i < caller.held; i++)
		check(write(caller.entry[i].fd, caller.entry[i].data, caller.entry[i].len) ==
		      (ssize_t)caller.entry[i].len, "the held send");
	caller.held = 0;
}

/* As seccomp_unotify(2) recommends, the identity looked at after the caller's memory. */
static void answer_notifications(int listener)
{
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;

	/* Since 6.6, for supervisors that wait on each other by turns. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	for (;;) {
		memset(&req, 0, sizeof(req));
		memset(&resp, 0, sizeof(resp));
		check(!ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req), "a notification");
		resp.id = req.id;
		if (req.data.nr == SYS_write) {
			hold(req.data.args[0], req.data.args[1], req.data.args[2]);
			check(!ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &req.id), "the caller");
			resp.val = req.data.args[2];
		} else {
			let_go();
			resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		}
		check(!ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp), "an answer");
	}
}

static void notify_supervisor(void)
{
	int listener;

	while (!meeting->listener)
		usleep(1000);
	listener = syscall(SYS_pidfd_getfd, caller.pidfd, meeting->listener, 0);
	check(listener >= 0, "the listener");
	meeting->ready = 1;
	answer_notifications(listener);
}

/* At the stop before a call: made by us, or let through. */
static void traced_call(void)
{
	struct user_regs_struct regs;

	check(!ptrace(PTRACE_GETREGS, caller.pid, 0, &regs), "registers");
	if (regs.orig_rax != SYS_write) {
		let_go();
		return;
	}
	hold(regs.rdi, regs.rsi, regs.rdx);
	regs.orig_rax = -1;
	regs.rax = regs.rdx;
	check(!ptrace(PTRACE_SETREGS, caller.pid, 0, &regs), "registers");
}

static void ptrace_supervisor(void)
{
	int status, sig;

	check(!ptrace(PTRACE_SEIZE, caller.pid, 0, PTRACE_O_TRACESECCOMP), "PTRACE_SEIZE");
	meeting->ready = 1;
	while (waitpid(caller.pid, &status, __WALL) == caller.pid && WIFSTOPPED(status)) {
		sig = 0;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			traced_call();
		else
			sig = WSTOPSIG(status);
		check(!ptrace(PTRACE_CONT, caller.pid, 0, sig), "PTRACE_CONT");
	}
}

static void supervised(const char *way)
{
	bool notify = !strcmp(way, "notify");
	int listener = 0;

	open_ends();
	if (notify) {
		listener = supervise(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		check(listener > 0, "seccomp listener");
		meeting->listener = listener;
	}
	while (!meeting->ready)
		usleep(1000);
	if (!notify)
		check(!supervise(SECCOMP_RET_TRACE, 0), "seccomp filter");
	measure_ops(way);
	exit(0);
}

static int under_supervisor(const char *way)
{
	pid_t worker, supervisor;
	int status;

	meeting = mmap(NULL, sizeof(*meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	check(meeting != MAP_FAILED, "shared memory");
	worker = fork();
	if (!worker)
		supervised(way);
	supervisor = fork();
	if (!supervisor) {
		caller_open(worker);
		if (!strcmp(way, "notify"))
			notify_supervisor();
		else
			ptrace_supervisor();
		exit(0);
	}
	check(waitpid(worker, &status, 0) == worker, "waitpid");
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static void held(struct page *page, void *way)
{
	(void)page;
	open_ends();
	measure_ops(way);
}

static int as_member(char *way)
{
	struct rig r;
	int err;

	errno = -module_load();
	check(!errno, "loading the module");
	check(!rig_open(&r), "control interface");
	policy_hold(&r.p);
	err = rig_run(&r, held, way);
	if (err || !child_exited(&r.kid, slow_ms(600000), 0)) {
		fprintf(stderr, "bench_peers: member: %d %s\n", err, r.c.ext);
		return 1;
	}
	return !rig_close(&r);
}

int main(int argc, char **argv)
{
	char *way = argc == 2 ? argv[1] : "";

	if (!module_path())
		return 4;	/* kselftest's skip */
	same_layout(argv);
	stay_on_one_cpu();
	if (!strcmp(way, "member"))
		return as_member(way);
	if (!strcmp(way, "notify") || !strcmp(way, "ptrace"))
		return under_supervisor(way);
	if (strcmp(way, "plain")) {
		fprintf(stderr, "usage: bench_peers plain|member|notify|ptrace\n");
		return 2;
	}
	open_ends();
	measure_ops(way);
	return 0;
}
