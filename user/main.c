// SPDX-License-Identifier: GPL-2.0
/* healctl: parse, dispatch, print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

static int64_t boot_to_real(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return ((int64_t)real.tv_sec - boot.tv_sec) * 1000000000 + real.tv_nsec - boot.tv_nsec;
}

static int print_version(struct ctx *ctx)
{
	print_one_line(ctx->print);
	print_json_text(ctx->print, "version", print_string(HEALCTL_VERSION),
			"healctl " HEALCTL_VERSION);
	print_bare(ctx->print);
	print_u64(ctx->print, "abi", SELFHEAL_ABI_VERSION);
	return EXIT_OK;
}

static int dispatch(struct ctx *ctx)
{
	if (ctx->args.version)
		return print_version(ctx);
	if (ctx->args.help)
		return help_print(ctx, ctx->args.group, ctx->args.command &&
				  !ctx->args.command->name ? NULL : ctx->args.name);
	return ctx->args.command->run(ctx);
}

/* A command line that does not parse still gets its error in the form it asked for. */
static bool asks_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *no_colour = getenv("NO_COLOR");
	struct ctx ctx = { 0 };
	bool good;
	int code;

	good = args_parse(&ctx.args, argc, argv);
	ctx.print = print_new(stdout, ctx.args.json || (!good && asks_json(argc, argv)),
			      isatty(STDOUT_FILENO) && !(no_colour && *no_colour));
	if (!ctx.print) {
		fputs("healctl: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	print_clock(ctx.print, boot_to_real(), false);
	code = good ? dispatch(&ctx) : report_usage(&ctx, "%s", ctx.args.error);
	if (print_flush(ctx.print)) {
		fputs("healctl: cannot write the output\n", stderr);
		if (code == EXIT_OK)
			code = EXIT_FAILED;
	}
	print_free(ctx.print);
	return code;
}
