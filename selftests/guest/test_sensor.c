// SPDX-License-Identifier: GPL-2.0
/*
 * The fault and the system call sensor: what fires them and what does not, and
 * the evidence that they leave. The exec sensor has its own program.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "rig.h"

#define POKED 0x1234000UL

static void do_segv(void) { *(volatile char *)POKED = 1; }
static void do_ill(void) { asm volatile("ud2"); }
static void do_trap(void) { asm volatile("int3"); }
static void do_abort(void) { abort(); }
static void do_raise(void) { raise(SIGSEGV); }
static void do_kill_self(void) { kill(getpid(), SIGBUS); }
static void do_tgkill_self(void) { syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGILL); }

/* The kernel has no room to note who raised it, as without memory. */
static void do_abort_unsigned(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_SIGPENDING, &none);
	abort();
}

static void do_fpe(void)
{
	volatile int zero = 0;

	asm volatile("" : : "r"(10 / zero));
}

/* A mapping beyond the end of its file. */
static void do_bus(void)
{
	int fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	volatile char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	(void)*map;
}

/* Jump into data. */
static void do_exec_data(void)
{
	static char data[64] = "\xc3";

	((void (*)(void))data)();
}

/* A seccomp filter that traps getpgrp. */
static void do_sys(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
	syscall(SYS_getpgrp);
}

FIXTURE(fault)
{
	struct rig r;
};

FIXTURE_VARIANT(fault)
{
	void (*cause)(void);
	int signal;
	bool kernel;		/* raised by the kernel, not by a call of the process */
};

FIXTURE_VARIANT_ADD(fault, segv) { do_segv, SIGSEGV, true };
FIXTURE_VARIANT_ADD(fault, segv_exec_data) { do_exec_data, SIGSEGV, true };
FIXTURE_VARIANT_ADD(fault, bus) { do_bus, SIGBUS, true };
FIXTURE_VARIANT_ADD(fault, ill) { do_ill, SIGILL, true };
FIXTURE_VARIANT_ADD(fault, fpe) { do_fpe, SIGFPE, true };
FIXTURE_VARIANT_ADD(fault, trap) { do_trap, SIGTRAP, true };
FIXTURE_VARIANT_ADD(fault, sys) { do_sys, SIGSYS, true };
FIXTURE_VARIANT_ADD(fault, abort) { do_abort, SIGABRT, false };
FIXTURE_VARIANT_ADD(fault, abort_unsigned) { do_abort_unsigned, SIGABRT, false };
FIXTURE_VARIANT_ADD(fault, raise_segv) { do_raise, SIGSEGV, false };
FIXTURE_VARIANT_ADD(fault, kill_self) { do_kill_self, SIGBUS, false };
FIXTURE_VARIANT_ADD(fault, tgkill_self) { do_tgkill_self, SIGILL, false };

FIXTURE_SETUP(fault)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_faults(&self->r.p);
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void (*the_cause)(void);

static void cause(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	the_cause();
	page_step(page, 3);
	page_block(page, ~0U);
}

static sigjmp_buf back;

static void jump_back(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void cause_handled(struct page *page, void *arg)
{
	int sig;

	(void)arg;
	for (sig = 1; sig < 32; sig++)
		signal(sig, jump_back);
	if (!sigsetjmp(back, 1)) {
		page_step(page, 2);
		the_cause();
	} else {
		atomic_store(&page->value[0], 1);
	}
	page_step(page, 3);
	page_block(page, ~0U);
}

TEST_F(fault, unhandled_freezes_then_kill)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_SENSOR_FAULT, inc.sensor);
	EXPECT_EQ(variant->signal, inc.signal);
	EXPECT_EQ(r->kid.pid, inc.pid);
	EXPECT_EQ(variant->kernel, inc.signal_code > 0);
	EXPECT_EQ(1, inc.evidence_count);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

