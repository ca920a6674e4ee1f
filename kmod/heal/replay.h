/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Input that a rollback gives back. A thread goes back to the entry of the
 * call that it waited in, and makes it again; what that call has taken in
 * since is kept (domain/record.h), and it gets it again, or the same
 * connection. So nothing is put back into sockets and pipes: nobody but this
 * thread has known of it.
 */
#ifndef SELFHEAL_HEAL_REPLAY_H
#define SELFHEAL_HEAL_REPLAY_H

#include <linux/types.h>

struct file;
struct iov_iter;
struct kiocb;
struct msghdr;
struct pt_regs;
struct sh_member;
struct sh_point;
struct socket;

/*
 * Taps: current @m, referenced, is about to receive. True: it has, with *@ret, by a
 * copy of ours; *@ret of the first is not 0. Process context, may sleep.
 */
bool sh_replay_recv(struct sh_member *m, struct socket *sock, struct msghdr *msg, int size,
		    int flags, ssize_t *ret);
bool sh_replay_read(struct sh_member *m, struct kiocb *iocb, struct iov_iter *to, ssize_t *ret);

/*
 * Current @m is at the entry of a call that waits and has its point, or none: what
 * its last wait had taken is of no use any more, unless this is that call
 * again. Runs what is to be closed. Process context without locks, may sleep.
 */
void sh_replay_wait(struct sh_member *m, const struct pt_regs *regs);

/*
 * The same, about to make that call. True: it is an accept that is made again,
 * and regs->ax is its result.
 */
bool sh_replay_enter(struct sh_member *m, struct pt_regs *regs);

/*
 * The threads of @back are inside no call any more, and one of them, current,
 * decides for each that is not marked as poisoned: it gets its input back, or
 * is poisoned with the others, when none is that a sensor saw and that has input.
 * Before the table of @back is put back. Process context without locks, may sleep.
 */
void sh_replay_plan(const struct sh_point *back);

#endif /* SELFHEAL_HEAL_REPLAY_H */
