// SPDX-License-Identifier: GPL-2.0
/* healctl domain list, show, add, freeze, dissolve. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cmd.h"
#include "view.h"

#define PID_MAX 4194304

int cmd_domain_list(struct ctx *ctx)
{
	struct domains domains;
	struct ipc *ipc;
	size_t i;
	int code = connect_module(ctx, &ipc);

	if (code)
		return code;
	if (ipc_domain_dump(ipc, &domains)) {
		code = report_ipc(ctx, ipc, "list the domains");
		ipc_close(ipc);
		return code;
	}
	print_open_list(ctx->print, "domains", PRINT_TABLE);
	for (i = 0; i < domains.n; i++) {
		print_open(ctx->print, NULL);
		view_domain_row(ctx->print, &domains.v[i]);
		print_close(ctx->print);
	}
	print_close(ctx->print);
	domains_release(&domains);
	ipc_close(ipc);
	return EXIT_OK;
}

/* Connects after the domain id has been read from the first argument. */
static int start(struct ctx *ctx, struct ipc **ipc, uint64_t *id)
{
	if (!args_number(ctx, ctx->args.argv[0], "a domain id", INT64_MAX, id))
		return EXIT_USAGE;
	return connect_module(ctx, ipc);
}

int cmd_domain_show(struct ctx *ctx)
{
	struct domain domain;
	struct ipc *ipc;
	uint64_t id;
	int code = start(ctx, &ipc, &id);

	if (code)
		return code;
	if (ipc_domain_get(ipc, id, &domain)) {
		code = report_ipc(ctx, ipc, "show the domain %llu", (unsigned long long)id);
	} else {
		print_open(ctx->print, "domain");
		view_domain(ctx->print, &domain);
		print_close(ctx->print);
		domain_release(&domain);
	}
	ipc_close(ipc);
	return code;
}

static int add_process(struct ctx *ctx, struct ipc *ipc, int pidfd, uint64_t id)
{
	const char *policy = args_option(ctx, "--policy");
	const struct enrol enrol = { .pidfd = pidfd, .tree = args_option(ctx, "--tree") };
	const char *pid = ctx->args.argv[0];

	if (policy && ipc_domain_new(ipc, policy, &enrol, &id))
		return report_ipc(ctx, ipc, "protect the process %s by the policy '%s'", pid, policy);
	if (!policy && ipc_domain_add(ipc, id, &enrol))
		return report_ipc(ctx, ipc, "add the process %s to the domain %llu", pid,
				  (unsigned long long)id);
	print_one_line(ctx->print);
	print_u64(ctx->print, "domain", id);
	print_json_text(ctx->print, "pid", json_integer(strtoll(pid, NULL, 10)), pid);
	return 0;
}

int cmd_domain_add(struct ctx *ctx)
{
	const char *policy = args_option(ctx, "--policy");
	const char *domain = args_option(ctx, "--domain");
	uint64_t pid, id = 0;
	struct ipc *ipc;
	int pidfd, code;

	if (!policy == !domain)
		return report_usage(ctx, "give either --policy NAME or --domain ID");
	if (!args_number(ctx, ctx->args.argv[0], "a process id", PID_MAX, &pid) ||
	    (domain && !args_number(ctx, domain, "a domain id", INT64_MAX, &id)))
		return EXIT_USAGE;
	code = connect_module(ctx, &ipc);
	if (code)
		return code;
	pidfd = pidfd_open((pid_t)pid, 0);
	if (pidfd < 0) {
		code = report(ctx, errno == ESRCH ? EXIT_NOT_FOUND : EXIT_USAGE,
			      "cannot open the process %s: %s", ctx->args.argv[0],
			      errno == EINVAL ? "this is a thread, not the leader of a process" :
			      strerror(errno));
	} else {
		code = add_process(ctx, ipc, pidfd, id);
		close(pidfd);
	}
	ipc_close(ipc);
	return code;
}

int cmd_domain_freeze(struct ctx *ctx)
{
	uint64_t id, incident;
	struct ipc *ipc;
	int code = start(ctx, &ipc, &id);

	if (code)
		return code;
	if (ipc_domain_freeze(ipc, id, &incident)) {
		code = report_ipc(ctx, ipc, "freeze the domain %llu", (unsigned long long)id);
	} else {
		print_one_line(ctx->print);
		print_u64(ctx->print, "domain", id);
		print_u64(ctx->print, "incident", incident);
	}
	ipc_close(ipc);
	return code;
}

int cmd_domain_dissolve(struct ctx *ctx)
{
	struct ipc *ipc;
	uint64_t id;
	int code = start(ctx, &ipc, &id);

	if (code)
		return code;
	if (ipc_domain_dissolve(ipc, id)) {
		code = report_ipc(ctx, ipc, "dissolve the domain %llu", (unsigned long long)id);
	} else {
		print_one_line(ctx->print);
		print_u64(ctx->print, "dissolved", id);
	}
	ipc_close(ipc);
	return code;
}
