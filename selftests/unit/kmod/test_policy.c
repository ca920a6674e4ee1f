// SPDX-License-Identifier: GPL-2.0
/* File identities, and the table of policies. */
#include "domain/policy.c"
#include "shim.h"
#include "test.h"

u64 sh_exec_filter;

static struct super_block disk = { .s_dev = 0x800001 }, other_disk = { .s_dev = 0x800002 };

static struct inode inodes[] = {
	{ .i_ino = 100, .i_generation = 1, .i_mode = S_IFREG | 0755, .i_sb = &disk },
	{ .i_ino = 101, .i_generation = 1, .i_mode = S_IFREG | 0755, .i_sb = &disk },
	{ .i_ino = 102, .i_generation = 1, .i_mode = S_IFDIR | 0755, .i_sb = &disk },
};

static struct shim_file files[] = {
	{ "/bin/server", { &inodes[0] } },
	{ "/bin/server-link", { &inodes[0] } },
	{ "/bin/shell", { &inodes[1] } },
	{ "/bin", { &inodes[2] } },
	{ 0 }
};

TEST(file_id_equal)
{
	const struct sh_file_id base = { .dev = 0x800001, .generation = 7, .ino = 1ull << 32 | 5 };
	struct sh_file_id id = base;

	CHECK(sh_file_id_equal(&base, &base));
	CHECK(sh_file_id_equal(&base, &id));
	id.dev ^= 1;
	CHECK(!sh_file_id_equal(&base, &id) && !sh_file_id_equal(&id, &base));
	id = base;
	id.generation++;	/* the number went to another file */
	CHECK(!sh_file_id_equal(&base, &id) && !sh_file_id_equal(&id, &base));
	id = base;
	id.ino ^= 1;
	CHECK(!sh_file_id_equal(&base, &id) && !sh_file_id_equal(&id, &base));
	id = base;
	id.ino ^= 1ull << 32;	/* all 64 bits count */
	CHECK(!sh_file_id_equal(&base, &id) && !sh_file_id_equal(&id, &base));
}

TEST(file_id_of)
{
	struct sh_file_id id = sh_file_id_of(&inodes[1]);

	CHECK_INT(id.dev, 0x800001);
	CHECK_INT(id.ino, 101);
	CHECK_INT(id.generation, 1);
}

TEST(file_set)
{
	struct inode same = inodes[0], reused = inodes[0], elsewhere = inodes[0];
	struct sh_file_set set = { 0 };

	reused.i_generation = 2;
	elsewhere.i_sb = &other_disk;
	shim_files = files;
	CHECK(!sh_file_set_has(&set, &inodes[0]));
	CHECK_INT(sh_file_set_add(&set, "/bin/server", 2), 0);
	CHECK(sh_file_set_has(&set, &inodes[0]));
	CHECK(sh_file_set_has(&set, &same));
	CHECK(!sh_file_set_has(&set, &reused));
	CHECK(!sh_file_set_has(&set, &elsewhere));
	CHECK(!sh_file_set_has(&set, &inodes[1]));
	CHECK_INT(sh_file_set_add(&set, "/bin/missing", 2), -ENOENT);
	CHECK_INT(sh_file_set_add(&set, "/bin", 2), -EINVAL);
	CHECK_INT(set.nr, 1);
	CHECK(!sh_file_set_has(&set, &inodes[2]));
	CHECK_INT(sh_file_set_add(&set, "/bin/shell", 2), 0);
	CHECK(sh_file_set_has(&set, &inodes[1]));
	CHECK_INT(sh_file_set_add(&set, "/bin/server-link", 2), -ENOSPC);
	CHECK_INT(set.nr, 2);
	CHECK_STR(set.paths[0], "/bin/server");
	CHECK_STR(set.paths[1], "/bin/shell");
	CHECK_INT(shim_paths, 0);	/* no file system is kept busy */
	sh_file_set_free(&set);
}

/* Whichever allocation fails: -ENOMEM, no entry, nothing lost (the sanitizer looks). */
TEST(file_set_no_memory)
{
	unsigned int i;

	shim_files = files;
	for (i = 1; i <= 3; i++) {
		struct sh_file_set set = { 0 };

		shim_fail_alloc = i;
		CHECK_INT(sh_file_set_add(&set, "/bin/server", 2), -ENOMEM);
		CHECK_INT(shim_fail_alloc, 0);
		CHECK_INT(set.nr, 0);
		CHECK_INT(shim_paths, 0);
		sh_file_set_free(&set);
	}
}

