// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outside.h"
#include "proc.h"

#define QUEUE	"/selfheal.fuzz"
/* page->count of the canary */
#define SIGNALS	0
#define BEATS	1
/* page->value: what nobody may change */
#define PRIORITY 0
#define CPUS	1
#define FILES	2

static void came(struct outside *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void came(struct outside *o, const char *fmt, ...)
{
	va_list ap;

	if (o->came++)
		return;
	va_start(ap, fmt);
	vsnprintf(o->what, sizeof(o->what), fmt, ap);
	va_end(ap);
}

/* ---- the wire ---- */

int outside_network(void)
{
	struct ifreq up = { .ifr_name = "lo" };
	int fd, err = 0;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &up))
		return -errno;
	up.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &up))
		err = -errno;
	close(fd);
	return err;
}

/* Payload of a TCP segment; connections as such may be made and ended. */
static unsigned int tcp_payload(const uint8_t *p, size_t n, size_t ip_len)
{
	struct tcphdr tcp;

	if (n < sizeof(tcp))
		return 1;
	memcpy(&tcp, p, sizeof(tcp));
	return ip_len - tcp.doff * 4;
}

/* Has the packet a chunk of data? Associations are made and ended as TCP's are. */
static bool sctp_data(const uint8_t *p, size_t n)
{
	size_t at = 12, len;

	while (at + 4 <= n) {
		if (p[at] == 0 || p[at] == 64)
			return true;
		len = p[at + 2] << 8 | p[at + 3];
		if (len < 4)
			return true;
		at += (len + 3) & ~3U;
	}
	return n < 12;
}

static void judge_transport(struct outside *o, int proto, const uint8_t *p, size_t n, size_t ip_len)
{
	switch (proto) {
	case IPPROTO_TCP:
		if (tcp_payload(p, n, ip_len))
			came(o, "a TCP segment with data");
		break;
	case IPPROTO_ICMP:	/* of the kernel: raw sockets would be seen sending a request */
		if (n && (p[0] == 8 || p[0] == 13))
			came(o, "an ICMP request");
		break;
	case IPPROTO_ICMPV6:
		if (n && p[0] == 128)
			came(o, "an ICMPv6 request");
		break;
	case IPPROTO_SCTP:
		if (sctp_data(p, n))
			came(o, "an SCTP packet with data");
		break;
	default:
		came(o, "a packet of IP protocol %d", proto);
	}
}

static void judge_packet(struct outside *o, int ethertype, const uint8_t *p, size_t n)
{
	struct ip6_hdr ip6;
	struct iphdr ip;

	if (ethertype == ETH_P_IP && n >= sizeof(ip)) {
		memcpy(&ip, p, sizeof(ip));
		if (ip.ihl * 4U <= n && ip.ihl * 4U <= ntohs(ip.tot_len)) {
			judge_transport(o, ip.protocol, p + ip.ihl * 4, n - ip.ihl * 4,
					ntohs(ip.tot_len) - ip.ihl * 4);
			return;
		}
	} else if (ethertype == ETH_P_IPV6 && n >= sizeof(ip6)) {
		memcpy(&ip6, p, sizeof(ip6));
		judge_transport(o, ip6.ip6_nxt, p + sizeof(ip6), n - sizeof(ip6),
				ntohs(ip6.ip6_plen));
		return;
	}
	came(o, "a packet of type %#x", ethertype);
}

static int open_capture(void)
{
	return socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
}

static void look_capture(struct outside *o)
{
	uint8_t buf[4096];
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(o->capture, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len)) >= 0) {
		if (from.sll_pkttype != PACKET_OUTGOING)
			judge_packet(o, ntohs(from.sll_protocol), buf, n);
		len = sizeof(from);
	}
}

/* ---- descriptors ---- */

static bool is_socket(enum channel_kind kind)
{
	return kind != CH_PIPE && kind != CH_FIFO && kind != CH_PTY;
}

/*
 * An empty message of a local socket and the end of its peer read alike, but
 * for the credentials.
 */
