// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading, also while everything hooked is in use. SELFHEAL_CYCLES
 * (default 5) is the number of cycles under load.
 */
#include <errno.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

FIXTURE(unload)
{
	struct rig r;
};

FIXTURE_SETUP(unload)
{
	/* Somebody else's domains are not ours to end. */
	if (module_unload_wait(slow_ms(5000)))
		SKIP(return, "selfheal is in use on this machine");
	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, rig_open(&self->r));
}

FIXTURE_TEARDOWN(unload)
{
	if (self->r.c.sk)
		rig_close(&self->r);
	EXPECT_EQ(0, module_load());
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_block(page, ~0U);
}

TEST_F(unload, refused_while_a_domain_exists)
{
	struct rig *r = &self->r;
	int err;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	err = module_unload();
	EXPECT_TRUE(err == -EWOULDBLOCK || err == -EBUSY) { TH_LOG("errno %d", -err); }
	/* The refusal changed nothing. */
	EXPECT_EQ(1, domain_has(&r->c, r->dom, r->kid.pid));
	ASSERT_TRUE(rig_reap(r, r->dom));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_FALSE(module_loaded());
}

TEST_F(unload, refused_while_frozen)
{
	struct rig *r = &self->r;
	uint64_t id;
	int err;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, domain_freeze(&r->c, r->dom, &id));
	err = module_unload();
	EXPECT_TRUE(err == -EWOULDBLOCK || err == -EBUSY);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	EXPECT_EQ(0, module_unload_wait(BOUND));
}

TEST_F(unload, policies_and_controllers_do_not_hold_it)
{
	struct rig *r = &self->r;
	struct domain d;

	policy_hold(&r->p);
	policy_faults(&r->p);
	r->p.exec_sense = true;
	r->p.match[0] = "/usr/bin/true";
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_EQ(0, nlc_u64(&r->c, SELFHEAL_CMD_AGENT_REGISTER, 0, 0, NULL, NULL));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	/* Their sockets outlive the family. */
	EXPECT_GT(0, domain_get(&r->c, 1, &d));
	nlev_close(&r->e);
	nlc_close(&r->c);
	EXPECT_EQ(0, module_load());
}

TEST_F(unload, dissolved_tasks_do_not_hold_it)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_EQ(0, domain_dissolve(&r->c, r->dom));
	r->dom = 0;
	EXPECT_EQ(0, module_unload_wait(BOUND));
	/* The task lives on without us, and ends as any other. */
	EXPECT_EQ(0, kill(r->kid.pid, 0));
	page_go(r->kid.page, ~0U);
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 0));
}

/* One hammer for each hooked path; count[] are the rounds, value[] the errors. */
#define HAMMERS 6
/* Longest time for a turn among hammers. */
#define STARVED (2 * BOUND)

static void on_signal(int sig)
{
	(void)sig;
}

static bool through(struct pair *p)
{
	char out[100] = "hammer", in[100];

	return write(p->tx, out, sizeof(out)) == sizeof(out) &&
	       rx_read(p->rx, in, sizeof(in), STARVED) == sizeof(in) &&
	       !memcmp(in, out, sizeof(in));
}

static bool one_fork(bool exec)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (exec)
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void hammer(struct page *page, void *arg)
{
	static const enum channel_kind kind[] = { CH_TCP, CH_UNIX_DGRAM, CH_PIPE, CH_PTY };
	int slot = *(int *)arg;
	struct pair p;
	bool good;

	if (slot < 4 && pair_open(&p, kind[slot]))
		_exit(1);
	signal(SIGUSR1, on_signal);
	/* In use all the time, and the controller still gets its turn. */
	nice(10);
	while (atomic_load(&page->go) < 2) {
		if (slot < 4)
			good = through(&p);
		else if (slot == 4)
			good = !kill(getpid(), SIGUSR1);
		else
			good = one_fork(atomic_load(&page->count[slot]) % 2);
		if (!good)
			atomic_fetch_add(&page->value[slot], 1);
		atomic_fetch_add(&page->count[slot], 1);
	}
}

/* A member that sends, forks and is ended by its controller. */
static void busy_member(struct page *page, void *arg)
{
	struct pair *p = arg;
	int i;

	for (i = 0; i < 20; i++) {
		if (write(p->tx, "member", 6) != 6)
			_exit(1);
		if (!fork())
			_exit(0);
		waitpid(-1, NULL, 0);
	}
	page_step(page, 2);
	page_block(page, ~0U);
}

/* What went wrong in one cycle of loading, attack and unloading; NULL for nothing. */
static const char *one_cycle(struct rig *r, int n)
{
	const char *wrong = NULL;
	struct pair p;
	uint64_t id;
	char got[120];

	if (module_load())
		return "loading the module";
	if (rig_open(r) || pair_open(&p, CH_TCP))
		return "opening connections";
	policy_hold(&r->p);
	policy_faults(&r->p);
	r->p.exec_sense = true;
	r->p.match[0] = "/usr/bin/false";
	if (rig_run(r, busy_member, &p))
		wrong = "loading the policy or making the domain";
	else if (!page_wait(r->kid.page, 2, STARVED))
		wrong = "the member's turn";
	else if (rx_read(p.rx, got, sizeof(got), STARVED) != sizeof(got))
		wrong = "the commit of its output";
	else if (n % 2 && (domain_freeze(&r->c, r->dom, &id) ||
			   incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL)))
		wrong = "freezing and killing";
	if (!rig_close(r) && !wrong)
		wrong = "the end of the domain";
	pair_close(&p);
	if (!wrong && module_unload_wait(STARVED))
		wrong = "unloading the module";
	return wrong;
}

