// SPDX-License-Identifier: GPL-2.0
/*
 * A held send fails where, and as, it fails without us. Each operation runs in
 * an unprotected child and in a member; what they saw must be equal.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "rig.h"
#include "stream.h"

static _Atomic int signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

static int64_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static int64_t op_unconnected_tcp(void)
{
	return result(send(socket(AF_INET, SOCK_STREAM, 0), "x", 1, 0));
}

static int64_t op_unconnected_tcp_nosignal(void)
{
	return result(send(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_NOSIGNAL));
}

static int64_t op_unconnected_udp(void)
{
	return result(send(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0));
}

static int64_t op_unconnected_unix_dgram(void)
{
	return result(send(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0));
}

static int64_t op_unix_dgram_no_path(void)
{
	struct sockaddr_un un = { AF_UNIX, "/no/such/socket" };

	return result(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0,
			     (struct sockaddr *)&un, sizeof(un)));
}

static int64_t op_unix_dgram_path_of_a_device(void)
{
	struct sockaddr_un un = { AF_UNIX, "/dev/null" };

	return result(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0,
			     (struct sockaddr *)&un, sizeof(un)));
}

static int64_t op_unconnected_unix_stream(void)
{
	return result(send(socket(AF_UNIX, SOCK_STREAM, 0), "x", 1, 0));
}

static int64_t op_closed_descriptor_passed(void)
{
	struct iovec iov = { "x", 1 };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {
		.head = { CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS },
	};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct pair ch;
	int fd[2];

	pair_open(&ch, CH_UNIX_STREAM);
	fd[0] = ch.rx;
	fd[1] = dup(ch.rx);
	close(fd[1]);
	memcpy(CMSG_DATA(&control.head), fd, sizeof(fd));
	return result(sendmsg(ch.tx, &msg, 0));
}

static int64_t after_shutdown(enum channel_kind kind, int flags)
{
	struct pair ch;

	pair_open(&ch, kind);
	shutdown(ch.tx, SHUT_WR);
	return result(send(ch.tx, "x", 1, flags));
}

static int64_t op_tcp_after_shutdown(void) { return after_shutdown(CH_TCP, 0); }
static int64_t op_unix_after_shutdown(void) { return after_shutdown(CH_UNIX_STREAM, 0); }
static int64_t op_nosignal_after_shutdown(void) { return after_shutdown(CH_TCP, MSG_NOSIGNAL); }
static int64_t op_packets_after_shutdown(void) { return after_shutdown(CH_UNIX_SEQPACKET, 0); }
static int64_t op_packets_nosignal(void) { return after_shutdown(CH_UNIX_SEQPACKET, MSG_NOSIGNAL); }

/* In a domain the first byte is held, and so is the shutdown. */
static int64_t after_byte_and_shutdown(int flags)
{
	struct pair ch;

	pair_open(&ch, CH_TCP);
	if (send(ch.tx, "x", 1, 0) != 1 || shutdown(ch.tx, SHUT_WR))
		return result(-1);
	return result(send(ch.tx, "y", 1, flags));
}

static int64_t op_tcp_after_byte_and_shutdown(void) { return after_byte_and_shutdown(0); }
static int64_t op_tcp_after_both_nosignal(void) { return after_byte_and_shutdown(MSG_NOSIGNAL); }

static int64_t op_pipe_without_reader(void)
{
	struct pair ch;

	pair_open(&ch, CH_PIPE);
	close(ch.rx);
	return result(write(ch.tx, "x", 1));
}

static int64_t op_unix_peer_closed(void)
{
	struct pair ch;

	pair_open(&ch, CH_UNIX_STREAM);
	close(ch.rx);
	return result(write(ch.tx, "x", 1));
}

static int64_t op_udp_port_closed(void)
{
	struct pair ch;

	pair_open(&ch, CH_UDP);
	close(ch.rx);
	send(ch.tx, "x", 1, 0);
	poll(NULL, 0, 20);		/* the refusal comes back meanwhile */
	return result(send(ch.tx, "x", 1, 0));
}

static int64_t bad_pointer(enum channel_kind kind)
{
	char *gone = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pair ch;

	munmap(gone, 8192);
	pair_open(&ch, kind);
	return result(write(ch.tx, gone, 100));
}

static int64_t op_tcp_bad_pointer(void) { return bad_pointer(CH_TCP); }
static int64_t op_udp_bad_pointer(void) { return bad_pointer(CH_UDP); }
static int64_t op_unix_bad_pointer(void) { return bad_pointer(CH_UNIX_STREAM); }
static int64_t op_pipe_bad_pointer(void) { return bad_pointer(CH_PIPE); }
static int64_t op_pty_bad_pointer(void) { return bad_pointer(CH_PTY); }

static int64_t op_udp_too_long(void)
{
	static char buf[70000];
	struct pair ch;

	pair_open(&ch, CH_UDP);
	return result(send(ch.tx, buf, sizeof(buf), 0));
}

static int64_t op_unix_dgram_too_long(void)
{
	static char buf[4 << 20];
	struct pair ch;

	pair_open(&ch, CH_UNIX_DGRAM);
	return result(send(ch.tx, buf, sizeof(buf), 0));
}

static int64_t op_wrong_family(void)
{
	struct sockaddr_un un = { AF_UNIX, "x" };
	struct pair ch;

	pair_open(&ch, CH_UDP);
	return result(sendto(ch.tx, "x", 1, 0, (struct sockaddr *)&un, sizeof(un)));
}

static int64_t op_unix_stream_with_address(void)
{
	struct sockaddr_un un = { AF_UNIX, "x" };
	struct pair ch;

	pair_open(&ch, CH_UNIX_STREAM);
	return result(sendto(ch.tx, "x", 1, 0, (struct sockaddr *)&un, sizeof(un)));
}

