// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions per operation; see lib/measure.h for what they are.
 *
 *	bench_calls STATE [OPERATION...]
 *
 * STATE is the condition that this process measures in:
 *	none	the module is not loaded
 *	loaded	it is loaded, no policy is
 *	policy	a policy is loaded that holds and senses everything
 *	member	this process is a member under it
 *	gate	this process is a member under a policy without holds
 *	seccomp	this process has a seccomp filter of one rule, and no module is loaded
 *	turns	none, loaded and policy in turns, several times, seen by one process:
 *		for operations whose cost is a constant of the process and its memory
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "rig.h"
#include "stream.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define TURNS 4

static struct {
	struct pair pipe, sock, tcp, udp, pty;
	int zero, null, file;
	char exe[PATH_MAX + 32], byte[64];
} b;

static void op_getpid(void) { syscall(SYS_getpid); }
static void op_gettid(void) { syscall(SYS_gettid); }
static void op_read_zero(void) { check(read(b.zero, b.byte, 64) == 64, "read"); }
static void op_write_null(void) { check(write(b.null, b.byte, 64) == 64, "write"); }

static void through(struct pair *p)
{
	check(write(p->tx, b.byte, 16) == 16, "send");
	check(read(p->rx, b.byte, 16) == 16, "receive");
}

static void op_pipe(void) { through(&b.pipe); }
static void op_unix(void) { through(&b.sock); }
static void op_tcp(void) { through(&b.tcp); }
static void op_udp(void) { through(&b.udp); }
static void op_pty(void) { through(&b.pty); }
static void op_file_write(void) { check(pwrite(b.file, b.byte, 64, 0) == 64, "pwrite"); }
static void op_file_read(void) { check(pread(b.file, b.byte, 64, 0) == 64, "pread"); }
static void op_kill_self(void) { kill(getpid(), SIGUSR1); }

static void op_open_close(void)
{
	int fd = open("/dev/null", O_RDONLY);

	check(fd >= 0, "open");
	close(fd);
}

static void op_fork_wait(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

/* As fork, but for the copy of the address space, which varies from run to run. */
static void op_vfork_wait(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static void op_exec(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl(b.exe, "tool_marker", "/dev/null", NULL);
		_exit(1);
	}
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

/* What the command line names; nothing: all. */
static char **only;

static bool wanted(const char *name)
{
	int i;

	for (i = 0; only[i]; i++)
		if (!strcmp(only[i], name))
			return true;
	return !i;
}

static const struct op ops[] = {
	{ "getpid", op_getpid, 1000 },
	{ "gettid", op_gettid, 1000 },
	{ "read_zero", op_read_zero, 500 },
	{ "write_null", op_write_null, 500 },
	{ "file_read", op_file_read, 300 },
	{ "file_write", op_file_write, 300 },
	{ "open_close", op_open_close, 100 },
	{ "pipe", op_pipe, 100 },
	{ "unix", op_unix, 100 },
	{ "udp", op_udp, 50 },
	{ "tcp", op_tcp, 50 },
	{ "pty", op_pty, 10 },
	{ "kill_self", op_kill_self, 100 },
	{ "vfork_wait", op_vfork_wait, 0 },
	{ "fork_wait", op_fork_wait, 0 },
	{ "exec", op_exec, 0 },
};

static void on_usr1(int sig)
{
	(void)sig;
}

static void open_everything(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	check(n > 0, "/proc/self/exe");
	self[n] = '\0';
	snprintf(b.exe, sizeof(b.exe), "%s/guest/tool_marker", dirname(dirname(self)));
	check(!access(b.exe, X_OK), b.exe);
	check(!pair_open(&b.pipe, CH_PIPE) && !pair_open(&b.sock, CH_UNIX_STREAM) &&
	      !pair_open(&b.tcp, CH_TCP) && !pair_open(&b.udp, CH_UDP) &&
	      !pair_open(&b.pty, CH_PTY), "channels");
	b.zero = open("/dev/zero", O_RDONLY);
	b.null = open("/dev/null", O_WRONLY);
	b.file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	check(b.zero >= 0 && b.null >= 0 && b.file >= 0, "files");
	op_file_write();
	signal(SIGUSR1, on_usr1);
}

static void one_rule_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	      !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), "seccomp filter");
}

static void open_everything(void);

/* Here, between the controller's changes, which it makes when asked for. */
static void measure_turns(int ask)
{
	static const char *const state[] = { "none", "loaded", "policy" };
	unsigned int i, n, turn;
	char answer;

	for (turn = 0; turn < TURNS; turn++) {
		for (n = 0; n < 3; n++) {
			check(write(ask, &state[n][0], 1) == 1 && read(ask, &answer, 1) == 1,
			      "the controller");
			for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
				if (!ops[i].batch)
					measure(&ops[i], state[n]);
		}
	}
}

static int measuring(char *state, char *ask)
{
	unsigned int i;

	open_everything();
	if (!strcmp(state, "turns")) {
		measure_turns(atoi(ask));
		return 0;
	}
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].batch && wanted(ops[i].name))
			measure(&ops[i], state);
	return 0;
}

