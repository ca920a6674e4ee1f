// SPDX-License-Identifier: GPL-2.0
/* See kinds.h. */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <net/sock.h>

#include "../domain/controller.h"
#include "../domain/domain.h"
#include "../domain/guard.h"
#include "kinds.h"
#include "lineage.h"

/* Not in the kernel's magic.h on both kernels, or in none. */
#define SH_PIDFS_MAGIC		0x50494446
#define SH_CONFIGFS_MAGIC	0x62656570
#define SH_FUSECTL_MAGIC	0x65735543
#define SH_NFSD_MAGIC		0x6e667364
#define SH_AIO_MAGIC		0xa10a10a1	/* rings of requests that have passed the gate */
#define SH_RPCPIPE_MAGIC	0x67596969

#define SH_MEM_MEM		1
#define SH_MEM_KMEM		2
#define SH_MEM_PORT		4
#define SH_CPU_MSR_MAJOR	202

bool sh_device_harmless(const struct inode *inode)
{
	unsigned int major = imajor(inode), minor = iminor(inode);

	if (!S_ISCHR(inode->i_mode))
		return false;
	switch (major) {
	case MEM_MAJOR:		/* null, zero, full, random, urandom */
		return minor == 3 || minor == 5 || (minor >= 7 && minor <= 9);
	case TTYAUX_MAJOR:	/* tty, ptmx */
		return minor == 0 || minor == 2;
	default:
		return major >= UNIX98_PTY_SLAVE_MAJOR &&
		       major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
	}
}

/* Terminals that a process may have from before: their output is held. */
static bool sh_device_terminal(const struct inode *inode)
{
	return S_ISCHR(inode->i_mode) &&
	       (imajor(inode) == TTY_MAJOR || imajor(inode) == TTYAUX_MAJOR);
}

static enum sh_kind sh_socket_kind(struct file *file, const char **name)
{
	struct socket *sock = sock_from_file(file);

	*name = "a socket of a family that cannot be held";
	if (!sock || !sock->sk)
		return SH_KIND_PLAIN;
	switch (sock->sk->sk_family) {
	case AF_UNIX:
	case AF_INET:
	case AF_INET6:
	case AF_NETLINK:
	case AF_VSOCK:
		return SH_KIND_PLAIN;
	case AF_PACKET:		/* it may have a ring */
		*name = "a packet socket";
		return SH_KIND_SOCKET;
	default:
		return SH_KIND_SOCKET;
	}
}

/* The names are the kernel's own constants, given when the file is made. */
static enum sh_kind sh_anon_kind(struct file *file, const char **name)
{
	static const char *const plain[] = {
		"[eventpoll]", "[timerfd]", "[signalfd]", "inotify", "[pidfd]",
	};
	const char *what = (const char *)file->f_path.dentry->d_name.name;
	unsigned int i;

	if (!strcmp(what, "[eventfd]")) {
		*name = "an eventfd";
		return SH_KIND_EVENTFD;
	}
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(what, plain[i]))
			return SH_KIND_PLAIN;
	*name = !strcmp(what, "[io_uring]") ? "an io_uring" :
		!strcmp(what, "[perf_event]") ? "a perf event" :
		!strcmp(what, "[userfaultfd]") ? "a userfaultfd" :
		!strncmp(what, "bpf", 3) ? "a BPF object" : "of an unknown kind";
	return SH_KIND_OTHER;
}

enum sh_kind sh_file_kind(struct file *file, const struct sh_domain *d,
			  const struct task_struct *task, const char **name)
{
	const struct inode *inode = file_inode(file);
	bool device = false;

	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
		*name = "a kernel control file open for writing";
		if (sh_file_tampers(file, d, task, &device) || device)
			return SH_KIND_DEVICE;
		return SH_KIND_PLAIN;
	case S_IFIFO:
		return SH_KIND_PLAIN;
	case S_IFSOCK:
		return sh_socket_kind(file, name);
	case S_IFCHR:
	case S_IFBLK:
		*name = "a device";
		return sh_device_harmless(inode) || sh_device_terminal(inode) ?
		       SH_KIND_PLAIN : SH_KIND_DEVICE;
	default:
		*name = "of an unknown kind";
		if (inode->i_sb->s_magic == SH_PIDFS_MAGIC ||
		    inode->i_sb->s_magic == SH_AIO_MAGIC)
			return SH_KIND_PLAIN;
		return inode->i_sb->s_magic == ANON_INODE_FS_MAGIC ?
		       sh_anon_kind(file, name) : SH_KIND_OTHER;
	}
}

const char *sh_file_reaches(struct file *file, const struct sh_domain *d,
			    const struct task_struct *task)
{
	bool device;

	if ((file->f_mode & FMODE_WRITE) && sh_guard_look(file_inode(file)) == SH_GUARD_FILE)
		return "guarded file";
	return sh_file_tampers(file, d, task, &device);
}

bool sh_kind_refused(const struct sh_policy *p, enum sh_kind kind)
{
	switch (kind) {
	case SH_KIND_SOCKET:
		return p->action[SELFHEAL_CHANNEL_SOCKET] != SELFHEAL_CHANNEL_ACTION_PASS &&
		       !sh_policy_observes(p);
	case SH_KIND_DEVICE:
		return sh_policy_denies(p, SELFHEAL_CHANNEL_DEVICE);
	case SH_KIND_OTHER:
		return sh_policy_denies(p, SELFHEAL_CHANNEL_OTHER);
	default:
		return false;
	}
}

