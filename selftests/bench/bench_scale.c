// SPDX-License-Identifier: GPL-2.0
/*
 * How costs grow. In instructions, in a machine that counts these as time (see
 * lib/measure.h).
 *
 *	bench_scale KIND N...
 *
 *	members	so many threads asleep in the domain, the measured one included:
 *		its gettid, and 16 bytes through a pipe, held and let go
 *	domains	the same for a member of one of so many domains, the others asleep
 *	held	so many writes of 16 bytes in the quarantine: one more of them (hold),
 *		and a wait that lets all go, for each (commit)
 *	bytes	a write of so many bytes and the read of them, plain and held; and so many
 *		bytes by one "rep movsb" (copy), since an emulator counts these its own way
 *	rules	so many names of executables in loaded policies, as many in each as
 *		the interface takes: an exec that none of them means (exec), the load of
 *		one more policy with as many names (load), and its unload (unload)
 *
 * A line per figure: name, KIND.N, median, quartiles, least and most.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "measure.h"
#include "rig.h"
#include "stream.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define THREADS		100	/* of a process, at most */
#define STACK		(256 << 10)	/* half of it for the thread-local buffers of the library */
#define SMALL		16
#define MORE		41	/* writes on top of what is held */
#define ROUNDS		5	/* commits */
#define LOADS		21
#define MAX_BYTES	(64 << 20)

static struct pair ends;
static size_t len = SMALL;
static char bytes[1 << 16], copy[1 << 16], state[64];
static struct page *shared;

static void op_gettid(void) { syscall(SYS_gettid); }

static void op_pipe(void)
{
	check(write(ends.tx, bytes, len) == (ssize_t)len, "send");
	check(read(ends.rx, bytes, len) == (ssize_t)len, "receive");
}

static void op_copy(void)
{
	char *to = copy, *from = bytes;
	size_t n = len;

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

static const struct op gettid_op = { "gettid", op_gettid, 1000 };
static const struct op pipe_op = { "pipe", op_pipe, 20 };

static void open_ends(void)
{
	check(!pair_open(&ends, CH_PIPE), "a pipe");
}

static void run_member(struct rig *r, child_fn fn, void *arg)
{
	int err = rig_run(r, fn, arg);

	if (err || !child_exited(&r->kid, slow_ms(600000), 0)) {
		fprintf(stderr, "bench_scale: %s: member: %d %s\n", state, err, r->c.ext);
		exit(1);
	}
}

static void holding(struct rig *r)
{
	check(!rig_open(r), "control interface");
	policy_hold(&r->p);
	r->p.max_bytes = MAX_BYTES;
}

static void *sleeps(void *arg)
{
	atomic_fetch_add(&shared->threads, 1);
	page_block(shared, 2);
	return arg;
}

/* So many threads, the calling one included, that sleep until they are let go. */
static void be_asleep(unsigned int n)
{
	pthread_attr_t attr;
	pthread_t t[THREADS];
	unsigned int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (i = 1; i < n; i++) {
		errno = pthread_create(&t[i], &attr, sleeps, NULL);
		check(!errno, "a thread");
	}
	sleeps(NULL);
	for (i = 1; i < n; i++)
		pthread_join(t[i], NULL);
	_exit(0);
}

static void among_members(struct page *page, void *arg)
{
	unsigned int n = *(unsigned int *)arg, left = n - 1, some;

	shared = page;
	while (left) {
		some = left < THREADS ? left : THREADS;
		left -= some;
		if (!fork())
			be_asleep(some);
	}
	errno = ETIMEDOUT;
	check(page_threads(page, n - 1, BOUND), "the other members");
	measure(&gettid_op, state);
	measure(&pipe_op, state);
	page_go(page, 2);
	while (wait(NULL) > 0)
		;
}

static void members(unsigned int n)
{
	struct rig r;

	open_ends();
	holding(&r);
	run_member(&r, among_members, &n);
	check(rig_close(&r), "the end");
	pair_close(&ends);
}

static void alone(struct page *page, void *arg)
{
	(void)page;
	(void)arg;
	measure(&gettid_op, state);
	measure(&pipe_op, state);
}

static void nothing(struct page *page, void *arg)
{
	(void)page;
	(void)arg;
}

static void domains(unsigned int n)
{
	int64_t end = now_ms() + 5 * BOUND;
	struct page *page = page_new();
	struct child kid;
	unsigned int i;
	uint64_t id;
	struct rig r;
	int err;

	open_ends();
	holding(&r);
	errno = -policy_load(&r.c, &r.p);
	check(!errno, r.c.ext);
	/* Each waits for the permission that all get at the end. */
	for (i = 1; i < n; i++) {
		errno = -child_start_on(&kid, page, nothing, NULL);
		check(!errno, "a child");
		errno = -domain_new(&r.c, r.p.name, kid.pidfd, false, &id);
		check(!errno, r.c.ext);
		close(kid.pidfd);
	}
	run_member(&r, alone, NULL);
	page_go(page, 1);
	while (wait(NULL) > 0)
		;
	/* The last of them lets go of its policy when its last reference has gone. */
	while ((err = policy_unload(&r.c, r.p.name)) == -EBUSY && now_ms() < end)
		pause_ms(1);
	errno = -err;
	check(!err, "unloading the policy");
	check(rig_close(&r), "the end");
	page_free(page);
	pair_close(&ends);
}

static void drain(size_t left)
{
	ssize_t n;

	while (left) {
		n = read(ends.rx, bytes, left < sizeof(bytes) ? left : sizeof(bytes));
		check(n > 0, "what was let go");
		left -= n;
	}
}

static void hold_some(struct page *page, void *arg)
{
	unsigned int n = *(unsigned int *)arg, i, round;
	static double more[ROUNDS * MORE], commit[ROUNDS];
	uint64_t start;

	(void)page;
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < n; i++)
			check(write(ends.tx, bytes, SMALL) == SMALL, "send");
		for (i = 0; i < MORE; i++) {
			start = __rdtsc();
			check(write(ends.tx, bytes, SMALL) == SMALL, "send");
			more[round * MORE + i] = __rdtsc() - start;
		}
		start = __rdtsc();
		poll(NULL, 0, 0);
		commit[round] = (double)(__rdtsc() - start) / (n + MORE);
		drain((size_t)(n + MORE) * SMALL);
	}
	tell("hold", state, more, ARRAY_SIZE(more));
	tell("commit", state, commit, ARRAY_SIZE(commit));
}

