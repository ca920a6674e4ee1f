// SPDX-License-Identifier: GPL-2.0
/* See replay.h. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/pagemap.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/sock.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "../compat/symbols.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/record.h"
#include "point.h"
#include "replay.h"
#include "table.h"

static struct sh_record *sh_record_of(struct sh_member *m)
{
	if (!m->record)
		m->record = kzalloc(sizeof(*m->record), GFP_KERNEL_ACCOUNT);
	return m->record;
}

/* Current @m is in the one call that it waits in, and that call takes input. */
static bool sh_replay_concerns(const struct sh_member *m)
{
	return m->domain->policy->rescue && !m->receiving && m->waits == m->syscalls &&
	       !in_ia32_syscall() && sh_thread_takes_input(task_pt_regs(current)->orig_ax);
}

/* A record of what @m is about to take from @file, with room; NULL: there is none. */
static struct sh_record *sh_replay_begin(struct sh_member *m, const struct file *file, size_t size)
{
	struct sh_record *r = sh_record_of(m);

	if (!r)
		return NULL;
	/* Of another file: the call was not made again after all. */
	sh_record_withdraw(r);
	if (!sh_record_begin(r, m->syscalls, file) || !sh_record_room(r, size))
		return NULL;
	return r;
}

/* What @m gets again, if it is of @file. */
static struct sh_record *sh_replay_pending(const struct sh_member *m, const struct file *file)
{
	struct sh_record *r = m->record;

	return r && r->pending && r->file == file ? r : NULL;
}

static ssize_t sh_replay_give(struct sh_member *m, struct sh_record *r, struct iov_iter *to,
			      bool stream)
{
	const u8 *at;
	u32 len = sh_record_next(r, iov_iter_count(to), &at);
	size_t done = copy_to_iter(at, len, to);

	if (!done)
		return -EFAULT;
	sh_record_gave(r, m->syscalls, done, stream);
	return done;
}

static int sh_receive(struct sh_member *m, struct socket *sock, struct msghdr *msg, int flags)
{
	int ret;

	/* All of it again, our tap and the LSMs included. */
	m->receiving = true;
	ret = sock_recvmsg(sock, msg, flags);
	m->receiving = false;
	return ret;
}

/*
 * The next message, so that an empty one, which no tap can return, is left to
 * the kernel, and none is cut short for the size of our buffer. 0: left to the kernel.
 */
static int sh_peek_size(struct sh_member *m, struct socket *sock, const struct sh_record *r,
			int flags)
{
	struct kvec vec = { .iov_base = r->data, .iov_len = 1 };
	struct msghdr msg = { };
	int ret;

	if (READ_ONCE(sock->sk->sk_peek_off) >= 0)
		return 0;
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, vec.iov_len);
	ret = sh_receive(m, sock, &msg, (flags & ~MSG_WAITALL) | MSG_PEEK | MSG_TRUNC);
	return ret > (int)r->size ? 0 : ret;
}

/* More than is kept of one call has come on a stream: all of it, as ever, but without a copy. */
static int sh_receive_rest(struct sh_member *m, struct socket *sock, struct msghdr *msg, int flags)
{
	int ret;

	if (!(flags & MSG_WAITALL))
		flags |= MSG_DONTWAIT;
	ret = sh_receive(m, sock, msg, flags);
	/* It is told once, and what came before it goes first. */
	if (ret == -ECONNRESET || ret == -ETIMEDOUT)
		WRITE_ONCE(sock->sk->sk_err, -ret);
	return max(ret, 0);
}

static ssize_t sh_replay_message(struct sh_member *m, struct socket *sock, struct msghdr *msg,
				 int flags, struct sh_record *r)
{
	struct iov_iter to = msg->msg_iter;
	size_t size = min_t(size_t, iov_iter_count(&to), r->size);
	struct kvec vec = { .iov_base = r->data, .iov_len = size };
	size_t control = msg->msg_controllen, done;
	int ret, rest = 0;

	iov_iter_kvec(&msg->msg_iter, ITER_DEST, &vec, 1, size);
	ret = sh_receive(m, sock, msg, flags);
	msg->msg_iter = to;
	if (ret <= 0)
		return ret;
	r->flags = msg->msg_flags;
	if (msg->msg_name && msg->msg_namelen > 0) {
		r->namelen = min_t(int, msg->msg_namelen, sizeof(r->name));
		memcpy(&r->name, msg->msg_name, r->namelen);
	}
	done = copy_to_iter(r->data, ret, &msg->msg_iter);
	if (!done)
		return -EFAULT;
	if (sock->type == SOCK_STREAM && done == size && iov_iter_count(&msg->msg_iter))
		rest = sh_receive_rest(m, sock, msg, flags);
	/* Descriptors and credentials that came along do not come again. */
	sh_record_got(r, ret, !rest && msg->msg_controllen == control &&
			      !(msg->msg_flags & MSG_CTRUNC));
	return done + rest;
}

