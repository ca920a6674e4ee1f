// SPDX-License-Identifier: GPL-2.0
/*
 * Files past which output cannot be held: devices and control files that a
 * member opens, descriptors that it is sent, eventfds that outsiders share,
 * and what it had open or mapped before it was enrolled.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/aio_abi.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

enum rule { DENY, PASS, OBSERVE };

/* What the member inherits or is sent: made by the test, which is outside. */
struct outside {
	int sv[2];		/* the member reads from 1 */
	int event;
	int sent;
	pid_t pid;
};

FIXTURE(files)
{
	struct rig r;
	struct outside o;
};

FIXTURE_VARIANT(files)
{
	enum rule rule;
};

FIXTURE_VARIANT_ADD(files, deny) { DENY };
FIXTURE_VARIANT_ADD(files, pass) { PASS };
FIXTURE_VARIANT_ADD(files, observe) { OBSERVE };

FIXTURE_SETUP(files)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_open(r));
	r->p.tamper = SELFHEAL_TAMPER_ACTION_PASS;
	if (variant->rule != PASS) {
		r->p.hold_pipe = SELFHEAL_CHANNEL_ACTION_HOLD;
		r->p.hold_other = SELFHEAL_CHANNEL_ACTION_DENY;
		r->p.hold_ipc = SELFHEAL_CHANNEL_ACTION_DENY;
		r->p.hold_device = SELFHEAL_CHANNEL_ACTION_DENY;
	}
	if (variant->rule == OBSERVE)
		r->p.flags |= SELFHEAL_POLICY_FLAG_OBSERVE;
	self->o.pid = getpid();
	self->o.event = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, self->o.event);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->o.sv));
}

FIXTURE_TEARDOWN(files)
{
	EXPECT_TRUE(rig_close(&self->r));
	close(self->o.event);
	close(self->o.sv[0]);
	close(self->o.sv[1]);
}

