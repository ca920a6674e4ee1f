// SPDX-License-Identifier: GPL-2.0
/* Calls judged by their registers: what waits, and what is of a channel. */
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "shim.h"

/* Descriptors and pids of this test's making. */
#define SELFHEAL_COMPAT_FILES_H
struct fd {
	struct file *file;
};

static struct fd fdget(unsigned int fd);
#define fdput(f)	((void)(f))
#define sh_fd_file(f)	((f).file)
#define file_inode(f)	((f)->f_inode)

struct pid {
	struct task_struct *task;
};

static struct pid *find_vpid(int nr);
#define PIDTYPE_PID		0
#define pid_task(pid, type)	((pid) ? (pid)->task : NULL)

static int rcu_depth;
#define rcu_read_lock()		(rcu_depth++)
#define rcu_read_unlock()	(rcu_depth--)

/* Not in every C library. */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP	284
#endif
#ifndef SOL_UDPLITE
#define SOL_UDPLITE	136
#endif
#ifndef SOL_UDP
#define SOL_UDP		17
#endif
#ifndef SOL_TCP
#define SOL_TCP		6
#endif

#include "gate/judge.c"

#include "test.h"

static struct inode inodes[] = {
	{ .i_mode = S_IFREG }, { .i_mode = S_IFDIR }, { .i_mode = S_IFBLK },
	{ .i_mode = S_IFIFO }, { .i_mode = S_IFSOCK }, { .i_mode = S_IFCHR }, { .i_mode = 0 },
};

#define FDS	(sizeof(inodes) / sizeof(inodes[0]))

static struct file files[FDS];

static struct fd fdget(unsigned int fd)
{
	if (fd >= FDS)
		return (struct fd){ NULL };
	files[fd].f_inode = &inodes[fd];
	return (struct fd){ &files[fd] };
}

/* Pid 1 is outside, 2 and 3 are members of domain 0, 4 of domain 1. */
static struct sh_domain domains[2];
static struct task_struct tasks[5];
static struct pid pids[5];
static struct sh_member members[5];
static int member_refs;

static struct pid *find_vpid(int nr)
{
	SHIM_REQUIRE(rcu_depth == 1);
	if (nr < 1 || nr > 4)
		return NULL;
	pids[nr].task = &tasks[nr];
	return &pids[nr];
}

struct sh_member *sh_member_get(struct task_struct *task)
{
	int nr = task - tasks;

	SHIM_REQUIRE(rcu_depth == 1);
	if (nr < 2)
		return NULL;
	members[nr].domain = &domains[nr == 4];
	member_refs++;
	return &members[nr];
}

void sh_member_put(struct sh_member *m)
{
	SHIM_REQUIRE(m >= members && m < members + 5);
	member_refs--;
}

static bool waits(enum sh_judge judge, unsigned long a, unsigned long b, unsigned long c)
{
	const struct sh_args args = { { a, b, c } };

	return sh_judge_waits(judge, &args);
}

static bool concerns(enum sh_judge judge, unsigned long a, unsigned long b, unsigned long c,
		     unsigned long d)
{
	const struct sh_args args = { { a, b, c, d } };
	bool ret = sh_judge_concerns(judge, &args, &domains[0]);

	CHECK_INT(rcu_depth, 0);
	CHECK_INT(member_refs, 0);
	return ret;
}

TEST(judge_descriptor_that_waits)
{
	static const bool want[] = { false, false, false, true, true, true, true };
	unsigned int fd;

	for (fd = 0; fd < FDS; fd++)
		CHECK_INT(waits(SH_JUDGE_FD, fd, 0, 0), want[fd]);
	CHECK(!waits(SH_JUDGE_FD, FDS, 0, 0));
	CHECK(!waits(SH_JUDGE_FD, -1UL, 0, 0));
}

