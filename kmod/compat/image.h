/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a rescue point needs of a process and no module is given: a copy of
 * its address space without a task, the change to it, the registers that the
 * kernel does not touch, and descriptors by number. All of it is for current.
 */
#ifndef SELFHEAL_COMPAT_IMAGE_H
#define SELFHEAL_COMPAT_IMAGE_H

#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/signal_types.h>
#include <linux/types.h>

struct file;
struct pt_regs;

/* 0, or -EOPNOTSUPP and a line in the log when this kernel lacks a function. */
int sh_image_init(void);

/*
 * Copy current's address space, copy on write, into *@copy with a user
 * reference. There never is a second task: a fork is begun that fails when it
 * asks for a pid, and the tap on copy_thread(), by which all copies are made
 * and nothing is visible, calls sh_image_keep() with the half-made task.
 * -ERESTARTNOINTR when a signal is pending, else what a fork would say.
 * Process context without locks, may sleep.
 */
int sh_image_copy(struct mm_struct **copy);

/* The tap's part. Does not sleep. */
void sh_image_keep(struct mm_struct **copy, const struct task_struct *half_made);

/*
 * Current goes on in @mm, whose user reference it takes over; the old one is
 * put, and freed by a worker. *@entered tells whether another thread of its process has done so before,
 * and is set under the process's exec_update_lock. -EINTR when a fatal signal
 * is pending, then nothing has changed, the reference included.
 * Process context without locks, on the way to user mode, may sleep.
 */
int sh_image_switch(struct mm_struct *mm, bool *entered);

/* The end of current alone, as exit(2). Its process goes on. */
void __noreturn sh_task_exit(void);

/* Registers that are not in pt_regs. */
struct sh_cpu {
	unsigned long fsbase;
	unsigned long gsbase;
	u32 pkru;
	unsigned int fpu_size;
	void *fpu;
#ifdef CONFIG_X86_USER_SHADOW_STACK
	unsigned long features;
	unsigned long features_locked;
	struct thread_shstk shstk;
#endif
};

/* False when @task, current or asleep in a call, uses segments that are more than a base address. */
bool sh_cpu_plain(const struct task_struct *task);
/*
 * The same for what @task had in its registers when it entered the kernel: the
 * kernel saves it when the task is switched out, and changes nothing of it
 * before the task is back in user mode. -ENOMEM.
 */
int sh_cpu_save(struct sh_cpu *cpu, struct task_struct *task);
void sh_cpu_restore(const struct sh_cpu *cpu);
void sh_cpu_free(struct sh_cpu *cpu);

/* The user registers of a task that is stopped; false when it is dead by now. Any context. */
bool sh_task_regs(struct task_struct *task, struct pt_regs *regs);

/* The registration of restartable sequences. */
struct sh_rseq {
	void __user *area;
	u32 len;
	u32 sig;
};

void sh_rseq_save(struct sh_rseq *r, const struct task_struct *task);
void sh_rseq_restore(const struct sh_rseq *r);

/* As dup2(2) onto @fd, with a reference of its own. */
int sh_fd_replace(unsigned int fd, struct file *file, bool cloexec);
void sh_fd_set_cloexec(unsigned int fd, bool cloexec);

/* siglock held. Take one pending signal of @set away; false when there is none. */
bool sh_signal_take(u64 set);

#endif /* SELFHEAL_COMPAT_IMAGE_H */
