// SPDX-License-Identifier: GPL-2.0
/* See image.h. The symbols are resolved once at load. */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/rseq.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fsgsbase.h>
#include <asm/pkru.h>
#include <asm/prctl.h>

#include "image.h"
#include "kernel.h"
#include "symbols.h"

/* One more than any namespace is deep: alloc_pid() refuses it before it does anything. */
#define SH_NO_PID	(MAX_PID_NS_LEVEL + 2)

static pid_t sh_no_clone(struct kernel_clone_args *args)
{
	return -EOPNOTSUPP;
}

static void sh_no_switch(struct mm_struct *prev, struct mm_struct *next, struct task_struct *tsk)
{
}

static void sh_no_mm(struct mm_struct *mm)
{
}

static void sh_no_task(struct task_struct *task)
{
}

static void sh_no_exit(long code)
{
}

static void sh_no_fpu(struct fpu *fpu)
{
}

static long sh_no_prctl(struct task_struct *task, int option, unsigned long arg)
{
	return -EOPNOTSUPP;
}

static int sh_no_replace(unsigned int fd, struct file *file, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static void sh_no_cloexec(unsigned int fd, int flag)
{
}

DEFINE_STATIC_CALL(sh_sc_clone, sh_no_clone);
DEFINE_STATIC_CALL(sh_sc_switch_mm, sh_no_switch);
DEFINE_STATIC_CALL(sh_sc_membarrier, sh_no_mm);
DEFINE_STATIC_CALL(sh_sc_next_owner, sh_no_mm);
DEFINE_STATIC_CALL(sh_sc_lru_gen_add, sh_no_mm);
DEFINE_STATIC_CALL(sh_sc_sync_rss, sh_no_mm);
DEFINE_STATIC_CALL(sh_sc_cid_before, sh_no_task);
DEFINE_STATIC_CALL(sh_sc_cid_after, sh_no_task);
DEFINE_STATIC_CALL(sh_sc_put_stack, sh_no_task);
DEFINE_STATIC_CALL(sh_sc_exit, sh_no_exit);
DEFINE_STATIC_CALL(sh_sc_fpu_sync, sh_no_fpu);
DEFINE_STATIC_CALL(sh_sc_arch_prctl, sh_no_prctl);
DEFINE_STATIC_CALL(sh_sc_replace_fd, sh_no_replace);
DEFINE_STATIC_CALL(sh_sc_cloexec, sh_no_cloexec);

/* Where the configuration leaves a function out there is nothing to do for it either. */
#define SH_RESOLVE(call, name, needed) ({					\
	unsigned long addr = sh_symbol_lookup(name);				\
										\
	if (addr)								\
		static_call_update(call, (typeof(&STATIC_CALL_TRAMP(call)))addr); \
	else if (needed)							\
		pr_err("this kernel has no %s: there can be no rescue points\n", name); \
	addr || !(needed) ? 0 : -EOPNOTSUPP;					\
})

int sh_image_init(void)
{
	return SH_RESOLVE(sh_sc_clone, "kernel_clone", true) ?:
	       SH_RESOLVE(sh_sc_switch_mm, "switch_mm", true) ?:
	       SH_RESOLVE(sh_sc_membarrier, "membarrier_update_current_mm",
			  IS_ENABLED(CONFIG_MEMBARRIER)) ?:
	       SH_RESOLVE(sh_sc_next_owner, "mm_update_next_owner", IS_ENABLED(CONFIG_MEMCG)) ?:
	       SH_RESOLVE(sh_sc_lru_gen_add, "lru_gen_add_mm", IS_ENABLED(CONFIG_LRU_GEN)) ?:
	       SH_RESOLVE(sh_sc_sync_rss, "sync_mm_rss", false) ?:
	       SH_RESOLVE(sh_sc_cid_before, "sched_mm_cid_before_execve",
			  IS_ENABLED(CONFIG_SCHED_MM_CID)) ?:
	       SH_RESOLVE(sh_sc_cid_after, "sched_mm_cid_after_execve",
			  IS_ENABLED(CONFIG_SCHED_MM_CID)) ?:
	       SH_RESOLVE(sh_sc_put_stack, "put_task_stack", true) ?:
	       SH_RESOLVE(sh_sc_exit, "do_exit", true) ?:
	       SH_RESOLVE(sh_sc_fpu_sync, "fpu_sync_fpstate", true) ?:
	       SH_RESOLVE(sh_sc_arch_prctl, "do_arch_prctl_64", true) ?:
	       SH_RESOLVE(sh_sc_replace_fd, "replace_fd", true) ?:
	       SH_RESOLVE(sh_sc_cloexec, "set_close_on_exec", true);
}

void sh_image_keep(struct mm_struct **copy, const struct task_struct *half_made)
{
	if (*copy || !half_made->mm || half_made->mm == current->mm)
		return;
	mmget(half_made->mm);
	*copy = half_made->mm;
}

