// SPDX-License-Identifier: GPL-2.0
/*
 * A program that always makes the same system calls with the same results: held output, waits,
 * processes, threads, signals, files and errors. Processes and threads take turns, so that
 * each one's own list of calls is the same in every run.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_signal(int sig)
{
	(void)sig;
}

static void must(int ok)
{
	if (!ok)
		_exit(1);
}

static void pipes(void)
{
	char buf[64];
	struct iovec iov[2] = { { "one", 3 }, { "two", 3 } };
	const void *volatile nowhere = NULL;
	int fd[2];

	must(!pipe(fd));
	must(write(fd[1], "hello", 5) == 5);
	must(writev(fd[1], iov, 2) == 6);
	/* A wait: what was written comes in time. */
	must(read(fd[0], buf, sizeof(buf)) == 11);
	must(write(fd[1], nowhere, 1) < 0 && errno == EFAULT);
	must(write(fd[0], "x", 1) < 0 && errno == EBADF);
	close(fd[0]);
	must(write(fd[1], "x", 1) < 0 && errno == EPIPE);
	close(fd[1]);
}

static void sockets(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct pollfd pfd;
	char buf[64];
	int sv[2], fd;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	must(send(sv[0], "stream", 6, MSG_NOSIGNAL) == 6);
	must(!shutdown(sv[0], SHUT_WR));
	pfd = (struct pollfd){ .fd = sv[1], .events = POLLIN };
	must(poll(&pfd, 1, 10000) == 1);
	must(recv(sv[1], buf, sizeof(buf), MSG_WAITALL) == 6);
	must(recv(sv[1], buf, sizeof(buf), 0) == 0);
	close(sv[0]);
	must(send(sv[1], "late", 4, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	close(sv[1]);

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(47110);
	must(!bind(fd, (struct sockaddr *)&sin, len));
	must(sendto(fd, "datagram", 8, 0, (struct sockaddr *)&sin, len) == 8);
	must(recv(fd, buf, sizeof(buf), 0) == 8);
	must(sendto(fd, "datagram", 8, MSG_OOB, (struct sockaddr *)&sin, len) < 0);
	close(fd);
	must(send(fd, "x", 1, 0) < 0 && errno == EBADF);
}

static void files(void)
{
	char buf[16];
	int fd, out[2];

	fd = memfd_create("fixed", 0);
	must(write(fd, "contents", 8) == 8);
	must(pread(fd, buf, 8, 0) == 8);
	must(lseek(fd, 0, SEEK_SET) == 0);
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, out));
	must(sendfile(out[0], fd, NULL, 8) == 8);
	must(read(out[1], buf, 8) == 8);
	close(out[0]);
	close(out[1]);
	close(fd);
	must(open("/nonexistent/selfheal", O_RDONLY) < 0);
	fd = open("/dev/null", O_WRONLY);
	must(write(fd, "nothing", 7) == 7);
	close(fd);
}

static void waits(void)
{
	struct timespec ts = { 0, 1000000 };
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t one = 1;
	int ep, fd;

	must(!nanosleep(&ts, NULL));
	fd = eventfd(0, 0);
	ep = epoll_create1(0);
	must(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	must(epoll_wait(ep, &ev, 1, 0) == 0);
	must(write(fd, &one, 8) == 8);
	must(epoll_wait(ep, &ev, 1, -1) == 1);
	must(read(fd, &one, 8) == 8);
	close(ep);
	close(fd);
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set, old;

	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	must(sigsuspend(&old) < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &old, NULL);
	raise(SIGUSR1);
}

static void processes(const char *self)
{
	char *const argv[] = { (char *)self, "leaf", NULL };
	char *const envp[] = { NULL };
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		pipes();
		_exit(7);
	}
	must(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	pid = vfork();
	if (!pid) {
		execve(self, argv, envp);
		_exit(1);
	}
	must(waitpid(pid, &status, 0) == pid && !status);
	pid = fork();
	if (!pid) {
		raise(SIGKILL);
		_exit(1);
	}
	must(waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
}

static atomic_int thread_id, thread_go;

static int thread(void *arg)
{
	int *fd = arg;

	while (!atomic_load(&thread_go))
		;
	must(write(fd[1], "thread", 6) == 6);
	syscall(SYS_gettid);
	syscall(SYS_exit, 0);
	return 0;
}

/* Not by the C library, whose futex calls depend on who is first. */
static void threads(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char buf[8];
	int fd[2];

	must(!pipe(fd));
	atomic_store(&thread_id, -1);
	must(clone(thread, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES |
		   CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID,
		   fd, NULL, NULL, &thread_id) > 0);
	atomic_store(&thread_go, 1);
	/* One after the other: audit does not tell threads apart. */
	while (atomic_load(&thread_id))
		;
	/* What it wrote goes out as it exits, or this waits for it. */
	must(read(fd[0], buf, 6) == 6);
	close(fd[0]);
	close(fd[1]);
}

int main(int argc, char **argv)
{
	sigset_t set;

	(void)argv;
	if (argc > 1)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	/* It may come before the call that waits for the child, or after it. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pipes();
	sockets();
	files();
	waits();
	signals();
	processes("/proc/self/exe");
	threads();
	prctl(PR_SET_NAME, "fixed");
	must(syscall(1000) < 0 && errno == ENOSYS);
	return 0;
}
