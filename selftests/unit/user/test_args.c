// SPDX-License-Identifier: GPL-2.0
/* The command line. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "test.h"

#define WORDS_MAX 16

static bool parse(struct args *args, char *words)
{
	static char *argv[WORDS_MAX + 1];
	int argc = 0;
	char *word;

	argv[argc++] = (char[]){ "healctl" };
	for (word = strtok(words, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return args_parse(args, argc, argv);
}

TEST(args_refused)
{
	const struct {
		const char *words, *error;
	} rows[] = {
		{ "", "no command given" },
		{ "polic", "unknown command 'polic'; the commands are: policy, run, domain, incident, verdict, quarantine, rescue, agent, monitor, status, guard, lock, help" },
		{ "policy", "'policy' needs one of: check, load, show, list, unload" },
		{ "policy loa x", "unknown command 'policy loa'; allowed are: check, load, show, list, unload" },
		{ "policy load", "missing argument: FILE..." },
		{ "policy unload a b", "unexpected argument 'b'" },
		{ "policy load --force x", "unknown option '--force'" },
		{ "--force policy list", "unknown option '--force' before the command" },
		{ "status now", "unexpected argument 'now'" },
		{ "domain add 1 --tree=yes", "the option --tree takes no value" },
		{ "domain add 1 --policy", "the option --policy needs a value: NAME" },
		{ "domain add 1 --policy a --policy b", "the option --policy is given twice" },
		{ "domain add 1 --polic a", "unknown option '--polic'" },
		{ "run --policy p --", "missing argument: COMMAND [ARG...]" },
	};
	struct args args;
	char words[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_about(rows[i].words);
		snprintf(words, sizeof(words), "%s", rows[i].words);
		CHECK(!parse(&args, words));
		CHECK_STR(args.error, rows[i].error);
	}
}

TEST(args_options_anywhere)
{
	char words[] = "-j domain add --policy=redis 12 --tree";
	struct ctx ctx = { 0 };

	CHECK(parse(&ctx.args, words));
	CHECK(ctx.args.json);
	CHECK_INT(ctx.args.argc, 1);
	CHECK_STR(ctx.args.argv[0], "12");
	CHECK_STR(args_option(&ctx, "--policy"), "redis");
	CHECK(args_option(&ctx, "--tree"));
	CHECK(!args_option(&ctx, "--domain"));
}

/* What follows run's command belongs to the command. */
TEST(args_tail_is_left_alone)
{
	char with[] = "run --policy p -- ls -j --help -- x";
	char without[] = "run --policy p ls -j --policy q";
	struct ctx ctx = { 0 };

	CHECK(parse(&ctx.args, with));
	CHECK(!ctx.args.json && !ctx.args.help);
	CHECK_INT(ctx.args.argc, 5);
	CHECK_STR(ctx.args.argv[0], "ls");
	CHECK_STR(ctx.args.argv[3], "--");
	CHECK(!ctx.args.argv[5]);
	CHECK(parse(&ctx.args, without));
	CHECK(!ctx.args.json);
	CHECK_INT(ctx.args.argc, 4);
	CHECK_STR(args_option(&ctx, "--policy"), "p");
}

TEST(args_dash_is_a_file)
{
	char words[] = "policy check -";
	struct args args;

	CHECK(parse(&args, words));
	CHECK_STR(args.argv[0], "-");
}

TEST(args_help_needs_nothing_else)
{
	char group[] = "policy --help", command[] = "run --help", alone[] = "--help";
	struct args args;

	CHECK(parse(&args, group) && args.help && !args.command);
	CHECK(parse(&args, command) && args.help && args.command);
	CHECK(parse(&args, alone) && args.help && !args.group);
}
