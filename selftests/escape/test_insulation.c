// SPDX-License-Identifier: GPL-2.0
/*
 * Switching the monitor off from inside, by a member that is root in a domain whose every channel
 * passes: each deed is refused and counted as tampering, an event names what it reached for, and
 * the same deed by root outside is not refused.
 *
 *	test (controller)	the deeds outside are done by a child, to a child
 *	  `- kid (member)	its deeds are aimed at the controller
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/bpf.h>
#include <linux/ioprio.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "calls.h"
#include "rig.h"
#include "target.h"

#define TRACEFS	"/sys/kernel/tracing/"
#define CGROUP	"/sys/fs/cgroup/selfheal.insul"
#define NOBODY_LIKE "selfheal_no_such_module"

struct aim {
	pid_t pid;		/* whom it is aimed at */
	int pidfd;
	char *low;		/* memory that a 32-bit pointer reaches */
	char dir[64];
};

struct deed {
	const char *name, *what;
	long (*call)(const struct aim *aim, const struct deed *deed);
	const char *path, *file;
	long nr, nr32, arg[4];
	int outside;		/* the errno that the kernel itself answers with; 0 */
	int inside;		/* if it is not EPERM: what the caller makes of a refusal */
};

/* In arg: */
#define PID	-101
#define LOW	-102

static long value_of(const struct aim *aim, long arg)
{
	return arg == PID ? aim->pid : arg == LOW ? (long)aim->low : arg;
}

static long result(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* A descriptor is all that is wanted of it. */
static long by_call(const struct aim *aim, const struct deed *d)
{
	long a[4], ret;
	int i;

	for (i = 0; i < 4; i++)
		a[i] = value_of(aim, d->arg[i]);
	ret = result(syscall(d->nr, a[0], a[1], a[2], a[3], 0L));
	if (d->nr == SYS_ptrace)
		syscall(SYS_ptrace, PTRACE_DETACH, a[1], 0L, 0L);
	return ret;
}

static long by_int80(const struct aim *aim, const struct deed *d)
{
	long a[4], ret;
	int i;

	for (i = 0; i < 4; i++)
		a[i] = value_of(aim, d->arg[i]);
	ret = int80(d->nr32, a[0], a[1], a[2], a[3], 0);
	if (ret > 2)
		close(ret);
	return ret < 0 ? ret : 0;
}

static long open_it(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC), err = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -err : 0;
}

static long by_open(const struct aim *aim, const struct deed *d)
{
	(void)aim;
	return open_it(d->path, d->arg[0] ? d->arg[0] : O_WRONLY);
}

static long by_open_of(const struct aim *aim, const struct deed *d)
{
	char path[96];

	snprintf(path, sizeof(path), d->path, aim->pid);
	return open_it(path, O_RDWR);
}

/* A descriptor that opens nothing, opened again by its number. */
static long by_reopening(const struct aim *aim, const struct deed *d)
{
	int fd = open(d->path, O_PATH | O_CLOEXEC);
	char path[64];
	long ret;

	(void)aim;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = open_it(path, O_WRONLY);
	close(fd);
	return ret;
}

/* A mount of one's own, in a namespace of one's own. */
static long by_own_mount(const struct aim *aim, const struct deed *d)
{
	char path[128];
	long ret;
	int status;
	pid_t pid = fork();

	if (pid)
		return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? -WEXITSTATUS(status) :
									    -EINTR;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", aim->dir, d->path, 0, NULL))
		_exit(ENODEV);
	snprintf(path, sizeof(path), "%s/%s", aim->dir, d->file);
	ret = open_it(path, O_WRONLY);
	_exit(-ret);
}

static long by_sigqueue(const struct aim *aim, const struct deed *d)
{
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGWINCH };

	if (d->nr == SYS_rt_sigqueueinfo)
		return result(syscall(d->nr, aim->pid, SIGWINCH, &info));
	if (d->nr == SYS_rt_tgsigqueueinfo)
		return result(syscall(d->nr, aim->pid, aim->pid, SIGWINCH, &info));
	return result(syscall(SYS_pidfd_send_signal, aim->pidfd, SIGWINCH, NULL, 0));
}

