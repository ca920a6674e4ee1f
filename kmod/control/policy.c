// SPDX-License-Identifier: GPL-2.0
/* Requests about policies: decode, check, publish; and encode. */
#include <linux/ctype.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "../domain/policy.h"
#include "../event.h"
#include "../gate/calls.h"
#include "../gate/hooks.h"
#include "control.h"

/* Serialises load and unload, so that a policy is all there or not at all. */
static DEFINE_MUTEX(sh_control_policy_lock);

#define SH_NL_NAME	{ .type = NLA_NUL_STRING, .len = SELFHEAL_POLICY_NAME_MAX }
#define SH_NL_PATH	{ .type = NLA_NUL_STRING, .len = SELFHEAL_PATH_MAX }
#define SH_NL_ACTION	NLA_POLICY_MAX(NLA_U32, SELFHEAL_CHANNEL_ACTION_DENY)
#define SH_NL_SYSMAP	NLA_POLICY_EXACT_LEN(SELFHEAL_SYSMAP_LEN)

const struct nla_policy sh_nl_policy_load[SELFHEAL_A_POLICY_MAX + 1] = {
	[SELFHEAL_A_POLICY_NAME] = SH_NL_NAME,
	[SELFHEAL_A_POLICY_FLAGS] = NLA_POLICY_MASK(NLA_U32, SELFHEAL_POLICY_FLAG_OBSERVE |
						    SELFHEAL_POLICY_FLAG_FAULT_HANDLED |
						    SELFHEAL_POLICY_FLAG_CORE_DUMP),
	[SELFHEAL_A_POLICY_MATCH_EXE] = SH_NL_PATH,
	[SELFHEAL_A_POLICY_HOLD_SOCKET] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_PIPE] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_TTY] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_OTHER] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_SIGNAL] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_IPC] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_HOLD_DEVICE] = SH_NL_ACTION,
	[SELFHEAL_A_POLICY_COMMIT] = NLA_POLICY_MASK(NLA_U32, SELFHEAL_COMMIT_QUIESCE |
						     SELFHEAL_COMMIT_DELAY),
	[SELFHEAL_A_POLICY_COMMIT_DELAY] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_MAX_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_POLICY_OVERFLOW] = NLA_POLICY_MAX(NLA_U32, SELFHEAL_OVERFLOW_COMMIT),
	[SELFHEAL_A_POLICY_FAULT_MASK] = { .type = NLA_U64 },
	[SELFHEAL_A_POLICY_EXEC_SENSE] = { .type = NLA_FLAG },
	[SELFHEAL_A_POLICY_EXEC_ALLOW] = SH_NL_PATH,
	[SELFHEAL_A_POLICY_SYSCALL_NEVER] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_SYSCALL_DENY] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_SYSCALL_DENY_IA32] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_SYSCALL_PASS] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_SYSCALL_PASS_IA32] = SH_NL_SYSMAP,
	[SELFHEAL_A_POLICY_TAMPER] = NLA_POLICY_MAX(NLA_U32, SELFHEAL_TAMPER_ACTION_PASS),
	[SELFHEAL_A_POLICY_KILL_LIMIT] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_KILL_WINDOW] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_DEFAULT_VERDICT] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_DEADLINE] = { .type = NLA_U32 },
	[SELFHEAL_A_POLICY_RESCUE] = NLA_POLICY_MAX(NLA_U32, SELFHEAL_RESCUE_WAIT),
	[SELFHEAL_A_POLICY_RESCUE_ERRNO] = NLA_POLICY_MAX(NLA_U32, MAX_ERRNO),
	[SELFHEAL_A_POLICY_SOURCE] = { .type = NLA_BINARY, .len = SELFHEAL_SOURCE_MAX },
};

const struct nla_policy sh_nl_policy_name[SELFHEAL_A_POLICY_MAX + 1] = {
	[SELFHEAL_A_POLICY_NAME] = SH_NL_NAME,
};

static bool sh_name_valid(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("._-", *c)))
			return false;
	return c != name;
}

