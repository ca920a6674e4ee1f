/* SPDX-License-Identifier: GPL-2.0 */
/* What test_calls.c expects of the calls that do not simply pass, by name. */
#ifndef SELFHEAL_UNIT_EXPECTED_CALLS_H
#define SELFHEAL_UNIT_EXPECTED_CALLS_H

#include "gate/calls.h"
#include "gate/judge.h"

/* On which ABIs there is a call of that name. */
#define N64	1
#define N32	2
#define BOTH	(N64 | N32)
/* Headers of Linux 6.1 do not have it. */
#define NEWER	4

/* What is not in this table passes, and is not looked at by the gate. */
static const struct expected {
	const char *name;
	unsigned int abis;
	u8 class;
	enum sh_judge judge;
	int channel;		/* one more than enum selfheal_channel, 0 for none */
	const char *tampers;
} expected[] = {
#define CHANNEL(c)	(SELFHEAL_CHANNEL_##c + 1)
#define ROW(n, a, c)	{ .name = n, .abis = a, .class = c }
#define JUDGED(n, a, j)	{ .name = n, .abis = a, .class = SH_CALL_JUDGE, .judge = SH_JUDGE_##j }
#define SHUT(n, a, c)	{ .name = n, .abis = a, .channel = CHANNEL(c) }
/* The same, and tampering where they name a controller. */
#define AIMED(n, a, j) \
	{ .name = n, .abis = a, .class = SH_CALL_JUDGE | SH_CALL_TAMPER, .judge = SH_JUDGE_##j, \
	  .channel = CHANNEL(OTHER), .tampers = "controller" }
#define SHUT_IF(n, a, c, j) \
	{ .name = n, .abis = a, .class = SH_CALL_JUDGE, .judge = SH_JUDGE_##j, .channel = CHANNEL(c) }
#define SHUT_WAIT(n, a, c) { .name = n, .abis = a, .class = SH_CALL_WAIT, .channel = CHANNEL(c) }
#define TAMPER(n, a, t) \
	{ .name = n, .abis = a, .class = SH_CALL_TAMPER, .channel = CHANNEL(OTHER), .tampers = t }
	/* Waits for input whatever the descriptor. */
	ROW("recvfrom", BOTH, SH_CALL_WAIT),
	ROW("recvmsg", BOTH, SH_CALL_WAIT),
	ROW("recvmmsg", BOTH, SH_CALL_WAIT),
	ROW("recvmmsg_time64", N32, SH_CALL_WAIT),
	ROW("accept", N64, SH_CALL_WAIT),
	ROW("accept4", BOTH, SH_CALL_WAIT),
	ROW("connect", BOTH, SH_CALL_WAIT),
	ROW("flock", BOTH, SH_CALL_WAIT),
	ROW("poll", BOTH, SH_CALL_WAIT),
	ROW("ppoll", BOTH, SH_CALL_WAIT),
	ROW("ppoll_time64", N32, SH_CALL_WAIT),
	ROW("select", BOTH, SH_CALL_WAIT),
	ROW("_newselect", N32, SH_CALL_WAIT),
	ROW("pselect6", BOTH, SH_CALL_WAIT),
	ROW("pselect6_time64", N32, SH_CALL_WAIT),
	ROW("epoll_wait", BOTH, SH_CALL_WAIT),
	ROW("epoll_pwait", BOTH, SH_CALL_WAIT),
	ROW("epoll_pwait2", BOTH, SH_CALL_WAIT),
	ROW("nanosleep", BOTH, SH_CALL_WAIT),
	ROW("clock_nanosleep", BOTH, SH_CALL_WAIT),
	ROW("clock_nanosleep_time64", N32, SH_CALL_WAIT),
	ROW("pause", BOTH, SH_CALL_WAIT),
	ROW("restart_syscall", BOTH, SH_CALL_WAIT),
	ROW("sigsuspend", N32, SH_CALL_WAIT),
	ROW("rt_sigsuspend", BOTH, SH_CALL_WAIT),
	ROW("rt_sigtimedwait", BOTH, SH_CALL_WAIT),
	ROW("rt_sigtimedwait_time64", N32, SH_CALL_WAIT),
	ROW("futex_waitv", BOTH, SH_CALL_WAIT),
	ROW("futex_wait", BOTH | NEWER, SH_CALL_WAIT),
	ROW("waitpid", N32, SH_CALL_WAIT),
	ROW("wait4", BOTH, SH_CALL_WAIT),
	ROW("waitid", BOTH, SH_CALL_WAIT),
	ROW("msgrcv", BOTH, SH_CALL_WAIT),
	ROW("mq_timedreceive", BOTH, SH_CALL_WAIT),
	ROW("mq_timedreceive_time64", N32, SH_CALL_WAIT),
	ROW("io_getevents", BOTH, SH_CALL_WAIT),
	ROW("io_pgetevents", BOTH, SH_CALL_WAIT),
	ROW("io_pgetevents_time64", N32, SH_CALL_WAIT),
	/* An exit is the last wait. */
	ROW("exit", BOTH, SH_CALL_WAIT),
	ROW("exit_group", BOTH, SH_CALL_WAIT),
	/* Waits, or not, by its registers. */
	JUDGED("read", BOTH, FD),
	JUDGED("readv", BOTH, FD),
	JUDGED("pread64", BOTH, FD),
	JUDGED("preadv", BOTH, FD),
	JUDGED("preadv2", BOTH, FD),
	JUDGED("futex", BOTH, FUTEX),
	JUDGED("futex_time64", N32, FUTEX),
	JUDGED("fcntl", BOTH, FCNTL),
	JUDGED("fcntl64", N32, FCNTL),
	/* Membership. */
	ROW("fork", BOTH, SH_CALL_FORK),
	ROW("vfork", BOTH, SH_CALL_FORK),
	ROW("clone", BOTH, SH_CALL_FORK),
	ROW("clone3", BOTH, SH_CALL_FORK),
	ROW("execve", BOTH, SH_CALL_EXEC),
	ROW("execveat", BOTH, SH_CALL_EXEC),
	{ .name = "prctl", .abis = BOTH, .class = SH_CALL_PRCTL | SH_CALL_JUDGE,
	  .judge = SH_JUDGE_PRCTL, .channel = CHANNEL(OTHER) },
	/* Of a channel by their registers. */
	SHUT_IF("ioctl", BOTH, DEVICE, IOCTL),
	SHUT_IF("socketcall", N32, OTHER, SOCKETCALL),
	SHUT_IF("setsockopt", BOTH, OTHER, SOCKOPT),
	SHUT_IF("madvise", BOTH, OTHER, ADVICE),
	SHUT_IF("shmctl", BOTH, IPC, SHMCTL),
	SHUT_IF("semctl", BOTH, IPC, SEMCTL),
	SHUT_IF("msgctl", BOTH, IPC, MSGCTL),
	AIMED("setpriority", BOTH, PRIORITY),
	AIMED("ioprio_set", BOTH, IOPRIO),
	AIMED("prlimit64", BOTH, PRLIMIT),
	AIMED("setpgid", BOTH, PID),
	AIMED("sched_setaffinity", BOTH, PID),
	AIMED("sched_setattr", BOTH, PID),
	AIMED("sched_setparam", BOTH, PID),
	AIMED("sched_setscheduler", BOTH, PID),
	AIMED("migrate_pages", BOTH, PID),
	AIMED("move_pages", BOTH, PID),
	SHUT_IF("splice", BOTH, OTHER, FD),
	SHUT_IF("tee", BOTH, OTHER, FD),
	SHUT_IF("vmsplice", BOTH, OTHER, FD),
	/* Of a channel. */
	SHUT_WAIT("semop", N64, IPC),
	SHUT_WAIT("semtimedop", N64, IPC),
	SHUT_WAIT("semtimedop_time64", N32, IPC),
	SHUT_WAIT("ipc", N32, IPC),
	SHUT("msgget", BOTH, IPC),
	SHUT("msgsnd", BOTH, IPC),
	SHUT("semget", BOTH, IPC),
	SHUT("shmget", BOTH, IPC),
	SHUT("shmat", BOTH, IPC),
	SHUT("mq_open", BOTH, IPC),
	SHUT("mq_unlink", BOTH, IPC),
	SHUT("mq_timedsend", BOTH, IPC),
	SHUT("mq_notify", BOTH, IPC),	/* one registers at a time: others see it */
	SHUT("mq_timedsend_time64", N32, IPC),
	SHUT_WAIT("io_uring_enter", BOTH, OTHER),
	SHUT("io_uring_setup", BOTH, OTHER),
	SHUT("io_uring_register", BOTH, OTHER),
	SHUT("userfaultfd", BOTH, OTHER),
	SHUT("process_vm_readv", BOTH, OTHER),
	SHUT("process_vm_writev", BOTH, OTHER),
	SHUT("ptrace", BOTH, OTHER),
	SHUT("pidfd_getfd", BOTH, OTHER),
	SHUT("process_madvise", BOTH, OTHER),
	SHUT("process_mrelease", BOTH, OTHER),
	SHUT("add_key", BOTH, OTHER),
	SHUT("request_key", BOTH, OTHER),
	SHUT("keyctl", BOTH, OTHER),
	SHUT("mount", BOTH, OTHER),
	SHUT("umount2", BOTH, OTHER),
	SHUT("pivot_root", BOTH, OTHER),
	SHUT("open_tree", BOTH, OTHER),
	SHUT("move_mount", BOTH, OTHER),
	SHUT("mount_setattr", BOTH, OTHER),
	SHUT("fsopen", BOTH, OTHER),
	SHUT("fsconfig", BOTH, OTHER),
	SHUT("fsmount", BOTH, OTHER),
	SHUT("fspick", BOTH, OTHER),
	SHUT("setns", BOTH, OTHER),
	SHUT("fanotify_init", BOTH, OTHER),
	SHUT("fanotify_mark", BOTH, OTHER),
	SHUT("swapon", BOTH, OTHER),
	SHUT("swapoff", BOTH, OTHER),
	SHUT("acct", BOTH, OTHER),
	SHUT("quotactl", BOTH, OTHER),
	SHUT("quotactl_fd", BOTH, OTHER),
	SHUT("sethostname", BOTH, OTHER),
	SHUT("setdomainname", BOTH, OTHER),
	SHUT("syslog", BOTH, OTHER),
	SHUT("vhangup", BOTH, OTHER),
	SHUT("settimeofday", BOTH, OTHER),
	SHUT("clock_settime", BOTH, OTHER),
	SHUT("adjtimex", BOTH, OTHER),
	SHUT("clock_adjtime", BOTH, OTHER),
	SHUT("umount", N32, OTHER),
	SHUT("stime", N32, OTHER),
	SHUT("clock_settime64", N32, OTHER),
	SHUT("clock_adjtime64", N32, OTHER),
	/* The kernel itself. */
	TAMPER("init_module", BOTH, "modules"),
	TAMPER("finit_module", BOTH, "modules"),
	TAMPER("delete_module", BOTH, "modules"),
	TAMPER("kexec_load", BOTH, "kexec"),
	TAMPER("kexec_file_load", N64, "kexec"),
	TAMPER("reboot", BOTH, "reboot"),
	TAMPER("bpf", BOTH, "bpf"),
	TAMPER("perf_event_open", BOTH, "perf"),
	TAMPER("iopl", BOTH, "ports"),
	TAMPER("ioperm", BOTH, "ports"),
};

#endif