static long by_getfd(const struct aim *aim, const struct deed *d)
{
	(void)d;
	return result(syscall(SYS_pidfd_getfd, aim->pidfd, 1, 0));
}

static long by_memory(const struct aim *aim, const struct deed *d)
{
	char byte = 0;
	struct iovec mine = { &byte, 1 }, its = { (void *)aim, 1 };

	return result(syscall(d->nr, aim->pid, &mine, 1L, &its, 1L, 0L));
}

static long by_affinity(const struct aim *aim, const struct deed *d)
{
	cpu_set_t set;

	(void)d;
	sched_getaffinity(aim->pid, sizeof(set), &set);
	return result(sched_setaffinity(aim->pid, sizeof(set), &set));
}

static long by_scheduler(const struct aim *aim, const struct deed *d)
{
	struct sched_param param = {};

	(void)d;
	return result(sched_setscheduler(aim->pid, SCHED_OTHER, &param));
}

static long by_limit(const struct aim *aim, const struct deed *d)
{
	struct rlimit limit;

	(void)d;
	prlimit(aim->pid, RLIMIT_CPU, NULL, &limit);
	return result(prlimit(aim->pid, RLIMIT_CPU, &limit, NULL));
}

/* The kernel would send SIGKILL when there is something to read. */
static long by_owner(const struct aim *aim, const struct deed *d)
{
	int sv[2];
	long ret;

	(void)d;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return -errno;
	/* Not told: the owner is just not set. */
	ret = result(fcntl(sv[0], F_SETOWN, aim->pid));
	if (!ret && fcntl(sv[0], F_GETOWN) != aim->pid)
		ret = -EPERM;
	close(sv[0]);
	close(sv[1]);
	return ret;
}

static long by_bpf(const struct aim *aim, const struct deed *d)
{
	union bpf_attr *a = (void *)aim->low;

	memset(a, 0, sizeof(*a));
	a->map_type = BPF_MAP_TYPE_ARRAY;
	a->key_size = 4;
	a->value_size = 8;
	a->max_entries = 1;
	return d->nr32 ? by_int80(aim, d) : by_call(aim, d);
}

static long by_perf(const struct aim *aim, const struct deed *d)
{
	struct perf_event_attr *a = (void *)aim->low;

	memset(a, 0, sizeof(*a));
	a->type = PERF_TYPE_SOFTWARE;
	a->size = sizeof(*a);
	a->config = PERF_COUNT_SW_CPU_CLOCK;
	(void)d;
	return result(syscall(SYS_perf_event_open, a, 0, -1, -1, 0));
}

/*
 * A kind of image that the kernel does not know: it asks modprobe for binfmt-0201 before it gives
 * up, and the errno is the same in the end.
 */
static long by_image(const struct aim *aim, const struct deed *d)
{
	char path[96];
	int fd, status;
	pid_t pid;

	(void)d;
	snprintf(path, sizeof(path), "%s/image", aim->dir);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, "\377\377\001\002", 4) != 4 || close(fd))
		return -EIO;
	pid = fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(errno);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/* The monitor's own interface; the socket of the test's is not shared. */
static long by_family(const struct aim *aim, const struct deed *d)
{
	struct nlc c;
	long ret = nlc_open(&c);

	(void)aim;
	(void)d;
	if (!ret)
		ret = nlc_dump(&c, SELFHEAL_CMD_POLICY_GET, NULL, NULL);
	nlc_close(&c);
	return ret;
}

#define CALL(n, w, ...) { .name = n, .what = w, .call = by_call, __VA_ARGS__ }
#define INT80(n, w, ...) { .name = n " (i386)", .what = w, .call = by_int80, __VA_ARGS__ }
#define OPEN(w, p, ...) { .name = p, .what = w, .call = by_open, .path = p, __VA_ARGS__ }
#define MOUNT(fs, w, f) { .name = "by a mount of " fs, .what = w, .call = by_own_mount, \
	.path = fs, .file = f }
#define AIMED(n, f, ...) { .name = n, .what = "controller", .call = f, __VA_ARGS__ }

