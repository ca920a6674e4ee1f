/* SPDX-License-Identifier: GPL-2.0 */
/* What sending calls read from memory, in x->shared, and flippers of each part of it. */
#ifndef ESCAPE_RACE_MEMORY_H
#define ESCAPE_RACE_MEMORY_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "race.h"

#define RACE_SOME 512	/* bytes of one attempt at most */

/* Two buffers, each of one letter, and what points to them. */
struct race_memory {
	char buf[2][RACE_SOME];
	struct iovec iov[2], other[2];
	struct msghdr msg;
	struct mmsghdr many[3];
	struct sockaddr_storage name[2];
	socklen_t namelen;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))];
};

struct race_memory *race_memory(const struct race *x);
/* Letters, vectors and the header as they are at first. */
void race_memory_init(struct race *x);
/* Mostly short, for many; some long, for a copy that takes its time. */
size_t race_length(unsigned int i);

/* The contents of the one buffer that is written. */
void flip_contents(struct race *x, unsigned int k);
/* Where msg.msg_iov leads, and how much is there. */
void flip_vector(struct race *x, unsigned int k);
/* Which vector, and how much of it. */
void flip_header(struct race *x, unsigned int k);
void flip_many(struct race *x, unsigned int k);
/* To which of the two names: by the pointer, the length, and the bytes. */
void flip_name(struct race *x, unsigned int k);

/* Attempts by tx[0]. */
long race_write(struct race *x, unsigned int i);
long race_send(struct race *x, unsigned int i);
long race_writev(struct race *x, unsigned int i);
long race_sendmsg(struct race *x, unsigned int i);
/* Tells no number of bytes. */
long race_sendmmsg(struct race *x, unsigned int i);

/* For controls, by rx[0] and tx[0]: the buffer, or the vector, was another one than before. */
bool fooled_by_contents(struct race *x, unsigned int i);
bool fooled_by_header(struct race *x, unsigned int i);

#endif
