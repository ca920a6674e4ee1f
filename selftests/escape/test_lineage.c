// SPDX-License-Identifier: GPL-2.0
/*
 * Output by somebody that the member made or became: children of every kind,
 * other images, other owners, other namespaces, and the 32-bit system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "target.h"

#define DONE 10		/* page->count: attempts whose writer has written */

static char tool[512];

/* Result in value[62] where the writer cannot be waited for. */
static void write_and_tell(struct esc *x, unsigned int i)
{
	x->rig.kid.page->value[62] = by_write(x, i);
	x->rig.kid.page->count[DONE] = i + 1;
}

static int told(struct esc *x, unsigned int i)
{
	while (x->rig.kid.page->count[DONE] <= i)
		sched_yield();
	return x->rig.kid.page->value[62];
}

static int status_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, __WALL) != pid)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int by_fork(struct esc *x, unsigned int i)
{
	pid_t pid = fork();

	if (!pid)
		_exit(by_write(x, i) ? 1 : 0);
	return status_of(pid);
}

static int by_vfork(struct esc *x, unsigned int i)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(by_write(x, i) ? 1 : 0);
	return status_of(pid);
}

static int by_double_fork(struct esc *x, unsigned int i)
{
	pid_t pid = fork();
	int err;

	if (!pid) {
		setsid();
		if (!fork()) {
			setsid();
			write_and_tell(x, i);
		}
		_exit(0);
	}
	err = status_of(pid);
	return err ? err : told(x, i);
}

struct job {
	struct esc *x;
	unsigned int i;
	int err;
};

static void *write_job(void *arg)
{
	struct job *j = arg;

	j->err = by_write(j->x, j->i);
	return NULL;
}

static int by_thread(struct esc *x, unsigned int i)
{
	struct job j = { x, i, 0 };
	pthread_t t;

	if (pthread_create(&t, NULL, write_job, &j) || pthread_join(t, NULL))
		return -EAGAIN;
	return j.err;
}

static int write_job_and_exit(void *arg)
{
	write_job(arg);
	return 0;
}

static int by_clone_vm(struct esc *x, unsigned int i)
{
	struct job j = { x, i, 0 };
	static char stack[65536];
	pid_t pid = clone(write_job_and_exit, stack + sizeof(stack), CLONE_VM | SIGCHLD, &j);
	int err = status_of(pid);

	return err ? err : j.err;
}

static long raw_clone3(uint64_t flags, uint64_t sig, int cgroup)
{
	struct clone_args args = { .flags = flags, .exit_signal = sig, .cgroup = cgroup };

	return syscall(SYS_clone3, &args, sizeof(args));
}

static int by_clone_parent(struct esc *x, unsigned int i)
{
	long pid = raw_clone3(CLONE_PARENT, 0, 0);

	if (!pid) {
		write_and_tell(x, i);
		_exit(0);
	}
	return pid < 0 ? -errno : told(x, i);
}

/* They are children of the outside. */
static void reap_all(struct esc *x)
{
	int i;

	(void)x;
	for (i = 0; i < 10000 && waitpid(-1, NULL, WNOHANG | __WALL) > 0; i++)
		;
}

static int open_pipe(struct esc *x)
{
	int fd[2];

	/* Not to be lost at an exec. */
	if (pipe(fd))
		return -errno;
	x->rx = fd[0];
	x->tx = fd[1];
	return 0;
}

static int open_cgroup(struct esc *x)
{
	int err = open_pipe(x);

	if (err)
		return err;
	snprintf((char *)&x->to, sizeof(x->to), "/sys/fs/cgroup/selfheal.%d", getpid());
	if (mkdir((char *)&x->to, 0755))
		return esc_lack(x, -errno, "cgroup2 at /sys/fs/cgroup");
	x->fd[0] = open((char *)&x->to, O_RDONLY | O_DIRECTORY);
	return x->fd[0] < 0 ? -errno : 0;
}

static void close_cgroup(struct esc *x)
{
	int64_t end = now_ms() + BOUND;

	while (rmdir((char *)&x->to) && errno == EBUSY && now_ms() < end)
		pause_ms(2);
}

