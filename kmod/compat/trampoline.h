/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct ftrace trampolines. The traced function's fentry calls the
 * trampoline; for a task that is not concerned it returns after a test of
 * current's thread flags. Else a C handler decides: go on with the traced
 * function as if nothing had been there, or skip it and return a value to
 * its caller. The handler's frame is gone before the traced function runs,
 * so nothing of this module stays on the stack of a task that sleeps there. A
 * handler that calls the original itself holds a reference to its member
 * meanwhile, and with it the module: compat/symbols.h.
 */
#ifndef SELFHEAL_COMPAT_TRAMPOLINE_H
#define SELFHEAL_COMPAT_TRAMPOLINE_H

#include <linux/types.h>

struct task_struct;

/* Returned in RAX:RDX. */
struct sh_tap_result {
	unsigned long skip;
	unsigned long value;
};

#define SH_TAP_CONTINUE		((struct sh_tap_result){ 0, 0 })
#define SH_TAP_SKIP(v)		((struct sh_tap_result){ 1, (unsigned long)(v) })

/*
 * One bit per (inode number & 63) of the executables that policies
 * match: lets the exec tap pass an unprotected task in a few instructions.
 */
extern u64 sh_exec_filter;

/*
 * While sh_probe_task is current, every trampoline answers with
 * SH_PROBE_VALUE in the place of its function and counts it.
 */
#define SH_PROBE_VALUE	0x5e1f4ea1

extern struct task_struct *sh_probe_task;
extern unsigned int sh_probe_hits;

/*
 * Handlers, called in process context with the traced function's arguments;
 * all may sleep. The first two run for every caller of the traced function
 * (which only members and uprobe users reach), the exec tap for members and
 * for files that pass sh_exec_filter, the others for members only.
 */
struct cred;
struct dentry;
struct epoll_event;
struct file;
struct inode;
struct iov_iter;
struct kiocb;
struct kernel_siginfo;
struct ksignal;
struct linux_binprm;
struct msghdr;
struct page;
struct pid;
struct pt_regs;
struct socket;

struct sh_tap_result sh_tap_syscall(struct pt_regs *regs);
struct sh_tap_result sh_tap_boundary(struct pt_regs *regs);
struct sh_tap_result sh_tap_sud_config(struct task_struct *task);
struct sh_tap_result sh_tap_signal(struct ksignal *ksig);
struct sh_tap_result sh_tap_copy_thread(struct task_struct *child);
struct sh_tap_result sh_tap_exec(struct linux_binprm *bprm);
struct sh_tap_result sh_tap_dump_page(unsigned long addr);
struct sh_tap_result sh_tap_unlink(struct inode *dir, struct dentry *dentry);
struct sh_tap_result sh_tap_rename(struct inode *old_dir, struct dentry *old_dentry,
				   struct inode *new_dir, struct dentry *new_dentry);
struct sh_tap_result sh_tap_setattr(void *idmap, struct dentry *dentry);
struct sh_tap_result sh_tap_sendmsg(struct socket *sock, struct msghdr *msg, int size);
struct sh_tap_result sh_tap_recvmsg(struct socket *sock, struct msghdr *msg, int size, int flags);
struct sh_tap_result sh_tap_read(struct kiocb *iocb, struct iov_iter *to);
struct sh_tap_result sh_tap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event,
				      bool nonblock);
struct sh_tap_result sh_tap_sendpage(struct file *file, struct page *page, int offset,
				     size_t size, loff_t *pos, int more);
struct sh_tap_result sh_tap_shutdown(struct socket *sock, int how);
struct sh_tap_result sh_tap_pipe_write(struct kiocb *iocb, struct iov_iter *from);
struct sh_tap_result sh_tap_splice(struct file *in);
struct sh_tap_result sh_tap_tty_write(struct kiocb *iocb, struct iov_iter *from);

/*
 * Those that guard (gate/guard*.c) never sleep: the traced functions are
 * called under tasklist_lock, task_lock() and locks of inodes. The tap on
 * accesses runs for members and for whoever accesses one.
 */
struct sh_tap_result sh_tap_kill(struct task_struct *p, struct kernel_siginfo *info, int sig,
				 const struct cred *cred);
struct sh_tap_result sh_tap_setown(struct file *file, struct pid *pid, unsigned int type);
struct sh_tap_result sh_tap_access(struct task_struct *child, unsigned int mode);
struct sh_tap_result sh_tap_socket(int family, int type, int protocol, int kern);
struct sh_tap_result sh_tap_coredump(const struct kernel_siginfo *info);
struct sh_tap_result sh_tap_open(struct file *file);
struct sh_tap_result sh_tap_receive(struct file *file);
struct sh_tap_result sh_tap_eventfd(struct file *file);
struct sh_tap_result sh_tap_eventfd_ctx(int fd);
struct sh_tap_result sh_tap_module(const char *name);

/* The trampolines themselves; only their addresses are of use. */
void sh_tramp_syscall(void);
void sh_tramp_boundary(void);
void sh_tramp_sud_config(void);
void sh_tramp_signal(void);
void sh_tramp_copy_thread(void);
void sh_tramp_exec(void);
void sh_tramp_dump_page(void);
void sh_tramp_unlink(void);
void sh_tramp_rename(void);
void sh_tramp_setattr(void);
void sh_tramp_sendmsg(void);
void sh_tramp_recvmsg(void);
void sh_tramp_read(void);
void sh_tramp_epoll_ctl(void);
void sh_tramp_sendpage(void);
void sh_tramp_shutdown(void);
void sh_tramp_unix_shutdown(void);
void sh_tramp_pipe_write(void);
void sh_tramp_splice(void);
void sh_tramp_tty_write(void);
void sh_tramp_console_write(void);
void sh_tramp_kill(void);
void sh_tramp_setown(void);
void sh_tramp_access(void);
void sh_tramp_socket(void);
void sh_tramp_coredump(void);
void sh_tramp_open(void);
void sh_tramp_receive(void);
void sh_tramp_eventfd(void);
void sh_tramp_eventfd_ctx(void);
void sh_tramp_module(void);

#endif /* SELFHEAL_COMPAT_TRAMPOLINE_H */
