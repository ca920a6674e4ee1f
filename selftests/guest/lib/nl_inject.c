// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nl_inject.h"
#include "proc.h"

/* One part of a dump is at most this large. */
static _Alignas(8) char part[256 * 1024];

/* True when it is the last one. */
static bool take(struct answer *a, char *bytes, int len, uint32_t seq)
{
	struct nlmsghdr *nlh;
	bool last = false;

	for (nlh = (void *)bytes; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
			a->err = nlmsg_datalen(nlh) >= (int)sizeof(int) ?
				 *(int *)nlmsg_data(nlh) : 0;
			last = true;
		} else {
			a->parts++;
			a->bytes += nlh->nlmsg_len;
		}
	}
	return last;
}

/* A part of the answer that a fault has taken away; a dump goes on with the next call. */
static bool lost(int err)
{
	return err == EFAULT || err == ENOBUFS || err == ENOMEM;
}

/*
 * True when the end of the answer has come. Raw calls: a library function might
 * come to places of its own. Requests are worked at before their send returns, so
 * what is not there then will not come.
 */
static bool receive(int sock, struct answer *a, uint32_t seq)
{
	bool end = false;
	long n;

	while (!end) {
		n = syscall(SYS_recvfrom, sock, part, sizeof(part), MSG_DONTWAIT, NULL, NULL);
		if (n >= 0) {
			end = take(a, part, n, seq);
			continue;
		}
		if (!lost(errno))
			break;
		a->lost = true;
	}
	return end;
}

bool nl_inject(struct sweep *s, struct nlc *c, struct nl_msg *msg, struct answer *a)
{
	struct nlmsghdr *nlh;
	int sock = nl_socket_get_fd(c->sk);
	/* Not kept: a child that has it, of a controller, is no member of any domain. */
	int fd = inject_open(0, 0);
	bool hit, done;
	long sent;

	if (fd < 0)
		abort();
	memset(a, 0, sizeof(*a));
	nlh = nlmsg_hdr(msg);
	/* The library counts the requests whose answers it is to see: this is none of them. */
	nlh->nlmsg_seq = ~0U;
	nl_complete_msg(c->sk, msg);
	sweep_arm(s, fd);
	sent = syscall(SYS_sendto, sock, nlh, nlh->nlmsg_len, 0, NULL, 0);
	if (sent < 0)
		a->err = -errno;
	done = sent < 0 || receive(sock, a, nlh->nlmsg_seq);
	hit = sweep_hit(s, fd, a->err || a->lost || !done);
	close(fd);
	a->lost |= !done;
	/* What a failed dump has left is not to be taken for the next answer. */
	while (recv(sock, part, sizeof(part), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	nlmsg_free(msg);
	return hit;
}
