// SPDX-License-Identifier: GPL-2.0
/*
 * Every way to send, and the order of what they send: vectors, several
 * messages a call, close and shutdown, passed descriptors, files, threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "rig.h"
#include "stream.h"

FIXTURE(order)
{
	struct rig r;
	struct pair ch;
	struct receiver rx;
};

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(order)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

static void fail(struct page *page, int line)
{
	if (!page->value[0]) {
		atomic_store(&page->value[1], errno);
		atomic_store(&page->value[0], line);
	}
}

#define MUST(cond) do { if (!(cond)) fail(page, __LINE__); } while (0)
#define KID_IS_FINE() \
	EXPECT_EQ(0, self->r.kid.page->value[0]) { \
		TH_LOG("the member failed at line %lld, errno %lld", \
		       (long long)self->r.kid.page->value[0], \
		       (long long)self->r.kid.page->value[1]); \
	}

static void wait_forever(void)
{
	poll(NULL, 0, -1);
}

static void send_vectors(struct page *page, void *arg)
{
	struct pair *ch = arg;
	struct iovec iov[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 3 };
	struct mmsghdr mm[2] = {
		{ .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = iov + 2, .msg_iovlen = 1 } },
	};

	close(ch->rx);
	MUST(writev(ch->tx, iov, 3) == 8);
	if (ch->kind != CH_PIPE && ch->kind != CH_PTY) {
		MUST(sendmsg(ch->tx, &m, 0) == 8);
		MUST(sendmmsg(ch->tx, mm, 2, 0) == 2);
		MUST(mm[0].msg_len == 3 && mm[1].msg_len == 5);
		MUST(send(ch->tx, "s", 1, MSG_MORE) == 1);
	} else {
		MUST(writev(ch->tx, iov, 3) == 8);
		MUST(writev(ch->tx, iov, 1) == 3);
		MUST(writev(ch->tx, iov + 2, 1) == 5);
		MUST(write(ch->tx, "s", 1) == 1);
	}
	MUST(write(ch->tx, "end", 3) == 3);
	page_step(page, 2);
	page_spin(page, 2);
	wait_forever();
}

FIXTURE(vectors)
{
	struct rig r;
	struct pair ch;
};

FIXTURE_VARIANT(vectors)
{
	enum channel_kind kind;
};

FIXTURE_VARIANT_ADD(vectors, tcp) { CH_TCP };
FIXTURE_VARIANT_ADD(vectors, unix_stream) { CH_UNIX_STREAM };
FIXTURE_VARIANT_ADD(vectors, pipe) { CH_PIPE };
FIXTURE_VARIANT_ADD(vectors, pty) { CH_PTY };

FIXTURE_SETUP(vectors)
{
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(vectors)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

TEST_F(vectors, in_order)
{
	static const char want[] = "onethree" "onethree" "one" "three" "s" "end";
	struct rig *r = &self->r;
	char got[64];

	ASSERT_EQ(0, rig_run(r, send_vectors, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	ASSERT_EQ(sizeof(want) - 1, rx_read(self->ch.rx, got, sizeof(want) - 1, BOUND));
	EXPECT_EQ(0, memcmp(want, got, sizeof(want) - 1));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
}

struct to {
	int fd;
	struct sockaddr_in sin[2];
};

static void send_to_two(struct page *page, void *arg)
{
	struct to *to = arg;
	int i;

	for (i = 0; i < 10; i++) {
		char text[8];
		int n = snprintf(text, sizeof(text), "m%d", i);

		MUST(sendto(to->fd, text, n, 0, (struct sockaddr *)&to->sin[i % 2],
			    sizeof(to->sin[0])) == n);
	}
	page_step(page, 2);
	page_spin(page, 2);
	wait_forever();
}

TEST_F(order, sendto_with_addresses)
{
	struct rig *r = &self->r;
	socklen_t len = sizeof(struct sockaddr_in);
	char got[8], want[8];
	struct to to;
	int rx[2], i;

	to.fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (i = 0; i < 2; i++) {
		rx[i] = socket(AF_INET, SOCK_DGRAM, 0);
		memset(&to.sin[i], 0, len);
		to.sin[i].sin_family = AF_INET;
		to.sin[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ASSERT_EQ(0, bind(rx[i], (struct sockaddr *)&to.sin[i], len));
		ASSERT_EQ(0, getsockname(rx[i], (struct sockaddr *)&to.sin[i], &len));
	}
	ASSERT_EQ(0, rig_run(r, send_to_two, &to));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
	EXPECT_FALSE(rx_ready(rx[0], QUIET));
	EXPECT_FALSE(rx_ready(rx[1], 0));
	page_go(r->kid.page, 2);
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(rx_ready(rx[i % 2], BOUND));
		snprintf(want, sizeof(want), "m%d", i);
		ASSERT_EQ(2, recv(rx[i % 2], got, sizeof(got), 0));
		EXPECT_EQ(0, memcmp(want, got, 2));
	}
	EXPECT_FALSE(rx_ready(rx[0], QUIET));
	EXPECT_FALSE(rx_ready(rx[1], 0));
}

#define BULK (192 * 1024)

enum ending { CLOSE, SHUTDOWN, EXIT, LINGER };

struct finish {
	struct pair *ch;
	enum ending how;
};

static void send_and_finish(struct page *page, void *arg)
{
	static uint8_t buf[BULK];
	struct finish *f = arg;
	struct linger linger = { 1, 10 };
	size_t at, n = f->ch->kind == CH_PIPE ? 60000 : BULK;

	close(f->ch->rx);
	pattern_fill(buf, 0, n);
	for (at = 0; at < n; at += 3000)
		MUST(write(f->ch->tx, buf + at, n - at < 3000 ? n - at : 3000) > 0);
	switch (f->how) {
	case CLOSE:
		close(f->ch->tx);
		break;
	case LINGER:
		setsockopt(f->ch->tx, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(f->ch->tx);
		break;
	case SHUTDOWN:
		MUST(shutdown(f->ch->tx, SHUT_WR) == 0);
		break;
	case EXIT:
		page_step(page, 2);
		page_spin(page, 2);
		_exit(0);
	}
	page_step(page, 2);
	page_spin(page, 2);
	wait_forever();
}

FIXTURE(ends)
{
	struct rig r;
	struct pair ch;
	struct receiver rx;
};

FIXTURE_VARIANT(ends)
{
	enum channel_kind kind;
	enum ending how;
};

FIXTURE_VARIANT_ADD(ends, tcp_close) { CH_TCP, CLOSE };
FIXTURE_VARIANT_ADD(ends, tcp_linger) { CH_TCP, LINGER };
FIXTURE_VARIANT_ADD(ends, tcp_shutdown) { CH_TCP, SHUTDOWN };
FIXTURE_VARIANT_ADD(ends, tcp_exit) { CH_TCP, EXIT };
FIXTURE_VARIANT_ADD(ends, unix_close) { CH_UNIX_STREAM, CLOSE };
FIXTURE_VARIANT_ADD(ends, unix_shutdown) { CH_UNIX_STREAM, SHUTDOWN };
FIXTURE_VARIANT_ADD(ends, unix_exit) { CH_UNIX_STREAM, EXIT };
FIXTURE_VARIANT_ADD(ends, pipe_close) { CH_PIPE, CLOSE };
FIXTURE_VARIANT_ADD(ends, pipe_exit) { CH_PIPE, EXIT };

FIXTURE_SETUP(ends)
{
	ASSERT_EQ(0, pair_open(&self->ch, variant->kind));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(ends)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

TEST_F(ends, end_follows_the_data)
{
	struct finish f = { &self->ch, variant->how };
	uint64_t n = variant->kind == CH_PIPE ? 60000 : BULK;
	struct pollfd pfd = { .fd = self->ch.rx, .events = POLLIN | POLLRDHUP };
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, send_and_finish, &f));
	/* Only the member has the sending end now. */
	close(self->ch.tx);
	self->ch.tx = -1;
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
	/* Neither data nor the end of it is out. */
	EXPECT_EQ(0, poll(&pfd, 1, QUIET));
	page_go(r->kid.page, 2);
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	EXPECT_TRUE(receiver_wait_eof(&self->rx, BOUND));
	EXPECT_EQ(n, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

TEST_F(ends, kill_sends_no_data)
{
	struct finish f = { &self->ch, variant->how };
	struct rig *r = &self->r;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, send_and_finish, &f));
	close(self->ch.tx);
	self->ch.tx = -1;
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_TRUE(rx_eof(self->ch.rx, BOUND));
}

