/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands share: their table, their arguments, their errors. */
#ifndef HEALCTL_CMD_H
#define HEALCTL_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc.h"
#include "policy_parse.h"
#include "print.h"

#define HEALCTL_VERSION "0.1"

/* Exit codes; healctl(8) documents them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* the kernel or the operation said no */
	EXIT_USAGE = 2,		/* wrong usage or input */
	EXIT_MODULE = 3,	/* module not loaded, or another ABI */
	EXIT_NOT_FOUND = 4,	/* no such policy, domain, incident or process */
	EXIT_RUN_FAILED = 125,	/* run: failed before the command started */
	EXIT_RUN_EXEC = 126,	/* run: the command cannot be executed */
	EXIT_RUN_MISSING = 127,	/* run: there is no such command */
};

struct ctx;

struct option {
	const char *name;	/* with its dashes */
	const char *arg;	/* NULL for a flag */
	const char *help;
};

#define OPTIONS_MAX 4

struct command {
	const char *group;
	const char *name;	/* NULL when the group is the command */
	const char *args;
	const char *summary;
	const char *text;	/* the longer help, or NULL */
	int min, max;		/* arguments; max -1 for any number */
	bool tail;		/* all after the first argument is the user's command */
	struct option options[OPTIONS_MAX];
	int (*run)(struct ctx *ctx);
};

extern const struct command commands[];
extern const size_t n_commands;
extern const struct option global_options[];
extern const size_t n_global_options;
const struct command *command_find(const char *group, const char *name);

struct args {
	const struct command *command;
	char **argv;		/* arguments without options */
	int argc;
	const char *value[OPTIONS_MAX];	/* "" for a flag that is given */
	bool json, help, version;
	const char *group;	/* the words, for help */
	const char *name;
	char error[256];
};

struct ctx {
	struct print *print;
	struct args args;
	int code;		/* the exit code of a reported error */
};

/* False with args->error set. argv is reordered. */
bool args_parse(struct args *args, int argc, char **argv);
/* The value of an option, or NULL when it is not given. */
const char *args_option(const struct ctx *ctx, const char *name);
/* The n-th argument as an id or pid; reports an error and returns false. */
bool args_number(struct ctx *ctx, const char *text, const char *what, uint64_t max,
		 uint64_t *value);

/* report.c: one clear line on stderr, an object with -j; all return the exit code. */
int report(struct ctx *ctx, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int report_usage(struct ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* After a failed ipc_*(): "cannot <what>: ..." with the kernel's own words. */
int report_ipc(struct ctx *ctx, const struct ipc *ipc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What an ipc error means, for messages that are not an end. */
void ipc_error_text(char *buf, size_t size, const struct ipc_error *error);
/* Opens the module's interface or reports why not. */
int connect_module(struct ctx *ctx, struct ipc **ipc);

/* policy_file.c */
/* Reads and parses; reports what cannot be read, but not the diagnostics. */
int policy_file_read(struct ctx *ctx, const char *path, struct policy_file *file);
/* The same, and reports the errors: the file is good when this returns 0. */
int policy_file_load(struct ctx *ctx, const char *path, struct policy_file *file);

/* The commands, by file. */
int cmd_policy_check(struct ctx *ctx);
int cmd_policy_load(struct ctx *ctx);
int cmd_policy_show(struct ctx *ctx);
int cmd_policy_list(struct ctx *ctx);
int cmd_policy_unload(struct ctx *ctx);
int cmd_run(struct ctx *ctx);
int cmd_domain_list(struct ctx *ctx);
int cmd_domain_show(struct ctx *ctx);
int cmd_domain_add(struct ctx *ctx);
int cmd_domain_freeze(struct ctx *ctx);
int cmd_domain_dissolve(struct ctx *ctx);
int cmd_incident_list(struct ctx *ctx);
int cmd_incident_show(struct ctx *ctx);
int cmd_incident_core(struct ctx *ctx);
int cmd_verdict_release(struct ctx *ctx);
int cmd_verdict_rollback(struct ctx *ctx);
int cmd_rescue_list(struct ctx *ctx);
int cmd_verdict_kill(struct ctx *ctx);
int cmd_quarantine_list(struct ctx *ctx);
int cmd_quarantine_show(struct ctx *ctx);
int cmd_agent(struct ctx *ctx);
int cmd_monitor(struct ctx *ctx);
int cmd_status(struct ctx *ctx);
int cmd_lock(struct ctx *ctx);
int cmd_guard_add(struct ctx *ctx);
int cmd_guard_list(struct ctx *ctx);
/* Guards a file that was just used, and healctl itself; reports what it cannot. */
void guard_used(struct ipc *ipc, const char *path);
int cmd_help(struct ctx *ctx);

/* help.c */
int help_print(struct ctx *ctx, const char *group, const char *name);

#endif
