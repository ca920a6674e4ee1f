// SPDX-License-Identifier: GPL-2.0
/*
 * A server that is attacked goes back to where it waited for input: nothing
 * of the attack is left in it, the attacker gets an error and not a byte, the
 * other client does not notice.
 *
 *	test: good client, evil client, controller
 *	  `- kid: server (member)
 *
 * The server tells of what it finds in its shared page, which no rollback
 * undoes.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

#define ATTACKS 50
#define BLOCK (256 * 1024)

/* What the server checks after an attack; page->value[] counts what is wrong. */
enum {
	SAW_ERRNO, SAW_MEMORY, SAW_REGISTERS, SAW_TLS, SAW_DESCRIPTORS, SAW_OFFSET, SAW_CWD,
	SAW_UMASK, SAW_MASK, SAW_HANDLER, SAW_ALTSTACK, SAW_MAPPING, SAW_CREDENTIALS, SAW_FLAGS,
	SAW_DUMPABLE, SAW_DEATH_SIGNAL,
	SAW_KINDS,
	ROLLBACKS = SAW_KINDS, LAST_ERROR,
};

static const char secret[] = "the secret that must not get out";

/* The state that an attack changes, all in private memory. */
struct state {
	uint8_t *block, *mapping;
	uint64_t answers;
	int file, listener, good;
	uint64_t open;		/* bit N: descriptor N is open */
	char cwd[64];
};

static __thread volatile uint64_t thread_local = 0x1122334455667788;

/* recv() with every register that a call leaves alone filled; false: one has changed. */
static bool recv_all_registers(int fd, void *buf, size_t size, long *result)
{
	static const uint64_t fill[32] __attribute__((aligned(16))) = {
		0xb0, 0xc1, 0xd2, 0xe3, 0xf4, 0x105, 0x116, 0x127, 0x138, 0x149, 0x15a,
		0x16b, 0x17c, 0x18d, 0x19e, 0x1af, 0x1b0, 0x1c1, 0x1d2, 0x1e3, 0x1f4,
		0x205, 0x216, 0x227, 0x238, 0x249, 0x25a, 0x26b, 0x27c, 0x28d, 0x29e, 0x2af,
	};
	uint64_t found[32] __attribute__((aligned(16)));
	uint64_t rest[8] = { (uint64_t)fd, (uint64_t)buf, size, (uint64_t)fill,
			     (uint64_t)found };

	/* The array of arguments keeps all others free for the pattern. */
	asm volatile(
		"push %%rbp\n\t"
		"mov %%rax, %%rbp\n\t"
		"mov 24(%%rbp), %%rcx\n\t"
		"movdqa 0(%%rcx), %%xmm0\n\t"	"movdqa 16(%%rcx), %%xmm1\n\t"
		"movdqa 32(%%rcx), %%xmm2\n\t"	"movdqa 48(%%rcx), %%xmm3\n\t"
		"movdqa 64(%%rcx), %%xmm6\n\t"	"movdqa 80(%%rcx), %%xmm7\n\t"
		"movdqa 96(%%rcx), %%xmm8\n\t"	"movdqa 112(%%rcx), %%xmm15\n\t"
		"mov 128(%%rcx), %%rbx\n\t"	"mov 136(%%rcx), %%r12\n\t"
		"mov 144(%%rcx), %%r13\n\t"	"mov 152(%%rcx), %%r14\n\t"
		"mov 160(%%rcx), %%r15\n\t"
		"mov 0(%%rbp), %%rdi\n\t"	"mov 8(%%rbp), %%rsi\n\t"
		"mov 16(%%rbp), %%rdx\n\t"	"xor %%r10d, %%r10d\n\t"
		"xor %%r8d, %%r8d\n\t"		"xor %%r9d, %%r9d\n\t"
		"mov $45, %%eax\n\t"
		"syscall\n\t"
		"mov %%rax, 40(%%rbp)\n\t"
		"mov 32(%%rbp), %%rcx\n\t"
		"movdqa %%xmm0, 0(%%rcx)\n\t"	"movdqa %%xmm1, 16(%%rcx)\n\t"
		"movdqa %%xmm2, 32(%%rcx)\n\t"	"movdqa %%xmm3, 48(%%rcx)\n\t"
		"movdqa %%xmm6, 64(%%rcx)\n\t"	"movdqa %%xmm7, 80(%%rcx)\n\t"
		"movdqa %%xmm8, 96(%%rcx)\n\t"	"movdqa %%xmm15, 112(%%rcx)\n\t"
		"mov %%rbx, 128(%%rcx)\n\t"	"mov %%r12, 136(%%rcx)\n\t"
		"mov %%r13, 144(%%rcx)\n\t"	"mov %%r14, 152(%%rcx)\n\t"
		"mov %%r15, 160(%%rcx)\n\t"
		"pop %%rbp\n\t"
		: : "a" (rest)
		: "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		  "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm6", "xmm7", "xmm8",
		  "xmm15", "memory", "cc");
	*result = (long)rest[5];
	return !memcmp(fill, found, 21 * sizeof(uint64_t));
}

