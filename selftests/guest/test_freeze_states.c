// SPDX-License-Identifier: GPL-2.0
/*
 * A member that the freeze meets in an odd place: asleep where no signal
 * reaches, in the middle of an exec, in a stop. While it is
 * frozen somebody outside gives it the push that it waited for; it must not
 * run. After a release it goes on where it was, after a kill it is dead.
 *
 *	test: push, relief
 *	  `- kid: counts up after it came through
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "census.h"
#include "rig.h"

#define LOST (-1000)		/* ready(): what it needs is not on this machine */

/* What the test and the kid know of each other; slots of page->value. */
enum { V_TID, V_FD, V_ADDR, V_PID };

static char dir[32];
static struct rig *rig;
static int uffd;

static void goes_on(struct page *page)
{
	for (;;)
		atomic_fetch_add(&page->count[0], 1);
}

static pid_t kid(void)
{
	return rig->kid.pid;
}

/* ---- a page that somebody outside has to fill ---- */

/* The address of a page whose first touch waits for the test. */
static char *absent_page(struct page *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .range.len = 4096, .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	reg.range.start = (uintptr_t)mem;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		_exit(9);
	atomic_store(&page->value[V_FD], fd);
	atomic_store(&page->value[V_ADDR], (int64_t)(uintptr_t)mem);
	return mem;
}

static int take_uffd(void)
{
	uffd = syscall(SYS_pidfd_getfd, rig->kid.pidfd, (int)rig->kid.page->value[V_FD], 0);
	return uffd < 0 ? -errno : 0;
}

static void fill_page(void)
{
	static char src[4096] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {
		.dst = rig->kid.page->value[V_ADDR],
		.src = (uintptr_t)src,
		.len = 4096,
	};

	/* "/proc/self/exe" names the file of an exec, other readers do not care. */
	strcpy(src, "/bin/sleep");
	ioctl(uffd, UFFDIO_COPY, &copy);
	close(uffd);
}

/* Faulting the page in from inside the kernel: no signal but SIGKILL interrupts. */
static void populate(struct page *page)
{
	char *mem = absent_page(page);

	page_step(page, 2);
	madvise(mem, 4096, MADV_POPULATE_READ);
	goes_on(page);
}

static int populate_ready(void)
{
	int err = take_uffd();

	if (err)
		return err;
	return proc_wait_state(kid(), kid(), 'D', BOUND) ? 0 : -ETIME;
}

/* A store in user mode that faults. */
static void touch(struct page *page)
{
	char *mem = absent_page(page);

	page_step(page, 2);
	*(volatile char *)mem = 1;
	goes_on(page);
}

/* In the middle of an exec: its path is the absent page. */
static void exec_path(struct page *page)
{
	char *argv[] = { "sh-family", "1000", NULL };
	char *mem = absent_page(page);

	page_step(page, 2);
	execv(mem, argv);
	_exit(8);
}

static int asleep_ready(void)
{
	int err = take_uffd();

	if (err)
		return err;
	return proc_wait_state(kid(), kid(), 'S', BOUND) ? 0 : -ETIME;
}

/* ---- a file system that is frozen: truly uninterruptible ---- */

static int fs_fd = -1;

static int frozen_fs(void)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd),
		 "{ modprobe loop; truncate -s 4M %s/img && mkfs.ext4 -q -O ^has_journal %s/img && mkdir %s/mnt && mount -o loop %s/img %s/mnt; } > /dev/null 2>&1",
		 dir, dir, dir, dir, dir);
	if (system(cmd))
		return LOST;
	snprintf(cmd, sizeof(cmd), "%s/mnt", dir);
	fs_fd = open(cmd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs_fd < 0 || ioctl(fs_fd, FIFREEZE, 0))
		return LOST;
	return 0;
}

static void thaw_fs(void)
{
	if (fs_fd >= 0)
		ioctl(fs_fd, FITHAW, 0);
}

static void leave_fs(void)
{
	char path[64];

	if (fs_fd < 0)
		return;
	thaw_fs();
	close(fs_fd);
	fs_fd = -1;
	snprintf(path, sizeof(path), "%s/mnt", dir);
	umount2(path, MNT_DETACH);
	rmdir(path);
}

static void make_file(struct page *page)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/mnt/file", dir);
	page_step(page, 2);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	goes_on(page);
}

static int make_ready(void)
{
	return proc_wait_state(kid(), kid(), 'D', BOUND) ? 0 : -ETIME;
}

