// SPDX-License-Identifier: GPL-2.0
/* The list of diagnostics of one policy file. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy_priv.h"

void diag_add(struct policy_file *file, int *err, enum policy_severity severity,
	      const yaml_mark_t *mark, const char *fmt, ...)
{
	struct policy_diag *diag;
	va_list ap;

	if (severity == POLICY_ERROR)
		file->n_errors++;
	if (file->n_diags >= POLICY_DIAGS_MAX) {
		file->dropped++;
		return;
	}
	diag = reallocarray(file->diags, file->n_diags + 1, sizeof(*diag));
	if (!diag) {
		*err = -ENOMEM;
		return;
	}
	file->diags = diag;
	diag += file->n_diags;
	diag->severity = severity;
	diag->line = (unsigned int)mark->line + 1;
	diag->column = (unsigned int)mark->column + 1;
	va_start(ap, fmt);
	if (vasprintf(&diag->text, fmt, ap) < 0)
		*err = -ENOMEM;
	else
		file->n_diags++;
	va_end(ap);
}

/* A stable insertion sort by place: the checks across keys report late. */
void diag_sort(struct policy_file *file)
{
	struct policy_diag *v = file->diags, diag;
	size_t i, j;

	for (i = 1; i < file->n_diags; i++) {
		diag = v[i];
		for (j = i; j > 0 && (v[j - 1].line > diag.line ||
				      (v[j - 1].line == diag.line &&
				       v[j - 1].column > diag.column)); j--)
			v[j] = v[j - 1];
		v[j] = diag;
	}
}
