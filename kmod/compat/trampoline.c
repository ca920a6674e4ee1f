// SPDX-License-Identifier: GPL-2.0
/*
 * The assembly of the taps; see trampoline.h. Reached by direct calls (and
 * returns) only, so without ENDBR. Written after the kernel's own
 * ftrace entry code (arch/x86/kernel/ftrace_64.S) and its rules for objtool.
 */
#include <linux/binfmts.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <linux/sched.h>
#include <linux/thread_info.h>

#include <asm/unwind_hints.h>

#include "kernel.h"
#include "trampoline.h"

#if SH_KERNEL_6_1
#define SH_ASM_CURRENT	"%%gs:current_task"
#else
#define SH_ASM_CURRENT	"%%gs:pcpu_hot+%c[cur](%%rip)"
#endif

u64 sh_exec_filter;
struct task_struct *sh_probe_task;
unsigned int sh_probe_hits;

/* Answers in the place of the function when current tries the hook: entry.c. */
#define SH_ASM_PROBE							\
	"	movq	" SH_ASM_CURRENT ", %%r11\n"			\
	"	cmpq	%%r11, sh_probe_task(%%rip)\n"			\
	"	jne	2f\n"						\
	"	incl	sh_probe_hits(%%rip)\n"				\
	"	movq	%[probe], %%rax\n"				\
	"	leaq	8(%%rsp), %%rsp\n"				\
	UNWIND_HINT_FUNC						\
	ASM_RET								\
	"2:\n"

/*
 * Frame at entry: 0(%rsp) behind the fentry call, 8(%rsp) the traced
 * function's return address. All six argument registers survive a handler
 * that says continue. On skip the first word is dropped, so the return goes
 * to the traced function's caller: UNWIND_HINT_FUNC tells the unwinder (and
 * objtool) that the frame is that of a function at its entry again.
 */
#define SH_ASM_VERDICT(restore)						\
	"	testq	%%rax, %%rax\n"					\
	"	movq	%%rdx, %%rax\n"					\
	restore								\
	"	jnz	3f\n"						\
	ASM_RET								\
	"3:	leaq	8(%%rsp), %%rsp\n"				\
	UNWIND_HINT_FUNC						\
	ASM_RET

#define SH_ASM_HANDLER(handler)						\
	SH_ASM_PROBE							\
	"	pushq	%%rdi\n"					\
	"	pushq	%%rsi\n"					\
	"	pushq	%%rdx\n"					\
	"	pushq	%%rcx\n"					\
	"	pushq	%%r8\n"						\
	"	pushq	%%r9\n"						\
	"	call	" handler "\n"					\
	SH_ASM_VERDICT("	popq	%%r9\n"				\
		       "	popq	%%r8\n"				\
		       "	popq	%%rcx\n"			\
		       "	popq	%%rdx\n"			\
		       "	popq	%%rsi\n"			\
		       "	popq	%%rdi\n")

/* The same for a traced function of one argument, where each push counts. */
#define SH_ASM_HANDLER_1(handler)					\
	SH_ASM_PROBE							\
	"	pushq	%%rdi\n"					\
	"	call	" handler "\n"					\
	SH_ASM_VERDICT("	popq	%%rdi\n")

#define SH_ASM_MEMBER							\
	"	movq	" SH_ASM_CURRENT ", %%r11\n"			\
	"	testl	%[bit], %c[work](%%r11)\n"			\
	"	jnz	1f\n"						\
	ASM_RET								\
	"1:\n"

/* Current, or the task that is the first argument. */
#define SH_ASM_MEMBERS							\
	"	movq	" SH_ASM_CURRENT ", %%r11\n"			\
	"	testl	%[bit], %c[work](%%r11)\n"			\
	"	jnz	1f\n"						\
	"	testl	%[bit], %c[work](%%rdi)\n"			\
	"	jnz	1f\n"						\
	ASM_RET								\
	"1:\n"

#define SH_ASM_EXEC							\
	"	movq	" SH_ASM_CURRENT ", %%r11\n"			\
	"	testl	%[bit], %c[work](%%r11)\n"			\
	"	jnz	1f\n"						\
	"	movq	%c[bfile](%%rdi), %%r11\n"			\
	"	movq	%c[finode](%%r11), %%r11\n"			\
	"	movq	%c[iino](%%r11), %%r11\n"			\
	"	movq	sh_exec_filter(%%rip), %%rax\n"			\
	"	btq	%%r11, %%rax\n"					\
	"	jc	1f\n"						\
	ASM_RET								\
	"1:\n"

