// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded policies. sh_policy_lock serialises changes of the table; look-ups
 * that must not sleep take the table's own lock.
 */
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "../compat/trampoline.h"
#include "policy.h"

static DEFINE_MUTEX(sh_policy_lock);
static DEFINE_XARRAY(sh_policies);	/* by serial */
/*
 * The files that they match, by inode number, under the lock of sh_policies: an exec
 * of anybody may come here, and must not pay for how many there are.
 */
static DEFINE_HASHTABLE(sh_matches, 10);
static u64 sh_policy_serial;
static u64 sh_policy_changes = 1;
static unsigned int sh_policy_nr;

static void sh_file_set_free(struct sh_file_set *set)
{
	u32 i;

	for (i = 0; i < set->nr; i++)
		kfree(set->paths[i]);
	kfree(set->paths);
	kfree(set->ids);
}

static void sh_policy_release(struct kref *ref)
{
	struct sh_policy *p = container_of(ref, struct sh_policy, ref);

	if (p->release)
		p->release(p);
	sh_file_set_free(&p->match);
	kvfree(p->matches);
	sh_file_set_free(&p->allow);
	sh_damp_free(&p->kills);
	kvfree(p->source);
	kvfree(p);
}

struct sh_policy *sh_policy_alloc(void)
{
	struct sh_policy *p = kvzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (p)
		kref_init(&p->ref);
	return p;
}

void sh_policy_put(struct sh_policy *p)
{
	if (p)
		kref_put(&p->ref, sh_policy_release);
}

struct sh_file_id sh_file_id_of(const struct inode *inode)
{
	return (struct sh_file_id){
		.dev = inode->i_sb->s_dev,
		.generation = inode->i_generation,
		.ino = inode->i_ino,
	};
}

bool sh_file_id_equal(const struct sh_file_id *a, const struct sh_file_id *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->generation == b->generation;
}

bool sh_file_set_has(const struct sh_file_set *set, const struct inode *inode)
{
	struct sh_file_id id = sh_file_id_of(inode);
	u32 i;

	for (i = 0; i < set->nr; i++)
		if (sh_file_id_equal(&set->ids[i], &id))
			return true;
	return false;
}

int sh_file_set_add(struct sh_file_set *set, const char *path, u32 max)
{
	struct path found;
	int err;

	if (set->nr >= max)
		return -ENOSPC;
	if (!set->ids) {
		set->ids = kcalloc(max, sizeof(*set->ids), GFP_KERNEL_ACCOUNT);
		set->paths = kcalloc(max, sizeof(*set->paths), GFP_KERNEL_ACCOUNT);
		if (!set->ids || !set->paths)
			return -ENOMEM;
	}
	err = kern_path(path, LOOKUP_FOLLOW, &found);
	if (err)
		return err;
	set->ids[set->nr] = sh_file_id_of(d_backing_inode(found.dentry));
	err = S_ISREG(d_backing_inode(found.dentry)->i_mode) ? 0 : -EINVAL;
	path_put(&found);
	if (err)
		return err;
	set->paths[set->nr] = kstrdup(path, GFP_KERNEL_ACCOUNT);
	if (!set->paths[set->nr])
		return -ENOMEM;
	set->nr++;
	return 0;
}

/* sh_policy_lock held. */
static void sh_policy_refilter(void)
{
	struct sh_policy *p;
	unsigned long i;
	u64 filter = 0;
	u32 k;

	xa_for_each(&sh_policies, i, p)
		for (k = 0; k < p->match.nr; k++)
			filter |= 1ULL << (p->match.ids[k].ino & 63);
	WRITE_ONCE(sh_exec_filter, filter);
}

/* sh_policy_lock held. @old is matched no more, @new from now on; either may be NULL. */
static void sh_policy_rematch(struct sh_policy *old, struct sh_policy *new)
{
	struct sh_match *m;
	u32 i;

	xa_lock(&sh_policies);
	for (i = 0; old && i < old->match.nr; i++)
		hash_del(&old->matches[i].node);
	for (i = 0; new && i < new->match.nr; i++) {
		m = &new->matches[i];
		m->id = &new->match.ids[i];
		m->policy = new;
		hash_add(sh_matches, &m->node, m->id->ino);
	}
	xa_unlock(&sh_policies);
	sh_policy_refilter();
}

