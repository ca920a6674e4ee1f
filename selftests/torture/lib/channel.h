/* SPDX-License-Identifier: GPL-2.0 */
/* One way into a process and one out of it, with the client at the other ends. */
#ifndef TORTURE_CHANNEL_H
#define TORTURE_CHANNEL_H

#include "draw.h"
#include "stream.h"
#include "wire.h"

struct channel {
	uint32_t number;		/* in the whole run */
	struct pair request, reply;	/* the member has request.rx and reply.tx */
	bool stream, narrow, ended;
	/* The request that is out. */
	bool busy, attack;
	uint32_t id, expected, got;
	int64_t sent, next;		/* ms: when it went, when the next one is to go */
	/* When all that had arrived had been read. */
	uint64_t dry;
	size_t have;
	uint8_t buf[65536];
};

/* 0 or -errno. The member's ends are to be closed once it has them. */
int channel_open(struct channel *ch, struct draw *d);
void channel_close_theirs(struct channel *ch);
void channel_close(struct channel *ch);
/* Ask for so many records; -errno. */
int channel_ask(struct channel *ch, struct draw *d, enum wire_op op, int64_t now);
/* Read what is there to the history. False when there is nothing. */
bool channel_read(struct channel *ch);

#endif
