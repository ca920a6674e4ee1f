/* SPDX-License-Identifier: GPL-2.0 */
/* The table of hooks, installed in groups while a policy needs them. */
#ifndef SELFHEAL_GATE_HOOKS_H
#define SELFHEAL_GATE_HOOKS_H

#include <linux/types.h>

struct sh_policy;

enum sh_hook_group {
	SH_HOOK_CORE,		/* gate, lineage, signals: every policy */
	SH_HOOK_EXEC,
	SH_HOOK_GUARD,		/* names and attributes of guarded files */
	SH_HOOK_SOCKET,
	SH_HOOK_PIPE,
	SH_HOOK_TTY,
	SH_HOOK_SIGNAL,
	SH_HOOK_ACCESS,
	SH_HOOK_DUMP,
	SH_HOOK_OPEN,
	SH_HOOK_RECEIVE,
	SH_HOOK_EVENTFD,
	SH_HOOK_MODULE,
	SH_HOOK_RESCUE,
	SH_HOOK_GROUPS,
};

struct sh_hook_info {
	const char *symbol;
	const char *lost;
	u32 state;		/* enum selfheal_hook_state */
	bool required;
};

/* Resolves every symbol; -EOPNOTSUPP, and a line in the log, when a core one is missing. */
int sh_hooks_init(void);

/* Uninstalls everything and waits until no task is in our text. No policy is left. */
void sh_hooks_exit(void);

/*
 * Install what @p needs and note it in the policy; sh_policy_put() of the
 * last reference gives it back. -EOPNOTSUPP when this kernel lacks a hook,
 * -EBUSY when another module sits on it; *@symbol names it. May sleep.
 */
int sh_hooks_acquire(struct sh_policy *p, const char **symbol);

/* By group: the symbol of a hook that is needed and does not fire, or NULL. */
struct sh_hooks_lost {
	bool any;
	const char *symbol[SH_HOOK_GROUPS];
};

/*
 * Look at every installed hook; @report is called, under our lock, for each
 * that has been found lost just now. False when none is installed. May sleep.
 */
bool sh_hooks_look(struct sh_hooks_lost *lost,
		   void (*report)(const char *symbol, const char *what));

/* The @i-th hook; false beyond the last. */
bool sh_hook_info(unsigned int i, struct sh_hook_info *info);

#endif /* SELFHEAL_GATE_HOOKS_H */
