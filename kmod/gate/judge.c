// SPDX-License-Identifier: GPL-2.0
/* See judge.h. What is not known to be harmless is of the channel. */
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mman.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <uapi/asm-generic/ioctls.h>
#include <uapi/linux/fcntl.h>
#include <uapi/linux/fiemap.h>
#include <uapi/linux/fs.h>
#include <uapi/linux/futex.h>
#include <uapi/linux/if_packet.h>
#include <uapi/linux/ioprio.h>
#include <uapi/linux/msg.h>
#include <uapi/linux/net.h>
#include <uapi/linux/netfilter_ipv6/ip6_tables.h>
#include <uapi/linux/nsfs.h>
#include <uapi/linux/prctl.h>
#include <uapi/linux/random.h>
#include <uapi/linux/sem.h>
#include <uapi/linux/shm.h>
#include <uapi/linux/sockios.h>
#include <uapi/linux/termios.h>

#include "../compat/files.h"
#include "../domain/controller.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "judge.h"

static bool sh_fd_waits(unsigned int fd)
{
	struct fd f = fdget(fd);
	bool waits = false;
	struct file *file = sh_fd_file(f);

	if (file) {
		umode_t mode = file_inode(file)->i_mode;

		waits = !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISBLK(mode);
		fdput(f);
	}
	return waits;
}

static bool sh_futex_waits(unsigned int op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return true;
	default:
		return false;
	}
}

/* i386 has a lock call of its own for 64-bit offsets. */
#define SH_F_SETLKW64	14

static bool sh_fcntl_waits(unsigned int cmd)
{
	return cmd == F_SETLKW || cmd == SH_F_SETLKW64 || cmd == F_OFD_SETLKW;
}

static bool sh_socketcall_waits(unsigned int call)
{
	switch (call) {
	case SYS_CONNECT:
	case SYS_ACCEPT:
	case SYS_ACCEPT4:
	case SYS_RECV:
	case SYS_RECVFROM:
	case SYS_RECVMSG:
	case SYS_RECVMMSG:
		return true;
	default:
		return false;
	}
}

/* Until the terminal's output has gone out. */
static bool sh_ioctl_waits(unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TCSETAW:
	case TCSETAF:
	case TCSETSW:
	case TCSETSF:
	case TCSETSW2:
	case TCSETSF2:
		return true;
	case TCSBRK:
		return arg;
	default:
		return false;
	}
}

bool sh_judge_waits(enum sh_judge judge, const struct sh_args *args)
{
	const unsigned long *v = args->v;

	switch (judge) {
	case SH_JUDGE_FD:
		return sh_fd_waits(v[0]);
	case SH_JUDGE_FUTEX:
		return sh_futex_waits(v[1]);
	case SH_JUDGE_FCNTL:
		return sh_fcntl_waits(v[1]);
	case SH_JUDGE_IOCTL:
		return sh_ioctl_waits(v[1], v[2]);
	case SH_JUDGE_SOCKETCALL:
		return sh_socketcall_waits(v[0]);
	default:
		return false;
	}
}

/*
 * Requests that any program makes of its terminals, sockets and files. Input
 * made up for a terminal (TIOCSTI), signals by one (TIOCSIG), line noise and
 * whatever a driver calls its own are left out.
 */
