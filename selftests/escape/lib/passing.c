// SPDX-License-Identifier: GPL-2.0
/* Descriptors in messages. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "calls.h"

union rights {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int send_with_fd(int sock, int fd, const void *text, size_t n)
{
	struct iovec iov = { (void *)text, n };
	union rights r = {};
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = r.buf,
			    .msg_controllen = sizeof(r.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return esc_result(sendmsg(sock, &m, 0), n);
}

int recv_with_fd(int sock, void *text, size_t n, ssize_t *got)
{
	struct iovec iov = { text, n };
	union rights r = {};
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = r.buf,
			    .msg_controllen = sizeof(r.buf) };
	struct cmsghdr *c;
	int fd;

	*got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	if (*got < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	/* What a program is not let have is left out of the message. */
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return m.msg_flags & MSG_CTRUNC ? -EPERM : -ENOMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int send_fd(int sock, int fd, unsigned int times)
{
	int err = 0;

	while (!err && times--)
		err = send_with_fd(sock, fd, "", 1);
	return err;
}

int recv_fd(int sock)
{
	ssize_t got;
	char byte;

	return recv_with_fd(sock, &byte, 1, &got);
}
