/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a rescue point keeps of each thread: everything that is the thread's
 * own, at the entry of the call in which it waits for input.
 */
#ifndef SELFHEAL_HEAL_THREAD_H
#define SELFHEAL_HEAL_THREAD_H

#include <linux/ptrace.h>
#include <linux/refcount.h>
#include <linux/restart_block.h>
#include <linux/signal_types.h>
#include <linux/types.h>

#include "../compat/image.h"

struct cred;
struct nsproxy;
struct sh_member;

struct sh_thread {
	refcount_t ref;			/* points share what has not changed */
	struct sh_member *member;	/* reference */
	u64 syscalls;			/* the member's count at the wait */
	int nr;				/* the call that waits */
	const struct cred *cred;
	int pdeath_signal;
	struct nsproxy *nsproxy;	/* to compare, never followed */
	struct pt_regs regs;
	struct sh_cpu cpu;
	struct sh_rseq rseq;
	void __user *robust_list;
	int __user *set_child_tid, *clear_child_tid;
	unsigned long altstack_sp;
	size_t altstack_size;
	unsigned int altstack_flags;
	sigset_t blocked;
	struct restart_block restart;
};

/*
 * The state of @m, a thread of current's process: current at the entry of a
 * call, or one that sleeps in its wait and does not come back from it
 * meanwhile. NULL for want of memory. Process context, may sleep.
 */
struct sh_thread *sh_thread_take(struct sh_member *m);
void sh_thread_put(struct sh_thread *t);

static inline struct sh_thread *sh_thread_hold(struct sh_thread *t)
{
	refcount_inc(&t->ref);
	return t;
}

/*
 * The thread has made no call from @then to @now, both its own, that could have
 * changed the mappings of its process, as far as its trail tells.
 */
bool sh_thread_kept_mappings(const struct sh_thread *then, const struct sh_thread *now);

/*
 * The thread has executed nothing since: it is in that call still, or just
 * back from it. It is stopped.
 */
bool sh_thread_unchanged(const struct sh_thread *t);

/* Calls whose result is the input: their error drops the source it came from. */
bool sh_thread_takes_input(int nr);

/* Its call has taken input in since. It is stopped. */
bool sh_thread_took(const struct sh_thread *t);

/*
 * Current, whose address space is that of the point already, becomes what @t
 * says. Its call fails with @error if its result is the input (0: end of
 * file) and @poisoned, else it is made again. @faults are the signals to
 * forget. Process context without locks, on the way to user mode.
 */
void sh_thread_restore(struct sh_thread *t, bool poisoned, int error, u64 faults);

#endif /* SELFHEAL_HEAL_THREAD_H */
