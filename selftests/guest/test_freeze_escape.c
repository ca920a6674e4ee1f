// SPDX-License-Identifier: GPL-2.0
/*
 * A family that multiplies, changes its image, its owner, its session, its
 * namespaces or its cgroup as fast as it can, against the freeze:
 *
 *	test ───── pipe ◄── one byte a beat
 *	  `- kid: the storm; each task of it beats: a count in the page, a byte
 *
 * While the domain is frozen no count moves and no byte arrives, and whoever
 * is alive by /proc is a member. A release lets all go on, a kill ends all.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "census.h"
#include "rig.h"

#define WIDTH	24		/* tasks of a storm alive at once, about */
#define ROUNDS	3

static struct page *page;
static int page_fd, out, cgroup_fd;
static char tool[64];		/* a copy of tool_chain, setuid root */

static void beat(void)
{
	atomic_fetch_add(&page->count[syscall(SYS_gettid) % 128], 1);
	if (write(out, "b", 1) != 1)
		return;		/* the pipe is full: nobody minds */
}

static void chain(const char *how)
{
	char fds[2][16];

	snprintf(fds[0], sizeof(fds[0]), "%d", page_fd);
	snprintf(fds[1], sizeof(fds[1]), "%d", out);
	execl(tool, tool, fds[0], fds[1], how, NULL);
	_exit(1);
}

/* Fork while there is room, else make room; for ever, all generations. */
static void bomb(void)
{
	pid_t root = getpid();

	for (;;) {
		beat();
		if (atomic_fetch_add(&page->threads, 1) < WIDTH) {
			if (fork() < 0)
				atomic_fetch_sub(&page->threads, 1);
		} else {
			atomic_fetch_sub(&page->threads, 1);
			if (getpid() != root) {
				atomic_fetch_sub(&page->threads, 1);
				_exit(0);
			}
		}
	}
}

static void *short_thread(void *arg)
{
	int i;

	for (i = 0; i < 20; i++)
		beat();
	atomic_fetch_sub(&page->threads, 1);
	return arg;
}

static void threads(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1 << 16);
	for (;;) {
		beat();
		if (atomic_fetch_add(&page->threads, 1) >= WIDTH ||
		    pthread_create(&t, &attr, short_thread, NULL))
			atomic_fetch_sub(&page->threads, 1);
	}
}

static void vforks(void)
{
	pid_t pid;

	for (;;) {
		pid = vfork();
		if (!pid) {
			beat();
			_exit(0);
		}
		beat();
	}
}

static void vfork_execs(void)
{
	char fds[2][16];

	snprintf(fds[0], sizeof(fds[0]), "%d", page_fd);
	snprintf(fds[1], sizeof(fds[1]), "%d", out);
	for (;;) {
		if (!vfork()) {
			execl(tool, tool, fds[0], fds[1], "once", NULL);
			_exit(1);
		}
		beat();
	}
}

static void execs(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (!fork())
			chain("exec");
	}
	chain("exec");
}

static void exec_of_threads(void)
{
	if (!fork())
		chain("thread");
	chain("thread");
}

static void own_user(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(1);
}

static void setuid_children(void)
{
	while (!fork()) {
		own_user();
		bomb();
	}
	for (;;)
		beat();
}

/* Each exec gives nobody the rights of root, and the dumpable flag goes. */
static void setuid_execs(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (!fork()) {
			own_user();
			chain("exec");
		}
	}
	for (;;)
		beat();
}

/* Daemons: each generation leaves session and parent, then makes the next. */
static void daemons(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		for (;;) {
			pid_t pid = fork();

			if (pid > 0)
				_exit(0);
			if (!pid)
				setsid();
			beat();
		}
	}
	for (;;)
		beat();
}