/* Sockets whose messages have no more to them than bytes, a sender and flags. */
static bool sh_replay_knows(const struct socket *sock)
{
	int family = READ_ONCE(sock->sk->sk_family);

	if (sock->type == SOCK_STREAM)
		return true;
	return family == AF_UNIX ||
	       (sock->type == SOCK_DGRAM && (family == AF_INET || family == AF_INET6));
}

bool sh_replay_recv(struct sh_member *m, struct socket *sock, struct msghdr *msg, int size,
		    int flags, ssize_t *ret)
{
	struct sh_record *r;

	if (!size || !sock->file || !sock->sk || !sh_replay_concerns(m))
		return false;
	if (flags & (MSG_PEEK | MSG_ERRQUEUE)) {
		r = sh_record_of(m);
		if (r && !r->pending && sh_record_begin(r, m->syscalls, sock->file))
			r->peeks = true;
		return false;
	}
	r = sh_replay_pending(m, sock->file);
	if (r) {
		*ret = sh_replay_give(m, r, &msg->msg_iter, sock->type == SOCK_STREAM);
		msg->msg_flags = r->flags;
		if (msg->msg_name) {
			memcpy(msg->msg_name, &r->name, r->namelen);
			msg->msg_namelen = r->namelen;
		}
		return true;
	}
	/* Nothing that cannot be told by a copy; and a bad address takes no input. */
	if (flags & (MSG_OOB | MSG_TRUNC) || !sh_replay_knows(sock) ||
	    fault_in_iov_iter_writeable(&msg->msg_iter, 1))
		return false;
	r = sh_replay_begin(m, sock->file, size);
	if (!r)
		return false;
	if (sock->type != SOCK_STREAM) {
		*ret = sh_peek_size(m, sock, r, flags);
		if (*ret <= 0)
			return *ret;
	}
	*ret = sh_replay_message(m, sock, msg, flags, r);
	/* The end of a stream is there for the kernel, too. */
	return *ret;
}

bool sh_replay_read(struct sh_member *m, struct kiocb *iocb, struct iov_iter *to, ssize_t *ret)
{
	struct file *file = iocb->ki_filp;
	struct sh_record *r;
	struct iov_iter in;
	struct kvec vec;
	size_t size, done;

	if (!iov_iter_count(to) || !sh_replay_concerns(m))
		return false;
	r = sh_replay_pending(m, file);
	if (r) {
		*ret = sh_replay_give(m, r, to, true);
		return true;
	}
	size = iov_iter_count(to);
	/* A short read would pass for the last one, and reading on might wait. */
	if (size > SH_REPLAY_MAX || fault_in_iov_iter_writeable(to, 1))
		return false;
	r = sh_replay_begin(m, file, size);
	if (!r)
		return false;
	vec.iov_base = r->data;
	vec.iov_len = size;
	iov_iter_kvec(&in, ITER_DEST, &vec, 1, size);
	m->receiving = true;
	*ret = file->f_op->read_iter(iocb, &in);
	m->receiving = false;
	if (*ret > 0) {
		sh_record_got(r, *ret, true);
		done = copy_to_iter(r->data, *ret, to);
		*ret = done ?: -EFAULT;
	}
	return true;
}

/* The call that @r is of, made again: after a rollback, or a signal's handler. */
static bool sh_replay_same(const struct sh_member *m, const struct pt_regs *regs)
{
	return m->again_nr == regs->orig_ax && m->again_ip == regs->ip && m->again_sp == regs->sp;
}

void sh_replay_wait(struct sh_member *m, const struct pt_regs *regs)
{
	struct sh_record *r = m->record;
	bool closed;

	if (!r)
		return;
	if ((r->pending || r->offered) && sh_replay_same(m, regs))
		return;
	closed = sh_record_withdraw(r);
	closed |= sh_record_accept(r, NULL);
	if (closed)
		sh_task_work_run();
}

