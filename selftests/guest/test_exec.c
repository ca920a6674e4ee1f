// SPDX-License-Identifier: GPL-2.0
/*
 * The exec sensor: a file that the policy does not allow is stopped before the
 * new image runs. The target leaves a marker with its first instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <libgen.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "rig.h"
#include "stream.h"

struct paths {
	char dir[64], target[128], script[128], marker[128];
};

struct plan {
	void (*how)(struct page *page, const struct paths *p);
	struct paths paths;
	struct pair ch;
};

static bool copy_file(const char *from, const char *to)
{
	char buf[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		return false;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			return false;
	}
	close(in);
	close(out);
	return n == 0;
}

/* How the member executes the target. Each returns only when refused. */
static void how_execve(struct page *page, const struct paths *p)
{
	(void)page;
	execl(p->target, "target", p->marker, NULL);
}

static void how_script(struct page *page, const struct paths *p)
{
	(void)page;
	execl(p->script, "script", p->marker, NULL);
}

static void how_fexecve(struct page *page, const struct paths *p)
{
	char *argv[] = { "target", (char *)p->marker, NULL }, *envp[] = { NULL };
	int fd = open(p->target, O_PATH | O_CLOEXEC);

	(void)page;
	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static void how_memfd(struct page *page, const struct paths *p)
{
	char *argv[] = { "target", (char *)p->marker, NULL }, *envp[] = { NULL };
	int fd = memfd_create("nameless", MFD_CLOEXEC), in = open(p->target, O_RDONLY);
	char buf[65536];
	ssize_t n;

	(void)page;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(fd, buf, n) != n)
			return;
	}
	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

static void reap_and_exit_like(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(99);
}

static void how_vfork(struct page *page, const struct paths *p)
{
	pid_t pid = vfork();

	(void)page;
	if (!pid) {
		execl(p->target, "target", p->marker, NULL);
		_exit(98);
	}
	reap_and_exit_like(pid);
}

static void how_spawn(struct page *page, const struct paths *p)
{
	char *argv[] = { "target", (char *)p->marker, NULL }, *envp[] = { NULL };
	pid_t pid;

	(void)page;
	if (posix_spawn(&pid, p->target, NULL, NULL, argv, envp))
		_exit(98);
	reap_and_exit_like(pid);
}

static const struct paths *thread_paths;

static void *exec_in_thread(void *arg)
{
	how_execve(arg, thread_paths);
	return NULL;
}

static void how_thread(struct page *page, const struct paths *p)
{
	pthread_t t;

	thread_paths = p;
	pthread_create(&t, NULL, exec_in_thread, page);
	for (;;)
		sched_yield();
}

FIXTURE(execs)
{
	struct rig r;
	struct plan plan;
};

FIXTURE_VARIANT(execs)
{
	void (*how)(struct page *page, const struct paths *p);
	bool can_allow;
};

FIXTURE_VARIANT_ADD(execs, execve) { how_execve, true };
FIXTURE_VARIANT_ADD(execs, script) { how_script, true };
FIXTURE_VARIANT_ADD(execs, fexecve) { how_fexecve, true };
FIXTURE_VARIANT_ADD(execs, memfd) { how_memfd, false };
FIXTURE_VARIANT_ADD(execs, vfork) { how_vfork, true };
FIXTURE_VARIANT_ADD(execs, posix_spawn) { how_spawn, true };
FIXTURE_VARIANT_ADD(execs, thread) { how_thread, true };

