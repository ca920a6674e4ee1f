// SPDX-License-Identifier: GPL-2.0
/*
 * Installing and removing hooks. sh_hooks_lock serialises it; the users of a
 * group are counted without it, so that a policy can be freed anywhere.
 */
#define pr_fmt(fmt) "selfheal: " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../compat/direct.h"
#include "../compat/entry.h"
#include "../compat/symbols.h"
#include "../compat/trampoline.h"
#include "../domain/policy.h"
#include "../event.h"
#include "hooks.h"
#include "selftest.h"
#include "watch.h"

struct sh_hook {
	const char *symbol;
	void (*tramp)(void);
	const char *lost;
	u8 group;
	bool optional;		/* a kernel without the function needs no hook on it */
	u8 state;
	bool installed;		/* ftrace knows it; it may be lost all the same */
	bool pinning;		/* lost, and keeps the module */
	unsigned long addr;
	struct sh_direct direct;
};

#define SH_HOOK(g, s, t, opt, l) \
	{ .symbol = s, .tramp = t, .group = g, .optional = opt, .lost = l }

static struct sh_hook sh_hooks[] = {
	SH_HOOK(SH_HOOK_CORE, "syscall_user_dispatch", sh_tramp_syscall, false,
		"no system call of a member is seen; members die with SIGSYS"),
	SH_HOOK(SH_HOOK_CORE, "uprobe_notify_resume", sh_tramp_boundary, false,
		"children and new images of members are not members"),
	SH_HOOK(SH_HOOK_CORE, "get_signal", sh_tramp_signal, false,
		"faults are not seen, nor the end of a member that a signal kills"),
	SH_HOOK(SH_HOOK_CORE, "syscall_user_dispatch_set_config", sh_tramp_sud_config, true,
		"a tracer can clear a member's gate bit"),
	SH_HOOK(SH_HOOK_CORE, "get_dump_page", sh_tramp_dump_page, true,
		"core dumps under way go on while frozen"),
	SH_HOOK(SH_HOOK_EXEC, "security_bprm_check", sh_tramp_exec, false,
		"execs are neither judged nor matched"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_unlink", sh_tramp_unlink, false,
		"members remove guarded files"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_rename", sh_tramp_rename, false,
		"members replace guarded files"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_setattr", sh_tramp_setattr, false,
		"members truncate guarded files and change their modes"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_setxattr", sh_tramp_setattr, false,
		"members change extended attributes of guarded files"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_removexattr", sh_tramp_setattr, false,
		"members remove extended attributes of guarded files"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_set_acl", sh_tramp_setattr, true,
		"members change access lists of guarded files"),
	SH_HOOK(SH_HOOK_GUARD, "security_inode_remove_acl", sh_tramp_setattr, true,
		"members remove access lists of guarded files"),
	SH_HOOK(SH_HOOK_SOCKET, "security_socket_sendmsg", sh_tramp_sendmsg, false,
		"sends are not held"),
	SH_HOOK(SH_HOOK_SOCKET, "security_socket_create", sh_tramp_socket, false,
		"sockets are made whose output is not held"),
	SH_HOOK(SH_HOOK_SOCKET, "sock_sendpage", sh_tramp_sendpage, true,
		"sendfile and splice to a socket are not held"),
	SH_HOOK(SH_HOOK_SOCKET, "inet_shutdown", sh_tramp_shutdown, false,
		"a shutdown overtakes held data of an internet socket"),
	SH_HOOK(SH_HOOK_SOCKET, "unix_shutdown", sh_tramp_unix_shutdown, true,
		"a shutdown overtakes held data of a local socket"),
	SH_HOOK(SH_HOOK_PIPE, "pipe_write", sh_tramp_pipe_write, false,
		"writes to pipes are not held"),
	SH_HOOK(SH_HOOK_PIPE, "splice_file_to_pipe", sh_tramp_splice, false,
		"sendfile to a pipe is neither held nor refused"),
	SH_HOOK(SH_HOOK_TTY, "tty_write", sh_tramp_tty_write, false,
		"writes to terminals are not held"),
	SH_HOOK(SH_HOOK_TTY, "redirected_tty_write", sh_tramp_console_write, false,
		"writes to the console are not held"),
	SH_HOOK(SH_HOOK_SIGNAL, "security_task_kill", sh_tramp_kill, false,
		"signals leave the domain"),
	SH_HOOK(SH_HOOK_SIGNAL, "__f_setown", sh_tramp_setown, false,
		"asynchronous signals leave the domain"),
	SH_HOOK(SH_HOOK_ACCESS, "security_ptrace_access_check", sh_tramp_access, false,
		"members reach into other tasks, and other users into members"),
	SH_HOOK(SH_HOOK_DUMP, "do_coredump", sh_tramp_coredump, true,
		"core dumps of members are written"),
	SH_HOOK(SH_HOOK_OPEN, "security_file_open", sh_tramp_open, false,
		"members open devices and what steers the kernel"),
	SH_HOOK(SH_HOOK_RECEIVE, "security_file_receive", sh_tramp_receive, false,
		"members are sent descriptors past which nothing is held"),
	SH_HOOK(SH_HOOK_EVENTFD, "eventfd_write", sh_tramp_eventfd, true,
		"members signal outsiders by eventfds"),
	SH_HOOK(SH_HOOK_EVENTFD, "eventfd_ctx_fdget", sh_tramp_eventfd_ctx, true,
		"members have the kernel signal outsiders by eventfds"),
	SH_HOOK(SH_HOOK_MODULE, "security_kernel_module_request", sh_tramp_module, false,
		"members have the kernel load modules"),
	SH_HOOK(SH_HOOK_RESCUE, "copy_thread", sh_tramp_copy_thread, false,
		"no rescue point can be taken"),
	SH_HOOK(SH_HOOK_RESCUE, "security_socket_recvmsg", sh_tramp_recvmsg, false,
		"a rollback loses what threads not at fault have received"),
	SH_HOOK(SH_HOOK_RESCUE, "pipe_read", sh_tramp_read, true,
		"a rollback loses what threads not at fault have read from pipes"),
	SH_HOOK(SH_HOOK_RESCUE, "eventfd_read", sh_tramp_read, true,
		"a rollback loses what threads not at fault have read from eventfds"),
	SH_HOOK(SH_HOOK_RESCUE, "do_epoll_ctl", sh_tramp_epoll_ctl, false,
		"a rollback leaves epoll sets as they are"),
};