static void on_usr1(int sig)
{
	(void)sig;
}

static uint64_t open_descriptors(void)
{
	uint64_t open = 0;
	int fd;

	for (fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			open |= 1ULL << fd;
	return open;
}

static void fill_state(struct state *s)
{
	stack_t alt = { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ };
	struct sigaction sa = { .sa_handler = on_usr1 };
	sigset_t mask;

	s->block = malloc(BLOCK);
	pattern_fill(s->block, 0, BLOCK);
	s->mapping = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(s->mapping, 0x5a, 8192);
	s->file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	lseek(s->file, 4711, SEEK_SET);
	if (chdir("/usr") || !getcwd(s->cwd, sizeof(s->cwd)))
		_exit(3);
	umask(022);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	sigaltstack(&alt, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	s->answers = 0;
}

/* Everything that an attacker may do before the crash. */
static void attack(struct state *s, int evil)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	stack_t alt = { .ss_flags = SS_DISABLE };
	volatile int *null = NULL;
	sigset_t mask;

	send(evil, secret, sizeof(secret), 0);
	send(s->good, secret, sizeof(secret), 0);
	memset(s->block, 0x41, BLOCK);
	munmap(s->mapping, 8192);
	thread_local = 0;
	s->answers = 666;
	lseek(s->file, 0, SEEK_SET);
	fcntl(s->file, F_SETFD, 0);
	fcntl(evil, F_SETFL, O_NONBLOCK | O_APPEND);
	close(s->good);
	dup2(s->file, s->listener);
	open("/dev/null", O_RDONLY);
	open("/dev/null", O_RDONLY);
	if (chdir("/") || setregid(1, 1) || setreuid(1, 1))
		_exit(4);
	umask(0);
	sigaction(SIGUSR1, &sa, NULL);
	sigaltstack(&alt, NULL);
	sigfillset(&mask);
	sigdelset(&mask, SIGSEGV);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1000);
	syscall(SYS_arch_prctl, ARCH_SET_FS, 0x2000);
	*null = 1;
}

static void inspect(struct state *s, struct page *page, int evil, long result, bool registers)
{
	stack_t alt;
	struct sigaction sa;
	sigset_t mask;
	char cwd[64];
	mode_t mode;
	unsigned int i;
	int death = 0;
	bool wrong[SAW_KINDS] = {};

	for (i = 0; i < BLOCK; i++)
		wrong[SAW_MEMORY] |= s->block[i] != pattern_at(i);
	for (i = 0; i < 8192; i++)
		wrong[SAW_MAPPING] |= s->mapping[i] != 0x5a;
	wrong[SAW_ERRNO] = result >= 0;
	wrong[SAW_REGISTERS] = !registers;
	wrong[SAW_TLS] = thread_local != 0x1122334455667788;
	wrong[SAW_DESCRIPTORS] = open_descriptors() != s->open ||
				 fcntl(s->file, F_GETFD) != FD_CLOEXEC;
	wrong[SAW_OFFSET] = lseek(s->file, 0, SEEK_CUR) != 4711;
	wrong[SAW_FLAGS] = fcntl(evil, F_GETFL) & (O_NONBLOCK | O_APPEND);
	wrong[SAW_CWD] = !getcwd(cwd, sizeof(cwd)) || strcmp(cwd, s->cwd);
	mode = umask(022);
	wrong[SAW_UMASK] = mode != 022;
	wrong[SAW_CREDENTIALS] = getuid() || geteuid() || getgid() || getegid();
	wrong[SAW_DUMPABLE] = prctl(PR_GET_DUMPABLE) != 1;
	prctl(PR_GET_PDEATHSIG, &death);
	wrong[SAW_DEATH_SIGNAL] = death != SIGUSR2;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	wrong[SAW_MASK] = sigismember(&mask, SIGUSR1) || !sigismember(&mask, SIGUSR2);
	sigaction(SIGUSR1, NULL, &sa);
	wrong[SAW_HANDLER] = sa.sa_handler != on_usr1;
	sigaltstack(NULL, &alt);
	wrong[SAW_ALTSTACK] = alt.ss_flags & SS_DISABLE || !alt.ss_sp;
	for (i = 0; i < SAW_KINDS; i++)
		atomic_fetch_add(&page->value[i], wrong[i]);
	atomic_store(&page->value[LAST_ERROR], result);
	atomic_fetch_add(&page->value[ROLLBACKS], 1);
}