static const struct deed deeds[] = {
	{ .name = "the netlink family", .what = "control interface", .call = by_family },
	CALL("init_module", "modules", .nr = SYS_init_module, .outside = ENOEXEC),
	CALL("finit_module", "modules", .nr = SYS_finit_module, .arg = { -1 }, .outside = EBADF),
	CALL("delete_module", "modules", .nr = SYS_delete_module, .arg = { LOW }, .outside = ENOENT),
	INT80("init_module", "modules", .nr32 = 128, .outside = ENOEXEC),
	INT80("finit_module", "modules", .nr32 = 350, .arg = { -1 }, .outside = EBADF),
	INT80("delete_module", "modules", .nr32 = 129, .arg = { LOW }, .outside = ENOENT),
	{ .name = "modprobe by the kernel", .what = "modules", .call = by_image, .outside = ENOEXEC, .inside = ENOEXEC },
	CALL("kexec_load", "kexec", .nr = SYS_kexec_load),
	INT80("kexec_load", "kexec", .nr32 = 283, .outside = EINVAL),
	CALL("kexec_file_load", "kexec", .nr = SYS_kexec_file_load, .arg = { -1, -1 },
	     .outside = EBADF),
	{ .name = "bpf", .what = "bpf", .call = by_bpf, .nr = SYS_bpf, .arg = { BPF_MAP_CREATE, LOW, 72 } },
	{ .name = "bpf (i386)", .what = "bpf", .call = by_bpf, .nr32 = 357, .arg = { BPF_MAP_CREATE, LOW, 72 } },
	{ .name = "perf_event_open", .what = "perf", .call = by_perf },
	CALL("iopl", "ports", .nr = SYS_iopl, .arg = { 0 }),
	CALL("ioperm", "ports", .nr = SYS_ioperm, .arg = { 0x80, 1, 1 }),
	INT80("iopl", "ports", .nr32 = 110, .arg = { 0 }),
	CALL("reboot", "reboot", .nr = SYS_reboot,
	     .arg = { LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF }),
	INT80("reboot", "reboot", .nr32 = 88,
	      .arg = { LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF }),
	OPEN("kernel memory", "/dev/mem", .arg = { O_RDWR }),
	OPEN("kernel memory", "/dev/port", .arg = { O_RDWR }),
	OPEN("kernel memory", "/proc/kcore", .arg = { O_RDWR }),
	OPEN("machine registers", "/dev/cpu/0/msr", .arg = { O_RDWR }),
	OPEN("sysctl", "/proc/sys/kernel/ftrace_enabled"),
	OPEN("sysctl", "/proc/sys/kernel/core_pattern"),
	OPEN("sysctl", "/proc/sys/kernel/modprobe"),
	OPEN("sysctl", "/proc/sys/kernel/hotplug"),
	OPEN("sysctl", "/proc/sys/kernel/usermodehelper/bset"),
	OPEN("sysctl", "/proc/sys/kernel/modules_disabled"),
	OPEN("sysrq", "/proc/sysrq-trigger"),
	OPEN("sysfs", "/sys/kernel/uevent_helper"),
	OPEN("sysfs", "/sys/kernel/kexec_crash_size"),
	OPEN("sysfs", "/sys/kernel/mm/transparent_hugepage/enabled"),
	OPEN("sysfs", "/sys/module/printk/parameters/time"),
	OPEN("sysfs", "/sys/power/state"),
	OPEN("binfmt_misc", "/proc/sys/fs/binfmt_misc/register"),
	OPEN("cgroup", CGROUP "/cgroup.kill"),
	OPEN("cgroup", CGROUP "/cgroup.freeze", .arg = { O_RDWR }),
	OPEN("tracefs", TRACEFS "tracing_on"),
	OPEN("tracefs", TRACEFS "kprobe_events", .arg = { O_WRONLY | O_APPEND }),
	OPEN("tracefs", TRACEFS "set_ftrace_filter", .arg = { O_WRONLY | O_APPEND }),
	OPEN("tracefs", TRACEFS "current_tracer"),
	OPEN("debugfs", "/sys/kernel/debug/kprobes/enabled"),
	{ .name = "by a descriptor that opens nothing", .what = "tracefs", .call = by_reopening,
	  .path = TRACEFS "tracing_on" },
	MOUNT("tracefs", "tracefs", "tracing_on"),
	MOUNT("debugfs", "debugfs", "kprobes/enabled"),
	MOUNT("proc", "sysctl", "sys/kernel/ftrace_enabled"),
	MOUNT("binfmt_misc", "binfmt_misc", "register"),
	AIMED("kill", by_call, .nr = SYS_kill, .arg = { PID, SIGWINCH }),
	AIMED("tkill", by_call, .nr = SYS_tkill, .arg = { PID, SIGWINCH }),
	AIMED("tgkill", by_call, .nr = SYS_tgkill, .arg = { PID, PID, SIGWINCH }),
	AIMED("rt_sigqueueinfo", by_sigqueue, .nr = SYS_rt_sigqueueinfo),
	AIMED("rt_tgsigqueueinfo", by_sigqueue, .nr = SYS_rt_tgsigqueueinfo),
	AIMED("pidfd_send_signal", by_sigqueue, .nr = SYS_pidfd_send_signal),
	AIMED("kill (i386)", by_int80, .nr32 = 37, .arg = { PID, SIGWINCH }),
	AIMED("tgkill (i386)", by_int80, .nr32 = 270, .arg = { PID, PID, SIGWINCH }),
	AIMED("F_SETOWN", by_owner),
	AIMED("ptrace", by_call, .nr = SYS_ptrace, .arg = { PTRACE_SEIZE, PID }),
	AIMED("process_vm_readv", by_memory, .nr = SYS_process_vm_readv),
	AIMED("process_vm_writev", by_memory, .nr = SYS_process_vm_writev),
	AIMED("pidfd_getfd", by_getfd),
	AIMED("/proc/PID/mem", by_open_of, .path = "/proc/%d/mem"),
	AIMED("/proc/PID/oom_score_adj", by_open_of, .path = "/proc/%d/oom_score_adj"),
	AIMED("sched_setaffinity", by_affinity),
	AIMED("sched_setscheduler", by_scheduler),
	AIMED("setpriority", by_call, .nr = SYS_setpriority, .arg = { PRIO_PROCESS, PID, 0 }),
	AIMED("setpriority of a group", by_call, .nr = SYS_setpriority, .arg = { PRIO_PGRP, 0, 0 }),
	AIMED("setpriority of a user", by_call, .nr = SYS_setpriority, .arg = { PRIO_USER, 0, 0 }),
	AIMED("setpriority (i386)", by_int80, .nr32 = 97, .arg = { PRIO_PROCESS, PID, 0 }),
	AIMED("ioprio_set", by_call, .nr = SYS_ioprio_set,
	      .arg = { IOPRIO_WHO_PROCESS, PID, IOPRIO_CLASS_BE << 13 | 4 }),
	AIMED("prlimit", by_limit),
};

