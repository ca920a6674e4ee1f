/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of epoll sets, for rescue points. */
#ifndef SELFHEAL_HEAL_EPOLL_H
#define SELFHEAL_HEAL_EPOLL_H

#include <linux/types.h>

struct epoll_event;
struct sh_member;

/*
 * In the place of do_epoll_ctl(), whose arguments and result these are, for
 * current @m, to which the caller has a reference: made, and noted for the
 * rescue point. Process context without locks, may sleep.
 */
int sh_epoll_ctl(struct sh_member *m, int epfd, int op, int fd, struct epoll_event *event,
		 bool nonblock);

#endif /* SELFHEAL_HEAL_EPOLL_H */
