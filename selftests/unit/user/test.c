// SPDX-License-Identifier: GPL-2.0
/* The runner of the unit tests. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define EXIT_TEST_FAILED 1
#define EXIT_TEST_SKIPPED 4
#define TEST_SECONDS 120

const char *test_tree;
const char *test_healctl;

static struct test *first, **last = &first;
static unsigned int count, failures;
static const char *about;

void test_register(struct test *test)
{
	*last = test;
	last = &test->next;
	count++;
}

void test_about(const char *text)
{
	about = text;
}

/* A text of several lines as one, so that every line stays a KTAP comment. */
static void put_quoted(const char *text)
{
	putchar('"');
	for (; text && *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else
			putchar(*text);
	}
	putchar('"');
}

static void note_failure(const char *file, int line)
{
	failures++;
	printf("# %s:%d: ", file, line);
	if (about) {
		put_quoted(about);
		fputs(": ", stdout);
	}
}

void check_true(const char *file, int line, bool good, const char *text)
{
	if (good)
		return;
	note_failure(file, line);
	printf("does not hold: %s\n", text);
}

void check_int(const char *file, int line, long long seen, long long expected, const char *text)
{
	if (seen == expected)
		return;
	note_failure(file, line);
	printf("%s is %lld, not %lld\n", text, seen, expected);
}

void check_str(const char *file, int line, const char *seen, const char *expected)
{
	if (seen && !strcmp(seen, expected))
		return;
	note_failure(file, line);
	fputs("seen ", stdout);
	put_quoted(seen ? seen : "(null)");
	fputs(" expected ", stdout);
	put_quoted(expected);
	putchar('\n');
}

void test_skip(const char *reason)
{
	printf("# skipped: %s\n", reason);
	fflush(stdout);
	exit(EXIT_TEST_SKIPPED);
}

char *test_read(const char *path, size_t *len)
{
	char *name, *text = NULL;
	FILE *f;

	if (asprintf(&name, "%s/%s", test_tree, path) < 0)
		return NULL;
	f = fopen(name, "r");
	if (f) {
		text = calloc(1, 1 << 20);
		*len = text ? fread(text, 1, (1 << 20) - 1, f) : 0;
		fclose(f);
	} else {
		printf("# cannot open %s\n", name);
	}
	free(name);
	return text;
}

static int run_one(struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		alarm(TEST_SECONDS);
		test->run();
		fflush(stdout);
		exit(failures ? EXIT_TEST_FAILED : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": it took too long" : "");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
	unsigned int n = 0, failed = 0;
	struct test *test;
	int code;

	if (argc != 3) {
		fprintf(stderr, "usage: %s TREE HEALCTL\n", argv[0]);
		return 2;
	}
	test_tree = argv[1];
	test_healctl = argv[2];
	printf("KTAP version 1\n1..%u\n", count);
	for (test = first; test; test = test->next) {
		code = run_one(test);
		n++;
		if (code == EXIT_TEST_SKIPPED) {
			printf("ok %u %s # SKIP see above\n", n, test->name);
			continue;
		}
		if (code)
			failed++;
		printf("%sok %u %s\n", code ? "not " : "", n, test->name);
	}
	return failed ? 1 : 0;
}
