// SPDX-License-Identifier: GPL-2.0
/* Resolution of unexported symbols; see symbols.h. Written once at load. */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/static_call.h>
#include <linux/task_work.h>

#include "kernel.h"
#include "symbols.h"

#define SH_FENTRY_SIZE	5
#define SH_ENDBR_SIZE	4
#define SH_ENDBR	0xfa1e0ff3u
#define SH_ENDBR_SEALED	0x001f0f66u

static void sh_no_task_work_run(void)
{
}

static struct pid *sh_no_pidfd_pid(const struct file *file)
{
	return ERR_PTR(-EBADF);
}

DEFINE_STATIC_CALL(sh_sc_pidfd_pid, sh_no_pidfd_pid);

static void sh_no_eventpoll_release(struct file *file)
{
}

static int sh_no_socket_sendmsg(struct socket *sock, struct msghdr *msg, int size)
{
	return -EOPNOTSUPP;
}

static int sh_no_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event, bool nonblock)
{
	return -EOPNOTSUPP;
}

DEFINE_STATIC_CALL(sh_sc_epoll_ctl, sh_no_epoll_ctl);

static struct callback_head *sh_no_work_cancel(struct task_struct *task,
					       bool (*match)(struct callback_head *, void *),
					       void *data)
{
	return NULL;
}

DEFINE_STATIC_CALL(sh_sc_work_cancel, sh_no_work_cancel);
DEFINE_STATIC_CALL(sh_sc_task_work_run, sh_no_task_work_run);
DEFINE_STATIC_CALL(sh_sc_eventpoll_release, sh_no_eventpoll_release);
DEFINE_STATIC_CALL(sh_sc_socket_sendmsg, sh_no_socket_sendmsg);

/* kallsyms_lookup_name() is not exported either, but a kprobe on it tells where it is. */
static unsigned long sh_no_lookup(const char *name)
{
	return 0;
}

DEFINE_STATIC_CALL(sh_sc_lookup, sh_no_lookup);

unsigned long sh_symbol_lookup(const char *name)
{
	return static_call(sh_sc_lookup)(name);
}

unsigned long sh_symbol_fentry(unsigned long addr)
{
	u32 insn = *(u32 *)addr;

	return insn == SH_ENDBR || insn == SH_ENDBR_SEALED ? addr + SH_ENDBR_SIZE : addr;
}

/* First instruction behind the call to ftrace, where our tap does not see it. */
static unsigned long sh_behind_fentry(unsigned long addr)
{
	return sh_symbol_fentry(addr) + SH_FENTRY_SIZE;
}

int sh_symbols_init(void)
{
	/*
	 * Never armed: its address is all that is wanted, and what cannot be disarmed for want
	 * of memory would stay known to the kernel, on a stack that has gone.
	 */
	struct kprobe kp = {
		.symbol_name = "kallsyms_lookup_name",
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long run, cancel, release, sendmsg, pidfd, epoll;
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("cannot find kallsyms_lookup_name (%d): is CONFIG_KALLSYMS on?\n", err);
		return err;
	}
	unregister_kprobe(&kp);
	static_call_update(sh_sc_lookup, (unsigned long (*)(const char *))kp.addr);

	run = sh_symbol_lookup("task_work_run");
	cancel = sh_symbol_lookup("task_work_cancel_match");
	release = sh_symbol_lookup("eventpoll_release_file");
	sendmsg = sh_symbol_lookup("security_socket_sendmsg");
	pidfd = sh_symbol_lookup("pidfd_pid");
	epoll = sh_symbol_lookup("do_epoll_ctl");
	if (!run || !cancel || !release || !sendmsg || !pidfd || !epoll) {
		pr_err("kernel lacks %s: CONFIG_KALLSYMS, EPOLL and SECURITY_NETWORK are needed\n",
		       !run ? "task_work_run" : !cancel ? "task_work_cancel_match" :
		       !release ? "eventpoll_release_file" :
		       !sendmsg ? "security_socket_sendmsg" :
		       !pidfd ? "pidfd_pid" : "do_epoll_ctl");
		return -EOPNOTSUPP;
	}
	static_call_update(sh_sc_pidfd_pid, (struct pid *(*)(const struct file *))pidfd);
	static_call_update(sh_sc_task_work_run, (void (*)(void))run);
	static_call_update(sh_sc_work_cancel,
			   (struct callback_head *(*)(struct task_struct *,
			    bool (*)(struct callback_head *, void *), void *))cancel);
	static_call_update(sh_sc_eventpoll_release, (void (*)(struct file *))release);
	static_call_update(sh_sc_socket_sendmsg,
			   (int (*)(struct socket *, struct msghdr *, int))
			   sh_behind_fentry(sendmsg));
	static_call_update(sh_sc_epoll_ctl,
			   (int (*)(int, int, int, struct epoll_event *, bool))
			   sh_behind_fentry(epoll));
	return 0;
}

void sh_task_work_run(void)
{
	static_call(sh_sc_task_work_run)();
}

struct pid *sh_pidfd_pid(const struct file *file)
{
	return static_call(sh_sc_pidfd_pid)(file);
}

bool sh_task_work_cancel(struct task_struct *task,
			 bool (*match)(struct callback_head *head, void *data), void *data)
{
	return static_call(sh_sc_work_cancel)(task, match, data);
}

void sh_eventpoll_release(struct file *file)
{
	if (READ_ONCE(file->f_ep))
		static_call(sh_sc_eventpoll_release)(file);
}

int sh_lsm_socket_sendmsg(struct socket *sock, struct msghdr *msg, int size)
{
	int err = static_call(sh_sc_socket_sendmsg)(sock, msg, size);

	/* Not a tail call: the frame must name this module while LSMs run. */
	barrier();
	return err;
}

int sh_do_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event, bool nonblock)
{
	int err = static_call(sh_sc_epoll_ctl)(epfd, op, fd, event, nonblock);

	/* As above, while the file's own poll() runs. */
	barrier();
	return err;
}
