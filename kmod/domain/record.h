/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a member's last waiting call has taken in, in the kernel's own copy. A
 * thread cannot take more than that since its rescue point: each call that
 * takes input is a wait, and with each wait there is another point or none.
 *
 * Used by the member itself alone; heal/replay.c looks at those of threads
 * that are stopped.
 */
#ifndef SELFHEAL_DOMAIN_RECORD_H
#define SELFHEAL_DOMAIN_RECORD_H

#include <linux/socket.h>
#include <linux/types.h>

#include "../limits.h"

struct file;

struct sh_record {
	u64 call;			/* by the member's count */
	const struct file *from;	/* to compare, never followed */
	u32 len;			/* of data; 0: it has taken nothing */
	bool lost;			/* and more, of which there is no copy */
	bool peeks;			/* it has looked only */

	/* To be given back: by the same call when it is made again. */
	bool pending;
	u32 off;			/* bytes of it given back already */
	u32 start;			/* and before this call */
	struct file *file;		/* reference, while it is pending */

	/* A connection accepted; kept until the next wait. */
	struct file *accepted;		/* reference, or NULL */
	bool offered;			/* the same call takes it again */

	int flags;			/* MSG_* that the call returned */
	int namelen;
	struct sockaddr_storage name;
	u32 size;			/* of the buffer */
	u8 *data;			/* owned */
};

/* Room for @size bytes, or for as many as are kept of one call. False for want of memory. May sleep. */
bool sh_record_room(struct sh_record *r, size_t size);

/*
 * @call takes from @from. False when it has done so before: of a call that
 * takes twice there is no copy of all.
 */
bool sh_record_begin(struct sh_record *r, u64 call, const struct file *from);

/* It has got @len bytes, which are in the buffer, and none that is not if @whole. */
void sh_record_got(struct sh_record *r, u32 len, bool whole);

/* All that @call has taken can be given back. */
bool sh_record_covers(const struct sh_record *r, u64 call);

/* All of that is pending, of @file, whose reference it takes over. */
void sh_record_return(struct sh_record *r, struct file *file);

/* Of what is pending the next @size bytes at the most; how many, and where. */
u32 sh_record_next(const struct sh_record *r, size_t size, const u8 **at);

/* @len bytes of it have been given to @call; of a datagram that is all. */
void sh_record_gave(struct sh_record *r, u64 call, u32 len, bool stream);

/* From here on any context. True when a file closes with it, by the work of current. */
bool sh_record_withdraw(struct sh_record *r);	/* nothing is given back */
bool sh_record_accept(struct sh_record *r, struct file *file);	/* takes it over; NULL: none */
void sh_record_free(struct sh_record *r);

#endif /* SELFHEAL_DOMAIN_RECORD_H */
