// SPDX-License-Identifier: GPL-2.0
/* healctl quarantine list and show. */
#include <stdint.h>

#include "cmd.h"
#include "view.h"

static int list_one(struct ctx *ctx, struct ipc *ipc, uint64_t id)
{
	struct domain domain;

	if (ipc_domain_get(ipc, id, &domain))
		return report_ipc(ctx, ipc, "list the quarantine of the domain %llu",
				  (unsigned long long)id);
	print_open(ctx->print, NULL);
	view_quarantine_row(ctx->print, &domain);
	print_close(ctx->print);
	domain_release(&domain);
	return 0;
}

static int list_all(struct ctx *ctx, struct ipc *ipc)
{
	struct domains domains;
	size_t i;

	if (ipc_domain_dump(ipc, &domains))
		return report_ipc(ctx, ipc, "list the domains");
	for (i = 0; i < domains.n; i++) {
		print_open(ctx->print, NULL);
		view_quarantine_row(ctx->print, &domains.v[i]);
		print_close(ctx->print);
	}
	domains_release(&domains);
	return 0;
}

int cmd_quarantine_list(struct ctx *ctx)
{
	struct ipc *ipc;
	uint64_t id = 0;
	int code;

	if (ctx->args.argc && !args_number(ctx, ctx->args.argv[0], "a domain id", INT64_MAX, &id))
		return EXIT_USAGE;
	code = connect_module(ctx, &ipc);
	if (code)
		return code;
	print_open_list(ctx->print, "quarantines", PRINT_TABLE);
	code = ctx->args.argc ? list_one(ctx, ipc, id) : list_all(ctx, ipc);
	print_close(ctx->print);
	ipc_close(ipc);
	return code;
}

int cmd_quarantine_show(struct ctx *ctx)
{
	bool contents = args_option(ctx, "--contents");
	struct helds helds;
	struct ipc *ipc;
	uint64_t id;
	size_t i;
	int code;

	if (!args_number(ctx, ctx->args.argv[0], "a domain id", INT64_MAX, &id))
		return EXIT_USAGE;
	code = connect_module(ctx, &ipc);
	if (code)
		return code;
	if (ipc_quarantine_dump(ipc, id, contents, &helds)) {
		code = report_ipc(ctx, ipc, "show the quarantine of the domain %llu",
				  (unsigned long long)id);
		ipc_close(ipc);
		return code;
	}
	print_open_list(ctx->print, "held_entries", PRINT_TABLE);
	for (i = 0; i < helds.n; i++) {
		print_open(ctx->print, NULL);
		view_held_row(ctx->print, &helds.v[i]);
		print_close(ctx->print);
	}
	print_close(ctx->print);
	helds_release(&helds);
	ipc_close(ipc);
	return EXIT_OK;
}