#define DEEDS	((int)(sizeof(deeds) / sizeof(deeds[0])))

/* Not every kernel has every file. */
static bool lacks(const struct deed *d)
{
	return (d->call == by_open || d->call == by_reopening) && access(d->path, F_OK);
}

static void do_all(struct page *page, void *arg)
{
	struct aim *aim = arg;
	int i;

	aim->pidfd = pidfd_of(aim->pid);
	aim->low = low_memory(4096);
	for (i = 0; i < DEEDS; i++) {
		page_block(page, 2 + i);
		strcpy(aim->low, NOBODY_LIKE);
		atomic_store(&page->value[0], lacks(&deeds[i]) ? 1 : deeds[i].call(aim, &deeds[i]));
		page_step(page, 2 + i);
	}
	page_block(page, UINT32_MAX);
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, UINT32_MAX);
}

FIXTURE(insulation)
{
	struct rig r;
	struct aim aim;
};

FIXTURE_SETUP(insulation)
{
	struct policy *p = &self->r.p;

	ASSERT_EQ(0, rig_open(&self->r));
	/* What is refused is refused as tampering. */
	p->hold_other = SELFHEAL_CHANNEL_ACTION_PASS;
	p->hold_signal = SELFHEAL_CHANNEL_ACTION_PASS;
	p->hold_ipc = SELFHEAL_CHANNEL_ACTION_PASS;
	p->hold_device = SELFHEAL_CHANNEL_ACTION_PASS;
	strcpy(self->aim.dir, "/tmp/selfheal.insul.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->aim.dir));
	ASSERT_TRUE(!mkdir(CGROUP, 0755) || errno == EEXIST);
	EXPECT_EQ(0, system("modprobe -a msr binfmt_misc 2>/dev/null; true"));
}

FIXTURE_TEARDOWN(insulation)
{
	char cmd[96];

	EXPECT_TRUE(rig_close(&self->r));
	snprintf(cmd, sizeof(cmd), "rm -rf %s", self->aim.dir);
	EXPECT_EQ(0, system(cmd));
	EXPECT_EQ(0, rmdir(CGROUP));
}

static void take_counter(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a, *in[SELFHEAL_A_COUNTER_HELP + 1];
	char name[64];
	int rem;

	nla_for_each_attr(a, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem) {
		if (nla_type(a) != SELFHEAL_A_STATUS_COUNTER ||
		    nla_parse_nested(in, SELFHEAL_A_COUNTER_HELP, a, NULL))
			continue;
		nlc_get_str(in, SELFHEAL_A_COUNTER_NAME, name, sizeof(name));
		if (!strcmp(name, "tampers"))
			*(uint64_t *)arg = nlc_get_u64(in, SELFHEAL_A_COUNTER_VALUE);
	}
}

static uint64_t tampers(struct rig *r)
{
	uint64_t n = 0;

	nlc_call(&r->c, nlc_msg(&r->c, SELFHEAL_CMD_STATUS_GET, 0), take_counter, &n);
	return n;
}

/* Does an event of the domain name what each deed that was possible reached for? */
static bool all_told(struct rig *r, const bool *done)
{
	bool told[DEEDS] = {};
	struct event ev;
	int i, j;

	while (nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_TAMPER, r->dom, QUIET, &ev)) {
		for (i = 0; i < DEEDS; i++)
			told[i] |= !strcmp(ev.what, deeds[i].what);
	}
	for (i = j = 0; i < DEEDS; i++) {
		if (done[i] && !told[i]) {
			printf("# no event tells of: %s (%s)\n", deeds[i].name, deeds[i].what);
			j++;
		}
	}
	return !j;
}