static long raw_clone3(uint64_t flags, uint64_t exit_signal, int cgroup)
{
	struct clone_args args = {
		.flags = flags | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.exit_signal = exit_signal,
		.cgroup = cgroup >= 0 ? cgroup : 0,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* Every child is a sibling: the parent that made it goes. */
static void clone_parents(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		for (;;) {
			beat();
			if (raw_clone3(CLONE_PARENT, 0, -1) > 0)
				_exit(0);
		}
	}
	for (;;)
		beat();
}

static void into_cgroups(void)
{
	for (;;) {
		beat();
		if (atomic_fetch_add(&page->threads, 1) >= WIDTH) {
			atomic_fetch_sub(&page->threads, 1);
		} else if (!raw_clone3(0, SIGCHLD, cgroup_fd)) {
			int i;

			for (i = 0; i < 20; i++)
				beat();
			atomic_fetch_sub(&page->threads, 1);
			_exit(0);
		}
	}
}

static int shares_memory(void *arg)
{
	short_thread(arg);
	return 0;
}

/* One address space, many processes. */
static void clone_vms(void)
{
	enum { AT_ONCE = 8, STACK = 1 << 16 };
	char *stacks = mmap(NULL, AT_ONCE * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	signal(SIGCHLD, SIG_DFL);
	for (;;) {
		for (i = 0; i < AT_ONCE; i++)
			clone(shares_memory, stacks + (i + 1) * STACK,
			      CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
		beat();
		while (wait(NULL) > 0)
			;
	}
}

/* An init of its own with a bomb below it, seen from nowhere but outside. */
static void namespaces(void)
{
	int flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS |
		    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	if (!raw_clone3(flags, SIGCHLD, -1)) {
		if (!raw_clone3(CLONE_NEWUSER | CLONE_NEWPID, SIGCHLD, -1))
			bomb();
		bomb();
	}
	for (;;)
		beat();
}

static void on_signal(int sig)
{
	(void)sig;
	beat();
}

/* Handlers by timer, and brothers who stop and continue each other. */
static void signals(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	pid_t brother = getpid();

	signal(SIGALRM, on_signal);
	signal(SIGUSR1, on_signal);
	if (!fork()) {
		for (;;) {
			kill(brother, SIGSTOP);
			beat();
			kill(brother, SIGCONT);
			kill(brother, SIGUSR1);
		}
	}
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;)
		beat();
}

/* A debugger and its victim, both members; each step is a stop. */
static void single_steps(void)
{
	pid_t pid;
	int status;

	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (;;)
			beat();
	}
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		beat();
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
	}
	_exit(1);
}

/* Processes of three threads that crash, one after the other. */
static void crashes(void)
{
	struct rlimit none = { 0, 0 };
	pid_t pid;
	pthread_t t;

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGCHLD, SIG_DFL);
	for (;;) {
		pid = fork();
		if (!pid) {
			pthread_create(&t, NULL, short_thread, NULL);
			pthread_create(&t, NULL, short_thread, NULL);
			beat();
			raise(SIGSEGV);
		}
		waitpid(pid, NULL, 0);
		beat();
	}
}

static void *beats(void *arg)
{
	for (;;)
		beat();
	return arg;
}

/* Zombies of all kinds: children never waited for, and a dead leader of a live process. */
static void zombies(void)
{
	pthread_t t;
	int i;

	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < 8; i++) {
		if (!fork())
			_exit(0);
	}
	if (!fork()) {
		pthread_create(&t, NULL, beats, NULL);
		syscall(SYS_exit, 0);
	}
	beats(NULL);
}

FIXTURE(storm)
{
	struct rig r;
	char dir[32], cgroup[64];
	int in;
};

FIXTURE_VARIANT(storm)
{
	void (*run)(void);
	unsigned int least;	/* tasks alive at once, seen in any round */
	bool cgroup;
};

FIXTURE_VARIANT_ADD(storm, fork_bomb) { bomb, 10, false };
FIXTURE_VARIANT_ADD(storm, threads) { threads, 2, false };
FIXTURE_VARIANT_ADD(storm, vfork) { vforks, 1, false };
FIXTURE_VARIANT_ADD(storm, vfork_exec) { vfork_execs, 2, false };
FIXTURE_VARIANT_ADD(storm, exec) { execs, 2, false };
FIXTURE_VARIANT_ADD(storm, exec_from_thread) { exec_of_threads, 2, false };
FIXTURE_VARIANT_ADD(storm, setuid_children) { setuid_children, 3, false };
FIXTURE_VARIANT_ADD(storm, setuid_exec) { setuid_execs, 3, false };
FIXTURE_VARIANT_ADD(storm, daemons) { daemons, 4, false };
FIXTURE_VARIANT_ADD(storm, clone_parent) { clone_parents, 4, false };
FIXTURE_VARIANT_ADD(storm, clone_into_cgroup) { into_cgroups, 2, true };
FIXTURE_VARIANT_ADD(storm, clone_vm) { clone_vms, 2, false };
FIXTURE_VARIANT_ADD(storm, namespaces) { namespaces, 5, false };
FIXTURE_VARIANT_ADD(storm, signals) { signals, 2, false };
FIXTURE_VARIANT_ADD(storm, single_steps) { single_steps, 2, false };
FIXTURE_VARIANT_ADD(storm, crashes) { crashes, 1, false };
FIXTURE_VARIANT_ADD(storm, zombies) { zombies, 2, false };

static void storm(struct page *unused, void *arg)
{
	void (*run)(void) = (void (*)(void))arg;

	(void)unused;
	prctl(PR_SET_NAME, CENSUS_NAME);
	signal(SIGCHLD, SIG_IGN);
	run();
}

/* The tool beside this program, under the family's name, with root's rights for all. */
static int copy_tool(const char *dir)
{
	char self[512], cmd[1200], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	snprintf(tool, sizeof(tool), "%s/" CENSUS_NAME, dir);
	snprintf(cmd, sizeof(cmd), "install -m 4755 -o root %s/tool_chain %s", self, tool);
	return system(cmd) ? -ENOENT : 0;
}

