// SPDX-License-Identifier: GPL-2.0
/* The table of the commands: dispatch, help and the man page follow it. */
#include <string.h>

#include "cmd.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const struct option global_options[] = {
	{ "--json", NULL, "Print JSON with the member \"schema\"; -j is the same." },
	{ "--help", NULL, "Print the help of the command; -h is the same." },
	{ "--version", NULL, "Print the version and the ABI of healctl." },
};
const size_t n_global_options = ARRAY_SIZE(global_options);

const struct command commands[] = {
	{
		.group = "policy", .name = "check", .args = "FILE...", .min = 1, .max = -1,
		.summary = "Check policy files without loading them.",
		.text = "Prints each error and warning as FILE:LINE:COLUMN. FILE may be - for\n"
			"standard input. The module is not needed.",
		.run = cmd_policy_check,
	}, {
		.group = "policy", .name = "load", .args = "FILE...", .min = 1, .max = -1,
		.summary = "Load every policy of the files.",
		.text = "A policy of the same name is replaced; domains that live keep the one\n"
			"that they were made with. Nothing is loaded when a file has an error.",
		.run = cmd_policy_load,
	}, {
		.group = "policy", .name = "show", .args = "[NAME]", .max = 1,
		.summary = "Show a loaded policy, or all, with its source text.",
		.run = cmd_policy_show,
	}, {
		.group = "policy", .name = "list", .args = "",
		.summary = "List the loaded policies.",
		.run = cmd_policy_list,
	}, {
		.group = "policy", .name = "unload", .args = "NAME", .min = 1, .max = 1,
		.summary = "Remove a policy that has no domain.",
		.run = cmd_policy_unload,
	}, {
		.group = "run", .args = "COMMAND [ARG...]", .min = 1, .max = -1, .tail = true,
		.summary = "Run a command as a new domain.",
		.text = "The command starts only after its process has become a member. healctl\n"
			"stays outside, passes SIGINT and SIGTERM on, and exits as the command does,\n"
			"with 128+N for a signal N; 125 when the command could not be started as a\n"
			"member, 126 when it cannot be executed, 127 when it does not exist.",
		.options = {
			{ "--policy", "NAME|FILE", "The policy: the name of a loaded one, or a file (a path with a '/', or *.yaml), which is loaded unless that very text is loaded already." },
			{ "--detach", NULL, "Leave the command running; print its domain and pid." },
		},
		.run = cmd_run,
	}, {
		.group = "domain", .name = "list", .args = "",
		.summary = "List the domains.",
		.run = cmd_domain_list,
	}, {
		.group = "domain", .name = "show", .args = "ID", .min = 1, .max = 1,
		.summary = "Show a domain and its threads.",
		.run = cmd_domain_show,
	}, {
		.group = "domain", .name = "add", .args = "PID", .min = 1, .max = 1,
		.summary = "Protect a running process.",
		.text = "Give either --policy for a new domain or --domain for one that runs.",
		.options = {
			{ "--policy", "NAME", "Make a new domain under this loaded policy." },
			{ "--domain", "ID", "Add the process to this domain." },
			{ "--tree", NULL, "Add the descendants of the process, too." },
		},
		.run = cmd_domain_add,
	}, {
		.group = "domain", .name = "freeze", .args = "ID", .min = 1, .max = 1,
		.summary = "Freeze a domain now; this opens an incident.",
		.run = cmd_domain_freeze,
	}, {
		.group = "domain", .name = "dissolve", .args = "ID", .min = 1, .max = 1,
		.summary = "Stop protecting a domain; what it holds goes out.",
		.run = cmd_domain_dissolve,
	}, {
		.group = "incident", .name = "list", .args = "",
		.summary = "List the incidents, resolved ones included.",
		.options = {
			{ "--open", NULL, "Only those that wait for a verdict." },
		},
		.run = cmd_incident_list,
	}, {
		.group = "incident", .name = "show", .args = "ID", .min = 1, .max = 1,
		.summary = "Show an incident with its evidence.",
		.run = cmd_incident_show,
	}, {
		.group = "incident", .name = "core", .args = "ID FILE", .min = 2, .max = 2,
		.summary = "Keep the image of the process at fault as a core file.",
		.text = "For an open incident, whose processes stand still; a verdict may erase the\n"
			"image. FILE must not exist, and only its owner can read it: it has all that the\n"
			"process had in memory, secrets included. gdb EXECUTABLE FILE opens it.",
		.run = cmd_incident_core,
	}, {
		.group = "verdict", .name = "release", .args = "INCIDENT", .min = 1, .max = 1,
		.summary = "Send the held output and let the domain go on.",
		.run = cmd_verdict_release,
	}, {
		.group = "verdict", .name = "rollback", .args = "INCIDENT", .min = 1, .max = 1,
		.summary = "Put the domain back to its last rescue point.",
		.text = "Each process of the domain goes back to where it last waited for input; what\n"
			"it has put out since then is dropped. The call that took the poisoned input\n"
			"fails, so that the program drops the client it came from. Refused, with the\n"
			"reason, when there is no way back.",
		.options = {
			{ "--errno", "NAME", "The error of that call, as in errno(3), or eof, in place of the policy's." },
		},
		.run = cmd_verdict_rollback,
	}, {
		.group = "verdict", .name = "kill", .args = "INCIDENT", .min = 1, .max = 1,
		.summary = "Drop the held output and kill every member.",
		.run = cmd_verdict_kill,
	}, {
		.group = "quarantine", .name = "list", .args = "[DOMAIN]", .max = 1,
		.summary = "List how much the domains hold.",
		.run = cmd_quarantine_list,
	}, {
		.group = "quarantine", .name = "show", .args = "DOMAIN", .min = 1, .max = 1,
		.summary = "Show what a domain holds, in order of production.",
		.options = {
			{ "--contents", NULL, "Show the held bytes, too; they may be secret." },
		},
		.run = cmd_quarantine_show,
	}, {
		.group = "rescue", .name = "list", .args = "DOMAIN", .min = 1, .max = 1,
		.summary = "List the latest rescue points of a domain's threads.",
		.run = cmd_rescue_list,
	}, {
		.group = "agent", .args = "",
		.summary = "Answer incidents by the rules of their policies.",
		.text = "Takes the rules from the loaded policies, answers what is open already, then\n"
			"follows the events. Logs to standard error, for the journal with priorities.",
		.options = {
			{ "--once", NULL, "Answer what is open now, and exit." },
			{ "--cores", "DIR", "Where core files go by respond.keep-core; /var/lib/selfheal without it." },
		},
		.run = cmd_agent,
	}, {
		.group = "monitor", .args = "",
		.summary = "Follow the events, one line each.",
		.options = {
			{ "--since", "SEQ", "Print the kept events after this number first; 0 for all." },
			{ "--once", NULL, "Print the kept events, and exit." },
		},
		.run = cmd_monitor,
	}, {
		.group = "status", .args = "",
		.summary = "Show the module, its hooks, what is lost without each, and its counters.",
		.run = cmd_status,
	}, {
		.group = "guard", .name = "add", .args = "PATH...", .min = 1, .max = -1,
		.summary = "Guard files against every member.",
		.text = "Members, root included, can then not write, truncate, remove, rename or\n"
			"replace them, nor rename a directory above them: that is refused as\n"
			"tampering. Guarded of themselves are the executables of controllers, and the\n"
			"policy files that healctl loads.",
		.run = cmd_guard_add,
	}, {
		.group = "guard", .name = "list", .args = "",
		.summary = "List the guarded files.",
		.run = cmd_guard_list,
	}, {
		.group = "lock", .args = "",
		.summary = "Lock policies and module until reboot.",
		.text = "No policy can then be unloaded or replaced, no domain dissolved, and the\n"
			"module not unloaded; new policies can still be loaded. Nothing but a reboot\n"
			"takes it back. Asks before it does so, unless --yes is given. Exits with 1\n"
			"when it is locked already.",
		.options = {
			{ "--yes", NULL, "Do not ask." },
		},
		.run = cmd_lock,
	}, {
		.group = "help", .args = "[COMMAND...]", .max = 2,
		.summary = "Print this overview, or the help of a command.",
		.run = cmd_help,
	},
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct command *command_find(const char *group, const char *name)
{
	size_t i;

	for (i = 0; i < n_commands; i++) {
		if (strcmp(commands[i].group, group))
			continue;
		if (!commands[i].name || (name && !strcmp(commands[i].name, name)))
			return &commands[i];
	}
	return NULL;
}
