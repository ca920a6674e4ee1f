/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a domain's epoll sets are interested in: the kernel tells nobody but by
 * the text of /proc/PID/fdinfo, whose price is the whole set. So that is read
 * once for a set, when a member first changes it, and the changes are followed.
 */
#ifndef SELFHEAL_DOMAIN_INTEREST_H
#define SELFHEAL_DOMAIN_INTEREST_H

#include <linux/fs.h>
/* Behind it, for it needs the files. */
#include <linux/eventpoll.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct sh_domain;

/*
 * A file under a number. One that was closed since the rescue point still is
 * of the set, beside the next one of that number: the point has it open.
 */
struct sh_interest {
	struct sh_interest *next;	/* of the same number, older */
	const struct file *file;	/* to compare, never followed; NULL: as read, not known */
	struct epoll_event event;
	bool present;
	u64 noted;			/* the point whose journal has what it was then */
};

struct sh_epoll {
	struct list_head node;		/* domain->epolls, under its epolls_lock */
	struct kref ref;
	struct sh_domain *domain;	/* who has a set has a member of it, or is its end */
	struct file *file;		/* reference: no other set is taken for it */
	struct mutex lock;		/* of what follows; held across a change of the set */
	bool known;			/* the interests are those of the set */
	bool unread;			/* could not be read: not tried again, for its price */
	struct xarray interests;	/* the newest, by number */
};

/* All of these: process context without locks, may sleep. */

/*
 * The set that @file is, with a reference; NULL when it is none, for want of memory,
 * beyond SH_EPOLLS_MAX, or when the domain has ended.
 */
struct sh_epoll *sh_epoll_get(struct sh_domain *d, struct file *file);
void sh_epoll_put(struct sh_epoll *s);

/* Read what the set has now, unless it is known. False: it is not. @s->lock held. */
bool sh_epoll_read(struct sh_epoll *s);

/* Not known any more. @s->lock held. */
void sh_epoll_forget(struct sh_epoll *s);

/*
 * What is known of @file under @fd, or NULL; @unknown: it may be one of which the file is not.
 * @s->lock held.
 */
struct sh_interest *sh_epoll_find(struct sh_epoll *s, unsigned int fd, const struct file *file,
				  bool unknown);

/* A new one, or NULL for want of memory or beyond SH_INTERESTS_MAX; and away with one. @s->lock held. */
struct sh_interest *sh_epoll_add(struct sh_epoll *s, unsigned int fd, const struct file *file);
void sh_epoll_drop(struct sh_epoll *s, unsigned int fd, struct sh_interest *i);

/* Let those go that nobody has open any more. True: a delayed close is due. */
bool sh_epoll_reap(struct sh_domain *d);

/* Let all go; none comes any more. */
void sh_epoll_end(struct sh_domain *d);

#endif /* SELFHEAL_DOMAIN_INTEREST_H */