static u32 sh_get_u32(struct genl_info *info, int attr, u32 def)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : def;
}

static u64 sh_get_u64(struct genl_info *info, int attr, u64 def)
{
	return info->attrs[attr] ? nla_get_u64(info->attrs[attr]) : def;
}

#define SH_REFUSE(info, attr, text) ({						\
	NL_SET_ERR_MSG_ATTR((info)->extack, (info)->attrs[attr], text);		\
	-EINVAL;								\
})

static int sh_decode_hold(struct sh_policy *p, struct genl_info *info)
{
	u32 def = SELFHEAL_CHANNEL_ACTION_PASS;
	int c;

	for (c = 0; c < SH_CHANNELS; c++) {
		/* The holding channels come first; the rest can only be shut. */
		if (c == SELFHEAL_CHANNEL_OTHER && sh_policy_holds(p))
			def = SELFHEAL_CHANNEL_ACTION_DENY;
		p->action[c] = sh_get_u32(info, SELFHEAL_A_POLICY_HOLD_SOCKET + c, def);
		if (c >= SELFHEAL_CHANNEL_OTHER && p->action[c] == SELFHEAL_CHANNEL_ACTION_HOLD)
			return SH_REFUSE(info, SELFHEAL_A_POLICY_HOLD_SOCKET + c,
					 "this channel can be passed or denied, not held");
	}
	p->commit = sh_get_u32(info, SELFHEAL_A_POLICY_COMMIT, SELFHEAL_COMMIT_QUIESCE);
	p->commit_delay_ms = sh_get_u32(info, SELFHEAL_A_POLICY_COMMIT_DELAY, 0);
	if ((p->commit & SELFHEAL_COMMIT_DELAY) && !info->attrs[SELFHEAL_A_POLICY_COMMIT_DELAY]) {
		NL_SET_ERR_MSG(info->extack, "commit by delay needs commit-delay");
		return -EINVAL;
	}
	if (!(p->commit & SELFHEAL_COMMIT_DELAY) && info->attrs[SELFHEAL_A_POLICY_COMMIT_DELAY])
		return SH_REFUSE(info, SELFHEAL_A_POLICY_COMMIT_DELAY,
				 "commit-delay needs the commit flag delay");
	if ((p->commit & SELFHEAL_COMMIT_DELAY) &&
	    (!p->commit_delay_ms || p->commit_delay_ms > SH_DELAY_MAX_MS))
		return SH_REFUSE(info, SELFHEAL_A_POLICY_COMMIT_DELAY,
				 "commit-delay is 1 to 60000 ms");
	p->max_bytes = sh_get_u64(info, SELFHEAL_A_POLICY_MAX_BYTES, SH_QUARANTINE_DEFAULT);
	if (p->max_bytes < SH_QUARANTINE_MIN || p->max_bytes > SH_QUARANTINE_MAX)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_MAX_BYTES,
				 "max-bytes is 4096 bytes to 1 GiB");
	p->overflow = sh_get_u32(info, SELFHEAL_A_POLICY_OVERFLOW, SELFHEAL_OVERFLOW_BLOCK);
	return 0;
}

static void sh_decode_sysmap(u8 *map, const struct nlattr *attr)
{
	if (attr)
		memcpy(map, nla_data(attr), SELFHEAL_SYSMAP_LEN);
}

/* Nothing may be out that a rollback forgets: see the output-commit rule. */
static int sh_decode_rescue(struct sh_policy *p, struct genl_info *info)
{
	p->rescue = sh_get_u32(info, SELFHEAL_A_POLICY_RESCUE, SELFHEAL_RESCUE_NONE);
	p->rescue_errno = sh_get_u32(info, SELFHEAL_A_POLICY_RESCUE_ERRNO, ECONNRESET);
	if (!p->rescue)
		return info->attrs[SELFHEAL_A_POLICY_RESCUE_ERRNO] ?
		       SH_REFUSE(info, SELFHEAL_A_POLICY_RESCUE_ERRNO,
				 "rescue-errno needs rescue") : 0;
	if (sh_policy_observes(p))
		return SH_REFUSE(info, SELFHEAL_A_POLICY_RESCUE,
				 "a policy that observes has nothing to roll back");
	if (p->action[SELFHEAL_CHANNEL_SOCKET] == SELFHEAL_CHANNEL_ACTION_PASS)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_RESCUE,
				 "rescue needs sockets that are held or denied");
	if (p->commit != SELFHEAL_COMMIT_QUIESCE)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_RESCUE,
				 "rescue needs commit by quiesce alone");
	if (p->overflow == SELFHEAL_OVERFLOW_COMMIT)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_RESCUE,
				 "rescue needs an overflow rule other than commit");
	return 0;
}

