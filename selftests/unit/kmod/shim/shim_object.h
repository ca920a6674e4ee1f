/* SPDX-License-Identifier: GPL-2.0 */
/* Tasks, credentials, files, sockets and paths. */
#ifndef SELFHEAL_SHIM_OBJECT_H
#define SELFHEAL_SHIM_OBJECT_H

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "shim_sync.h"

#define TASK_COMM_LEN	16

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};

struct rcu_head {
	struct callback_head head;
};

struct cred {
	int refs;
};

struct task_struct {
	pid_t pid;
	pid_t tgid;
	struct cred *cred;
	unsigned int __state;
	unsigned long nvcsw, nivcsw;
	bool stopped, traced;
};

#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1
#define TASK_UNINTERRUPTIBLE	2
#define task_is_stopped(t)	((t)->stopped)
#define task_is_traced(t)	((t)->traced)

extern struct task_struct *current;

#define task_pid_nr(t)		((t)->pid)
#define task_tgid_nr(t)		((t)->tgid)

static inline const struct cred *get_current_cred(void)
{
	current->cred->refs++;
	return current->cred;
}

static inline void put_cred(const struct cred *cred)
{
	SHIM_REQUIRE(cred->refs > 1);
	((struct cred *)cred)->refs--;
}

struct super_block {
	dev_t s_dev;
};

struct inode {
	unsigned long i_ino;
	u32 i_generation;
	umode_t i_mode;
	struct super_block *i_sb;
};

struct sock {
	int sk_family;
	u32 sk_daddr;
	u16 sk_dport;
	void (*sk_write_space)(struct sock *sk);
};

struct socket {
	unsigned long flags;
	struct sock *sk;
};

#define SOCK_NOSPACE		2
#define set_bit(nr, p)		(*(p) |= 1ul << (nr))
#define sock_intr_errno(timeo)	((timeo) == MAX_SCHEDULE_TIMEOUT ? -ERESTARTSYS : -EINTR)
#define ERESTARTSYS		512

struct pipe_inode_info {
	wait_queue_head_t wr_wait;
};

struct tty_struct {
	wait_queue_head_t write_wait;
};

struct tty_file_private {
	struct tty_struct *tty;
};

struct file {
	int refs;
	struct inode *f_inode;
	struct hlist_head *f_ep;
	struct socket *socket;
	void *private_data;
};

static inline struct inode *file_inode(const struct file *f)
{
	return f->f_inode;
}

static inline struct socket *sock_from_file(const struct file *f)
{
	return f->socket;
}

static inline struct file *get_file(struct file *f)
{
	SHIM_REQUIRE(f->refs > 0);
	f->refs++;
	return f;
}

/* The last reference runs the object's own release, which may sleep. */
static inline void fput(struct file *f)
{
	might_sleep();
	SHIM_REQUIRE(f->refs > 0);
	f->refs--;
}

static inline long file_count(const struct file *f)
{
	return f->refs;
}

/* User memory of @left bytes, of which the first @good can be read. */
struct iov_iter {
	const u8 *base;
	size_t left;
	size_t good;
};

static inline size_t copy_from_iter(void *to, size_t n, struct iov_iter *from)
{
	size_t did = min_t(size_t, n, min_t(size_t, from->left, from->good));

	might_sleep();
	memcpy(to, from->base, did);
	from->base += did;
	from->left -= did;
	from->good -= did;
	return did;
}

struct dentry {
	struct inode *inode;
};

struct path {
	struct dentry *dentry;
};

#define LOOKUP_FOLLOW		1
#define d_backing_inode(d)	((d)->inode)

/* The files that there are, ended by a row without a name. */
struct shim_file {
	const char *name;
	struct dentry dentry;
};

extern struct shim_file *shim_files;
extern int shim_paths;		/* references to paths */

int kern_path(const char *name, unsigned int flags, struct path *path);
void path_put(const struct path *path);

#endif
