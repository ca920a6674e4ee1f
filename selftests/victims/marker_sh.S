/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for /bin/sh where a test wants to know whether a shell ran at all:
 * its first instructions create the file "shell-ran" in the working directory.
 * Then it becomes "real-sh" of that directory with the same arguments.
 */
#include <asm/unistd.h>

	.text
	.globl	_start
_start:
	mov	$__NR_open, %eax
	lea	marker(%rip), %rdi
	mov	$0101, %esi		/* O_WRONLY | O_CREAT */
	mov	$0600, %edx
	syscall

	mov	$__NR_execve, %eax
	lea	shell(%rip), %rdi
	lea	8(%rsp), %rsi		/* argv */
	mov	(%rsp), %rdx		/* argc */
	lea	16(%rsp,%rdx,8), %rdx	/* environment */
	syscall

	mov	$__NR_exit_group, %eax
	mov	$126, %edi
	syscall

	.section .rodata
marker:	.asciz	"shell-ran"
shell:	.asciz	"real-sh"

	.section .note.GNU-stack, "", @progbits
