/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the family whose handling meets an injected fault. */
#ifndef GUEST_NL_INJECT_H
#define GUEST_NL_INJECT_H

#include "inject.h"
#include "nl_client.h"

struct answer {
	int err;		/* 0 or -errno: of the send, or what the kernel answered */
	bool lost;		/* no answer came: whether it was done, the state must tell */
	unsigned int parts;	/* messages of the answer */
	size_t bytes;		/* in them */
};

/*
 * Send @msg, which it frees, and take the answer, all of it; the faults of @s come
 * while the kernel works at either. True when one was injected.
 */
bool nl_inject(struct sweep *s, struct nlc *c, struct nl_msg *msg, struct answer *a);

#endif
