// SPDX-License-Identifier: GPL-2.0
/*
 * healctl agent: answers incidents by the rules of their policies.
 *
 * The kernel needs no agent to be safe: its deadline gives the default verdict.
 * Events only hint at what to look at; after a lost one the list of incidents is
 * read anew, so none is missed and none is answered twice.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent_queue.h"
#include "agent_run.h"
#include "cmd.h"
#include "core_keep.h"
#include "damp.h"
#include "errnos.h"
#include "rules.h"
#include "view.h"

struct agent {
	struct ctx *ctx;
	struct ipc *ipc;
	struct agent_queue queue;
	struct damp damp;
	struct history history;
	struct incident incident;	/* the one under work */
	const char *cores;	/* directory */
	bool journal;
	uint64_t seq;
	bool resync;
};

/* Priorities of sd-daemon(3), which the journal reads at the start of a line. */
enum priority {
	LOG_PRIO_ERR = 3,
	LOG_PRIO_WARNING = 4,
	LOG_PRIO_NOTICE = 5,
	LOG_PRIO_INFO = 6,
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Is stderr the journal's own stream? systemd.exec(5), JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

/* Starts a log line: text goes to stderr, JSON to stdout. */
static struct print *log_open(struct agent *agent, enum priority priority, const char *what)
{
	static const char *const prefixes[] = {
		[LOG_PRIO_ERR] = "<3>", [LOG_PRIO_WARNING] = "<4>",
		[LOG_PRIO_NOTICE] = "<5>", [LOG_PRIO_INFO] = "<6>",
	};
	struct print *p = agent->ctx->print;

	if (!print_is_json(p))
		print_output(p, stderr, agent->journal ? prefixes[priority] : "");
	print_one_line(p);
	print_str(p, "message", what);
	print_bare(p);
	print_u64(p, "priority", priority);
	print_json_only(p);
	return p;
}

static void log_line(struct agent *agent, enum priority priority, const char *what)
{
	print_flush(log_open(agent, priority, what));
}

static void log_ipc(struct agent *agent, enum priority priority, const char *what, uint64_t id)
{
	struct print *p = log_open(agent, priority, what);
	char why[700];

	ipc_error_text(why, sizeof(why), ipc_error(agent->ipc));
	print_u64(p, "incident", id);
	print_str(p, "reason", why);
	print_flush(p);
}

static void log_decision(struct agent *agent, const struct decision *decision)
{
	const struct incident *incident = &agent->incident;
	char reason[PATH_LEN + 64];
	struct print *p;

	p = log_open(agent, LOG_PRIO_NOTICE, decision->verdict == SELFHEAL_VERDICT_NONE ?
		     "incident left to people or the deadline:" : "incident decided:");
	incident_reason(reason, sizeof(reason), incident);
	print_u64(p, "incident", incident->id);
	print_u64(p, "domain", incident->domain);
	print_str(p, "policy", incident->policy);
	print_enum(p, "sensor", &sensor_names, incident->sensor);
	print_u64(p, "pid", incident->pid);
	if (decision->line)
		print_u64(p, "rule_line", decision->line);
	print_enum(p, "verdict", &verdict_names, decision->verdict);
	if (decision->before)
		print_u64(p, "before", decision->before);
	if (decision->error >= 0)
		print_str(p, "errno", errno_name(decision->error));
	if (decision->after_ms)
		print_ms(p, "after_ms", decision->after_ms);
	print_str(p, "reason", reason);
	print_flush(p);
}

/* An incident without a usable rule is left alone, and said to be. @run: the rule's command. */
static struct decision decide(struct agent *agent, struct string_list *run)
{
	struct decision decision = { .verdict = SELFHEAL_VERDICT_NONE, .error = -1 };
	const struct incident *incident = &agent->incident;
	struct policy_file file;
	struct policy policy;