static bool sh_ioctl_harmless(unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
	case FIONBIO:
	case FIOASYNC:
	case FIONREAD:
	case FIOQSIZE:
	case FIOSETOWN:		/* the owner is judged where it is set */
	case FIOGETOWN:
	case SIOCSPGRP:
	case SIOCGPGRP:
	case SIOCATMARK:
	case SIOCGSTAMP_OLD:
	case SIOCGSTAMPNS_OLD:
	case SIOCGSTAMP_NEW:
	case SIOCGSTAMPNS_NEW:
	case SIOCOUTQNSD:
	case SIOCGSKNS:
	case SIOCGIFNAME:
	case SIOCGIFCONF:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFINDEX:
	case SIOCGIFPFLAGS:
	case SIOCGIFCOUNT:
	case SIOCGIFTXQLEN:
	case SIOCGIFMAP:
	case SIOCGARP:
	case TCGETS:
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCGETA:
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
	case TCGETS2:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
	case TCFLSH:
	case TIOCEXCL:
	case TIOCNXCL:
	case TIOCGEXCL:
	case TIOCNOTTY:
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCGSID:
	case TIOCOUTQ:
	case TIOCGWINSZ:
	case TIOCMGET:
	case TIOCGSOFTCAR:
	case TIOCGETD:
	case TIOCPKT:
	case TIOCGPKT:
	case TIOCGPTN:
	case TIOCGPTLCK:
	case TIOCSPTLCK:
	case TIOCGPTPEER:
	case TIOCGDEV:
	case TIOCGLCKTRMIOS:
	case TIOCGICOUNT:
	case FIBMAP:
	case FIGETBSZ:
	case FICLONE:		/* a file written to, like any other */
	case FICLONERANGE:
	case FIDEDUPERANGE:
	case FS_IOC_FIEMAP:
	case FS_IOC_GETFLAGS:
	case FS_IOC32_GETFLAGS:
	case FS_IOC_GETVERSION:
	case FS_IOC32_GETVERSION:
	case FS_IOC_FSGETXATTR:
	case FS_IOC_GETFSLABEL:
	case NS_GET_USERNS:
	case NS_GET_PARENT:
	case NS_GET_NSTYPE:
	case NS_GET_OWNER_UID:
	case RNDGETENTCNT:
		return true;
	case TIOCSCTTY:
		return !arg;	/* 1 takes it away from another session */
	case TCSBRK:
		return arg;	/* 0 is a break on the line */
	case TCXONC:
		return arg == TCOOFF || arg == TCOON;	/* the others send a byte */
	default:
		return false;
	}
}

static bool sh_tcp_option_harmless(int option)
{
	switch (option) {
	case TCP_REPAIR:
	case TCP_REPAIR_QUEUE:
	case TCP_QUEUE_SEQ:
	case TCP_REPAIR_OPTIONS:
	case TCP_REPAIR_WINDOW:
	case TCP_ULP:		/* what is held would be sent by another protocol */
		return false;
	default:
		return option <= TCP_TX_DELAY;
	}
}

/* The ranges from there on are those of packet filters and multicast routing. */
#define SH_IP_OPTIONS	64
#define SH_IPV6_OPTIONS	79

/* Each change of a membership is told to the network, with an address of the caller's choice. */
static bool sh_ip_option_harmless(int option)
{
	if (option >= IP_ADD_MEMBERSHIP && option <= MCAST_MSFILTER)
		return false;
	return option >= 0 && option < SH_IP_OPTIONS;
}

static bool sh_ipv6_option_harmless(int option)
{
	switch (option) {
	case IPV6_ADD_MEMBERSHIP:
	case IPV6_DROP_MEMBERSHIP:
	case IPV6_JOIN_ANYCAST:
	case IPV6_LEAVE_ANYCAST:
	case MCAST_JOIN_GROUP ... MCAST_MSFILTER:
	case IP6T_SO_SET_REPLACE:
	case IP6T_SO_SET_ADD_COUNTERS:
		return false;
	default:
		return option >= 0 && option < SH_IPV6_OPTIONS;
	}
}

/*
 * Options of one's own socket, but for those that send by themselves or by
 * which data goes past the sending calls, and those that configure the machine.
 */
static bool sh_sockopt_harmless(int level, int option)
{
	switch (level) {
	case SOL_SOCKET:
		return option != SO_ZEROCOPY && option != SO_ATTACH_BPF &&
		       option != SO_ATTACH_REUSEPORT_EBPF;
	case SOL_IP:
		return sh_ip_option_harmless(option);
	case SOL_IPV6:
		return sh_ipv6_option_harmless(option);
	case SOL_TCP:
		return sh_tcp_option_harmless(option);
	case SOL_PACKET:
		return option != PACKET_RX_RING && option != PACKET_TX_RING &&
		       option != PACKET_FANOUT && option != PACKET_FANOUT_DATA &&
		       option != PACKET_ADD_MEMBERSHIP;	/* of the interface, not the socket */
	case SOL_UDP:
	case SOL_UDPLITE:
		return option != UDP_CORK;	/* taking it off sends */
	case SOL_ICMPV6:
	case SOL_RAW:
	case SOL_NETLINK:
	case SOL_MPTCP:
	case AF_VSOCK:
		return true;
	default:
		return false;
	}
}

static bool sh_shmctl_harmless(int cmd)
{
	switch (cmd & ~IPC_64) {
	case IPC_STAT:
	case IPC_INFO:
	case SHM_STAT:
	case SHM_STAT_ANY:
	case SHM_INFO:
		return true;
	default:
		return false;
	}
}

