// SPDX-License-Identifier: GPL-2.0
/*
 * Load the module, run test programs, unload it: 100 times in one boot
 * (SELFHEAL_CYCLES), each time with the next of the programs that take no more
 * than seconds. Nothing of ours is left after any of them, and from the first
 * round of all programs to the last the kernel has not grown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>

#include "growth.h"
#include "module.h"
#include "nl_event.h"
#include "proc.h"

#define CYCLES 100
#define PROGRAM_LIMIT slow_ms(240000)
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

static const char *program_of(int cycle)
{
	const int all = ARRAY_SIZE(programs);

	return programs[cycle < all ? cycle : (cycle - all) % QUICK];
}

static int cycles(void)
{
	const char *text = getenv("SELFHEAL_CYCLES");
	int n = text ? atoi(text) : 0;

	return n > 0 ? n : CYCLES;
}

static const char *path_of(const char *program)
{
	static char path[PATH_MAX + 64];
	char exe[PATH_MAX] = "";

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) <= 0)
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", dirname(dirname(exe)), program);
	return path;
}

/* Its exit status; -errno, or -ETIME when it did not end. */
static int run(const char *program)
{
	const char *path = path_of(program);
	char *argv[] = { (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	int64_t end = now_ms() + PROGRAM_LIMIT;
	int err, status;
	pid_t pid, done = 0;

	posix_spawn_file_actions_init(&actions);
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
static const char *one_cycle(const char *program)
{
	int status;

	if (module_load())
		return "loading the module";
	status = run(program);
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
	const int n = cycles(), all = ARRAY_SIZE(programs);
	/* The first round fills what the kernel keeps for ever. */
	const int warm = n > 2 * all ? all : 0;
	const char *wrong;
	int i;

	ASSERT_NE(NULL, g);
	for (i = 0; i < n; i++) {
		if (i == warm)
			ASSERT_EQ(0, growth_take(g));
		wrong = one_cycle(program_of(i));
		ASSERT_EQ(NULL, wrong) {
			TH_LOG("cycle %d of %d, %s: %s", i + 1, n, program_of(i), wrong);
		}
	}
	EXPECT_EQ(0, growth_since(g, NOISE_OBJECTS(n - warm), NOISE_KIB, SETTLE_LIMIT));
	TH_LOG("%d cycles, %d programs", n, all);
	free(g);
}

int main(int argc, char **argv)
{
	guest_begin();
	return guest_end(test_harness_run(argc, argv));
}