static unsigned int released;

static void count_release(struct sh_policy *p)
{
	released++;
}

static struct sh_policy *make(const char *name, const char *path)
{
	struct sh_policy *p = sh_policy_alloc();

	snprintf(p->name, sizeof(p->name), "%s", name);
	p->release = count_release;
	if (path)
		CHECK_INT(sh_file_set_add(&p->match, path, 4), 0);
	return p;
}

static bool found(const char *name)
{
	struct sh_policy *p = sh_policy_find(name);
	bool is = p && !strcmp(p->name, name);

	sh_policy_put(p);
	return is;
}

TEST(policy_publish_and_withdraw)
{
	struct sh_policy *p = make("a", NULL);

	CHECK(!found("a"));
	shim_now = 4242;
	CHECK_INT(sh_policy_publish(p), 0);
	CHECK_INT(p->stamp, 4242);
	CHECK_INT(sh_policy_count(), 1);
	CHECK(found("a") && !found("b") && !found(""));
	CHECK_INT(sh_policy_withdraw("b"), -ENOENT);
	atomic_inc(&p->domains);
	CHECK_INT(sh_policy_withdraw("a"), -EBUSY);
	CHECK(found("a"));
	atomic_dec(&p->domains);
	CHECK_INT(released, 0);
	CHECK_INT(sh_policy_withdraw("a"), 0);
	CHECK_INT(released, 1);
	CHECK_INT(sh_policy_count(), 0);
	CHECK_INT(sh_policy_withdraw("a"), -ENOENT);
}

/* Whoever found a policy keeps it: its domains go on under the old rules. */
TEST(policy_replaced_lives_on)
{
	struct sh_policy *old = make("a", NULL), *kept;

	CHECK_INT(sh_policy_publish(old), 0);
	kept = sh_policy_find("a");
	CHECK_INT(sh_policy_publish(make("a", NULL)), 0);
	CHECK_INT(sh_policy_count(), 1);
	CHECK_INT(released, 0);
	CHECK_STR(kept->name, "a");
	sh_policy_put(kept);
	CHECK_INT(released, 1);
	CHECK_INT(sh_policy_withdraw("a"), 0);
	CHECK_INT(released, 2);
}

TEST(policy_no_memory_keeps_the_old_one)
{
	struct sh_policy *p;
	int place;

	shim_files = files;
	CHECK_INT(sh_policy_publish(make("a", "/bin/server")), 0);
	/* The matches, and the place in the table. */
	for (place = 1; place <= 2; place++) {
		p = make("a", "/bin/shell");
		shim_fail_alloc = place;
		CHECK_INT(sh_policy_publish(p), -ENOMEM);
		CHECK(found("a"));
		CHECK_INT(sh_policy_count(), 1);
		CHECK(!sh_policy_match(&inodes[1]));
		sh_policy_put(p);
		CHECK_INT(released, place);
	}
	p = sh_policy_match(&inodes[0]);
	CHECK(p);
	sh_policy_put(p);
	sh_policy_exit();
	CHECK_INT(released, 3);
}

TEST(policy_bound)
{
	char name[16];
	struct sh_policy *p;
	int i;

	for (i = 0; i < SH_POLICIES_MAX; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		CHECK_INT(sh_policy_publish(make(name, NULL)), 0);
	}
	p = make("one-more", NULL);
	CHECK_INT(sh_policy_publish(p), -ENOSPC);
	sh_policy_put(p);
	/* A replacement needs no more room. */
	CHECK_INT(sh_policy_publish(make("p7", NULL)), 0);
	CHECK_INT(sh_policy_count(), SH_POLICIES_MAX);
	CHECK_INT(sh_policy_withdraw("p3"), 0);
	CHECK_INT(sh_policy_publish(make("one-more", NULL)), 0);
	sh_policy_exit();
	CHECK_INT(released, SH_POLICIES_MAX + 3);
}

