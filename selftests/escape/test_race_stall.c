// SPDX-License-Identifier: GPL-2.0
/*
 * What a call reads from memory, stalled in the midst of it by userfaultfd or by a FUSE mount.
 * The stall holds the call between its beginning and the end of its copy for as long as we like:
 * one try is what a flipper has to be lucky for thousands of times, so some dozens are enough.
 * In the window, by turns:
 *
 *	what has been read already is rewritten, and the descriptor replaced
 *	the domain freezes, and the call goes on while it is frozen
 *	both; and at the last the domain is killed
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "race.h"
#include "stall_object.h"

#define HALF 64
#define GO_ATTEMPT(k) (10 + (k))
/* page->value: what the sibling is asked for, has done, and what the attempt gave. */
#define ASKED 0
#define DONE 1
#define GAVE 2

struct way {
	enum stall_kind kind;
	const struct stall_object *object;
	enum channel_kind channel;
};

static struct stall stall;

static const struct way *way(const struct race *x)
{
	return x->how->data;
}

static int open_names(struct race *x)
{
	socklen_t len = sizeof(struct sockaddr_in);
	int i;

	for (i = 0; i < 2; i++) {
		if (getsockname(x->rx[i], (struct sockaddr *)&stall_aside(x)->name[i], &len))
			return -errno;
	}
	return 0;
}

