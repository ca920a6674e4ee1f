// SPDX-License-Identifier: GPL-2.0
/* Help, man pages, policy reference and examples agree with the code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "names.h"
#include "policy_parse.h"
#include "test.h"

TEST(docs_table_is_sound)
{
	size_t i, j, k;

	for (i = 0; i < n_commands; i++) {
		const struct command *c = &commands[i];

		test_about(c->group);
		CHECK(c->run && c->args && c->summary);
		CHECK(c->max < 0 || c->min <= c->max);
		CHECK(command_find(c->group, c->name) == c);
		for (j = 0; j < OPTIONS_MAX && c->options[j].name; j++) {
			CHECK(!strncmp(c->options[j].name, "--", 2) && c->options[j].help);
			for (k = 0; k < n_global_options; k++)
				CHECK(strcmp(c->options[j].name, global_options[k].name));
		}
	}
}

static void must_have(const char *page, const char *line)
{
	test_about(line);
	CHECK(strstr(page, line));
}

/* In healctl.8 each command is an .It of its own, with its options below it. */
static const char *entry(const char *page, const struct command *c)
{
	char line[128];

	snprintf(line, sizeof(line), ".It Nm %s%s%s", c->group, c->name ? " " : "",
		 c->name ? c->name : "");
	must_have(page, line);
	return strstr(page, line);
}

TEST(docs_man_page_has_every_command_and_option)
{
	size_t len = 0, i, j;
	char *page = test_read("Documentation/man/healctl.8", &len);
	char line[128];

	CHECK(len > 0);
	for (i = 0; page && i < n_commands; i++) {
		const struct command *c = &commands[i];
		const char *at = entry(page, c), *end = at ? strstr(at + 1, "\n.It Nm ") : NULL;

		for (j = 0; at && j < OPTIONS_MAX && c->options[j].name; j++) {
			snprintf(line, sizeof(line), "Fl \\-%s", c->options[j].name + 2);
			test_about(line);
			CHECK(strstr(at, line) && (!end || strstr(at, line) < end));
		}
	}
	free(page);
}

TEST(docs_man_page_has_no_other_command)
{
	size_t len = 0, n = 0;
	char *page = test_read("Documentation/man/healctl.8", &len);
	const char *at = page;

	while (at && (at = strstr(at, "\n.It Nm "))) {
		at++;
		n++;
	}
	CHECK_INT(n, n_commands);
	free(page);
}

TEST(docs_policy_pages_have_every_name)
{
	const char *const pages[] = {
		"Documentation/policy.md", "Documentation/man/selfheal-policy.5",
	};
	const struct names *const all[] = {
		&sensor_names, &verdict_names, &channel_names, &action_names, &overflow_names,
		&tamper_names, &rescue_names, &fault_signal_names,
	};
	static const char *const keys[] = {
		"policy", "match", "exe", "observe", "hold", "commit", "quiesce", "delay",
		"calls\\-pass", "core\\-dump", "max\\-bytes", "overflow", "sense", "fault", "signals", "handled", "exec", "allow",
		"syscall", "never", "deny", "respond", "default", "deadline", "rules", "when",
		"sensor", "signal", "uid", "again", "within", "verdict", "after", "run", "tamper", "kill\\-limit", "kill\\-window", "rescue", "at", "errno",
	};
	char word[32];
	size_t i, j, k, len = 0;
	char *page;

	for (i = 0; i < 2; i++) {
		page = test_read(pages[i], &len);
		CHECK(page);
		for (j = 0; page && j < sizeof(all) / sizeof(all[0]); j++)
			for (k = 0; k < all[j]->n; k++)
				must_have(page, all[j]->v[k]);
		for (j = 0; page && j < sizeof(keys) / sizeof(keys[0]); j++) {
			snprintf(word, sizeof(word), "%s", keys[j]);
			/* mdoc needs its minus signs escaped, markdown does not. */
			if (i == 0 && strchr(word, '\\'))
				memmove(strchr(word, '\\'), strchr(word, '\\') + 1,
					strlen(strchr(word, '\\')));
			must_have(page, word);
		}
		free(page);
	}
}

static void check_policy(const char *text, size_t len)
{
	struct policy_file file;
	size_t i;

	CHECK_INT(policy_parse(text, len, &file), 0);
	for (i = 0; i < file.n_diags; i++)
		CHECK_STR(file.diags[i].text, "nothing to complain about");
	policy_file_release(&file);
}

TEST(docs_examples_are_clean)
{
	static const char *const names[] = {
		"redis", "nginx", "postgresql", "memcached", "victim", "generic",
	};
	char path[64], *text;
	size_t i, len = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		test_about(names[i]);
		snprintf(path, sizeof(path), "Documentation/examples/%s.yaml", names[i]);
		text = test_read(path, &len);
		CHECK(text);
		if (text)
			check_policy(text, len);
		free(text);
	}
}

/* Each block of the reference that starts with "policy:" is a whole policy. */
TEST(docs_reference_examples_are_clean)
{
	size_t len = 0, n = 0;
	char *page = test_read("Documentation/policy.md", &len), *end;
	char *at = page;

	while (at && (at = strstr(at, "```yaml\n"))) {
		at += strlen("```yaml\n");
		end = strstr(at, "```");
		CHECK(end);
		if (!end)
			break;
		if (!strncmp(at, "policy:", 7)) {
			check_policy(at, (size_t)(end - at));
			n++;
		}
		at = end + 3;
	}
	CHECK(n >= 3);
	free(page);
}