TEST(policy_dump_in_order_of_loading)
{
	static const char *const want[] = { "a", "c", "b" };
	struct sh_policy *p;
	unsigned int n = 0;
	u64 serial = 0;

	CHECK_INT(sh_policy_publish(make("a", NULL)), 0);
	CHECK_INT(sh_policy_publish(make("b", NULL)), 0);
	CHECK_INT(sh_policy_publish(make("c", NULL)), 0);
	CHECK_INT(sh_policy_publish(make("b", NULL)), 0);	/* goes to the end */
	for (p = sh_policy_next(&serial); p; p = sh_policy_next(&serial)) {
		CHECK(n < 3);
		CHECK_STR(p->name, want[n < 3 ? n : 0]);
		CHECK_INT(p->serial, serial);
		serial++;
		n++;
		sh_policy_put(p);
	}
	CHECK_INT(n, 3);
	sh_policy_exit();
	CHECK_INT(released, 4);
}

TEST(policy_match_and_filter)
{
	struct sh_policy *p;

	shim_files = files;
	CHECK_INT(sh_exec_filter, 0);
	CHECK(!sh_policy_match(&inodes[0]));
	CHECK_INT(sh_policy_publish(make("none", NULL)), 0);
	CHECK_INT(sh_exec_filter, 0);	/* nobody's exec is looked at */
	CHECK_INT(sh_policy_publish(make("server", "/bin/server")), 0);
	CHECK_INT(sh_exec_filter, 1ull << 100 % 64);
	CHECK_INT(sh_policy_publish(make("shell", "/bin/shell")), 0);
	CHECK_INT(sh_exec_filter, 1ull << 100 % 64 | 1ull << 101 % 64);
	p = sh_policy_match(&inodes[1]);
	CHECK_STR(p ? p->name : NULL, "shell");
	sh_policy_put(p);
	CHECK(!sh_policy_match(&inodes[2]));
	/* Two that match: the one that was loaded first. */
	CHECK_INT(sh_policy_publish(make("server-2", "/bin/server-link")), 0);
	p = sh_policy_match(&inodes[0]);
	CHECK_STR(p ? p->name : NULL, "server");
	sh_policy_put(p);
	CHECK_INT(sh_policy_withdraw("server"), 0);
	CHECK_INT(sh_exec_filter, 1ull << 100 % 64 | 1ull << 101 % 64);
	CHECK_INT(sh_policy_withdraw("server-2"), 0);
	CHECK_INT(sh_exec_filter, 1ull << 101 % 64);
	/* A replacement without the file ends its match. */
	CHECK_INT(sh_policy_publish(make("shell", NULL)), 0);
	CHECK_INT(sh_exec_filter, 0);
	CHECK(!sh_policy_match(&inodes[1]));
	sh_policy_exit();
}

#define MANY 300

/* Each is found, whoever else is there, and by its number alone nobody. */
TEST(policy_match_among_many)
{
	static struct inode inode[MANY];
	static struct shim_file file[MANY + 1];
	static char path[MANY][32], name[MANY][16];
	struct inode reused;
	struct sh_policy *p;
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		/* Many a number comes again, on another disk or of another file. */
		inode[i] = (struct inode){ .i_ino = 1000 + i / 3, .i_generation = 1 + i % 3 / 2,
					   .i_mode = S_IFREG | 0755,
					   .i_sb = i % 3 == 1 ? &other_disk : &disk };
		snprintf(path[i], sizeof(path[i]), "/bin/%u", i);
		snprintf(name[i], sizeof(name[i]), "policy-%u", i);
		file[i] = (struct shim_file){ path[i], { &inode[i] } };
	}
	shim_files = file;
	for (i = 0; i < MANY; i++)
		CHECK_INT(sh_policy_publish(make(name[i], path[i])), 0);
	for (i = 0; i < MANY; i++) {
		p = sh_policy_match(&inode[i]);
		CHECK_STR(p ? p->name : NULL, name[i]);
		sh_policy_put(p);
		reused = inode[i];
		reused.i_generation = 9;
		CHECK(!sh_policy_match(&reused));
	}
	for (i = 0; i < MANY; i += 2)
		CHECK_INT(sh_policy_withdraw(name[i]), 0);
	for (i = 0; i < MANY; i++) {
		p = sh_policy_match(&inode[i]);
		if (i % 2)
			CHECK_STR(p ? p->name : NULL, name[i]);
		else
			CHECK(!p);
		sh_policy_put(p);
	}
	sh_policy_exit();
	for (i = 0; i < MANY; i++)
		CHECK(!sh_policy_match(&inode[i]));
}
