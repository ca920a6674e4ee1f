/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of the kernel that are not exported to modules. Each is resolved
 * once at load and called by a patched direct call (static_call): an indirect
 * call would fault on a CPU with IBT, whose ENDBR 6.12 seals away.
 */
#ifndef SELFHEAL_COMPAT_SYMBOLS_H
#define SELFHEAL_COMPAT_SYMBOLS_H

#include <linux/types.h>

struct callback_head;
struct epoll_event;
struct file;
struct msghdr;
struct pid;
struct socket;
struct task_struct;

int sh_symbols_init(void);
unsigned long sh_symbol_lookup(const char *name);

/* Where the function at @addr has its call to ftrace. */
unsigned long sh_symbol_fentry(unsigned long addr);

/* Process context, may sleep; runs what exit to user mode would run. */
void sh_task_work_run(void);

/* Any context; true when a work that @match accepts was queued and is not any more. */
bool sh_task_work_cancel(struct task_struct *task,
			 bool (*match)(struct callback_head *head, void *data), void *data);

/* The process that a pidfd names, kept by @file; ERR_PTR(-EBADF). Any context. */
struct pid *sh_pidfd_pid(const struct file *file);

/* Process context, may sleep. Takes @file out of every epoll set. */
void sh_eventpoll_release(struct file *file);

/*
 * The original function behind our tap: runs every LSM's check, not the tap.
 * Process context, may sleep; the caller must hold a reference that keeps
 * the module loaded.
 */
int sh_lsm_socket_sendmsg(struct socket *sock, struct msghdr *msg, int size);

/* As above, behind the tap on do_epoll_ctl(), with the descriptors of current. */
int sh_do_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event, bool nonblock);

#endif /* SELFHEAL_COMPAT_SYMBOLS_H */
