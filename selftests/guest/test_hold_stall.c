// SPDX-License-Identifier: GPL-2.0
/*
 * A call that is stalled in the midst of a copy, for as long as somebody else
 * likes, by userfaultfd(2) on its second page: a member's, that is being copied
 * into the quarantine, and an outsider's, that has the lock of an object to
 * which held output is about to go.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

#define PAGE 4096ul
#define DELAY 300
#define VETTED "vetted"
#define LEN (sizeof(VETTED) - 1)

FIXTURE(stall)
{
	struct rig r;
	struct pair ch;
	int uffd;		/* ours, of the member's memory */
};

FIXTURE_SETUP(stall)
{
	ASSERT_EQ(0, pair_open(&self->ch, CH_UNIX_STREAM));
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	self->uffd = -1;
}

FIXTURE_TEARDOWN(stall)
{
	close(self->uffd);
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->ch);
}

/* value[0] = the descriptor, value[1] = the page that is missing; both 0 on failure. */
static void *half_missing(struct page *page)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (fd < 0 || area == MAP_FAILED || ioctl(fd, UFFDIO_API, &api))
		return NULL;
	memset(area, 'a', PAGE);
	reg.range.start = (uintptr_t)area + PAGE;
	reg.range.len = PAGE;
	if (ioctl(fd, UFFDIO_REGISTER, &reg))
		return NULL;
	atomic_store(&page->value[1], (int64_t)(uintptr_t)(area + PAGE));
	atomic_store(&page->value[0], fd);
	return area;
}

/* value[2] = what the call said. */
static void send_both_pages(struct page *page, void *arg)
{
	void *area = half_missing(page);
	struct pair *ch = arg;

	page_step(page, 2);
	page_block(page, 2);
	/* No member may have one. */
	close(page->value[0]);
	page_step(page, 3);
	page_spin(page, 3);
	atomic_store(&page->value[2], write(ch->tx, area, 2 * PAGE));
	page_step(page, 4);
	page_block(page, 4);
}

/* The member is in the midst of its call; else the step that failed. */
static const char *stall(struct rig *r, struct pair *ch, int *uffd)
{
	struct pollfd pfd = { .events = POLLIN };
	struct uffd_msg msg;

	if (policy_load(&r->c, &r->p) || child_start(&r->kid, send_both_pages, ch))
		return "load, start";
	/* Its preparations are no concern of the domain. */
	page_go(r->kid.page, 1);
	if (!page_wait(r->kid.page, 2, BOUND) || !r->kid.page->value[0])
		return "userfaultfd";
	*uffd = syscall(SYS_pidfd_getfd, r->kid.pidfd, (int)r->kid.page->value[0], 0);
	if (*uffd < 0)
		return "pidfd_getfd";
	page_go(r->kid.page, 2);
	if (!page_wait(r->kid.page, 3, BOUND) ||
	    domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom))
		return "enrol";
	page_go(r->kid.page, 3);
	pfd.fd = *uffd;
	if (poll(&pfd, 1, BOUND) != 1 || read(*uffd, &msg, sizeof(msg)) != sizeof(msg) ||
	    msg.event != UFFD_EVENT_PAGEFAULT)
		return "page fault";
	return NULL;
}