static void held(unsigned int n)
{
	struct rig r;

	open_ends();
	/* All of it must have room behind the wait. */
	check(fcntl(ends.tx, F_SETPIPE_SZ, 2 * SMALL * (n + MORE) + (1 << 16)) > 0, "the pipe's size");
	holding(&r);
	run_member(&r, hold_some, &n);
	check(rig_close(&r), "the end");
	pair_close(&ends);
}

static void through(struct page *page, void *arg)
{
	static const struct op op = { "held", op_pipe, 20 };

	(void)page;
	(void)arg;
	measure(&op, state);
}

static void of_bytes(unsigned int n)
{
	static const struct op plain = { "plain", op_pipe, 20 }, copying = { "copy", op_copy, 20 };
	struct rig r;

	errno = E2BIG;
	check(n <= sizeof(bytes), "bytes");
	len = n;
	open_ends();
	measure(&plain, state);
	measure(&copying, state);
	holding(&r);
	run_member(&r, through, NULL);
	check(rig_close(&r), "the end");
	pair_close(&ends);
}

static char marker[PATH_MAX + 32];

static void op_exec(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl(marker, "tool_marker", "/dev/null", NULL);
		_exit(1);
	}
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static const struct op exec_op = { "exec", op_exec, 0 };

/* A policy with so many names of files of their own: from @first on. */
static void with_names(struct policy *p, const char *dir, unsigned int first, unsigned int n)
{
	static char path[SELFHEAL_MATCH_MAX][PATH_MAX];
	unsigned int i;
	int fd;

	policy_init(p);
	policy_faults(p);
	for (i = 0; i < n; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%u", dir, first + i);
		fd = open(path[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
		check(fd >= 0, path[i]);
		close(fd);
		p->match[i] = path[i];
	}
}

static void remove_names(const char *dir, unsigned int n)
{
	char path[PATH_MAX];

	while (n--) {
		snprintf(path, sizeof(path), "%s/%u", dir, n);
		unlink(path);
	}
	rmdir(dir);
}

static void rules(unsigned int n)
{
	unsigned int nr = (n + SELFHEAL_MATCH_MAX - 1) / SELFHEAL_MATCH_MAX, i, some;
	char dir[] = "/tmp/bench-scale-XXXXXX";
	struct policy *p = calloc(nr + 1, sizeof(*p));
	static double load[LOADS], unload[LOADS];
	uint64_t start;
	struct nlc c;

	check(p && mkdtemp(dir) && !nlc_open(&c), "the beginning");
	for (i = 0; i < nr; i++) {
		some = i < nr - 1 ? SELFHEAL_MATCH_MAX : n - i * SELFHEAL_MATCH_MAX;
		with_names(&p[i], dir, i * SELFHEAL_MATCH_MAX, some);
		errno = -policy_load(&c, &p[i]);
		check(!errno, c.ext);
	}
	measure(&exec_op, state);
	with_names(&p[nr], dir, n, SELFHEAL_MATCH_MAX);
	for (i = 0; i < LOADS; i++) {
		start = __rdtsc();
		errno = -policy_load(&c, &p[nr]);
		load[i] = __rdtsc() - start;
		check(!errno, c.ext);
		start = __rdtsc();
		errno = -policy_unload(&c, p[nr].name);
		unload[i] = __rdtsc() - start;
		check(!errno, c.ext);
	}
	tell("load", state, load, LOADS);
	tell("unload", state, unload, LOADS);
	for (i = 0; i < nr; i++)
		check(!policy_unload(&c, p[i].name), "unloading the policies");
	nlc_close(&c);
	remove_names(dir, n + SELFHEAL_MATCH_MAX);
	free(p);
}

static const struct {
	const char *name;
	void (*run)(unsigned int n);
} kinds[] = {
	{ "members", members },
	{ "domains", domains },
	{ "held", held },
	{ "bytes", of_bytes },
	{ "rules", rules },
};

static void find_marker(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	check(n > 0, "/proc/self/exe");
	self[n] = '\0';
	snprintf(marker, sizeof(marker), "%s/guest/tool_marker", dirname(dirname(self)));
	check(!access(marker, X_OK), marker);
}

int main(int argc, char **argv)
{
	unsigned int k = 0;
	int i;

	if (!module_path())
		return 4;	/* kselftest's skip */
	while (argc > 1 && k < ARRAY_SIZE(kinds) && strcmp(kinds[k].name, argv[1]))
		k++;
	if (argc < 3 || k == ARRAY_SIZE(kinds)) {
		fprintf(stderr, "usage: bench_scale members|domains|held|bytes|rules N...\n");
		return 2;
	}
	same_layout(argv);
	stay_on_one_cpu();
	find_marker();
	errno = -module_load();
	check(!errno, "loading the module");
	for (i = 2; i < argc; i++) {
		snprintf(state, sizeof(state), "%s.%s", argv[1], argv[i]);
		kinds[k].run(atoi(argv[i]));
	}
	errno = -module_unload_wait(slow_ms(60000));
	check(!errno, "unloading the module");
	return 0;
}
