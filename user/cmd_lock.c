// SPDX-License-Identifier: GPL-2.0
/* healctl lock. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static const char meaning[] =
	"Until this machine is rebooted, no policy can be unloaded or replaced, no domain\n"
	"dissolved, and the module not unloaded, not even by root. New policies can still\n"
	"be loaded. Only a reboot takes it back.\n";

/* 0 when the operator means it, else the exit code. */
static int confirm(struct ctx *ctx)
{
	char answer[16];

	if (args_option(ctx, "--yes"))
		return 0;
	if (!isatty(STDIN_FILENO))
		return report_usage(ctx, "a lock lasts until reboot: give --yes if that is meant");
	fprintf(stderr, "%sLock now? Type yes: ", meaning);
	if (fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n"))
		return 0;
	return report(ctx, EXIT_FAILED, "not locked");
}

int cmd_lock(struct ctx *ctx)
{
	struct ipc *ipc = NULL;
	int code = confirm(ctx);

	if (!code)
		code = connect_module(ctx, &ipc);
	if (!code && ipc_lock(ipc))
		code = report_ipc(ctx, ipc, "lock");
	if (!code) {
		print_one_line(ctx->print);
		print_bool(ctx->print, "locked", true);
	}
	ipc_close(ipc);
	return code;
}
