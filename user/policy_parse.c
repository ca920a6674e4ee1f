// SPDX-License-Identifier: GPL-2.0
/* The parser of policy files: documents, their source texts, and what fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_priv.h"

/* Beyond this a text is no policy file; it bounds the work of the parser. */
#define FILE_MAX (1 << 20)

static struct policy *add_policy(struct policy_file *file)
{
	struct policy *v = reallocarray(file->policies, file->n_policies + 1, sizeof(*v));

	if (!v)
		return NULL;
	file->policies = v;
	v += file->n_policies++;
	memset(v, 0, sizeof(*v));
	return v;
}

static void syntax_error(struct policy_file *file, const yaml_parser_t *yaml, int *err)
{
	yaml_mark_t mark = yaml->problem_mark;
	const char *problem = yaml->problem ? yaml->problem : "not YAML";

	if (yaml->error == YAML_MEMORY_ERROR) {
		*err = -ENOMEM;
		return;
	}
	if (yaml->error == YAML_READER_ERROR) {
		/* The reader knows a byte offset only; the last mark is near. */
		mark = yaml->mark;
		diag_add(file, err, POLICY_ERROR, &mark,
			 "the text is not valid UTF-8 (%s at byte %zu)", problem,
			 yaml->problem_offset);
	} else if (yaml->context) {
		diag_add(file, err, POLICY_ERROR, &mark, "YAML syntax: %s %s",
			 problem, yaml->context);
	} else {
		diag_add(file, err, POLICY_ERROR, &mark, "YAML syntax: %s", problem);
	}
}

static const char *line_start(const char *text, const char *end, size_t line)
{
	while (line-- && text < end) {
		text = memchr(text, '\n', end - text);
		text = text ? text + 1 : end;
	}
	return text;
}

/*
 * The source text of a policy is the text from its document's first line up to
 * the next document's, comments included.
 */
static void cut_source(struct parse *p, struct policy *policy, const yaml_mark_t *mark,
		       const char *from, const char *to)
{
	policy->source_len = to - from;
	if (policy->source_len > SELFHEAL_SOURCE_MAX) {
		diag_error(p, mark, "the policy's text has %zu bytes; at most %d are allowed",
			   policy->source_len, SELFHEAL_SOURCE_MAX);
		return;
	}
	policy->source = malloc(policy->source_len + 1);
	if (!policy->source) {
		p->err = -ENOMEM;
		return;
	}
	memcpy(policy->source, from, policy->source_len);
	policy->source[policy->source_len] = '\0';
}

static void check_unique(struct parse *p)
{
	const struct policy_file *file = p->file;
	size_t i;

	for (i = 0; i + 1 < file->n_policies; i++) {
		if (!p->policy->name[0] || strcmp(file->policies[i].name, p->policy->name))
			continue;
		diag_error(p, &p->at_policy, "policy: the name '%s' is used twice in this file",
			   p->policy->name);
		return;
	}
}

static int read_document(struct policy_file *file, yaml_document_t *doc, yaml_node_t *root)
{
	struct parse p = { .doc = doc, .file = file };
	size_t errors = file->n_errors;

	p.policy = add_policy(file);
	if (!p.policy)
		return -ENOMEM;
	policy_read(&p, root);
	check_unique(&p);
	if (file->n_errors == errors)
		policy_lint(&p);
	return p.err;
}

/* The first lines of the documents, for their sources. */
struct starts {
	yaml_mark_t *v;
	size_t n;
};

static int add_start(struct starts *starts, const yaml_mark_t *mark)
{
	yaml_mark_t *v = reallocarray(starts->v, starts->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	starts->v = v;
	v[starts->n++] = *mark;
	return 0;
}

static int read_documents(struct policy_file *file, yaml_parser_t *yaml, struct starts *starts)
{
	yaml_document_t doc;
	yaml_node_t *root;
	int err = 0;

	while (!err) {
		if (!yaml_parser_load(yaml, &doc)) {
			syntax_error(file, yaml, &err);
			break;
		}
		root = yaml_document_get_root_node(&doc);
		if (!root) {
			yaml_document_delete(&doc);
			break;
		}
		err = add_start(starts, &doc.start_mark);
		if (!err)
			err = read_document(file, &doc, root);
		yaml_document_delete(&doc);
	}
	return err;
}

static int cut_sources(struct policy_file *file, const struct starts *starts,
		       const char *text, size_t len)
{
	const char *from = text, *end = text + len, *to;
	struct parse p = { .file = file };
	size_t i;

	for (i = 0; i < file->n_policies && !p.err; i++) {
		to = i + 1 < starts->n ? line_start(text, end, starts->v[i + 1].line) : end;
		cut_source(&p, &file->policies[i], &starts->v[i], from, to);
		from = to;
	}
	return p.err;
}

int policy_parse(const char *text, size_t len, struct policy_file *file)
{
	static const yaml_mark_t top;
	struct starts starts = { 0 };
	yaml_parser_t yaml;
	int err = 0;

	memset(file, 0, sizeof(*file));
	if (len > FILE_MAX) {
		diag_add(file, &err, POLICY_ERROR, &top,
			 "the file has %zu bytes; a policy file has at most %d", len, FILE_MAX);
		return err ? err : -EINVAL;
	}
	if (!yaml_parser_initialize(&yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&yaml, (const unsigned char *)text, len);
	err = read_documents(file, &yaml, &starts);
	yaml_parser_delete(&yaml);
	if (!err && !file->n_errors && !file->n_policies)
		diag_add(file, &err, POLICY_ERROR, &top, "the file holds no policy");
	if (!err && !file->n_errors)
		err = cut_sources(file, &starts, text, len);
	free(starts.v);
	diag_sort(file);
	if (err)
		return err;
	return file->n_errors ? -EINVAL : 0;
}

void policy_file_release(struct policy_file *file)
{
	size_t i;

	for (i = 0; i < file->n_policies; i++)
		policy_release(&file->policies[i]);
	for (i = 0; i < file->n_diags; i++)
		free(file->diags[i].text);
	free(file->policies);
	free(file->diags);
	memset(file, 0, sizeof(*file));
}