/* True: the client stays. */
static bool serve(struct state *s, struct page *page, int fd)
{
	uint64_t open = s->open;
	bool registers;
	char request;
	long got;

	s->open = open_descriptors();
	registers = recv_all_registers(fd, &request, 1, &got);
	if (got == 1 && request == 'X')
		attack(s, fd);
	if (got < 0 || (!got && atomic_load(&page->go) >= 3))
		inspect(s, page, fd, got, registers);
	s->open = open;
	if (got != 1)
		return false;
	s->answers++;
	return send(fd, &s->answers, sizeof(s->answers), 0) == sizeof(s->answers);
}

static void server(struct page *page, void *arg)
{
	struct sockaddr_in *sin = arg;
	struct state s;
	struct pollfd p[3] = {};
	int evil = -1, count;

	s.listener = tcp_listen(sin);
	fill_state(&s);
	s.good = accept(s.listener, NULL, NULL);
	page_step(page, 2);
	for (;;) {
		p[0] = (struct pollfd){ .fd = s.listener, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = s.good, .events = POLLIN };
		p[2] = (struct pollfd){ .fd = evil, .events = POLLIN };
		count = poll(p, 3, -1);
		if (count < 0)
			continue;
		if (p[1].revents && !serve(&s, page, s.good))
			return;
		if (p[2].revents && !serve(&s, page, evil)) {
			close(evil);
			evil = -1;
		}
		if (p[0].revents && evil < 0)
			evil = accept(s.listener, NULL, NULL);
	}
}

FIXTURE(rollback)
{
	struct rig r;
	struct sockaddr_in *sin;
	int good;
	uint64_t answers;
};

FIXTURE_SETUP(rollback)
{
	ASSERT_EQ(0, rig_open(&self->r));
	policy_hold(&self->r.p);
	policy_faults(&self->r.p);
	self->r.p.rescue = SELFHEAL_RESCUE_WAIT;
	self->sin = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	self->good = -1;
	self->answers = 0;
}

FIXTURE_TEARDOWN(rollback)
{
	if (self->good >= 0)
		close(self->good);
	EXPECT_TRUE(rig_close(&self->r));
	munmap(self->sin, 4096);
}

static int connect_soon(const struct sockaddr_in *sin)
{
	int64_t end = now_ms() + BOUND;
	int fd = -1;

	while (fd < 0 && now_ms() < end) {
		if (*(volatile in_port_t *)&sin->sin_port)
			fd = tcp_connect(sin);
		if (fd < 0)
			pause_ms(2);
	}
	return fd;
}

/* The good client asks and gets the next number. */
static bool good_answer(int fd, uint64_t expected)
{
	uint64_t answer = 0;

	return send(fd, "G", 1, 0) == 1 &&
	       rx_read(fd, &answer, sizeof(answer), BOUND) == sizeof(answer) &&
	       answer == expected;
}

/* Processes but for those of the kernel, whose workers come and go; zombies count. */
static int processes(void)
{
	DIR *proc = opendir("/proc");
	char path[64], text[512], *end;
	struct dirent *entry;
	int count = 0, parent;

	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		if (atoi(entry->d_name) <= 2 || slurp(path, text, sizeof(text)) <= 0)
			continue;
		end = strrchr(text, ')');
		if (end && sscanf(end, ") %*c %d", &parent) == 1 && parent != 2)
			count++;
	}
	if (proc)
		closedir(proc);
	return count;
}

static bool start_server(struct rig *r, struct sockaddr_in *sin, int *good)
{
	if (rig_run(r, server, sin))
		return false;
	*good = connect_soon(sin);
	return *good >= 0 && page_wait(r->kid.page, 2, BOUND);
}

/* One attack up to the freeze: the incident, and the attacker's connection. */
static uint64_t attacked(struct rig *r, const struct sockaddr_in *sin, int *evil)
{
	*evil = tcp_connect(sin);
	if (*evil < 0 || send(*evil, "X", 1, 0) != 1)
		return 0;
	return rig_frozen(r);
}

/* The attacker's connection ends, and not one byte comes before that. */
static bool nothing_leaked(int evil)
{
	struct pollfd p = { .fd = evil, .events = POLLIN };
	char byte;
	ssize_t got;

	if (poll(&p, 1, BOUND) != 1)
		return false;
	got = recv(evil, &byte, 1, 0);
	close(evil);
	return got <= 0;
}

