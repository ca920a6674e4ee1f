// SPDX-License-Identifier: GPL-2.0
/* See interest.h. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../limits.h"
#include "domain.h"
#include "interest.h"

/* The kernel's own name of it, as in /proc/PID/fd. */
static bool sh_is_epoll(const struct file *file)
{
	return file->f_op->show_fdinfo && !strcmp(file->f_path.dentry->d_name.name, "[eventpoll]");
}

static void sh_interest_free(struct sh_epoll *s, struct sh_interest *i)
{
	atomic_dec(&s->domain->interests);
	kfree(i);
}

static void sh_epoll_clear(struct sh_epoll *s)
{
	struct sh_interest *i, *next;
	unsigned long fd;

	xa_for_each(&s->interests, fd, i) {
		for (; i; i = next) {
			next = i->next;
			sh_interest_free(s, i);
		}
	}
	xa_destroy(&s->interests);
	s->known = false;
}

static void sh_epoll_free(struct kref *ref)
{
	struct sh_epoll *s = container_of(ref, struct sh_epoll, ref);

	sh_epoll_clear(s);
	fput(s->file);
	kfree(s);
}

void sh_epoll_put(struct sh_epoll *s)
{
	kref_put(&s->ref, sh_epoll_free);
}

static struct sh_epoll *sh_epoll_new(struct sh_domain *d, struct file *file)
{
	struct sh_epoll *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	kref_init(&s->ref);
	mutex_init(&s->lock);
	xa_init(&s->interests);
	s->domain = d;
	s->file = get_file(file);
	return s;
}

struct sh_epoll *sh_epoll_get(struct sh_domain *d, struct file *file)
{
	struct sh_epoll *s, *found = NULL;
	unsigned int n = 0;

	if (!sh_is_epoll(file))
		return NULL;
	mutex_lock(&d->epolls_lock);
	list_for_each_entry(s, &d->epolls, node) {
		n++;
		if (s->file == file) {
			found = s;
			break;
		}
	}
	if (!found && n < SH_EPOLLS_MAX && !d->epolls_over) {
		found = sh_epoll_new(d, file);
		if (found)
			list_add_tail(&found->node, &d->epolls);
	}
	if (found)
		kref_get(&found->ref);
	mutex_unlock(&d->epolls_lock);
	return found;
}

struct sh_interest *sh_epoll_find(struct sh_epoll *s, unsigned int fd, const struct file *file,
				  bool unknown)
{
	struct sh_interest *i, *maybe = NULL;

	lockdep_assert_held(&s->lock);
	for (i = xa_load(&s->interests, fd); i; i = i->next) {
		if (i->file == file)
			return i;
		/* One of two is none. */
		if (!i->file && unknown)
			maybe = maybe ? ERR_PTR(-ENOENT) : i;
	}
	return IS_ERR(maybe) ? NULL : maybe;
}

/* A program that opens, registers and closes files of one number all the time has no more. */
static void sh_interest_trim(struct sh_epoll *s, struct sh_interest *i)
{
	struct sh_interest *old;
	unsigned int n;

	for (n = 1; n < SH_EPOLL_FILES && i->next; n++)
		i = i->next;
	old = i->next;
	i->next = NULL;
	while (old) {
		i = old->next;
		sh_interest_free(s, old);
		old = i;
	}
}

struct sh_interest *sh_epoll_add(struct sh_epoll *s, unsigned int fd, const struct file *file)
{
	struct sh_interest *i;

	lockdep_assert_held(&s->lock);
	if (atomic_inc_return(&s->domain->interests) > SH_INTERESTS_MAX)
		goto none;
	i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);
	if (!i)
		goto none;
	i->file = file;
	i->next = xa_load(&s->interests, fd);
	if (xa_err(xa_store(&s->interests, fd, i, GFP_KERNEL_ACCOUNT))) {
		sh_interest_free(s, i);
		return NULL;
	}
	sh_interest_trim(s, i);
	return i;
none:
	atomic_dec(&s->domain->interests);
	return NULL;
}

void sh_epoll_drop(struct sh_epoll *s, unsigned int fd, struct sh_interest *i)
{
	struct sh_interest *newer = xa_load(&s->interests, fd);

	lockdep_assert_held(&s->lock);
	if (newer != i) {
		while (newer->next != i)
			newer = newer->next;
		newer->next = i->next;
	} else if (i->next) {
		/* In the place of what is there: takes no memory. */
		xa_store(&s->interests, fd, i->next, GFP_KERNEL_ACCOUNT);
	} else {
		xa_erase(&s->interests, fd);
	}
	sh_interest_free(s, i);
}

/* As ep_show_fdinfo() prints it; what follows on the line is about the file. */
static int sh_epoll_parse(struct sh_epoll *s, char *text)
{
	struct sh_interest *i;
	struct epoll_event event;
	unsigned long long data;
	unsigned int fd;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (sscanf(line, "tfd: %u events: %x data: %llx", &fd, &event.events, &data) != 3)
			continue;
		event.data = data;
		i = sh_epoll_add(s, fd, NULL);
		if (!i)
			return -ENOMEM;
		i->event = event;
		i->present = true;
	}
	return 0;
}

/* The listing, to be freed; NULL for want of memory, or when it is too long. */
static char *sh_epoll_text(struct sh_epoll *s)
{
	struct seq_file m = {};

	for (m.size = SZ_1K; m.size <= SH_EPOLL_TEXT_MAX; m.size *= 4) {
		m.buf = kvmalloc(m.size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!m.buf)
			break;
		m.count = 0;
		s->file->f_op->show_fdinfo(&m, s->file);
		if (!seq_has_overflowed(&m) && m.count < m.size) {
			m.buf[m.count] = 0;
			return m.buf;
		}
		kvfree(m.buf);
	}
	return NULL;
}

bool sh_epoll_read(struct sh_epoll *s)
{
	char *text;

	lockdep_assert_held(&s->lock);
	if (s->known || s->unread)
		return s->known;
	text = sh_epoll_text(s);
	s->known = text && !sh_epoll_parse(s, text);
	kvfree(text);
	if (!s->known) {
		sh_epoll_clear(s);
		s->unread = true;
	}
	return s->known;
}

void sh_epoll_forget(struct sh_epoll *s)
{
	lockdep_assert_held(&s->lock);
	sh_epoll_clear(s);
}

static bool sh_epolls_put(struct list_head *list)
{
	struct sh_epoll *s, *next;
	bool any = !list_empty(list);

	list_for_each_entry_safe(s, next, list, node)
		sh_epoll_put(s);
	return any;
}

bool sh_epoll_reap(struct sh_domain *d)
{
	struct sh_epoll *s, *next;
	LIST_HEAD(closed);

	if (list_empty_careful(&d->epolls))
		return false;
	mutex_lock(&d->epolls_lock);
	/* Who has it open has a reference of its own; so has a rescue point. */
	list_for_each_entry_safe(s, next, &d->epolls, node)
		if (file_count(s->file) == 1)
			list_move(&s->node, &closed);
	mutex_unlock(&d->epolls_lock);
	return sh_epolls_put(&closed);
}

void sh_epoll_end(struct sh_domain *d)
{
	LIST_HEAD(all);

	mutex_lock(&d->epolls_lock);
	d->epolls_over = true;
	list_splice_init(&d->epolls, &all);
	mutex_unlock(&d->epolls_lock);
	sh_epolls_put(&all);
}
