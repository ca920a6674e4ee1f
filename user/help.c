// SPDX-License-Identifier: GPL-2.0
/* The help, from the table of the commands. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static void usage(char *buf, size_t size, const struct command *command)
{
	const struct option *option;
	size_t len;
	int i;

	snprintf(buf, size, "%s%s%s", command->group, command->name ? " " : "",
		 command->name ? command->name : "");
	for (i = 0; i < OPTIONS_MAX && command->options[i].name; i++) {
		option = &command->options[i];
		len = strlen(buf);
		snprintf(buf + len, size - len, " [%s%s%s]", option->name,
			 option->arg ? " " : "", option->arg ? option->arg : "");
	}
	len = strlen(buf);
	snprintf(buf + len, size - len, "%s%s%s", command->tail ? " [--]" : "",
		 command->args[0] ? " " : "", command->args);
}

static void print_options(struct print *p, const char *key, const struct option *options, size_t n)
{
	char text[64];
	size_t i;

	if (!n || !options[0].name)
		return;
	print_open_list(p, key, PRINT_TABLE);
	for (i = 0; i < n && options[i].name; i++) {
		snprintf(text, sizeof(text), "%s%s%s", options[i].name,
			 options[i].arg ? " " : "", options[i].arg ? options[i].arg : "");
		print_open(p, NULL);
		print_str(p, "option", text);
		print_str(p, "help", options[i].help);
		print_close(p);
	}
	print_close(p);
}

static void print_command(struct print *p, const struct command *command)
{
	char text[256], line[272];

	usage(text, sizeof(text), command);
	snprintf(line, sizeof(line), "usage: healctl %s", text);
	print_json_text(p, "usage", print_string(text), line);
	print_str(p, "summary", command->summary);
	if (command->text) {
		print_open(p, "help");
		print_block(p, "description", command->text, strlen(command->text));
		print_close(p);
	}
	print_options(p, "options", command->options, OPTIONS_MAX);
	print_options(p, "global_options", global_options, n_global_options);
}

static void print_overview(struct print *p, const char *group)
{
	char text[256];
	size_t i;

	print_str(p, "usage", group ? "usage: healctl COMMAND ..." :
		  "usage: healctl [--json] COMMAND ..., the controller of the selfheal module");
	print_open_list(p, "commands", PRINT_TABLE);
	for (i = 0; i < n_commands; i++) {
		if (group && strcmp(commands[i].group, group))
			continue;
		usage(text, sizeof(text), &commands[i]);
		print_open(p, NULL);
		print_str(p, "command", text);
		print_str(p, "summary", commands[i].summary);
		print_close(p);
	}
	print_close(p);
	print_options(p, "global_options", global_options, n_global_options);
}

int help_print(struct ctx *ctx, const char *group, const char *name)
{
	const struct command *command;
	size_t i;

	if (!group) {
		print_overview(ctx->print, NULL);
		return EXIT_OK;
	}
	command = command_find(group, name);
	if (command && (command->name || !name)) {
		print_command(ctx->print, command);
		return EXIT_OK;
	}
	for (i = 0; i < n_commands && strcmp(commands[i].group, group); i++)
		;
	if (i == n_commands || name) {
		ctx->args.command = NULL;
		return report_usage(ctx, "there is no command '%.32s%s%.32s'", group,
				    name ? " " : "", name ? name : "");
	}
	print_overview(ctx->print, group);
	return EXIT_OK;
}

int cmd_help(struct ctx *ctx)
{
	const struct args *args = &ctx->args;

	return help_print(ctx, args->argc > 0 ? args->argv[0] : NULL,
			  args->argc > 1 ? args->argv[1] : NULL);
}
