// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "nl_event.h"
#include "proc.h"

struct page *page_new(void)
{
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		abort();
	return page;
}

void page_free(struct page *page)
{
	munmap(page, sizeof(*page));
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value, int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	syscall(SYS_futex, word, FUTEX_WAIT, value, ms < 0 ? NULL : &ts, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void page_step(struct page *page, uint32_t step)
{
	atomic_store(&page->step, step);
	futex_wake(&page->step);
}

void page_go(struct page *page, uint32_t go)
{
	atomic_store(&page->go, go);
	futex_wake(&page->go);
}

void page_spin(struct page *page, uint32_t go)
{
	while (atomic_load(&page->go) < go)
		sched_yield();
}

void page_block(struct page *page, uint32_t go)
{
	uint32_t now;

	while ((now = atomic_load(&page->go)) < go)
		futex_wait(&page->go, now, -1);
}

/* Of a word that only grows. */
static bool word_wait(_Atomic uint32_t *word, uint32_t least, int ms)
{
	int64_t end = now_ms() + ms, left;
	uint32_t now;

	while ((now = atomic_load(word)) < least) {
		left = end - now_ms();
		if (left <= 0)
			return false;
		futex_wait(word, now, left);
	}
	return true;
}

void *page_come_and_go(void *page)
{
	atomic_fetch_add(&((struct page *)page)->threads, 1);
	for (;;)
		pause_ms(1);
	return NULL;
}

bool page_wait(struct page *page, uint32_t step, int ms)
{
	return word_wait(&page->step, step, ms);
}

bool page_changed(_Atomic uint64_t *word, uint64_t old, int ms)
{
	int64_t end = now_ms() + ms;

	while (atomic_load(word) == old) {
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
	return true;
}

bool page_value(struct page *page, int which, int64_t value, int ms)
{
	int64_t end = now_ms() + ms;

	while (atomic_load(&page->value[which]) < value && now_ms() < end)
		pause_ms(1);
	return atomic_load(&page->value[which]) == value;
}

bool page_threads(struct page *page, uint32_t threads, int ms)
{
	int64_t end = now_ms() + ms;

	while (atomic_load(&page->threads) < threads && now_ms() < end)
		pause_ms(1);
	return atomic_load(&page->threads) == threads;
}

int pidfd_of(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

int child_start_on(struct child *c, struct page *page, child_fn fn, void *arg)
{
	uint32_t started = atomic_load(&page->started);
	pid_t parent = getpid();

	memset(c, 0, sizeof(*c));
	c->page = page;
	c->pid = fork();
	if (!c->pid) {
		/* A test that dies takes its members with it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(125);
		atomic_fetch_add(&page->started, 1);
		futex_wake(&page->started);
		page_block(page, 1);
		fn(page, arg);
		_exit(0);
	}
	if (c->pid < 0)
		return -errno;
	c->pidfd = pidfd_of(c->pid);
	if (c->pidfd < 0)
		return -errno;
	return word_wait(&page->started, started + 1, slow_ms(60000)) ? 0 : -ETIMEDOUT;
}

int child_start(struct child *c, child_fn fn, void *arg)
{
	return child_start_on(c, page_new(), fn, arg);
}

bool child_wait(struct child *c, int ms)
{
	struct pollfd pfd = { .fd = c->pidfd, .events = POLLIN };
	int64_t end = now_ms() + ms, left;

	if (c->reaped)
		return true;
	for (;;) {
		left = end - now_ms();
		if (poll(&pfd, 1, left > 0 ? left : 0) == 1)
			break;
		if (left <= 0)
			return false;
	}
	c->reaped = waitpid(c->pid, &c->status, 0) == c->pid;
	return c->reaped;
}

bool child_exited(struct child *c, int ms, int code)
{
	return child_wait(c, ms) && WIFEXITED(c->status) && WEXITSTATUS(c->status) == code;
}

bool child_signaled(struct child *c, int ms, int sig)
{
	return child_wait(c, ms) && WIFSIGNALED(c->status) && WTERMSIG(c->status) == sig;
}

void child_end(struct child *c)
{
	if (c->pid > 0 && !c->reaped) {
		kill(c->pid, SIGKILL);
		child_wait(c, slow_ms(60000));
	}
	if (c->pidfd > 0)
		close(c->pidfd);
	if (c->page)
		page_free(c->page);
	memset(c, 0, sizeof(*c));
}