static bool empty_message(const struct msghdr *m, enum channel_kind kind)
{
	if (kind == CH_UNIX_DGRAM || kind == CH_UNIX_SEQPACKET)
		return m->msg_controllen;
	return kind == CH_UDP || kind == CH_NETLINK;
}

static void look_pair(struct outside *o, struct pair *p)
{
	char buf[4096], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	if (is_socket(p->kind))
		n = recvmsg(p->rx, &m, MSG_DONTWAIT);
	else
		n = read(p->rx, buf, sizeof(buf));
	if (n > 0 || (!n && is_socket(p->kind) && empty_message(&m, p->kind)))
		came(o, "%zd bytes at the end of channel %d", n, p->kind);
}

static int open_pairs(struct outside *o)
{
	int i, err, one = 1;

	for (i = 0; i < PAIRS; i++) {
		err = pair_open(&o->pair[i], i);
		if (err)
			return err;
		fcntl(o->pair[i].rx, F_SETFL, O_NONBLOCK);
		if (i == CH_UNIX_DGRAM || i == CH_UNIX_SEQPACKET)
			setsockopt(o->pair[i].rx, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	}
	o->event = eventfd(0, EFD_NONBLOCK);
	return o->event < 0 ? -errno : 0;
}

/* ---- IPC ---- */

static int open_ipc(struct outside *o)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };

	mq_unlink(QUEUE);
	o->queue = mq_open(QUEUE, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0666, &attr);
	o->msg = msgget(IPC_PRIVATE, 0666);
	o->sem = semget(IPC_PRIVATE, 4, 0666);
	o->shm = shmget(IPC_PRIVATE, 4096, 0666);
	return o->queue == (mqd_t)-1 || o->msg < 0 || o->sem < 0 || o->shm < 0 ? -errno : 0;
}

static void look_ipc(struct outside *o)
{
	struct mq_attr attr = {};
	struct msqid_ds msg = {};
	struct shmid_ds shm = {};
	int i;

	/* Asked, not read: these the fuzzer shares, and may have made them block. */
	if (rx_ready(o->event, 0))
		came(o, "an eventfd was signalled");
	if (mq_getattr(o->queue, &attr) || attr.mq_curmsgs)
		came(o, "a POSIX message queue was written to");
	if (msgctl(o->msg, IPC_STAT, &msg) || msg.msg_qnum || msg.msg_lspid)
		came(o, "a System V message queue was written to, or went");
	if (shmctl(o->shm, IPC_STAT, &shm) || shm.shm_lpid != 0)
		came(o, "a System V shared memory was attached, or went");
	for (i = 0; i < 4; i++)
		if (semctl(o->sem, i, GETVAL) || semctl(o->sem, i, GETPID))
			came(o, "a System V semaphore was changed, or went");
}

/* ---- a process ---- */

static struct page *canary_page;

static void count_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&canary_page->count[SIGNALS], 1);
}

static int64_t priority_of(pid_t pid)
{
	return getpriority(PRIO_PROCESS, pid);
}

static int64_t cpus_of(pid_t pid)
{
	cpu_set_t set;

	return sched_getaffinity(pid, sizeof(set), &set) ? -1 : CPU_COUNT(&set);
}

static int64_t files_of(pid_t pid)
{
	struct rlimit limit;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &limit) ? -1 : (int64_t)limit.rlim_cur;
}

