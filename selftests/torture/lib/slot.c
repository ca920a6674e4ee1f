// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "child.h"
#include "history.h"
#include "nl_domain.h"
#include "nl_incident.h"
#include "plan.h"
#include "proc.h"
#include "slot.h"

#define MEMBER		"/opt/selfheal/selftests/torture/member"
#define CGROUP		"/sys/fs/cgroup/selfheal.torture/cgroup.procs"
#define BOUND		slow_ms(60000)
#define ANSWER_MS	slow_ms(3000)	/* then the request is given up for lost */
#define DEATH_MS	slow_ms(8000)	/* that one process outlives another: then it is ended by us */
#define ATTACK_PERCENT	4

struct slot {
	unsigned int index;
	struct draw draw;
	struct nlc c;
	/* The generation that lives. */
	struct wire_shared *shared;
	int memfd;
	unsigned int processes, channels;
	struct channel *channel;	/* of process 0, then of 1, ... */
	int pidfd[WIRE_PROCESSES];
	bool dead[WIRE_PROCESSES];
	int64_t first_death;
	int plan;
	uint64_t domain;
};

static unsigned int channels_of(const struct slot *s)
{
	return s->processes * s->channels;
}

static int open_memory(struct slot *s)
{
	s->memfd = memfd_create("torture", MFD_CLOEXEC);
	if (s->memfd < 0 || ftruncate(s->memfd, sizeof(*s->shared)))
		return -errno;
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED, s->memfd, 0);
	return s->shared == MAP_FAILED ? -errno : 0;
}

static int start_member(struct slot *s)
{
	char *argv[] = { MEMBER, NULL };
	int fds[1 + 2 * WIRE_PROCESSES * WIRE_CHANNELS];
	unsigned int i;
	pid_t pid;

	fds[0] = s->memfd;
	for (i = 0; i < channels_of(s); i++) {
		fds[1 + 2 * i] = s->channel[i].request.rx;
		fds[2 + 2 * i] = s->channel[i].reply.tx;
	}
	pid = launch(argv, fds, 1 + 2 * channels_of(s), false);
	for (i = 0; i < channels_of(s); i++)
		channel_close_theirs(&s->channel[i]);
	return pid;
}

/* All have said that they are there, and how to know of their ends. */
static bool wait_ready(struct slot *s, pid_t leader)
{
	int64_t end = now_ms() + BOUND;
	unsigned int i;

	while (atomic_load(&s->shared->ready) < s->processes * s->shared->threads) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	for (i = 0; i < s->processes; i++) {
		s->pidfd[i] = pidfd_of(s->shared->log[i].pid);
		if (s->pidfd[i] < 0)
			return false;
	}
	return s->shared->log[0].pid == (uint32_t)leader;
}

static pid_t begin(struct slot *s)
{
	static _Atomic uint32_t number;
	unsigned int i, k;
	pid_t pid;
	int err;

	s->processes = draw_range(&s->draw, 1, WIRE_PROCESSES);
	s->channels = draw_range(&s->draw, 1, WIRE_CHANNELS);
	s->first_death = 0;
	s->domain = 0;
	memset(s->dead, 0, sizeof(s->dead));
	memset(s->pidfd, 0, sizeof(s->pidfd));
	err = open_memory(s);
	for (i = 0; !err && i < channels_of(s); i++)
		err = channel_open(&s->channel[i], &s->draw);
	if (err)
		return err;
	s->shared->processes = s->processes;
	s->shared->channels = s->channels;
	s->shared->threads = s->channels >= WIRE_THREADS ? draw_range(&s->draw, 1, WIRE_THREADS) : 1;
	for (i = 0; i < s->processes; i++) {
		s->shared->log[i].number = atomic_fetch_add(&number, 1) + 1;
		for (k = 0; k < s->channels; k++)
			s->shared->number[i][k] = s->channel[i * s->channels + k].number;
	}
	pid = start_member(s);
	if (pid > 0 && !wait_ready(s, pid))
		return -ETIMEDOUT;
	return pid;
}

/* In a memory cgroup that is short of memory now and then. */
static void confine(struct slot *s)
{
	char text[16];
	unsigned int i;

	for (i = 0; i < s->processes; i++) {
		snprintf(text, sizeof(text), "%u", s->shared->log[i].pid);
		write_file(CGROUP, text);
	}
}

static int enrol_by_netlink(struct slot *s)
{
	return domain_new(&s->c, plans[s->plan].name, s->pidfd[0], true, &s->domain);
}

static int enrol_by_healctl(struct slot *s)
{
	char pid[16];
	char *argv[] = { "healctl", "domain", "add", pid, "--policy",
			 (char *)plans[s->plan].name, "--tree", NULL };
	int err;

	snprintf(pid, sizeof(pid), "%u", s->shared->log[0].pid);
	err = launch_wait(argv);
	if (err)
		return -ENOENT;
	/* Idle until they are told to go, so that nothing can have ended it yet. */
	s->domain = domain_of(&s->c, s->shared->log[0].pid);
	return s->domain ? 0 : -ESRCH;
}

