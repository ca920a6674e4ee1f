// SPDX-License-Identifier: GPL-2.0
/* Pipes, FIFOs and terminals. */
#include <linux/fs.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/uio.h>

#include "output.h"
#include "quarantine.h"

#define SH_PIPE_SPINS	200
#define SH_SPLICE_WAIT	(5 * HZ)

/*
 * Who reads a pipe copies into its own memory with the lock, for as long as a
 * page fault of it takes, which can be for ever (userfaultfd, FUSE). That must
 * not stop whoever commits; others have the lock for microseconds.
 */
static bool sh_pipe_locked(struct pipe_inode_info *pipe)
{
	int left = SH_PIPE_SPINS;

	while (mutex_is_locked(&pipe->mutex)) {
		if (!left--)
			return true;
		cpu_relax();
	}
	return false;
}

static size_t sh_pipe_slots(struct pipe_inode_info *pipe)
{
	unsigned int used = pipe_occupancy(READ_ONCE(pipe->head), READ_ONCE(pipe->tail));
	unsigned int max = READ_ONCE(pipe->max_usage);

	return used < max ? max - used : 0;
}

static ssize_t sh_stream_take(struct sh_member *m, struct sh_output *o, struct iov_iter *from)
{
	o->stream = true;
	o->timeo = o->nonblock ? 0 : MAX_SCHEDULE_TIMEOUT;
	return sh_quarantine_hold(m, o, from, iov_iter_count(from));
}

bool sh_pipe_output(struct sh_member *m, struct kiocb *iocb, struct iov_iter *from, ssize_t *ret)
{
	struct file *file = iocb->ki_filp;
	struct pipe_inode_info *pipe = file->private_data;
	size_t len = iov_iter_count(from), space;
	struct sh_output o = {
		.file = file,
		.channel = SELFHEAL_CHANNEL_PIPE,
		.nonblock = (file->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT),
		.space = SIZE_MAX,
	};
	enum sh_output_order order;
	bool shut, any;
	u64 held;

	if (!len || !sh_output_concerns(m, SELFHEAL_CHANNEL_PIPE))
		return false;
	order = sh_output_order(m, SELFHEAL_CHANNEL_PIPE, file);
	if (order == SH_OUTPUT_PASSES)
		return false;
	o.due = order == SH_OUTPUT_FOLLOWS;
	*ret = sh_output_refused(m, SELFHEAL_CHANNEL_PIPE);
	if (*ret)
		return true;
	if (!READ_ONCE(pipe->readers)) {
		send_sig(SIGPIPE, current, 0);
		*ret = -EPIPE;
		return true;
	}
	if (o.nonblock) {
		held = sh_quarantine_held_on(m->domain->quarantine, file, &shut, &any);
		space = sh_pipe_slots(pipe) * PAGE_SIZE;
		space = space > held ? space - held : 0;
		/* Up to PIPE_BUF bytes go whole or not at all. */
		if (!space || (len <= PIPE_BUF && space < len)) {
			*ret = -EAGAIN;
			return true;
		}
		o.space = space;
	}
	*ret = sh_stream_take(m, &o, from);
	return true;
}

/*
 * Nothing ran yet, so the call begins again once the domain runs. TIF_SIGPENDING
 * because the freeze may not have come to this thread. No worker of io_uring is a
 * member, so whoever comes here can begin again.
 */
static int sh_restart(void)
{
	set_thread_flag(TIF_SIGPENDING);
	return -ERESTARTNOINTR;
}

/*
 * Pages are not held. EINVAL is what file systems without splice answer:
 * programs fall back on read and write. Where pipes pass that is no answer to
 * a freeze, and only the last one to what a release has not let out yet: the
 * tap does not know which pipe it is, so it waits for all of that.
 */
