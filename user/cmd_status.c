// SPDX-License-Identifier: GPL-2.0
/* healctl status. */
#include "cmd.h"
#include "view.h"

int cmd_status(struct ctx *ctx)
{
	struct status status;
	struct ipc *ipc;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_status(ipc, &status)) {
		code = report_ipc(ctx, ipc, "get the status");
	} else {
		view_status(ctx->print, &status);
		status_release(&status);
	}
	ipc_close(ipc);
	return code;
}
