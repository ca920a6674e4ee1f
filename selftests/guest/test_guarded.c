// SPDX-License-Identifier: GPL-2.0
/*
 * What a root member may not do to guarded files and to controllers, that it
 * may do to other files, and that root outside may do to guarded ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "calls.h"
#include "rig.h"

#define TOP	"/tmp/selfheal.guarded"

/* The same names below TOP/yes, whose file is guarded, and TOP/no. */
struct names {
	char dir[64], above[64], moved[64], file[64], other[64], link[64];
};

static void names_of(struct names *n, const char *which)
{
	snprintf(n->above, sizeof(n->above), TOP "/%s", which);
	snprintf(n->moved, sizeof(n->moved), TOP "/%s.moved", which);
	snprintf(n->dir, sizeof(n->dir), TOP "/%s/dir", which);
	snprintf(n->file, sizeof(n->file), TOP "/%s/dir/file", which);
	snprintf(n->other, sizeof(n->other), TOP "/%s/dir/other", which);
	snprintf(n->link, sizeof(n->link), TOP "/%s/dir/link", which);
}

static int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	return fd < 0 || write(fd, "text", 4) != 4 || close(fd) ? -1 : 0;
}

static int make_tree(const struct names *n)
{
	return mkdir(n->above, 0755) || mkdir(n->dir, 0755) || touch(n->file) || touch(n->other) ||
	       setxattr(n->file, "trusted.there", "x", 1, 0);
}

/* Each leaves the tree as it found it when it succeeds. */
static int do_remove(const struct names *n)
{
	return unlink(n->file) || touch(n->file);
}

static int do_rename(const struct names *n)
{
	return rename(n->file, n->link) || rename(n->link, n->file);
}

static int do_replace(const struct names *n)
{
	return rename(n->other, n->file) || touch(n->other);
}

static int do_exchange(const struct names *n)
{
	return renameat2(AT_FDCWD, n->other, AT_FDCWD, n->file, RENAME_EXCHANGE);
}

static int do_move_above(const struct names *n)
{
	return rename(n->above, n->moved) || rename(n->moved, n->above);
}

static int do_truncate(const struct names *n)
{
	return truncate(n->file, 2);
}

static int do_chmod(const struct names *n)
{
	return chmod(n->file, 0666);
}

static int do_chown(const struct names *n)
{
	return chown(n->file, 1, 1);
}

static int do_chmod_by_link(const struct names *n)
{
	int err;

	unlink(n->link);
	if (link(n->file, n->link))
		return -1;
	err = chmod(n->link, 0666) ? errno : 0;
	errno = err;
	return err ? -1 : unlink(n->link);
}

static int do_setxattr(const struct names *n)
{
	return setxattr(n->file, "trusted.new", "x", 1, 0) || removexattr(n->file, "trusted.new");
}

static int do_removexattr(const struct names *n)
{
	return removexattr(n->file, "trusted.there") ||
	       setxattr(n->file, "trusted.there", "x", 1, 0);
}

/* What the mode says, and a user more. */
static int do_acl(const struct names *n)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entry[5];
	} acl = { 2, { { 1, 6, ~0U }, { 2, 4, 1 }, { 4, 4, ~0U }, { 0x10, 4, ~0U },
		       { 0x20, 4, ~0U } } };

	return setxattr(n->file, "system.posix_acl_access", &acl, sizeof(acl), 0);
}

static int do_remove_acl(const struct names *n)
{
	return removexattr(n->file, "system.posix_acl_access");
}

static int do_write(const struct names *n)
{
	int fd = open(n->file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static int do_open_truncating(const struct names *n)
{
	int fd = open(n->file, O_RDONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static const struct {
	char what[24];
	int (*call)(const struct names *n);
} deeds[] = {
	{ "set an attribute", do_setxattr },
	{ "remove an attribute", do_removexattr },
	{ "set an access list", do_acl },
	{ "remove an access list", do_remove_acl },
	{ "remove", do_remove },
	{ "rename", do_rename },
	{ "replace", do_replace },
	{ "exchange", do_exchange },
	{ "move a directory above", do_move_above },
	{ "truncate", do_truncate },
	{ "chmod", do_chmod },
	{ "chown", do_chown },
	{ "chmod by another link", do_chmod_by_link },
	{ "open for writing", do_write },
	{ "open truncating", do_open_truncating },
};

#define DEEDS ((int)(sizeof(deeds) / sizeof(deeds[0])))

FIXTURE(guarded)
{
	struct rig r;
	struct names yes, no;
};

FIXTURE_SETUP(guarded)
{
	struct nl_msg *msg;

	ASSERT_EQ(0, rig_open(&self->r));
	ASSERT_EQ(0, system("rm -rf " TOP));
	ASSERT_EQ(0, mkdir(TOP, 0755));
	names_of(&self->yes, "yes");
	names_of(&self->no, "no");
	ASSERT_EQ(0, make_tree(&self->yes));
	ASSERT_EQ(0, make_tree(&self->no));
	msg = nlc_msg(&self->r.c, SELFHEAL_CMD_GUARD_ADD, 0);
	nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, self->yes.file);
	ASSERT_EQ(0, nlc_call(&self->r.c, msg, NULL, NULL));
}

FIXTURE_TEARDOWN(guarded)
{
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, system("rm -rf " TOP));
}

struct plan {
	const struct names *names;
	pid_t controller;
};

/* value[i] = errno of the i-th deed. */
static void do_all(struct page *page, void *arg)
{
	const struct plan *plan = arg;
	int i;

	for (i = 0; i < DEEDS; i++)
		atomic_store(&page->value[i], deeds[i].call(plan->names) ? errno : 0);
	page_step(page, 2);
	page_block(page, 2);
}

/* What a member gets for each deed. */
static bool member_does(struct rig *r, const struct plan *plan)
{
	return !rig_run(r, do_all, (void *)plan) && page_wait(r->kid.page, 2, BOUND);
}

TEST_F(guarded, members_cannot_change_them)
{
	const struct plan plan = { .names = &self->yes };
	struct rig *r = &self->r;
	struct event ev;
	struct stat st;
	int i;

	ASSERT_TRUE(member_does(r, &plan));
	for (i = 0; i < DEEDS; i++)
		EXPECT_EQ(EPERM, r->kid.page->value[i]) { TH_LOG("%s", deeds[i].what); }
	/* It is as it was. */
	ASSERT_EQ(0, stat(self->yes.file, &st));
	EXPECT_EQ(4, st.st_size);
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_TAMPER, r->dom, BOUND, &ev));
	EXPECT_STREQ("guarded file", ev.what);
	EXPECT_EQ((uint32_t)r->kid.pid, ev.tid);
}