static int by_clone_into_cgroup(struct esc *x, unsigned int i)
{
	long pid = raw_clone3(CLONE_INTO_CGROUP, SIGCHLD, x->fd[0]);

	if (!pid)
		_exit(by_write(x, i) ? 1 : 0);
	return status_of(pid);
}

static int by_namespaces(struct esc *x, unsigned int i)
{
	long pid = raw_clone3(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC,
			      SIGCHLD, 0);

	if (!pid)
		_exit(by_write(x, i) ? 1 : 0);
	return status_of(pid);
}

/* ---- other images ---- */

static void tool_args(struct esc *x, unsigned int i, char fd[16], char text[TOKEN])
{
	snprintf(fd, 16, "%d", x->tx);
	esc_token(x, text, i, 0);
	text[TOKEN - 1] = '\0';
}

static int open_tool(struct esc *x)
{
	int err = tool_path("tool_token", tool, sizeof(tool));

	if (err)
		return err;
	/* A memfd with the program in it; FD_CLOEXEC would take a script's file away only. */
	if (x->row->arg) {
		int fd = memfd_create("tool", 0), from = open(tool, O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || from < 0 || fstat(from, &st) ||
		    sendfile(fd, from, NULL, st.st_size) != st.st_size)
			return -EIO;
		close(from);
		x->fd[0] = fd;
	}
	return open_pipe(x);
}

static int by_exec(struct esc *x, unsigned int i)
{
	char fd[16], text[TOKEN];
	pid_t pid;

	tool_args(x, i, fd, text);
	pid = fork();
	if (!pid) {
		execl(tool, tool, fd, text, NULL);
		_exit(1);
	}
	return status_of(pid);
}

static int by_memfd_exec(struct esc *x, unsigned int i)
{
	char fd[16], text[TOKEN];
	char *argv[] = { "tool", fd, text, NULL };
	pid_t pid;

	tool_args(x, i, fd, text);
	pid = fork();
	if (!pid) {
		syscall(SYS_execveat, x->fd[0], "", argv, environ, AT_EMPTY_PATH);
		_exit(1);
	}
	return status_of(pid);
}

/* A copy of the tool that makes nobody root. */
static int open_setuid(struct esc *x)
{
	char cmd[700];
	int err = open_tool(x);

	if (err)
		return err;
	snprintf(x->path, sizeof(x->path), "/tmp/selfheal.%d.setuid", getpid());
	snprintf(cmd, sizeof(cmd), "install -m 4755 -o root %s %s", tool, x->path);
	return system(cmd) ? -EIO : 0;
}

static int by_setuid_exec(struct esc *x, unsigned int i)
{
	char fd[16], text[TOKEN];
	pid_t pid;

	tool_args(x, i, fd, text);
	pid = fork();
	if (!pid) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(1);
		execl(x->path, x->path, fd, text, NULL);
		_exit(1);
	}
	return status_of(pid);
}

/* The writer is the thread that was the leader; the exec is another's. */
static void *exec_job(void *arg)
{
	struct job *j = arg;
	char fd[16], text[TOKEN];

	tool_args(j->x, j->i, fd, text);
	execl(tool, tool, fd, text, NULL);
	_exit(1);
}

static int by_thread_exec(struct esc *x, unsigned int i)
{
	struct job j = { x, i, 0 };
	pid_t pid = fork();
	pthread_t t;

	if (!pid) {
		if (pthread_create(&t, NULL, exec_job, &j))
			_exit(1);
		for (;;)
			pause();
	}
	return status_of(pid);
}

/* ---- the calls of 32-bit programs ---- */

#define NR32_WRITE 4
#define NR32_SOCKETCALL 102
#define NR32_WRITEV 146
#define NR32_SENDMSG 370
#define NR32_SENDTO 369
#define SOCKETCALL_SEND 9
#define SOCKETCALL_SENDMSG 16

struct low {
	char text[TOKEN];
	struct { uint32_t base, len; } iov;
	struct { uint32_t name, namelen, iov, iovlen, control, controllen, flags; } msg;
	uint32_t args[6];
};

static struct low *low(struct esc *x, unsigned int i)
{
	static struct low *l;

