// SPDX-License-Identifier: GPL-2.0
/*
 * healctl run: a command as a new domain.
 *
 * The child waits on a pipe while the parent, which never becomes a member,
 * enrols it; only then it executes the command. A child that cannot execute says
 * so by a shared page, since all that a member writes may be held.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

struct launch {
	struct ipc *ipc;
	char **argv;
	char *path;		/* of the command */
	bool detach;
	pid_t pid;
	int pidfd;
	int go;			/* the parent's end of the pipe */
	int *exec_errno;	/* shared with the child */
	sigset_t mask;		/* as healctl was started with */
	uint64_t domain;
};

/* A path or a *.yaml names a file, everything else a loaded policy. */
static bool is_file(const char *policy)
{
	const char *dot = strrchr(policy, '.');

	return strchr(policy, '/') || (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")));
}

static bool same_source(const struct policy *a, const struct policy *b)
{
	return a->source_len == b->source_len && a->source && b->source &&
	       !memcmp(a->source, b->source, a->source_len);
}

/* Loads the file's policy unless this very text is loaded already. */
static int ensure_loaded(struct ctx *ctx, struct ipc *ipc, const struct policy *policy)
{
	struct policy loaded;
	bool same = false;

	if (!ipc_policy_get(ipc, policy->name, &loaded)) {
		same = same_source(&loaded, policy);
		policy_release(&loaded);
	} else if (ipc_error(ipc)->err != -ENOENT) {
		return report_ipc(ctx, ipc, "look up the policy '%s'", policy->name);
	}
	if (!same && ipc_policy_load(ipc, policy))
		return report_ipc(ctx, ipc, "load the policy '%s'", policy->name);
	return 0;
}

static int load_policy(struct ctx *ctx, struct ipc *ipc, const char *path, char name[NAME_LEN])
{
	struct policy_file file;
	int code = policy_file_load(ctx, path, &file);

	if (code)
		return code;
	if (file.n_policies != 1)
		code = report(ctx, EXIT_USAGE,
			      "%s has %zu policies; load it with 'healctl policy load' and name one of them",
			      path, file.n_policies);
	else
		code = ensure_loaded(ctx, ipc, &file.policies[0]);
	if (!code) {
		strcpy(name, file.policies[0].name);
		guard_used(ipc, path);
	}
	policy_file_release(&file);
	return code;
}

/*
 * The command's path, found before the process is a member: a member that tries
 * one directory of PATH after the other would be judged for each.
 */
static char *find_path(const char *command)
{
	const char *dir = getenv("PATH"), *end;
	struct stat st;
	char *path;

	if (strchr(command, '/'))
		return strdup(command);
	if (!dir)
		dir = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (;; dir = end + 1) {
		end = strchrnul(dir, ':');
		if (asprintf(&path, "%.*s%s%s", (int)(end - dir), dir, end == dir ? "./" : "/",
			     command) < 0)
			return NULL;
		if (!stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK))
			return path;
		free(path);
		if (!*end)
			break;
	}
	errno = ENOENT;
	return NULL;
}

static void child(struct launch *launch, int wait)
{
	ssize_t n;
	char go;

	if (launch->detach)
		setsid();
	do {
		n = read(wait, &go, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(EXIT_RUN_FAILED);
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
	execv(launch->path, launch->argv);
	*launch->exec_errno = errno;
	_exit(errno == ENOENT ? EXIT_RUN_MISSING : EXIT_RUN_EXEC);
}

static int start_child(struct launch *launch)
{
	int ends[2];

	launch->exec_errno = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (launch->exec_errno == MAP_FAILED || pipe2(ends, O_CLOEXEC))
		return -errno;
	launch->pid = fork();
	if (launch->pid < 0)
		return -errno;
	if (!launch->pid) {
		close(ends[1]);
		child(launch, ends[0]);
	}
	close(ends[0]);
	launch->go = ends[1];
	launch->pidfd = pidfd_open(launch->pid, 0);
	return launch->pidfd < 0 ? -errno : 0;
}

/* Waits for the end; SIGCHLD is blocked, so no status is taken by others. */
static int reap(struct launch *launch)
{
	int status;

	while (waitpid(launch->pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_RUN_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Passes signals on until the command ends. A signal from the terminal has
 * reached the command already, which is in the same process group.
 */
static int follow(struct launch *launch, int signals)
{
	struct pollfd fds[] = {
		{ .fd = launch->pidfd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return reap(launch);
		if (fds[1].revents && read(signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_code != SI_KERNEL)
			pidfd_send_signal(launch->pidfd, (int)info.ssi_signo, NULL, 0);
		if (fds[0].revents)
			return reap(launch);
	}
}

static int finish(struct ctx *ctx, struct launch *launch, int signals)
{
	int code;

	if (launch->detach) {
		print_one_line(ctx->print);
		print_u64(ctx->print, "domain", launch->domain);
		print_s64(ctx->print, "pid", launch->pid);
		return EXIT_OK;
	}
	code = follow(launch, signals);
	if (*launch->exec_errno)
		report(ctx, code, "cannot execute %s: %s", launch->path,
		       strerror(*launch->exec_errno));
	return code;
}

/* The child may start; without this byte it ends by itself. */
static int let_go(struct launch *launch)
{
	ssize_t n = write(launch->go, "", 1);

	close(launch->go);
	launch->go = -1;
	return n == 1 ? 0 : -EPIPE;
}

static int launch_domain(struct ctx *ctx, struct launch *launch, const char *policy)
{
	struct enrol enrol = { .starting = true };
	int signals, err;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &launch->mask);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	err = signals < 0 ? -errno : start_child(launch);
	if (err)
		return report(ctx, EXIT_RUN_FAILED, "cannot start a process: %s", strerror(-err));
	enrol.pidfd = launch->pidfd;
	if (ipc_domain_new(launch->ipc, policy, &enrol, &launch->domain)) {
		close(launch->go);
		reap(launch);
		report_ipc(ctx, launch->ipc, "make a domain under the policy '%s'", policy);
		return EXIT_RUN_FAILED;
	}
	if (let_go(launch)) {
		reap(launch);
		return report(ctx, EXIT_RUN_FAILED, "the new process ended before the command could start");
	}
	return finish(ctx, launch, signals);
}

int cmd_run(struct ctx *ctx)
{
	const char *policy = args_option(ctx, "--policy");
	struct launch launch = {
		.argv = ctx->args.argv, .detach = args_option(ctx, "--detach"),
	};
	char name[NAME_LEN];
	int code;

	if (!policy) {
		report_usage(ctx, "run needs --policy NAME or --policy FILE");
		return EXIT_RUN_FAILED;
	}
	launch.path = find_path(launch.argv[0]);
	if (!launch.path)
		return report(ctx, EXIT_RUN_MISSING, "cannot execute %s: %s", launch.argv[0],
			      errno == ENOENT ? "no such command in PATH" : strerror(errno));
	code = connect_module(ctx, &launch.ipc);
	if (!code && is_file(policy)) {
		code = load_policy(ctx, launch.ipc, policy, name);
		policy = name;
	}
	code = code ? EXIT_RUN_FAILED : launch_domain(ctx, &launch, policy);
	ipc_close(launch.ipc);
	free(launch.path);
	return code;
}
