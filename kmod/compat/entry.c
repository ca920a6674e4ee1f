// SPDX-License-Identifier: GPL-2.0
/* See entry.h. */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>

#include "direct.h"
#include "entry.h"
#include "symbols.h"
#include "trampoline.h"

#define SH_INSN_CALL	0xe8

struct sh_insn_call {
	u8 opcode;
	s32 offset;
} __packed;

static unsigned long sh_ftrace_callers[2];

static unsigned long sh_no_find_direct(unsigned long ip)
{
	return 0;
}

static int sh_no_is_dead(void)
{
	return 1;
}

static unsigned long sh_no_probed(void)
{
	return 0;
}

DEFINE_STATIC_CALL(sh_sc_find_direct, sh_no_find_direct);
DEFINE_STATIC_CALL(sh_sc_is_dead, sh_no_is_dead);
DEFINE_STATIC_CALL(sh_sc_probed, sh_no_probed);

int sh_entry_init(void)
{
	unsigned long find = sh_symbol_lookup("ftrace_find_rec_direct");
	unsigned long dead = sh_symbol_lookup("ftrace_is_dead");

	sh_ftrace_callers[0] = sh_symbol_lookup("ftrace_caller");
	sh_ftrace_callers[1] = sh_symbol_lookup("ftrace_regs_caller");
	if (!find || !dead || !sh_ftrace_callers[0] || !sh_ftrace_callers[1]) {
		pr_err("this kernel has no %s: hooks cannot be verified\n",
		       !find ? "ftrace_find_rec_direct" : !dead ? "ftrace_is_dead" :
		       !sh_ftrace_callers[0] ? "ftrace_caller" : "ftrace_regs_caller");
		return -EOPNOTSUPP;
	}
	static_call_update(sh_sc_find_direct, (unsigned long (*)(unsigned long))find);
	static_call_update(sh_sc_is_dead, (int (*)(void))dead);
	return 0;
}

/* The trampoline that ftrace itself calls for this function. */
static unsigned long sh_entry_registered(unsigned long ip)
{
	unsigned long tramp;

	preempt_disable_notrace();	/* the table is freed after an RCU grace period */
	tramp = static_call(sh_sc_find_direct)(ip);
	preempt_enable_notrace();
	return tramp;
}

enum sh_entry sh_entry_look(const struct sh_direct *d)
{
	unsigned long ip = sh_symbol_fentry(d->addr), target;
	struct sh_insn_call insn;

	if (static_call(sh_sc_is_dead)() ||
	    copy_from_kernel_nofault(&insn, (void *)ip, sizeof(insn)) ||
	    insn.opcode != SH_INSN_CALL || sh_entry_registered(ip) != d->tramp)
		return SH_ENTRY_LOST;
	target = ip + sizeof(insn) + insn.offset;
	if (target == d->tramp)
		return SH_ENTRY_DIRECT;
	return target == sh_ftrace_callers[0] || target == sh_ftrace_callers[1] ?
	       SH_ENTRY_SHARED : SH_ENTRY_LOST;
}

bool sh_entry_probe(const struct sh_direct *d)
{
	bool marked = test_task_syscall_work(current, SYSCALL_USER_DISPATCH);
	unsigned long ret, flags;
	unsigned int hits;

	static_call_update(sh_sc_probed, (unsigned long (*)(void))d->addr);
	/* Nothing else of this task calls a tapped function meanwhile. */
	local_irq_save(flags);
	set_task_syscall_work(current, SYSCALL_USER_DISPATCH);
	hits = READ_ONCE(sh_probe_hits);
	WRITE_ONCE(sh_probe_task, current);
	ret = static_call(sh_sc_probed)();
	WRITE_ONCE(sh_probe_task, NULL);
	if (!marked)
		clear_task_syscall_work(current, SYSCALL_USER_DISPATCH);
	local_irq_restore(flags);
	return ret == SH_PROBE_VALUE && READ_ONCE(sh_probe_hits) == hits + 1;
}
