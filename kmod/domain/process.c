// SPDX-License-Identifier: GPL-2.0
/* See process.h. */
#include <linux/file.h>
#include <linux/freezer.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "../compat/image.h"
#include "domain.h"
#include "member.h"
#include "process.h"
#include "record.h"

struct sh_process *sh_process_new(struct pid *pid)
{
	struct sh_process *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	refcount_set(&p->ref, 1);
	INIT_LIST_HEAD(&p->node);
	INIT_LIST_HEAD(&p->threads);
	init_waitqueue_head(&p->turn);
	p->pid = get_pid(pid);
	return p;
}

void sh_process_put(struct sh_process *p)
{
	if (!p || !refcount_dec_and_test(&p->ref))
		return;
	put_pid(p->pid);
	kfree(p);
}

struct sh_process *sh_process_join(struct sh_member *m)
{
	struct sh_domain *d = m->domain;
	struct sh_process *p, *spare = NULL;

	lockdep_assert_held(&d->lock);
	list_for_each_entry(p, &d->processes, node) {
		if (p->pid == m->pid) {
			spare = m->process;
			refcount_inc(&p->ref);
			m->process = p;
			break;
		}
	}
	if (!spare)
		list_add_tail(&m->process->node, &d->processes);
	list_add_tail(&m->sibling, &m->process->threads);
	return spare;
}

void sh_process_leave(struct sh_member *m)
{
	lockdep_assert_held(&m->domain->lock);
	list_del(&m->sibling);
	if (list_empty(&m->process->threads))
		list_del_init(&m->process->node);
}

bool sh_member_waits(const struct sh_member *m)
{
	struct pt_regs regs;

	/* A page fault, an interrupt or a handler has other registers than the call. */
	return READ_ONCE(m->waits) == READ_ONCE(m->syscalls) && sh_task_regs(m->task, &regs) &&
	       (int)regs.orig_ax >= 0 && regs.ip == m->wait_ip && regs.sp == m->wait_sp;
}

static struct file *sh_socket_at(unsigned int fd)
{
	struct file *file = fget(fd);

	if (file && !sock_from_file(file)) {
		fput(file);
		file = NULL;
	}
	return file;
}

void sh_process_note(struct sh_member *m)
{
	const struct pt_regs *regs = task_pt_regs(current);

	if (!m->domain->policy->rescue || in_ia32_syscall() || !sh_member_waits(m))
		return;
	m->answered = m->syscalls;
	m->answer = regs->ax;
	if (m->record && m->answer >= 0 &&
	    (regs->orig_ax == __NR_accept || regs->orig_ax == __NR_accept4))
		sh_record_accept(m->record, sh_socket_at(m->answer));
}

void sh_process_hold(struct sh_member *m)
{
	struct sh_process *p = m->process;

	if (!READ_ONCE(p->still) || READ_ONCE(p->taker) == m || !sh_member_waits(m))
		return;
	WRITE_ONCE(m->back, true);
	wait_event_state(p->turn, !READ_ONCE(p->still), (TASK_KILLABLE | TASK_FREEZABLE));
	WRITE_ONCE(m->back, false);
}