static int give_page(int uffd, uint64_t where)
{
	static char data[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = { .dst = where, .src = (uintptr_t)data, .len = PAGE };

	memset(data, 'b', PAGE);
	return ioctl(uffd, UFFDIO_COPY, &copy);
}

/* The time in which an attack can show is the one after the output is complete. */
TEST_F(stall, delay_begins_when_the_copy_is_complete)
{
	struct rig *r = &self->r;
	char got[2 * PAGE];
	int64_t since;

	r->p.commit = SELFHEAL_COMMIT_DELAY | SELFHEAL_COMMIT_QUIESCE;
	r->p.delay_ms = DELAY;
	ASSERT_STREQ("", stall(r, &self->ch, &self->uffd) ?: "");
	/* No state to wait for: that much time has to pass. */
	pause_ms(DELAY + 20);
	since = now_ms();
	ASSERT_EQ(0, give_page(self->uffd, r->kid.page->value[1]));
	ASSERT_TRUE(page_wait(r->kid.page, 4, BOUND));
	EXPECT_EQ(2 * (int64_t)PAGE, r->kid.page->value[2]);
	ASSERT_TRUE(rx_ready(self->ch.rx, BOUND));
	EXPECT_LE(since + DELAY - 1, now_ms());
	ASSERT_EQ(2 * PAGE, rx_read(self->ch.rx, got, 2 * PAGE, BOUND));
	EXPECT_EQ('a', got[PAGE - 1]);
	EXPECT_EQ('b', got[PAGE]);
}

/* What such a call had taken when the rest was dropped goes, too, with no event to wait for. */
TEST_F(stall, kill_amid_the_copy)
{
	struct rig *r = &self->r;
	uint64_t id;

	r->p.commit = 0;		/* by verdict alone */
	ASSERT_STREQ("", stall(r, &self->ch, &self->uffd) ?: "");
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_FALSE(rx_ready(self->ch.rx, 0));
}

/* It is no member any more when its output is complete: that goes, and nothing stays behind. */
static void dissolve_amid_the_copy(struct __test_metadata *_metadata, struct rig *r,
				   struct pair *ch, int *uffd)
{
	char got[2 * PAGE];

	ASSERT_STREQ("", stall(r, ch, uffd) ?: "");
	ASSERT_EQ(0, domain_dissolve(&r->c, r->dom)) { TH_LOG("%s", r->c.ext); }
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	ASSERT_EQ(0, give_page(*uffd, r->kid.page->value[1]));
	ASSERT_TRUE(page_wait(r->kid.page, 4, BOUND));
	EXPECT_EQ(2 * (int64_t)PAGE, r->kid.page->value[2]);
	ASSERT_EQ(2 * PAGE, rx_read(ch->rx, got, 2 * PAGE, BOUND));
	EXPECT_EQ('b', got[2 * PAGE - 1]);
	EXPECT_EQ(0, rig_reload(r));
}

TEST_F(stall, dissolve_amid_the_copy)
{
	dissolve_amid_the_copy(_metadata, &self->r, &self->ch, &self->uffd);
}

TEST_F(stall, dissolve_amid_the_copy_by_verdict)
{
	self->r.p.commit = 0;
	dissolve_amid_the_copy(_metadata, &self->r, &self->ch, &self->uffd);
}

/* A frozen member that is stalled can be released: the call ends as if nothing had been. */
TEST_F(stall, release_amid_the_copy)
{
	struct rig *r = &self->r;
	char got[2 * PAGE];
	uint64_t id;

	ASSERT_STREQ("", stall(r, &self->ch, &self->uffd) ?: "");
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(0, give_page(self->uffd, r->kid.page->value[1]));
	EXPECT_FALSE(rx_ready(self->ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 4, BOUND));
	EXPECT_EQ(2 * (int64_t)PAGE, r->kid.page->value[2]);
	ASSERT_EQ(2 * PAGE, rx_read(self->ch.rx, got, 2 * PAGE, BOUND));
	EXPECT_EQ('b', got[2 * PAGE - 1]);
}

/* An outsider's call on an object that the member sends to. */
struct holder {
	pthread_t thread;
	struct page *page;	/* as half_missing() leaves it; value[2] = what the call said */
	void *area;
	int fd;
	bool reads;
};

static void *hold_lock(void *arg)
{
	struct holder *h = arg;

	h->page->value[2] = h->reads ? read(h->fd, h->area, 2 * PAGE) :
				       write(h->fd, h->area, 2 * PAGE);
	return NULL;
}

/* Our own call stands in the midst of its copy, and has the lock of @fd's object. */
static bool holder_start(struct holder *h, int fd, bool reads)
{
	struct pollfd pfd = { .events = POLLIN };
	struct uffd_msg msg;

	*h = (struct holder){ .fd = fd, .reads = reads, .page = page_new() };
	h->area = h->page ? half_missing(h->page) : NULL;
	if (!h->area || pthread_create(&h->thread, NULL, hold_lock, h))
		return false;
	pfd.fd = h->page->value[0];
	return poll(&pfd, 1, BOUND) == 1 && read(pfd.fd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

/* Lets the call go on; what it said. */
static int64_t holder_end(struct holder *h)
{
	int64_t said;

	give_page(h->page->value[0], h->page->value[1]);
	pthread_join(h->thread, NULL);
	said = h->page->value[2];
	close(h->page->value[0]);
	munmap(h->area, 2 * PAGE);
	page_free(h->page);
	return said;
}

struct both {
	struct pair *locked, *free;
};

/* Something to each, then a wait, at which both are to go out. */
static void put_out_and_wait(struct page *page, void *arg)
{
	struct both *b = arg;

	page->value[0] = write(b->locked->tx, VETTED, LEN);
	page->value[1] = write(b->free->tx, VETTED, LEN);
	page_step(page, 2);
	page_block(page, 2);
	page_step(page, 3);
	page_block(page, 3);
}

/*
 * What was let go before the freeze may still be on its way into its object: as
 * long as it is, the domain is not frozen, for FROZEN says that nothing leaves.
 */
TEST_F(stall, not_frozen_amid_a_commit)
{
	struct both b = { .free = &self->ch };
	struct rig *r = &self->r;
	struct pair tcp;
	struct holder h;
	char got[2 * PAGE + LEN];
	uint64_t id;

	ASSERT_EQ(0, pair_open(&tcp, CH_TCP));
	b.locked = &tcp;
	/* The member has the socket by inheritance, as we do. */
	ASSERT_EQ(0, rig_prepare(r, put_out_and_wait, &b));
	ASSERT_TRUE(holder_start(&h, tcp.tx, false));
	page_go(r->kid.page, 1);
	ASSERT_TRUE(proc_wait_state(r->kid.pid, r->kid.pid, 'D', BOUND));
	EXPECT_EQ(LEN, r->kid.page->value[0]);
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	EXPECT_FALSE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, QUIET));
	EXPECT_EQ(2 * (int64_t)PAGE, holder_end(&h));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	ASSERT_EQ(sizeof(got), rx_read(tcp.rx, got, sizeof(got), BOUND));
	EXPECT_EQ(0, memcmp(got + 2 * PAGE, VETTED, LEN));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
	pair_close(&tcp);
}

/* Whoever reads a pipe can have its lock for ever: that stops neither a freeze nor a commit. */
TEST_F(stall, reader_stops_nobody)
{
	struct both b = { .free = &self->ch };
	struct rig *r = &self->r;
	char got[2 * PAGE];
	struct pair pipe;
	struct holder h;
	uint64_t id;

	ASSERT_EQ(0, pair_open(&pipe, CH_PIPE));
	b.locked = &pipe;
	memset(got, 'x', sizeof(got));
	ASSERT_EQ(sizeof(got), write(pipe.tx, got, sizeof(got)));
	ASSERT_EQ(0, rig_prepare(r, put_out_and_wait, &b));
	ASSERT_TRUE(holder_start(&h, pipe.rx, true));
	page_go(r->kid.page, 1);
	/* What is behind it goes, and the member is back in its own wait. */
	ASSERT_EQ(LEN, rx_read(self->ch.rx, got, LEN, BOUND));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	page_go(r->kid.page, 2);
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND));
	EXPECT_EQ(2 * (int64_t)PAGE, holder_end(&h));
	EXPECT_FALSE(rx_ready(pipe.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_EQ(LEN, rx_read(pipe.rx, got, LEN, BOUND));
	EXPECT_EQ(0, memcmp(got, VETTED, LEN));
	pair_close(&pipe);
}

GUEST_MAIN