static int64_t result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static int64_t try_open(const char *path, int flags)
{
	int fd = open(path, flags);
	int64_t r = result(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static const struct {
	const char *path;
	int flags;
	bool refused;
} opens[] = {
	{ "/dev/null", O_RDWR, false },
	{ "/dev/zero", O_RDWR, false },
	{ "/dev/full", O_RDWR, false },
	{ "/dev/urandom", O_RDONLY, false },
	{ "/dev/ptmx", O_RDWR, false },
	{ "/proc/self/comm", O_RDWR, false },
	{ "/proc/self/oom_score_adj", O_WRONLY, false },
	{ "/proc/thread-self/comm", O_WRONLY, false },
	{ "/proc/meminfo", O_RDONLY, false },
	{ "/proc/1/oom_score_adj", O_WRONLY, true },
	{ "/proc/irq/default_smp_affinity", O_WRONLY, true },
	{ "/dev/kmsg", O_WRONLY, true },
	{ "/dev/kmsg", O_RDONLY, true },
	{ "/sys/fs/cgroup/cgroup.procs", O_WRONLY, true },
	{ "/sys/fs/cgroup/cgroup.procs", O_RDONLY, false },
	{ "/sys/kernel/rcu_expedited", O_WRONLY, true },
	{ "/sys/kernel/rcu_expedited", O_RDONLY, false },
};

#define OPENS (sizeof(opens) / sizeof(opens[0]))

static void open_all(struct page *page, void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < OPENS; i++)
		atomic_store(&page->value[i], try_open(opens[i].path, opens[i].flags));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(files, opened)
{
	struct rig *r = &self->r;
	int64_t plain, want, got;
	unsigned int i;

	ASSERT_EQ(0, rig_run(r, open_all, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < OPENS; i++) {
		plain = try_open(opens[i].path, opens[i].flags);
		/* Not every kernel has every file. */
		if (plain < 0) {
			TH_LOG("%s: %s", opens[i].path, strerror(-plain));
			continue;
		}
		want = opens[i].refused && variant->rule == DENY ? -EPERM : 0;
		got = r->kid.page->value[i];
		EXPECT_EQ(want, got < 0 ? got : 0) TH_LOG("%s", opens[i].path);
	}
	/* Two that every kernel of the suite has, so that something was refused. */
	EXPECT_LE(0, try_open("/dev/kmsg", O_WRONLY));
	EXPECT_LE(0, try_open("/proc/1/oom_score_adj", O_WRONLY));
}

static bool send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1;
}

/* The descriptor, -1 for a message without one. */
static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(sock, &msg, 0) != 1)
		return -2;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

#define SENT 3

static void receive_all(struct page *page, void *arg)
{
	struct outside *o = arg;
	int i;

	for (i = 0; i < SENT; i++)
		atomic_store(&page->value[i], receive_fd(o->sv[1]));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(files, received)
{
	struct rig *r = &self->r;
	int fd[SENT], i;

	ASSERT_EQ(0, rig_run(r, receive_all, &self->o));
	fd[0] = open("/proc/self/exe", O_RDONLY);
	fd[1] = open("/dev/kmsg", O_WRONLY);
	fd[2] = syscall(SYS_fsopen, "tmpfs", 0);
	for (i = 0; i < SENT; i++) {
		ASSERT_LE(0, fd[i]);
		ASSERT_TRUE(send_fd(self->o.sv[0], fd[i]));
		close(fd[i]);
	}
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_LE(0, (int64_t)r->kid.page->value[0]);
	if (variant->rule == DENY) {
		EXPECT_EQ(-1, (int64_t)r->kid.page->value[1]);
		EXPECT_EQ(-1, (int64_t)r->kid.page->value[2]);
	} else {
		EXPECT_LE(0, (int64_t)r->kid.page->value[1]);
		EXPECT_LE(0, (int64_t)r->kid.page->value[2]);
	}
}

/* io_submit() of a read whose end the kernel tells by the eventfd. */
static int64_t aio_read(int event)
{
	aio_context_t ctx = 0;
	char buf[16];
	int fd = open("/proc/self/exe", O_RDONLY);
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
			   .aio_buf = (uintptr_t)buf, .aio_nbytes = sizeof(buf),
			   .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = event };
	struct iocb *list = &cb;
	int64_t ret;

	if (syscall(SYS_io_setup, 1, &ctx))
		return -errno;
	ret = result(syscall(SYS_io_submit, ctx, 1, &list));
	syscall(SYS_io_destroy, ctx);
	close(fd);
	return ret;
}

static void signal_events(struct page *page, void *arg)
{
	struct outside *o = arg;
	int64_t *v = (int64_t *)page->value;
	int mine = eventfd(0, 0), sent;

	v[0] = result(eventfd_write(mine, 1));
	v[1] = result(eventfd_write(o->event, 1));
	sent = receive_fd(o->sv[1]);
	v[2] = result(eventfd_write(sent, 1));
	v[3] = aio_read(o->event);
	v[4] = result(eventfd_write(mine, 1));
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(files, eventfds)
{
	struct rig *r = &self->r;
	bool deny = variant->rule == DENY;
	int sent = eventfd(0, EFD_NONBLOCK), i;
	eventfd_t n;

	sysmap_set(r->p.pass, SYS_eventfd2);
	sysmap_set(r->p.pass, SYS_io_submit);
	sysmap_set(r->p.pass, SYS_io_setup);
	ASSERT_EQ(0, rig_run(r, signal_events, &self->o));
	ASSERT_TRUE(send_fd(self->o.sv[0], sent));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, (int64_t)r->kid.page->value[0]);
	EXPECT_EQ(0, (int64_t)r->kid.page->value[4]);
	for (i = 1; i < 3; i++)
		EXPECT_EQ(deny ? -EPERM : 0, (int64_t)r->kid.page->value[i]) TH_LOG("way %d", i);
	EXPECT_EQ(deny ? -EPERM : 1, (int64_t)r->kid.page->value[3]);
	EXPECT_EQ(deny ? -1 : 0, eventfd_read(self->o.event, &n));
	EXPECT_EQ(deny ? -1 : 0, eventfd_read(sent, &n));
	close(sent);
}

/* A process with something of the kind, from before any domain. */
enum before { CLEAN, DEVICE, CONTEXT, MAPPING, PLAIN };

static void before(struct page *page, void *arg)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };
	int fd = -1, pipefd[2];

	switch (*(enum before *)arg) {
	case DEVICE:
		fd = open("/dev/kmsg", O_WRONLY);
		break;
	case CONTEXT:
		fd = syscall(SYS_fsopen, "tmpfs", 0);
		break;
	case MAPPING:
		fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
		break;
	case PLAIN:
		fd = open("/dev/null", O_RDWR);
		if (pipe(pipefd))
			fd = -1;
		socket(AF_INET, SOCK_STREAM, 0);
		syscall(SYS_epoll_create1, 0);
		syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
		syscall(SYS_memfd_create, "m", 0);
		syscall(SYS_inotify_init1, 0);
		syscall(SYS_pidfd_open, getpid(), 0);
		break;
	default:
		break;
	}
	atomic_store(&page->value[0], fd);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* The answer to enrolling such a process. */