TEST(judge_futex_that_waits)
{
	static const unsigned int yes[] = {
		FUTEX_WAIT, FUTEX_WAIT_PRIVATE, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
		FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_WAIT_REQUEUE_PI,
	};
	static const unsigned int no[] = {
		FUTEX_WAKE, FUTEX_WAKE_PRIVATE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP,
		FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_WAKE_BITSET, FUTEX_CMP_REQUEUE_PI, 99,
	};
	unsigned int i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		CHECK(waits(SH_JUDGE_FUTEX, 0, yes[i], 0));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		CHECK(!waits(SH_JUDGE_FUTEX, 0, no[i], 0));
}

TEST(judge_locks_and_drains_that_wait)
{
	CHECK(waits(SH_JUDGE_FCNTL, 0, 7, 0));		/* F_SETLKW */
	CHECK(waits(SH_JUDGE_FCNTL, 0, 14, 0));		/* i386's F_SETLKW64 */
	CHECK(waits(SH_JUDGE_FCNTL, 0, 38, 0));		/* F_OFD_SETLKW */
	CHECK(!waits(SH_JUDGE_FCNTL, 0, F_SETLK, 0));
	CHECK(!waits(SH_JUDGE_FCNTL, 0, F_SETFL, 0));
	CHECK(!waits(SH_JUDGE_FCNTL, 0, F_SETOWN, 0));
	CHECK(waits(SH_JUDGE_SOCKETCALL, SYS_ACCEPT, 0, 0));
	CHECK(waits(SH_JUDGE_SOCKETCALL, SYS_RECVMMSG, 0, 0));
	CHECK(!waits(SH_JUDGE_SOCKETCALL, SYS_SEND, 0, 0));
	CHECK(!waits(SH_JUDGE_SOCKETCALL, SYS_SETSOCKOPT, 0, 0));
	/* tcdrain(), and settings that wait for the output; a break does not. */
	CHECK(waits(SH_JUDGE_IOCTL, 1, TCSBRK, 1));
	CHECK(!waits(SH_JUDGE_IOCTL, 1, TCSBRK, 0));
	CHECK(waits(SH_JUDGE_IOCTL, 1, TCSETSW, 0x1000));
	CHECK(!waits(SH_JUDGE_IOCTL, 1, TCSETS, 0x1000));
	CHECK(!waits(SH_JUDGE_IOCTL, 1, FIONREAD, 0x1000));
	CHECK(!waits(SH_JUDGE_NONE, 0, 0, 0));
	CHECK(!waits(SH_JUDGE_SOCKOPT, SOL_SOCKET, SO_RCVTIMEO, 0));
}

/* Of a judge that only tells what waits, the channel has every call. */
TEST(judge_without_an_opinion_concerns)
{
	CHECK(concerns(SH_JUDGE_NONE, 0, 0, 0, 0));
	CHECK(concerns(SH_JUDGE_FD, 0, 0, 0, 0));
	CHECK(concerns(SH_JUDGE_FUTEX, 0, FUTEX_WAKE, 0, 0));
}

TEST(judge_ioctl)
{
	static const unsigned int pass[] = {
		FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIOSETOWN, TCGETS, TCSETSW, TCGETS2,
		TIOCGWINSZ, TIOCGPGRP, TIOCSPGRP, TIOCGPTN, TIOCSPTLCK, TIOCOUTQ, SIOCGIFCONF,
		SIOCGIFINDEX, SIOCATMARK, FICLONE, FS_IOC_GETFLAGS, 0x80046601, TCFLSH,
	};
	static const unsigned int shut[] = {
		TIOCSTI, TIOCCONS, TIOCLINUX, TIOCSIG, TIOCVHANGUP, TIOCSWINSZ, TIOCSETD,
		TIOCMSET, TIOCSBRK, TCSBRKP, SIOCSIFADDR, SIOCSIFFLAGS, SIOCADDRT, SIOCETHTOOL,
		SIOCDEVPRIVATE, FS_IOC_SETFLAGS, FIFREEZE, FITRIM, BLKRRPART, RNDADDENTROPY,
		0xdeadbeef, 0, 0xffffffff,
	};
	unsigned int i;

	for (i = 0; i < sizeof(pass) / sizeof(pass[0]); i++)
		CHECK(!concerns(SH_JUDGE_IOCTL, 3, pass[i], 0x7f0000001000, 0));
	for (i = 0; i < sizeof(shut) / sizeof(shut[0]); i++)
		CHECK(concerns(SH_JUDGE_IOCTL, 3, shut[i], 0x7f0000001000, 0));
	/* The command is 32 bits of its register. */
	CHECK(concerns(SH_JUDGE_IOCTL, 3, 1ul << 32 | TIOCSTI, 0, 0));
	CHECK(!concerns(SH_JUDGE_IOCTL, 3, TCSBRK, 1, 0));
	CHECK(concerns(SH_JUDGE_IOCTL, 3, TCSBRK, 0, 0));
	CHECK(!concerns(SH_JUDGE_IOCTL, 3, TCXONC, TCOON, 0));
	CHECK(concerns(SH_JUDGE_IOCTL, 3, TCXONC, TCIOFF, 0));
	CHECK(concerns(SH_JUDGE_IOCTL, 3, TCXONC, TCION, 0));
	CHECK(!concerns(SH_JUDGE_IOCTL, 3, TIOCSCTTY, 0, 0));
	CHECK(concerns(SH_JUDGE_IOCTL, 3, TIOCSCTTY, 1, 0));
}