	if (ipc_policy_get(agent->ipc, incident->policy, &policy)) {
		log_ipc(agent, LOG_PRIO_ERR, "cannot read the policy of an incident:", incident->id);
		return decision;
	}
	if (policy.source && !policy_parse(policy.source, policy.source_len, &file)) {
		decision = rules_decide(file.policies[0].rules, file.policies[0].n_rules, incident,
					&agent->history, now_ms());
		if (decision.line) {
			*run = file.policies[0].rules[decision.rule].run;
			file.policies[0].rules[decision.rule].run = (struct string_list){ 0 };
		}
		decision.keep_core = file.policies[0].keep_core;
		policy_file_release(&file);
		/* What the kernel holds, defaults included. */
		decision.kill_limit = policy.kill_limit;
		decision.kill_window_ms = policy.kill_window_ms;
	} else {
		if (policy.source)
			policy_file_release(&file);
		log_line(agent, LOG_PRIO_WARNING,
			 "the policy has no source text that this healctl understands; load it again with healctl");
	}
	policy_release(&policy);
	return decision;
}

/* Puts a kill off that the policy's kill-limit forbids now. */
static bool put_off(struct agent *agent, struct agent_entry *entry)
{
	struct print *p;
	int64_t wait;

	if (entry->verdict != SELFHEAL_VERDICT_KILL)
		return false;
	wait = damp_take(&agent->damp, entry->policy, entry->kill_limit, entry->kill_window_ms,
			 now_ms());
	if (!wait)
		return false;
	/* Without the count nobody could tell whether this one is too many. */
	entry->due_ms = now_ms() + (wait > 0 ? (uint64_t)wait : entry->kill_window_ms);
	if (entry->damped)
		return true;
	entry->damped = true;
	p = log_open(agent, LOG_PRIO_WARNING,
		     "kill put off, the policy has reached its kill-limit:");
	print_u64(p, "incident", entry->incident);
	print_u64(p, "domain", entry->domain);
	print_str(p, "policy", entry->policy);
	print_ms(p, "again_ms", entry->due_ms - now_ms());
	print_flush(p);
	return true;
}

static void run_command(struct agent *agent, const struct agent_entry *entry)
{
	pid_t pid = agent_run(entry);
	struct print *p;

	p = log_open(agent, pid < 0 ? LOG_PRIO_ERR : LOG_PRIO_NOTICE,
		     pid < 0 ? "a rule's command cannot be run:" : "a rule's command runs:");
	print_u64(p, "incident", entry->incident);
	print_str(p, "command", entry->run.v[0]);
	if (pid < 0)
		print_str(p, "reason", strerror(-pid));
	else
		print_u64(p, "pid", pid);
	print_flush(p);
}

/* Commands that have ended; those that went well are not worth a line. */
static void reap_commands(struct agent *agent)
{
	struct print *p;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		p = log_open(agent, LOG_PRIO_WARNING, "a rule's command failed:");
		print_u64(p, "pid", pid);
		print_u64(p, WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		print_flush(p);
	}
}

static void answer(struct agent *agent, struct agent_entry *entry)
{
	uint64_t id = entry->incident;
	struct print *p;
	int err;

	if (put_off(agent, entry))
		return;
	err = entry->verdict == SELFHEAL_VERDICT_ROLLBACK ?
	      ipc_incident_rollback(agent->ipc, id, entry->error) :
	      ipc_incident_verdict(agent->ipc, id, entry->verdict);

	/* Whatever comes back: one answer is all that the agent gives. */
	entry->due_ms = AGENT_NEVER;
	switch (err) {
	case 0:
		p = log_open(agent, LOG_PRIO_NOTICE, "verdict given:");
		print_u64(p, "incident", id);
		print_enum(p, "verdict", &verdict_names, entry->verdict);
		print_flush(p);
		if (entry->run.n)
			run_command(agent, entry);
		break;
	case -EALREADY:
	case -ENOENT:
		log_ipc(agent, LOG_PRIO_INFO, "incident resolved by others:", id);
		break;
	case -EOPNOTSUPP:
		log_ipc(agent, LOG_PRIO_WARNING, "incident left to people or the deadline:", id);
		break;
	default:
		log_ipc(agent, LOG_PRIO_ERR, "verdict failed:", id);
	}
}

static void keep_core(struct agent *agent)
{
	char path[PATH_LEN], why[256];
	struct print *p;
	int err = core_keep(agent->ipc, &agent->incident, agent->cores, path, sizeof(path), why,
			    sizeof(why));

	p = log_open(agent, err ? LOG_PRIO_WARNING : LOG_PRIO_NOTICE,
		     err ? "the image of an incident could not be kept:" :
			   "the image of an incident is kept:");
	print_u64(p, "incident", agent->incident.id);
	print_str(p, err ? "reason" : "file", err ? why : path);
	print_flush(p);
}

static void answer_due(struct agent *agent)
{
	struct agent_entry *entry;

	while ((entry = agent_queue_next(&agent->queue)) && entry->due_ms <= now_ms())
		answer(agent, entry);
}

static void take_incident(struct agent *agent, uint64_t id)
{
	struct agent_entry *known = agent_queue_find(&agent->queue, id);
	struct string_list run = { 0 };
	struct decision decision;
	uint64_t due;

	if (known) {
		known->seen = true;
		return;
	}
	if (ipc_incident_get(agent->ipc, id, &agent->incident)) {
		if (ipc_error(agent->ipc)->err != -ENOENT)
			log_ipc(agent, LOG_PRIO_ERR, "cannot read an incident:", id);
		return;
	}
	if (agent->incident.resolved_by != SELFHEAL_RESOLVED_BY_NOBODY)
		return;
	history_note(&agent->history, &agent->incident, now_ms());
	decision = decide(agent, &run);
	log_decision(agent, &decision);
	/* Evidence before erasure, whoever answers. */
	if (decision.keep_core)
		keep_core(agent);
	due = decision.verdict == SELFHEAL_VERDICT_NONE ? AGENT_NEVER :
	      now_ms() + decision.after_ms;
	if (agent_queue_add(&agent->queue, id, decision.verdict, due)) {
		log_line(agent, LOG_PRIO_ERR, "out of memory: an incident is left to the deadline");
		string_list_release(&run);
		return;
	}
	known = agent_queue_find(&agent->queue, id);
	known->error = decision.error;
	known->run = run;
	known->domain = agent->incident.domain;
	known->kill_limit = decision.kill_limit;
	known->kill_window_ms = decision.kill_window_ms;
	strcpy(known->policy, agent->incident.policy);
}

static int resync(struct agent *agent)
{
	struct incidents incidents;
	size_t i;

	agent->resync = false;
	if (ipc_incident_dump(agent->ipc, &incidents))
		return report_ipc(agent->ctx, agent->ipc, "list the incidents");
	agent_queue_begin_sync(&agent->queue);
	for (i = 0; i < incidents.n; i++)
		if (incidents.v[i].resolved_by == SELFHEAL_RESOLVED_BY_NOBODY)
			take_incident(agent, incidents.v[i].id);
	agent_queue_end_sync(&agent->queue);
	incidents_release(&incidents);
	return 0;
}

static void on_event(void *arg, const struct event *event)
{
	struct agent *agent = arg;

	if (agent->seq && event->seq > agent->seq + 1)
		agent->resync = true;
	agent->seq = event->seq;
	if (event->type == SELFHEAL_EVENT_TYPE_INCIDENT_OPEN)
		take_incident(agent, event->incident);
	else if (event->type == SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED)
		agent_queue_remove(&agent->queue, event->incident);
}

/* What the signalfd has: true for the end of the agent. */
static bool ends(struct agent *agent, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo == SIGCHLD) {
		reap_commands(agent);
		return false;
	}
	log_line(agent, LOG_PRIO_INFO, "agent stopped by a signal");
	return true;
}

