// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"
#include "trinity.h"

#define TRINITY	"/usr/bin/trinity"
#define CGROUP	"/sys/fs/cgroup/selfheal.fuzz"
#define MIB	(1ULL << 20)

#define SECONDS	120		/* of fuzzing, unless SELFHEAL_TRINITY says otherwise */
#define ROUND	30		/* of these are held, and then */
#define FROZEN	6		/* frozen */
#define CALLS	4000		/* of those alive, before that; it makes some hundreds to begin */

/*
 * Half of a CPU, or the guests beside this one are starved; memory is throttled before the kernel
 * would have to kill for it, which it tells on the console with a call trace.
 */
#define CPU_MAX		"50000 100000"
#define MEMORY_HIGH	"402653184"

void fuzz_need(void)
{
	if (!access(TRINITY, X_OK))
		return;
	printf("TAP version 13\n1..0 # SKIP " TRINITY " is not there (apt-get install trinity)\n");
	exit(4);
}

static int seconds(void)
{
	const char *text = getenv("SELFHEAL_TRINITY");

	return text ? atoi(text) : SECONDS;
}

/* ---- the fuzzer's side ---- */

static void bound(int resource, rlim_t value)
{
	const struct rlimit limit = { value, value };

	setrlimit(resource, &limit);
}

static void bound_all(void)
{
	bound(RLIMIT_AS, 2048 * MIB);
	bound(RLIMIT_FSIZE, 1 * MIB);
	bound(RLIMIT_NOFILE, 512);
	bound(RLIMIT_MEMLOCK, 8 * MIB);
	bound(RLIMIT_CORE, 0);
}

/* A root that may not lift its limits, nor take a CPU for itself (which stalls the kernel's own). */
static int drop(uid_t uid)
{
	if (uid)
		return setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ? -errno : 0;
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0) ||
	    prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0))
		return -errno;
	return 0;
}

/* Files pass: of the machine's, none can be written to. */
static int shut_files(const char *dir)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_attr rw = { .attr_clr = MOUNT_ATTR_RDONLY };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(dir, dir, NULL, MS_BIND, NULL) ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &ro, sizeof(ro)) ||
	    mount_setattr(AT_FDCWD, dir, 0, &rw, sizeof(rw)))
		return -errno;
	return chdir(dir) ? -errno : 0;
}

/* The ends, from FIRST_FD on, and nothing else. */
static unsigned int hand_over(const struct outside *o)
{
	int fd[PAIRS + 2], null = open("/dev/null", O_RDWR);
	unsigned int n = outside_ends(o, fd), i;

	for (i = 0; i < n; i++)
		fd[i] = fcntl(fd[i], F_DUPFD, 100);
	null = fcntl(null, F_DUPFD, 100);
	for (i = 0; i < 3; i++)
		dup2(null, i);
	for (i = 0; i < n; i++) {
		dup2(fd[i], FIRST_FD + i);
		/* As the fuzzer may do with what it shares with the receivers: none of them may hang by it. */
		fcntl(fd[i], F_SETFL, 0);
	}
	close_range(FIRST_FD + n, ~0U, 0);
	return n;
}