	if (!l)
		l = low_memory(sizeof(*l));
	if (!l)
		abort();
	memset(l, 0, sizeof(*l));
	esc_token(x, l->text, i, 0);
	l->iov.base = (uintptr_t)l->text;
	l->iov.len = TOKEN;
	l->msg.iov = (uintptr_t)&l->iov;
	l->msg.iovlen = 1;
	l->args[0] = x->tx;
	return l;
}

static int result32(long ret)
{
	return ret < 0 ? ret : ret == TOKEN ? 0 : -EIO;
}

static int by_write32(struct esc *x, unsigned int i)
{
	return result32(int80(NR32_WRITE, x->tx, (long)low(x, i)->text, TOKEN, 0, 0));
}

static int by_writev32(struct esc *x, unsigned int i)
{
	return result32(int80(NR32_WRITEV, x->tx, (long)&low(x, i)->iov, 1, 0, 0));
}

static int by_sendto32(struct esc *x, unsigned int i)
{
	return result32(int80(NR32_SENDTO, x->tx, (long)low(x, i)->text, TOKEN, 0, 0));
}

static int by_sendmsg32(struct esc *x, unsigned int i)
{
	return result32(int80(NR32_SENDMSG, x->tx, (long)&low(x, i)->msg, 0, 0, 0));
}

static int by_socketcall_send(struct esc *x, unsigned int i)
{
	struct low *l = low(x, i);

	l->args[1] = (uintptr_t)l->text;
	l->args[2] = TOKEN;
	return result32(int80(NR32_SOCKETCALL, SOCKETCALL_SEND, (long)l->args, 0, 0, 0));
}

static int by_socketcall_sendmsg(struct esc *x, unsigned int i)
{
	struct low *l = low(x, i);

	l->args[1] = (uintptr_t)&l->msg;
	return result32(int80(NR32_SOCKETCALL, SOCKETCALL_SENDMSG, (long)l->args, 0, 0, 0));
}

/* Whose births and execs race with the freeze: guest/test_freeze_escape, guest/test_member. */
#define BORN .open = open_pipe, .race = "births"
#define IMAGE .open = open_tool, .race = "births"

static const struct row rows[] = {
	{ "by.fork", "child", BORN, .attempt = by_fork },
	{ "by.vfork", "child", BORN, .attempt = by_vfork },
	{ "by.double-fork", "child", BORN, .attempt = by_double_fork },
	{ "by.thread", "child", BORN, .attempt = by_thread },
	{ "by.clone-vm", "child", BORN, .attempt = by_clone_vm },
	{ "by.clone-parent", "child", BORN, .attempt = by_clone_parent, .close = reap_all },
	{ "by.clone-into-cgroup", "child", .open = open_cgroup, .race = "births", .close = close_cgroup,
	  .attempt = by_clone_into_cgroup },
	{ "by.namespaces", "child", BORN, .attempt = by_namespaces },
	{ "by.exec", "exec", IMAGE, .attempt = by_exec },
	{ "by.memfd-exec", "exec", IMAGE, .arg = 1, .attempt = by_memfd_exec },
	{ "by.setuid-exec", "exec", .open = open_setuid, .race = "births", .attempt = by_setuid_exec },
	{ "by.thread-exec", "exec", IMAGE, .attempt = by_thread_exec },
	{ "int80.write", "32-bit calls", .kind = CH_PIPE, .attempt = by_write32 },
	{ "int80.writev", "32-bit calls", .kind = CH_TCP, .attempt = by_writev32 },
	{ "int80.sendto", "32-bit calls", .kind = CH_TCP, .attempt = by_sendto32 },
	{ "int80.sendmsg", "32-bit calls", .kind = CH_UNIX_STREAM, .attempt = by_sendmsg32 },
	{ "int80.socketcall-send", "32-bit calls", .kind = CH_TCP,
	  .attempt = by_socketcall_send },
	{ "int80.socketcall-sendmsg", "32-bit calls", .kind = CH_UNIX_DGRAM,
	  .attempt = by_socketcall_sendmsg, .look = look_messages },
};

ESCAPE_MAIN(rows)