TEST(judge_socket_options)
{
	static const struct {
		int level, option;
		bool concerns;
	} rows[] = {
		{ SOL_SOCKET, SO_REUSEADDR, false }, { SOL_SOCKET, SO_SNDBUF, false },
		{ SOL_SOCKET, SO_ATTACH_FILTER, false }, { SOL_SOCKET, SO_ZEROCOPY, true },
		{ SOL_SOCKET, SO_ATTACH_BPF, true }, { SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, true },
		{ SOL_TCP, TCP_NODELAY, false }, { SOL_TCP, TCP_FASTOPEN, false },
		{ SOL_TCP, TCP_CONGESTION, false }, { SOL_TCP, TCP_TX_DELAY, false },
		{ SOL_TCP, TCP_REPAIR, true }, { SOL_TCP, TCP_REPAIR_QUEUE, true },
		{ SOL_TCP, TCP_QUEUE_SEQ, true }, { SOL_TCP, TCP_REPAIR_OPTIONS, true },
		{ SOL_TCP, TCP_REPAIR_WINDOW, true }, { SOL_TCP, TCP_ULP, true },
		{ SOL_TCP, 42, true },		/* TCP_AO_REPAIR */
		{ SOL_IP, 34, false },		/* IP_MULTICAST_LOOP */
		{ SOL_IP, 35, true },		/* IP_ADD_MEMBERSHIP */
		{ SOL_IP, 41, true },		/* IP_MSFILTER */
		{ SOL_IP, 48, true },		/* MCAST_MSFILTER */
		{ SOL_IP, 49, false },		/* IP_MULTICAST_ALL */
		{ SOL_IPV6, 20, true }, { SOL_IPV6, 21, true }, { SOL_IPV6, 27, true },
		{ SOL_IPV6, 28, true }, { SOL_IPV6, 42, true }, { SOL_IPV6, 48, true },
		{ SOL_IPV6, 19, false },	/* IPV6_MULTICAST_LOOP */
		{ SOL_IP, 64, true },		/* IPT_SO_SET_REPLACE */
		{ SOL_IP, 200, true },		/* MRT_INIT */
		{ SOL_IP, -1, true },
		{ SOL_IPV6, 26, false },	/* IPV6_V6ONLY */
		{ SOL_IPV6, 67, false },	/* IPV6_TCLASS */
		{ SOL_IPV6, 64, true }, { SOL_IPV6, 65, true }, { SOL_IPV6, 200, true },
		{ SOL_PACKET, PACKET_AUXDATA, false },
		{ SOL_PACKET, PACKET_ADD_MEMBERSHIP, true }, { SOL_PACKET, PACKET_TX_RING, true },
		{ SOL_PACKET, PACKET_RX_RING, true }, { SOL_PACKET, PACKET_FANOUT, true },
		{ SOL_UDP, 103, false }, { SOL_UDP, 1, true }, { SOL_UDPLITE, 1, true }, { SOL_NETLINK, 1, false }, { SOL_MPTCP, 1, false },
		{ AF_VSOCK, 0, false },
		{ SOL_XDP, 3, true }, { SOL_TLS, 1, true }, { SOL_ALG, 1, true },
		{ 132, 110, true },		/* SCTP_SOCKOPT_CONNECTX */
		{ 9999, 0, true }, { -1, 0, true },
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(concerns(SH_JUDGE_SOCKOPT, 3, (u32)rows[i].level, (u32)rows[i].option, 0),
			  rows[i].concerns);
		/* The upper halves of the registers are nobody's. */
		CHECK_INT(concerns(SH_JUDGE_SOCKOPT, 3, 5ul << 32 | (u32)rows[i].level,
				   7ul << 32 | (u32)rows[i].option, 0), rows[i].concerns);
	}
	CHECK(concerns(SH_JUDGE_SOCKETCALL, SYS_SETSOCKOPT, 0, 0, 0));
	CHECK(!concerns(SH_JUDGE_SOCKETCALL, SYS_SEND, 0, 0, 0));
	CHECK(!concerns(SH_JUDGE_SOCKETCALL, SYS_SOCKET, 0, 0, 0));
}

