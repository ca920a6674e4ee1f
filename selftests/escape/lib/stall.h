/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory whose second page is not there: whoever reads it, the kernel in the midst of a call
 * included, stands still until we bring it. Two ways, as attackers have them:
 *
 *	STALL_UFFD	userfaultfd, made before the member is one; we have its descriptor
 *	STALL_FUSE	a page of a file of a FUSE mount, whose server we are
 *
 * The first page is memory that we share with the member, so that we can rewrite it meanwhile.
 * Both are at the same addresses in both processes, below 4 GiB.
 */
#ifndef ESCAPE_STALL_H
#define ESCAPE_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STALL_PAGE 4096

enum stall_kind { STALL_UFFD, STALL_FUSE };

struct stall {
	enum stall_kind kind;
	char *mem;		/* two pages; the first one is shared */
	char next[STALL_PAGE];	/* what the second one will have */
	bool stalled;		/* somebody waits for it */
	/* Of the sources. */
	int fd;			/* ours: the faults, or the requests */
	int pass[2];		/* brings us the member's userfaultfd */
	int file;		/* the member's: the FUSE file */
	char mount[64];
	bool mounted;
	uint64_t unique;	/* the request that is not answered yet */
	uint32_t size;
};

/* Outside, before the member is started. 0; -ENODEV when this kernel has no such thing. */
int stall_open(struct stall *s, enum stall_kind kind, const char *dir);
/* In the member, before it is one; outside, stall_serve() must run meanwhile. 0 or -errno. */
int stall_prepare(struct stall *s);
/* Outside: what prepares needs, until done() or the bound. */
bool stall_serve(struct stall *s, bool (*done)(void *), void *arg);
/* In the member: the second page is gone again. @k: how often it was before. */
int stall_arm(struct stall *s, unsigned int k);
/* Outside: wait until somebody stands still. */
bool stall_wait(struct stall *s);
/* Outside: bring the page. 0 or -errno. */
int stall_resolve(struct stall *s);
/* Outside: nobody stands still any more, whatever they get. */
void stall_abort(struct stall *s);
void stall_close(struct stall *s);

#endif
