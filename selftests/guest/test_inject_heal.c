// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at each place of taking a rescue point and of going back to it. A
 * point that cannot be taken is none, and the server goes on; a process that
 * cannot be put back ends, and nothing of the attack comes out.
 *
 *	test: client, controller
 *	  `- kid: server (member)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "nl_inject.h"
#include "rig.h"
#include "stream.h"

#define LIMIT 36000
#define BLOCK (64 * 1024)

/* Shared by the test and the server; no rollback undoes it. */
struct job {
	struct sweep s;
	struct pair pair;
	bool sweeps;			/* the server's waits are those that fail */
	bool counts;			/* the first of them does not */
	bool maps;			/* mappings change: nothing can be done in place */
	_Atomic uint64_t hits, answers;
	_Atomic int64_t broken;		/* bytes of its memory that are not as they were */
	_Atomic bool over;
};

FIXTURE(inject_heal)
{
	struct rig r;
	struct job *job;
};

FIXTURE_SETUP(inject_heal)
{
	struct job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, job);
	self->job = job;
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
}

FIXTURE_TEARDOWN(inject_heal)
{
	inject_user_pages(false);
	inject_anywhere();
	EXPECT_TRUE(rig_close(&self->r));
	EXPECT_EQ(0, module_unload_wait(BOUND));
	EXPECT_EQ(0, module_load());
	pair_close(&self->job->pair);
	munmap(self->job, sizeof(*self->job));
}

/* What an attacker does before the crash: output, memory, a descriptor. */
static void attack(struct job *job, uint8_t *block)
{
	send(job->pair.rx, "secret", 6, 0);
	memset(block, 0x41, BLOCK);
	close(job->pair.tx);
	if (job->maps)
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*(volatile int *)NULL = 1;
}

static void inspect(struct job *job, const uint8_t *block)
{
	size_t i;

	for (i = 0; i < BLOCK; i++)
		if (block[i] != pattern_at(i))
			atomic_fetch_add(&job->broken, 1);
}

/* Answers each byte with itself; what it waits with may fail. */
static void server(struct page *page, void *arg)
{
	int nth = inject_open(0, 0), fd;
	uint8_t *block = malloc(BLOCK);
	struct job *job = arg;
	bool more = true;
	char byte;
	long n;

	if (nth < 0)
		_exit(-nth);
	fd = job->pair.rx;
	pattern_fill(block, 0, BLOCK);
	for (;;) {
		if (job->sweeps && more)
			sweep_arm(&job->s, nth);
		n = syscall(SYS_recvfrom, fd, &byte, 1, 0, NULL, NULL);
		if (job->sweeps && more && sweep_hit(&job->s, nth, n < 0))
			atomic_fetch_add(&job->hits, 1);
		inspect(job, block);
		if (n < 0)
			continue;
		if (!n)
			_exit(0);
		if (byte == 'X')
			attack(job, block);
		if (job->sweeps && more) {
			if (job->counts && !atomic_load(&job->answers)) {
				/* The test sets the injectors. */
				page_step(page, 2);
				page_spin(page, 2);
			}
			more = sweep_next(&job->s);
			atomic_store(&job->over, !more);
		}
		if (job->maps)
			mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (send(fd, &byte, 1, 0) != 1)
			_exit(3);
		atomic_fetch_add(&job->answers, 1);
	}
}

static bool waits(struct rig *r)
{
	return proc_wait_syscall(r->kid.pid, r->kid.pid, SYS_recvfrom, BOUND);
}

static bool echoed(int fd, char byte)
{
	char got = 0;

	return send(fd, &byte, 1, 0) == 1 && rx_read(fd, &got, 1, BOUND) == 1 && got == byte;
}

static bool start_server(struct rig *r, struct job *job)
{
	if (pair_open(&job->pair, CH_UNIX_STREAM) || child_start(&r->kid, server, job) ||
	    domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom))
		return false;
	page_go(r->kid.page, 1);
	return waits(r);
}

/* The attack, and the freeze that it ends in: the incident's id, or 0. */
static uint64_t attacked(struct rig *r, struct job *job)
{
	struct domain d;

	if (send(job->pair.tx, "X", 1, 0) != 1 ||
	    !domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_FROZEN, BOUND) ||
	    !domain_wait_parked(&r->c, r->dom, 1, BOUND) || domain_get(&r->c, r->dom, &d))
		return 0;
	return d.incident;
}

/* Its points are taken or not, whatever fails; its answers come all the same. */
static bool sweep_waits(struct rig *r, struct job *job)
{
	struct rescue point;
	uint32_t n = 0;
	char byte;

	job->sweeps = true;
	job->counts = job->s.counting;
	sweep_next(&job->s);
	if (!start_server(r, job))
		return false;
	if (job->counts) {
		if (send(job->pair.tx, "a", 1, 0) != 1 || !page_wait(r->kid.page, 2, BOUND))
			return false;
		sweep_counted(&job->s);
		page_go(r->kid.page, 2);
		if (rx_read(job->pair.tx, &byte, 1, BOUND) != 1)
			return false;
	}
	while (!job->over) {
		if (!waits(r) || rescue_get(&r->c, r->dom, &point) ||
		    (!point.stamp && !point.missing[0])) {
			printf("# place %u: neither a point nor a reason\n", job->s.nth);
			return false;
		}
		if (!echoed(job->pair.tx, 'a' + n++ % 20)) {
			printf("# place %u: no answer\n", job->s.nth);
			return false;
		}
	}
	return true;
}

/* With a point that was taken undisturbed, the way back is open. */
static bool heals(struct rig *r, struct job *job)
{
	uint64_t id;

	if (!echoed(job->pair.tx, 'a') || !waits(r))
		return false;
	id = attacked(r, job);
	return id && !incident_rollback(&r->c, id, -1) && waits(r) && echoed(job->pair.tx, 'b') &&
	       !job->broken;
}

TEST_F_TIMEOUT(inject_heal, point_by_copy, LIMIT)
{
	struct job *job = self->job;
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	inject_user_pages(true);
	sweep_begin(&job->s, "rescue point, copied");
	job->maps = true;
	ASSERT_TRUE(sweep_waits(r, job));
	EXPECT_TRUE(heals(r, job)) { TH_LOG("%s", r->c.ext); }
	EXPECT_NE(0, sweep_end(&job->s));
	EXPECT_EQ(0, job->broken);
}

TEST_F_TIMEOUT(inject_heal, point_by_refresh, LIMIT)
{
	struct job *job = self->job;
	struct rig *r = &self->r;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	inject_user_pages(true);
	sweep_begin(&job->s, "rescue point, refreshed");
	ASSERT_TRUE(sweep_waits(r, job));
	EXPECT_TRUE(heals(r, job)) { TH_LOG("%s", r->c.ext); }
	EXPECT_NE(0, sweep_end(&job->s));
	EXPECT_EQ(0, job->broken);
}

static struct nl_msg *rollback_message(struct rig *r, uint64_t id)
{
	struct nl_msg *msg = nlc_msg(&r->c, SELFHEAL_CMD_INCIDENT_VERDICT, 0);

	nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, id);
	nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, SELFHEAL_VERDICT_ROLLBACK);
	return msg;
}

TEST_F_TIMEOUT(inject_heal, rollback_request, LIMIT)
{
	struct job *job = self->job;
	struct sweep *s = &job->s;
	struct rig *r = &self->r;
	struct incident inc;
	struct answer a;
	uint64_t id;
	bool hit;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	ASSERT_TRUE(start_server(r, job));
	sweep_begin(s, "rollback, the request");
	while (sweep_next(s)) {
		ASSERT_TRUE(echoed(job->pair.tx, 'a') && waits(r));
		id = attacked(r, job);
		ASSERT_NE(0, id);
		hit = nl_inject(s, &r->c, rollback_message(r, id), &a);
		ASSERT_TRUE(hit ? !a.err || inject_error(a.err) : !a.err && !a.lost) {
			TH_LOG("place %u: %s, %s", s->nth, strerror(-a.err), r->c.ext);
		}
		ASSERT_EQ(0, incident_get(&r->c, id, &inc));
		if (inc.resolved_by == SELFHEAL_RESOLVED_BY_NOBODY) {
			ASSERT_TRUE(a.err || a.lost);
			ASSERT_TRUE(domain_wait_parked(&r->c, r->dom, 1, BOUND));
			ASSERT_FALSE(rx_ready(job->pair.tx, QUIET / 10));
			ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) { TH_LOG("%s", r->c.ext); }
		} else {
			ASSERT_EQ(0, a.err);
		}
		ASSERT_TRUE(waits(r));
		ASSERT_EQ(0, job->broken);
	}
	EXPECT_NE(0, sweep_end(s));
	EXPECT_TRUE(echoed(job->pair.tx, 'z'));
}

/* Back at its wait, or dead. */
static bool settled(struct rig *r)
{
	int64_t end = now_ms() + BOUND;
	struct domain d;
	int err;

	for (; now_ms() < end; pause_ms(1)) {
		err = domain_get(&r->c, r->dom, &d);
		if (err == -ENOENT || proc_state(r->kid.pid, r->kid.pid) == 'Z')
			return true;
		if (!err && d.state == SELFHEAL_DOMAIN_STATE_RUNNING &&
		    proc_syscall(r->kid.pid, r->kid.pid) == SYS_recvfrom)
			return true;
	}
	return false;
}

/*
 * The member goes back, and then takes a point anew, in its own thread. Where
 * it could not be put back it has ended.
 */
static bool sweep_rollback(struct rig *r, struct job *job, unsigned int *ended)
{
	struct sweep *s = &job->s;
	bool ok = true, dead = true, hit;
	uint64_t id;
	int nth = -1;

	while (ok && sweep_next(s)) {
		if (dead) {
			pair_close(&job->pair);
			child_end(&r->kid);
			if (!start_server(r, job))
				return false;
			nth = inject_open(r->kid.pid, r->kid.pid);
		}
		ok = echoed(job->pair.tx, 'a') && waits(r);
		id = ok ? attacked(r, job) : 0;
		sweep_arm(s, nth);
		ok = id && !incident_rollback(&r->c, id, -1) && settled(r);
		dead = proc_state(r->kid.pid, r->kid.pid) == 'Z';
		hit = sweep_hit(s, nth, dead);
		*ended += dead;
		if (dead) {
			ok = ok && hit && child_signaled(&r->kid, BOUND, SIGKILL) &&
			     domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND);
			close(nth);
			close(job->pair.rx);
			job->pair.rx = 0;
			ok = ok && rx_eof(job->pair.tx, BOUND);
			r->dom = 0;
		} else {
			ok = ok && !rx_ready(job->pair.tx, 0) && echoed(job->pair.tx, 'b');
		}
		ok = ok && !job->broken;
		if (!ok)
			printf("# place %u: incident %llu, %s, %s, %s\n", s->nth,
			       (unsigned long long)id, hit ? "hit" : "not hit",
			       dead ? "dead" : "alive", r->c.ext);
	}
	if (nth >= 0 && !dead)
		close(nth);
	return ok;
}

TEST_F_TIMEOUT(inject_heal, rollback_in_place, LIMIT)
{
	struct job *job = self->job;
	struct rig *r = &self->r;
	unsigned int ended = 0;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	inject_user_pages(true);
	sweep_begin(&job->s, "rollback, memory in place");
	EXPECT_TRUE(sweep_rollback(r, job, &ended));
	EXPECT_NE(0, sweep_end(&job->s));
}

/* The mappings have changed since the point: it is entered, as by an exec. */
TEST_F_TIMEOUT(inject_heal, rollback_to_copy, LIMIT)
{
	struct job *job = self->job;
	struct rig *r = &self->r;
	unsigned int ended = 0;

	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	inject_user_pages(true);
	sweep_begin(&job->s, "rollback, memory of the copy");
	job->maps = true;
	EXPECT_TRUE(sweep_rollback(r, job, &ended));
	EXPECT_NE(0, sweep_end(&job->s));
}

INJECT_MAIN