int sh_pipe_splice(struct sh_member *m)
{
	struct sh_domain *d = m->domain;
	int ret;

	if (d->policy->action[SELFHEAL_CHANNEL_PIPE] != SELFHEAL_CHANNEL_ACTION_PASS) {
		sh_count(SH_C_syscalls_denied);
		return -EINVAL;
	}
	ret = sh_quarantine_drained(d->quarantine, SELFHEAL_CHANNEL_PIPE, SH_SPLICE_WAIT);
	if (!ret && !sh_state_runs(sh_domain_state(d)))
		return sh_restart();
	if (ret == -ETIME) {
		sh_count(SH_C_syscalls_denied);
		return -EINVAL;
	}
	return ret;
}

/* Half of what it would take: output processing may double a byte. */
static size_t sh_tty_room(struct file *file)
{
	struct tty_file_private *priv = file->private_data;

	return priv && priv->tty ? tty_write_room(priv->tty) / 2 : 0;
}

bool sh_tty_output(struct sh_member *m, struct kiocb *iocb, struct iov_iter *from, ssize_t *ret)
{
	struct file *file = iocb->ki_filp;
	struct sh_output o = {
		.file = file,
		.channel = SELFHEAL_CHANNEL_TTY,
		.nonblock = file->f_flags & O_NONBLOCK,
		.space = SIZE_MAX,
	};
	enum sh_output_order order;
	bool shut, any;
	u64 held;

	if (!iov_iter_count(from) || !sh_output_concerns(m, SELFHEAL_CHANNEL_TTY))
		return false;
	order = sh_output_order(m, SELFHEAL_CHANNEL_TTY, file);
	if (order == SH_OUTPUT_PASSES)
		return false;
	o.due = order == SH_OUTPUT_FOLLOWS;
	*ret = sh_output_refused(m, SELFHEAL_CHANNEL_TTY);
	if (*ret)
		return true;
	if (o.nonblock) {
		held = sh_quarantine_held_on(m->domain->quarantine, file, &shut, &any);
		o.space = sh_tty_room(file);
		o.space = o.space > held ? o.space - held : 0;
		if (!o.space) {
			*ret = -EAGAIN;
			return true;
		}
	}
	*ret = sh_stream_take(m, &o, from);
	return true;
}

/* Write up to @n of what is left of @h to its file, which has the room. */
static int sh_file_send(struct sh_held *h, size_t n)
{
	struct kvec vec = { .iov_base = h->data + h->off, .iov_len = n };
	struct iov_iter iter;
	struct kiocb kio;
	ssize_t ret;

	init_sync_kiocb(&kio, h->file);
	/* Pipes honour it on 6.12: an outside writer may have taken the room. */
	kio.ki_flags |= IOCB_NOWAIT;
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, n);
	ret = h->file->f_op->write_iter ? h->file->f_op->write_iter(&kio, &iter) : -EIO;
	if (ret == -EINTR || ret == -ERESTARTSYS)
		return -EAGAIN;
	if (ret < 0)
		return ret;
	h->off += ret;
	return h->off < h->len ? -EAGAIN : 0;
}

int sh_pipe_send(struct sh_held *h)
{
	struct pipe_inode_info *pipe = h->file->private_data;
	size_t left, slots;
	int ret;

	do {
		/* Nobody will ever read it; a SIGPIPE now would come from nowhere. */
		if (!READ_ONCE(pipe->readers))
			return -EPIPE;
		slots = sh_pipe_slots(pipe);
		if (!slots || sh_pipe_locked(pipe))
			return -EAGAIN;
		left = h->len - h->off;
		ret = sh_file_send(h, min_t(size_t, left, slots * PAGE_SIZE));
	} while (ret == -EAGAIN && h->len - h->off < left);
	return ret;
}

int sh_tty_send(struct sh_held *h)
{
	size_t left, room;
	int ret;

	if (!h->file->private_data)
		return -EIO;
	do {
		room = sh_tty_room(h->file);
		if (!room)
			return -EAGAIN;
		left = h->len - h->off;
		ret = sh_file_send(h, min(left, room));
	} while (ret == -EAGAIN && h->len - h->off < left);
	return ret;
}