/* Nor with a descriptor that was opened for writing outside: inherited, or sent. */
TEST_F(guarded, descriptors_from_outside_are_refused)
{
	int fd = open(self->yes.file, O_WRONLY | O_CLOEXEC), no = open(self->no.file, O_WRONLY);
	struct rig *r = &self->r;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, no);
	ASSERT_EQ(-EPERM, rig_prepare(r, do_all, NULL));
	EXPECT_NE(NULL, strstr(r->c.ext, "tampering")) { TH_LOG("%s", r->c.ext); }
	close(fd);
	close(no);
}

static void receive_two(struct page *page, void *arg)
{
	int *sv = arg, i;

	for (i = 0; i < 2; i++)
		atomic_store(&page->value[i], recv_fd(sv[1]));
	page_step(page, 2);
	page_block(page, 2);
}

TEST_F(guarded, descriptors_sent_are_withheld)
{
	struct rig *r = &self->r;
	int sv[2], fd, no;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, rig_run(r, receive_two, sv)) { TH_LOG("%s", r->c.ext); }
	fd = open(self->yes.file, O_WRONLY | O_CLOEXEC);
	no = open(self->no.file, O_WRONLY | O_CLOEXEC);
	ASSERT_EQ(0, send_fd(sv[0], fd, 1));
	ASSERT_EQ(0, send_fd(sv[0], no, 1));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(-EPERM, r->kid.page->value[0]);
	EXPECT_LE(0, r->kid.page->value[1]);
	close(fd);
	close(no);
	close(sv[0]);
	close(sv[1]);
}

/* Or the test above would prove nothing. */
TEST_F(guarded, members_can_change_others)
{
	const struct plan plan = { .names = &self->no };
	struct rig *r = &self->r;
	int i;

	ASSERT_TRUE(member_does(r, &plan));
	for (i = 0; i < DEEDS; i++)
		EXPECT_EQ(0, r->kid.page->value[i]) { TH_LOG("%s", deeds[i].what); }
}

TEST_F(guarded, policy_may_pass_it)
{
	const struct plan plan = { .names = &self->yes };
	struct rig *r = &self->r;

	r->p.tamper = SELFHEAL_TAMPER_ACTION_PASS;
	ASSERT_TRUE(member_does(r, &plan));
	EXPECT_EQ(0, r->kid.page->value[0]);
}

TEST_F(guarded, root_outside_is_trusted)
{
	int i;

	ASSERT_EQ(0, policy_load(&self->r.c, &self->r.p));
	for (i = 0; i < DEEDS; i++)
		EXPECT_EQ(0, deeds[i].call(&self->yes)) { TH_LOG("%s: %m", deeds[i].what); }
}

/* value[0..2] = errno of a signal, of an attach, of a write to its memory. */
static void reach_for_controller(struct page *page, void *arg)
{
	const struct plan *plan = arg;
	char byte = 0;
	struct iovec mine = { &byte, 1 }, its = { page->text, 1 };

	atomic_store(&page->value[0], kill(plan->controller, SIGWINCH) ? errno : 0);
	atomic_store(&page->value[1], ptrace(PTRACE_SEIZE, plan->controller, 0, 0) ? errno : 0);
	atomic_store(&page->value[2],
		     process_vm_writev(plan->controller, &mine, 1, &its, 1, 0) < 0 ? errno : 0);
	page_step(page, 2);
	page_block(page, 2);
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

TEST_F(guarded, controllers_cannot_be_reached)
{
	struct plan plan = { .controller = getpid() };
	struct rig *r = &self->r;
	struct event ev;
	int i;

	/* Every channel passes: what is refused is refused as tampering. */
	ASSERT_EQ(0, rig_run(r, reach_for_controller, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EPERM, r->kid.page->value[i]) { TH_LOG("deed %d", i); }
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_TAMPER, r->dom, BOUND, &ev));
	EXPECT_STREQ("controller", ev.what);
}

TEST_F(guarded, other_outsiders_can_be_reached)
{
	struct rig *r = &self->r;
	struct child outsider;
	struct plan plan;

	ASSERT_EQ(0, child_start(&outsider, idle, NULL));
	plan.controller = outsider.pid;
	ASSERT_EQ(0, rig_run(r, reach_for_controller, &plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_EQ(0, r->kid.page->value[1]);
	/* Its tracer first: a traced zombie is the tracer's. */
	page_go(r->kid.page, 2);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
	child_end(&outsider);
}

GUEST_MAIN