FIXTURE_SETUP(storm)
{
	int fds[2];

	strcpy(self->dir, "/tmp/selfheal.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	ASSERT_EQ(0, chmod(self->dir, 0755));
	ASSERT_EQ(0, copy_tool(self->dir));
	cgroup_fd = -1;
	snprintf(self->cgroup, sizeof(self->cgroup), "/sys/fs/cgroup/selfheal.%d", getpid());
	if (variant->cgroup) {
		if (mkdir(self->cgroup, 0755))
			SKIP(return, "no cgroup2 at /sys/fs/cgroup: %s", strerror(errno));
		cgroup_fd = open(self->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_LE(0, cgroup_fd);
	}
	page_fd = memfd_create("page", 0);
	ASSERT_LE(0, page_fd);
	ASSERT_EQ(0, ftruncate(page_fd, sizeof(struct page)));
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, pipe2(fds, O_NONBLOCK));
	self->in = fds[0];
	out = fds[1];
	ASSERT_EQ(0, rig_open(&self->r));
	/* Each answer is ours, however long it takes; unhandled crashes are part of the storm. */
	self->r.p.deadline_ms = 3600000;
	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	ASSERT_EQ(0, child_start_on(&self->r.kid, page, storm, (void *)variant->run));
	ASSERT_EQ(0, domain_new(&self->r.c, self->r.p.name, self->r.kid.pidfd, false,
				&self->r.dom));
	page_go(page, 1);
}

FIXTURE_TEARDOWN(storm)
{
	if (self->r.c.sk) {
		census_kill(BOUND);
		EXPECT_TRUE(rig_close(&self->r));
	}
	close(self->in);
	close(out);
	close(page_fd);
	if (cgroup_fd >= 0) {
		close(cgroup_fd);
		EXPECT_EQ(0, rmdir(self->cgroup));
	}
	unlink(tool);
	EXPECT_EQ(0, rmdir(self->dir));
}

static uint64_t beaten(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 128; i++)
		sum += atomic_load(&page->count[i]);
	return sum;
}

static bool goes_on(uint64_t after)
{
	int64_t end = now_ms() + BOUND;

	while (beaten() < after + 50) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

static uint64_t drain(int fd)
{
	char buf[4096];
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		bytes += n;
	return bytes;
}

/*
 * The pipe passes, so a write that had begun finishes in spite of the freeze: its writer waited
 * for the pipe's lock, or has it and waits for a CPU. A stopped one is back from its call.
 */
static bool writes(const struct member *m)
{
	char state = proc_state(m->pid, m->tid);
	long nr = proc_syscall(m->pid, m->tid);

	if (m->parked || !state || strchr("ZXTt", state))
		return false;
	return state == 'R' || nr == SYS_write || proc_state(m->pid, m->tid) == 'R';
}

/* Until whoever had begun to write when the domain froze has done so; the pipe is empty then. */
static bool settle(struct rig *r, int fd, struct domain *d)
{
	int64_t end = now_ms() + BOUND;
	unsigned int i;

	do {
		if (domain_get(&r->c, r->dom, d))
			return false;
		for (i = 0; i < d->listed && !writes(&d->member[i]); i++)
			;
		drain(fd);
		if (i == d->listed)
			return true;
		pause_ms(1);
	} while (now_ms() < end);
	printf("# task %u of %u still writes\n", d->member[i].tid, d->members);
	return false;
}

TEST_F(storm, stops_goes_on_dies)
{
	struct rig *r = &self->r;
	struct census c;
	struct domain d;
	unsigned int most = 0;
	uint64_t id, at;
	int64_t end = now_ms() + BOUND;
	int i;

	/* A storm needs its time to rise, and may be caught between two of its tasks. */
	for (i = 0; i < ROUNDS || (most < variant->least && now_ms() < end); i++) {
		ASSERT_TRUE(goes_on(beaten()));
		ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
		at = beaten();
		ASSERT_TRUE(settle(r, self->in, &d));
		census_take(&d, &c);
		most = c.alive > most ? c.alive : most;
		EXPECT_EQ(0, c.strangers) {
			TH_LOG("task %u of %u is no member", c.stranger, c.alive);
		}
		pause_ms(QUIET / 5);
		EXPECT_EQ(at, beaten());
		EXPECT_EQ(0, drain(self->in));
		ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	}
	/* The last answer comes while the freeze is under way. */
	ASSERT_TRUE(goes_on(beaten()));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_TRUE(census_empty(BOUND));
	at = beaten();
	drain(self->in);
	pause_ms(QUIET / 5);
	EXPECT_EQ(at, beaten());
	EXPECT_EQ(0, drain(self->in));
	TH_LOG("%d rounds, at most %u tasks alive", i, most);
	EXPECT_LE(variant->least, most);
}

GUEST_MAIN
