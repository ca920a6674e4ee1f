// SPDX-License-Identifier: GPL-2.0
/* One row in one phase: its pair, its member, and what became of both. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "phase.h"

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The member has the row's descriptors and no other: a refusal is about those. */
static void keep_only(const struct esc *x)
{
	int keep[ESC_FDS + 2], null = open("/dev/null", O_RDWR);
	unsigned int n = 0, i, from = 3;

	for (i = 0; i < 3; i++)
		dup2(null, i);
	if (x->tx > 2)
		keep[n++] = x->tx;
	for (i = 0; i < ESC_FDS; i++) {
		if (x->fd[i] > 2)
			keep[n++] = x->fd[i];
	}
	qsort(keep, n, sizeof(*keep), by_number);
	for (i = 0; i < n; i++) {
		if ((unsigned int)keep[i] > from)
			close_range(from, keep[i] - 1, 0);
		from = keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

static void member(struct page *page, void *arg)
{
	struct esc *x = arg;
	unsigned int i;
	int err = 0;

	keep_only(x);
	if (x->row->prepare)
		err = x->row->prepare(x);
	page->value[PREPARED] = err;
	page_step(page, 1);
	for (i = 0; !err && i < x->attempts; i++) {
		page_block(page, GO_ATTEMPT(i));
		if (page->threads)
			break;
		err = x->row->attempt(x, i);
		if (i < RESULTS)
			page->value[i] = err;
		page->count[err ? DENIALS : MADE]++;
		/* A denial is an answer; the next attempt follows it. */
		if (x->row->held == ROW_DENIED)
			err = 0;
	}
	page_step(page, 2);
	page_block(page, GO_END);
}

unsigned int esc_per(const struct esc *x)
{
	return x->row->per ? x->row->per : 1;
}

void esc_look(struct esc *x)
{
	char buf[4096];
	ssize_t n;

	if (x->row->look) {
		x->row->look(x);
		return;
	}
	while (rx_ready(x->rx, 0) && (n = read(x->rx, buf, sizeof(buf))) > 0)
		esc_take(x, buf, n);
}

bool esc_wait_seen(struct esc *x, unsigned int n, int ms)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		esc_look(x);
		if (x->seen >= n)
			return true;
		if (now_ms() >= end)
			return false;
		pause_ms(1);
	}
}

static void shut(int *fd)
{
	if (*fd > 2)
		close(*fd);
	*fd = 0;
}

static int open_pair(struct esc *x)
{
	struct pair p;
	int err = pair_open(&p, x->row->kind);

	x->rx = p.rx;
	x->tx = p.tx;
	strcpy(x->path, p.path);
	return err;
}

bool esc_start(struct esc *x, const struct row *row, unsigned int attempts, char *why, size_t size)
{
	int err, i;

	memset(x, 0, sizeof(*x));
	x->row = row;
	x->attempts = row->max && row->max < attempts ? row->max : attempts;
	err = row->open ? row->open(x) : open_pair(x);
	if (err) {
		x->skip = x->lack[0];
		x->broken = true;
		snprintf(why, size, "%s", x->skip ? x->lack : strerror(-err));
		return false;
	}
	err = child_start(&x->rig.kid, member, x);
	/* The sending ends are the member's alone. */
	shut(&x->tx);
	for (i = 0; i < ESC_FDS; i++)
		shut(&x->fd[i]);
	if (err)
		goto out;
	page_go(x->rig.kid.page, GO_PREPARE);
	if (!page_wait(x->rig.kid.page, 1, BOUND))
		err = -ETIMEDOUT;
	else
		err = x->rig.kid.page->value[PREPARED];
out:
	if (err) {
		x->broken = true;
		snprintf(why, size, "the member cannot prepare: %s", strerror(-err));
	}
	return !err;
}

int esc_enrol(struct esc *x)
{
	return domain_new(&x->rig.c, x->rig.p.name, x->rig.kid.pidfd, false, &x->rig.dom);
}

bool esc_end(struct esc *x)
{
	bool clean = true;

	if (x->rig.dom)
		clean = rig_reap(&x->rig, x->rig.dom);
	child_end(&x->rig.kid);
	if (x->row->close)
		x->row->close(x);
	shut(&x->rx);
	if (x->path[0])
		unlink(x->path);
	return clean;
}
