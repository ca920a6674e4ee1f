// SPDX-License-Identifier: GPL-2.0
/* healctl guard add, list; and what healctl guards by itself. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "view.h"

static int add_path(struct ctx *ctx, struct ipc *ipc, const char *name)
{
	char *path = realpath(name, NULL);
	int code = 0;

	if (!path)
		return report(ctx, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED,
			      "cannot guard %s: %s", name, strerror(errno));
	if (ipc_guard_add(ipc, &path, 1))
		code = report_ipc(ctx, ipc, "guard %s", path);
	if (!code) {
		print_open(ctx->print, NULL);
		print_str(ctx->print, "guarded", path);
		print_close(ctx->print);
	}
	free(path);
	return code;
}

int cmd_guard_add(struct ctx *ctx)
{
	struct ipc *ipc;
	int i, code = connect_module(ctx, &ipc);

	if (code)
		return code;
	print_open_list(ctx->print, "guards", PRINT_LINES);
	for (i = 0; i < ctx->args.argc && !code; i++)
		code = add_path(ctx, ipc, ctx->args.argv[i]);
	print_close(ctx->print);
	ipc_close(ipc);
	return code;
}

int cmd_guard_list(struct ctx *ctx)
{
	struct status status;
	struct ipc *ipc;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_status(ipc, &status)) {
		code = report_ipc(ctx, ipc, "list the guarded files");
	} else {
		view_guards(ctx->print, &status);
		status_release(&status);
	}
	ipc_close(ipc);
	return code;
}

static void guard_quietly(struct ipc *ipc, const char *name)
{
	char *path = realpath(name, NULL), why[700];
	struct stat st;

	/* A pipe or standard input is nothing that could be guarded. */
	if (path && !stat(path, &st) && S_ISREG(st.st_mode) && ipc_guard_add(ipc, &path, 1)) {
		ipc_error_text(why, sizeof(why), ipc_error(ipc));
		fprintf(stderr, "healctl: warning: %s is not guarded: %s\n", path, why);
	}
	free(path);
}

void guard_used(struct ipc *ipc, const char *path)
{
	guard_quietly(ipc, path);
	guard_quietly(ipc, "/proc/self/exe");
}
