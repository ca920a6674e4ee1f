/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The quarantine of a domain: what its members have put out and the world has
 * not seen. Entries keep their object (socket, pipe, terminal) alive, so that
 * a close takes effect after the data, and leave object by object in order
 * of production.
 *
 * quarantine->lock protects every list and number below. An object is pumped
 * (its due entries sent) by one task at a time, its owner, without the lock.
 */
#ifndef SELFHEAL_QUARANTINE_QUARANTINE_H
#define SELFHEAL_QUARANTINE_QUARANTINE_H

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../limits.h"

struct iov_iter;
struct sh_domain;
struct sh_member;

struct sh_object {
	struct hlist_node hash;
	struct list_head entries;
	struct inode *inode;		/* kept by the entries' files */
	u64 bytes;
	u32 files;			/* file references of the entries */
	u32 users;			/* tasks about to pump it */
	u8 channel;
	bool busy;			/* being pumped */
	bool again;			/* pump once more before leaving */
	bool shut;			/* a shutdown for writing is held */
	struct list_head todo;		/* private to quiesce, under users */
};

enum sh_held_kind {
	SH_HELD_DATA,
	SH_HELD_SHUTDOWN,
};

struct sh_fds {
	int nr;
	struct file *files[];
};

struct sh_held {
	struct list_head log;		/* quarantine->log, by seq */
	struct list_head object_node;	/* object->entries */
	struct list_head member_node;	/* member->held, while not quiesced */
	struct sh_object *object;
	struct sh_domain *domain;	/* reference, once filed */
	struct file *file;		/* reference */
	const struct cred *cred;	/* the producer's */
	u64 seq;
	u64 stamp;			/* boottime ns */
	u32 len;
	u32 off;			/* bytes sent already */
	pid_t tid;
	bool quiesced;
	bool vetted;			/* a rescue point is later than it */
	bool due;			/* released: all other conditions fall away */
	u8 kind;
	int flags;			/* MSG_* of the call */
	int namelen;
	struct sockaddr_storage *name;
	u32 controllen;
	void *control;			/* control messages, kernel copy */
	struct sh_fds *fds;		/* behind SCM_RIGHTS */
	u8 data[];
};

#define SH_OBJECT_BITS	6

struct sh_quarantine {
	struct sh_domain *domain;
	spinlock_t lock;
	struct list_head log;
	DECLARE_HASHTABLE(objects, SH_OBJECT_BITS);
	u64 seq;
	u64 bytes;
	u64 reserved;			/* room of entries being copied */
	u32 entries;
	u32 sending;			/* sends under way */
	u64 total;
	u64 committed;
	u64 dropped;
	bool killed;			/* drop, never send */
	bool full;			/* an overflow was reported */
	struct list_head starved;	/* non-blocking objects that met it */
	unsigned long backoff;		/* jiffies to the next try of a full object */
	wait_queue_head_t room;
	struct delayed_work work;
	struct delayed_work rest;	/* looks for producers at rest (rest.c) */
};

struct sh_output {
	struct file *file;
	u8 channel;
	bool stream;			/* may be cut anywhere */
	bool nonblock;
	bool due;			/* only for the order: needs no condition */
	long timeo;			/* jiffies to wait for room */
	size_t space;			/* most bytes to take now */
	int flags;
	struct sockaddr_storage *name;	/* kernel memory */
	int namelen;
	const void *control;		/* kernel memory */
	size_t controllen;
	struct sh_fds *fds;		/* taken over on success */
};

/* The overflow rule is kill: the caller opens the incident. Never seen by a program. */
#define SH_HOLD_KILL	(-4095)

struct sh_quarantine *sh_quarantine_new(struct sh_domain *d);
void sh_quarantine_free(struct sh_quarantine *q);

/*
 * Hold @len bytes of @from for the current task @m (the caller holds a
 * reference on it). Bytes taken, or an errno as the object itself would give.
 * Process context, may sleep for memory, user pages, and room.
 */
ssize_t sh_quarantine_hold(struct sh_member *m, struct sh_output *o, struct iov_iter *from,
			   size_t len);

/* Hold a shutdown for writing behind what is held on @file. 0, or -ENOMEM. */
int sh_quarantine_hold_shutdown(struct sh_member *m, struct file *file, bool due);