static int sh_decode_respond(struct sh_policy *p, struct genl_info *info)
{
	p->default_verdict = sh_get_u32(info, SELFHEAL_A_POLICY_DEFAULT_VERDICT,
					SELFHEAL_VERDICT_KILL);
	if (p->default_verdict != SELFHEAL_VERDICT_KILL &&
	    p->default_verdict != SELFHEAL_VERDICT_ROLLBACK &&
	    p->default_verdict != SELFHEAL_VERDICT_RELEASE)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_DEFAULT_VERDICT,
				 "default-verdict is release, rollback or kill");
	if (p->default_verdict == SELFHEAL_VERDICT_ROLLBACK && !p->rescue)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_DEFAULT_VERDICT,
				 "the default verdict rollback needs rescue");
	p->deadline_ms = sh_get_u32(info, SELFHEAL_A_POLICY_DEADLINE, SH_DEADLINE_DEFAULT_MS);
	if (p->deadline_ms < SH_DEADLINE_MIN_MS || p->deadline_ms > SH_DEADLINE_MAX_MS)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_DEADLINE,
				 "deadline is 10 to 3600000 ms");
	p->kill_limit = sh_get_u32(info, SELFHEAL_A_POLICY_KILL_LIMIT, SH_KILL_LIMIT_DEFAULT);
	if (p->kill_limit > SH_KILL_LIMIT_MAX)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_KILL_LIMIT,
				 "kill-limit is 1 to 10000, or 0 for no limit");
	p->kill_window_ms = sh_get_u32(info, SELFHEAL_A_POLICY_KILL_WINDOW,
				       SH_KILL_WINDOW_DEFAULT_MS);
	if (p->kill_window_ms < SH_KILL_WINDOW_MIN_MS || p->kill_window_ms > SH_KILL_WINDOW_MAX_MS)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_KILL_WINDOW,
				 "kill-window is 1000 to 3600000 ms");
	return 0;
}

/* A call that is sensed or denied by name cannot be exempt from its channel. */
static int sh_decode_calls(struct sh_policy *p, struct genl_info *info)
{
	static const int attr[SH_ABIS] = {
		SELFHEAL_A_POLICY_SYSCALL_PASS, SELFHEAL_A_POLICY_SYSCALL_PASS_IA32,
	};
	int abi, i;

	sh_decode_sysmap(p->never[SH_ABI_64], info->attrs[SELFHEAL_A_POLICY_SYSCALL_NEVER]);
	sh_decode_sysmap(p->never[SH_ABI_32], info->attrs[SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32]);
	sh_decode_sysmap(p->deny[SH_ABI_64], info->attrs[SELFHEAL_A_POLICY_SYSCALL_DENY]);
	sh_decode_sysmap(p->deny[SH_ABI_32], info->attrs[SELFHEAL_A_POLICY_SYSCALL_DENY_IA32]);
	for (abi = 0; abi < SH_ABIS; abi++) {
		sh_decode_sysmap(p->pass[abi], info->attrs[attr[abi]]);
		for (i = 0; i < SELFHEAL_SYSMAP_LEN; i++)
			if (p->pass[abi][i] & (p->never[abi][i] | p->deny[abi][i]))
				return SH_REFUSE(info, attr[abi],
						 "a call that passes cannot be in syscall-never or syscall-deny");
	}
	return 0;
}

