// SPDX-License-Identifier: GPL-2.0
/* healctl rescue list. */
#include <stdint.h>

#include "cmd.h"
#include "view.h"

int cmd_rescue_list(struct ctx *ctx)
{
	struct rescues rescues;
	struct ipc *ipc;
	uint64_t id;
	size_t i;
	int code;

	if (!args_number(ctx, ctx->args.argv[0], "a domain id", INT64_MAX, &id))
		return EXIT_USAGE;
	code = connect_module(ctx, &ipc);
	if (code)
		return code;
	if (ipc_rescue_dump(ipc, id, &rescues)) {
		code = report_ipc(ctx, ipc, "list the rescue points of the domain %llu",
				  (unsigned long long)id);
		ipc_close(ipc);
		return code;
	}
	print_open_list(ctx->print, "rescue_points", PRINT_TABLE);
	for (i = 0; i < rescues.n; i++) {
		print_open(ctx->print, NULL);
		view_rescue_row(ctx->print, &rescues.v[i]);
		print_close(ctx->print);
	}
	print_close(ctx->print);
	rescues_release(&rescues);
	ipc_close(ipc);
	return EXIT_OK;
}