/* Answers until a signal; with once, until nothing is left to answer. */
static int serve(struct agent *agent, int signals, bool once)
{
	struct pollfd fds[] = {
		{ .fd = ipc_event_fd(agent->ipc), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int err, code = resync(agent);

	while (!code) {
		answer_due(agent);
		if (once && !agent_queue_next(&agent->queue))
			return EXIT_OK;
		if (poll(fds, 2, agent_queue_timeout(&agent->queue, now_ms())) < 0 && errno != EINTR)
			return report(agent->ctx, EXIT_FAILED, "cannot wait for events: %s",
				      strerror(errno));
		if (fds[1].revents && ends(agent, signals))
			return EXIT_OK;
		err = ipc_event_read(agent->ipc, on_event, agent);
		if (err == -ENODEV)
			return report(agent->ctx, EXIT_MODULE, "the module selfheal was unloaded");
		if (err && err != -ENOBUFS)
			return report(agent->ctx, EXIT_FAILED, "cannot receive events: %s",
				      strerror(-err));
		if (err == -ENOBUFS || agent->resync) {
			log_line(agent, LOG_PRIO_WARNING, "events were lost; reading the incidents anew");
			code = resync(agent);
		}
	}
	return code;
}

static int run_agent(struct agent *agent)
{
	sigset_t mask;
	int signals, code;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return report(agent->ctx, EXIT_FAILED, "cannot open a signalfd: %s", strerror(errno));
	/* Subscribed before the list is read, so that nothing falls between. */
	if (ipc_subscribe(agent->ipc))
		code = report_ipc(agent->ctx, agent->ipc, "follow the events");
	else if (ipc_agent_register(agent->ipc))
		code = report_ipc(agent->ctx, agent->ipc, "register as the agent");
	else
		code = serve(agent, signals, args_option(agent->ctx, "--once"));
	close(signals);
	return code;
}

int cmd_agent(struct ctx *ctx)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int code;

	if (!agent)
		return report(ctx, EXIT_FAILED, "out of memory");
	agent->ctx = ctx;
	agent->journal = stderr_is_journal();
	agent->cores = args_option(ctx, "--cores") ? args_option(ctx, "--cores") : CORE_DIRECTORY;
	code = connect_module(ctx, &agent->ipc);
	if (!code)
		code = run_agent(agent);
	ipc_close(agent->ipc);
	agent_queue_release(&agent->queue);
	damp_release(&agent->damp);
	free(agent);
	return code;
}