TEST_F(fault, unhandled_released_crashes_as_it_would)
{
	struct rig *r = &self->r;
	uint64_t id;

	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, variant->signal));
}

TEST_F(fault, handled_fires_nothing)
{
	struct rig *r = &self->r;
	struct domain d;

	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause_handled, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(1, r->kid.page->value[0]);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(0, d.incidents);
}

TEST_F(fault, handled_fires_where_the_policy_says_so)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	r->p.flags = SELFHEAL_POLICY_FLAG_FAULT_HANDLED;
	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause_handled, NULL));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_EQ(2, r->kid.page->step);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(variant->signal, inc.signal);
	/* Released, its own handler gets the signal. */
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	ASSERT_TRUE(page_wait(r->kid.page, 3, BOUND));
	EXPECT_EQ(1, r->kid.page->value[0]);
}

TEST_F(fault, not_in_the_mask_fires_nothing)
{
	struct rig *r = &self->r;

	r->p.fault_mask &= ~SIGMASK(variant->signal);
	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause, NULL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, variant->signal));
	EXPECT_TRUE(nlev_wait_without(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN,
				      SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND));
}

TEST_F(fault, observed_crashes_at_once)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	the_cause = variant->cause;
	ASSERT_EQ(0, rig_run(r, cause, NULL));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, variant->signal));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_TRUE(inc.observed);
	EXPECT_EQ(SELFHEAL_VERDICT_RELEASE, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_RULE, inc.resolved_by);
}

FIXTURE(outside)
{
	struct rig r;
};

FIXTURE_VARIANT(outside)
{
	int signal;
};

FIXTURE_VARIANT_ADD(outside, segv) { SIGSEGV };
FIXTURE_VARIANT_ADD(outside, abort) { SIGABRT };
FIXTURE_VARIANT_ADD(outside, trap) { SIGTRAP };

FIXTURE_SETUP(outside)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_faults(&self->r.p);
}

FIXTURE_TEARDOWN(outside)
{
	EXPECT_TRUE(rig_close(&self->r));
}

static void idle(struct page *page, void *arg)
{
	(void)arg;
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(outside, signal_from_an_outsider_is_no_fault)
{
	struct rig *r = &self->r;

	ASSERT_EQ(0, rig_run(r, idle, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	kill(r->kid.pid, variant->signal);
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, variant->signal));
	EXPECT_TRUE(nlev_wait_without(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN,
				      SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND));
}

FIXTURE(evidence)
{
	struct rig r;
};

FIXTURE_SETUP(evidence)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_faults(&self->r.p);
}

FIXTURE_TEARDOWN(evidence)
{
	EXPECT_TRUE(rig_close(&self->r));
}

extern char faulting_instruction[];

/* Known calls, known registers, a known instruction. */
__attribute__((noinline)) static void fault_with_registers(void)
{
	register uint64_t r12 asm("r12") = 0x1212121212121212;
	register uint64_t r13 asm("r13") = 0x1313131313131313;

	asm volatile(".globl faulting_instruction\n"
		     "faulting_instruction: movb $1, (%0)"
		     : : "a"(POKED + 8), "b"(0xb0b0b0b0ULL), "c"(0xc0c0ULL), "d"(0xd0d0ULL),
			 "S"(0x5151ULL), "D"(0xd1d1ULL), "r"(r12), "r"(r13) : "memory");
}

static void leave_evidence(struct page *page, void *arg)
{
	int i;

	(void)arg;
	if (syscall(SYS_setresgid, 1001, 1002, 1001) ||
	    syscall(SYS_setresuid, 2001, 2002, 2001))
		_exit(1);
	page_step(page, 2);
	for (i = 0; i < 40; i++)
		syscall(SYS_getpriority, i, i + 1000, i + 2000);
	fault_with_registers();
}

