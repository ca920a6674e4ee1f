// SPDX-License-Identifier: GPL-2.0
/*
 * Signals to a process outside, by every call that sends one and by what makes
 * the kernel send one. The target queues real-time signals and puts out a token
 * for each; where the sender may choose a value, it is the token's number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define SIG (SIGRTMIN + 3)
#define NR_IA32_KILL 37
#define NR_IA32_TKILL 238
#define NR_IA32_TGKILL 270

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void count_signals(struct esc *x, int out)
{
	unsigned int n = 0;
	siginfo_t info;
	sigset_t set;

	(void)x;
	sigemptyset(&set);
	sigaddset(&set, SIG);
	for (;;) {
		if (sigwaitinfo(&set, &info) != SIG)
			continue;
		target_token(out, info.si_code == SI_QUEUE ? info.si_value.sival_int : (int)n);
		n++;
	}
}

/* A process group of its own, for kill() of groups. */
static void own_group(struct esc *x, int out)
{
	setpgid(0, 0);
	count_signals(x, out);
}

static int open_target(struct esc *x)
{
	int err;

	/* Before the fork: no signal may find it unprepared. */
	block(SIG);
	err = target_start(x, x->row->arg ? own_group : count_signals);
	if (!err && x->row->arg)
		setpgid(target_pid(x), target_pid(x));
	return err;
}

static int by_kill(struct esc *x, unsigned int i)
{
	(void)i;
	return kill(target_pid(x), SIG) ? -errno : 0;
}

static int by_kill_group(struct esc *x, unsigned int i)
{
	(void)i;
	return kill(-target_pid(x), SIG) ? -errno : 0;
}

static int by_tkill(struct esc *x, unsigned int i)
{
	(void)i;
	return syscall(SYS_tkill, target_pid(x), SIG) ? -errno : 0;
}

static int by_tgkill(struct esc *x, unsigned int i)
{
	(void)i;
	return syscall(SYS_tgkill, target_pid(x), target_pid(x), SIG) ? -errno : 0;
}

static void queue_info(siginfo_t *info, unsigned int i)
{
	memset(info, 0, sizeof(*info));
	info->si_signo = SIG;
	info->si_code = SI_QUEUE;
	info->si_pid = getpid();
	info->si_uid = getuid();
	info->si_value.sival_int = i;
}

static int by_sigqueue(struct esc *x, unsigned int i)
{
	siginfo_t info;

	queue_info(&info, i);
	return syscall(SYS_rt_sigqueueinfo, target_pid(x), SIG, &info) ? -errno : 0;
}

static int by_tgsigqueue(struct esc *x, unsigned int i)
{
	siginfo_t info;

	queue_info(&info, i);
	return syscall(SYS_rt_tgsigqueueinfo, target_pid(x), target_pid(x), SIG, &info) ?
		-errno : 0;
}

static int by_pidfd(struct esc *x, unsigned int i)
{
	siginfo_t info;

	queue_info(&info, i);
	return syscall(SYS_pidfd_send_signal, target_pidfd(x), SIG, &info, 0) ? -errno : 0;
}

static int by_int80_kill(struct esc *x, unsigned int i)
{
	(void)i;
	return int80(NR_IA32_KILL, target_pid(x), SIG, 0, 0, 0);
}

static int by_int80_tkill(struct esc *x, unsigned int i)
{
	(void)i;
	return int80(NR_IA32_TKILL, target_pid(x), SIG, 0, 0, 0);
}

static int by_int80_tgkill(struct esc *x, unsigned int i)
{
	(void)i;
	return int80(NR_IA32_TGKILL, target_pid(x), target_pid(x), SIG, 0, 0);
}

/*
 * A socket pair of the member's own: what it writes into one end makes the
 * other raise SIG at the owner that it has set. fd[0], fd[1] come from outside,
 * so that the frozen phase needs no more than one call an attempt.
 */
static int open_async(struct esc *x)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
		return -errno;
	x->fd[0] = fd[0];
	x->fd[1] = fd[1];
	return open_target(x);
}

static int set_owner(struct esc *x, int fd)
{
	struct f_owner_ex ex = { F_OWNER_PID, target_pid(x) };
	int pid = target_pid(x);

	switch (x->row->arg) {
	case 0:
		return fcntl(fd, F_SETOWN, pid);
	case 1:
		return fcntl(fd, F_SETOWN_EX, &ex);
	default:
		return ioctl(fd, FIOSETOWN, &pid);
	}
}

/*
 * Each attempt asks for the owner anew: a refusal is an answer, and so is an
 * owner that is not there afterwards.
 */
static int by_owner(struct esc *x, unsigned int i)
{
	int on = 1;
	char c = 0;

	(void)i;
	if (set_owner(x, x->fd[0]))
		return -errno;
	if (fcntl(x->fd[0], F_GETOWN) != target_pid(x))
		return -EPERM;
	if (fcntl(x->fd[0], F_SETSIG, SIG) || ioctl(x->fd[0], FIOASYNC, &on))
		return -errno;
	if (write(x->fd[1], "x", 1) != 1)
		return -errno;
	/* Not before the last byte is gone is there another edge. */
	if (!rx_ready(x->fd[0], 1000) || read(x->fd[0], &c, 1) != 1)
		return -EIO;
	return 0;
}

/* The owner was set before the process became a member. */
static int prepare_owner(struct esc *x)
{
	int on = 1;

	if (fcntl(x->fd[0], F_SETOWN, target_pid(x)) || fcntl(x->fd[0], F_SETSIG, SIG) ||
	    ioctl(x->fd[0], FIOASYNC, &on))
		return -errno;
	return 0;
}