static int cycles(void)
{
	const char *text = getenv("SELFHEAL_CYCLES");
	int n = text ? atoi(text) : 5;

	return n > 0 ? n : 5;
}

struct memory {
	long unreclaimable, percpu, vmalloc, page_tables, kernel_stacks;
};

static struct memory memory_now(void)
{
	struct memory m;

	sync();
	write_file("/proc/sys/vm/drop_caches", "3");
	m.unreclaimable = meminfo_kb("SUnreclaim");
	m.percpu = meminfo_kb("Percpu");
	m.vmalloc = meminfo_kb("VmallocUsed");
	m.page_tables = meminfo_kb("PageTables");
	m.kernel_stacks = meminfo_kb("KernelStack");
	return m;
}

TEST_F_TIMEOUT(unload, cycles_under_load, 36000)
{
	struct memory warm, end;
	struct child h[HAMMERS];
	struct page *page = page_new();
	struct rig r;
	int slot[HAMMERS], i, n = cycles();
	const char *left, *wrong;
	uint64_t at[HAMMERS];

	rig_close(&self->r);
	ASSERT_EQ(0, module_unload_wait(STARVED));
	for (i = 0; i < HAMMERS; i++) {
		slot[i] = i;
		ASSERT_EQ(0, child_start_on(&h[i], page, hammer, &slot[i]));
	}
	page_go(page, 1);
	/* Caches of the kernel's own fill in the first rounds. */
	for (i = 0; i < 3; i++) {
		wrong = one_cycle(&r, i);
		ASSERT_EQ(NULL, wrong) { TH_LOG("%s", wrong); }
	}
	warm = memory_now();
	for (i = 0; i < n; i++) {
		wrong = one_cycle(&r, i);
		ASSERT_EQ(NULL, wrong) { TH_LOG("cycle %d of %d: %s", i, n, wrong); }
		left = module_left_behind();
		EXPECT_EQ(NULL, left) { TH_LOG("cycle %d: something of ours in %s", i, left); }
	}
	end = memory_now();
	/* A leak of one object a cycle is a page or more at 20 cycles; noise is not. */
	EXPECT_GE(1024 + n * 4, end.unreclaimable - warm.unreclaimable);
	EXPECT_GE(256, end.percpu - warm.percpu);
	EXPECT_GE(512, end.vmalloc - warm.vmalloc);
	EXPECT_GE(512, end.kernel_stacks - warm.kernel_stacks);
	TH_LOG("growth in KiB over %d cycles: slab %ld, percpu %ld, vmalloc %ld", n,
	       end.unreclaimable - warm.unreclaimable, end.percpu - warm.percpu,
	       end.vmalloc - warm.vmalloc);
	/* Nobody else has noticed anything. */
	for (i = 0; i < HAMMERS; i++)
		at[i] = page->count[i];
	for (i = 0; i < HAMMERS; i++) {
		EXPECT_TRUE(page_changed(&page->count[i], at[i], STARVED)) {
			TH_LOG("hammer %d hangs", i);
		}
		EXPECT_EQ(0, page->value[i]) { TH_LOG("hammer %d", i); }
	}
	page_go(page, 2);
	for (i = 0; i < HAMMERS; i++) {
		EXPECT_TRUE(child_exited(&h[i], STARVED, 0)) { TH_LOG("hammer %d", i); }
		h[i].page = NULL;
		child_end(&h[i]);
	}
}

/* Asks without a pause, whatever the answer; connections come and go. */
static void ask_on_and_on(struct page *page, void *arg)
{
	struct policy p;
	struct nlc c;

	(void)arg;
	policy_init(&p);
	policy_hold(&p);
	while (atomic_load(&page->go) < 2) {
		if (nlc_open(&c)) {
			atomic_fetch_add(&page->count[1], 1);
			continue;
		}
		nlc_call(&c, nlc_msg(&c, SELFHEAL_CMD_STATUS_GET, 0), NULL, NULL);
		policy_load(&c, &p);
		nlc_dump(&c, SELFHEAL_CMD_POLICY_GET, NULL, NULL);
		nlc_dump(&c, SELFHEAL_CMD_EVENT_GET, NULL, NULL);
		policy_unload(&c, p.name);
		nlc_close(&c);
		atomic_fetch_add(&page->count[0], 1);
	}
}

TEST_F_TIMEOUT(unload, controllers_ask_meanwhile, 36000)
{
	struct page *page = page_new();
	struct child asker[3];
	const char *left;
	int i;

	rig_close(&self->r);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, child_start_on(&asker[i], page, ask_on_and_on, NULL));
	page_go(page, 1);
	for (i = 0; i < (cycles() + 1) / 2; i++) {
		ASSERT_EQ(0, module_load());
		ASSERT_TRUE(page_changed(&page->count[0], page->count[0], STARVED));
		ASSERT_EQ(0, module_unload_wait(STARVED));
		ASSERT_TRUE(page_changed(&page->count[1], page->count[1], STARVED));
	}
	page_go(page, 2);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(child_exited(&asker[i], STARVED, 0));
		asker[i].page = NULL;
		child_end(&asker[i]);
	}
	left = module_left_behind();
	EXPECT_EQ(NULL, left) { TH_LOG("something of ours in %s", left); }
}

GUEST_MAIN