static void be_trinity(struct page *page, void *arg)
{
	const struct fuzz *f = arg;
	/*
	 * Without descriptors of perf: it asks until it has one, and what we answer is none of the
	 * errors that it gives up for. The children call perf_event_open all the same.
	 */
	const char *argv[] = { "trinity", "-q", "-q", "-l", "off", "-C", "2", "-V", ".",
			       "--disable-fds=perf", "-s", NULL, NULL, NULL, NULL, NULL, NULL };
	char seed[16], first[16], count[16], tool[128];
	int err;

	snprintf(seed, sizeof(seed), "%u", f->seed);
	argv[11] = seed;
	if (!f->uid) {
		argv[12] = "--dangerous";
		argv[13] = "--clowntown";	/* or it counts down from ten */
	}
	/* To see that the receivers work, it need not try everything. */
	if (!f->protect) {
		argv[12] = "-c";
		argv[13] = "write";
		argv[14] = "-c";
		argv[15] = "sendto";
	}
	err = tool_path("channels.so", tool, sizeof(tool));
	if (!err)
		err = shut_files(f->out.dir);
	snprintf(first, sizeof(first), "%u", FIRST_FD);
	snprintf(count, sizeof(count), "%u", hand_over(&f->out));
	clearenv();
	setenv("FUZZ_FIRST", first, 1);
	setenv("FUZZ_COUNT", count, 1);
	setenv("LD_PRELOAD", tool, 1);
	if (!err)
		err = drop(f->uid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bound_all();
	atomic_store(&page->value[0], err);
	page_step(page, 2);
	page_block(page, 2);
	/* What the fuzzer puts out is luck: a member's word before it is held for certain. */
	if (f->protect && write(FIRST_FD, "m", 1) != 1)
		_exit(2);
	if (!err)
		execve(TRINITY, (char **)argv, environ);
	_exit(1);
}

/* ---- the cgroup ---- */

static int cgroup_make(pid_t pid)
{
	char text[16];
	int err;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory +cpu");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return -errno;
	err = write_file(CGROUP "/cpu.max", CPU_MAX);
	if (!err)
		err = write_file(CGROUP "/memory.high", MEMORY_HIGH);
	snprintf(text, sizeof(text), "%d", pid);
	return err ? err : write_file(CGROUP "/cgroup.procs", text);
}

/* Processes in it, at most max of them. */
static unsigned int cgroup_pids(uint32_t *pid, unsigned int max)
{
	FILE *f = fopen(CGROUP "/cgroup.procs", "re");
	unsigned int n = 0;

	while (f && n < max && fscanf(f, "%u", &pid[n]) == 1)
		n++;
	if (f)
		fclose(f);
	return n;
}

static uint64_t cgroup_usec(void)
{
	char text[1024];
	unsigned long usec = 0;

	if (slurp(CGROUP "/cpu.stat", text, sizeof(text)) > 0)
		sscanf(text, "usage_usec %lu", &usec);
	return usec;
}

static bool cgroup_empty(int ms)
{
	int64_t end = now_ms() + ms;
	uint32_t one;

	while (cgroup_pids(&one, 1)) {
		if (now_ms() >= end)
			return false;
		pause_ms(5);
	}
	return true;
}

static bool cgroup_remove(int ms)
{
	int64_t end = now_ms() + ms;

	while (rmdir(CGROUP)) {
		if (now_ms() >= end)
			return false;
		pause_ms(5);
	}
	return true;
}

/* ---- a round ---- */

static int start(struct fuzz *f)
{
	struct page *page;
	int err = child_start(&f->rig.kid, be_trinity, f);

	outside_shut_ends(&f->out);
	if (err)
		return err;
	page = f->rig.kid.page;
	page_go(page, 1);
	if (!page_wait(page, 2, BOUND))
		return -ETIMEDOUT;
	return page->value[0] ? (int)page->value[0] : cgroup_make(f->rig.kid.pid);
}

int fuzz_open(struct fuzz *f, uid_t uid, bool protect)
{
	int err = outside_open(&f->out, uid);

	f->uid = uid;
	f->protect = protect;
	f->seed++;
	f->lives++;
	f->rig.dom = 0;
	if (!err)
		err = start(f);
	if (!err && protect)
		err = policy_load(&f->rig.c, &f->rig.p);
	if (!err && protect)
		err = domain_new(&f->rig.c, f->rig.p.name, f->rig.kid.pidfd, false, &f->rig.dom);
	if (!err)
		page_go(f->rig.kid.page, 2);
	return err;
}

bool fuzz_run(struct fuzz *f, int ms)
{
	int64_t end = now_ms() + ms;

	while (outside_untouched(&f->out) && now_ms() < end && !child_wait(&f->rig.kid, 0))
		pause_ms(20);
	return !f->out.came;
}

static const struct member *member_of(const struct domain *d, uint32_t tid)
{
	unsigned int i;

	for (i = 0; i < d->listed; i++) {
		if (d->member[i].tid == tid)
			return &d->member[i];
	}
	return NULL;
}

/* Only deaths may tell the domain now from the domain before. */
static bool stands_still(const struct domain *before, const struct domain *now)
{
	unsigned int i;

	for (i = 0; i < now->listed; i++) {
		const struct member *m = &now->member[i], *was = member_of(before, m->tid);

		if (!was || was->syscalls != m->syscalls) {
			printf("# frozen, thread %u (%s) %s\n", m->tid, m->comm,
			       was ? "makes calls" : "is new");
			return false;
		}
	}
	return true;
}

/* Who is of the fuzzer is a member; who is about to be gone is none any more. */
static bool no_strangers(const struct domain *before)
{
	int64_t end = now_ms() + BOUND;
	uint32_t pid[MEMBERS_MAX], stranger;
	unsigned int i, n;

	do {
		stranger = 0;
		n = cgroup_pids(pid, MEMBERS_MAX);
		for (i = 0; i < n; i++) {
			if (!member_of(before, pid[i]))
				stranger = pid[i];
		}
		if (!stranger)
			return true;
		pause_ms(20);
	} while (now_ms() < end);
	printf("# process %u is of the fuzzer, and no member\n", stranger);
	return false;
}

/* What a call in the kernel had begun may go on for a while: then nothing more takes time. */
static bool no_time_passes(int ms)
{
	int64_t end = now_ms() + BOUND;
	uint64_t usec;

	do {
		usec = cgroup_usec();
		pause_ms(ms);
		usec = cgroup_usec() - usec;
		if (usec < (uint64_t)ms * 1000 / 10)
			return true;
	} while (now_ms() < end);
	printf("# frozen, it uses %lu us of CPU in %d ms\n", (unsigned long)usec, ms);
	return false;
}

static uint64_t calls_of(const struct domain *d)
{
	uint64_t calls = 0;
	unsigned int i;

	for (i = 0; i < d->listed; i++)
		calls += d->member[i].syscalls;
	return calls;
}

/* On a slow machine it takes a while to begin: it must have come to its calls. */
static bool run_till_at_it(struct fuzz *f)
{
	int64_t end = now_ms() + 4 * BOUND;
	struct domain d;

	if (!fuzz_run(f, slow_ms(ROUND * 1000)))
		return false;
	while (!f->rig.kid.reaped && now_ms() < end &&
	       !domain_get(&f->rig.c, f->rig.dom, &d) && calls_of(&d) < CALLS) {
		if (!fuzz_run(f, 1000))
			return false;
	}
	return true;
}

static void add_up(struct fuzz *f, const struct domain *d)
{
	f->calls += calls_of(d);
	f->held += d->held_total;
	f->rounds++;
}

static bool look_on(struct fuzz *f, const struct domain *before, int ms)
{
	int64_t end = now_ms() + ms;
	struct domain now;

	while (now_ms() < end) {
		if (!outside_untouched(&f->out))
			return false;
		if (domain_get(&f->rig.c, f->rig.dom, &now) || !stands_still(before, &now))
			return false;
		pause_ms(50);
	}
	return no_strangers(before) && no_time_passes(1000);
}

bool fuzz_freeze(struct fuzz *f, int ms)
{
	struct rig *r = &f->rig;
	struct domain before;
	uint64_t incident;
	int err = domain_freeze(&r->c, r->dom, &incident);

	/* It may just have ended by itself. */
	if (err == -ENOENT || err == -ESRCH)
		return true;
	if (err && err != -EALREADY) {
		printf("# freezing: %s\n", strerror(-err));
		return false;
	}
	if (!domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND) ||
	    domain_get(&r->c, r->dom, &before)) {
		printf("# it does not freeze\n");
		return false;
	}
	add_up(f, &before);
	if (!look_on(f, &before, ms))
		return false;
	err = incident_verdict(&r->c, before.incident, SELFHEAL_VERDICT_KILL);
	if (err)
		printf("# the verdict: %s\n", strerror(-err));
	return !err;
}

