/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unit tests in user space, with KTAP as their output. Each test runs in a
 * process of its own, so a crash or a leak is the failure of that test.
 */
#ifndef SELFHEAL_UNIT_TEST_H
#define SELFHEAL_UNIT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);

#define TEST(name_)								\
	static void name_##_body(void);						\
	static struct test name_##_test = {					\
		.name = #name_, .run = name_##_body,				\
	};									\
	__attribute__((constructor)) static void name_##_register(void)	\
	{									\
		test_register(&name_##_test);					\
	}									\
	static void name_##_body(void)

/* A failed check is noted, and the test goes on. */
void check_true(const char *file, int line, bool good, const char *text);
void check_int(const char *file, int line, long long seen, long long expected, const char *text);
void check_str(const char *file, int line, const char *seen, const char *expected);

#define CHECK(cond) check_true(__FILE__, __LINE__, (cond), #cond)
#define CHECK_INT(seen, expected) \
	check_int(__FILE__, __LINE__, (long long)(seen), (long long)(expected), #seen)
#define CHECK_STR(seen, expected) check_str(__FILE__, __LINE__, seen, expected)

/* Says more about the failures that follow, such as the row of a table. */
void test_about(const char *text);

/* Ends the test as skipped. */
void test_skip(const char *reason) __attribute__((noreturn));

/* The root of the source tree, and the healctl under test. */
extern const char *test_tree;
extern const char *test_healctl;

/* The text of a file below the root; the caller frees. */
char *test_read(const char *path, size_t *len);

#endif
