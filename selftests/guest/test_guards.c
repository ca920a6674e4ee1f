// SPDX-License-Identifier: GPL-2.0
/* The list of guarded files: what can be on it, how long, and who puts it there. */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rig.h"

#define DIR_PATH	"/tmp/selfheal.guards"

FIXTURE(guards)
{
	struct nlc c;
};

/* The list has no removal: each test starts with a new module. */
FIXTURE_SETUP(guards)
{
	if (module_unload_wait(BOUND))
		SKIP(return, "selfheal is in use on this machine");
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, nlc_open(&self->c));
	ASSERT_EQ(0, system("rm -rf " DIR_PATH "; mkdir " DIR_PATH));
}

FIXTURE_TEARDOWN(guards)
{
	nlc_close(&self->c);
	EXPECT_EQ(0, system("rm -rf " DIR_PATH));
}

static int guard(struct nlc *c, const char *path)
{
	struct nl_msg *msg = nlc_msg(c, SELFHEAL_CMD_GUARD_ADD, 0);

	nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, path);
	return nlc_call(c, msg, NULL, NULL);
}

struct look {
	const char *path;
	int seen, all;
};

static void look_at(struct nlmsghdr *nlh, void *arg)
{
	struct look *look = arg;
	struct nlattr *a = genlmsg_attrdata(nlmsg_data(nlh), 0);
	int left = genlmsg_attrlen(nlmsg_data(nlh), 0);

	for (; nla_ok(a, left); a = nla_next(a, &left)) {
		/* Of the files of this test: controllers are guarded, too. */
		if (nla_type(a) != SELFHEAL_A_STATUS_GUARD ||
		    strncmp(nla_get_string(a), DIR_PATH, strlen(DIR_PATH)))
			continue;
		look->all++;
		look->seen += !strcmp(nla_get_string(a), look->path);
	}
}

/* How often it is on the list; *all is the number of files of this test. */
static int listed(struct nlc *c, const char *path, int *all)
{
	struct look look = { .path = path };

	nlc_call(c, nlc_msg(c, SELFHEAL_CMD_STATUS_GET, 0), look_at, &look);
	if (all)
		*all = look.all;
	return look.seen;
}

static const char *file_new(int n)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), DIR_PATH "/%d", n);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return path;
}

#define REFUSED(err, call)						\
	do {								\
		EXPECT_EQ(-(err), call);				\
		EXPECT_NE('\0', self->c.ext[0]) {			\
			TH_LOG("no extack text: %s", #call);		\
		}							\
	} while (0)

TEST_F(guards, refusals)
{
	struct nl_msg *msg;
	int all, fd;

	REFUSED(ENOENT, guard(&self->c, DIR_PATH "/none"));
	REFUSED(EINVAL, guard(&self->c, DIR_PATH));
	REFUSED(EINVAL, guard(&self->c, "/dev/null"));
	REFUSED(EINVAL, guard(&self->c, "etc/passwd"));
	REFUSED(EINVAL, nlc_call(&self->c, nlc_msg(&self->c, SELFHEAL_CMD_GUARD_ADD, 0), NULL, NULL));
	/* Somebody who is at it already. */
	fd = open(file_new(2), O_WRONLY | O_CLOEXEC);
	REFUSED(ETXTBSY, guard(&self->c, DIR_PATH "/2"));
	close(fd);
	/* The first one counts although the second fails. */
	msg = nlc_msg(&self->c, SELFHEAL_CMD_GUARD_ADD, 0);
	nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, file_new(1));
	nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, DIR_PATH "/none");
	REFUSED(ENOENT, nlc_call(&self->c, msg, NULL, NULL));
	EXPECT_EQ(1, listed(&self->c, DIR_PATH "/1", &all));
	EXPECT_EQ(1, all);
}

TEST_F(guards, once_and_by_where_it_leads)
{
	int all;

	ASSERT_EQ(0, guard(&self->c, file_new(1)));
	ASSERT_EQ(0, guard(&self->c, DIR_PATH "/1"));
	ASSERT_EQ(0, symlink(DIR_PATH "/1", DIR_PATH "/link"));
	ASSERT_EQ(0, guard(&self->c, DIR_PATH "/link"));
	/* A file that took its place is guarded in its stead. */
	ASSERT_EQ(0, rename(file_new(2), DIR_PATH "/1"));
	ASSERT_EQ(0, guard(&self->c, DIR_PATH "/1"));
	EXPECT_EQ(1, listed(&self->c, DIR_PATH "/1", &all));
	EXPECT_EQ(1, all);
}

TEST_F(guards, bound_counts_what_exists)
{
	int n, all;

	for (n = 0; n < SELFHEAL_GUARD_MAX; n++)
		ASSERT_EQ(0, guard(&self->c, file_new(n))) { TH_LOG("file %d", n); }
	REFUSED(ENOSPC, guard(&self->c, file_new(n)));
	/* One that is listed needs no room; one that has gone makes it. */
	EXPECT_EQ(0, guard(&self->c, DIR_PATH "/7"));
	ASSERT_EQ(0, unlink(DIR_PATH "/7"));
	EXPECT_EQ(0, guard(&self->c, file_new(n)));
	EXPECT_EQ(0, listed(&self->c, DIR_PATH "/7", &all));
	EXPECT_EQ(SELFHEAL_GUARD_MAX, all);
	REFUSED(ENOSPC, guard(&self->c, file_new(n + 1)));
}

TEST_F(guards, healctl_guards_what_it_loads)
{
	FILE *f = fopen(DIR_PATH "/p.yaml", "w");

	ASSERT_NE(NULL, f);
	ASSERT_LE(0, fputs("policy: guards\nsense: {fault: [SEGV]}\n", f));
	ASSERT_EQ(0, fclose(f));
	EXPECT_EQ(0, system("cd " DIR_PATH " && healctl policy load p.yaml > /dev/null"));
	EXPECT_EQ(1, listed(&self->c, DIR_PATH "/p.yaml", NULL));
	EXPECT_EQ(0, system("healctl guard list | grep -qx " DIR_PATH "/p.yaml"));
	EXPECT_EQ(0, system("healctl guard list | grep -qx \"$(readlink -f \"$(command -v healctl)\")\""));
	file_new(3);
	EXPECT_EQ(0, system("healctl guard add " DIR_PATH "/3 > /dev/null"));
	EXPECT_EQ(1, listed(&self->c, DIR_PATH "/3", NULL));
	EXPECT_EQ(4, WEXITSTATUS(system("healctl guard add " DIR_PATH "/none 2> /dev/null")));
	EXPECT_EQ(0, system("healctl policy unload guards > /dev/null"));
}

GUEST_MAIN
