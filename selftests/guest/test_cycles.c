// SPDX-License-Identifier: GPL-2.0
/*
 * Load the module, run a test program, unload it: 100 times in one boot
 * (SELFHEAL_CYCLES), each time with the next of the programs that take no more
 * than seconds, or, before those, with every program that there is
 * (SELFHEAL_CYCLE_ALL=1: most of an hour). Nothing of ours is left after any of
 * them, and from the first round to the last the kernel has not grown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <kselftest_harness.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>

#include "growth.h"
#include "module.h"
#include "nl_event.h"
#include "proc.h"

#define CYCLES 100
#define PROGRAM_LIMIT slow_ms(240000)
/* As long as the longest of the settings files allows. */
#define PROGRAM_LIMIT_ALL slow_ms(1800000)
#define UNLOAD_LIMIT slow_ms(60000)
#define OUTPUT "/tmp/selfheal-cycle"
/* What comes and goes in a slab cache anyway: less than an object for four cycles. */
#define NOISE_OBJECTS(cycles) ((cycles) / 4)
#define NOISE_KIB 256
/* What has been freed, but for a grace period or a worker's turn. */
#define SETTLE_LIMIT slow_ms(60000)
#define LEAKS 200
#define LEAK_PATH "/opt/selfheal/test_modules/selfheal_leak.ko"

/*
 * Below the directory of this program's own. All of them in the first round,
 * the first QUICK in the further ones; what takes more than a few seconds is left
 * out, and guest/test_lock, after which nothing is unloaded any more.
 */
#define QUICK 7
static const char *const programs[] = {
	"guest/test_attrs", "guest/test_hold_errno", "guest/test_hold_empty",
	"escape/test_smuggle", "guest/test_splice", "guest/test_hold_stall",
	"guest/test_tamper", "escape/test_insulation",
	"guest/test_interface", "guest/test_errno", "guest/test_rescue",
	"escape/test_accomplice", "guest/test_fidelity_dispatch", "guest/test_syscall",
	"guest/test_guard_file", "guest/test_enrol", "guest/test_freeze_dump",
	"guest/test_guarded", "guest/test_hold_wait", "guest/test_rescue_threads",
	"guest/test_rescue_end", "escape/test_descriptor", "escape/test_ipc",
	"guest/test_event", "guest/test_rollback",
};

/*
 * Not in a round of all: this one; the lock, after which nothing is unloaded; what
 * wants an emulator that counts.
 */
static const char *const apart[] = { "*/test_cycles", "*/test_lock", "*.icount" };

struct round {
	glob_t found;			/* paths of the first round when that is of all */
	bool all;
	int nr;				/* cycles of the first round */
	int64_t limit;			/* for a program, ms */
};

static bool is_apart(const char *path)
{
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(apart); i++)
		if (!fnmatch(apart[i], path, 0))
			return true;
	return stat(path, &st) || !S_ISREG(st.st_mode) || access(path, X_OK);
}

/* Every program below the directory of this one's own. */
static int find_all(struct round *r, const char *top)
{
	char pattern[PATH_MAX + 64];
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/*/test_*", top);
	if (glob(pattern, 0, NULL, &r->found))
		return -ENOENT;
	for (i = 0; i < r->found.gl_pathc; i++)
		if (!is_apart(r->found.gl_pathv[i]))
			r->found.gl_pathv[r->nr++] = r->found.gl_pathv[i];
		else
			free(r->found.gl_pathv[i]);
	r->found.gl_pathc = r->nr;
	return 0;
}

static int plan_round(struct round *r, const char *top)
{
	const char *text = getenv("SELFHEAL_CYCLE_ALL");

	r->all = text && atoi(text);
	r->limit = r->all ? PROGRAM_LIMIT_ALL : PROGRAM_LIMIT;
	if (r->all)
		return find_all(r, top);
	r->nr = ARRAY_SIZE(programs);
	return 0;
}

static const char *program_of(const struct round *r, const char *top, int cycle)
{
	static char path[PATH_MAX + 64];

	if (r->all && cycle < r->nr)
		return r->found.gl_pathv[cycle];
	snprintf(path, sizeof(path), "%s/%s", top,
		 programs[cycle < r->nr ? cycle : (cycle - r->nr) % QUICK]);
	return path;
}

/* The programs do not inherit it: test_unload has cycles of its own. */
static int cycles(void)
{
	const char *text = getenv("SELFHEAL_CYCLES");
	int n = text ? atoi(text) : 0;

	unsetenv("SELFHEAL_CYCLES");
	return n > 0 ? n : CYCLES;
}

static const char *top_directory(void)
{
	static char exe[PATH_MAX];

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) <= 0)
		return NULL;
	return dirname(dirname(exe));
}

