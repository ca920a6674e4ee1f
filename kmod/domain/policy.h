/* SPDX-License-Identifier: GPL-2.0 */
/* Policies as the kernel holds them: compiled at load, immutable afterwards. */
#ifndef SELFHEAL_DOMAIN_POLICY_H
#define SELFHEAL_DOMAIN_POLICY_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "../limits.h"
#include "damp.h"

struct inode;

/*
 * A file by identity, not by path: a rename keeps it, a replaced file is
 * another one. Nothing is pinned, so a file system can still be unmounted.
 */
struct sh_file_id {
	dev_t dev;
	u32 generation;
	u64 ino;
};

struct sh_file_set {
	u32 nr;
	struct sh_file_id *ids;
	char **paths;		/* as loaded, for people */
};

/* One file that a loaded policy matches. */
struct sh_match {
	struct hlist_node node;
	const struct sh_file_id *id;
	struct sh_policy *policy;
};

#define SH_CHANNELS	(SELFHEAL_CHANNEL_DEVICE + 1)
#define SH_ABI_64	0
#define SH_ABI_32	1
#define SH_ABIS		2
#define SH_CALLS	(SELFHEAL_SYSMAP_LEN * 8)

struct sh_policy {
	struct kref ref;
	u64 serial;		/* position in dumps */
	u64 stamp;
	char name[SELFHEAL_POLICY_NAME_MAX + 1];
	u32 flags;
	u8 action[SH_CHANNELS];
	u8 overflow;
	u8 tamper;		/* enum selfheal_tamper_action */
	u8 default_verdict;
	u8 rescue;		/* enum selfheal_rescue */
	u16 rescue_errno;	/* 0: end of file */
	bool exec_sense;
	u32 commit;
	u32 commit_delay_ms;
	u32 deadline_ms;
	u32 kill_limit;		/* kills by rule or deadline a window, 0 for no limit */
	u32 kill_window_ms;
	struct sh_damp kills;	/* the same, and those that were */
	u64 max_bytes;
	u64 fault_mask;
	struct sh_file_set match;
	struct sh_match *matches;	/* the same in the table of them, once loaded */
	struct sh_file_set allow;
	u8 never[SH_ABIS][SELFHEAL_SYSMAP_LEN];
	u8 deny[SH_ABIS][SELFHEAL_SYSMAP_LEN];
	u8 pass[SH_ABIS][SELFHEAL_SYSMAP_LEN];	/* whatever their channel says */
	u8 call[SH_ABIS][SH_CALLS];	/* what the gate does: calls.h */
	atomic_t domains;	/* live domains made with it */
	u32 source_len;
	u8 *source;
	u32 hooks;		/* what its loader acquired for it ... */
	void (*release)(struct sh_policy *p);	/* ... and gives back; may be atomic */
};

static inline bool sh_policy_observes(const struct sh_policy *p)
{
	return p->flags & SELFHEAL_POLICY_FLAG_OBSERVE;
}

static inline bool sh_policy_holds(const struct sh_policy *p)
{
	return p->action[SELFHEAL_CHANNEL_SOCKET] == SELFHEAL_CHANNEL_ACTION_HOLD ||
	       p->action[SELFHEAL_CHANNEL_PIPE] == SELFHEAL_CHANNEL_ACTION_HOLD ||
	       p->action[SELFHEAL_CHANNEL_TTY] == SELFHEAL_CHANNEL_ACTION_HOLD;
}

static inline bool sh_policy_denies(const struct sh_policy *p, enum selfheal_channel c)
{
	return p->action[c] == SELFHEAL_CHANNEL_ACTION_DENY && !sh_policy_observes(p);
}

/* Some output is not let out at once. */
static inline bool sh_policy_confines(const struct sh_policy *p)
{
	return p->action[SELFHEAL_CHANNEL_SOCKET] != SELFHEAL_CHANNEL_ACTION_PASS ||
	       p->action[SELFHEAL_CHANNEL_PIPE] != SELFHEAL_CHANNEL_ACTION_PASS ||
	       p->action[SELFHEAL_CHANNEL_TTY] != SELFHEAL_CHANNEL_ACTION_PASS;
}

static inline bool sh_policy_skips_dumps(const struct sh_policy *p)
{
	return sh_policy_confines(p) && !sh_policy_observes(p) &&
	       !(p->flags & SELFHEAL_POLICY_FLAG_CORE_DUMP);
}

/* What the call that took poisoned input returns after a rollback. */
static inline int sh_policy_error(const struct sh_policy *p)
{
	return -(int)p->rescue_errno;
}

/* Process context; the result has one reference. */
struct sh_policy *sh_policy_alloc(void);
void sh_policy_put(struct sh_policy *p);

/* Process context, may sleep. Resolves @path in the caller's namespace. -ENOENT, -ENOSPC, -ENOMEM. */
int sh_file_set_add(struct sh_file_set *set, const char *path, u32 max);
struct sh_file_id sh_file_id_of(const struct inode *inode);
bool sh_file_id_equal(const struct sh_file_id *a, const struct sh_file_id *b);
bool sh_file_set_has(const struct sh_file_set *set, const struct inode *inode);

/*
 * The table of loaded policies. Changes are serialised by the caller
 * (control/, under its mutex); look-ups run in any process context.
 */
int sh_policy_publish(struct sh_policy *p);		/* replaces one of the same name */
int sh_policy_withdraw(const char *name);
struct sh_policy *sh_policy_find(const char *name);	/* with a reference, or NULL */
struct sh_policy *sh_policy_next(u64 *serial);		/* first with serial >= *serial */
/* Of those that match @inode the one loaded first, with a reference, or NULL. Does not sleep. */
struct sh_policy *sh_policy_match(const struct inode *inode);
unsigned int sh_policy_count(void);
u64 sh_policy_generation(void);				/* changes with the table */
void sh_policy_exit(void);

#endif /* SELFHEAL_DOMAIN_POLICY_H */