static int enrol(struct rig *r, enum before what, int *fd)
{
	int err = policy_load(&r->c, &r->p);

	if (err)
		return err;
	err = child_start(&r->kid, before, &what);
	if (err)
		return err;
	page_go(r->kid.page, 1);
	if (!page_wait(r->kid.page, 2, BOUND))
		return -ETIMEDOUT;
	*fd = r->kid.page->value[0];
	return domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom);
}

TEST_F(files, enrol_with_a_device)
{
	struct rig *r = &self->r;
	char text[64];
	int fd;

	EXPECT_EQ(variant->rule == DENY ? -EPERM : 0, enrol(r, DEVICE, &fd));
	snprintf(text, sizeof(text), "descriptor %d is a device", fd);
	EXPECT_EQ(variant->rule == DENY, !!strstr(r->c.ext, text)) TH_LOG("%s", r->c.ext);
}

TEST_F(files, enrol_with_an_unknown_kind)
{
	struct rig *r = &self->r;
	char text[64];
	int fd;

	EXPECT_EQ(variant->rule == DENY ? -EPERM : 0, enrol(r, CONTEXT, &fd));
	snprintf(text, sizeof(text), "descriptor %d is of an unknown kind", fd);
	EXPECT_EQ(variant->rule == DENY, !!strstr(r->c.ext, text)) TH_LOG("%s", r->c.ext);
}

TEST_F(files, enrol_with_a_mapping)
{
	struct rig *r = &self->r;
	int fd, err = enrol(r, MAPPING, &fd);

	if (fd < 0)
		SKIP(return, "no perf events in this kernel");
	EXPECT_EQ(variant->rule == DENY ? -EPERM : 0, err);
	EXPECT_EQ(variant->rule == DENY, !!strstr(r->c.ext, "a mapping of the process is a perf"))
		TH_LOG("%s", r->c.ext);
}

TEST_F(files, enrol_with_what_is_harmless)
{
	struct rig *r = &self->r;
	int fd;

	EXPECT_EQ(0, enrol(r, PLAIN, &fd)) TH_LOG("%s", r->c.ext);
	EXPECT_LE(0, fd);
}

/* A refused process goes on as it was, and can be enrolled once it fits. */
TEST_F(files, refused_process_is_no_member)
{
	struct rig *r = &self->r;
	struct domain d;
	int fd;

	if (variant->rule != DENY)
		SKIP(return, "it is not refused");
	ASSERT_EQ(-EPERM, enrol(r, DEVICE, &fd));
	EXPECT_EQ(0, domain_of(&r->c, r->kid.pid));
	child_end(&r->kid);
	ASSERT_EQ(0, child_start(&r->kid, before, &(enum before){ CLEAN }));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(1, d.members);
}

/* value[0] = how the program that the policy matches ended. */
static void run_matched(struct page *page, void *arg)
{
	int fd = *(enum before *)arg == DEVICE ? open("/dev/kmsg", O_WRONLY) : 0;
	int status;
	pid_t kid = fork();

	if (!kid) {
		execl("/bin/true", "true", NULL);
		_exit(99);
	}
	waitpid(kid, &status, 0);
	close(fd);
	atomic_store(&page->value[0], status);
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(files, matched_exec_with_a_device)
{
	enum before what[] = { CLEAN, DEVICE };
	struct rig *r = &self->r;
	int want[] = { 0, variant->rule == DENY ? SIGKILL : 0 }, i;
	struct child c;

	r->p.match[0] = "/bin/true";
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, child_start(&c, run_matched, &what[i]));
		page_go(c.page, 1);
		EXPECT_TRUE(page_wait(c.page, 2, BOUND));
		EXPECT_EQ(want[i], (int64_t)c.page->value[0]);
		child_end(&c);
	}
}

GUEST_MAIN
