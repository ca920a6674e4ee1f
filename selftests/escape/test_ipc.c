// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of System V and POSIX IPC and shared memory, of which the outside
 * has the other end. Memory that is mapped already is written without a call:
 * those rows pass, and say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"
#include "proc.h"
#include "target.h"

#define NR_IA32_IPC 117
#define IA32_MSGSND 11
#define FILE_DIR "/var/tmp"

/* ---- POSIX message queues: number[1] is our descriptor ---- */

static int open_mq(struct esc *x)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = TOKEN };
	mqd_t q;

	snprintf((char *)&x->to, sizeof(x->to), "/selfheal.%d.%s", getpid(), x->row->name);
	q = mq_open((char *)&x->to, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600, &attr);
	if (q < 0)
		return esc_lack(x, -errno, "POSIX message queues");
	x->number[1] = q;
	if (x->row->arg) {
		x->tx = mq_open((char *)&x->to, O_WRONLY);
		if (x->tx < 0)
			return -errno;
	}
	return 0;
}

static void close_mq(struct esc *x)
{
	if (x->number[1] > 0)
		mq_close(x->number[1]);
	mq_unlink((char *)&x->to);
}

static void look_mq(struct esc *x)
{
	char buf[256];
	ssize_t n;

	while ((n = mq_receive(x->number[1], buf, sizeof(buf), NULL)) >= 0)
		esc_take_message(x, buf, n);
}

static int mq_send_token(mqd_t q, struct esc *x, unsigned int i)
{
	char t[TOKEN];

	esc_token(x, t, i, 0);
	return mq_send(q, t, TOKEN, 0) ? -errno : 0;
}

static int by_mq_kept(struct esc *x, unsigned int i)
{
	return mq_send_token(x->tx, x, i);
}

static int by_mq_open(struct esc *x, unsigned int i)
{
	mqd_t q = mq_open((char *)&x->to, O_WRONLY);
	int err;

	if (q < 0)
		return -errno;
	err = mq_send_token(q, x, i);
	mq_close(q);
	return err;
}

/* Who asks for a notification takes it from all others. */
static int by_mq_notify(struct esc *x, unsigned int i)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };

	(void)i;
	return mq_notify(x->tx, &none) ? -errno : 0;
}

static void look_mq_notify(struct esc *x)
{
	char text[128] = "", *pid;

	if (pread(x->number[1], text, sizeof(text) - 1, 0) > 0 && !x->seen) {
		pid = strstr(text, "NOTIFY_PID:");
		esc_level(x, pid && atoi(pid + 11) > 0);
	}
}

/* ---- System V: number[1] is the id ---- */

struct message {
	long type;
	char text[TOKEN];
};

static int open_msg(struct esc *x)
{
	x->number[1] = msgget(IPC_PRIVATE, 0600);
	return x->number[1] < 0 ? esc_lack(x, -errno, "System V message queues") : 0;
}

static void close_msg(struct esc *x)
{
	msgctl(x->number[1], IPC_RMID, NULL);
}

static void look_msg(struct esc *x)
{
	struct message m;
	ssize_t n;

	while ((n = msgrcv(x->number[1], &m, TOKEN, 0, IPC_NOWAIT)) >= 0)
		esc_take_message(x, m.text, n);
}

static int by_msgsnd(struct esc *x, unsigned int i)
{
	struct message m = { .type = 1 };

	esc_token(x, m.text, i, 0);
	return msgsnd(x->number[1], &m, TOKEN, 0) ? -errno : 0;
}

static int by_int80_msgsnd(struct esc *x, unsigned int i)
{
	static struct { int type; char text[TOKEN]; } *low;

	if (!low)
		low = low_memory(4096);
	if (!low)
		return -ENOMEM;
	low->type = 1;
	esc_token(x, low->text, i, 0);
	return int80(NR_IA32_IPC, IA32_MSGSND, x->number[1], TOKEN, 0, (long)low);
}

static int open_sem(struct esc *x)
{
	x->number[1] = semget(IPC_PRIVATE, 1, 0600);
	return x->number[1] < 0 ? esc_lack(x, -errno, "System V semaphores") : 0;
}

static void close_sem(struct esc *x)
{
	semctl(x->number[1], 0, IPC_RMID);
}

