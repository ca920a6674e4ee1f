/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random requests to the family: most of them well-formed, with values at the
 * edges or names and ids that exist; some damaged in one place (a length, a type, the
 * end of the message), since what is damaged everywhere is refused by the first check.
 */
#ifndef FUZZ_MESSAGE_H
#define FUZZ_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_SIZE (40 * 1024)
#define MESSAGE_FDS 8

struct message {
	uint64_t random;		/* state of the generator, never 0 */
	int family;
	int fd[MESSAGE_FDS];		/* what pidfd attributes may name */
	uint64_t domains, incidents;	/* the highest ids that are known */
	/* The result. */
	uint8_t cmd;
	bool damaged;
	size_t len;
	_Alignas(8) uint8_t bytes[MESSAGE_SIZE];
};

/* The next of the sequence that the state determines. Never SELFHEAL_CMD_LOCK. */
void message_make(struct message *m);

#endif