FIXTURE_SETUP(execs)
{
	struct paths *p = &self->plan.paths;
	char exe[4096], tool[4200], text[256];
	ssize_t n;
	int fd;

	ASSERT_EQ(0, rig_open(&self->r));
	snprintf(p->dir, sizeof(p->dir), "/tmp/selfheal.exec.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(p->dir));
	snprintf(p->target, sizeof(p->target), "%s/target", p->dir);
	snprintf(p->script, sizeof(p->script), "%s/script", p->dir);
	snprintf(p->marker, sizeof(p->marker), "%s/marker", p->dir);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	ASSERT_LT(0, n);
	exe[n] = '\0';
	snprintf(tool, sizeof(tool), "%s/tool_marker", dirname(exe));
	ASSERT_TRUE(copy_file(tool, p->target));
	n = snprintf(text, sizeof(text), "#!%s\n", p->target);
	fd = open(p->script, O_CREAT | O_WRONLY, 0755);
	ASSERT_EQ(n, write(fd, text, n));
	close(fd);
	ASSERT_EQ(0, pair_open(&self->plan.ch, CH_UNIX_STREAM));
	self->plan.how = variant->how;
	self->r.p.exec_sense = true;
}

FIXTURE_TEARDOWN(execs)
{
	EXPECT_TRUE(rig_close(&self->r));
	pair_close(&self->plan.ch);
	unlink(self->plan.paths.marker);
	unlink(self->plan.paths.script);
	unlink(self->plan.paths.target);
	rmdir(self->plan.paths.dir);
}

static void execute(struct page *page, void *arg)
{
	struct plan *plan = arg;

	if (write(plan->ch.tx, "secret", 6) != 6)
		_exit(97);
	page_step(page, 2);
	plan->how(page, &plan->paths);
	_exit(96);
}

static bool marked(const struct plan *plan)
{
	return !access(plan->paths.marker, F_OK);
}

TEST_F(execs, not_allowed_is_stopped_before_it_runs)
{
	struct rig *r = &self->r;
	char exe[256], link[64], ours[256];
	const char *target;
	struct incident inc;
	uint64_t id;
	ssize_t n;

	policy_hold(&r->p);
	ASSERT_EQ(0, rig_run(r, execute, &self->plan));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_EQ(SELFHEAL_SENSOR_EXEC, inc.sensor);
	target = variant->how == how_script ? self->plan.paths.script :
		 variant->how == how_memfd ? "nameless" : self->plan.paths.target;
	EXPECT_NE(NULL, strstr(inc.target, target)) { TH_LOG("target %s", inc.target); }
	EXPECT_FALSE(marked(&self->plan));
	/* The old image is still there. */
	snprintf(link, sizeof(link), "/proc/%u/exe", inc.pid);
	n = readlink(link, exe, sizeof(exe) - 1);
	ASSERT_LT(0, n);
	exe[n] = '\0';
	n = readlink("/proc/self/exe", ours, sizeof(ours) - 1);
	ours[n] = '\0';
	EXPECT_STREQ(ours, exe);
	/* What it sent before is withheld, and a kill drops it. */
	EXPECT_FALSE(rx_ready(self->plan.ch.rx, QUIET));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	ASSERT_TRUE(domain_wait(&r->c, r->dom, SELFHEAL_DOMAIN_STATE_GONE, BOUND));
	EXPECT_FALSE(marked(&self->plan));
	EXPECT_FALSE(rx_ready(self->plan.ch.rx, 0));
}

TEST_F(execs, released_runs)
{
	struct rig *r = &self->r;
	struct event ev;
	uint64_t id;

	ASSERT_EQ(0, rig_run(r, execute, &self->plan));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_RELEASE));
	if (variant->how == how_script) {
		/* The interpreter is a file of its own. */
		ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom,
				      BOUND, &ev));
		ASSERT_NE(id, ev.incident);
		ASSERT_EQ(0, incident_verdict(&r->c, ev.incident, SELFHEAL_VERDICT_RELEASE));
	}
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 7)) {
		TH_LOG("wait status %#x", r->kid.status);
	}
	EXPECT_TRUE(marked(&self->plan));
}

TEST_F(execs, allowed_runs_without_an_incident)
{
	struct rig *r = &self->r;

	if (!variant->can_allow)
		return;		/* a file without a name cannot be in the list */
	r->p.allow[0] = self->plan.paths.target;
	r->p.allow[1] = self->plan.paths.script;
	ASSERT_EQ(0, rig_run(r, execute, &self->plan)) { TH_LOG("%s", r->c.ext); }
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 7)) {
		TH_LOG("wait status %#x", r->kid.status);
	}
	EXPECT_TRUE(marked(&self->plan));
	EXPECT_TRUE(nlev_wait_without(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN,
				      SELFHEAL_EVENT_TYPE_DOMAIN_GONE, r->dom, BOUND));
}

TEST_F(execs, another_file_at_an_allowed_path)
{
	char old[160];
	struct rig *r = &self->r;
	uint64_t id;

	if (variant->how == how_memfd)
		return;		/* has no path */
	r->p.allow[0] = self->plan.paths.target;
	r->p.allow[1] = self->plan.paths.script;
	ASSERT_EQ(0, policy_load(&r->c, &r->p));
	snprintf(old, sizeof(old), "%s/old", self->plan.paths.dir);
	ASSERT_EQ(0, rename(self->plan.paths.target, old));
	ASSERT_TRUE(copy_file(old, self->plan.paths.target));
	ASSERT_EQ(0, child_start(&r->kid, execute, &self->plan));
	ASSERT_EQ(0, domain_new(&r->c, r->p.name, r->kid.pidfd, false, &r->dom));
	page_go(r->kid.page, 1);
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	EXPECT_FALSE(marked(&self->plan));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
	EXPECT_TRUE(child_signaled(&r->kid, BOUND, SIGKILL));
	unlink(old);
}

TEST_F(execs, observed_runs)
{
	struct rig *r = &self->r;
	struct incident inc;
	struct event ev;

	r->p.flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	ASSERT_EQ(0, rig_run(r, execute, &self->plan));
	ASSERT_TRUE(nlev_wait(&r->e, SELFHEAL_EVENT_TYPE_INCIDENT_OPEN, r->dom, BOUND, &ev));
	EXPECT_TRUE(child_exited(&r->kid, BOUND, 7));
	EXPECT_TRUE(marked(&self->plan));
	ASSERT_EQ(0, incident_get(&r->c, ev.incident, &inc));
	EXPECT_TRUE(inc.observed);
	EXPECT_EQ(SELFHEAL_SENSOR_EXEC, inc.sensor);
	EXPECT_EQ(SELFHEAL_VERDICT_RELEASE, inc.verdict);
}

TEST_F(execs, script_allowed_interpreter_not)
{
	struct rig *r = &self->r;
	struct incident inc;
	uint64_t id;

	if (variant->how != how_script)
		return;
	r->p.allow[0] = self->plan.paths.script;
	ASSERT_EQ(0, rig_run(r, execute, &self->plan));
	id = rig_frozen(r);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, incident_get(&r->c, id, &inc));
	EXPECT_STREQ(self->plan.paths.target, inc.target);
	EXPECT_FALSE(marked(&self->plan));
	ASSERT_EQ(0, incident_verdict(&r->c, id, SELFHEAL_VERDICT_KILL));
}

GUEST_MAIN
