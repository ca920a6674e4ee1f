/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parser of policy files: YAML text in, plain policies and a list of
 * diagnostics out. It reads no files, prints nothing and never exits.
 */
#ifndef HEALCTL_POLICY_PARSE_H
#define HEALCTL_POLICY_PARSE_H

#include <stddef.h>

#include "policy.h"

/* Diagnostics kept for one text; the rest is counted in dropped. */
#define POLICY_DIAGS_MAX 64

enum policy_severity {
	POLICY_ERROR,
	POLICY_WARNING,
};

struct policy_diag {
	enum policy_severity severity;
	unsigned int line;	/* both from 1 */
	unsigned int column;
	char *text;
};

struct policy_file {
	struct policy *policies;
	size_t n_policies;
	struct policy_diag *diags;
	size_t n_diags;
	size_t n_errors;
	size_t dropped;
};

/*
 * 0 with n_policies of at least one; -EINVAL with n_errors of at least one;
 * -ENOMEM. The diagnostics are in the order of their places. Release the file in
 * every case.
 */
int policy_parse(const char *text, size_t len, struct policy_file *file);
void policy_file_release(struct policy_file *file);

#endif