/* Its exit status; -errno, or -ETIME when it did not end. */
static int run(const char *path, int64_t limit)
{
	char *argv[] = { (char *)path, NULL }, directory[PATH_MAX];
	posix_spawn_file_actions_t actions;
	int64_t end = now_ms() + limit;
	int err, status;
	pid_t pid, done = 0;

	snprintf(directory, sizeof(directory), "%s", path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, dirname(directory));
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	err = posix_spawn(&pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	while (!done && now_ms() < end) {
		done = waitpid(pid, &status, WNOHANG);
		if (!done)
			pause_ms(5);
	}
	if (!done) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -ETIME;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void show_output(void)
{
	FILE *file = fopen(OUTPUT, "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		printf("#  | %.200s%s", line, strchr(line, '\n') ? "" : "\n");
	if (file)
		fclose(file);
}

/* NULL, or what went wrong. */
static const char *one_cycle(const char *program, int64_t limit)
{
	int status;

	if (module_load())
		return "loading the module";
	status = run(program, limit);
	if (status && status != KSFT_SKIP) {
		show_output();
		return status == -ETIME ? "it did not end" : "it failed";
	}
	if (module_unload_wait(UNLOAD_LIMIT))
		return "unloading the module";
	return module_left_behind();
}

FIXTURE(cycles)
{
};

FIXTURE_SETUP(cycles)
{
	/* Somebody else's domains are not ours to end. */
	if (module_unload_wait(slow_ms(5000)))
		SKIP(return, "selfheal is in use on this machine");
}

FIXTURE_TEARDOWN(cycles)
{
	unlink(OUTPUT);
}

/* Growth is noticed: a module that loses an object a load is found out. */
TEST_F_TIMEOUT(cycles, a_leak_is_seen, 900)
{
	struct growth *g = calloc(1, sizeof(*g));
	int i;

	if (access(LEAK_PATH, R_OK))
		SKIP(return, "the module that leaks is not here: " LEAK_PATH);
	ASSERT_NE(NULL, g);
	ASSERT_EQ(0, module_insert(LEAK_PATH, ""));
	ASSERT_EQ(0, module_remove("selfheal_leak"));
	ASSERT_EQ(0, growth_take(g));
	for (i = 0; i < LEAKS; i++) {
		ASSERT_EQ(0, module_insert(LEAK_PATH, "bytes=192"));
		ASSERT_EQ(0, module_remove("selfheal_leak"));
	}
	EXPECT_NE(0, growth_since(g, NOISE_OBJECTS(LEAKS), NOISE_KIB, slow_ms(2000)));
	free(g);
}

TEST_F_TIMEOUT(cycles, nothing_stays, 36000)
{
	struct growth *g = calloc(1, sizeof(*g));
	const char *top = top_directory(), *program, *wrong;
	struct round r = { };
	const int n = cycles();
	int i, warm, bad = 0;

	ASSERT_NE(NULL, g);
	ASSERT_NE(NULL, top);
	ASSERT_EQ(0, plan_round(&r, top));
	/* The first round fills what the kernel keeps for ever. */
	warm = n > 2 * r.nr || (r.all && n > r.nr) ? r.nr : 0;
	for (i = 0; i < n; i++) {
		if (i == warm)
			ASSERT_EQ(0, growth_take(g));
		program = program_of(&r, top, i);
		wrong = one_cycle(program, r.limit);
		if (wrong || r.all)
			TH_LOG("cycle %d of %d, %s: %s", i + 1, n, program, wrong ?: "ok");
		bad += wrong != NULL;
		/* A round of all is long: what else is wrong is told, too. */
		ASSERT_TRUE(!wrong || r.all);
	}
	EXPECT_EQ(0, bad);
	EXPECT_EQ(0, growth_since(g, NOISE_OBJECTS(n - warm), NOISE_KIB, SETTLE_LIMIT));
	TH_LOG("%d cycles, %d programs", n, r.nr);
	if (r.all)
		globfree(&r.found);
	free(g);
}

int main(int argc, char **argv)
{
	guest_begin();
	return guest_end(test_harness_run(argc, argv));
}
