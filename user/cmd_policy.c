// SPDX-License-Identifier: GPL-2.0
/* healctl policy check, load, show, list, unload. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "view.h"

static void view_file(struct print *p, const char *path, const struct policy_file *file)
{
	json_t *names = json_array();
	char text[4200];
	size_t i;

	for (i = 0; names && i < file->n_policies; i++)
		json_array_append_new(names, print_string(file->policies[i].name));
	print_open(p, NULL);
	snprintf(text, sizeof(text), "%s:", path);
	print_json_text(p, "file", print_string(path), text);
	print_bare(p);
	print_json_text(p, "ok", json_boolean(!file->n_errors), file->n_errors ? "has errors" : "ok");
	print_style(p, file->n_errors ? PRINT_BAD : PRINT_GOOD);
	print_bare(p);
	print_u64(p, "errors", file->n_errors);
	print_u64(p, "warnings", file->n_diags + file->dropped - file->n_errors);
	snprintf(text, sizeof(text), "%zu", file->n_policies);
	print_json_text(p, "policies", names, text);
	print_close(p);
}

int cmd_policy_check(struct ctx *ctx)
{
	int i, n = ctx->args.argc, code = EXIT_OK;
	struct policy_file *files = calloc(n, sizeof(*files));

	if (!files)
		return report(ctx, EXIT_FAILED, "out of memory");
	for (i = 0; i < n && !code; i++)
		code = policy_file_read(ctx, ctx->args.argv[i], &files[i]);
	if (!code) {
		print_open_list(ctx->print, "diagnostics", PRINT_LINES);
		for (i = 0; i < n; i++)
			view_diag_rows(ctx->print, ctx->args.argv[i], &files[i]);
		print_close(ctx->print);
		print_open_list(ctx->print, "files", PRINT_LINES);
		for (i = 0; i < n; i++) {
			view_file(ctx->print, ctx->args.argv[i], &files[i]);
			if (files[i].n_errors)
				code = EXIT_USAGE;
		}
		print_close(ctx->print);
	}
	for (i = 0; i < n; i++)
		policy_file_release(&files[i]);
	free(files);
	return code;
}

static int load_file(struct ctx *ctx, struct ipc *ipc, const char *path,
		     const struct policy_file *file)
{
	size_t i;

	for (i = 0; i < file->n_policies; i++) {
		if (ipc_policy_load(ipc, &file->policies[i]))
			return report_ipc(ctx, ipc, "load the policy '%s' of %s",
					  file->policies[i].name, path);
		print_open(ctx->print, NULL);
		print_str(ctx->print, "policy", file->policies[i].name);
		print_str(ctx->print, "file", path);
		print_close(ctx->print);
	}
	guard_used(ipc, path);
	return 0;
}

int cmd_policy_load(struct ctx *ctx)
{
	int i, n = ctx->args.argc, code = EXIT_OK;
	struct policy_file *files = calloc(n, sizeof(*files));
	struct ipc *ipc = NULL;

	if (!files)
		return report(ctx, EXIT_FAILED, "out of memory");
	for (i = 0; i < n && !code; i++)
		code = policy_file_load(ctx, ctx->args.argv[i], &files[i]);
	if (!code)
		code = connect_module(ctx, &ipc);
	if (!code) {
		print_open_list(ctx->print, "loaded", PRINT_LINES);
		for (i = 0; i < n && !code; i++)
			code = load_file(ctx, ipc, ctx->args.argv[i], &files[i]);
		print_close(ctx->print);
	}
	ipc_close(ipc);
	for (i = 0; i < n; i++)
		policy_file_release(&files[i]);
	free(files);
	return code;
}

int cmd_policy_list(struct ctx *ctx)
{
	struct policies policies;
	struct ipc *ipc;
	size_t i;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_policy_dump(ipc, &policies)) {
		code = report_ipc(ctx, ipc, "list the policies");
		ipc_close(ipc);
		return code;
	}
	print_open_list(ctx->print, "policies", PRINT_TABLE);
	for (i = 0; i < policies.n; i++) {
		print_open(ctx->print, NULL);
		view_policy_row(ctx->print, &policies.v[i]);
		print_close(ctx->print);
	}
	print_close(ctx->print);
	policies_release(&policies);
	ipc_close(ipc);
	return EXIT_OK;
}

static int show_policy(struct ctx *ctx, struct ipc *ipc, const char *name)
{
	struct policy policy;

	if (ipc_policy_get(ipc, name, &policy))
		return report_ipc(ctx, ipc, "show the policy '%s'", name);
	print_open(ctx->print, NULL);
	view_policy(ctx->print, &policy);
	print_close(ctx->print);
	policy_release(&policy);
	return 0;
}

static int show_all(struct ctx *ctx, struct ipc *ipc)
{
	struct policies policies;
	int code = 0;
	size_t i;

	if (ipc_policy_dump(ipc, &policies))
		return report_ipc(ctx, ipc, "list the policies");
	for (i = 0; i < policies.n && !code; i++)
		code = show_policy(ctx, ipc, policies.v[i].name);
	policies_release(&policies);
	return code;
}

int cmd_policy_show(struct ctx *ctx)
{
	struct ipc *ipc;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	print_open_list(ctx->print, "policies", PRINT_RECORDS);
	if (ctx->args.argc)
		code = show_policy(ctx, ipc, ctx->args.argv[0]);
	else
		code = show_all(ctx, ipc);
	print_close(ctx->print);
	ipc_close(ipc);
	return code;
}

int cmd_policy_unload(struct ctx *ctx)
{
	const char *name = ctx->args.argv[0];
	struct ipc *ipc;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_policy_unload(ipc, name)) {
		code = report_ipc(ctx, ipc, "unload the policy '%s'", name);
	} else {
		print_one_line(ctx->print);
		print_str(ctx->print, "unloaded", name);
	}
	ipc_close(ipc);
	return code;
}