static bool sh_semctl_harmless(int cmd)
{
	switch (cmd & ~IPC_64) {
	case IPC_STAT:
	case IPC_INFO:
	case SEM_STAT:
	case SEM_STAT_ANY:
	case SEM_INFO:
	case GETPID:
	case GETVAL:
	case GETALL:
	case GETNCNT:
	case GETZCNT:
		return true;
	default:
		return false;
	}
}

static bool sh_msgctl_harmless(int cmd)
{
	switch (cmd & ~IPC_64) {
	case IPC_STAT:
	case IPC_INFO:
	case MSG_STAT:
	case MSG_STAT_ANY:
	case MSG_INFO:
		return true;
	default:
		return false;
	}
}

/*
 * 0, current or another member of @d. A member's pid may go to a new task
 * between this and the call; no more is at stake than that task's scheduling,
 * and only as far as the kernel's own checks allow.
 */
static bool sh_pid_within(const struct sh_domain *d, pid_t nr)
{
	struct sh_member *m = NULL;
	struct task_struct *task;
	bool within;

	if (!nr)
		return true;
	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (task)
		m = sh_member_get(task);
	rcu_read_unlock();
	if (!m)
		return false;
	within = m->domain == d;
	sh_member_put(m);
	return within;
}

/* Sharing a core-scheduling cookie with others changes how they are scheduled. */
static bool sh_prctl_harmless(const unsigned long *v, const struct sh_domain *d)
{
	/* Of each argument the call takes the lower half. */
	if ((u32)v[0] != PR_SCHED_CORE)
		return true;
	switch ((u32)v[1]) {
	case PR_SCHED_CORE_CREATE:
	case PR_SCHED_CORE_SHARE_TO:
		return (u32)v[3] != PR_SCHED_CORE_SCOPE_PROCESS_GROUP && sh_pid_within(d, v[2]);
	default:
		return true;
	}
}

bool sh_judge_concerns(enum sh_judge judge, const struct sh_args *args, const struct sh_domain *d)
{
	const unsigned long *v = args->v;

	switch (judge) {
	case SH_JUDGE_IOCTL:
		return !sh_ioctl_harmless(v[1], v[2]);
	case SH_JUDGE_SOCKETCALL:
		return v[0] == SYS_SETSOCKOPT;	/* its arguments are in user memory */
	case SH_JUDGE_SOCKOPT:
		return !sh_sockopt_harmless(v[1], v[2]);
	case SH_JUDGE_SHMCTL:
		return !sh_shmctl_harmless(v[1]);
	case SH_JUDGE_SEMCTL:
		return !sh_semctl_harmless(v[2]);
	case SH_JUDGE_MSGCTL:
		return !sh_msgctl_harmless(v[1]);
	case SH_JUDGE_ADVICE:
		return (u32)v[2] == MADV_HWPOISON || (u32)v[2] == MADV_SOFT_OFFLINE;
	case SH_JUDGE_PRCTL:
		return !sh_prctl_harmless(v, d);
	case SH_JUDGE_PID:
		return !sh_pid_within(d, v[0]);
	case SH_JUDGE_PRIORITY:
		return v[0] != PRIO_PROCESS || !sh_pid_within(d, v[1]);
	case SH_JUDGE_IOPRIO:
		return v[0] != IOPRIO_WHO_PROCESS || !sh_pid_within(d, v[1]);
	case SH_JUDGE_PRLIMIT:
		return v[2] && !sh_pid_within(d, v[0]);
	default:
		return true;
	}
}

/* @nr by what the kinds of setpriority(2) and ioprio_set(2) say. */
static bool sh_reaches(u32 which, u32 process, u32 group, u32 nr)
{
	return sh_controller_named(which == process ? SH_BY_PROCESS :
				   which == group ? SH_BY_GROUP : SH_BY_USER, nr);
}

bool sh_judge_reaches(enum sh_judge judge, const struct sh_args *args)
{
	const unsigned long *v = args->v;

	switch (judge) {
	case SH_JUDGE_PRIORITY:
		return sh_reaches(v[0], PRIO_PROCESS, PRIO_PGRP, v[1]);
	case SH_JUDGE_IOPRIO:
		return sh_reaches(v[0], IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, v[1]);
	case SH_JUDGE_PRLIMIT:
		return v[2] && sh_controller_named(SH_BY_PROCESS, v[0]);
	case SH_JUDGE_PID:
		return sh_controller_named(SH_BY_PROCESS, v[0]);
	default:
		return true;
	}
}
