// SPDX-License-Identifier: GPL-2.0
/*
 * A member: serves numbered records to whoever asks on its channels, and
 * faults when it is told to. Started by nemesis with the shared log and the
 * channels as descriptors; further processes are its children. Where it has
 * two threads they share the counter and the log, under a lock that is no
 * futex: waiting for one would be a wait, which commits.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc.h"
#include "wire.h"

static struct wire_shared *shared;
static struct wire_log *own;
static unsigned int own_index;
/* What a rollback has to put back. */
static uint32_t counter;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static __thread uint32_t thread;
/* The first entry of the log whose wait has not begun, or not ended. */
static __thread uint32_t unwaited, undone;

static int input(unsigned int channel)
{
	return WIRE_FD_FIRST + 2 * (own_index * shared->channels + channel);
}

static int output(unsigned int channel)
{
	return input(channel) + 1;
}

/* A wait begins: what was sent before may leave from here on. */
static void waits(void)
{
	uint64_t now = wire_now();

	for (; unwaited < atomic_load(&own->serial); unwaited++) {
		if (own->entry[unwaited].thread == thread)
			own->entry[unwaited].wait = now;
	}
}

/* And has ended: all of that has been let go. */
static void waited(void)
{
	uint64_t now = wire_now();

	for (; undone < unwaited; undone++) {
		if (own->entry[undone].thread == thread)
			own->entry[undone].done = now;
	}
}

static void make(unsigned int channel, const struct wire_request *req)
{
	static _Alignas(8) char buf[WIRE_LENGTH_MAX];
	struct wire_record *r = (void *)buf;
	struct wire_entry *e;
	ssize_t n;

	if (atomic_load(&own->serial) == WIRE_ENTRIES)
		return;
	*r = (struct wire_record){
		.magic = WIRE_RECORD, .length = req->length, .process = own->number,
		.pid = getpid(), .serial = atomic_load(&own->serial) + 1,
		.counter = counter + 1, .request = req->id, .attack = req->op != WIRE_SERVE,
	};
	wire_fill(r);
	e = &own->entry[r->serial - 1];
	e->counter = r->counter;
	e->channel = shared->number[own_index][channel];
	e->attack = r->attack;
	e->thread = thread;
	e->made = wire_now();
	atomic_store(&own->serial, r->serial);
	n = write(output(channel), r, r->length);
	e->result = n == (ssize_t)r->length ? 1 : n < 0 ? -errno : -EMSGSIZE;
	if (e->result == 1)
		counter++;
}

static void serve(unsigned int channel)
{
	struct wire_request req;
	volatile int *volatile nowhere = NULL;
	unsigned int i;
	ssize_t n;

	waits();
	n = read(input(channel), &req, sizeof(req));
	if (n != sizeof(req) || req.magic != WIRE_REQUEST || req.length > WIRE_LENGTH_MAX ||
	    req.length < sizeof(struct wire_record)) {
		atomic_fetch_add(&own->errors, 1);
		return;
	}
	for (i = 0; i < req.records; i++) {
		while (atomic_flag_test_and_set(&lock))
			sched_yield();
		make(channel, &req);
		atomic_flag_clear(&lock);
	}
	switch (req.op) {
	case WIRE_SEGV:
		*nowhere = 1;
		break;
	case WIRE_ABRT:
		abort();
	case WIRE_ILL:
		__builtin_trap();
	}
}

/* The channels of the thread. */
static void *attend(void *arg)
{
	struct pollfd pfd[WIRE_CHANNELS];
	unsigned int channel[WIRE_CHANNELS], nr = 0, i;

	thread = (unsigned long)arg;
	for (i = thread; i < shared->channels; i += shared->threads) {
		channel[nr] = i;
		pfd[nr++] = (struct pollfd){ .fd = input(i), .events = POLLIN };
	}
	atomic_fetch_add(&shared->ready, 1);
	while (!atomic_load(&shared->go))
		pause_ms(1);
	for (;;) {
		waits();
		if (poll(pfd, nr, -1) < 0 && errno != EINTR)
			_exit(3);
		waited();
		for (i = 0; i < nr; i++) {
			/* The outside has gone, and nothing is left to read. */
			if (pfd[i].revents && !(pfd[i].revents & POLLIN))
				_exit(0);
			if (pfd[i].revents)
				serve(channel[i]);
		}
	}
}

static void run(unsigned int index)
{
	unsigned long i;
	pthread_t other;

	own_index = index;
	own = &shared->log[index];
	atomic_store(&own->pid, getpid());
	for (i = 1; i < shared->threads; i++) {
		if (pthread_create(&other, NULL, attend, (void *)i))
			_exit(2);
	}
	attend((void *)0);
}

int main(void)
{
	unsigned int i;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      WIRE_FD_SHARED, 0);
	if (shared == MAP_FAILED)
		return 2;
	for (i = 1; i < shared->processes; i++) {
		pid = fork();
		if (pid < 0)
			return 2;
		if (!pid)
			run(i);
	}
	run(0);
}
