/* SPDX-License-Identifier: GPL-2.0 */
/* What calls read from memory, to be laid across the edge of a page that is not there. */
#ifndef ESCAPE_STALL_OBJECT_H
#define ESCAPE_STALL_OBJECT_H

#include <linux/aio_abi.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "race.h"
#include "stall.h"

#define STALL_FD 200		/* the descriptor that all calls use */
#define STALL_GAINED RACE_OWN	/* page->count: devices that were opened */

/* At the beginning of the first page, which both sides share. */
struct stall_aside {
	char buf[2][256];
	struct iovec iov[2];
	struct sockaddr_in name[2];
	struct msghdr msg;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	aio_context_t context;
};

/* What call @nr reads across the edge of the pages: the first @split bytes of @size are there. */
struct stall_object {
	long nr;
	size_t size, split;
	/* Outside. x->priv is the stall. */
	void (*compose)(struct race *x, void *to);
	/* In the member: what it gave. */
	long (*call)(struct race *x, void *at);
};

extern const struct stall_object stall_data;
extern const struct stall_object stall_vector;
extern const struct stall_object stall_header;
extern const struct stall_object stall_name;
extern const struct stall_object stall_control;
extern const struct stall_object stall_many;
extern const struct stall_object stall_arguments;
extern const struct stall_object stall_request;
extern const struct stall_object stall_path;
extern const struct stall_object stall_offset;
extern const struct stall_object stall_behind;

struct stall_aside *stall_aside(const struct race *x);
/* Where the object is, and the call finds it. */
char *stall_place(const struct race *x, const struct stall_object *o);

#endif
