/* SPDX-License-Identifier: GPL-2.0 */
/* What the ipc_*.c files share; ipc.h is the interface. */
#ifndef HEALCTL_IPC_PRIV_H
#define HEALCTL_IPC_PRIV_H

#include <netlink/netlink.h>

#include "decode.h"
#include "ipc.h"
#include "names.h"

struct ipc {
	struct nl_sock *request;
	struct nl_sock *events;		/* NULL until subscribed */
	int family;
	bool gone;			/* the module was unloaded */
	struct ipc_error error;
};

/* One reply to a request; a negative errno ends the request with it. */
typedef int (*ipc_reply_fn)(struct attrs attrs, void *arg);

/*
 * A dump into an array: begin() empties it, for the first and any further try,
 * reply() adds an element.
 */
struct ipc_dump {
	void (*begin)(void *arg);
	ipc_reply_fn reply;
	void *arg;
};

/* A request message of the family; NULL when out of memory. */
struct nl_msg *ipc_msg(struct ipc *ipc, uint8_t cmd, int flags, size_t size);

/*
 * Both take the message over, also when it is NULL (-ENOMEM). The attribute
 * names put a name to what the kernel's answer points at.
 */
int ipc_do(struct ipc *ipc, struct nl_msg *msg, const struct names *attrs,
	   ipc_reply_fn reply, void *arg);
int ipc_dump(struct ipc *ipc, struct nl_msg *msg, const struct names *attrs,
	     const struct ipc_dump *dump);

/* Notes an error that user space itself found. */
int ipc_fail(struct ipc *ipc, int err, const char *text);

/* Room for one more element at the end of an array, zeroed; NULL: no memory. */
void *ipc_grow(void **v, size_t *n, size_t size);

struct attrs ipc_attrs(struct nl_msg *msg);

#endif