static DEFINE_MUTEX(sh_hooks_lock);
static atomic_t sh_hook_users[SH_HOOK_GROUPS];
static bool sh_hooks_pinned;

/* A hook that stands again, found by a request or before its removal. */
static void sh_hook_found(struct sh_hook *h)
{
	h->state = SELFHEAL_HOOK_STATE_ACTIVE;
	if (h->pinning)
		module_put(THIS_MODULE);
	h->pinning = false;
}

/* Until it stands again it cannot be removed, and we not unloaded. */
static void sh_hook_lost(struct sh_hook *h)
{
	h->state = SELFHEAL_HOOK_STATE_FAILED;
	h->pinning = try_module_get(THIS_MODULE);
}

static bool sh_hook_is_lost(const struct sh_hook *h)
{
	return h->installed && h->state == SELFHEAL_HOOK_STATE_FAILED;
}

static int sh_hook_try(struct sh_hook *h)
{
	int err = sh_direct_register(&h->direct, h->addr, h->tramp);

	if (err)
		return err;
	err = sh_selftest(&h->direct, h->symbol);
	if (err)
		sh_direct_unregister(&h->direct);
	return err;
}

static int sh_hook_install(struct sh_hook *h)
{
	int err;

	if (h->state == SELFHEAL_HOOK_STATE_ABSENT)
		return h->optional ? 0 : -EOPNOTSUPP;
	if (sh_hook_is_lost(h)) {
		if (!sh_hook_stands(&h->direct))
			return -EIO;
		sh_hook_found(h);
	}
	if (h->installed)
		return 0;
	err = sh_hook_try(h);
	h->installed = !err;
	h->state = err ? SELFHEAL_HOOK_STATE_FAILED : SELFHEAL_HOOK_STATE_ACTIVE;
	if (err)
		pr_err("cannot hook %s (%d): %s\n", h->symbol, err, h->lost);
	return err;
}

