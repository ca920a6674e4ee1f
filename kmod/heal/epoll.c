// SPDX-License-Identifier: GPL-2.0
/* See epoll.h. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "../compat/files.h"
#include "../compat/symbols.h"
#include "../domain/interest.h"
#include "../domain/member.h"
#include "epoll.h"
#include "journal.h"
#include "table.h"

/* What one descriptor was to a set. */
struct sh_epoll_change {
	struct sh_change change;
	/* To compare: the point has both open, or there is nothing to undo. */
	const struct file *epoll, *file;
	int fd;
	bool present;
	struct epoll_event event;
};

/* Make it what it was. */
static int sh_epoll_revert(int epfd, const struct sh_epoll_change *c)
{
	struct epoll_event event = c->event;
	int err;

	/* One of EPOLLEXCLUSIVE cannot be modified. */
	if (c->present && !(event.events & EPOLLEXCLUSIVE)) {
		err = sh_do_epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &event, false);
		/* Or the one that is there now. */
		if (err != -ENOENT && err != -EINVAL)
			return err;
	}
	err = sh_do_epoll_ctl(epfd, EPOLL_CTL_DEL, c->fd, &event, false);
	if (c->present && (!err || err == -ENOENT))
		err = sh_do_epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &event, false);
	return err == -ENOENT ? 0 : err;
}

/* What is known of the set now. @s->lock held. */
static void sh_epoll_undone(struct sh_epoll *s, const struct sh_epoll_change *c, int err)
{
	struct sh_interest *i = sh_epoll_find(s, c->fd, c->file, false);

	if ((err && err != -ENOENT) || !i) {
		sh_epoll_forget(s);
		return;
	}
	if (err) {
		/* Its file has been closed; those that stay must not be crowded out. */
		sh_epoll_drop(s, c->fd, i);
		return;
	}
	i->present = c->present;
	i->event = c->event;
	i->noted = 0;
}

static int sh_epoll_undo(struct sh_change *change, struct sh_domain *d, const struct sh_table *t)
{
	struct sh_epoll_change *c = container_of(change, struct sh_epoll_change, change);
	const struct sh_slot *epoll = sh_table_find(t, c->epoll);
	struct sh_epoll *s;
	int err;

	/* A set that was made since has been closed. */
	if (!epoll)
		return 0;
	s = sh_epoll_get(d, epoll->file);
	if (s)
		mutex_lock(&s->lock);
	if (sh_table_has(t, c->fd, c->file))
		err = sh_epoll_revert(epoll->fd, c);
	else	/* Closed, and its registration with it; unless it was open by another number. */
		err = sh_table_find(t, c->file) ? -EBADF : -ENOENT;
	if (s) {
		sh_epoll_undone(s, c, err);
		mutex_unlock(&s->lock);
		sh_epoll_put(s);
	}
	return err == -ENOENT ? 0 : err;
}

/* What @i was before the change by @op; NULL for want of memory. */
static struct sh_epoll_change *sh_epoll_before(const struct sh_epoll *s,
					       const struct sh_interest *i, int op, int fd,
					       const struct file *file)
{
	struct sh_epoll_change *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	c->change.undo = sh_epoll_undo;
	c->epoll = s->file;
	c->file = file;
	c->fd = fd;
	/* That it can be added says that it was not there, whatever is known of its address. */
	c->present = op != EPOLL_CTL_ADD;
	c->event = i->event;
	return c;
}

/* The change succeeded: what it was goes into the journal, once for each point. */
static void sh_epoll_changed(struct sh_member *m, struct sh_interest *i, u64 clock,
			     struct sh_epoll_change *c)
{
	if (!clock || i->noted == clock)
		return;
	if (c)
		i->noted = clock;
	sh_journal_note(m, c ? &c->change : NULL);
}

/* @s->lock held. */
static int sh_epoll_follow(struct sh_member *m, struct sh_epoll *s, int epfd, int op, int fd,
			   const struct file *file, struct epoll_event *event, bool nonblock)
{
	u64 clock = sh_journal_clock(m);
	struct sh_epoll_change *c = NULL;
	struct sh_interest *i = NULL;
	bool fresh = false;
	int ret;

	if (sh_epoll_read(s)) {
		i = sh_epoll_find(s, fd, file, op != EPOLL_CTL_ADD);
		if (!i && op == EPOLL_CTL_ADD) {
			i = sh_epoll_add(s, fd, file);
			fresh = i;
		}
	}
	if (i && clock && i->noted != clock)
		c = sh_epoll_before(s, i, op, fd, file);
	ret = sh_do_epoll_ctl(epfd, op, fd, event, nonblock);
	if (ret) {
		kfree(c);
		if (fresh)
			sh_epoll_drop(s, fd, i);
		return ret;
	}
	if (!i || (op != EPOLL_CTL_ADD && !i->present)) {
		/* It was there, and that is all that is known. */
		kfree(c);
		sh_epoll_forget(s);
		sh_journal_note(m, NULL);
		return 0;
	}
	sh_epoll_changed(m, i, clock, c);
	i->file = file;
	i->present = op != EPOLL_CTL_DEL;
	if (i->present)
		i->event = *event;
	return 0;
}

int sh_epoll_ctl(struct sh_member *m, int epfd, int op, int fd, struct epoll_event *event,
		 bool nonblock)
{
	struct fd e = fdget(epfd), f = fdget(fd);
	struct sh_epoll *s = NULL;
	int ret;

	if (sh_fd_file(e) && sh_fd_file(f))
		s = sh_epoll_get(m->domain, sh_fd_file(e));
	if (s && !mutex_lock_killable(&s->lock)) {
		ret = sh_epoll_follow(m, s, epfd, op, fd, sh_fd_file(f), event, nonblock);
		mutex_unlock(&s->lock);
	} else {
		ret = sh_do_epoll_ctl(epfd, op, fd, event, nonblock);
		if (!ret)
			sh_journal_note(m, NULL);
	}
	if (s)
		sh_epoll_put(s);
	fdput(f);
	fdput(e);
	return ret;
}