static int sh_decode_sense(struct sh_policy *p, struct genl_info *info)
{
	p->tamper = sh_get_u32(info, SELFHEAL_A_POLICY_TAMPER, SELFHEAL_TAMPER_ACTION_REFUSE);
	p->fault_mask = sh_get_u64(info, SELFHEAL_A_POLICY_FAULT_MASK, 0);
	if (p->fault_mask & ~(u64)SH_FAULT_SIGNALS)
		return SH_REFUSE(info, SELFHEAL_A_POLICY_FAULT_MASK,
				 "fault-mask takes SEGV, BUS, ILL, FPE, TRAP, SYS and ABRT");
	p->exec_sense = nla_get_flag(info->attrs[SELFHEAL_A_POLICY_EXEC_SENSE]);
	if (!p->exec_sense && info->attrs[SELFHEAL_A_POLICY_EXEC_ALLOW])
		return SH_REFUSE(info, SELFHEAL_A_POLICY_EXEC_ALLOW,
				 "exec-allow needs exec-sense");
	return sh_decode_calls(p, info);
}

/* The attributes that may come more than once are walked, not indexed. */
static int sh_decode_paths(struct sh_policy *p, struct genl_info *info)
{
	struct nlattr *a;
	const char *path;
	int rem, err, type;

	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		type = nla_type(a);
		if (type != SELFHEAL_A_POLICY_MATCH_EXE && type != SELFHEAL_A_POLICY_EXEC_ALLOW)
			continue;
		path = nla_data(a);
		if (path[0] != '/') {
			NL_SET_ERR_MSG_ATTR(info->extack, a, "the path must be absolute");
			return -EINVAL;
		}
		if (type == SELFHEAL_A_POLICY_MATCH_EXE)
			err = sh_file_set_add(&p->match, path, SELFHEAL_MATCH_MAX);
		else
			err = sh_file_set_add(&p->allow, path, SELFHEAL_EXEC_ALLOW_MAX);
		if (err == -ENOSPC)
			NL_SET_ERR_MSG_ATTR(info->extack, a, "too many paths");
		else if (err == -EINVAL)
			NL_SET_ERR_MSG_ATTR(info->extack, a, "the path is no regular file");
		else if (err && err != -ENOMEM)
			NL_SET_ERR_MSG_ATTR(info->extack, a, "the path cannot be resolved");
		if (err)
			return err;
	}
	return 0;
}

static int sh_decode_policy(struct sh_policy *p, struct genl_info *info)
{
	const struct nlattr *source = info->attrs[SELFHEAL_A_POLICY_SOURCE];
	int err;

	if (!info->attrs[SELFHEAL_A_POLICY_NAME]) {
		NL_SET_ERR_MSG(info->extack, "the policy needs a name");
		return -EINVAL;
	}
	nla_strscpy(p->name, info->attrs[SELFHEAL_A_POLICY_NAME], sizeof(p->name));
	if (!sh_name_valid(p->name))
		return SH_REFUSE(info, SELFHEAL_A_POLICY_NAME,
				 "a policy name is 1 to 63 of A-Z a-z 0-9 . _ -");
	p->flags = sh_get_u32(info, SELFHEAL_A_POLICY_FLAGS, 0);
	err = sh_decode_hold(p, info);
	if (!err)
		err = sh_decode_sense(p, info);
	if (!err)
		err = sh_decode_rescue(p, info);
	if (!err)
		err = sh_decode_respond(p, info);
	if (!err)
		err = sh_decode_paths(p, info);
	if (!err && source) {
		p->source_len = nla_len(source);
		p->source = kvmalloc(p->source_len, GFP_KERNEL_ACCOUNT);
		if (p->source)
			memcpy(p->source, nla_data(source), p->source_len);
		else
			err = -ENOMEM;
	}
	return err;
}

static void sh_policy_event(const char *name, u8 type)
{
	struct sh_event ev = { .type = type };

	strscpy(ev.policy, name, sizeof(ev.policy));
	sh_event_emit(&ev);
}

