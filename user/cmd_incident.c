// SPDX-License-Identifier: GPL-2.0
/* healctl incident list and show, verdict release, rollback and kill. */
#include <stdint.h>
#include <stdlib.h>

#include "cmd.h"
#include "errnos.h"
#include "view.h"

int cmd_incident_list(struct ctx *ctx)
{
	bool open = args_option(ctx, "--open");
	struct incidents incidents;
	struct ipc *ipc;
	size_t i;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_incident_dump(ipc, &incidents)) {
		code = report_ipc(ctx, ipc, "list the incidents");
		ipc_close(ipc);
		return code;
	}
	print_open_list(ctx->print, "incidents", PRINT_TABLE);
	for (i = 0; i < incidents.n; i++) {
		if (open && incidents.v[i].resolved_by != SELFHEAL_RESOLVED_BY_NOBODY)
			continue;
		print_open(ctx->print, NULL);
		view_incident_row(ctx->print, &incidents.v[i]);
		print_close(ctx->print);
	}
	print_close(ctx->print);
	incidents_release(&incidents);
	ipc_close(ipc);
	return EXIT_OK;
}

int cmd_incident_show(struct ctx *ctx)
{
	struct incident *incident;
	struct ipc *ipc;
	uint64_t id;
	int code;

	if (!args_number(ctx, ctx->args.argv[0], "an incident id", INT64_MAX, &id))
		return EXIT_USAGE;
	incident = malloc(sizeof(*incident));
	if (!incident)
		return report(ctx, EXIT_FAILED, "out of memory");
	code = connect_module(ctx, &ipc);
	if (!code && ipc_incident_get(ipc, id, incident)) {
		code = report_ipc(ctx, ipc, "show the incident %llu", (unsigned long long)id);
	} else if (!code) {
		print_open(ctx->print, "incident");
		view_incident(ctx->print, incident);
		print_close(ctx->print);
	}
	ipc_close(ipc);
	free(incident);
	return code;
}

/* @number: of the error after a rollback, -1 for the policy's. */
static int give_verdict(struct ctx *ctx, uint32_t verdict, int number)
{
	const char *name = name_of(&verdict_names, verdict);
	struct ipc *ipc;
	uint64_t id;
	int code, err;

	if (!args_number(ctx, ctx->args.argv[0], "an incident id", INT64_MAX, &id))
		return EXIT_USAGE;
	code = connect_module(ctx, &ipc);
	if (code)
		return code;
	err = verdict == SELFHEAL_VERDICT_ROLLBACK ? ipc_incident_rollback(ipc, id, number) :
	      ipc_incident_verdict(ipc, id, verdict);
	if (err) {
		code = report_ipc(ctx, ipc, "give the verdict %s to the incident %llu", name,
				  (unsigned long long)id);
	} else {
		print_one_line(ctx->print);
		print_u64(ctx->print, "incident", id);
		print_str(ctx->print, "verdict", name);
	}
	ipc_close(ipc);
	return code;
}

int cmd_verdict_release(struct ctx *ctx)
{
	return give_verdict(ctx, SELFHEAL_VERDICT_RELEASE, -1);
}

int cmd_verdict_rollback(struct ctx *ctx)
{
	const char *name = args_option(ctx, "--errno");
	int number = -1;

	if (name) {
		number = errno_from_name(name);
		if (number < 0)
			return report(ctx, EXIT_USAGE,
				      "--errno: '%.32s' is neither the name of an error as in errno(3) nor eof",
				      name);
	}
	return give_verdict(ctx, SELFHEAL_VERDICT_ROLLBACK, number);
}

int cmd_verdict_kill(struct ctx *ctx)
{
	return give_verdict(ctx, SELFHEAL_VERDICT_KILL, -1);
}
