// SPDX-License-Identifier: GPL-2.0
/*
 * healctl monitor: the events, one line each. Notifications can be lost; a gap
 * in the numbers is filled from the kernel's ring of kept events, and what is
 * gone from there is said to be lost.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd.h"
#include "view.h"

struct monitor {
	struct ctx *ctx;
	struct ipc *ipc;
	uint64_t seq;		/* the last event that was printed */
	bool gap;		/* something after it has not been seen */
	int err;
};

static void print_one(struct monitor *monitor, const struct event *event)
{
	struct print *p = monitor->ctx->print;

	if (event->seq > monitor->seq + 1) {
		view_events_lost(p, monitor->seq, event->seq - monitor->seq - 1);
		monitor->err = print_flush(p);
	}
	view_event(p, event);
	if (!monitor->err)
		monitor->err = print_flush(p);
	monitor->seq = event->seq;
}

/* Prints the kept events after the last one printed. */
static int catch_up(struct monitor *monitor)
{
	struct events events;
	size_t i;

	if (ipc_event_dump(monitor->ipc, monitor->seq, &events))
		return report_ipc(monitor->ctx, monitor->ipc, "read the kept events");
	for (i = 0; i < events.n && !monitor->err; i++)
		if (events.v[i].seq > monitor->seq)
			print_one(monitor, &events.v[i]);
	events_release(&events);
	monitor->gap = false;
	return 0;
}

static void on_event(void *arg, const struct event *event)
{
	struct monitor *monitor = arg;

	if (event->seq <= monitor->seq || monitor->gap || monitor->err)
		return;
	if (event->seq > monitor->seq + 1)
		monitor->gap = true;
	else
		print_one(monitor, event);
}

static int follow(struct monitor *monitor, int signals)
{
	struct pollfd fds[] = {
		{ .fd = ipc_event_fd(monitor->ipc), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	int err, code = 0;

	while (!code && !monitor->err) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return report(monitor->ctx, EXIT_FAILED, "cannot wait for events");
		if (fds[1].revents)
			return EXIT_OK;
		err = ipc_event_read(monitor->ipc, on_event, monitor);
		if (err == -ENODEV)
			return report(monitor->ctx, EXIT_MODULE, "the module selfheal was unloaded");
		if (err && err != -ENOBUFS)
			return report(monitor->ctx, EXIT_FAILED, "cannot receive events");
		if (err == -ENOBUFS || monitor->gap)
			code = catch_up(monitor);
	}
	return code;
}

static int start(struct monitor *monitor, const char *since, bool once)
{
	struct status status;
	sigset_t mask;
	int signals, code;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (signals < 0)
		return report(monitor->ctx, EXIT_FAILED, "cannot open a signalfd");
	if (!once && ipc_subscribe(monitor->ipc)) {
		code = report_ipc(monitor->ctx, monitor->ipc, "follow the events");
	} else if (!since && !once && ipc_status(monitor->ipc, &status)) {
		code = report_ipc(monitor->ctx, monitor->ipc, "get the status");
	} else {
		if (!since && !once) {
			monitor->seq = status.event_seq;
			status_release(&status);
			code = 0;
		} else {
			code = catch_up(monitor);
		}
		if (!code && !once)
			code = follow(monitor, signals);
	}
	close(signals);
	return code;
}

int cmd_monitor(struct ctx *ctx)
{
	const char *since = args_option(ctx, "--since");
	struct monitor monitor = { .ctx = ctx };
	int code;

	if (since && !args_number(ctx, since, "an event number", INT64_MAX, &monitor.seq))
		return EXIT_USAGE;
	code = connect_module(ctx, &monitor.ipc);
	if (code)
		return code;
	code = start(&monitor, since, args_option(ctx, "--once"));
	ipc_close(monitor.ipc);
	/* A reader that went away ends the output, not the operation. */
	return code ? code : monitor.err ? EXIT_FAILED : EXIT_OK;
}