/* With the lock entered. A new policy may come, none may be replaced. */
static int sh_policy_permit(const struct sh_policy *p, struct netlink_ext_ack *extack)
{
	struct sh_policy *old;

	if (!sh_locked())
		return 0;
	old = sh_policy_find(p->name);
	sh_policy_put(old);
	return old ? sh_lock_refuse(extack) : 0;
}

int sh_policy_load(struct sk_buff *skb, struct genl_info *info)
{
	const char *symbol = NULL;
	struct sh_policy *p;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	p = sh_policy_alloc();
	if (!p)
		return -ENOMEM;
	err = sh_decode_policy(p, info);
	if (!err)
		err = sh_damp_init(&p->kills, p->kill_limit, p->kill_window_ms);
	if (err)
		goto out;
	sh_calls_compile(p);
	sh_lock_enter();
	mutex_lock(&sh_control_policy_lock);
	err = sh_policy_permit(p, info->extack);
	if (err)
		goto unlock;
	err = sh_hooks_acquire(p, &symbol);
	if (err)
		NL_SET_ERR_MSG(info->extack,
			       "a kernel function that the policy needs cannot be hooked; see the hooks in status");
	if (!err)
		err = sh_policy_publish(p);
	if (!err)
		sh_policy_event(p->name, SELFHEAL_EVENT_TYPE_POLICY_LOADED);
unlock:
	mutex_unlock(&sh_control_policy_lock);
	sh_lock_leave();
out:
	if (err)
		sh_policy_put(p);
	return err;
}

static int sh_need_name(struct genl_info *info, char *name)
{
	if (!info->attrs[SELFHEAL_A_POLICY_NAME]) {
		NL_SET_ERR_MSG(info->extack, "name the policy");
		return -EINVAL;
	}
	nla_strscpy(name, info->attrs[SELFHEAL_A_POLICY_NAME], SELFHEAL_POLICY_NAME_MAX + 1);
	return 0;
}

/* With the lock entered and the mutex held. */
static int sh_policy_remove(const char *name, struct netlink_ext_ack *extack)
{
	int err;

	if (sh_locked())
		return sh_lock_refuse(extack);
	err = sh_policy_withdraw(name);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(extack, "the policy has live domains; end or dissolve them");
	else if (err)
		NL_SET_ERR_MSG(extack, "no policy of this name is loaded");
	else
		sh_policy_event(name, SELFHEAL_EVENT_TYPE_POLICY_UNLOADED);
	return err;
}

int sh_policy_unload(struct sk_buff *skb, struct genl_info *info)
{
	char name[SELFHEAL_POLICY_NAME_MAX + 1];
	int err;

	err = sh_control_permit(skb, info->extack);
	if (!err)
		err = sh_need_name(info, name);
	if (err)
		return err;
	sh_lock_enter();
	mutex_lock(&sh_control_policy_lock);
	err = sh_policy_remove(name, info->extack);
	mutex_unlock(&sh_control_policy_lock);
	sh_lock_leave();
	return err;
}

static int sh_put_paths(struct sk_buff *msg, int attr, const struct sh_file_set *set)
{
	u32 i;

	for (i = 0; i < set->nr; i++)
		if (nla_put_string(msg, attr, set->paths[i]))
			return -EMSGSIZE;
	return 0;
}