/* The policy may be unloaded at any moment: once more, with it loaded again. */
static int enrol(struct slot *s)
{
	struct history_ask ask = { .what = "new", .controller = ASKER_SLOT + s->index };
	bool by_healctl = draw_chance(&s->draw, 15);
	unsigned int i, tries = 20;
	int err;

	s->plan = draw_below(&s->draw, PLANS);
	do {
		ask.t = wire_now();
		err = by_healctl ? enrol_by_healctl(s) : enrol_by_netlink(s);
		ask.err = err;
		ask.domain = s->domain;
		history_ask(&ask);
		if (err == -ENOENT)
			plan_load(&s->c, s->plan, &s->draw);
		else if (err)
			pause_ms(10);
	} while (err && --tries);
	if (err)
		return err;
	history("domain t=%" PRIu64 " domain=%" PRIu64 " policy=%s fallback=%d agent=%d senses=%d",
		ask.t, s->domain, plans[s->plan].name, plans[s->plan].fallback,
		plans[s->plan].answers == BY_AGENT, plans[s->plan].senses);
	for (i = 0; i < s->processes; i++)
		history("process process=%u domain=%" PRIu64 " pid=%u threads=%u",
			s->shared->log[i].number, s->domain, s->shared->log[i].pid,
			s->shared->threads);
	return 0;
}

static void look_for_deaths(struct slot *s)
{
	unsigned int i;

	for (i = 0; i < s->processes; i++) {
		struct pollfd pfd = { .fd = s->pidfd[i], .events = POLLIN };

		if (s->dead[i] || poll(&pfd, 1, 0) != 1)
			continue;
		s->dead[i] = true;
		history("gone t=%" PRIu64 " process=%u", wire_now(), s->shared->log[i].number);
		if (!s->first_death)
			s->first_death = now_ms();
	}
}

static bool all_dead(const struct slot *s)
{
	unsigned int i;

	for (i = 0; i < s->processes; i++) {
		if (!s->dead[i])
			return false;
	}
	return true;
}

static bool full(const struct slot *s)
{
	unsigned int i;

	for (i = 0; i < s->processes; i++) {
		if (atomic_load(&s->shared->log[i].serial) > WIRE_ENTRIES - 64)
			return true;
	}
	return false;
}

static void ask_one(struct slot *s, struct channel *ch, int64_t now)
{
	enum wire_op op = WIRE_SERVE;

	if (ch->busy && now - ch->sent > ANSWER_MS) {
		count(T_LATE, !ch->attack);
		ch->busy = false;
		ch->next = now;
	}
	if (ch->busy || ch->ended || now < ch->next || s->first_death)
		return;
	if (plans[s->plan].senses && s->domain && !atomic_load(&torture.calm) &&
	    draw_chance(&s->draw, ATTACK_PERCENT))
		op = WIRE_SEGV + draw_below(&s->draw, 3);
	if (!channel_ask(ch, &s->draw, op, now)) {
		count(T_ASKED, 1);
		count(T_ATTACKS, op != WIRE_SERVE);
	}
	ch->next = now + draw_below(&s->draw, slow_ms(60));
}

/* One look at everything; waits a few milliseconds when nothing has come. */
static void step(struct slot *s)
{
	struct pollfd pfd[WIRE_PROCESSES * WIRE_CHANNELS];
	unsigned int i, nr = channels_of(s);
	int64_t now = now_ms();

	for (i = 0; i < nr; i++) {
		while (channel_read(&s->channel[i]))
			;
		ask_one(s, &s->channel[i], now);
		pfd[i].fd = s->channel[i].ended ? -1 : s->channel[i].reply.rx;
		pfd[i].events = POLLIN;
	}
	poll(pfd, nr, 5);
	look_for_deaths(s);
}

static void serve(struct slot *s)
{
	int64_t end = now_ms() + slow_ms(draw_range(&s->draw, 3000, 25000));

	while (now_ms() < end && !s->first_death && !full(s) && !atomic_load(&torture.calm))
		step(s);
	/* What ended one ends the others, or did not have to. */
	while (s->first_death && !all_dead(s) && now_ms() < s->first_death + DEATH_MS)
		step(s);
}

static void kill_processes(struct slot *s)
{
	unsigned int i;

	history("end t=%" PRIu64 " domain=%" PRIu64, wire_now(), s->domain);
	for (i = 0; i < s->processes; i++) {
		if (s->pidfd[i] > 0)
			syscall(SYS_pidfd_send_signal, s->pidfd[i], SIGKILL, NULL, 0);
	}
}

static void dissolve(struct slot *s)
{
	struct history_ask ask = { .what = "dissolve", .controller = ASKER_SLOT + s->index,
				   .t = wire_now(), .domain = s->domain };

	ask.err = domain_dissolve(&s->c, s->domain);
	history_ask(&ask);
}