TEST(judge_system_v_ipc)
{
	CHECK(!concerns(SH_JUDGE_SHMCTL, 1, IPC_STAT, 0, 0));
	CHECK(!concerns(SH_JUDGE_SHMCTL, 1, IPC_STAT | 0x100, 0, 0));
	CHECK(concerns(SH_JUDGE_SHMCTL, 1, IPC_RMID, 0, 0));
	CHECK(concerns(SH_JUDGE_SHMCTL, 1, IPC_SET | 0x100, 0, 0));
	CHECK(concerns(SH_JUDGE_SHMCTL, 1, SHM_LOCK, 0, 0));
	CHECK(!concerns(SH_JUDGE_SEMCTL, 1, 0, GETVAL, 0));
	CHECK(concerns(SH_JUDGE_SEMCTL, 1, 0, SETVAL, 0));
	CHECK(concerns(SH_JUDGE_SEMCTL, 1, 0, SETALL | 0x100, 0));
	CHECK(concerns(SH_JUDGE_SEMCTL, 1, 0, IPC_RMID, 0));
	CHECK(!concerns(SH_JUDGE_MSGCTL, 1, MSG_STAT, 0, 0));
	CHECK(concerns(SH_JUDGE_MSGCTL, 1, IPC_SET, 0, 0));
	CHECK(concerns(SH_JUDGE_MSGCTL, 1, 9999, 0, 0));
}

TEST(judge_advice_and_prctl)
{
	CHECK(!concerns(SH_JUDGE_ADVICE, 0, 0, MADV_DONTNEED, 0));
	CHECK(!concerns(SH_JUDGE_ADVICE, 0, 0, MADV_FREE, 0));
	CHECK(concerns(SH_JUDGE_ADVICE, 0, 0, 100, 0));
	CHECK(concerns(SH_JUDGE_ADVICE, 0, 0, 1ul << 32 | 101, 0));
	CHECK(!concerns(SH_JUDGE_PRCTL, PR_SET_NAME, 0, 0, 0));
	CHECK(!concerns(SH_JUDGE_PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0));
	/* Of a core-scheduling cookie: for oneself and members, not for others or groups. */
	CHECK(!concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_GET, 1, 0));
	CHECK(!concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, 0));
	CHECK(!concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_SHARE_TO, 3, 0));
	CHECK(concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_SHARE_TO, 1, 0));
	CHECK(concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0,
		       PR_SCHED_CORE_SCOPE_PROCESS_GROUP));
	CHECK(concerns(SH_JUDGE_PRCTL, 1ul << 32 | PR_SCHED_CORE,
		       1ul << 32 | PR_SCHED_CORE_SHARE_TO, 1, 0));
	CHECK(concerns(SH_JUDGE_PRCTL, PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0,
		       1ul << 32 | PR_SCHED_CORE_SCOPE_PROCESS_GROUP));
}