/* Bytes held on @file's object; whether a shutdown waits there. Any context. */
u64 sh_quarantine_held_on(struct sh_quarantine *q, struct file *file, bool *shut, bool *any);

/*
 * @m, the current task with a reference, waits for input: its output is
 * vetted and goes out now where its object takes it at once. May sleep.
 */
void sh_quarantine_quiesce(struct sh_member *m);

/* @m exits: the same, from the worker. Process context. */
void sh_quarantine_member_exit(struct sh_member *m);

static inline bool sh_quarantine_idle(const struct sh_quarantine *q)
{
	return !READ_ONCE(q->entries);
}

/*
 * Wait until nothing of @channel is held, for @timeout jiffies, while the domain runs: 0,
 * -ERESTARTSYS by a signal (a freeze is one), or -ETIME. May sleep; no locks.
 */
int sh_quarantine_drained(struct sh_quarantine *q, enum selfheal_channel channel,
			  unsigned long timeout);

/*
 * A send that began while the domain ran is not over. Once the state forbids
 * sends and this is false, nothing leaves. Any context, domain->lock included.
 */
bool sh_quarantine_sends(struct sh_quarantine *q);

/* Verdicts. Process context; may sleep. Bytes concerned. */
u64 sh_quarantine_release(struct sh_quarantine *q);
u64 sh_quarantine_drop(struct sh_quarantine *q);

/* What @m has put out is part of its rescue point from now on. Any context. */
void sh_quarantine_vet(struct sh_quarantine *q, struct sh_member *m);

/*
 * Take what @m has put out since its rescue point out of the log, onto @drop.
 * Any context; bytes concerned. sh_quarantine_undone() frees it, in process
 * context without locks, and tells those who wait for room.
 */
u64 sh_quarantine_undo(struct sh_quarantine *q, struct sh_member *m, struct list_head *drop);
void sh_quarantine_undone(struct sh_quarantine *q, struct list_head *drop);

/* Have the worker look at what is due now. Any context. */
void sh_quarantine_kick(struct sh_quarantine *q);

/* True when entries are left that only a verdict may commit. */
bool sh_quarantine_needs_verdict(struct sh_quarantine *q);

/* For dumps: copies the first entry with seq > @after. */
struct sh_held_info {
	u64 seq;
	u64 stamp;
	u64 object;
	u32 len;
	u32 data_len;
	pid_t tid;
	u8 channel;
	char peer[128];
};
bool sh_quarantine_next(struct sh_quarantine *q, u64 after, struct sh_held_info *info,
			void *data, size_t size);

int sh_quarantine_init(void);
void sh_quarantine_exit(void);

/* Between the files of this directory. */
void sh_held_free(struct sh_held *h);
void sh_held_unlink(struct sh_quarantine *q, struct sh_held *h);	/* lock held */
void sh_object_unuse(struct sh_quarantine *q, struct sh_object *o);	/* lock held */
struct sh_object *sh_object_find(struct sh_quarantine *q, struct inode *inode); /* lock held */
bool sh_quarantine_commits(struct sh_quarantine *q);
extern struct workqueue_struct *sh_quarantine_wq;
void sh_quarantine_work(struct work_struct *work);

/* rest.c: @q has got output that waits for its producer. Any context. */
void sh_rest_begin(struct sh_quarantine *q);
void sh_rest_work(struct work_struct *work);

/*
 * starved.c: a non-blocking writer that was told EAGAIN for want of room here
 * waits for its object to become writable, which the object may be already:
 * it must be told again when there is room. Process context.
 */
void sh_starved_add(struct sh_quarantine *q, struct file *file);
void sh_starved_wake(struct sh_quarantine *q, bool always);

/*
 * 0 when all of @h went out, -EAGAIN for later, else what the object said. @more: the next entry of
 * the object follows at once.
 */
int sh_socket_send(struct sh_held *h, bool more);
int sh_pipe_send(struct sh_held *h);
int sh_tty_send(struct sh_held *h);

/* SCM_RIGHTS (scm.c). */
int sh_scm_grab(const struct msghdr *msg, struct sh_fds **fds);
void sh_fds_free(struct sh_fds *fds);
int sh_scm_install(struct sh_fds *fds, void *control, size_t controllen, int *installed);
void sh_scm_uninstall(const int *installed, int nr);

#endif /* SELFHEAL_QUARANTINE_QUARANTINE_H */
