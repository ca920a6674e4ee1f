/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the gate does with each system call. Every number of both ABIs is
 * decided in one table (calls.c); a policy compiles its own byte for each.
 */
#ifndef SELFHEAL_GATE_CALLS_H
#define SELFHEAL_GATE_CALLS_H

#include <linux/types.h>

struct sh_policy;

#define SH_CALL_WAIT	0x01	/* waits for input */
#define SH_CALL_JUDGE	0x02	/* its registers tell: judge.h */
#define SH_CALL_FORK	0x04
#define SH_CALL_EXEC	0x08
#define SH_CALL_PRCTL	0x10
#define SH_CALL_TAMPER	0x20	/* reaches for the kernel under the monitor; with JUDGE, as DENY */
#define SH_CALL_NEVER	0x40	/* the syscall sensor */
#define SH_CALL_DENY	0x80	/* with JUDGE: if its registers say so */

/* The bits above that are properties of the call itself; 0 for an unknown one. */
u8 sh_call_class(unsigned int abi, unsigned int nr);

/* By which registers it is judged: enum sh_judge. */
u8 sh_call_judge(unsigned int abi, unsigned int nr);

/* What a call of SH_CALL_TAMPER reaches for; a constant, or NULL. */
const char *sh_call_tampers(unsigned int abi, unsigned int nr);

/* Fill @p->call from its bitmaps and channel rules. */
void sh_calls_compile(struct sh_policy *p);

#endif /* SELFHEAL_GATE_CALLS_H */
