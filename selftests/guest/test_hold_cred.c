// SPDX-License-Identifier: GPL-2.0
/*
 * What is held leaves with the credentials of the thread that produced it,
 * whoever commits it: a thread that has given up its rights gets no more by
 * another thread of its process that still has them.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "rig.h"
#include "stream.h"

#define NOBODY 65534

FIXTURE(cred)
{
	struct rig r;
	struct sockaddr_un open, shut;	/* everybody may write to the former */
	int rx_open, rx_shut, tx;
};

static int receiver_at(struct sockaddr_un *sun, const char *name, mode_t mode)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/tmp/hold-cred-%d.%s", getpid(), name);
	if (fd < 0 || bind(fd, (struct sockaddr *)sun, sizeof(*sun)) || chmod(sun->sun_path, mode))
		return -1;
	return fd;
}

FIXTURE_SETUP(cred)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->rx_open = receiver_at(&self->open, "open", 0666);
	self->rx_shut = receiver_at(&self->shut, "shut", 0600);
	self->tx = socket(AF_UNIX, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->rx_open);
	ASSERT_LE(0, self->rx_shut);
	ASSERT_LE(0, self->tx);
}

FIXTURE_TEARDOWN(cred)
{
	EXPECT_TRUE(rig_close(&self->r));
	unlink(self->open.sun_path);
	unlink(self->shut.sun_path);
	close(self->rx_open);
	close(self->rx_shut);
	close(self->tx);
}

struct two {
	const struct sockaddr_un *open, *shut;
	int tx;
	struct page *page;
};

static ssize_t send_to(const struct two *t, const struct sockaddr_un *to, const char *text)
{
	return sendto(t->tx, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));
}

/* Its message is behind that of the other thread, which has not waited yet. */
static void *without_rights(void *arg)
{
	struct two *t = arg;

	page_spin(t->page, 2);
	/* Of this thread alone. */
	t->page->value[0] = syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
	t->page->value[1] = send_to(t, t->shut, "no");
	t->page->value[2] = send_to(t, t->open, "nobody");
	page_step(t->page, 3);
	poll(NULL, 0, -1);
	return NULL;
}

static void send_by_two(struct page *page, void *arg)
{
	struct two *t = arg;
	pthread_t thread;

	t->page = page;
	if (pthread_create(&thread, NULL, without_rights, t))
		_exit(1);
	page->value[3] = send_to(t, t->open, "root");
	page_step(page, 2);
	page_spin(page, 3);
	poll(NULL, 0, -1);
}

TEST_F(cred, a_thread_sends_with_its_own)
{
	struct two t = { &self->open, &self->shut, self->tx, NULL };
	struct rig *r = &self->r;
	char text[16] = "";

	ASSERT_EQ(0, rig_run(r, send_by_two, &t));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(0, r->kid.page->value[0]);
	EXPECT_EQ(6, r->kid.page->value[2]);
	EXPECT_EQ(4, r->kid.page->value[3]);
	/* The second thread has come to its wait, and nothing has left: the first has not. */
	EXPECT_FALSE(rx_ready(self->rx_open, QUIET));
	EXPECT_FALSE(rx_ready(self->rx_shut, 0));
	page_go(r->kid.page, 3);
	ASSERT_TRUE(rx_ready(self->rx_open, BOUND));
	ASSERT_EQ(4, recv(self->rx_open, text, sizeof(text), 0));
	EXPECT_EQ(0, memcmp(text, "root", 4));
	ASSERT_TRUE(rx_ready(self->rx_open, BOUND));
	ASSERT_EQ(6, recv(self->rx_open, text, sizeof(text), 0));
	EXPECT_EQ(0, memcmp(text, "nobody", 6));
	/* What it may not write to has been passed by now. */
	EXPECT_FALSE(rx_ready(self->rx_shut, 0));
}

GUEST_MAIN