/*
 * The directory entry below the root of procfs or sysfs that @dentry is in, by its
 * name; @net: the way leads through a net directory, which is not the task's
 * but its network namespace's. Nothing there is renamed.
 */
static const char *sh_top(struct dentry *dentry, bool *net)
{
	*net = false;
	if (IS_ROOT(dentry))
		return "";
	while (!IS_ROOT(dentry->d_parent)) {
		dentry = dentry->d_parent;
		*net |= !strcmp((const char *)dentry->d_name.name, "net");
	}
	return (const char *)dentry->d_name.name;
}

/*
 * Whose the directory of a task is: @self's own or a task's of @d, that is nobody's business;
 * a controller's; somebody else's, or it is no task's.
 */
enum sh_proc_whose { SH_PROC_OWN, SH_PROC_CONTROLLER, SH_PROC_OTHER };

static enum sh_proc_whose sh_proc_whose(const struct super_block *sb, const char *top,
					const struct sh_domain *d, const struct task_struct *self)
{
	enum sh_proc_whose whose = SH_PROC_OTHER;
	struct task_struct *task;
	int nr;

	if (kstrtoint(top, 10, &nr))
		return whose;
	rcu_read_lock();
	task = pid_task(find_pid_ns(nr, proc_pid_ns((struct super_block *)sb)), PIDTYPE_PID);
	if (task && (same_thread_group(task, (struct task_struct *)self) ||
		     sh_lineage_has(d, task)))
		whose = SH_PROC_OWN;
	else if (task && sh_controller_is(task))
		whose = SH_PROC_CONTROLLER;
	rcu_read_unlock();
	return whose;
}

static const char *sh_proc_tampers(struct file *file, const struct sh_domain *d,
				   const struct task_struct *task, bool *device)
{
	bool net, writes = file->f_mode & FMODE_WRITE;
	const char *top = sh_top(file->f_path.dentry, &net);
	enum sh_proc_whose whose;

	if (!strcmp(top, "kcore"))
		return "kernel memory";
	if (!writes)
		return NULL;
	if (!strcmp(top, "sys"))
		return "sysctl";
	if (!strcmp(top, "sysrq-trigger"))
		return "sysrq";
	whose = sh_proc_whose(file_inode(file)->i_sb, top, d, task);
	if (whose == SH_PROC_CONTROLLER)
		return "controller";
	*device = net || whose != SH_PROC_OWN;
	return NULL;
}

/* The kernel's own settings; the rest of sysfs are devices. */
static const char *sh_sys_tampers(struct file *file, bool *device)
{
	static const char *const own[] = { "kernel", "module", "power" };
	bool net;
	const char *top = sh_top(file->f_path.dentry, &net);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(top, own[i]))
			return "sysfs";
	*device = true;
	return NULL;
}

/* What ends or stops others, and what the kernel runs when a group is empty. */
static const char *sh_cgroup_tampers(struct file *file, bool *device)
{
	static const char *const names[] = { "cgroup.kill", "cgroup.freeze", "release_agent" };
	const char *name = (const char *)file->f_path.dentry->d_name.name;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return "cgroup";
	*device = true;
	return NULL;
}

const char *sh_file_tampers(struct file *file, const struct sh_domain *d,
			    const struct task_struct *task, bool *device)
{
	const struct inode *inode = file_inode(file);

	if (S_ISCHR(inode->i_mode)) {
		if (imajor(inode) == SH_CPU_MSR_MAJOR)
			return "machine registers";
		if (imajor(inode) == MEM_MAJOR &&
		    (iminor(inode) == SH_MEM_MEM || iminor(inode) == SH_MEM_KMEM ||
		     iminor(inode) == SH_MEM_PORT))
			return "kernel memory";
		return NULL;
	}
	if (!S_ISREG(inode->i_mode))
		return NULL;
	if (inode->i_sb->s_magic == PROC_SUPER_MAGIC)
		return sh_proc_tampers(file, d, task, device);
	if (!(file->f_mode & FMODE_WRITE))
		return NULL;
	switch (inode->i_sb->s_magic) {
	case TRACEFS_MAGIC:
		return "tracefs";
	case DEBUGFS_MAGIC:
		return "debugfs";
	case SECURITYFS_MAGIC:
		return "securityfs";
	case BPF_FS_MAGIC:
		return "bpffs";
	case BINFMTFS_MAGIC:
		return "binfmt_misc";
	case SYSFS_MAGIC:
		return sh_sys_tampers(file, device);
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return sh_cgroup_tampers(file, device);
	case RDTGROUP_SUPER_MAGIC:
	case SELINUX_MAGIC:
	case SMACK_MAGIC:
	case EFIVARFS_MAGIC:
	case PSTOREFS_MAGIC:
	case XENFS_SUPER_MAGIC:
	case SH_CONFIGFS_MAGIC:
	case SH_FUSECTL_MAGIC:
	case SH_NFSD_MAGIC:
	case SH_RPCPIPE_MAGIC:
		*device = true;
		return NULL;
	default:
		return NULL;
	}
}