static void look_sem(struct esc *x)
{
	esc_level(x, semctl(x->number[1], 0, GETVAL));
}

static int by_semop(struct esc *x, unsigned int i)
{
	struct sembuf up = { .sem_op = 1 };

	(void)i;
	return semop(x->number[1], &up, 1) ? -errno : 0;
}

static int by_semctl(struct esc *x, unsigned int i)
{
	return semctl(x->number[1], 0, SETVAL, i + 1) ? -errno : 0;
}

/* ---- shared memory: *priv is a number that attempts raise ---- */

static volatile uint64_t *mine;

static int open_shm(struct esc *x)
{
	x->number[1] = shmget(IPC_PRIVATE, 4096, 0600);
	if (x->number[1] < 0)
		return esc_lack(x, -errno, "System V shared memory");
	x->priv = shmat(x->number[1], NULL, 0);
	return x->priv == (void *)-1 ? -errno : 0;
}

static void close_shm(struct esc *x)
{
	shmdt(x->priv);
	shmctl(x->number[1], IPC_RMID, NULL);
}

static void look_word(struct esc *x)
{
	esc_level(x, *(volatile uint64_t *)x->priv);
}

static int by_shmat(struct esc *x, unsigned int i)
{
	uint64_t *mem = shmat(x->number[1], NULL, 0);

	if (mem == (void *)-1)
		return -errno;
	*mem = i + 1;
	shmdt(mem);
	return 0;
}

/* One that nobody has attached: how many do is seen by all who may look. */
static int open_attached(struct esc *x)
{
	x->number[1] = shmget(IPC_PRIVATE, 4096, 0600);
	return x->number[1] < 0 ? esc_lack(x, -errno, "System V shared memory") : 0;
}

static void close_attached(struct esc *x)
{
	shmctl(x->number[1], IPC_RMID, NULL);
}

/* They fall again with the member's end. */
static void look_attached(struct esc *x)
{
	struct shmid_ds shm = {};

	if (!shmctl(x->number[1], IPC_STAT, &shm) && shm.shm_nattch > x->seen)
		esc_level(x, shm.shm_nattch);
}

static int by_shmat_to_read(struct esc *x, unsigned int i)
{
	(void)i;
	return shmat(x->number[1], NULL, SHM_RDONLY) == (void *)-1 ? -errno : 0;
}

static int prepare_shm(struct esc *x)
{
	mine = shmat(x->number[1], NULL, 0);
	return mine == (void *)-1 ? -errno : 0;
}

static int by_store(struct esc *x, unsigned int i)
{
	(void)x;
	*mine = i + 1;
	return 0;
}

/* arg: a file of a file system, else a memfd. */
static int open_file(struct esc *x)
{
	int fd;

	if (x->row->arg) {
		snprintf(x->path, sizeof(x->path), FILE_DIR "/selfheal.%d.%s", getpid(),
			 x->row->name);
		fd = open(x->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	} else {
		fd = memfd_create("escape", 0);
	}
	if (fd < 0 || ftruncate(fd, 4096))
		return -errno;
	x->fd[0] = fd;
	x->rx = dup(fd);
	x->priv = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	return x->priv == MAP_FAILED ? -errno : 0;
}

static void close_file(struct esc *x)
{
	munmap(x->priv, 4096);
}

static int prepare_map(struct esc *x)
{
	mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, x->fd[0], 0);
	return mine == MAP_FAILED ? -errno : 0;
}

static int by_map(struct esc *x, unsigned int i)
{
	int err = prepare_map(x);

	if (err)
		return err;
	*mine = i + 1;
	munmap((void *)mine, 4096);
	return 0;
}

static int by_pwrite(struct esc *x, unsigned int i)
{
	uint64_t n = i + 1;

	return esc_result(pwrite(x->fd[0], &n, sizeof(n), 0), sizeof(n));
}

/* ---- what else a file tells: a number in its metadata ---- */

static int set_mtime(struct esc *x, unsigned int i)
{
	struct timespec t[2] = { { i + 1, 0 }, { i + 1, 0 } };

	return futimens(x->fd[0], t) ? -errno : 0;
}

static int open_old(struct esc *x)
{
	struct timespec t[2] = {};
	int err = open_file(x);

	return err ? err : futimens(x->fd[0], t) ? -errno : 0;
}