static void be_canary(struct page *page, void *arg)
{
	const uid_t *uid = arg;
	struct sigaction sa = { .sa_handler = count_signal };
	int sig;

	canary_page = page;
	sigfillset(&sa.sa_mask);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &sa, NULL);
	if (*uid && (setresgid(*uid, *uid, *uid) || setresuid(*uid, *uid, *uid)))
		_exit(1);
	/* A new user takes these away. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 1);
	page_step(page, 2);
	for (;;) {
		atomic_fetch_add(&page->count[BEATS], 1);
		usleep(20000);
	}
}

static int open_canary(struct outside *o, uid_t uid)
{
	static uid_t whose;
	struct page *page;
	int err;

	whose = uid;
	err = child_start(&o->canary, be_canary, &whose);
	if (err)
		return err;
	page = o->canary.page;
	page_go(page, 1);
	if (!page_wait(page, 2, slow_ms(60000)))
		return -ETIMEDOUT;
	page->value[PRIORITY] = priority_of(o->canary.pid);
	page->value[CPUS] = cpus_of(o->canary.pid);
	page->value[FILES] = files_of(o->canary.pid);
	return 0;
}

static void look_canary(struct outside *o)
{
	struct page *page = o->canary.page;
	pid_t pid = o->canary.pid;
	char state;

	if (atomic_load(&page->count[SIGNALS]))
		came(o, "%lu signals at another process", (unsigned long)page->count[SIGNALS]);
	state = proc_state(pid, pid);
	if (!state || strchr("TtZX", state))
		came(o, "another process is stopped or dead (%c)", state ? state : '-');
	if (page->value[PRIORITY] != priority_of(pid) || page->value[CPUS] != cpus_of(pid) ||
	    page->value[FILES] != files_of(pid))
		came(o, "the priority, CPUs or limits of another process");
}

/* ---- all of it ---- */

static int make_node(const struct outside *o, const char *name, mode_t mode, dev_t dev, uid_t uid)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", o->dir, name);
	if (mknod(path, mode, dev) || chown(path, uid, uid) || chmod(path, 0600))
		return -errno;
	return 0;
}

/* The FIFO and the terminal again, by name; and files that only the fuzzer uses. */
static int open_dir(struct outside *o, uid_t uid)
{
	struct stat st;
	char name[16], path[96];
	int i, err = 0;

	strcpy(o->dir, "/tmp/selfheal.fuzz.XXXXXX");
	if (!mkdtemp(o->dir) || chown(o->dir, uid, uid) || fstat(o->pair[CH_PTY].tx, &st))
		return -errno;
	for (i = 0; i < 4 && !err; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		err = make_node(o, name, S_IFREG, 0, uid);
	}
	if (!err)
		err = make_node(o, "terminal", S_IFCHR, st.st_rdev, uid);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/fifo", o->dir);
	return rename(o->pair[CH_FIFO].path, path) || chown(path, uid, uid) ? -errno : 0;
}

int outside_open(struct outside *o, uid_t uid)
{
	int err;

	memset(o, 0, sizeof(*o));
	err = open_pairs(o);
	if (!err)
		err = open_ipc(o);
	if (!err)
		err = open_dir(o, uid);
	if (!err)
		err = open_canary(o, uid);
	if (err)
		return err;
	/* The connections are made: what comes from here on is the member's. */
	o->capture = open_capture();
	return o->capture < 0 ? -errno : 0;
}

unsigned int outside_ends(const struct outside *o, int *fd)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++)
		fd[i] = o->pair[i].tx;
	fd[i++] = o->event;
	fd[i++] = o->queue;
	return i;
}

void outside_shut_ends(struct outside *o)
{
	unsigned int i;

	for (i = 0; i < PAIRS; i++) {
		close(o->pair[i].tx);
		o->pair[i].tx = -1;
	}
}

bool outside_untouched(struct outside *o)
{
	unsigned int i;

	/* It was not opened to the end. */
	if (o->capture <= 0)
		return false;
	for (i = 0; i < PAIRS; i++)
		look_pair(o, &o->pair[i]);
	look_capture(o);
	look_ipc(o);
	look_canary(o);
	return !o->came;
}

void outside_close(struct outside *o)
{
	char cmd[96];
	unsigned int i;

	for (i = 0; i < PAIRS; i++)
		close(o->pair[i].rx);
	child_end(&o->canary);
	mq_close(o->queue);
	mq_unlink(QUEUE);
	msgctl(o->msg, IPC_RMID, NULL);
	semctl(o->sem, 0, IPC_RMID);
	shmctl(o->shm, IPC_RMID, NULL);
	close(o->event);
	close(o->capture);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", o->dir);
	if (o->dir[0] && system(cmd))
		printf("# %s stays\n", o->dir);
}
