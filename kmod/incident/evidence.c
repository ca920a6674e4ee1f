// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence of the current task, taken once, at the moment of detection, with
 * the task's siblings already stopping. Whatever cannot be read is left out.
 */
#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat/task.h"
#include "../counters.h"
#include "incident.h"

static char *sh_path_text(struct file *file)
{
	char *buf, *path, *text = NULL;

	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return NULL;
	path = d_path(&file->f_path, buf, PATH_MAX);
	if (!IS_ERR(path))
		text = kstrdup(path, GFP_KERNEL);
	kfree(buf);
	return text;
}

char *sh_task_exe(struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	struct file *file;
	char *text;

	if (!mm)
		return NULL;
	file = sh_mm_exe_file(mm);
	mmput(mm);
	if (!file)
		return NULL;
	text = sh_path_text(file);
	fput(file);
	return text;
}

static void sh_collect_identity(struct sh_incident *inc)
{
	const struct cred *cred = current_cred();

	inc->tid = task_pid_nr(current);
	inc->pid = task_tgid_nr(current);
	rcu_read_lock();
	inc->ppid = task_tgid_nr(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	get_task_comm(inc->comm, current);
	inc->uid = from_kuid_munged(&init_user_ns, cred->uid);
	inc->euid = from_kuid_munged(&init_user_ns, cred->euid);
	inc->gid = from_kgid_munged(&init_user_ns, cred->gid);
	inc->egid = from_kgid_munged(&init_user_ns, cred->egid);
	inc->cap_effective = sh_cap_bits(cred->cap_effective);
}

static void sh_collect_regs(struct sh_incident *inc, const struct pt_regs *r)
{
	inc->regs = (struct sh_regs){
		.ip = r->ip, .sp = r->sp, .flags = r->flags,
		.ax = r->ax, .bx = r->bx, .cx = r->cx, .dx = r->dx,
		.si = r->si, .di = r->di, .bp = r->bp,
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11,
		.r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
	};
}

/* By frame pointer, which a corrupted stack may have lost: stops at the first doubt. */
static void sh_collect_stack(struct sh_incident *inc, const struct pt_regs *r)
{
	u64 frame[2], fp = r->bp;
	u32 n = 0;

	inc->stack_len = SH_STACK_MAX -
			 copy_from_user(inc->stack, (void __user *)r->sp, SH_STACK_MAX);
	inc->backtrace[n++] = r->ip;
	while (n < SH_BACKTRACE_MAX && fp >= r->sp && !(fp & 7) &&
	       !copy_from_user(frame, (void __user *)fp, sizeof(frame)) && frame[1]) {
		inc->backtrace[n++] = frame[1];
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	inc->nr_backtrace = n;
}

static u32 sh_mapping_flags(unsigned long flags)
{
	return (flags & VM_READ ? 1 : 0) | (flags & VM_WRITE ? 2 : 0) |
	       (flags & VM_EXEC ? 4 : 0) | (flags & VM_SHARED ? 8 : 0);
}

static void sh_collect_memory(struct sh_incident *inc, const struct pt_regs *r)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long start, len;
	struct file *exe = NULL, *file = NULL;

	if (!mm || mmap_read_lock_killable(mm))
		return;
	vma = find_vma(mm, r->ip);
	if (vma && vma->vm_start <= r->ip) {
		inc->mapping_start = vma->vm_start;
		inc->mapping_end = vma->vm_end;
		inc->mapping_offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
		inc->mapping_flags = sh_mapping_flags(vma->vm_flags);
		if (vma->vm_file)
			file = get_file(vma->vm_file);
		else if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack)
			inc->mapping_path = kstrdup("[stack]", GFP_KERNEL);
		else if (vma->vm_start <= mm->brk && vma->vm_end >= mm->start_brk)
			inc->mapping_path = kstrdup("[heap]", GFP_KERNEL);
		else
			inc->mapping_path = kstrdup("[anon]", GFP_KERNEL);
	}
	start = mm->arg_start;
	len = min_t(unsigned long, mm->arg_end - start, SH_CMDLINE_MAX);
	exe = sh_mm_exe_file(mm);
	mmap_read_unlock(mm);

	if (file) {
		inc->mapping_path = sh_path_text(file);
		fput(file);
	}
	if (exe) {
		inc->exe = sh_path_text(exe);
		fput(exe);
	}
	inc->cmdline_len = len - copy_from_user(inc->cmdline, (void __user *)start, len);
}

static void sh_collect_trail(struct sh_incident *inc, const struct sh_member *m)
{
	u64 n = min_t(u64, m->syscalls, SELFHEAL_TRAIL_MAX), i;

	for (i = 0; i < n; i++)
		inc->trail[i] = m->trail[(m->syscalls - n + i) & SH_TRAIL_MASK];
	inc->nr_trail = n;
}

void sh_evidence_collect(struct sh_incident *inc, struct sh_member *m,
			 const struct sh_evidence *ev, struct pt_regs *regs)
{
	inc->has_task = true;
	inc->signal = ev->signal;
	inc->signal_code = ev->signal_code;
	inc->fault_address = ev->fault_address;
	inc->nr = ev->nr;
	inc->arch = ev->ia32 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
	sh_collect_identity(inc);
	sh_collect_regs(inc, regs);
	sh_collect_stack(inc, regs);
	sh_collect_memory(inc, regs);
	sh_collect_trail(inc, m);
	if (ev->target)
		inc->target = sh_path_text(ev->target);
	if (!inc->exe || (ev->target && !inc->target))
		sh_count(SH_C_evidence_failed);
}