bool fuzz_close(struct fuzz *f)
{
	struct rig *r = &f->rig;
	bool clean = true;

	if (r->dom)
		clean = rig_reap(r, r->dom) && cgroup_empty(BOUND);
	write_file(CGROUP "/cgroup.kill", "1");
	child_end(&r->kid);
	clean &= cgroup_empty(BOUND) && cgroup_remove(BOUND);
	clean &= outside_untouched(&f->out) || !r->dom;
	outside_close(&f->out);
	r->dom = 0;
	return clean;
}

/* ---- all of them ---- */

bool fuzz_reaches(struct fuzz *f, uid_t uid)
{
	int64_t end = now_ms() + 4 * BOUND;
	bool touched = false;

	/* It may end early: it is no careful program. */
	while (!touched && now_ms() < end) {
		int err = fuzz_open(f, uid, false);

		touched = !err && !fuzz_run(f, end - now_ms());
		if (!fuzz_close(f) || err) {
			printf("# the fuzzer does not start, or end: %s\n", strerror(-err));
			return false;
		}
	}
	return touched;
}

int fuzz_begin(struct fuzz *f)
{
	struct policy *p = &f->rig.p;
	int err;

	memset(f, 0, sizeof(*f));
	err = rig_open(&f->rig);
	if (err)
		return err;
	policy_hold(p);
	p->commit = 0;			/* by verdict alone */
	p->hold_other = SELFHEAL_CHANNEL_ACTION_DENY;
	p->hold_signal = SELFHEAL_CHANNEL_ACTION_DENY;
	p->hold_ipc = SELFHEAL_CHANNEL_ACTION_DENY;
	p->hold_device = SELFHEAL_CHANNEL_ACTION_DENY;
	p->overflow = SELFHEAL_OVERFLOW_DENY;
	p->max_bytes = 16 * MIB;
	p->default_verdict = SELFHEAL_VERDICT_KILL;
	p->deadline_ms = 600000;
	return outside_network();
}

bool fuzz_end(struct fuzz *f)
{
	return rig_close(&f->rig);
}

bool fuzz_rounds(struct fuzz *f, uid_t uid)
{
	int64_t end = now_ms() + seconds() * 1000LL;
	bool good = true;

	/* Reproducible as far as the fuzzer is; every life starts with another seed. */
	while (good && now_ms() < end) {
		int err = fuzz_open(f, uid, true);

		if (err) {
			printf("# the fuzzer does not start: %s %s\n", strerror(-err), f->rig.c.ext);
			good = false;
		} else {
			good = run_till_at_it(f) &&
			       (f->rig.kid.reaped || fuzz_freeze(f, FROZEN * 1000));
		}
		good &= fuzz_close(f);
	}
	printf("# %u lives, %u of them frozen, after %lu calls of those alive then, %lu bytes held\n",
	       f->lives, f->rounds, (unsigned long)f->calls, (unsigned long)f->held);
	return good;
}
