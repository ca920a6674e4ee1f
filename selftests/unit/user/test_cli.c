// SPDX-License-Identifier: GPL-2.0
/* healctl itself, as far as it works without the module. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "test.h"

struct result {
	int code;
	char out[65536];
	char err[8192];
};

/* Runs "healctl WORDS" by the shell and keeps what it printed. */
static struct result *run_healctl(const char *words)
{
	struct result *r = calloc(1, sizeof(*r));
	char *command, name[] = "/tmp/healctl-test-XXXXXX";
	int fd = mkstemp(name);
	FILE *f;

	if (asprintf(&command, "2>%s '%s' %s", name, test_healctl, words) < 0)
		abort();
	f = popen(command, "r");
	r->out[fread(r->out, 1, sizeof(r->out) - 1, f)] = '\0';
	r->code = WEXITSTATUS(pclose(f));
	r->err[read(fd, r->err, sizeof(r->err) - 1)] = '\0';
	close(fd);
	unlink(name);
	free(command);
	return r;
}

static bool module_loaded(void)
{
	return !access("/sys/module/selfheal", F_OK);
}

static void expect(const char *words, int code, const char *out, const char *err)
{
	struct result *r = run_healctl(words);

	test_about(words);
	CHECK_INT(r->code, code);
	if (out)
		CHECK_STR(r->out, out);
	if (err)
		CHECK_STR(r->err, err);
	free(r);
}

TEST(cli_check_good)
{
	expect("policy check - <<'E'\npolicy: p\nsense: {exec: {allow: []}}\nE\n", 0,
	       "-: ok errors=0 warnings=0 policies=1\n", "");
	expect("-j policy check - <<'E'\npolicy: p\nsense: {exec: {allow: []}}\nE\n", 0,
	       "{\"schema\":1,\"diagnostics\":[],\"files\":[{\"file\":\"-\",\"ok\":true,\"errors\":0,\"warnings\":0,\"policies\":[\"p\"]}]}\n", "");
}

TEST(cli_check_bad)
{
	expect("policy check - <<'E'\npolicy: p\nobserve: maybe\nE\n", 2,
	       "-:2:10: error: observe: 'maybe' is not one of: true, false\n"
	       "\n-: has errors errors=1 warnings=0 policies=1\n", "");
	expect("policy check --json - <<'E'\npolicy: p\nobserve: maybe\nE\n", 2,
	       "{\"schema\":1,\"diagnostics\":[{\"place\":\"-:2:10\",\"severity\":\"error\",\"line\":2,\"column\":10,\"message\":\"observe: 'maybe' is not one of: true, false\"}],\"files\":[{\"file\":\"-\",\"ok\":false,\"errors\":1,\"warnings\":0,\"policies\":[\"p\"]}]}\n", "");
}

TEST(cli_missing_file)
{
	expect("policy check /nonexistent/p.yaml", 4, "",
	       "healctl: cannot read the policy file /nonexistent/p.yaml: No such file or directory\n");
	expect("policy check /", 2, "",
	       "healctl: cannot read the policy file /: Is a directory\n");
}

TEST(cli_usage)
{
	expect("domain show x", 2, "",
	       "healctl: 'x' is not a domain id, a whole number up to 9223372036854775807\n"
	       "healctl: try 'healctl help domain show'\n");
	expect("domain add 1", 2, "",
	       "healctl: give either --policy NAME or --domain ID\n"
	       "healctl: try 'healctl help domain add'\n");
	expect("bogus -j", 2,
	       "{\"schema\":1,\"error\":{\"message\":\"unknown command 'bogus'; the commands are: policy, run, domain, incident, verdict, quarantine, rescue, agent, monitor, status, guard, lock, help\",\"exit\":2}}\n", NULL);
	expect("run true", 125, "", NULL);
	expect("run --policy p -- no-such-command-anywhere", 127, "",
	       "healctl: cannot execute no-such-command-anywhere: no such command in PATH\n");
}

TEST(cli_errors_reach_no_terminal_raw)
{
	struct result *r = run_healctl("policy load \"$(printf '\\033[31m')\"");

	CHECK(!strchr(r->err, '\033'));
	CHECK(strstr(r->err, "\\x1b[31m"));
	free(r);
}

TEST(cli_bad_file_loads_nothing)
{
	expect("policy load - <<'E'\npolicy: p\nfoo: 1\nE\n", 2, "",
	       "healctl: -:2:1: error: unknown key 'foo' in policy file; allowed are: policy, match, observe, hold, sense, rescue, respond\n"
	       "healctl: - has 1 error; nothing was loaded\n");
}

TEST(cli_without_the_module)
{
	static const char *const words[] = {
		"status", "policy list", "policy show", "policy unload p", "domain list",
		"domain show 1", "domain add 1 --policy p", "domain freeze 1", "domain dissolve 1",
		"incident list", "incident show 1", "verdict release 1", "verdict rollback 1",
		"verdict kill 1", "quarantine list", "quarantine show 1", "agent --once", "monitor --once",
	};
	static const char message[] =
		"the module selfheal is not loaded; load it with 'modprobe selfheal' or 'insmod selfheal.ko'";
	char line[256];
	size_t i;

	if (module_loaded())
		test_skip("the module is loaded here");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(line, sizeof(line), "healctl: %s\n", message);
		expect(words[i], 3, "", line);
	}
	snprintf(line, sizeof(line),
		 "{\"schema\":1,\"error\":{\"message\":\"%s\",\"exit\":3,\"errno\":\"ESRCH\"}}\n", message);
	expect("-j status", 3, line, NULL);
	expect("run --policy p -- true", 125, "", NULL);
}

TEST(cli_help_is_text_and_json)
{
	static const char *const words[] = {
		"-j help", "-j help policy", "-j help policy load", "-j run --help", "-j --version",
	};
	struct result *r;
	json_t *json;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		test_about(words[i]);
		r = run_healctl(words[i]);
		json = json_loads(r->out, JSON_REJECT_DUPLICATES, NULL);
		CHECK_INT(r->code, 0);
		CHECK_INT(json_integer_value(json_object_get(json, "schema")), 1);
		json_decref(json);
		free(r);
	}
	expect("--version", 0, "healctl 0.1 abi=1\n", "");
}

TEST(cli_a_full_disk_is_a_failure)
{
	expect("help >/dev/full", 1, "", "healctl: cannot write the output\n");
}
