/* SPDX-License-Identifier: GPL-2.0 */
/* A domain with its real quarantine, two members, and objects that note what reaches them. */
#ifndef SELFHEAL_UNIT_FIXTURE_H
#define SELFHEAL_UNIT_FIXTURE_H

#include "counters.h"
#include "domain/domain.h"
#include "domain/member.h"
#include "domain/policy.h"
#include "quarantine/quarantine.h"
#include "shim.h"
#include "test.h"

#define MEMBERS	2
#define OBJECTS	3
#define WIRE	(1 << 18)

#define MS	1000000ull

struct object {
	struct file file;
	struct inode inode;
	struct socket socket;
	struct sock sock;
	struct pipe_inode_info pipe;
	u8 channel;
	char wire[WIRE + 1];	/* what came out */
	size_t sent;
	size_t capacity;	/* takes no more than this in all */
	int error;		/* of the next send */
	bool shut;
	unsigned int told;	/* wake-ups of its writers */
	unsigned int more;	/* sends that another one was announced behind */
};

struct fixture {
	struct sh_policy policy;
	struct sh_domain domain;
	struct sh_member member[MEMBERS];
	struct task_struct task[MEMBERS];
	struct cred cred;
	struct sh_quarantine *q;
	struct object object[OBJECTS];
	bool freeze_amid;	/* the domain freezes in the midst of the next send */
	unsigned int overflow_events;
	unsigned int task_work_runs;
};

extern struct fixture *fx;

/* Of two sockets and a pipe; commit by @commit. Set up once a test. */
void fixture_setup(u32 commit);

/* Everything that was taken has been given back. */
void fixture_teardown(void);

/* Member @m writes; flags of a stream, a datagram, and of O_NONBLOCK. */
#define STREAM		1
#define DGRAM		0
#define NONBLOCK	2
ssize_t write_len(unsigned int m, unsigned int object, const void *data, size_t len, int how);
ssize_t write_text(unsigned int m, unsigned int object, const char *text);

void set_state(enum selfheal_domain_state state);
u64 counter(enum sh_counter c);

/* The rules themselves, static in the kernel sources. */
bool rule_due(struct sh_held *h, u64 now, u64 *wait);
bool rule_reserve(size_t want, bool stream, size_t *got);
void rule_unreserve(size_t n);
u32 rule_entries_max(void);

#define CHECK_WIRE(object_, text) \
	CHECK_STR((fx->object[object_].wire[fx->object[object_].sent] = '\0', \
		   fx->object[object_].wire), text)

#endif