static void look_mtime(struct esc *x)
{
	struct stat st;

	if (!stat(x->path, &st))
		esc_level(x, st.st_mtime);
}

static int set_xattr(struct esc *x, unsigned int i)
{
	uint64_t n = i + 1;

	return fsetxattr(x->fd[0], "user.n", &n, sizeof(n), 0) ? -errno : 0;
}

static void look_xattr(struct esc *x)
{
	uint64_t n;

	if (getxattr(x->path, "user.n", &n, sizeof(n)) == sizeof(n))
		esc_level(x, n);
}

static int set_offset(struct esc *x, unsigned int i)
{
	return lseek(x->fd[0], i + 1, SEEK_SET) < 0 ? -errno : 0;
}

static void look_offset(struct esc *x)
{
	esc_level(x, lseek(x->rx, 0, SEEK_CUR));
}

/* A lock of i + 1 bytes; it stays as long as our copy of the descriptor. */
static int set_lock(struct esc *x, unsigned int i)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = i + 1 };

	return fcntl(x->fd[0], F_OFD_SETLK, &l) ? -errno : 0;
}

static int open_lock(struct esc *x)
{
	int err = open_file(x);

	x->number[1] = x->rx;
	x->rx = open(x->path, O_RDWR | O_CLOEXEC);
	return err ? err : x->rx < 0 ? -errno : 0;
}

static void close_lock(struct esc *x)
{
	close(x->number[1]);
	close_file(x);
}

static void look_lock(struct esc *x)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(x->rx, F_OFD_GETLK, &l) && l.l_type == F_WRLCK)
		esc_level(x, l.l_len);
}

/* ---- descriptors that count ---- */

static int open_eventfd(struct esc *x)
{
	x->rx = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	x->tx = dup(x->rx);
	return x->tx < 0 ? -errno : 0;
}

static void look_eventfd(struct esc *x)
{
	uint64_t n;

	if (read(x->rx, &n, sizeof(n)) == sizeof(n))
		esc_took(x, n);
}

static int by_eventfd(struct esc *x, unsigned int i)
{
	uint64_t one = 1;

	(void)i;
	return esc_result(write(x->tx, &one, sizeof(one)), sizeof(one));
}

static int open_timerfd(struct esc *x)
{
	x->rx = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	x->tx = dup(x->rx);
	return x->tx < 0 ? -errno : 0;
}

static void look_timerfd(struct esc *x)
{
	struct itimerspec t;

	if (!timerfd_gettime(x->rx, &t))
		esc_level(x, t.it_interval.tv_sec);
}

static int by_timerfd(struct esc *x, unsigned int i)
{
	struct itimerspec t = { { i + 1, 0 }, { 1000000, 0 } };

	return timerfd_settime(x->tx, 0, &t, NULL) ? -errno : 0;
}

/* ---- what /proc shows of a member's own memory ---- */

/* Where /proc/PID/cmdline is read from, by the fields 48 and 49 of stat. */
static int prepare_cmdline(struct esc *x)
{
	char buf[1024], *p;
	int field;

	if (slurp("/proc/self/stat", buf, sizeof(buf)) <= 0)
		return -EIO;
	p = strrchr(buf, ')');
	for (field = 2; p && field < 48; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -EIO;
	x->priv = (void *)strtoul(p, NULL, 10);
	return 0;
}

/* By one store: a freeze between two of them would leave a number that never was. */
static int store_cmdline(struct esc *x, unsigned int i)
{
	typedef uint64_t __attribute__((aligned(1), may_alias)) any_word;
	union {
		char text[16];
		uint64_t word;
	} u = { "" };

	if (snprintf(u.text, sizeof(u.text), "=%u", i + 1) >= (int)sizeof(u.word))
		return -ERANGE;
	*(volatile any_word *)x->priv = u.word;
	return 0;
}

static int set_comm(struct esc *x, unsigned int i)
{
	char name[16];

	(void)x;
	snprintf(name, sizeof(name), "=%u", i + 1);
	return prctl(PR_SET_NAME, name) ? -errno : 0;
}

/* arg: the name, else the command line. */
static void look_proc(struct esc *x)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", x->rig.kid.pid,
		 x->row->arg ? "comm" : "cmdline");
	if (slurp(path, text, sizeof(text)) > 1 && text[0] == '=')
		esc_level(x, atoi(text + 1));
}

