// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "fuse.h"
#include "stall.h"

static char *second(const struct stall *s)
{
	return s->mem + STALL_PAGE;
}

int stall_open(struct stall *s, enum stall_kind kind, const char *dir)
{
	char *mem;

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->fd = -1;
	mem = mmap(NULL, 2 * STALL_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	s->mem = mem;
	if (mmap(mem, STALL_PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	if (kind == STALL_UFFD)
		return socketpair(AF_UNIX, SOCK_STREAM, 0, s->pass) ? -errno : 0;
	snprintf(s->mount, sizeof(s->mount), "%s/fuse", dir);
	if (mkdir(s->mount, 0700))
		return -errno;
	s->fd = fuse_mount(s->mount);
	s->mounted = s->fd >= 0;
	return s->mounted ? 0 : s->fd;
}

static int prepare_uffd(struct stall *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)second(s), STALL_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		err = -errno;
	/* It must have none of it when it becomes a member; what it registered stays. */
	if (!err)
		err = send_fd(s->pass[1], fd, 1);
	close(fd);
	close(s->pass[0]);
	close(s->pass[1]);
	return err;
}

int stall_prepare(struct stall *s)
{
	char path[80];

	if (s->kind == STALL_UFFD)
		return prepare_uffd(s);
	close(s->fd);
	snprintf(path, sizeof(path), "%s/page", s->mount);
	s->file = open(path, O_RDONLY | O_CLOEXEC);
	if (s->file < 0)
		return -errno;
	/* The first close asks the server, which knows no such request, and no other one does. */
	return close(dup(s->file)) ? -errno : 0;
}

static bool pump(struct stall *s, int ms)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	struct uffd_msg msg;

	poll(&pfd, 1, ms);
	if (s->kind == STALL_FUSE)
		s->stalled = s->stalled || fuse_serve(s->fd, &s->unique, &s->size) == 1;
	else if (s->fd >= 0 && read(s->fd, &msg, sizeof(msg)) == sizeof(msg))
		s->stalled = msg.event == UFFD_EVENT_PAGEFAULT;
	return s->stalled;
}

bool stall_serve(struct stall *s, bool (*done)(void *), void *arg)
{
	int64_t end = now_ms() + BOUND;

	if (s->kind == STALL_UFFD) {
		s->fd = rx_ready(s->pass[0], BOUND) ? recv_fd(s->pass[0]) : -1;
		close(s->pass[0]);
		close(s->pass[1]);
		if (s->fd < 0)
			return false;
	}
	while (!done(arg)) {
		if (now_ms() > end)
			return false;
		if (s->kind == STALL_FUSE)
			pump(s, 1);
		else
			pause_ms(1);
	}
	return true;
}

int stall_arm(struct stall *s, unsigned int k)
{
	if (s->kind == STALL_UFFD)
		return madvise(second(s), STALL_PAGE, MADV_DONTNEED) ? -errno : 0;
	/* Each page of the file once: what was read stays in the page cache. */
	return mmap(second(s), STALL_PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, s->file,
		    (off_t)k * STALL_PAGE) == MAP_FAILED ? -errno : 0;
}

bool stall_wait(struct stall *s)
{
	int64_t end = now_ms() + BOUND;

	while (!pump(s, 10)) {
		if (now_ms() > end)
			return false;
	}
	return true;
}

int stall_resolve(struct stall *s)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)second(s),
		.src = (uintptr_t)s->next,
		.len = STALL_PAGE,
	};

	s->stalled = false;
	if (s->kind == STALL_FUSE)
		return fuse_give(s->fd, s->unique, s->next, s->size < STALL_PAGE ? s->size :
				 STALL_PAGE);
	return ioctl(s->fd, UFFDIO_COPY, &copy) ? -errno : 0;
}

/* Its end makes the connection's, or the registration's. */
void stall_abort(struct stall *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void stall_close(struct stall *s)
{
	stall_abort(s);
	if (s->mounted)
		umount2(s->mount, MNT_DETACH);
	if (s->mount[0])
		rmdir(s->mount);
	if (s->mem)
		munmap(s->mem, 2 * STALL_PAGE);
}
