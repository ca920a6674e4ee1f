// SPDX-License-Identifier: GPL-2.0
/*
 * The list of guarded files; see guard.h. sh_guard_mutex serialises changes,
 * sh_guard_lock protects the list, which is short.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "guard.h"
#include "policy.h"

struct sh_guard {
	struct list_head node;
	struct sh_file_id id;
	char *path;
	bool own;		/* a controller's executable */
	u32 nr_above;
	struct sh_file_id above[];
};

static DEFINE_MUTEX(sh_guard_mutex);
static DEFINE_SPINLOCK(sh_guard_lock);	/* innermost */
static LIST_HEAD(sh_guards);

static void sh_guard_free(struct sh_guard *g)
{
	if (!g)
		return;
	kfree(g->path);
	kfree(g);
}

static bool sh_guard_is_above(const struct sh_guard *g, const struct sh_file_id *id)
{
	u32 i;

	for (i = 0; i < g->nr_above; i++)
		if (sh_file_id_equal(&g->above[i], id))
			return true;
	return false;
}

enum sh_guard_kind sh_guard_look(const struct inode *inode)
{
	const struct sh_file_id id = sh_file_id_of(inode);
	enum sh_guard_kind kind = SH_GUARD_NONE;
	struct sh_guard *g;

	spin_lock(&sh_guard_lock);
	list_for_each_entry(g, &sh_guards, node) {
		if (sh_file_id_equal(&g->id, &id)) {
			kind = SH_GUARD_FILE;
			break;
		}
		if (sh_guard_is_above(g, &id))
			kind = SH_GUARD_ABOVE;
	}
	spin_unlock(&sh_guard_lock);
	return kind;
}

/* One step towards the root; false at the root. Keeps @at's reference current. */
static bool sh_guard_up(struct path *at)
{
	struct dentry *parent;

	while (at->dentry == at->mnt->mnt_root)
		if (!follow_up(at))
			return false;
	parent = dget_parent(at->dentry);
	dput(at->dentry);
	at->dentry = parent;
	return true;
}

static u32 sh_guard_depth(const struct path *path)
{
	struct path at = *path;
	u32 n = 0;

	path_get(&at);
	while (sh_guard_up(&at))
		n++;
	path_put(&at);
	return n;
}

/* Somebody may move the file meanwhile: never more than there is room for. */
static struct sh_guard *sh_guard_new(const struct path *path, bool own)
{
	u32 depth = sh_guard_depth(path);
	struct path at = *path;
	struct sh_guard *g;

	g = kzalloc(struct_size(g, above, depth), GFP_KERNEL_ACCOUNT);
	if (!g)
		return NULL;
	g->own = own;
	g->id = sh_file_id_of(d_backing_inode(path->dentry));
	path_get(&at);
	while (g->nr_above < depth && sh_guard_up(&at))
		g->above[g->nr_above++] = sh_file_id_of(d_backing_inode(at.dentry));
	path_put(&at);
	return g;
}

static char *sh_guard_text(const struct path *path)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *text = NULL, *name;

	if (!buf)
		return NULL;
	name = d_path(path, buf, PATH_MAX);
	if (!IS_ERR(name))
		text = kstrdup(name, GFP_KERNEL_ACCOUNT);
	kfree(buf);
	return text;
}

/* sh_guard_mutex held. */
static void sh_guard_drop(struct sh_guard *g)
{
	spin_lock(&sh_guard_lock);
	list_del(&g->node);
	spin_unlock(&sh_guard_lock);
	sh_guard_free(g);
}

/* Is the file that was guarded still at its path? sh_guard_mutex held. */
static bool sh_guard_there(const struct sh_guard *g)
{
	struct sh_file_id id;
	struct path path;

	if (kern_path(g->path, LOOKUP_FOLLOW, &path))
		return false;
	id = sh_file_id_of(d_backing_inode(path.dentry));
	path_put(&path);
	return sh_file_id_equal(&id, &g->id);
}

/* Room for one more? Files that are gone make it. sh_guard_mutex held. */
static bool sh_guard_room(bool own)
{
	struct sh_guard *g, *next;
	u32 n = 0;

	list_for_each_entry(g, &sh_guards, node)
		n += g->own == own;
	if (n < SELFHEAL_GUARD_MAX)
		return true;
	n = 0;
	list_for_each_entry_safe(g, next, &sh_guards, node) {
		if (g->own != own)
			continue;
		if (sh_guard_there(g))
			n++;
		else
			sh_guard_drop(g);
	}
	return n < SELFHEAL_GUARD_MAX;
}

/* sh_guard_mutex held. Takes @g. */
static int sh_guard_file(struct sh_guard *g, const struct inode *inode)
{
	struct sh_guard *old, *same = NULL;

	list_for_each_entry(old, &sh_guards, node)
		if (old->own == g->own && !strcmp(old->path, g->path))
			same = old;
	if (!same && !sh_guard_room(g->own)) {
		sh_guard_free(g);
		return -ENOSPC;
	}
	/* At no moment without either. */
	spin_lock(&sh_guard_lock);
	list_add_tail(&g->node, &sh_guards);
	spin_unlock(&sh_guard_lock);
	/*
	 * Who had it open for writing before could go on. An open counts as a writer before it is
	 * judged: either it finds the file guarded, or we find the writer.
	 */
	if (!g->own && !(same && sh_file_id_equal(&same->id, &g->id)) &&
	    inode_is_open_for_write(inode)) {
		sh_guard_drop(g);
		return -ETXTBSY;
	}
	if (same)
		sh_guard_drop(same);
	return 0;
}

static int sh_guard_add_path(const struct path *path, bool own)
{
	struct sh_guard *g;
	int err;

	if (!S_ISREG(d_backing_inode(path->dentry)->i_mode))
		return -EINVAL;
	g = sh_guard_new(path, own);
	if (!g)
		return -ENOMEM;
	g->path = sh_guard_text(path);
	if (!g->path) {
		sh_guard_free(g);
		return -ENOMEM;
	}
	mutex_lock(&sh_guard_mutex);
	err = sh_guard_file(g, d_backing_inode(path->dentry));
	mutex_unlock(&sh_guard_mutex);
	return err;
}

int sh_guard_add(const char *name)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	err = sh_guard_add_path(&path, false);
	path_put(&path);
	return err;
}

int sh_guard_add_exe(struct file *exe)
{
	/* Asked for at each request: most times there is nothing to do. */
	if (sh_guard_look(file_inode(exe)) == SH_GUARD_FILE)
		return 0;
	return sh_guard_add_path(&exe->f_path, true);
}

char *sh_guard_path(unsigned int i)
{
	char *text = NULL;
	struct sh_guard *g;

	mutex_lock(&sh_guard_mutex);
	list_for_each_entry(g, &sh_guards, node) {
		if (i--)
			continue;
		text = kstrdup(g->path, GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
		break;
	}
	mutex_unlock(&sh_guard_mutex);
	return text;
}

void sh_guard_exit(void)
{
	struct sh_guard *g, *next;

	list_for_each_entry_safe(g, next, &sh_guards, node)
		sh_guard_free(g);
}
