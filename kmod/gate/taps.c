// SPDX-License-Identifier: GPL-2.0
/*
 * The remaining taps: signal delivery, exec, and output. Each finds the
 * member, takes a reference for the time it may sleep, and asks the stage
 * that decides.
 */
#include <linux/binfmts.h>
#include <linux/net.h>
#include <linux/sched/signal.h>
#include <linux/thread_info.h>
#include <linux/uio.h>

#include "../compat/trampoline.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../heal/epoll.h"
#include "../heal/replay.h"
#include "../heal/rescue.h"
#include "../quarantine/output.h"
#include "../quarantine/quarantine.h"
#include "../sense/sense.h"

struct sh_tap_result sh_tap_signal(struct ksignal *ksig)
{
	struct sh_member *m = sh_member_current();

	if (!m)
		return SH_TAP_CONTINUE;
	/* The signal may end the task: be told of it. */
	sh_member_arm(m);
	if (m->domain->policy->fault_mask && sh_member_hold_found(m)) {
		sh_sense_fault(m);
		sh_member_put(m);
	}
	return SH_TAP_CONTINUE;
}

/*
 * A page of current's memory is about to go into its core dump. A dump that is
 * under way when the domain freezes, asleep in the helper's pipe, stops here.
 */
struct sh_tap_result sh_tap_dump_page(unsigned long addr)
{
	struct sh_member *m = sh_member_current();

	if (!m || sh_state_runs(sh_domain_state(m->domain)) || !sh_member_hold_found(m))
		return SH_TAP_CONTINUE;
	sh_domain_stall(m);
	sh_member_put(m);
	return SH_TAP_CONTINUE;
}

/* Everybody's fork comes here; a rescue point's copy ends here. */
struct sh_tap_result sh_tap_copy_thread(struct task_struct *child)
{
	sh_rescue_keep(child);
	return SH_TAP_CONTINUE;
}

struct sh_tap_result sh_tap_exec(struct linux_binprm *bprm)
{
	struct sh_member *m = sh_member_current();
	struct sh_policy *p;
	bool allowed;

	if (!m || !sh_member_hold_found(m)) {
		p = sh_policy_match(file_inode(bprm->file));
		if (p)
			set_thread_flag(TIF_UPROBE);	/* lineage.c enrols it */
		sh_policy_put(p);
		return SH_TAP_CONTINUE;
	}
	allowed = sh_sense_exec(m, bprm->file);
	if (!allowed)
		m->exec_wait = true;
	sh_member_put(m);
	return allowed ? SH_TAP_CONTINUE : SH_TAP_SKIP(-ERESTARTNOINTR);
}

static ssize_t sh_output_result(struct sh_member *m, ssize_t ret)
{
	if (ret != SH_HOLD_KILL)
		return ret;
	sh_sense_overflow(m);
	return -EPIPE;
}

struct sh_tap_result sh_tap_sendmsg(struct socket *sock, struct msghdr *msg, int size)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !sh_output_concerns(m, SELFHEAL_CHANNEL_SOCKET) || !sh_member_hold_found(m))
		return r;
	if (sh_socket_output(m, sock, msg, size, false, &ret)) {
		/* 0 would be the LSMs' consent: the caller would send it. */
		if (!ret && size)
			ret = -ENOBUFS;
		r = SH_TAP_SKIP(sh_output_result(m, ret));
	}
	sh_member_put(m);
	return r;
}

struct sh_tap_result sh_tap_recvmsg(struct socket *sock, struct msghdr *msg, int size, int flags)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !m->domain->policy->rescue || !sh_member_hold_found(m))
		return r;
	if (sh_replay_recv(m, sock, msg, size, flags, &ret))
		r = SH_TAP_SKIP(ret);
	sh_member_put(m);
	return r;
}

/* Pipes and eventfds. */
struct sh_tap_result sh_tap_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !m->domain->policy->rescue || !sh_member_hold_found(m))
		return r;
	if (sh_replay_read(m, iocb, to, &ret))
		r = SH_TAP_SKIP(ret);
	sh_member_put(m);
	return r;
}

struct sh_tap_result sh_tap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event,
				      bool nonblock)
{
	struct sh_member *m = sh_member_current();
	int ret;

	if (!m || !m->domain->policy->rescue || !sh_member_hold_found(m))
		return SH_TAP_CONTINUE;
	ret = sh_epoll_ctl(m, epfd, op, fd, event, nonblock);
	sh_member_put(m);
	return SH_TAP_SKIP((long)ret);
}

struct sh_tap_result sh_tap_sendpage(struct file *file, struct page *page, int offset,
				     size_t size, loff_t *pos, int more)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !sh_output_concerns(m, SELFHEAL_CHANNEL_SOCKET) || !sh_member_hold_found(m))
		return r;
	if (sh_socket_output_page(m, file, page, offset, size, more ? MSG_MORE : 0, &ret))
		r = SH_TAP_SKIP(sh_output_result(m, ret));
	sh_member_put(m);
	return r;
}

struct sh_tap_result sh_tap_shutdown(struct socket *sock, int how)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	int ret;

	if (!m || !sh_member_hold_found(m))
		return r;
	if (sh_socket_shutdown(m, sock, how, &ret))
		r = SH_TAP_SKIP((long)ret);
	sh_member_put(m);
	return r;
}

struct sh_tap_result sh_tap_pipe_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !sh_output_concerns(m, SELFHEAL_CHANNEL_PIPE) || !sh_member_hold_found(m))
		return r;
	if (sh_pipe_output(m, iocb, from, &ret))
		r = SH_TAP_SKIP(sh_output_result(m, ret));
	sh_member_put(m);
	return r;
}

/* sendfile(2) from a file to a pipe moves pages past pipe_write(). */
struct sh_tap_result sh_tap_splice(struct file *in)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	int ret;

	if (!m || !sh_output_concerns(m, SELFHEAL_CHANNEL_PIPE) || !sh_member_hold_found(m))
		return r;
	ret = sh_pipe_splice(m);
	if (ret)
		r = SH_TAP_SKIP((long)ret);
	sh_member_put(m);
	return r;
}

struct sh_tap_result sh_tap_tty_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct sh_member *m = sh_member_current();
	struct sh_tap_result r = SH_TAP_CONTINUE;
	ssize_t ret;

	if (!m || !sh_output_concerns(m, SELFHEAL_CHANNEL_TTY) || !sh_member_hold_found(m))
		return r;
	if (sh_tty_output(m, iocb, from, &ret))
		r = SH_TAP_SKIP(sh_output_result(m, ret));
	sh_member_put(m);
	return r;
}