static void *make_file_thread(void *arg)
{
	struct page *page = arg;
	char path[64];

	atomic_store(&page->value[V_TID], syscall(SYS_gettid));
	snprintf(path, sizeof(path), "%s/mnt/file", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	return NULL;
}

/* The exec waits for a sibling to die, which sleeps where it cannot. */
static void exec_waits(struct page *page)
{
	pthread_t t;

	pthread_create(&t, NULL, make_file_thread, page);
	page_step(page, 2);
	page_block(page, 2);
	execl("/bin/sleep", "sh-family", "1000", NULL);
}

static int exec_waits_ready(void)
{
	struct page *page = rig->kid.page;
	int64_t end = now_ms() + BOUND;

	while (!page->value[V_TID] && now_ms() < end)
		pause_ms(1);
	if (!proc_wait_state(kid(), page->value[V_TID], 'D', BOUND))
		return -ETIME;
	page_go(page, 2);
	/* Killable, so it is not asleep by its letter. */
	while (proc_syscall(kid(), kid()) != SYS_execve || proc_state(kid(), kid()) != 'D') {
		if (now_ms() >= end)
			return -ETIME;
		pause_ms(1);
	}
	return 0;
}

/* ---- stops: by a tracer, by signals, by the cgroup freezer ---- */

static void fork_child(struct page *page)
{
	page_step(page, 2);
	page_block(page, 2);
	if (!fork())
		goes_on(page);
	goes_on(page);
}

/* Kid and newborn are in stops of the tracer, the newborn before its first instruction. */
static int newborn_ready(void)
{
	int i, status, opt = PTRACE_O_TRACEFORK;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, kid(), 0, opt))
		return -errno;
	page_go(rig->kid.page, 2);
	for (i = 0; i < 2; i++) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 || !WIFSTOPPED(status))
			return -ECHILD;
		if (pid != kid())
			rig->kid.page->value[V_PID] = pid;
	}
	return rig->kid.page->value[V_PID] ? 0 : -ECHILD;
}

static void newborn_push(void)
{
	ptrace(PTRACE_CONT, rig->kid.page->value[V_PID], 0, 0);
	ptrace(PTRACE_CONT, kid(), 0, 0);
}

static void newborn_leave(void)
{
	/* They die with their tracer's interest in them, or are detached. */
	ptrace(PTRACE_DETACH, rig->kid.page->value[V_PID], 0, 0);
	ptrace(PTRACE_DETACH, kid(), 0, 0);
}

static void just_run(struct page *page)
{
	page_step(page, 2);
	goes_on(page);
}

static int stop_ready(void)
{
	kill(kid(), SIGSTOP);
	return proc_wait_state(kid(), kid(), 'T', BOUND) ? 0 : -ETIME;
}

static void stop_and_continue(void)
{
	int i;

	for (i = 0; i < 1000; i++) {
		kill(kid(), SIGCONT);
		kill(kid(), SIGSTOP);
	}
	kill(kid(), SIGCONT);
}

static char cgroup[64];

static int cgroup_write(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return write_file(path, text);
}

static int cgroup_set_up(void)
{
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/selfheal.%d", getpid());
	return mkdir(cgroup, 0755) ? LOST : 0;
}

static int cgroup_ready(void)
{
	char path[128], pid[16];
	int64_t end = now_ms() + BOUND;

	snprintf(pid, sizeof(pid), "%d", kid());
	if (cgroup_write("cgroup.procs", pid) || cgroup_write("cgroup.freeze", "1"))
		return -EIO;
	snprintf(path, sizeof(path), "%s/cgroup.events", cgroup);
	while (!file_has(path, "frozen 1")) {
		if (now_ms() >= end)
			return -ETIME;
		pause_ms(2);
	}
	return 0;
}

static void cgroup_thaw(void)
{
	cgroup_write("cgroup.freeze", "0");
}

static void cgroup_clean(void)
{
	int64_t end = now_ms() + BOUND;

	/* A dead member counts until it is reaped. */
	while (rmdir(cgroup) && errno == EBUSY && now_ms() < end)
		pause_ms(5);
}

/* ---- handlers: timers and signals that come while frozen ---- */

static struct page *handler_page;

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&handler_page->count[0], 1);
}

static void by_timers(struct page *page)
{
	struct sigevent to_thread = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec often = { { 0, 1000000 }, { 0, 1000000 } };
	timer_t timer;

	handler_page = page;
	signal(SIGRTMIN, on_signal);
	signal(SIGUSR1, on_signal);
	timer_create(CLOCK_MONOTONIC, &to_thread, &timer);
	timer_settime(timer, 0, &often, NULL);
	page_step(page, 2);
	for (;;)
		pause();
}

static int timers_ready(void)
{
	return page_changed(&rig->kid.page->count[0], 0, BOUND) ? 0 : -ETIME;
}

static void signal_often(void)
{
	int i;

	for (i = 0; i < 1000; i++)
		kill(kid(), SIGUSR1);
}

/* ---- the init of a PID namespace ---- */

static void namespace_init(struct page *page)
{
	if (unshare(CLONE_NEWPID))
		_exit(7);
	if (!fork()) {
		/* The init: its children fall to it, its death is theirs. */
		if (!fork())
			goes_on(page);
		if (!fork()) {
			page_step(page, 2);
			goes_on(page);
		}
		for (;;)
			pause();
	}
	for (;;)
		pause();
}

static void nothing(void)
{
}

static int nothing_to_do(void)
{
	return 0;
}

