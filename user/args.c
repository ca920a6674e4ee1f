// SPDX-License-Identifier: GPL-2.0
/* The command line: exact names only, options anywhere before a tail. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "units.h"

static bool fail(struct args *args, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct args *args, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args->error, sizeof(args->error), fmt, ap);
	va_end(ap);
	return false;
}

static bool take_global(struct args *args, const char *word)
{
	if (!strcmp(word, "-j") || !strcmp(word, "--json"))
		args->json = true;
	else if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		args->help = true;
	else if (!strcmp(word, "--version"))
		args->version = true;
	else
		return false;
	return true;
}

/* "a, b, c" of the names that may stand at a place. */
static void list_names(char *buf, size_t size, const char *group)
{
	const char *last = NULL, *word;
	size_t i, len;

	buf[0] = '\0';
	for (i = 0; i < n_commands; i++) {
		if (group && strcmp(commands[i].group, group))
			continue;
		word = group ? commands[i].name : commands[i].group;
		if (!word || (last && !strcmp(last, word)))
			continue;
		last = word;
		len = strlen(buf);
		snprintf(buf + len, size - len, "%s%s", len ? ", " : "", word);
	}
}

static bool find_command(struct args *args)
{
	char list[160];
	size_t i;

	if (!args->group)
		return args->help || args->version || fail(args, "no command given");
	args->command = command_find(args->group, args->name);
	if (args->command || args->help)
		return true;
	for (i = 0; i < n_commands && strcmp(commands[i].group, args->group); i++)
		;
	list_names(list, sizeof(list), i < n_commands ? args->group : NULL);
	if (i == n_commands)
		return fail(args, "unknown command '%.32s'; the commands are: %s", args->group, list);
	if (!args->name)
		return fail(args, "'%s' needs one of: %s", args->group, list);
	return fail(args, "unknown command '%s %.32s'; allowed are: %s", args->group, args->name, list);
}

/* Takes an option of the command and its value from argv[*at]. */
static bool take_option(struct args *args, int argc, char **argv, int *at)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	int i;

	for (i = 0; i < OPTIONS_MAX && args->command->options[i].name; i++) {
		const struct option *option = &args->command->options[i];

		if (strlen(option->name) != len || strncmp(option->name, word, len))
			continue;
		if (args->value[i])
			return fail(args, "the option %s is given twice", option->name);
		if (!option->arg && equals)
			return fail(args, "the option %s takes no value", option->name);
		if (!option->arg)
			args->value[i] = "";
		else if (equals)
			args->value[i] = equals + 1;
		else if (*at + 1 < argc)
			args->value[i] = argv[++*at];
		else
			return fail(args, "the option %s needs a value: %s", option->name, option->arg);
		return true;
	}
	return fail(args, "unknown option '%.32s'", word);
}

/* The words that name the command, with global options among them. */
static bool parse_words(struct args *args, int argc, char **argv, int *at)
{
	const struct command *command;

	for (; *at < argc; ++*at) {
		if (argv[*at][0] == '-') {
			if (!take_global(args, argv[*at]))
				return fail(args, "unknown option '%.32s' before the command", argv[*at]);
			continue;
		}
		if (args->group) {
			args->name = argv[(*at)++];
			return true;
		}
		args->group = argv[*at];
		command = command_find(args->group, NULL);
		if (command && !command->name) {
			++*at;
			return true;
		}
	}
	return true;
}

static bool check_count(struct args *args)
{
	const struct command *command = args->command;

	if (args->help || args->version)
		return true;
	if (args->argc < command->min)
		return fail(args, "missing argument: %s", command->args);
	if (command->max >= 0 && args->argc > command->max)
		return fail(args, "unexpected argument '%.64s'", args->argv[command->max]);
	return true;
}

bool args_parse(struct args *args, int argc, char **argv)
{
	int at = 1, n = 0;

	memset(args, 0, sizeof(*args));
	if (!parse_words(args, argc, argv, &at) || !find_command(args))
		return false;
	if (!args->command)
		return true;
	args->argv = argv + at;
	for (; at < argc; at++) {
		if (!strcmp(argv[at], "--")) {
			at++;
			break;
		}
		if (argv[at][0] == '-' && argv[at][1]) {
			if (!take_global(args, argv[at]) && !take_option(args, argc, argv, &at))
				return false;
			continue;
		}
		if (args->command->tail)
			break;
		args->argv[n++] = argv[at];
	}
	while (at < argc)
		args->argv[n++] = argv[at++];
	args->argc = n;
	args->argv[n] = NULL;
	return check_count(args);
}

const char *args_option(const struct ctx *ctx, const char *name)
{
	const struct command *command = ctx->args.command;
	int i;

	for (i = 0; i < OPTIONS_MAX && command->options[i].name; i++)
		if (!strcmp(command->options[i].name, name))
			return ctx->args.value[i];
	return NULL;
}

bool args_number(struct ctx *ctx, const char *text, const char *what, uint64_t max,
		 uint64_t *value)
{
	if (!units_parse_number(text, value) && *value <= max)
		return true;
	report_usage(ctx, "'%.64s' is not %s, a whole number up to %" PRIu64, text, what, max);
	return false;
}
