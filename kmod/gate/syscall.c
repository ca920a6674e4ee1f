// SPDX-License-Identifier: GPL-2.0
/*
 * The system call gate: what a member does first in every call, before
 * seccomp, ptrace and audit. It records, passes, parks or denies.
 */
#include <linux/sched/signal.h>
#include <linux/thread_info.h>

#include <asm/syscall.h>

#include "../compat/trampoline.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../heal/replay.h"
#include "../heal/rescue.h"
#include "../quarantine/quarantine.h"
#include "../sense/sense.h"
#include "calls.h"
#include "judge.h"
#include "lineage.h"

static struct sh_args sh_call_args(const struct pt_regs *regs, unsigned int abi)
{
	if (abi == SH_ABI_32)
		return (struct sh_args){ { (u32)regs->bx, (u32)regs->cx, (u32)regs->dx,
					   (u32)regs->si } };
	return (struct sh_args){ { regs->di, regs->si, regs->dx, regs->r10 } };
}

static bool sh_gate_enter(struct sh_member *m, struct pt_regs *regs, unsigned int abi, u8 class)
{
	struct sh_quarantine *q = m->domain->quarantine;
	struct sh_args args = sh_call_args(regs, abi);
	unsigned int nr = regs->orig_ax;
	enum sh_judge judge = SH_JUDGE_NONE;
	bool rescue = m->domain->policy->rescue;
	u32 heals = m->heals;

	sh_domain_park(m);
	if (m->heals != heals)
		return true;
	if ((class & SH_CALL_NEVER) && !sh_sense_syscall(m, regs, abi == SH_ABI_32)) {
		if (m->heals == heals)
			regs->ax = -EINTR;
		return true;
	}
	if (m->heals != heals)
		return true;
	if (fatal_signal_pending(current)) {
		regs->ax = -EINTR;
		return true;
	}
	if (class & SH_CALL_JUDGE)
		judge = sh_call_judge(abi, nr);
	if ((class & SH_CALL_TAMPER) && sh_judge_reaches(judge, &args) &&
	    sh_sense_tamper(m, regs, sh_call_tampers(abi, nr))) {
		if (m->heals == heals)
			regs->ax = -EPERM;
		return true;
	}
	if ((class & SH_CALL_DENY) && sh_judge_concerns(judge, &args, m->domain)) {
		sh_count(SH_C_syscalls_denied);
		regs->ax = -EPERM;
		return true;
	}
	if ((rescue || !sh_quarantine_idle(q)) &&
	    ((class & SH_CALL_WAIT) || (judge && sh_judge_waits(judge, &args)))) {
		if (rescue && sh_rescue_wait(m, regs))
			return true;
		if (!sh_quarantine_idle(q))
			sh_quarantine_quiesce(m);
		/* What was closed may have let a verdict in. */
		if (m->heals != heals)
			return true;
		if (rescue && sh_replay_enter(m, regs))
			return true;
	}
	if (class & (SH_CALL_FORK | SH_CALL_EXEC | SH_CALL_PRCTL))
		return sh_lineage_enter(m, regs, class, args.v[0]);
	return false;
}

/*
 * The calls that are more than passing by. True: skip the call, regs->ax is
 * set. Not inline: its frame and registers would cost those that pass.
 */
static noinline bool sh_gate_slow(struct sh_member *m, struct pt_regs *regs, u8 class)
{
	bool skip;

	if (!sh_member_hold_found(m))
		return false;
	skip = sh_gate_enter(m, regs, in_ia32_syscall() ? SH_ABI_32 : SH_ABI_64, class);
	sh_member_put(m);
	return skip;
}

struct sh_tap_result sh_tap_syscall(struct pt_regs *regs)
{
	struct sh_member *m = sh_member_current();
	unsigned int nr = regs->orig_ax, abi;
	struct sh_trail *t;
	u8 class;

	/*
	 * A task that configured syscall user dispatch for itself; or one that
	 * left its domain after this call had begun.
	 */
	if (!m)
		return test_task_syscall_work(current, SYSCALL_USER_DISPATCH) ?
		       SH_TAP_CONTINUE : SH_TAP_SKIP(false);
	sh_member_arm(m);
	t = &m->trail[m->syscalls++ & SH_TRAIL_MASK];
	t->nr = nr;
	if (unlikely(in_ia32_syscall())) {
		abi = SH_ABI_32;
		t->ia32 = 1;
		t->args[0] = (u32)regs->bx;
		t->args[1] = (u32)regs->cx;
		t->args[2] = (u32)regs->dx;
	} else {
		abi = SH_ABI_64;
		t->ia32 = 0;
		t->args[0] = regs->di;
		t->args[1] = regs->si;
		t->args[2] = regs->dx;
	}
	class = nr < SH_CALLS ? m->domain->policy->call[abi][nr] : 0;
	if (unlikely(class || !sh_state_runs(sh_domain_state(m->domain))) &&
	    sh_gate_slow(m, regs, class))
		return SH_TAP_SKIP(true);
	if (unlikely(m->sud_on))
		return SH_TAP_CONTINUE;
	return SH_TAP_SKIP(false);
}
