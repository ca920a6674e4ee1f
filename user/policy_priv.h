/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the policy parser share; policy_parse.h is the interface. */
#ifndef HEALCTL_POLICY_PRIV_H
#define HEALCTL_POLICY_PRIV_H

#include <yaml.h>

#include "names.h"
#include "policy_parse.h"

struct parse {
	yaml_document_t *doc;
	struct policy_file *file;
	struct policy *policy;
	/* Places that the checks across keys point to. */
	yaml_mark_t at_policy, at_hold, at_commit, at_pass, at_sense, at_rules, at_deny, at_kill_window,
		    at_rescue;
	/* A failed allocation; everything else goes on as a diagnostic. */
	int err;
};

/* One key of a mapping. The handler reports its own errors. */
struct key {
	const char *name;
	void (*read)(struct parse *p, yaml_node_t *value, void *target);
};

/* policy_diag.c */
void diag_add(struct policy_file *file, int *err, enum policy_severity severity,
	      const yaml_mark_t *mark, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void diag_sort(struct policy_file *file);

#define diag_error(p, mark, ...) \
	diag_add((p)->file, &(p)->err, POLICY_ERROR, mark, __VA_ARGS__)
#define diag_warn(p, mark, ...) \
	diag_add((p)->file, &(p)->err, POLICY_WARNING, mark, __VA_ARGS__)

/* policy_values.c; the readers return false after reporting an error */
yaml_node_t *value_node(struct parse *p, int index);
const char *value_scalar(struct parse *p, yaml_node_t *node, const char *what);
bool value_bool(struct parse *p, yaml_node_t *node, const char *what, bool *out);
bool value_enum(struct parse *p, yaml_node_t *node, const char *what,
		const struct names *names, uint32_t allowed, uint32_t *out);
bool value_duration(struct parse *p, yaml_node_t *node, const char *what,
		    uint32_t min_ms, uint32_t max_ms, uint32_t *out);
bool value_size(struct parse *p, yaml_node_t *node, const char *what,
		uint64_t min, uint64_t max, uint64_t *out);
bool value_number(struct parse *p, yaml_node_t *node, const char *what,
		  uint64_t min, uint64_t max, uint64_t *out);
const char *value_path(struct parse *p, yaml_node_t *node, const char *what);
void value_paths(struct parse *p, yaml_node_t *node, const char *what,
		 size_t max, struct string_list *out);
void value_map(struct parse *p, yaml_node_t *node, const char *what,
	       const struct key *keys, size_t n_keys, void *target);
void value_each(struct parse *p, yaml_node_t *node, const char *what,
		void (*read)(struct parse *p, yaml_node_t *item, void *target), void *target);

/* Adds the call to the set; its name, or NULL after reporting an error. */
const char *value_syscall(struct parse *p, yaml_node_t *node, const char *what,
			  struct syscall_set *set);

/* policy_keys.c, policy_hold.c and policy_sense.c */
void policy_read(struct parse *p, yaml_node_t *root);
void policy_read_hold(struct parse *p, yaml_node_t *node, void *target);
void policy_read_sense(struct parse *p, yaml_node_t *node, void *target);

/* policy_rescue.c */
void policy_read_rescue(struct parse *p, yaml_node_t *node, void *target);
void policy_read_rules(struct parse *p, yaml_node_t *node, void *target);
/* The error after a rollback, 0 for end of file; false after reporting an error. */
bool policy_read_error(struct parse *p, yaml_node_t *node, const char *what, uint32_t *out);
void policy_lint_rescue(struct parse *p);

/* policy_lint.c: what a policy says that cannot work or is surely not meant */
void policy_lint(struct parse *p);

#endif