/* sh_policy_lock held. */
static struct sh_policy *sh_policy_lookup(const char *name)
{
	struct sh_policy *p;
	unsigned long i;

	xa_for_each(&sh_policies, i, p)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

int sh_policy_publish(struct sh_policy *p)
{
	struct sh_policy *old;
	int err;

	if (p->match.nr) {
		p->matches = kvcalloc(p->match.nr, sizeof(*p->matches), GFP_KERNEL_ACCOUNT);
		if (!p->matches)
			return -ENOMEM;
	}
	mutex_lock(&sh_policy_lock);
	old = sh_policy_lookup(p->name);
	err = !old && sh_policy_nr >= SH_POLICIES_MAX ? -ENOSPC : 0;
	if (!err) {
		p->serial = sh_policy_serial + 1;
		p->stamp = ktime_get_boottime_ns();
		err = xa_err(xa_store(&sh_policies, p->serial, p, GFP_KERNEL));
	}
	if (!err) {
		sh_policy_serial++;
		sh_policy_changes++;
		sh_policy_nr++;
		if (old) {
			xa_erase(&sh_policies, old->serial);
			sh_policy_nr--;
		}
		sh_policy_rematch(old, p);
	}
	mutex_unlock(&sh_policy_lock);
	if (!err)
		sh_policy_put(old);
	return err;
}

int sh_policy_withdraw(const char *name)
{
	struct sh_policy *p;
	int err = 0;

	mutex_lock(&sh_policy_lock);
	p = sh_policy_lookup(name);
	if (!p)
		err = -ENOENT;
	else if (atomic_read(&p->domains))
		err = -EBUSY;
	if (!err) {
		xa_erase(&sh_policies, p->serial);
		sh_policy_changes++;
		sh_policy_nr--;
		sh_policy_rematch(p, NULL);
	}
	mutex_unlock(&sh_policy_lock);
	if (!err)
		sh_policy_put(p);
	return err;
}

struct sh_policy *sh_policy_find(const char *name)
{
	struct sh_policy *p;

	mutex_lock(&sh_policy_lock);
	p = sh_policy_lookup(name);
	if (p)
		kref_get(&p->ref);
	mutex_unlock(&sh_policy_lock);
	return p;
}

struct sh_policy *sh_policy_next(u64 *serial)
{
	unsigned long i = *serial;
	struct sh_policy *p;

	mutex_lock(&sh_policy_lock);
	p = xa_find(&sh_policies, &i, ULONG_MAX, XA_PRESENT);
	if (p)
		kref_get(&p->ref);
	mutex_unlock(&sh_policy_lock);
	*serial = i;
	return p;
}

struct sh_policy *sh_policy_match(const struct inode *inode)
{
	struct sh_file_id id = sh_file_id_of(inode);
	struct sh_policy *found = NULL;
	struct sh_match *m;

	/* The exec tap asks for tasks that hold no reference on us: no sleep here. */
	xa_lock(&sh_policies);
	hash_for_each_possible(sh_matches, m, node, id.ino)
		if (sh_file_id_equal(m->id, &id) && (!found || m->policy->serial < found->serial))
			found = m->policy;
	if (found)
		kref_get(&found->ref);
	xa_unlock(&sh_policies);
	return found;
}

unsigned int sh_policy_count(void)
{
	return READ_ONCE(sh_policy_nr);
}

u64 sh_policy_generation(void)
{
	return READ_ONCE(sh_policy_changes);
}

void sh_policy_exit(void)
{
	struct sh_policy *p;
	unsigned long i;

	hash_init(sh_matches);
	xa_for_each(&sh_policies, i, p)
		sh_policy_put(p);
	xa_destroy(&sh_policies);
}