FIXTURE(state)
{
	struct rig r;
	bool set_up;
};

FIXTURE_VARIANT(state)
{
	int (*set_up)(void);		/* before the domain is there */
	void (*run)(struct page *page);
	int (*ready)(void);		/* bring the kid there */
	void (*push)(void);		/* while frozen */
	void (*relief)(void);		/* after a kill: let it die */
	void (*clean)(void);
	bool is_exec;
};

#define STATE(name, ...) FIXTURE_VARIANT_ADD(state, name) { __VA_ARGS__ }

STATE(faulting, nothing_to_do, touch, asleep_ready, fill_page, nothing, nothing, false);
STATE(killable, nothing_to_do, populate, populate_ready, fill_page, nothing, nothing,
      false);
STATE(exec_path, nothing_to_do, exec_path, asleep_ready, fill_page, nothing, nothing,
      true);
STATE(uninterruptible, frozen_fs, make_file, make_ready, thaw_fs, thaw_fs, leave_fs,
      false);
STATE(exec_waits_for_sibling, frozen_fs, exec_waits, exec_waits_ready, thaw_fs, thaw_fs,
      leave_fs, true);
STATE(traced_newborn, nothing_to_do, fork_child, newborn_ready, newborn_push, newborn_leave,
      nothing, false);
STATE(stopped, nothing_to_do, just_run, stop_ready, stop_and_continue, nothing, nothing,
      false);
STATE(cgroup_frozen, cgroup_set_up, just_run, cgroup_ready, cgroup_thaw, cgroup_thaw,
      cgroup_clean, false);
STATE(handlers, nothing_to_do, by_timers, timers_ready, signal_often, nothing, nothing,
      false);
STATE(namespace_init, nothing_to_do, namespace_init, nothing_to_do, nothing, nothing, nothing,
      false);

static void named(struct page *page, void *arg)
{
	prctl(PR_SET_NAME, CENSUS_NAME);
	((void (*)(struct page *))arg)(page);
}

FIXTURE_SETUP(state)
{
	int err;

	rig = &self->r;
	strcpy(dir, "/tmp/selfheal.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(dir));
	err = variant->set_up();
	if (err == LOST)
		SKIP(return, "no loop device, mkfs.ext4 or cgroup2 here");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, rig_open(rig));
	ASSERT_EQ(0, rig_run(rig, named, (void *)variant->run));
	ASSERT_TRUE(page_wait(rig->kid.page, 2, BOUND));
	ASSERT_EQ(0, variant->ready());
}

FIXTURE_TEARDOWN(state)
{
	char img[64];

	variant->relief();
	if (self->r.c.sk) {
		EXPECT_TRUE(census_kill(BOUND));
		EXPECT_TRUE(rig_close(&self->r));
	}
	variant->clean();
	snprintf(img, sizeof(img), "%s/img", dir);
	unlink(img);
	EXPECT_EQ(0, rmdir(dir));
}

/* Came through an exec: it is /bin/sleep now, which says nothing. */
static bool runs_sleep(int ms)
{
	int64_t end = now_ms() + ms;
	char path[64], exe[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", kid());
	for (;;) {
		n = readlink(path, exe, sizeof(exe) - 1);
		if (n > 5 && !strncmp(exe + n - 5, "sleep", 5))
			break;
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return proc_wait_syscall(kid(), kid(), SYS_clock_nanosleep, end - now_ms());
}

TEST_F(state, pushed_while_frozen)
{
	struct domain d;
	uint64_t id, at;

	ASSERT_EQ(0, domain_freeze(&rig->c, rig->dom, &id));
	ASSERT_TRUE(domain_wait(&rig->c, rig->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	at = rig->kid.page->count[0];
	variant->push();
	pause_ms(QUIET);
	EXPECT_EQ(at, rig->kid.page->count[0]);
	if (variant->is_exec)
		EXPECT_FALSE(runs_sleep(0));
	ASSERT_EQ(0, domain_get(&rig->c, rig->dom, &d));
	EXPECT_EQ(SELFHEAL_DOMAIN_STATE_FROZEN, d.state);
	ASSERT_EQ(0, incident_verdict(&rig->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(variant->is_exec ? runs_sleep(BOUND) :
		    page_changed(&rig->kid.page->count[0], at, BOUND));
}

TEST_F(state, killed_while_frozen)
{
	uint64_t id, at;

	ASSERT_EQ(0, domain_freeze(&rig->c, rig->dom, &id));
	ASSERT_TRUE(domain_wait(&rig->c, rig->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	at = rig->kid.page->count[0];
	ASSERT_EQ(0, incident_verdict(&rig->c, id, SELFHEAL_VERDICT_KILL));
	variant->relief();
	EXPECT_TRUE(child_signaled(&rig->kid, BOUND, SIGKILL));
	EXPECT_TRUE(domain_wait(&rig->c, rig->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_TRUE(census_empty(BOUND));
	EXPECT_EQ(at, rig->kid.page->count[0]);
}

GUEST_MAIN