TEST_F(insulation, refused_and_told)
{
	struct rig *r = &self->r;
	struct page *page;
	bool done[DEEDS] = {};
	uint64_t before;
	int i;

	self->aim.pid = getpid();
	ASSERT_EQ(0, rig_run(r, do_all, &self->aim));
	page = r->kid.page;
	for (i = 0; i < DEEDS; i++) {
		before = tampers(r);
		page_go(page, 2 + i);
		ASSERT_TRUE(page_wait(page, 2 + i, BOUND)) { TH_LOG("%s", deeds[i].name); }
		done[i] = page->value[0] != 1;
		if (!done[i])
			continue;
		EXPECT_EQ(-(deeds[i].inside ? deeds[i].inside : EPERM), page->value[0]) {
			TH_LOG("%s", deeds[i].name);
		}
		EXPECT_LT(before, tampers(r)) { TH_LOG("not counted: %s", deeds[i].name); }
	}
	EXPECT_TRUE(all_told(r, done));
}

/* Or the test above would prove nothing. */
TEST_F(insulation, root_outside_may)
{
	struct rig *r = &self->r;
	struct child deed, target;
	uint64_t before;
	int i;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, child_start(&target, idle, NULL));
	self->aim.pid = target.pid;
	ASSERT_EQ(0, child_start(&deed, do_all, &self->aim));
	page_go(deed.page, 1);
	before = tampers(r);
	for (i = 0; i < DEEDS; i++) {
		page_go(deed.page, 2 + i);
		ASSERT_TRUE(page_wait(deed.page, 2 + i, BOUND)) { TH_LOG("%s", deeds[i].name); }
		if (deed.page->value[0] == 1)
			continue;
		EXPECT_EQ(-deeds[i].outside, deed.page->value[0]) { TH_LOG("%s", deeds[i].name); }
	}
	EXPECT_EQ(before, tampers(r));
	child_end(&deed);
	child_end(&target);
}

GUEST_MAIN
