// SPDX-License-Identifier: GPL-2.0
/*
 * The security modules judge a member's calls as they would without us: each attempt runs
 * without a domain first, and must give the same answer inside one that holds everything; and
 * what a security module refuses is not held, nor does it arrive.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "rig.h"
#include "stream.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif
#define LANDLOCK_VERSION 1		/* LANDLOCK_CREATE_RULESET_VERSION */
#define LANDLOCK_WRITE_FILE (1 << 1)	/* LANDLOCK_ACCESS_FS_WRITE_FILE */
#define LANDLOCK_CONNECT_TCP (1 << 1)	/* LANDLOCK_ACCESS_NET_CONNECT_TCP */
#define LANDLOCK_ABSTRACT (1 << 0)	/* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */
#define ABI_FS 1
#define ABI_NET 4
#define ABI_SCOPE 6

#define SECURITYFS "/sys/kernel/security"
#define PROFILE "selfheal-fidelity"

struct ruleset {
	uint64_t fs, net, scoped;
};

struct plan {
	/* The attempt after confine(): 0 or -errno. */
	int (*attempt)(struct plan *plan);
	int (*confine)(struct plan *plan);
	struct ruleset rules;
	struct pair ch;
	struct sockaddr_in sin;
	struct sockaddr_un sun;
	char fifo[64];
};

FIXTURE(lsm)
{
	struct rig r;
	struct plan plan;
};

FIXTURE_SETUP(lsm)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.commit = 0;
}

FIXTURE_TEARDOWN(lsm)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->plan.ch);
	if (self->plan.fifo[0])
		unlink(self->plan.fifo);
}

static int landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
}

static int by_landlock(struct plan *plan)
{
	/* Older kernels want a shorter structure, or zeroes. */
	int fd = syscall(SYS_landlock_create_ruleset, &plan->rules, sizeof(plan->rules), 0);

	if (fd < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		return -errno;
	close(fd);
	return 0;
}

static int by_apparmor(struct plan *plan)
{
	(void)plan;
	return write_file("/proc/self/attr/current", "changeprofile " PROFILE);
}

/* value[0] answer of confine(), value[1] of the attempt. */
static void confined(struct page *page, void *arg)
{
	struct plan *plan = arg;

	page->value[0] = plan->confine(plan);
	page->value[1] = plan->attempt(plan);
	page_step(page, 2);
	page_block(page, ~0U);
}

/* The same answer both times: that one; else -EXDEV. */
static int answer(struct rig *r, struct plan *plan)
{
	struct domain d;
	int without;

	if (child_start(&r->kid, confined, plan))
		return -EXDEV;
	page_go(r->kid.page, 1);
	if (!page_wait(r->kid.page, 2, BOUND) || r->kid.page->value[0])
		return -EXDEV;
	without = r->kid.page->value[1];
	child_end(&r->kid);
	if (rig_run(r, confined, plan) || !page_wait(r->kid.page, 2, BOUND) ||
	    r->kid.page->value[0])
		return -EXDEV;
	if (r->kid.page->value[1] != without) {
		printf("# %d without a domain, %d in one\n", without,
		       (int)r->kid.page->value[1]);
		return -EXDEV;
	}
	if (domain_get(&r->c, r->dom, &d) || d.held_total || d.held_entries) {
		printf("# held: %llu bytes\n", (unsigned long long)d.held_total);
		return -EXDEV;
	}
	return without;
}

static int open_fifo(struct plan *plan)
{
	int fd = open(plan->fifo, O_WRONLY | O_NONBLOCK);

	return fd < 0 ? -errno : write(fd, "x", 1) == 1 ? 0 : -errno;
}

TEST_F(lsm, landlock_open)
{
	struct plan *plan = &self->plan;

	if (landlock_abi() < ABI_FS)
		SKIP(return, "no Landlock");
	snprintf(plan->fifo, sizeof(plan->fifo), "/tmp/selfheal.lsm.%d", getpid());
	ASSERT_EQ(0, mkfifo(plan->fifo, 0600));
	plan->ch.rx = open(plan->fifo, O_RDONLY | O_NONBLOCK);
	plan->confine = by_landlock;
	plan->attempt = open_fifo;
	plan->rules.fs = LANDLOCK_WRITE_FILE;
	EXPECT_EQ(-EACCES, answer(&self->r, plan));
}

static int connect_tcp(struct plan *plan)
{
	int fd = tcp_connect(&plan->sin);

	return fd < 0 ? fd : 0;
}

TEST_F(lsm, landlock_connect)
{
	struct plan *plan = &self->plan;

	if (landlock_abi() < ABI_NET)
		SKIP(return, "this Landlock does not know of networks");
	plan->ch.rx = tcp_listen(&plan->sin);
	ASSERT_LT(0, plan->ch.rx);
	plan->confine = by_landlock;
	plan->attempt = connect_tcp;
	plan->rules.net = LANDLOCK_CONNECT_TCP;
	EXPECT_EQ(-EACCES, answer(&self->r, plan));
	EXPECT_FALSE(rx_ready(plan->ch.rx, 0));
}

static int abstract_dgram(struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1, "selfheal.lsm.%d", getpid());
	if (fd < 0 || bind(fd, (struct sockaddr *)sun, sizeof(*sun)))
		return -errno;
	return fd;
}

