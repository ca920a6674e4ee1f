// SPDX-License-Identifier: GPL-2.0
/* See thread.h. */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include <asm/unistd.h>

#include "../domain/member.h"
#include "../domain/record.h"
#include "thread.h"

/*
 * The signal mask outside the call: ppoll() and its kin, and sigtimedwait(),
 * have one of their own while they sleep.
 */
static sigset_t sh_blocked(struct task_struct *task)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	sigset_t set;

	/* A thread of current's process, so with its handlers. */
	spin_lock_irq(&sighand->siglock);
	if (test_tsk_restore_sigmask(task))
		set = task->saved_sigmask;
	else if (!sigisemptyset(&task->real_blocked))
		set = task->real_blocked;
	else
		set = task->blocked;
	spin_unlock_irq(&sighand->siglock);
	return set;
}

static const struct cred *sh_task_cred(struct task_struct *task)
{
	const struct cred *cred;

	/* Changed by the task itself only, which is current or asleep. */
	rcu_read_lock();
	cred = get_cred(rcu_dereference(task->cred));
	rcu_read_unlock();
	return cred;
}

struct sh_thread *sh_thread_take(struct sh_member *m)
{
	struct task_struct *task = m->task;
	struct sh_thread *t = kvzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);

	if (!t)
		return NULL;
	if (!sh_task_regs(task, &t->regs) || sh_cpu_save(&t->cpu, task)) {
		kvfree(t);
		return NULL;
	}
	refcount_set(&t->ref, 1);
	sh_member_hold(m);
	t->member = m;
	t->syscalls = READ_ONCE(m->syscalls);
	t->nr = t->regs.orig_ax;
	t->cred = sh_task_cred(task);
	t->pdeath_signal = task->pdeath_signal;
	t->nsproxy = READ_ONCE(task->nsproxy);
	sh_rseq_save(&t->rseq, task);
	t->robust_list = task->robust_list;
	t->set_child_tid = task->set_child_tid;
	t->clear_child_tid = task->clear_child_tid;
	t->altstack_sp = task->sas_ss_sp;
	t->altstack_size = task->sas_ss_size;
	t->altstack_flags = task->sas_ss_flags;
	t->blocked = sh_blocked(task);
	t->restart = task->restart_block;
	return t;
}

void sh_thread_put(struct sh_thread *t)
{
	if (!t || !refcount_dec_and_test(&t->ref))
		return;
	if (t->cred)
		put_cred(t->cred);
	sh_cpu_free(&t->cpu);
	sh_member_put(t->member);
	kvfree(t);
}

bool sh_thread_unchanged(const struct sh_thread *t)
{
	const struct pt_regs *then = &t->regs;
	struct pt_regs now;

	return t->syscalls == READ_ONCE(t->member->syscalls) &&
	       sh_task_regs(t->member->task, &now) &&
	       now.ip == then->ip && now.sp == then->sp && now.bx == then->bx &&
	       now.bp == then->bp && now.r12 == then->r12 && now.r13 == then->r13 &&
	       now.r14 == then->r14 && now.r15 == then->r15;
}

/* Calls after which the mappings of the process are what they were: those that servers live on. */
static bool sh_call_keeps_mappings(const struct sh_trail *call)
{
	if (call->ia32)
		return false;
	switch (call->nr) {
	case __NR_read:
	case __NR_write:
	case __NR_open:
	case __NR_close:
	case __NR_stat:
	case __NR_fstat:
	case __NR_lstat:
	case __NR_poll:
	case __NR_lseek:
	case __NR_rt_sigprocmask:
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_readv:
	case __NR_writev:
	case __NR_select:
	case __NR_sched_yield:
	case __NR_nanosleep:
	case __NR_getpid:
	case __NR_sendfile:
	case __NR_socket:
	case __NR_connect:
	case __NR_accept:
	case __NR_sendto:
	case __NR_recvfrom:
	case __NR_sendmsg:
	case __NR_recvmsg:
	case __NR_shutdown:
	case __NR_getsockname:
	case __NR_getpeername:
	case __NR_setsockopt:
	case __NR_fcntl:
	case __NR_gettimeofday:
	case __NR_gettid:
	case __NR_time:
	case __NR_futex:
	case __NR_clock_gettime:
	case __NR_clock_nanosleep:
	case __NR_epoll_wait:
	case __NR_epoll_ctl:
	case __NR_openat:
	case __NR_newfstatat:
	case __NR_pselect6:
	case __NR_ppoll:
	case __NR_epoll_pwait:
	case __NR_accept4:
	case __NR_preadv:
	case __NR_pwritev:
	case __NR_recvmmsg:
	case __NR_sendmmsg:
		return true;
	default:
		return false;
	}
}