/*
 * A lost one stays: ftrace, surprised by its text, would switch itself off.
 * Unless our text goes, too: @last.
 */
static void sh_hook_remove(struct sh_hook *h, bool last)
{
	if (!h->installed || (!sh_hook_stands(&h->direct) && !last))
		return;
	if (sh_hook_is_lost(h))
		sh_hook_found(h);
	if (WARN_ON_ONCE(sh_direct_unregister(&h->direct)))
		return;
	h->installed = false;
	h->state = SELFHEAL_HOOK_STATE_IDLE;
}

/* Remove the groups that nobody uses. */
static void sh_hooks_trim(bool last)
{
	int i;

	mutex_lock(&sh_hooks_lock);
	for (i = ARRAY_SIZE(sh_hooks) - 1; i >= 0; i--)
		if (!atomic_read(&sh_hook_users[sh_hooks[i].group]))
			sh_hook_remove(&sh_hooks[i], last);
	if (sh_hooks_pinned && !atomic_read(&sh_hook_users[SH_HOOK_CORE])) {
		sh_direct_unpin();
		sh_hooks_pinned = false;
	}
	mutex_unlock(&sh_hooks_lock);
}

static void sh_hooks_trim_work(struct work_struct *work)
{
	sh_hooks_trim(false);
}

/*
 * Removing a hook takes a grace period of RCU-tasks each; whoever replaces
 * his last policy should not wait for a dozen of them.
 */
#define SH_HOOKS_LINGER	(2 * HZ)

static DECLARE_DELAYED_WORK(sh_hooks_work, sh_hooks_trim_work);

static void sh_hooks_release(struct sh_policy *p)
{
	bool idle = false;
	int g;

	for (g = 0; g < SH_HOOK_GROUPS; g++)
		if (p->hooks & BIT(g))
			idle |= atomic_dec_and_test(&sh_hook_users[g]);
	if (idle)
		mod_delayed_work(system_unbound_wq, &sh_hooks_work, SH_HOOKS_LINGER);
}

static u32 sh_hooks_needed(const struct sh_policy *p)
{
	bool tamper = p->tamper != SELFHEAL_TAMPER_ACTION_PASS;
	u32 need = BIT(SH_HOOK_CORE);

	if (p->exec_sense || p->match.nr)
		need |= BIT(SH_HOOK_EXEC);
	if (tamper)
		need |= BIT(SH_HOOK_GUARD) | BIT(SH_HOOK_MODULE);
	if (p->action[SELFHEAL_CHANNEL_SOCKET] != SELFHEAL_CHANNEL_ACTION_PASS)
		need |= BIT(SH_HOOK_SOCKET);
	if (p->action[SELFHEAL_CHANNEL_PIPE] != SELFHEAL_CHANNEL_ACTION_PASS)
		need |= BIT(SH_HOOK_PIPE);
	if (p->action[SELFHEAL_CHANNEL_TTY] != SELFHEAL_CHANNEL_ACTION_PASS)
		need |= BIT(SH_HOOK_TTY);
	if (sh_policy_denies(p, SELFHEAL_CHANNEL_SIGNAL) || tamper)
		need |= BIT(SH_HOOK_SIGNAL);
	if (!sh_policy_observes(p) || tamper)
		need |= BIT(SH_HOOK_ACCESS);
	if (sh_policy_skips_dumps(p))
		need |= BIT(SH_HOOK_DUMP);
	if (sh_policy_denies(p, SELFHEAL_CHANNEL_DEVICE) || tamper)
		need |= BIT(SH_HOOK_OPEN);
	if (tamper || sh_policy_denies(p, SELFHEAL_CHANNEL_DEVICE) ||
	    sh_policy_denies(p, SELFHEAL_CHANNEL_OTHER) ||
	    sh_policy_denies(p, SELFHEAL_CHANNEL_IPC) ||
	    (p->action[SELFHEAL_CHANNEL_SOCKET] != SELFHEAL_CHANNEL_ACTION_PASS &&
	     !sh_policy_observes(p)))
		need |= BIT(SH_HOOK_RECEIVE);
	if (sh_policy_denies(p, SELFHEAL_CHANNEL_IPC))
		need |= BIT(SH_HOOK_EVENTFD);
	if (p->rescue)
		need |= BIT(SH_HOOK_RESCUE);
	return need;
}