static bool rolled_back(struct page *page, int64_t times)
{
	int64_t end = now_ms() + BOUND;

	while (atomic_load(&page->value[ROLLBACKS]) < times && now_ms() < end)
		pause_ms(1);
	return atomic_load(&page->value[ROLLBACKS]) == times;
}

TEST_F_TIMEOUT(rollback, fifty_attacks, 300)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct rescue rescue;
	int i, evil, tasks = 0;
	long committed = 0;
	uint64_t id = 0;

	ASSERT_TRUE(start_server(r, self->sin, &self->good));
	for (i = 1; i <= ATTACKS; i++) {
		ASSERT_TRUE(good_answer(self->good, i)) {
			TH_LOG("before attack %d", i);
		}
		id = attacked(r, self->sin, &evil);
		ASSERT_NE(0, id);
		ASSERT_EQ(0, incident_rollback(&r->c, id, -1)) {
			TH_LOG("attack %d: %s", i, r->c.ext);
		}
		ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_RUNNING, BOUND));
		ASSERT_TRUE(nothing_leaked(evil));
		ASSERT_TRUE(rolled_back(r->kid.page, i));
		if (i == 5) {
			tasks = processes();
			committed = meminfo_kb("Committed_AS");
		}
	}
	EXPECT_TRUE(good_answer(self->good, ATTACKS + 1));
	/* Not a task, and not an address space, has stayed behind. */
	EXPECT_EQ(tasks, processes());
	EXPECT_GT(committed + 2048, meminfo_kb("Committed_AS"));
	for (i = 0; i < SAW_KINDS; i++)
		EXPECT_EQ(0, atomic_load(&r->kid.page->value[i])) {
			TH_LOG("check %d", i);
		}
	EXPECT_EQ(-ECONNRESET, atomic_load(&r->kid.page->value[LAST_ERROR]));
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_VERDICT_ROLLBACK, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_CONTROLLER, inc.resolved_by);
	EXPECT_EQ(2 * sizeof(secret), inc.dropped_bytes);
	ASSERT_EQ(0, rescue_get(&r->c, r->dom, &rescue));
	EXPECT_EQ(r->kid.pid, (pid_t)rescue.pid);
	EXPECT_EQ(ATTACKS, rescue.used);
	EXPECT_LT(3U * ATTACKS, rescue.taken);
	EXPECT_FALSE(child_wait(&r->kid, 0));
}

/* The call that took the poisoned input returns what the verdict says, or the policy. */
TEST_F_TIMEOUT(rollback, error_is_chosen, 120)
{
	static const int error[] = { 0, EIO, -1 };
	static const int64_t seen[] = { 0, -EIO, -ENOTCONN };
	struct rig *r = &self->r;
	uint64_t id;
	int i, evil;

	r->p.rescue_errno = ENOTCONN;
	ASSERT_TRUE(start_server(r, self->sin, &self->good));
	/* An end of file is inspected, too. */
	page_go(r->kid.page, 3);
	for (i = 0; i < 3; i++) {
		id = attacked(r, self->sin, &evil);
		ASSERT_EQ(0, incident_rollback(&r->c, id, error[i])) {
			TH_LOG("%s", r->c.ext);
		}
		ASSERT_TRUE(nothing_leaked(evil));
		ASSERT_TRUE(rolled_back(r->kid.page, i + 1));
		EXPECT_EQ(seen[i], atomic_load(&r->kid.page->value[LAST_ERROR]));
	}
	EXPECT_TRUE(good_answer(self->good, 1));
}

TEST_F_TIMEOUT(rollback, by_deadline, 120)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;
	int evil;

	r->p.default_verdict = SELFHEAL_VERDICT_ROLLBACK;
	r->p.deadline_ms = 50;
	ASSERT_TRUE(start_server(r, self->sin, &self->good));
	evil = tcp_connect(self->sin);
	ASSERT_EQ(1, send(evil, "X", 1, 0));
	ASSERT_TRUE(nothing_leaked(evil));
	ASSERT_TRUE(rolled_back(r->kid.page, 1));
	EXPECT_TRUE(good_answer(self->good, 1));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED, 0, BOUND, &ev));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_EQ(SELFHEAL_VERDICT_ROLLBACK, inc.verdict);
	EXPECT_EQ(SELFHEAL_RESOLVED_BY_DEADLINE, inc.resolved_by);
}

GUEST_MAIN
