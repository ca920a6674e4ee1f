/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children that become members. A child and the test share one page: the child
 * counts steps up in it, the test counts permissions (go) up. Waking a futex is
 * no output and storing is no system call, so the page is a side channel that a
 * hold does not touch. child_spin() waits without a call that waits for input,
 * so that held output stays held; child_block() quiesces.
 */
#ifndef GUEST_CHILD_H
#define GUEST_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct page {
	_Atomic uint32_t step, go;
	_Atomic uint32_t started;	/* children that have made their first calls */
	_Atomic uint32_t threads;	/* for programs that count their threads in */
	_Atomic int64_t value[64];	/* results; meaning is the test's */
	_Atomic uint64_t count[128];	/* counters that must stop while frozen */
	char text[4096];
};

struct child {
	pid_t pid;
	int pidfd;
	bool reaped;
	int status;			/* wait status once reaped */
	struct page *page;
};

typedef void (*child_fn)(struct page *page, void *arg);

struct page *page_new(void);
void page_free(struct page *page);
/* Child side. */
void page_step(struct page *page, uint32_t step);
void page_spin(struct page *page, uint32_t go);
void page_block(struct page *page, uint32_t go);
/* A thread that counts itself in and wakes up every millisecond, for ever. */
void *page_come_and_go(void *page);
/* Test side. */
void page_go(struct page *page, uint32_t go);
bool page_wait(struct page *page, uint32_t step, int ms);
/* Wait for *word to differ from old; for counters. */
bool page_changed(_Atomic uint64_t *word, uint64_t old, int ms);
/* Wait for page->value[which], or page->threads, to come up to a number; true if it is that. */
bool page_value(struct page *page, int which, int64_t value, int ms);
bool page_threads(struct page *page, uint32_t threads, int ms);

/*
 * Fork; the child waits for go >= 1, runs fn and exits with 0. On return it has
 * made all calls of its own but that of the wait: a domain sees none of them.
 */
int child_start(struct child *c, child_fn fn, void *arg);
int child_start_on(struct child *c, struct page *page, child_fn fn, void *arg);
/* Wait for the end, with a bound; the wait status is in c->status. */
bool child_wait(struct child *c, int ms);
bool child_exited(struct child *c, int ms, int code);
bool child_signaled(struct child *c, int ms, int sig);
/* SIGKILL and reap; frees the page. */
void child_end(struct child *c);
int pidfd_of(pid_t pid);

#endif
