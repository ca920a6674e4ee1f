// SPDX-License-Identifier: GPL-2.0
/* Non-blocking writers that the quarantine, not their object, turned away. */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <net/sock.h>

#include "../domain/domain.h"
#include "quarantine.h"

struct sh_starved {
	struct list_head node;
	struct file *file;	/* reference */
};

void sh_starved_add(struct sh_quarantine *q, struct file *file)
{
	struct sh_starved *s, *fresh;

	fresh = kmalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return;
	fresh->file = get_file(file);
	spin_lock(&q->lock);
	list_for_each_entry(s, &q->starved, node) {
		if (s->file == file) {
			spin_unlock(&q->lock);
			fput(file);
			kfree(fresh);
			return;
		}
	}
	list_add_tail(&fresh->node, &q->starved);
	spin_unlock(&q->lock);
}

static void sh_starved_tell(struct file *file)
{
	struct socket *sock = sock_from_file(file);
	struct tty_file_private *priv;
	struct pipe_inode_info *pipe;

	if (sock && sock->sk) {
		set_bit(SOCK_NOSPACE, &sock->flags);
		sock->sk->sk_write_space(sock->sk);
	} else if (S_ISFIFO(file_inode(file)->i_mode)) {
		pipe = file->private_data;
		wake_up_interruptible_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	} else {
		/* What is neither socket nor pipe is a terminal. */
		priv = file->private_data;
		if (priv && priv->tty)
			wake_up_interruptible_poll(&priv->tty->write_wait,
						   EPOLLOUT | EPOLLWRNORM);
	}
}

void sh_starved_wake(struct sh_quarantine *q, bool always)
{
	struct sh_starved *s, *next;
	LIST_HEAD(tell);

	if (list_empty_careful(&q->starved))
		return;
	spin_lock(&q->lock);
	/* Half empty, as sockets do it: else writers and commits take turns byte by byte. */
	if (always || q->bytes <= q->domain->policy->max_bytes / 2)
		list_splice_init(&q->starved, &tell);
	spin_unlock(&q->lock);
	list_for_each_entry_safe(s, next, &tell, node) {
		sh_starved_tell(s->file);
		fput(s->file);
		kfree(s);
	}
}