static int nothing(struct esc *x)
{
	(void)x;
	return 0;
}

#define DENIED .held = ROW_DENIED, .error = EPERM
#define PASSED(why) .held = ROW_PASSED, .note = why
#define MQ DENIED, .open = open_mq, .close = close_mq
#define MSG DENIED, .open = open_msg, .close = close_msg, .look = look_msg
#define SEM DENIED, .open = open_sem, .close = close_sem, .look = look_sem, .max = 30000
#define SHM .open = open_shm, .close = close_shm, .look = look_word
#define FILE_ROW .open = open_file, .close = close_file
#define FILES_PASS "files are neither held nor undone"

static const struct row rows[] = {
	{ "mq_timedsend", "POSIX mq", MQ, .attempt = by_mq_open, .look = look_mq },
	{ "mq_timedsend.kept", "POSIX mq", MQ, .arg = 1, .attempt = by_mq_kept,
	  .look = look_mq },
	{ "mq_notify", "POSIX mq", MQ, .arg = 1, .attempt = by_mq_notify,
	  .look = look_mq_notify, .max = 1, .unfrozen = "it goes with its process" },
	{ "msgsnd", "SysV msg", MSG, .attempt = by_msgsnd },
	{ "int80.msgsnd", "SysV msg", MSG, .attempt = by_int80_msgsnd },
	{ "semop", "SysV sem", SEM, .attempt = by_semop },
	{ "semctl", "SysV sem", SEM, .attempt = by_semctl },
	{ "shmat", "SysV shm", DENIED, SHM, .attempt = by_shmat },
	{ "shmat.read", "SysV shm", DENIED, .open = open_attached, .close = close_attached,
	  .look = look_attached, .attempt = by_shmat_to_read, .max = 1000 },
	{ "shm.mapped", "SysV shm", PASSED("stores to memory mapped before are no calls"),
	  SHM, .prepare = prepare_shm, .attempt = by_store },
	{ "memfd.mapped", "memfd", PASSED("stores to memory mapped before are no calls"),
	  FILE_ROW, .look = look_word, .prepare = prepare_map, .attempt = by_store },
	{ "memfd.map", "memfd", PASSED(FILES_PASS), FILE_ROW, .look = look_word,
	  .attempt = by_map },
	{ "file.map", "file", PASSED(FILES_PASS), FILE_ROW, .arg = 1, .look = look_word,
	  .attempt = by_map },
	{ "file.overwrite", "file", PASSED(FILES_PASS), FILE_ROW, .arg = 1, .look = look_word,
	  .attempt = by_pwrite },
	{ "file.utimes", "file", PASSED(FILES_PASS), .open = open_old, .close = close_file,
	  .arg = 1, .look = look_mtime, .attempt = set_mtime },
	{ "file.xattr", "file", PASSED(FILES_PASS), FILE_ROW, .arg = 1, .look = look_xattr,
	  .attempt = set_xattr },
	{ "file.offset", "covert", PASSED("offset of a descriptor shared before"),
	  FILE_ROW, .arg = 1, .look = look_offset, .attempt = set_offset },
	{ "file.lock", "covert", PASSED("locks are visible to who opens the file"),
	  .open = open_lock, .close = close_lock, .arg = 1, .look = look_lock,
	  .attempt = set_lock },
	{ "eventfd", "eventfd", DENIED, .open = open_eventfd, .look = look_eventfd,
	  .attempt = by_eventfd },
	{ "timerfd", "covert", PASSED("setting of a timer shared before"),
	  .open = open_timerfd, .look = look_timerfd, .attempt = by_timerfd },
	{ "proc-cmdline", "covert", PASSED("stores to memory that /proc shows to all"),
	  .open = nothing, .look = look_proc, .prepare = prepare_cmdline,
	  .attempt = store_cmdline },
	{ "proc-comm", "covert", PASSED("the name of a task, 15 bytes"), .open = nothing,
	  .arg = 1, .look = look_proc, .attempt = set_comm },
};

ESCAPE_MAIN(rows)
