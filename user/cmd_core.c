// SPDX-License-Identifier: GPL-2.0
/* healctl incident core. */
#include <stdint.h>
#include <stdlib.h>

#include "cmd.h"
#include "core_keep.h"

int cmd_incident_core(struct ctx *ctx)
{
	const char *path = ctx->args.argv[1];
	struct incident *incident;
	struct ipc *ipc = NULL;
	char why[256];
	uint64_t id;
	int code;

	if (!args_number(ctx, ctx->args.argv[0], "an incident id", INT64_MAX, &id))
		return EXIT_USAGE;
	incident = malloc(sizeof(*incident));
	if (!incident)
		return report(ctx, EXIT_FAILED, "out of memory");
	code = connect_module(ctx, &ipc);
	if (!code && ipc_incident_get(ipc, id, incident)) {
		code = report_ipc(ctx, ipc, "keep the image of the incident %llu",
				  (unsigned long long)id);
	} else if (!code && core_save(ipc, incident, path, why, sizeof(why))) {
		code = report(ctx, EXIT_FAILED, "cannot keep the image of the incident %llu: %s",
			      (unsigned long long)id, why);
	} else if (!code) {
		print_one_line(ctx->print);
		print_u64(ctx->print, "incident", id);
		print_str(ctx->print, "file", path);
	}
	ipc_close(ipc);
	free(incident);
	return code;
}
