// SPDX-License-Identifier: GPL-2.0
/*
 * Taps that refuse files: what a member opens, is sent, or signals by.
 *
 * Task context, but the callers may hold locks of inodes and of sockets, so
 * nothing here sleeps, and current's member needs no reference.
 */
#include <linux/fs.h>

#include "../compat/trampoline.h"
#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/foreign.h"
#include "../domain/guard.h"
#include "../domain/member.h"
#include "../sense/sense.h"
#include "kinds.h"

static struct sh_tap_result sh_file_refuse(void)
{
	sh_count(SH_C_files_denied);
	return SH_TAP_SKIP(-EPERM);
}

struct sh_tap_result sh_tap_open(struct file *file)
{
	struct sh_member *m = sh_member_current();
	const struct inode *inode = file_inode(file);
	const char *what;
	bool device = false;

	if (!m)
		return SH_TAP_CONTINUE;
	what = sh_file_tampers(file, m->domain, current, &device);
	if (!what && (file->f_mode & FMODE_WRITE) && sh_guard_look(inode) == SH_GUARD_FILE)
		return sh_sense_tamper_tap(m, "guarded file") ? SH_TAP_SKIP(-EPERM) :
		       SH_TAP_CONTINUE;
	if (what && sh_sense_tamper_tap(m, what))
		return SH_TAP_SKIP(-EPERM);
	if (what || S_ISBLK(inode->i_mode) ||
	    (S_ISCHR(inode->i_mode) && !sh_device_harmless(inode)))
		device = true;
	if (device && sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_DEVICE))
		return sh_file_refuse();
	return SH_TAP_CONTINUE;
}

struct sh_tap_result sh_tap_receive(struct file *file)
{
	struct sh_member *m = sh_member_current();
	const struct sh_policy *p;
	const char *name, *what;
	enum sh_kind kind;

	if (!m)
		return SH_TAP_CONTINUE;
	p = m->domain->policy;
	what = sh_file_reaches(file, m->domain, current);
	if (what && sh_sense_tamper_tap(m, what))
		return SH_TAP_SKIP(-EPERM);
	kind = sh_file_kind(file, m->domain, current, &name);
	if (sh_kind_refused(p, kind))
		return sh_file_refuse();
	if (kind == SH_KIND_EVENTFD && sh_policy_denies(p, SELFHEAL_CHANNEL_IPC) &&
	    sh_foreign_add(m->domain, file))
		return sh_file_refuse();
	return SH_TAP_CONTINUE;
}

struct sh_tap_result sh_tap_eventfd(struct file *file)
{
	struct sh_member *m = sh_member_current();

	if (!m || !sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_IPC) ||
	    !sh_foreign_has(m->domain, file))
		return SH_TAP_CONTINUE;
	return sh_file_refuse();
}

/*
 * The kernel is to signal it later, say when an aio request is done. Which one
 * a descriptor names can change between this look and the kernel's own: with
 * any foreign one in the domain, none is taken.
 */
struct sh_tap_result sh_tap_eventfd_ctx(int fd)
{
	struct sh_member *m = sh_member_current();

	if (!m || !sh_policy_denies(m->domain->policy, SELFHEAL_CHANNEL_IPC) ||
	    !READ_ONCE(m->domain->nr_foreign))
		return SH_TAP_CONTINUE;
	return sh_file_refuse();
}