static int by_kept_owner(struct esc *x, unsigned int i)
{
	char c;

	(void)i;
	if (write(x->fd[1], "x", 1) != 1)
		return -errno;
	/* Nothing to read where the byte is held. */
	if (read(x->fd[0], &c, 1) < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}

/*
 * Children of threads, born outside, that ask for a signal when their parent,
 * a thread that is a member by then, dies. Attempt i is the death of thread i.
 */
#define ORPHANS 2
#define ORPHAN_HEARD 9		/* page->count */

struct mother {
	struct esc *x;
	unsigned int i;
	int ready[2];
};

static void orphan(struct mother *m)
{
	sigset_t set;

	prctl(PR_SET_PDEATHSIG, SIG);
	sigemptyset(&set);
	sigaddset(&set, SIG);
	if (write(m->ready[1], "x", 1) != 1)
		_exit(1);
	while (sigwaitinfo(&set, NULL) != SIG)
		;
	target_token(m->x->fd[0], m->i);
	m->x->rig.kid.page->count[ORPHAN_HEARD]++;
	_exit(0);
}

static void *mother(void *arg)
{
	struct mother *m = arg;
	struct page *page = m->x->rig.kid.page;

	if (!fork())
		orphan(m);
	while (page->count[ORPHAN_HEARD + 1] <= m->i)
		sched_yield();
	return NULL;
}

static int prepare_orphans(struct esc *x)
{
	static struct mother m[ORPHANS];
	pthread_t t;
	unsigned int i;
	char c;

	block(SIG);
	for (i = 0; i < ORPHANS; i++) {
		m[i].x = x;
		m[i].i = i;
		if (pipe(m[i].ready) || pthread_create(&t, NULL, mother, &m[i]))
			return -errno;
		if (read(m[i].ready[0], &c, 1) != 1)
			return -EIO;
		close(m[i].ready[0]);
		close(m[i].ready[1]);
	}
	/* From now on the children alone can write to it. */
	close(x->fd[0]);
	return 0;
}

static int open_orphans(struct esc *x)
{
	int fd[2];

	if (pipe(fd))
		return -errno;
	x->rx = fd[0];
	x->fd[0] = fd[1];
	return 0;
}

/* In order: the next attempt follows when this one was heard. */
static int by_death(struct esc *x, unsigned int i)
{
	struct page *page = x->rig.kid.page;
	int64_t end = now_ms() + BOUND;

	page->count[ORPHAN_HEARD + 1] = i + 1;
	while (page->count[ORPHAN_HEARD] <= i) {
		if (now_ms() >= end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

/*
 * A child of the member that is a child of the outside (CLONE_PARENT) tells it
 * eight bits by its exit status.
 */
#define STATUS_SLOT(i) ((i) % 30 + 32)	/* page->value: its pid, 0 when it is reaped */

static int open_status(struct esc *x)
{
	(void)x;
	return 0;
}

static int by_status(struct esc *x, unsigned int i)
{
	struct clone_args args = { .flags = CLONE_PARENT };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(i % 256);
	if (pid < 0)
		return -errno;
	x->rig.kid.page->value[STATUS_SLOT(i)] = pid;
	return 0;
}

static void look_status(struct esc *x)
{
	_Atomic int64_t *slot;
	int status;

	while (*(slot = &x->rig.kid.page->value[STATUS_SLOT(x->seen)])) {
		if (waitpid(*slot, &status, WNOHANG | __WALL) != *slot)
			return;
		*slot = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != x->seen % 256)
			esc_wrong(x, "status %x where %u was due", status, x->seen % 256);
		esc_took(x, 1);
	}
}

#define TARGET .open = open_target, .close = target_end, .held = ROW_DENIED, .error = EPERM

static const struct row rows[] = {
	{ "kill", "signal", TARGET, .attempt = by_kill },
	{ "kill.group", "signal", TARGET, .arg = 1, .attempt = by_kill_group },
	{ "tkill", "signal", TARGET, .attempt = by_tkill },
	{ "tgkill", "signal", TARGET, .attempt = by_tgkill },
	{ "rt_sigqueueinfo", "signal", TARGET, .attempt = by_sigqueue },
	{ "rt_tgsigqueueinfo", "signal", TARGET, .attempt = by_tgsigqueue },
	{ "pidfd_send_signal", "signal", TARGET, .attempt = by_pidfd },
	{ "int80.kill", "signal", TARGET, .attempt = by_int80_kill },
	{ "int80.tkill", "signal", TARGET, .attempt = by_int80_tkill },
	{ "int80.tgkill", "signal", TARGET, .attempt = by_int80_tgkill },
	{ "f_setown", "signal", .open = open_async, .close = target_end, .held = ROW_DENIED,
	  .error = EPERM, .attempt = by_owner },
	{ "f_setown_ex", "signal", .open = open_async, .close = target_end, .held = ROW_DENIED,
	  .error = EPERM, .arg = 1, .attempt = by_owner },
	{ "fiosetown", "signal", .open = open_async, .close = target_end, .held = ROW_DENIED,
	  .error = EPERM, .arg = 2, .attempt = by_owner },
	{ "f_setown.kept", "signal", .open = open_async, .close = target_end,
	  .prepare = prepare_owner, .attempt = by_kept_owner, .held = ROW_HELD,
	  .note = "the byte that would raise it is held" },
	{ "pdeathsig", "signal", .open = open_orphans, .prepare = prepare_orphans,
	  .attempt = by_death, .max = ORPHANS, .held = ROW_PASSED,
	  .note = "a death is to be seen, as any exit is; the frozen do not die" },
	{ "exit-status", "exit status", .open = open_status, .attempt = by_status,
	  .look = look_status, .held = ROW_PASSED, .halts = true,
	  .note = "8 bits an exit to a parent outside; the frozen do not exit" },
};

ESCAPE_MAIN(rows)