bool sh_thread_kept_mappings(const struct sh_thread *then, const struct sh_thread *now)
{
	const struct sh_member *m = now->member;
	u64 i;

	if (now->syscalls - then->syscalls > SELFHEAL_TRAIL_MAX)
		return false;
	for (i = then->syscalls; i < now->syscalls; i++)
		if (!sh_call_keeps_mappings(&m->trail[i & SH_TRAIL_MASK]))
			return false;
	return true;
}

static void sh_cred_restore(struct sh_thread *t)
{
	unsigned long dumpable = READ_ONCE(current->mm->flags) & MMF_DUMPABLE_MASK;

	if (current_cred() != t->cred) {
		/* Takes over the reference, and resets what the next two lines put back. */
		commit_creds((struct cred *)t->cred);
		t->cred = NULL;
	}
	set_mask_bits(&current->mm->flags, MMF_DUMPABLE_MASK, dumpable);
	current->pdeath_signal = t->pdeath_signal;
}

static void sh_signals_restore(const struct sh_thread *t, u64 faults)
{
	struct task_struct *tsk = current;
	/* Current's own, which only its exit takes away. */
	struct sighand_struct *sighand = rcu_dereference_protected(tsk->sighand, true);

	tsk->sas_ss_sp = t->altstack_sp;
	tsk->sas_ss_size = t->altstack_size;
	tsk->sas_ss_flags = t->altstack_flags;
	spin_lock_irq(&sighand->siglock);
	while (sh_signal_take(faults))
		;
	tsk->blocked = t->blocked;
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
	/* The state is that of before the call may have changed the mask. */
	clear_restore_sigmask();
}

bool sh_thread_takes_input(int nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_readv:
	case __NR_pread64:
	case __NR_preadv:
	case __NR_preadv2:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_recvmmsg:
	case __NR_mq_timedreceive:
	case __NR_msgrcv:
		return true;
	default:
		return false;
	}
}

bool sh_thread_took(const struct sh_thread *t)
{
	const struct sh_member *m = t->member;
	const struct sh_record *r = m->record;
	struct pt_regs now;

	if (!sh_thread_takes_input(t->nr))
		return false;
	if (m->answered == t->syscalls)
		return m->answer > 0 && !(r && r->call == t->syscalls && r->peeks);
	/* Not back from it as far as is known: asleep in it, or about to begin it. */
	return !sh_thread_unchanged(t) || (sh_task_regs(m->task, &now) && (long)now.ax > 0);
}

static void sh_regs_restore(const struct sh_thread *t, bool poisoned, int error)
{
	struct pt_regs *regs = task_pt_regs(current);

	*regs = t->regs;
	if (poisoned && sh_thread_takes_input(t->nr)) {
		regs->ax = error;
	} else {
		/* As for any restarted call: the two bytes of syscall. */
		regs->ax = t->nr;
		regs->ip -= 2;
	}
	/* Nothing for the signal code to restart. */
	regs->orig_ax = -1;
}

void sh_thread_restore(struct sh_thread *t, bool poisoned, int error, u64 faults)
{
	struct task_struct *tsk = current;

	sh_cred_restore(t);
	sh_signals_restore(t, faults);
	tsk->restart_block = t->restart;
	tsk->robust_list = t->robust_list;
	tsk->set_child_tid = t->set_child_tid;
	tsk->clear_child_tid = t->clear_child_tid;
	sh_rseq_restore(&t->rseq);
	sh_cpu_restore(&t->cpu);
	sh_regs_restore(t, poisoned, error);
}