static int sh_policy_fill(struct sk_buff *msg, const struct sh_policy *p, bool source)
{
	int c;

	for (c = 0; c < SH_CHANNELS; c++)
		if (nla_put_u32(msg, SELFHEAL_A_POLICY_HOLD_SOCKET + c, p->action[c]))
			return -EMSGSIZE;
	if (nla_put_string(msg, SELFHEAL_A_POLICY_NAME, p->name) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_FLAGS, p->flags) ||
	    sh_put_paths(msg, SELFHEAL_A_POLICY_MATCH_EXE, &p->match) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_COMMIT, p->commit) ||
	    (p->commit_delay_ms &&
	     nla_put_u32(msg, SELFHEAL_A_POLICY_COMMIT_DELAY, p->commit_delay_ms)) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_POLICY_MAX_BYTES, p->max_bytes,
			      SELFHEAL_A_POLICY_PAD) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_OVERFLOW, p->overflow) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_POLICY_FAULT_MASK, p->fault_mask,
			      SELFHEAL_A_POLICY_PAD) ||
	    (p->exec_sense && nla_put_flag(msg, SELFHEAL_A_POLICY_EXEC_SENSE)) ||
	    sh_put_paths(msg, SELFHEAL_A_POLICY_EXEC_ALLOW, &p->allow) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER, SELFHEAL_SYSMAP_LEN,
		    p->never[SH_ABI_64]) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32, SELFHEAL_SYSMAP_LEN,
		    p->never[SH_ABI_32]) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_DENY, SELFHEAL_SYSMAP_LEN,
		    p->deny[SH_ABI_64]) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, SELFHEAL_SYSMAP_LEN,
		    p->deny[SH_ABI_32]) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_PASS, SELFHEAL_SYSMAP_LEN,
		    p->pass[SH_ABI_64]) ||
	    nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_PASS_IA32, SELFHEAL_SYSMAP_LEN,
		    p->pass[SH_ABI_32]) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_TAMPER, p->tamper) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_KILL_LIMIT, p->kill_limit) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_KILL_WINDOW, p->kill_window_ms) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_DEFAULT_VERDICT, p->default_verdict) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_DEADLINE, p->deadline_ms) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_RESCUE, p->rescue) ||
	    (p->rescue &&
	     nla_put_u32(msg, SELFHEAL_A_POLICY_RESCUE_ERRNO, p->rescue_errno)) ||
	    nla_put_u32(msg, SELFHEAL_A_POLICY_DOMAINS, atomic_read(&p->domains)) ||
	    nla_put_u64_64bit(msg, SELFHEAL_A_POLICY_STAMP, p->stamp, SELFHEAL_A_POLICY_PAD) ||
	    (source && p->source &&
	     nla_put(msg, SELFHEAL_A_POLICY_SOURCE, p->source_len, p->source)))
		return -EMSGSIZE;
	return 0;
}

static size_t sh_policy_size(const struct sh_policy *p)
{
	size_t n = 2048 + p->source_len;
	u32 i;

	for (i = 0; i < p->match.nr; i++)
		n += nla_total_size(strlen(p->match.paths[i]) + 1);
	for (i = 0; i < p->allow.nr; i++)
		n += nla_total_size(strlen(p->allow.paths[i]) + 1);
	return n;
}

int sh_policy_get(struct sk_buff *skb, struct genl_info *info)
{
	char name[SELFHEAL_POLICY_NAME_MAX + 1];
	struct sh_policy *p;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (!err)
		err = sh_need_name(info, name);
	if (err)
		return err;
	p = sh_policy_find(name);
	if (!p) {
		NL_SET_ERR_MSG(info->extack, "no policy of this name is loaded");
		return -ENOENT;
	}
	msg = sh_reply_new(info, SELFHEAL_CMD_POLICY_GET, sh_policy_size(p), &hdr);
	err = msg ? sh_reply_send(msg, hdr, info, sh_policy_fill(msg, p, true)) : -ENOMEM;
	sh_policy_put(p);
	return err;
}

int sh_policy_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	u64 serial = cb->args[0];
	struct sh_policy *p;
	int err = 0;
	void *hdr;

	err = sh_control_permit(cb->skb, cb->extack);
	if (err)
		return err;
	cb->seq = sh_policy_generation();
	for (;; serial++) {
		p = sh_policy_next(&serial);
		if (!p)
			break;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  &sh_family, NLM_F_MULTI, SELFHEAL_CMD_POLICY_GET);
		err = hdr ? sh_policy_fill(skb, p, false) : -EMSGSIZE;
		sh_policy_put(p);
		if (err) {
			if (hdr)
				genlmsg_cancel(skb, hdr);
			break;
		}
		genl_dump_check_consistent(cb, hdr);
		genlmsg_end(skb, hdr);
	}
	cb->args[0] = serial;
	return skb->len ?: err;
}