/* 0 and members pass; outsiders, members of other domains and free pids do not. */
static enum sh_by asked_by;
static u32 asked_nr;

bool sh_controller_named(enum sh_by by, u32 nr)
{
	asked_by = by;
	asked_nr = nr;
	return nr == 7;
}

static bool reaches(enum sh_judge judge, unsigned long a, unsigned long b, unsigned long c)
{
	const struct sh_args args = { { a, b, c } };

	return sh_judge_reaches(judge, &args);
}

TEST(judge_what_is_aimed_at_a_controller)
{
	/* What is tampering by itself is not looked at. */
	CHECK(reaches(SH_JUDGE_NONE, 0, 0, 0));
	CHECK(reaches(SH_JUDGE_PID, 7, 0, 0));
	CHECK(!reaches(SH_JUDGE_PID, 8, 7, 7));
	/* Of a pid the call takes the lower half. */
	CHECK(reaches(SH_JUDGE_PID, 7 | 1UL << 32, 0, 0));
	CHECK(reaches(SH_JUDGE_PRLIMIT, 7, 0, 1));
	CHECK(!reaches(SH_JUDGE_PRLIMIT, 7, 0, 0));
	CHECK(reaches(SH_JUDGE_PRIORITY, PRIO_PROCESS, 7, 0));
	CHECK_INT(asked_by, SH_BY_PROCESS);
	CHECK(reaches(SH_JUDGE_PRIORITY, PRIO_PGRP, 7, 0));
	CHECK_INT(asked_by, SH_BY_GROUP);
	CHECK(!reaches(SH_JUDGE_PRIORITY, PRIO_USER, 0, 7));
	CHECK_INT(asked_by, SH_BY_USER);
	CHECK_INT(asked_nr, 0);
	CHECK(reaches(SH_JUDGE_IOPRIO, IOPRIO_WHO_PROCESS, 7, 0));
	CHECK_INT(asked_by, SH_BY_PROCESS);
	CHECK(reaches(SH_JUDGE_IOPRIO, IOPRIO_WHO_PGRP, 7, 0));
	CHECK_INT(asked_by, SH_BY_GROUP);
	CHECK(!reaches(SH_JUDGE_IOPRIO, IOPRIO_WHO_USER, 8, 0));
	CHECK_INT(asked_by, SH_BY_USER);
}

TEST(judge_tasks)
{
	static const struct {
		unsigned long pid;
		bool concerns;
	} rows[] = {
		{ 0, false }, { 1, true }, { 2, false }, { 3, false }, { 4, true }, { 5, true },
		{ (u32)-1, true }, { 1ul << 32 | 2, false }, { 1ul << 32 | 1, true },
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(concerns(SH_JUDGE_PID, rows[i].pid, 0, 0, 0), rows[i].concerns);
		CHECK_INT(concerns(SH_JUDGE_PRIORITY, PRIO_PROCESS, rows[i].pid, 5, 0),
			  rows[i].concerns);
		CHECK_INT(concerns(SH_JUDGE_IOPRIO, IOPRIO_WHO_PROCESS, rows[i].pid, 5, 0),
			  rows[i].concerns);
		/* Limits can be read of anybody. */
		CHECK_INT(concerns(SH_JUDGE_PRLIMIT, rows[i].pid, 7, 0x1000, 0), rows[i].concerns);
		CHECK(!concerns(SH_JUDGE_PRLIMIT, rows[i].pid, 7, 0, 0x1000));
	}
	/* Groups and users are not looked through. */
	CHECK(concerns(SH_JUDGE_PRIORITY, PRIO_PGRP, 0, 5, 0));
	CHECK(concerns(SH_JUDGE_PRIORITY, PRIO_USER, 0, 5, 0));
	CHECK(concerns(SH_JUDGE_IOPRIO, IOPRIO_WHO_PGRP, 0, 5, 0));
	CHECK(concerns(SH_JUDGE_IOPRIO, IOPRIO_WHO_USER, 0, 5, 0));
}
