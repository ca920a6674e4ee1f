// SPDX-License-Identifier: GPL-2.0
/* See table.h. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/syscalls.h>

#include "../compat/files.h"
#include "../compat/image.h"
#include "../compat/symbols.h"
#include "table.h"

#define SH_SETFL	(O_APPEND | O_NONBLOCK)

static void sh_slot_fill(struct sh_slot *s, struct file *file, unsigned int fd, bool cloexec)
{
	s->file = get_file(file);
	s->fd = fd;
	s->cloexec = cloexec;
	s->flags = file->f_flags & SH_SETFL;
	s->pos = READ_ONCE(file->f_pos);
}

struct sh_table *sh_table_take(void)
{
	struct files_struct *files = current->files;
	struct fdtable *fdt;
	struct sh_table *t;
	struct file *file;
	unsigned int fd, n;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	n = bitmap_weight(fdt->open_fds, fdt->max_fds);
	spin_unlock(&files->file_lock);
	t = kvmalloc(struct_size(t, slot, n), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->nr = 0;
	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for_each_set_bit(fd, fdt->open_fds, fdt->max_fds) {
		file = files_lookup_fd_locked(files, fd);
		/* Nobody else opens descriptors here, so none is more than before. */
		if (file && !WARN_ON_ONCE(t->nr == n))
			sh_slot_fill(&t->slot[t->nr++], file, fd, sh_close_on_exec(fd, files));
	}
	spin_unlock(&files->file_lock);
	return t;
}

const struct sh_slot *sh_table_find(const struct sh_table *t, const struct file *file)
{
	const struct sh_slot *s;

	for (s = t->slot; s < t->slot + t->nr; s++)
		if (s->file == file)
			return s;
	return NULL;
}

bool sh_table_has(const struct sh_table *t, unsigned int fd, const struct file *file)
{
	const struct sh_slot *s;

	for (s = t->slot; s < t->slot + t->nr && s->fd <= fd; s++)
		if (s->fd == fd)
			return s->file == file;
	return false;
}

/* The first open descriptor of current from @fd on; UINT_MAX for none. */
static unsigned int sh_next_open(unsigned int fd)
{
	struct files_struct *files = current->files;
	struct fdtable *fdt;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	fd = find_next_bit(fdt->open_fds, fdt->max_fds, fd);
	if (fd >= fdt->max_fds)
		fd = UINT_MAX;
	spin_unlock(&files->file_lock);
	return fd;
}

/*
 * close(2), but out of every epoll set at once: the rest of it is for current's way to user
 * mode, and another thread may be there before.
 */
static void sh_close_now(unsigned int fd)
{
	struct file *file = sh_take_fd(fd);

	if (!file)
		return;
	if (file_count(file) == 1)
		sh_eventpoll_release(file);
	filp_close(file, current->files);
}

static void sh_close_newer(const struct sh_table *t)
{
	unsigned int fd = 0, i = 0;

	for (;;) {
		fd = sh_next_open(fd);
		if (fd == UINT_MAX)
			return;
		while (i < t->nr && t->slot[i].fd < fd)
			i++;
		if (i == t->nr || t->slot[i].fd != fd)
			sh_close_now(fd);
		fd++;
	}
}

static void sh_slot_restore_file(const struct sh_slot *s)
{
	struct file *file = s->file;

	if ((file->f_flags & SH_SETFL) != s->flags) {
		spin_lock(&file->f_lock);
		file->f_flags = (file->f_flags & ~SH_SETFL) | s->flags;
		spin_unlock(&file->f_lock);
	}
	if (S_ISREG(file_inode(file)->i_mode) && READ_ONCE(file->f_pos) != s->pos) {
		mutex_lock(&file->f_pos_lock);
		file->f_pos = s->pos;
		mutex_unlock(&file->f_pos_lock);
	}
}

int sh_table_restore(const struct sh_table *t)
{
	struct files_struct *files = current->files;
	const struct sh_slot *s;
	struct file *now;
	bool cloexec;
	int err;

	sh_close_newer(t);
	for (s = t->slot; s < t->slot + t->nr; s++) {
		spin_lock(&files->file_lock);
		now = s->fd < files_fdtable(files)->max_fds ?
		      files_lookup_fd_locked(files, s->fd) : NULL;
		cloexec = now && sh_close_on_exec(s->fd, files);
		spin_unlock(&files->file_lock);
		if (now != s->file) {
			sh_close_now(s->fd);
			err = sh_fd_replace(s->fd, s->file, s->cloexec);
			if (err)
				return err;
		} else if (cloexec != s->cloexec) {
			sh_fd_set_cloexec(s->fd, s->cloexec);
		}
		sh_slot_restore_file(s);
	}
	return 0;
}

/* Called by the file's own poll() with each queue that it wakes. */
static void sh_stir_queue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	wake_up_poll(queue, EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDBAND |
		     EPOLLWRBAND | EPOLLPRI | EPOLLRDHUP);
}

void sh_table_stir(const struct sh_table *t)
{
	const struct sh_slot *s;
	poll_table table;

	init_poll_funcptr(&table, sh_stir_queue);
	for (s = t->slot; s < t->slot + t->nr; s++)
		if (file_can_poll(s->file))
			vfs_poll(s->file, &table);
}

bool sh_table_free(struct sh_table *t)
{
	bool closed = false;
	unsigned int i;

	if (!t)
		return false;
	for (i = 0; i < t->nr; i++) {
		closed |= file_count(t->slot[i].file) == 1;
		fput(t->slot[i].file);
	}
	kvfree(t);
	return closed;
}
