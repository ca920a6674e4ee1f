/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Escape tests: a row is one way out of a domain. A member attempts it, a
 * receiver outside tells what came. An attempt puts out tokens, numbered from
 * 0; the receiver accepts them in order and once, anything else is wrong.
 *
 *	plain	no domain: the attempt works, or the row would prove nothing
 *	held	everything held until a verdict: nothing arrives, or it is denied
 *	release	after the verdict all of it arrives, or the program goes on
 *	kill	nothing ever arrives
 *	frozen	everything passes; frozen amid attempts nothing arrives, and
 *		after the release the rest does
 *
 * The rows of a program go through a phase side by side, each in a domain of
 * its own, so that looking out for what must not come costs its time once.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "rig.h"
#include "stream.h"

#define TOKEN 16		/* bytes of a token that is text: "escape 00000042\n" */
#define ESC_FDS 16

enum decision {
	ROW_HELD,	/* the call succeeds, its output waits in the quarantine */
	ROW_DENIED,	/* the call fails with row.error */
	ROW_REFUSED,	/* the process is not enrolled: row.error */
	ROW_PASSED,	/* goes out while the domain runs, and row.note says why */
};

struct esc;

struct row {
	const char *name;	/* unique in the table of all programs, no blanks */
	const char *channel;
	enum decision held;
	int error;		/* positive */
	const char *note;	/* for the table: what is done, or why nothing is */
	const char *race;	/* what is raced where it is neither memory nor a descriptor */
	int kind, arg;		/* of the default open(), for open() and attempt() */
	unsigned int per;	/* tokens of one attempt; 0 is 1 */
	unsigned int max;	/* attempts that one run can make; 0 is any number */
	/*
	 * Why the frozen phase runs under the policy of the held phase: the
	 * channel acts without the member once it is let through.
	 */
	const char *unfrozen;
	/*
	 * What an attempt does may come after the freeze at the latest: it halts the receiver for a
	 * moment, or another member than the one that counts it does it, and that one is frozen.
	 */
	bool halts;
	/* Each token has an object of its own, and order is kept within one only. */
	bool apart;
	/* Outside. 0; or -errno, with a reason by esc_lack() when this kernel has no such thing. */
	int (*open)(struct esc *x);	/* NULL: pair_open(kind) */
	/* In the member, before it is one. 0 or -errno. */
	int (*prepare)(struct esc *x);
	/* In the member: put out the tokens of attempt i. 0 or -errno. */
	int (*attempt)(struct esc *x, unsigned int i);
	/* Outside: take in what has come, without waiting, by esc_take() or esc_took(). */
	void (*look)(struct esc *x);	/* NULL: tokens from rx */
	/* Outside, before rx, tx and fd[] are closed. */
	void (*close)(struct esc *x);
	void (*policy)(struct policy *p, bool hold);	/* changes to the phase's policy */
};

struct esc {
	const struct row *row;
	int rx;			/* stays outside */
	int tx, fd[ESC_FDS];	/* go to the member; 0 is none */
	char path[108];		/* removed at the end */
	struct sockaddr_storage to;
	socklen_t tolen;
	unsigned int seen;	/* tokens that arrived so far */
	unsigned int first;	/* apart: the first that has not, */
	uint64_t window;	/* and those from it on that have */
	bool wrong;		/* something else did */
	char what[96];		/* the first of it */
	char lack[96];
	char rest[TOKEN];	/* half a token of a stream */
	size_t have;
	void *priv;
	int64_t number[4];	/* the row's own */
	/* The driver's. */
	struct rig rig;
	unsigned int attempts;
	bool skip, broken;
};

/* Run the rows through all phases; the exit status of the program. */
int escape_run(const struct row *rows, unsigned int n);

#define ESCAPE_MAIN(rows)						\
	int main(void)							\
	{								\
		guest_begin();						\
		return guest_end(escape_run(rows, sizeof(rows) / sizeof((rows)[0]))); \
	}

/* The text of token n; not terminated by a NUL. */
void token(char buf[TOKEN], unsigned int n);
/* Token k of attempt i. */
void esc_token(const struct esc *x, char buf[TOKEN], unsigned int i, unsigned int k);

/* Outside: bytes of tokens in order, in any pieces. */
void esc_take(struct esc *x, const void *buf, size_t n);
/* Outside: one whole message, which must be one token. */
void esc_take_message(struct esc *x, const void *buf, size_t n);
/* Outside: the effect of the next n tokens, where there is no text. */
void esc_took(struct esc *x, unsigned int n);
/* Outside: something came that is no token. */
void esc_wrong(struct esc *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In open(): this machine lacks something; returns err. */
int esc_lack(struct esc *x, int err, const char *what);
/* look() for datagrams: each message of rx is a token. */
void look_messages(struct esc *x);

#endif