#define SH_ASM_TAP(name, filter, call)					\
	asm volatile(							\
	".pushsection .text.selfheal, \"ax\", @progbits\n"		\
	"	.balign	16\n"						\
	"	.globl	" name "\n"					\
	"	.type	" name ", @function\n"				\
	name ":\n"							\
	ANNOTATE_NOENDBR						\
	filter								\
	call								\
	"	.size	" name ", .-" name "\n"				\
	".popsection\n"							\
	: : [bit] "i" (SYSCALL_WORK_SYSCALL_USER_DISPATCH),		\
	    [work] "i" (offsetof(struct task_struct, thread_info.syscall_work)), \
	    [bfile] "i" (offsetof(struct linux_binprm, file)),		\
	    [finode] "i" (offsetof(struct file, f_inode)),		\
	    [iino] "i" (offsetof(struct inode, i_ino)),			\
	    [probe] "i" (SH_PROBE_VALUE),				\
	    [cur] "i" (SH_CURRENT_OFFSET))

#if SH_KERNEL_6_1
#define SH_CURRENT_OFFSET	0
#else
#define SH_CURRENT_OFFSET	offsetof(struct pcpu_hot, current_task)
#endif

/* Never called: it only carries the operands of the assembly. */
static void __used sh_trampolines(void)
{
	SH_ASM_TAP("sh_tramp_syscall", "", SH_ASM_HANDLER_1("sh_tap_syscall"));
	SH_ASM_TAP("sh_tramp_boundary", "", SH_ASM_HANDLER_1("sh_tap_boundary"));
	SH_ASM_TAP("sh_tramp_sud_config", "", SH_ASM_HANDLER("sh_tap_sud_config"));
	SH_ASM_TAP("sh_tramp_signal", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_signal"));
	SH_ASM_TAP("sh_tramp_unlink", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_unlink"));
	SH_ASM_TAP("sh_tramp_rename", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_rename"));
	SH_ASM_TAP("sh_tramp_setattr", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_setattr"));
	SH_ASM_TAP("sh_tramp_copy_thread", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_copy_thread"));
	SH_ASM_TAP("sh_tramp_dump_page", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_dump_page"));
	SH_ASM_TAP("sh_tramp_exec", SH_ASM_EXEC, SH_ASM_HANDLER_1("sh_tap_exec"));
	SH_ASM_TAP("sh_tramp_sendmsg", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_sendmsg"));
	SH_ASM_TAP("sh_tramp_recvmsg", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_recvmsg"));
	SH_ASM_TAP("sh_tramp_read", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_read"));
	SH_ASM_TAP("sh_tramp_epoll_ctl", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_epoll_ctl"));
	SH_ASM_TAP("sh_tramp_sendpage", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_sendpage"));
	SH_ASM_TAP("sh_tramp_shutdown", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_shutdown"));
	SH_ASM_TAP("sh_tramp_unix_shutdown", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_shutdown"));
	SH_ASM_TAP("sh_tramp_pipe_write", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_pipe_write"));
	SH_ASM_TAP("sh_tramp_splice", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_splice"));
	SH_ASM_TAP("sh_tramp_tty_write", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_tty_write"));
	SH_ASM_TAP("sh_tramp_kill", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_kill"));
	SH_ASM_TAP("sh_tramp_setown", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_setown"));
	SH_ASM_TAP("sh_tramp_access", SH_ASM_MEMBERS, SH_ASM_HANDLER("sh_tap_access"));
	SH_ASM_TAP("sh_tramp_socket", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_socket"));
	SH_ASM_TAP("sh_tramp_coredump", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_coredump"));
	SH_ASM_TAP("sh_tramp_open", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_open"));
	SH_ASM_TAP("sh_tramp_receive", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_receive"));
	SH_ASM_TAP("sh_tramp_eventfd", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_eventfd"));
	SH_ASM_TAP("sh_tramp_eventfd_ctx", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_eventfd_ctx"));
	SH_ASM_TAP("sh_tramp_module", SH_ASM_MEMBER, SH_ASM_HANDLER_1("sh_tap_module"));
	SH_ASM_TAP("sh_tramp_console_write", SH_ASM_MEMBER, SH_ASM_HANDLER("sh_tap_tty_write"));
}
