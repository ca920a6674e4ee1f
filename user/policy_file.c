// SPDX-License-Identifier: GPL-2.0
/* Policy files from the file system. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "view.h"

/* One byte more than the parser takes, so that it can refuse the rest. */
#define READ_MAX ((1 << 20) + 1)

static char *read_all(const char *path, size_t *len)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = NULL;
	int err = 0;

	if (!f)
		return NULL;
	text = malloc(READ_MAX);
	if (text) {
		*len = fread(text, 1, READ_MAX, f);
		err = ferror(f) ? errno : 0;
	}
	if (f != stdin)
		fclose(f);
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	return text;
}

int policy_file_read(struct ctx *ctx, const char *path, struct policy_file *file)
{
	size_t len = 0;
	char *text = read_all(path, &len);
	int err;

	memset(file, 0, sizeof(*file));
	if (!text)
		return report(ctx, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_USAGE,
			      "cannot read the policy file %s: %s", path, strerror(errno));
	err = policy_parse(text, len, file);
	free(text);
	if (err == -ENOMEM) {
		policy_file_release(file);
		return report(ctx, EXIT_FAILED, "out of memory");
	}
	return 0;
}

/* Errors and warnings go to stderr as "healctl: FILE:LINE:COLUMN: ...". */
static int print_diags(const char *path, const struct policy_file *file)
{
	struct print *p = print_new(stderr, false, false);

	if (!p)
		return -ENOMEM;
	print_output(p, stderr, "healctl: ");
	print_open_list(p, "diagnostics", PRINT_LINES);
	view_diag_rows(p, path, file);
	print_close(p);
	print_flush(p);
	print_free(p);
	return 0;
}

int policy_file_load(struct ctx *ctx, const char *path, struct policy_file *file)
{
	int code = policy_file_read(ctx, path, file);

	if (code || !file->n_diags)
		return code;
	print_diags(path, file);
	if (!file->n_errors)
		return 0;
	if (print_is_json(ctx->print)) {
		print_open_list(ctx->print, "diagnostics", PRINT_LINES);
		view_diag_rows(ctx->print, path, file);
		print_close(ctx->print);
	}
	code = report(ctx, EXIT_USAGE, "%s has %zu error%s; nothing was loaded", path,
		      file->n_errors, file->n_errors > 1 ? "s" : "");
	policy_file_release(file);
	return code;
}