static int open_way(struct race *x)
{
	const struct way *w = way(x);
	char plain[80], zero[80], one[80];
	int err = stall_open(&stall, w->kind, x->dir), i;

	x->priv = &stall;
	for (i = 0; i < 2 && !err; i++)
		err = race_pair(x, i, w->channel);
	if (err)
		return err;
	memset(stall_aside(x)->buf[0], 'a', sizeof(stall_aside(x)->buf[0]));
	memset(stall_aside(x)->buf[1], 'b', sizeof(stall_aside(x)->buf[1]));
	if (w->channel == CH_UDP)
		err = open_names(x);
	x->fd[0] = memfd_create("passed", MFD_CLOEXEC);
	if (pwrite(x->fd[0], stall_aside(x)->buf[0], 2 * HALF, 0) < 0)
		return -errno;
	snprintf(plain, sizeof(plain), "%s/plain", x->dir);
	snprintf(zero, sizeof(zero), "%s/0", x->dir);
	snprintf(one, sizeof(one), "%s/1", x->dir);
	close(open(plain, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (symlink(plain, zero) || symlink("/dev/kmsg", one))
		return -errno;
	return err;
}

static void close_way(struct race *x)
{
	(void)x;
	stall_close(&stall);
}

/* Replaces the descriptor whenever it is asked to. */
static void *sibling(void *arg)
{
	struct race *x = arg;
	struct page *page = x->r.kid.page;
	int64_t seen = 0;

	for (;;) {
		while (page->value[ASKED] == seen)
			pause_ms(1);
		seen = page->value[ASKED];
		if (seen % 3)
			dup2(x->tx[1], STALL_FD);
		else
			close(STALL_FD);
		page->value[DONE] = seen;
	}
	return NULL;
}

static void worker(struct page *page, void *arg)
{
	struct race *x = arg;
	const struct stall_object *o = way(x)->object;
	pthread_t t;
	unsigned int k;

	x->r.kid.page = page;
	if (stall_prepare(&stall))
		_exit(3);
	page_step(page, 1);
	page_block(page, 2);
	pthread_create(&t, NULL, sibling, x);
	for (k = 0;; k++) {
		page_block(page, GO_ATTEMPT(k));
		dup2(x->tx[0], STALL_FD);
		if (stall_arm(&stall, k))
			_exit(4);
		page->value[GAVE] = o->call(x, stall_place(x, o));
		page_step(page, GO_ATTEMPT(k));
	}
}

static bool prepared(void *arg)
{
	return page_wait(arg, 1, 0);
}

static int ready(struct race *x)
{
	page_go(x->r.kid.page, 1);
	return stall_serve(&stall, prepared, x->r.kid.page) ? 0 : -ETIMEDOUT;
}

/* Begin attempt k, and wait until it stands still. */
static bool begin(struct race *x, unsigned int k)
{
	const struct stall_object *o = way(x)->object;
	char whole[256] = "";

	o->compose(x, whole);
	memcpy(stall_place(x, o), whole, o->split);
	memset(stall.next, 0, sizeof(stall.next));
	memcpy(stall.next, whole + o->split, o->size - o->split);
	page_go(x->r.kid.page, GO_ATTEMPT(k));
	if (!stall_wait(&stall))
		return race_fail(x, "attempt %u does not stall: step %u, gave %lld, state %c, call %ld",
				 k, x->r.kid.page->step, (long long)x->r.kid.page->value[GAVE],
				 proc_state(x->r.kid.pid, x->r.kid.pid) ?: '-',
				 proc_syscall(x->r.kid.pid, x->r.kid.pid));
	/* In the call, that is: the control of this program. */
	return proc_wait_syscall(x->r.kid.pid, x->r.kid.pid, o->nr, BOUND) ||
	       race_fail(x, "attempt %u stalls in call %ld", k,
			 proc_syscall(x->r.kid.pid, x->r.kid.pid));
}

static void swap_places(struct race *x)
{
	char zero[80], one[80];

	snprintf(zero, sizeof(zero), "%s/0", x->dir);
	snprintf(one, sizeof(one), "%s/1", x->dir);
	syscall(SYS_renameat2, AT_FDCWD, zero, AT_FDCWD, one, RENAME_EXCHANGE);
}

/* Rewrite what the call has read, or could read again. */
static void flip(struct race *x, unsigned int k)
{
	const struct stall_object *o = way(x)->object;
	struct stall_aside *a = stall_aside(x);

	memset(stall_place(x, o), k & 1 ? 0 : 'X', o->split);
	memset(a->buf[0], 'x', sizeof(a->buf[0]));
	a->iov[0].iov_len = 200;
	a->msg.msg_name = k & 1 ? &a->name[1] : NULL;
	a->msg.msg_iovlen = 1;
	if (o == &stall_path)
		swap_places(x);
	x->r.kid.page->count[RACE_FLIPS]++;
}

static bool swap_descriptor(struct race *x, unsigned int k)
{
	struct page *page = x->r.kid.page;
	int64_t end = now_ms() + BOUND;

	page->value[ASKED] = k + 1;
	while (page->value[DONE] != (int64_t)k + 1) {
		if (now_ms() > end)
			return race_fail(x, "the sibling does not replace the descriptor");
		pause_ms(1);
	}
	return true;
}

/* The call is over; what it took is what it said, and is held. */
static bool over(struct race *x, uint64_t *said, uint64_t before)
{
	struct page *page = x->r.kid.page;
	struct domain d;

	if (!page_wait(page, page->go, BOUND))
		return race_fail(x, "the call does not end");
	page->count[RACE_DONE]++;
	if (page->value[GAVE] < 0)
		page->count[RACE_ERRORS]++;
	else
		*said += page->value[GAVE];
	if (domain_get(&x->r.c, x->r.dom, &d))
		return race_fail(x, "the domain has gone");
	if (way(x)->object != &stall_many && d.held_total != *said)
		return race_escape(x, "%llu bytes were reported and %llu held",
				   (unsigned long long)*said, (unsigned long long)d.held_total);
	if (page->count[STALL_GAINED])
		return race_escape(x, "a device was opened");
	return race_silent(x, before);
}

/* Both threads stand at their boundary: the call has gone on as far as it could. */
static bool frozen_amid(struct race *x, unsigned int k, uint64_t *said, uint64_t *before)
{
	struct domain d;
	uint64_t id;

	if (!race_freeze(x, &id))
		return false;
	if (k & 1)
		flip(x, k);
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	if (!domain_wait_parked(&x->r.c, x->r.dom, 2, BOUND))
		return race_fail(x, "the call does not end while frozen");
	return race_release(x, id, before, &d) && over(x, said, *before);
}

static bool attempt(struct race *x, unsigned int k, uint64_t *said, uint64_t *before)
{
	if (!begin(x, k))
		return false;
	if (k % 3 == 2)
		return frozen_amid(x, k / 3, said, before);
	flip(x, k);
	if (k % 3 && !swap_descriptor(x, k))
		return false;
	if (!race_silent(x, *before))
		return false;
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	return over(x, said, *before);
}

static bool killed_amid(struct race *x, unsigned int k, uint64_t before)
{
	uint64_t id;

	if (!begin(x, k) || !race_freeze(x, &id))
		return false;
	if (incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_KILL))
		return race_fail(x, "the kill");
	stall_resolve(&stall);
	if (!child_signaled(&x->r.kid, BOUND, SIGKILL) ||
	    !domain_wait(&x->r.c, x->r.dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND))
		return race_fail(x, "the member does not die");
	return race_silent(x, before);
}

static bool drive(struct race *x)
{
	uint64_t said = 0, before = 0;
	struct domain d;
	uint64_t id;
	unsigned int k;

	for (k = 0; k < x->tries; k++) {
		if (!attempt(x, k, &said, &before))
			goto out;
	}
	if (race_freeze(x, &id) && race_release(x, id, &before, &d))
		killed_amid(x, k, before);
out:
	stall_abort(&stall);
	return !x->failed && !x->escaped;
}

#define STALLED(kind_, prefix_, object_, channel_, name_, text_, drops_)		\
	{ .row = prefix_ name_, .channel = text_, .open = open_way, .close = close_way,	\
	  .worker = worker, .ready = ready, .drive = drive, .content = true,		\
	  .flippers = BY_THREAD, .divide = 1000, .note = NOTE, .drops = drops_,	\
	  .data = &(const struct way){ kind_, &stall_##object_, channel_ } }

/* Up to @size bytes from the object, once there are any. */
static ssize_t arrive(struct race *x, void *buf, size_t size)
{
	return rx_ready(x->rx[0], BOUND) ? read(x->rx[0], buf, size) : 0;
}

/* In it, and what follows: the control of the driver, since it is known that this comes. */
static bool drive_passed(struct race *x)
{
	char buf[4 * HALF];
	uint64_t id;
	ssize_t n;

	if (!begin(x, 0) || !race_freeze(x, &id))
		return false;
	x->r.kid.page->count[RACE_FLIPS]++;
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	n = arrive(x, buf, sizeof(buf));
	incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_RELEASE);
	stall_abort(&stall);
	return n == 2 * HALF ||
	       race_fail(x, "nothing comes: the row and the threat model are out of date");
}

/* A call that puts out what is not held begins again after the freeze, and gives no error. */
static bool drive_again(struct race *x)
{
	struct page *page = x->r.kid.page;
	char buf[4 * HALF];
	uint64_t id;

	if (!begin(x, 0) || !race_freeze(x, &id))
		return false;
	page->count[RACE_FLIPS]++;
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	if (!domain_wait_parked(&x->r.c, x->r.dom, 2, BOUND))
		return race_fail(x, "the call does not end while frozen");
	if (!race_silent(x, 0))
		return false;
	if (incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_RELEASE) ||
	    !page_wait(page, page->go, BOUND))
		return race_fail(x, "the call does not go on");
	stall_abort(&stall);
	if (page->value[GAVE] != 2 * HALF)
		return race_fail(x, "the call gave %lld", (long long)page->value[GAVE]);
	return arrive(x, buf, sizeof(buf)) == 2 * HALF || race_fail(x, "its bytes do not come");
}

/* What a freeze held and a full pipe keeps is not overtaken after the release. */
static bool drive_behind(struct race *x)
{
	/* What fills it, the parts of the vector, the pages. */
	static const char order[] = { 'f', 'a', 'b', 'a' };
	static const size_t due[] = { STALL_PAGE, 100, 50, 2 * HALF };
	int pid = x->r.kid.pid;
	char fill[STALL_PAGE];
	size_t n, i;
	ssize_t got;
	uint64_t id;

	memset(fill, 'f', sizeof(fill));
	if (!begin(x, 0) || !race_freeze(x, &id))
		return false;
	x->r.kid.page->count[RACE_FLIPS]++;
	if (fcntl(x->tx[0], F_SETPIPE_SZ, STALL_PAGE) < 0 ||
	    write(x->tx[0], fill, sizeof(fill)) != (ssize_t)sizeof(fill))
		return race_fail(x, "the pipe cannot be filled");
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	if (!domain_wait_parked(&x->r.c, x->r.dom, 2, BOUND))
		return race_fail(x, "the call does not end while frozen");
	if (incident_verdict(&x->r.c, id, SELFHEAL_VERDICT_RELEASE) ||
	    !proc_wait_syscall(pid, pid, SYS_sendfile, BOUND))
		return race_fail(x, "the member does not go on");
	for (i = 0; i < sizeof(order); i++) {
		for (n = 0; n < due[i]; n += got) {
			got = arrive(x, fill, due[i] - n);
			if (got <= 0)
				return race_fail(x, "%zu bytes of %c come", n, order[i]);
			if (memchr(fill, order[i], got) != fill || fill[got - 1] != order[i])
				return race_fail(x, "%c comes where %c is due", fill[0], order[i]);
		}
	}
	stall_abort(&stall);
	return true;
}

#define DELAY_MS 500

/* A delay begins when the last byte has been taken, however long the call stood still before. */
static bool drive_delayed(struct race *x)
{
	int64_t begun = now_ns(), brought, end;
	char buf[4 * HALF];
	ssize_t n;

	if (!begin(x, 0))
		return false;
	while (now_ns() < begun + 2 * DELAY_MS * 1000000LL)
		pause_ms(1);
	flip(x, 0);
	brought = now_ns();
	if (stall_resolve(&stall))
		return race_fail(x, "the page cannot be brought");
	n = arrive(x, buf, sizeof(buf));
	end = now_ns();
	stall_abort(&stall);
	if (n != 2 * HALF)
		return race_fail(x, "%zd bytes came", n);
	return end - brought >= DELAY_MS * 1000000LL ||
	       race_escape(x, "it came %lld ms after it was taken, %d are due",
			   (long long)(end - brought) / 1000000, DELAY_MS);
}

static void delay(struct policy *p)
{
	/* By a delay alone the worker's timer counts, too; the wait after the call looks at once. */
	p->commit = SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY;
	p->delay_ms = DELAY_MS;
}

static void pass(struct policy *p)
{
	p->hold_pipe = SELFHEAL_CHANNEL_ACTION_PASS;
}

#define NOTE "the call stands still in the midst of its copy"
#define BOTH_OR_LESS(object_, channel_, name_, text_, drops_)				\
	STALLED(STALL_UFFD, "race.uffd.", object_, channel_, name_, text_, drops_),	\
	STALLED(STALL_FUSE, "race.fuse.", object_, channel_, name_, text_, drops_)
#define BOTH(object_, channel_, name_, text_)						\
	BOTH_OR_LESS(object_, channel_, name_, text_, false)

static const struct race_case cases[] = {
	{ .row = "race.uffd.passed", .channel = "pipe", .open = open_way, .close = close_way,
	  .worker = worker, .ready = ready, .drive = drive_passed, .policy = pass,
	  .passes = true, .flippers = BY_THREAD, .divide = ~0U,
	  .note = "a channel that passes: a call that had begun ends while frozen",
	  .data = &(const struct way){ STALL_UFFD, &stall_data, CH_PIPE } },
	{ .row = "race.uffd.again", .channel = "sendfile", .open = open_way, .close = close_way,
	  .worker = worker, .ready = ready, .drive = drive_again, .policy = pass,
	  .flippers = BY_THREAD, .divide = ~0U,
	  .note = "a channel that passes: a call that moves pages begins again after the freeze",
	  .data = &(const struct way){ STALL_UFFD, &stall_offset, CH_PIPE } },
	{ .row = "race.uffd.behind", .channel = "sendfile", .open = open_way, .close = close_way,
	  .worker = worker, .ready = ready, .drive = drive_behind, .policy = pass,
	  .flippers = BY_THREAD, .divide = ~0U,
	  .note = "a channel that passes: pages stay behind what a freeze held",
	  .data = &(const struct way){ STALL_UFFD, &stall_behind, CH_PIPE } },
	{ .row = "race.uffd.delay", .channel = "pipe", .open = open_way, .close = close_way,
	  .worker = worker, .ready = ready, .drive = drive_delayed, .policy = delay,
	  .flippers = BY_THREAD, .divide = ~0U,
	  .note = "a delay begins at the end of the copy",
	  .data = &(const struct way){ STALL_UFFD, &stall_data, CH_PIPE } },
	BOTH(data, CH_PIPE, "pipe", "pipe"),
	BOTH(data, CH_FIFO, "fifo", "FIFO"),
	BOTH(data, CH_PTY, "pty", "terminal"),
	BOTH(data, CH_TCP, "tcp", "TCP"),
	BOTH(data, CH_UDP, "udp", "UDP"),
	BOTH(data, CH_UNIX_STREAM, "unix-stream", "unix"),
	BOTH(data, CH_UNIX_DGRAM, "unix-dgram", "unix"),
	BOTH(data, CH_UNIX_SEQPACKET, "unix-seqpacket", "unix"),
	BOTH(data, CH_NETLINK, "netlink", "netlink"),
	BOTH(vector, CH_PIPE, "iovec", "pipe"),
	BOTH(header, CH_UDP, "msghdr", "UDP"),
	/* Rewritten, the address may be nobody's. */
	BOTH_OR_LESS(name, CH_UDP, "name", "UDP", true),
	BOTH(control, CH_UNIX_STREAM, "control", "SCM_RIGHTS"),
	BOTH(many, CH_UNIX_DGRAM, "sendmmsg", "unix"),
	BOTH(arguments, CH_TCP, "socketcall", "int80"),
	BOTH(request, CH_PIPE, "iocb", "aio"),
	BOTH(path, CH_PIPE, "path", "device"),
};

RACE_MAIN(cases)