static void freeze_and_kill(struct slot *s)
{
	struct history_ask ask = { .what = "freeze", .controller = ASKER_SLOT + s->index,
				   .t = wire_now(), .domain = s->domain };

	ask.err = domain_freeze(&s->c, s->domain, &ask.incident);
	history_ask(&ask);
	if (ask.err)
		return;
	ask.what = "verdict";
	ask.t = wire_now();
	ask.verdict = SELFHEAL_VERDICT_KILL;
	ask.err = incident_verdict(&s->c, ask.incident, ask.verdict);
	history_ask(&ask);
}

static bool gone(struct slot *s)
{
	struct domain d;

	return !s->domain || domain_get(&s->c, s->domain, &d) == -ENOENT;
}

/* The end that has not come by itself; then wait for it. */
static void finish(struct slot *s)
{
	int64_t end = now_ms() + BOUND;
	uint32_t how = draw_below(&s->draw, 3);

	if (!all_dead(s) && s->domain && how == 0)
		dissolve(s);
	else if (!all_dead(s) && s->domain && how == 1)
		freeze_and_kill(s);
	if (how == 1) {
		int64_t until = now_ms() + DEATH_MS;

		while (!all_dead(s) && now_ms() < until)
			step(s);
	}
	if (!all_dead(s))
		kill_processes(s);
	while ((!all_dead(s) || !gone(s)) && now_ms() < end)
		step(s);
	if (!all_dead(s) || !gone(s))
		history("stuck t=%" PRIu64 " domain=%" PRIu64 " dead=%d", wire_now(), s->domain,
			all_dead(s));
}

/* What has come before the last look at a domain that is gone has come for good. */
static void drain(struct slot *s)
{
	int64_t end = now_ms() + slow_ms(2000);
	unsigned int i;
	bool open;

	do {
		open = false;
		for (i = 0; i < channels_of(s); i++) {
			while (channel_read(&s->channel[i]))
				;
			/* Only streams have an end. */
			open |= s->channel[i].stream && !s->channel[i].ended;
		}
		if (open)
			pause_ms(1);
	} while (open && now_ms() < end);
	history("drained t=%" PRIu64 " domain=%" PRIu64 " open=%d", wire_now(), s->domain, open);
}

static void tell_log(struct slot *s)
{
	unsigned int i, k, nr;

	for (i = 0; i < s->processes; i++) {
		const struct wire_log *log = &s->shared->log[i];

		nr = log->serial;
		for (k = 0; k < nr; k++) {
			const struct wire_entry *e = &log->entry[k];

			history("sent process=%u serial=%u counter=%u channel=%u attack=%u made=%" PRIu64
				" wait=%" PRIu64 " done=%" PRIu64 " thread=%u result=%d", log->number,
				k + 1, e->counter, e->channel, e->attack, e->made, e->wait, e->done,
				e->thread, e->result);
		}
	}
}

/* Those of a leader that is gone are children of ours, see main(). */
static void reap(struct slot *s, pid_t leader)
{
	unsigned int i;

	if (leader > 0)
		waitpid(leader, NULL, all_dead(s) ? 0 : WNOHANG);
	for (i = 1; i < s->processes; i++) {
		if (s->dead[i])
			waitpid(s->shared->log[i].pid, NULL, WNOHANG);
	}
}

static void clear(struct slot *s, pid_t leader)
{
	unsigned int i;

	reap(s, leader);
	for (i = 0; i < s->processes; i++) {
		if (s->pidfd[i] > 0)
			close(s->pidfd[i]);
	}
	for (i = 0; i < channels_of(s); i++)
		channel_close(&s->channel[i]);
	if (s->shared && s->shared != MAP_FAILED)
		munmap(s->shared, sizeof(*s->shared));
	s->shared = NULL;
	close(s->memfd);
}

static void generation(struct slot *s)
{
	pid_t pid = begin(s);
	int err = pid;

	if (pid > 0) {
		confine(s);
		err = enrol(s);
		if (err) {
			history("failed t=%" PRIu64 " err=%d", wire_now(), err);
		} else {
			count(T_DOMAINS, 1);
			atomic_store(&torture.domain[s->index], s->domain);
			atomic_store(&s->shared->go, 1);
			serve(s);
			atomic_store(&torture.domain[s->index], 0);
		}
		finish(s);
		drain(s);
		tell_log(s);
	} else {
		history("failed t=%" PRIu64 " err=%d", wire_now(), err);
		if (s->shared && s->shared != MAP_FAILED)
			kill_processes(s);
	}
	clear(s, pid);
}

void *slot_run(void *arg)
{
	struct slot *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->index = (unsigned long)arg;
	s->channel = calloc(WIRE_PROCESSES * WIRE_CHANNELS, sizeof(*s->channel));
	if (!s->channel)
		abort();
	draw_seed(&s->draw, torture.seed, ASKER_SLOT + s->index);
	must_connect(&s->c);
	while (!atomic_load(&torture.calm))
		generation(s);
	nlc_close(&s->c);
	free(s->channel);
	free(s);
	return NULL;
}