/*
 * In a process of its own, which is the same in all states: what a controller
 * has allocated would be copied by each fork.
 */
static pid_t start_measuring(char *state, int ask)
{
	char number[16], *argv[ARRAY_SIZE(ops) + 5] = { "bench_calls", "measure", state, number };
	pid_t pid;
	int i;

	for (i = 0; only[i]; i++)
		argv[4 + i] = only[i];

	snprintf(number, sizeof(number), "%d", ask);
	pid = fork();
	if (!pid) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	check(pid > 0, "fork");
	return pid;
}

static int end_measuring(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0) == pid, "waitpid");
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static int measure_all(char *state)
{
	return end_measuring(start_measuring(state, -1));
}

static void measure_named(const char *name, const char *state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(ops[i].name, name) && wanted(name))
			measure(&ops[i], state);
}

/* What a gate or a filter costs is seen at the cheapest call. */
static void measure_gettid(struct page *page, void *arg)
{
	(void)page;
	measure_named("gettid", arg);
}

/* Output is held, and let go at the wait for input that each but the first ends with. */
static void measure_held(struct page *page, void *arg)
{
	static const char *const held[] = { "open_close", "pipe", "unix", "udp", "tcp" };
	unsigned int i;

	measure_gettid(page, arg);
	open_everything();
	for (i = 0; i < ARRAY_SIZE(held); i++)
		measure_named(held[i], arg);
}

static void everything(struct policy *p)
{
	policy_hold(p);
	policy_faults(p);
	p->exec_sense = true;
	sysmap_set(p->never, SYS_ptrace);
	p->match[0] = "/usr/bin/true";
}

/* Measured in a child, as members are: the controller is refused. */
static int as_member(bool hold, char *state)
{
	struct rig r;
	int err;

	errno = -module_load();
	check(!errno, "loading the module");
	check(!rig_open(&r), "control interface");
	if (hold) {
		everything(&r.p);
		r.p.exec_sense = false;
	} else {
		policy_faults(&r.p);
	}
	err = rig_run(&r, hold ? measure_held : measure_gettid, state);
	if (err || !child_exited(&r.kid, 600000, 0)) {
		fprintf(stderr, "bench_calls: member: %d %s\n", err, r.c.ext);
		return 1;
	}
	return !rig_close(&r);
}

static struct {
	struct nlc c;
	struct policy p;
	bool loaded;
} control;

static void drop_policy(void)
{
	if (!control.loaded)
		return;
	check(!policy_unload(&control.c, control.p.name), "unloading the policy");
	nlc_close(&control.c);
	control.loaded = false;
}

/* The state with this first letter: none, loaded or policy. */
static void change_to(char state)
{
	drop_policy();
	errno = -(state == 'n' ? module_unload_wait(slow_ms(60000)) : module_load());
	check(!errno, "loading or unloading the module");
	if (state != 'p')
		return;
	check(!nlc_open(&control.c), "control interface");
	policy_init(&control.p);
	everything(&control.p);
	if (policy_load(&control.c, &control.p)) {
		fprintf(stderr, "bench_calls: policy: %s\n", control.c.ext);
		exit(1);
	}
	control.loaded = true;
}

static int in_turns(char *state)
{
	int sv[2];
	pid_t pid;
	char c;

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv), "socketpair");
	check(!fcntl(sv[0], F_SETFD, FD_CLOEXEC), "fcntl");
	pid = start_measuring(state, sv[1]);
	close(sv[1]);
	while (read(sv[0], &c, 1) == 1) {
		change_to(c);
		check(write(sv[0], &c, 1) == 1, "socketpair");
	}
	drop_policy();
	return end_measuring(pid);
}

int main(int argc, char **argv)
{
	bool inner = argc >= 4 && !strcmp(argv[1], "measure");
	char *state = argc >= 2 ? argv[1] : "";
	int wrong;

	if (!module_path())
		return 4;	/* kselftest's skip */
	errno = E2BIG;
	check(argc <= (int)ARRAY_SIZE(ops) + 4, "operations");
	only = argv + (inner ? 4 : argc >= 2 ? 2 : 1);
	same_layout(argv);
	stay_on_one_cpu();
	if (inner)
		return measuring(argv[2], argv[3]);
	if (!strcmp(state, "member") || !strcmp(state, "gate"))
		return as_member(state[0] == 'm', state);
	if (!strcmp(state, "none") || !strcmp(state, "loaded") || !strcmp(state, "policy")) {
		change_to(state[0]);
		wrong = measure_all(state);
		drop_policy();
		return wrong;
	}
	if (!strcmp(state, "turns"))
		return in_turns(state);
	if (!strcmp(state, "seccomp")) {
		change_to('n');
		one_rule_filter();
		return measure_all(state);
	}
	fprintf(stderr, "usage: bench_calls STATE [OPERATION...], STATE one of\n"
		"none loaded policy member gate seccomp turns\n");
	return 2;
}
