// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors in flight (SCM_RIGHTS): the files are taken at the send, since
 * the program may close or reuse its numbers before the commit, and given
 * numbers again for the moment of the real send.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/socket.h>

#include "../compat/files.h"
#include "quarantine.h"

static bool sh_cmsg_is_rights(const struct cmsghdr *c)
{
	return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
}

static int sh_cmsg_nr(const struct cmsghdr *c)
{
	return (c->cmsg_len - sizeof(*c)) / sizeof(int);
}

void sh_fds_free(struct sh_fds *fds)
{
	int i;

	if (!fds)
		return;
	for (i = 0; i < fds->nr; i++)
		fput(fds->files[i]);
	kfree(fds);
}

int sh_scm_grab(const struct msghdr *msg, struct sh_fds **fds)
{
	struct msghdr *walk = (struct msghdr *)msg;
	struct cmsghdr *c;
	struct sh_fds *f;
	int nr = 0, i, *fd;

	for_each_cmsghdr(c, walk) {
		if (!CMSG_OK(walk, c))
			return -EINVAL;
		if (sh_cmsg_is_rights(c))
			nr += sh_cmsg_nr(c);
	}
	if (!nr)
		return 0;
	if (nr > SH_SCM_MAX_FD)
		return -EINVAL;
	f = kzalloc(struct_size(f, files, nr), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	for_each_cmsghdr(c, walk) {
		if (!sh_cmsg_is_rights(c))
			continue;
		fd = (int *)CMSG_DATA(c);
		for (i = 0; i < sh_cmsg_nr(c); i++) {
			struct file *file = fget_raw(fd[i]);

			if (!file) {
				sh_fds_free(f);
				return -EBADF;
			}
			f->files[f->nr++] = file;
		}
	}
	*fds = f;
	return 0;
}

/*
 * Context: process, the producer or the worker (whose table no program
 * sees). -EAGAIN when there is no free number now.
 */
int sh_scm_install(struct sh_fds *fds, void *control, size_t controllen, int *installed)
{
	struct msghdr walk = { .msg_control = control, .msg_controllen = controllen };
	struct cmsghdr *c;
	int i, k = 0, *fd;

	for (i = 0; i < fds->nr; i++) {
		installed[i] = get_unused_fd_flags(O_CLOEXEC);
		if (installed[i] < 0) {
			sh_scm_uninstall(installed, i);
			return -EAGAIN;
		}
		fd_install(installed[i], get_file(fds->files[i]));
	}
	for_each_cmsghdr(c, &walk) {
		if (!CMSG_OK(&walk, c) || !sh_cmsg_is_rights(c))
			continue;
		fd = (int *)CMSG_DATA(c);
		for (i = 0; i < sh_cmsg_nr(c) && k < fds->nr; i++)
			fd[i] = installed[k++];
	}
	return 0;
}

void sh_scm_uninstall(const int *installed, int nr)
{
	struct file *file;
	int i;

	for (i = 0; i < nr; i++) {
		/* Not a close(2): that would drop the program's record locks. */
		file = sh_take_fd(installed[i]);
		if (!IS_ERR_OR_NULL(file))
			fput(file);
	}
}