static int send_abstract(struct plan *plan)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	return sendto(fd, "x", 1, 0, (struct sockaddr *)&plan->sun, sizeof(plan->sun)) == 1 ?
	       0 : -errno;
}

/* The commit follows the verdict at its own time. */
static bool wait_empty(struct rig *r, struct domain *d)
{
	int64_t end = now_ms() + BOUND;

	while (!domain_get(&r->c, r->dom, d) && now_ms() < end) {
		if (!d->held_entries)
			return true;
		pause_ms(1);
	}
	return false;
}

TEST_F(lsm, landlock_scope)
{
	struct plan *plan = &self->plan;
	struct rig *r = &self->r;
	struct domain d;
	uint64_t id;

	if (landlock_abi() < ABI_SCOPE)
		SKIP(return, "this Landlock does not know of scopes");
	plan->ch.rx = abstract_dgram(&plan->sun);
	ASSERT_LT(0, plan->ch.rx);
	plan->confine = by_landlock;
	plan->attempt = send_abstract;
	plan->rules.scoped = LANDLOCK_ABSTRACT;
	ASSERT_EQ(0, child_start(&r->kid, confined, plan));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(-EPERM, r->kid.page->value[1]);
	child_end(&r->kid);
	/*
	 * An abstract name is looked up when the message is sent: the sender is
	 * told success, and the refusal comes at the commit.
	 */
	ASSERT_EQ(0, rig_run(r, confined, plan));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	EXPECT_EQ(0, r->kid.page->value[1]);
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(wait_empty(r, &d));
	EXPECT_FALSE(rx_ready(plan->ch.rx, 0));
	EXPECT_EQ(1, d.held_total);
	EXPECT_EQ(0, d.held_bytes);
	EXPECT_EQ(0, d.committed_bytes);
	EXPECT_EQ(1, d.dropped_bytes);
}

static bool have_apparmor(void)
{
	if (access(SECURITYFS "/apparmor", F_OK))
		mount("securityfs", SECURITYFS, "securityfs", 0, NULL);
	return file_has("/sys/module/apparmor/parameters/enabled", "Y") &&
	       !access(SECURITYFS "/apparmor/profiles", F_OK) &&
	       !system("command -v apparmor_parser > /dev/null");
}

/* All of its world but IPv4 datagrams. */
static bool load_profile(void)
{
	FILE *f = popen("apparmor_parser --replace --skip-cache --quiet", "we");

	if (!f)
		return false;
	fputs("profile " PROFILE " flags=(attach_disconnected) {\n"
	      "file,\n capability,\n network,\n deny network inet dgram,\n"
	      "signal,\n ptrace,\n unix,\n }\n", f);
	return pclose(f) == 0;
}

static int send_udp(struct plan *plan)
{
	return send(plan->ch.tx, "x", 1, 0) == 1 ? 0 : -errno;
}

static int write_udp(struct plan *plan)
{
	return write(plan->ch.tx, "x", 1) == 1 ? 0 : -errno;
}

static int send_udp_many(struct plan *plan)
{
	struct iovec iov = { "x", 1 };
	struct mmsghdr msg[2] = { { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } } };

	msg[1] = msg[0];
	return sendmmsg(plan->ch.tx, msg, 2, 0) == 2 ? 0 : -errno;
}

FIXTURE(profile)
{
	struct rig r;
	struct plan plan;
};

FIXTURE_VARIANT(profile)
{
	int (*attempt)(struct plan *plan);
};

FIXTURE_VARIANT_ADD(profile, send) { send_udp };
FIXTURE_VARIANT_ADD(profile, write) { write_udp };
FIXTURE_VARIANT_ADD(profile, sendmmsg) { send_udp_many };

FIXTURE_SETUP(profile)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->r.p.commit = 0;
}

FIXTURE_TEARDOWN(profile)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->plan.ch);
}

TEST_F(profile, apparmor_refuses_a_held_send)
{
	struct plan *plan = &self->plan;

	if (!have_apparmor())
		SKIP(return, "no AppArmor, or no apparmor_parser");
	ASSERT_TRUE(load_profile());
	/* The socket is older than the profile: only the sending is judged. */
	ASSERT_EQ(0, pair_open(&plan->ch, CH_UDP));
	plan->confine = by_apparmor;
	plan->attempt = variant->attempt;
	EXPECT_EQ(-EACCES, answer(&self->r, plan));
	EXPECT_FALSE(rx_ready(plan->ch.rx, 0));
}

GUEST_MAIN