static int64_t op_oob_on_dgram(void)
{
	struct pair ch;

	pair_open(&ch, CH_UNIX_DGRAM);
	return result(send(ch.tx, "x", 1, MSG_OOB));
}

static int64_t op_not_a_socket(void)
{
	return result(send(open("/dev/null", O_WRONLY), "x", 1, 0));
}

static int64_t op_read_only_pipe_end(void)
{
	struct pair ch;

	pair_open(&ch, CH_PIPE);
	return result(write(ch.rx, "x", 1));
}

static int64_t op_too_many_vectors(void)
{
	static struct iovec iov[IOV_MAX + 1];
	struct pair ch;

	pair_open(&ch, CH_PIPE);
	return result(writev(ch.tx, iov, IOV_MAX + 1));
}

static int64_t op_listening_socket(void)
{
	struct sockaddr_in sin;

	return result(send(tcp_listen(&sin), "x", 1, 0));
}

static int64_t write_nothing(enum channel_kind kind)
{
	struct pair ch;

	pair_open(&ch, kind);
	return result(write(ch.tx, "", 0));
}

static int64_t op_tcp_nothing(void) { return write_nothing(CH_TCP); }
static int64_t op_pipe_nothing(void) { return write_nothing(CH_PIPE); }
static int64_t op_unix_nothing(void) { return write_nothing(CH_UNIX_STREAM); }
static int64_t op_pty_nothing(void) { return write_nothing(CH_PTY); }

/* Half of the buffer is there: streams take what they could read. */
static int64_t half_a_buffer(enum channel_kind kind)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pair ch;

	munmap(two + 4096, 4096);
	pair_open(&ch, kind);
	return result(write(ch.tx, two + 4096 - 100, 200));
}

static int64_t op_udp_half_a_buffer(void) { return half_a_buffer(CH_UDP); }

static int64_t op_msg_fastopen_unconnected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* No address: refused before anything is sent. */
	return result(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0));
}

/* A flag of TCP, which others do not know. */
static int64_t unix_fastopen(bool name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/tmp/selfheal-none" };
	struct pair ch;

	pair_open(&ch, CH_UNIX_STREAM);
	return result(sendto(ch.tx, "x", 1, MSG_FASTOPEN, name ? (struct sockaddr *)&un : NULL,
			     name ? sizeof(un) : 0));
}

static int64_t op_unix_fastopen(void) { return unix_fastopen(false); }
static int64_t op_unix_fastopen_with_address(void) { return unix_fastopen(true); }

static const struct {
	const char *name;
	int64_t (*run)(void);
} ops[] = {
#define OP(name) { #name, op_##name }
	OP(unconnected_tcp), OP(unconnected_tcp_nosignal), OP(unconnected_udp),
	OP(unconnected_unix_dgram), OP(unix_dgram_no_path), OP(tcp_after_shutdown),
	OP(unix_after_shutdown), OP(nosignal_after_shutdown), OP(pipe_without_reader),
	OP(unix_peer_closed), OP(udp_port_closed), OP(tcp_bad_pointer),
	OP(udp_bad_pointer), OP(unix_bad_pointer), OP(pipe_bad_pointer),
	OP(pty_bad_pointer), OP(udp_too_long), OP(unix_dgram_too_long), OP(wrong_family),
	OP(unix_stream_with_address), OP(oob_on_dgram), OP(not_a_socket),
	OP(read_only_pipe_end), OP(too_many_vectors), OP(listening_socket),
	OP(tcp_nothing), OP(pipe_nothing), OP(unix_nothing), OP(pty_nothing),
	OP(udp_half_a_buffer), OP(msg_fastopen_unconnected), OP(unix_fastopen),
	OP(unix_fastopen_with_address), OP(unix_dgram_path_of_a_device),
	OP(unconnected_unix_stream), OP(closed_descriptor_passed), OP(packets_after_shutdown),
	OP(packets_nosignal), OP(tcp_after_byte_and_shutdown), OP(tcp_after_both_nosignal),
#undef OP
};

#define N_OPS ((int)(sizeof(ops) / sizeof(ops[0])))

static void run_ops(struct page *page, void *arg)
{
	int i;

	(void)arg;
	signal(SIGPIPE, count_signal);
	for (i = 0; i < N_OPS; i++) {
		signals = 0;
		atomic_store(&page->value[i], ops[i].run());
		atomic_store(&page->count[i], signals);
	}
	page_step(page, 2);
}

FIXTURE(same)
{
	struct rig r;
	struct child plain;
};

FIXTURE_SETUP(same)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
}

FIXTURE_TEARDOWN(same)
{
	child_end(&self->plain);
	EXPECT_TRUE(rig_close(&self->r));
}

TEST_F(same, errors_and_signals)
{
	struct rig *r = &self->r;
	struct page *a, *b;
	int i;

	ASSERT_EQ(0, child_start(&self->plain, run_ops, NULL));
	page_go(self->plain.page, 1);
	ASSERT_TRUE(page_wait(self->plain.page, 2, BOUND));
	ASSERT_EQ(0, rig_run(r, run_ops, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	a = self->plain.page;
	b = r->kid.page;
	for (i = 0; i < N_OPS; i++) {
		EXPECT_EQ(a->value[i], b->value[i]) {
			TH_LOG("%s: %lld unprotected, %lld in a domain", ops[i].name,
			       (long long)a->value[i], (long long)b->value[i]);
		}
		EXPECT_EQ(a->count[i], b->count[i]) {
			TH_LOG("%s: %llu SIGPIPE unprotected, %llu in a domain", ops[i].name,
			       (unsigned long long)a->count[i],
			       (unsigned long long)b->count[i]);
		}
	}
}

GUEST_MAIN