int sh_hooks_acquire(struct sh_policy *p, const char **symbol)
{
	u32 need = sh_hooks_needed(p);
	unsigned int i;
	int err = 0, g;

	mutex_lock(&sh_hooks_lock);
	for (g = 0; g < SH_HOOK_GROUPS; g++)
		if (need & BIT(g))
			atomic_inc(&sh_hook_users[g]);
	p->hooks = need;
	p->release = sh_hooks_release;
	for (i = 0; i < ARRAY_SIZE(sh_hooks) && !err; i++) {
		if (!(need & BIT(sh_hooks[i].group)))
			continue;
		err = sh_hook_install(&sh_hooks[i]);
		*symbol = sh_hooks[i].symbol;
	}
	sh_watch_start();
	if (!err && !sh_hooks_pinned) {
		/* A function that is all but never called, to hold ftrace on. */
		unsigned long addr = sh_symbol_lookup("syscall_user_dispatch_get_config");

		if (addr)
			sh_hooks_pinned = !sh_direct_pin(addr);
	}
	mutex_unlock(&sh_hooks_lock);
	return err;
}

bool sh_hooks_look(struct sh_hooks_lost *lost,
		   void (*report)(const char *symbol, const char *what))
{
	bool any = false;
	unsigned int i;

	mutex_lock(&sh_hooks_lock);
	for (i = 0; i < ARRAY_SIZE(sh_hooks); i++) {
		struct sh_hook *h = &sh_hooks[i];

		if (h->installed && !sh_hook_is_lost(h) && !sh_hook_stands(&h->direct)) {
			sh_hook_lost(h);
			report(h->symbol, h->lost);
		}
		/* Nobody needed it any more: it is removed as soon as it stands. */
		if (sh_hook_is_lost(h) && !atomic_read(&sh_hook_users[h->group]))
			sh_hook_remove(h, false);
		if (sh_hook_is_lost(h)) {
			lost->symbol[h->group] = h->symbol;
			lost->any = true;
		}
		any |= h->installed;
	}
	mutex_unlock(&sh_hooks_lock);
	return any;
}

bool sh_hook_info(unsigned int i, struct sh_hook_info *info)
{
	if (i >= ARRAY_SIZE(sh_hooks))
		return false;
	info->symbol = sh_hooks[i].symbol;
	info->lost = sh_hooks[i].lost;
	info->required = !sh_hooks[i].optional;
	info->state = READ_ONCE(sh_hooks[i].state);
	return true;
}

int sh_hooks_init(void)
{
	unsigned int i;
	int err = sh_entry_init();

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(sh_hooks); i++) {
		struct sh_hook *h = &sh_hooks[i];

		h->addr = sh_symbol_lookup(h->symbol);
		h->state = h->addr ? SELFHEAL_HOOK_STATE_IDLE : SELFHEAL_HOOK_STATE_ABSENT;
		if (!h->addr && !h->optional && h->group == SH_HOOK_CORE) {
			pr_err("this kernel has no %s: %s\n", h->symbol, h->lost);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

void sh_hooks_exit(void)
{
	sh_watch_stop();
	cancel_delayed_work_sync(&sh_hooks_work);
	sh_hooks_trim(true);
	/* Tasks that were preempted inside a trampoline or handler are out after this. */
	synchronize_rcu_tasks();
}