static bool sh_accepts(int nr)
{
	return nr == __NR_accept || nr == __NR_accept4;
}

/* The address as accept(2) gives it. */
static int sh_accept_name(struct socket *sock, const struct pt_regs *regs)
{
	int __user *size = (int __user *)regs->dx;
	struct sockaddr_storage name;
	int len, room;

	if (!regs->si)
		return 0;
	len = kernel_getpeername(sock, (struct sockaddr *)&name);
	if (len < 0)
		return -ECONNABORTED;
	if (get_user(room, size))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user((void __user *)regs->si, &name, min(len, room)) || put_user(len, size))
		return -EFAULT;
	return 0;
}

/* The connection that was accepted since the point, under a new number. */
static long sh_accept_again(struct sh_record *r, const struct pt_regs *regs)
{
	int flags = regs->orig_ax == __NR_accept4 ? regs->r10 : 0;
	struct file *file = r->accepted;
	int fd, err;

	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = sh_accept_name(sock_from_file(file), regs);
	if (err) {
		put_unused_fd(fd);
		return err;
	}
	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
	spin_unlock(&file->f_lock);
	fd_install(fd, get_file(file));
	return fd;
}

bool sh_replay_enter(struct sh_member *m, struct pt_regs *regs)
{
	int nr = regs->orig_ax;
	struct sh_record *r;

	if (in_ia32_syscall() || (!sh_accepts(nr) && !sh_thread_takes_input(nr)))
		return false;
	/* To hear what it returns. */
	sh_member_kick(m);
	if (!sh_accepts(nr))
		return false;
	r = sh_record_of(m);
	if (!r || !r->offered)
		return false;
	r->offered = false;
	regs->ax = sh_accept_again(r, regs);
	if ((long)regs->ax < 0 && sh_record_accept(r, NULL))
		sh_task_work_run();
	return true;
}

static bool sh_replay_data(const struct sh_point *back, const struct sh_thread *t)
{
	struct sh_record *r = t->member->record;
	const struct sh_slot *slot;

	/* Messages after the first come past the tap. */
	if (!r || !sh_record_covers(r, t->syscalls) ||
	    (t->nr == __NR_recvmmsg && t->member->answer != 1))
		return false;
	/* Its address tells: it has been open ever since. */
	slot = sh_table_find(back->table, r->from);
	if (!slot)
		return false;
	sh_record_withdraw(r);
	sh_record_return(r, get_file(slot->file));
	return true;
}

static bool sh_replay_accepted(const struct sh_thread *t)
{
	const struct sh_member *m = t->member;

	return sh_accepts(t->nr) && m->answered == t->syscalls && m->answer >= 0 &&
	       m->record && m->record->accepted;
}

/* For one thread that no sensor saw. */
static void sh_replay_thread(const struct sh_point *back, struct sh_thread *t, bool guilty)
{
	struct sh_member *m = t->member;

	m->again_nr = t->nr;
	m->again_ip = t->regs.ip;
	m->again_sp = t->regs.sp;
	if (sh_replay_accepted(t)) {
		m->record->offered = guilty;
		/* Its program registers it anew. */
		if (guilty)
			sh_eventpoll_release(m->record->accepted);
		sh_count(guilty ? SH_C_inputs_replayed : SH_C_inputs_failed);
	} else if (sh_thread_took(t)) {
		m->poisoned = !guilty || !sh_replay_data(back, t);
		sh_count(m->poisoned ? SH_C_inputs_failed : SH_C_inputs_replayed);
	}
}

void sh_replay_plan(const struct sh_point *back)
{
	struct sh_thread *t;
	bool guilty = false;
	unsigned int i;

	/*
	 * Who is at fault and has input has the poison. Otherwise it came by
	 * another thread, nobody knows which.
	 */
	for (i = 0; i < back->nr; i++) {
		t = back->thread[i];
		guilty |= READ_ONCE(t->member->accused) && sh_thread_took(t);
	}
	for (i = 0; i < back->nr; i++) {
		t = back->thread[i];
		if (!t->member->poisoned)
			sh_replay_thread(back, t, guilty);
		if (t->member->poisoned && t->member->record) {
			t->member->record->len = 0;
			sh_record_withdraw(t->member->record);
		}
	}
}