TEST_F(evidence, fields_are_right)
{
	struct rig *r = &self->r;
	char exe[256], cmdline[1024];
	struct incident inc;
	ssize_t n;
	int i;

	ASSERT_EQ(0, rig_run(r, leave_evidence, NULL));
	ASSERT_EQ(0, incident_get(&r->c, rig_frozen(r), &inc));
	EXPECT_EQ(SIGSEGV, inc.signal);
	EXPECT_EQ(SEGV_MAPERR, inc.signal_code);
	EXPECT_EQ(POKED + 8, inc.fault_address);
	EXPECT_EQ(r->kid.pid, inc.pid);
	EXPECT_EQ(r->kid.pid, inc.tid);
	EXPECT_EQ(getpid(), inc.ppid);
	EXPECT_EQ(2001, inc.uid);
	EXPECT_EQ(2002, inc.euid);
	EXPECT_EQ(1001, inc.gid);
	EXPECT_EQ(1002, inc.egid);
	EXPECT_EQ(0, inc.cap_effective);
	EXPECT_STREQ("test_sensor", inc.comm);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	ASSERT_LT(0, n);
	exe[n] = '\0';
	EXPECT_STREQ(exe, inc.exe);
	EXPECT_STREQ(exe, inc.mapping_path);
	n = slurp("/proc/self/cmdline", cmdline, sizeof(cmdline));
	EXPECT_EQ(n, inc.cmdline_len);
	EXPECT_EQ(0, memcmp(cmdline, inc.cmdline, n));
	/* The forked child has our layout. */
	ASSERT_TRUE(inc.has_registers);
	EXPECT_EQ((uintptr_t)faulting_instruction, inc.regs.ip);
	EXPECT_LE(inc.mapping_start, inc.regs.ip);
	EXPECT_GT(inc.mapping_end, inc.regs.ip);
	EXPECT_EQ(1 | 4, inc.mapping_flags & 7);
	EXPECT_EQ(POKED + 8, inc.regs.ax);
	EXPECT_EQ(0xb0b0b0b0, inc.regs.bx);
	EXPECT_EQ(0xc0c0, inc.regs.cx);
	EXPECT_EQ(0xd0d0, inc.regs.dx);
	EXPECT_EQ(0x5151, inc.regs.si);
	EXPECT_EQ(0xd1d1, inc.regs.di);
	EXPECT_EQ(0x1212121212121212, inc.regs.r12);
	EXPECT_EQ(0x1313131313131313, inc.regs.r13);
	EXPECT_LT(0, inc.stack_len);
	ASSERT_EQ(SELFHEAL_TRAIL_MAX, inc.trails);
	for (i = 0; i < SELFHEAL_TRAIL_MAX; i++) {
		int call = 40 - SELFHEAL_TRAIL_MAX + i;

		EXPECT_EQ(SYS_getpriority, inc.trail[i].nr);
		EXPECT_EQ(AUDIT_ARCH_X86_64, inc.trail[i].arch);
		EXPECT_EQ(call, inc.trail[i].args[0]);
		EXPECT_EQ(call + 1000, inc.trail[i].args[1]);
		EXPECT_EQ(call + 2000, inc.trail[i].args[2]);
	}
}

static void two_faults(struct page *page, void *arg)
{
	(void)arg;
	if (!fork()) {
		page_spin(page, 2);
		do_segv();
		_exit(0);
	}
	if (!fork()) {
		page_spin(page, 2);
		do_ill();
		_exit(0);
	}
	page_step(page, 2);
	page_block(page, ~0U);
}

TEST_F(evidence, one_incident_at_a_time)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct domain d;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, two_faults, NULL));
	ASSERT_TRUE(page_wait(r->kid.page, 2, BOUND));
	page_go(r->kid.page, 2);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, domain_get(&r->c, r->dom, &d));
	EXPECT_EQ(1, d.incidents);
	EXPECT_EQ(id, d.incident);
	/* A second firing is evidence of the first, or fires after the release. */
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_LE(1, inc.evidence_count);
	EXPECT_GE(2, inc.evidence_count);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
}

GUEST_MAIN
