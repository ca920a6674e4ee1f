// SPDX-License-Identifier: GPL-2.0
/*
 * Taps on changes of names and attributes, for guarded files alone. The
 * callers hold locks of inodes, so nothing here sleeps, and current's member
 * needs no reference. Opens for writing are judged by the tap on opens.
 */
#include <linux/dcache.h>
#include <linux/fs.h>

#include "../compat/trampoline.h"
#include "../domain/guard.h"
#include "../domain/member.h"
#include "../sense/sense.h"

/* @named: a name is changed, so a directory above the file counts, too. */
static bool sh_guards(const struct dentry *dentry, bool named)
{
	const struct inode *inode = d_backing_inode(dentry);
	enum sh_guard_kind kind = inode ? sh_guard_look(inode) : SH_GUARD_NONE;

	return kind == SH_GUARD_FILE || (named && kind == SH_GUARD_ABOVE);
}

static struct sh_tap_result sh_guard_judge(struct sh_member *m)
{
	return sh_sense_tamper_tap(m, "guarded file") ? SH_TAP_SKIP(-EPERM) : SH_TAP_CONTINUE;
}

struct sh_tap_result sh_tap_unlink(struct inode *dir, struct dentry *dentry)
{
	struct sh_member *m = sh_member_current();

	return m && sh_guards(dentry, false) ? sh_guard_judge(m) : SH_TAP_CONTINUE;
}

struct sh_tap_result sh_tap_rename(struct inode *old_dir, struct dentry *old_dentry,
				   struct inode *new_dir, struct dentry *new_dentry)
{
	struct sh_member *m = sh_member_current();

	/* The new one is replaced, or exchanged. */
	return m && (sh_guards(old_dentry, true) || sh_guards(new_dentry, true)) ?
	       sh_guard_judge(m) : SH_TAP_CONTINUE;
}

/* Mode, owner, times; truncation, by path or descriptor; extended attributes and access lists. */
struct sh_tap_result sh_tap_setattr(void *idmap, struct dentry *dentry)
{
	struct sh_member *m = sh_member_current();

	return m && sh_guards(dentry, false) ? sh_guard_judge(m) : SH_TAP_CONTINUE;
}