static void pass_a_file(struct page *page, void *arg)
{
	struct pair *ch = arg;
	char ctl[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "fd", 2 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);

	close(ch->rx);
	MUST(fd >= 0);
	MUST(write(fd, "passed", 6) == 6);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	MUST(sendmsg(ch->tx, &m, 0) == 2);
	/* Its own copy goes before the message does. */
	close(fd);
	page_step(page, 2);
	page_spin(page, 2);
	wait_forever();
}

TEST_F(order, passed_descriptor_works)
{
	struct rig *r = &self->r;
	char ctl[CMSG_SPACE(sizeof(int))], text[8] = "";
	struct iovec iov = { text, 2 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	int fd = -1;

	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_run(r, pass_a_file, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	ASSERT_EQ(2, recvmsg(self->ch.rx, &m, 0));
	c = CMSG_FIRSTHDR(&m);
	ASSERT_NE(NULL, c);
	EXPECT_EQ(SCM_RIGHTS, c->cmsg_type);
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	EXPECT_EQ(6, pread(fd, text, 6, 0));
	EXPECT_EQ(0, memcmp("passed", text, 6));
	close(fd);
}

#define ZC_BYTES 100000

static void send_zerocopy(struct page *page, void *arg)
{
	struct pair *ch = arg;
	static uint8_t buf[ZC_BYTES];
	int on = 1;
	ssize_t n;

	close(ch->rx);
	pattern_fill(buf, 0, sizeof(buf));
	/* Refused where sockets are held; then the flag means nothing. */
	MUST(!setsockopt(ch->tx, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) || errno == EPERM);
	n = send(ch->tx, buf, sizeof(buf), MSG_ZEROCOPY);
	atomic_store(&page->value[2], n < 0 ? -errno : n);
	/* The pages may be reused only after the completion: keep them as they are. */
	page_step(page, 2);
	page_spin(page, 2);
	wait_forever();
}

TEST_F(order, zerocopy_refused_or_right)
{
	struct rig *r = &self->r;
	int64_t ret;

	ASSERT_EQ(0, pair_open(&self->ch, CH_TCP));
	ASSERT_EQ(0, rig_run(r, send_zerocopy, &self->ch));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
	ret = r->kid.page->value[2];
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	page_go(r->kid.page, 2);
	if (ret < 0) {
		/* ENOBUFS is what programs fall back from; EOPNOTSUPP says never. */
		EXPECT_TRUE(ret == -ENOBUFS || ret == -EOPNOTSUPP) {
			TH_LOG("MSG_ZEROCOPY answers %lld", (long long)ret);
		}
		EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
		return;
	}
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	EXPECT_TRUE(receiver_wait(&self->rx, ret, BOUND));
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
}

#define FILE_BYTES (10 << 20)

struct file_plan {
	struct pair *ch;
	int file;
};

static void send_a_file(struct page *page, void *arg)
{
	struct file_plan *plan = arg;
	size_t left = FILE_BYTES;
	ssize_t n;

	close(plan->ch->rx);
	while (left) {
		n = sendfile(plan->ch->tx, plan->file, NULL, left);
		MUST(n > 0);
		if (n <= 0)
			break;
		left -= n;
	}
	page_step(page, 2);
	close(plan->ch->tx);
	wait_forever();
}

TEST_F_TIMEOUT(order, sendfile_of_10_mib, 900)
{
	static uint8_t buf[1 << 16];
	struct rig *r = &self->r;
	struct file_plan plan = { &self->ch, -1 };
	uint64_t at;

	ASSERT_EQ(0, pair_open(&self->ch, CH_TCP));
	plan.file = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	ASSERT_LE(0, plan.file);
	for (at = 0; at < FILE_BYTES; at += sizeof(buf)) {
		pattern_fill(buf, at, sizeof(buf));
		ASSERT_EQ(sizeof(buf), write(plan.file, buf, sizeof(buf)));
	}
	ASSERT_EQ(0, lseek(plan.file, 0, SEEK_SET));
	/* More than the quarantine takes: it commits as it fills. */
	r->p.overflow = SELFHEAL_OVERFLOW_COMMIT;
	ASSERT_EQ(0, receiver_start(&self->rx, self->ch.rx));
	ASSERT_EQ(0, rig_run(r, send_a_file, &plan));
	close(self->ch.tx);
	self->ch.tx = -1;
	EXPECT_TRUE(receiver_wait_eof(&self->rx, slow_ms(90000)));
	KID_IS_FINE();
	EXPECT_EQ(FILE_BYTES, self->rx.bytes);
	EXPECT_EQ(-1, self->rx.wrong);
	receiver_stop(&self->rx);
	close(plan.file);
}

#define WRITERS 4
#define RECORDS 200

struct record {
	uint32_t thread, number;
};

struct writer {
	struct page *page;
	int fd;
	uint32_t thread;
};

static void *write_records(void *arg)
{
	struct writer *w = arg;
	struct page *page = w->page;
	struct record rec = { .thread = w->thread };

	for (rec.number = 0; rec.number < RECORDS; rec.number++) {
		MUST(write(w->fd, &rec, sizeof(rec)) == sizeof(rec));
		if (rec.number % 10 == w->thread)
			poll(NULL, 0, 1);	/* waits, so what it has sent commits */
	}
	atomic_fetch_add(&page->threads, 1);
	while (atomic_load(&page->threads) < WRITERS)
		sched_yield();
	return NULL;
}

static void write_from_threads(struct page *page, void *arg)
{
	struct pair *ch = arg;
	struct writer w[WRITERS];
	pthread_t t[WRITERS];
	int i;

	close(ch->rx);
	for (i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ page, ch->tx, i };
		pthread_create(&t[i], NULL, write_records, &w[i]);
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	page_step(page, 2);
	wait_forever();
}

TEST_F(vectors, threads_keep_their_order)
{
	uint32_t next[WRITERS] = { 0 };
	struct rig *r = &self->r;
	struct record rec;
	int i;

	ASSERT_EQ(0, rig_run(r, write_from_threads, &self->ch));
	for (i = 0; i < WRITERS * RECORDS; i++) {
		ASSERT_EQ(sizeof(rec), rx_read(self->ch.rx, &rec, sizeof(rec), BOUND)) {
			TH_LOG("record %d of %d", i, WRITERS * RECORDS);
		}
		ASSERT_GT(WRITERS, rec.thread);
		ASSERT_EQ(next[rec.thread], rec.number);
		next[rec.thread]++;
	}
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	KID_IS_FINE();
}

GUEST_MAIN
