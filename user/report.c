// SPDX-License-Identifier: GPL-2.0
/* Errors: one clear line on stderr, and an object with -j. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "print_priv.h"

static void error_line(const char *message)
{
	char *safe = print_escape(message, strlen(message), false);

	fprintf(stderr, "healctl: %s\n", safe ? safe : "out of memory");
	free(safe);
}

/* The object stays open for more members. */
static void open_error(struct ctx *ctx, int code, const char *message)
{
	ctx->code = code;
	error_line(message);
	print_failed(ctx->print);
	if (!print_is_json(ctx->print))
		return;
	print_open(ctx->print, "error");
	print_str(ctx->print, "message", message);
	print_s64(ctx->print, "exit", code);
}

static void close_error(struct ctx *ctx)
{
	if (print_is_json(ctx->print))
		print_close(ctx->print);
}

static void format(char **out, const char *fmt, va_list ap)
{
	if (vasprintf(out, fmt, ap) < 0)
		*out = NULL;
}

int report(struct ctx *ctx, int code, const char *fmt, ...)
{
	char *message;
	va_list ap;

	va_start(ap, fmt);
	format(&message, fmt, ap);
	va_end(ap);
	open_error(ctx, code, message ? message : "out of memory");
	close_error(ctx);
	free(message);
	return code;
}

int report_usage(struct ctx *ctx, const char *fmt, ...)
{
	const struct command *command = ctx->args.command;
	char *message;
	va_list ap;

	va_start(ap, fmt);
	format(&message, fmt, ap);
	va_end(ap);
	open_error(ctx, EXIT_USAGE, message ? message : "out of memory");
	close_error(ctx);
	free(message);
	fprintf(stderr, "healctl: try 'healctl help%s%s%s%s'\n", command ? " " : "",
		command ? command->group : "", command && command->name ? " " : "",
		command && command->name ? command->name : "");
	return EXIT_USAGE;
}

void ipc_error_text(char *buf, size_t size, const struct ipc_error *error)
{
	const char *name = strerrorname_np(-error->err);
	const char *meaning = strerror(-error->err);

	if (!error->text[0] && error->err == -EPERM)
		meaning = "this needs CAP_SYS_ADMIN in the initial user namespace, outside of every domain";
	snprintf(buf, size, "%s%s%s%s%s%s%s", error->attribute ? error->attribute : "",
		 error->attribute ? ": " : "", error->text[0] ? error->text : meaning,
		 name ? " (" : "", name ? name : "", name ? ")" : "", "");
}

static int exit_code(int err)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
		return EXIT_NOT_FOUND;
	case -EPROTO:
		return EXIT_MODULE;
	default:
		return EXIT_FAILED;
	}
}

static void add_kernel(struct ctx *ctx, const struct ipc_error *error)
{
	const char *name = strerrorname_np(-error->err);

	if (!print_is_json(ctx->print))
		return;
	if (name)
		print_str(ctx->print, "errno", name);
	if (error->from_kernel)
		print_str(ctx->print, "kernel", error->text);
	if (error->attribute)
		print_str(ctx->print, "attribute", error->attribute);
}

int report_ipc(struct ctx *ctx, const struct ipc *ipc, const char *fmt, ...)
{
	const struct ipc_error *error = ipc_error(ipc);
	int code = exit_code(error->err);
	char *what, *message, why[700];
	va_list ap;

	va_start(ap, fmt);
	format(&what, fmt, ap);
	va_end(ap);
	ipc_error_text(why, sizeof(why), error);
	if (asprintf(&message, "cannot %s: %s", what ? what : "go on", why) < 0)
		message = NULL;
	open_error(ctx, code, message ? message : "out of memory");
	add_kernel(ctx, error);
	close_error(ctx);
	free(message);
	free(what);
	return code;
}

int connect_module(struct ctx *ctx, struct ipc **ipc)
{
	const struct ipc_error *error;
	char why[700];
	int err = ipc_open(ipc);

	if (!err)
		return 0;
	if (!*ipc)
		return report(ctx, EXIT_FAILED, "out of memory");
	error = ipc_error(*ipc);
	if (err == -ESRCH || err == -EPROTO) {
		open_error(ctx, EXIT_MODULE, error->text);
	} else {
		ipc_error_text(why, sizeof(why), error);
		open_error(ctx, EXIT_FAILED, why);
	}
	add_kernel(ctx, error);
	close_error(ctx);
	ipc_close(*ipc);
	*ipc = NULL;
	return ctx->code;
}