int sh_image_copy(struct mm_struct **copy)
{
	struct kernel_clone_args args = {
		/* Descriptors and directories are not copied: the point has its own list. */
		.flags = CLONE_UNTRACED | CLONE_FILES | CLONE_FS,
		.set_tid_size = SH_NO_PID,
	};
	pid_t ret;

	*copy = NULL;
	ret = static_call(sh_sc_clone)(&args);
	if (*copy)
		return 0;
	/* The fork failed as planned, but nobody kept the copy: the tap is gone. */
	return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

void __noreturn sh_task_exit(void)
{
	static_call(sh_sc_exit)(0);
	BUG();
}

int sh_image_switch(struct mm_struct *mm, bool *entered)
{
	struct task_struct *tsk = current;
	struct mm_struct *old = tsk->mm;
	int err;

	static_call(sh_sc_sync_rss)(old);
	/* As exec does: whoever looks at this process sees one image or the other. */
	err = down_write_killable(&tsk->signal->exec_update_lock);
	if (err)
		return err;
	static_call(sh_sc_cid_before)(tsk);
	task_lock(tsk);
	local_irq_disable();
	tsk->active_mm = mm;
	tsk->mm = mm;
	static_call(sh_sc_membarrier)(mm);
	static_call(sh_sc_switch_mm)(old, mm, tsk);
	local_irq_enable();
	/* membarrier(2) relies on one between the store to ->mm and user mode. */
	smp_mb();
#ifdef CONFIG_MEMCG
	rcu_assign_pointer(mm->owner, tsk);
#endif
	if (!*entered)
		static_call(sh_sc_lru_gen_add)(mm);
	*entered = true;
	task_unlock(tsk);
	lru_gen_use_mm(mm);
	static_call(sh_sc_cid_after)(tsk);
	up_write(&tsk->signal->exec_update_lock);

	setmax_mm_hiwater_rss(&tsk->signal->maxrss, old);
	static_call(sh_sc_next_owner)(old);
	/* What takes as long as it is large is not for the process to wait for. */
	mmput_async(old);
	return 0;
}

bool sh_cpu_plain(const struct task_struct *task)
{
	if (task == current)
		current_save_fsgs();
	return task->thread.fsindex <= 3 && task->thread.gsindex <= 3;
}

int sh_cpu_save(struct sh_cpu *cpu, struct task_struct *task)
{
	struct thread_struct *thread = &task->thread;
	struct fpstate *fpstate = thread->fpu.fpstate;
	const void *regs = &fpstate->regs;

	cpu->fpu_size = fpstate->size;
	cpu->fpu = kvmalloc(cpu->fpu_size, GFP_KERNEL_ACCOUNT);
	if (!cpu->fpu)
		return -ENOMEM;
	if (task == current) {
		static_call(sh_sc_fpu_sync)(&thread->fpu);
		current_save_fsgs();
	}
	fpregs_lock();
	memcpy(cpu->fpu, regs, cpu->fpu_size);
	fpregs_unlock();
	cpu->fsbase = thread->fsbase;
	cpu->gsbase = thread->gsbase;
	cpu->pkru = task == current ? read_pkru() : thread->pkru;
#ifdef CONFIG_X86_USER_SHADOW_STACK
	cpu->features = thread->features;
	cpu->features_locked = thread->features_locked;
	cpu->shstk = thread->shstk;
#endif
	return 0;
}

void sh_cpu_restore(const struct sh_cpu *cpu)
{
	struct fpu *fpu = &current->thread.fpu;
	void *regs = &fpu->fpstate->regs;

	OPTIMIZER_HIDE_VAR(regs);
	fpregs_lock();
	/* A state that has grown since takes the smaller one: XRSTOR goes by its header. */
	memcpy(regs, cpu->fpu, min(cpu->fpu_size, fpu->fpstate->size));
	/* What the CPU holds is void; the exit to user mode loads this instead. */
	fpu->last_cpu = -1;
	set_thread_flag(TIF_NEED_FPU_LOAD);
	fpregs_unlock();

	static_call(sh_sc_arch_prctl)(current, ARCH_SET_FS, cpu->fsbase);
	static_call(sh_sc_arch_prctl)(current, ARCH_SET_GS, cpu->gsbase);
	write_pkru(cpu->pkru);
#ifdef CONFIG_X86_USER_SHADOW_STACK
	current->thread.features = cpu->features;
	current->thread.features_locked = cpu->features_locked;
	current->thread.shstk = cpu->shstk;
#endif
}

void sh_cpu_free(struct sh_cpu *cpu)
{
	kvfree(cpu->fpu);
	cpu->fpu = NULL;
}

bool sh_task_regs(struct task_struct *task, struct pt_regs *regs)
{
	/* A dead task's stack goes before its task_struct. */
	if (!try_get_task_stack(task))
		return false;
	*regs = *task_pt_regs(task);
	static_call(sh_sc_put_stack)(task);
	return true;
}

void sh_rseq_save(struct sh_rseq *r, const struct task_struct *task)
{
#ifdef CONFIG_RSEQ
	r->area = task->rseq;
	r->sig = task->rseq_sig;
#if !SH_KERNEL_6_1
	r->len = task->rseq_len;
#endif
#endif
}

void sh_rseq_restore(const struct sh_rseq *r)
{
#ifdef CONFIG_RSEQ
	current->rseq = r->area;
	current->rseq_sig = r->sig;
#if !SH_KERNEL_6_1
	current->rseq_len = r->len;
#endif
	/* The memory tells of the CPU at the time of the copy. */
	rseq_set_notify_resume(current);
#endif
}

int sh_fd_replace(unsigned int fd, struct file *file, bool cloexec)
{
	return static_call(sh_sc_replace_fd)(fd, file, cloexec ? O_CLOEXEC : 0);
}

void sh_fd_set_cloexec(unsigned int fd, bool cloexec)
{
	static_call(sh_sc_cloexec)(fd, cloexec);
}

bool sh_signal_take(u64 set)
{
	sigset_t others = {};
	kernel_siginfo_t info;
	enum pid_type type;

	others.sig[0] = ~set;
#if SH_KERNEL_6_1
	return dequeue_signal(current, &others, &info, &type) > 0;
#else
	return dequeue_signal(&others, &info, &type) > 0;
#endif
}
