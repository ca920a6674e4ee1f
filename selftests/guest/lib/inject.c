// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inject.h"
#include "proc.h"

#define DEBUGFS "/sys/kernel/debug"
/* More than any operation has: what it leaves tells how many there are. */
#define COUNTED 1000000u
/* Rounds without a fault that end a sweep: places come and go with caches of the kernel. */
#define MISSES 2
/* Frames that are looked at for the functions of inject_below(). */
#define DEPTH "32"

static const char *const injector[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

#define VMALLOC "__vmalloc_node_range_noprof"

#define INJECTORS (sizeof(injector) / sizeof(injector[0]))

static int tune(const char *which, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", which, name);
	return write_file(path, value);
}

static void tune_all(const char *name, const char *value)
{
	unsigned int i;

	for (i = 0; i < INJECTORS; i++)
		tune(injector[i], name, value);
}

/* The text of a function, or of all our module's. */
static bool find_text(const char *function, unsigned long *from, unsigned long *to)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[256], name[128], module[64], type;
	unsigned long at;
	int n;

	*from = ULONG_MAX;
	*to = 0;
	while (file && fgets(line, sizeof(line), file)) {
		n = sscanf(line, "%lx %c %127s %63s", &at, &type, name, module);
		if (n < 3 || !strchr("tT", type))
			continue;
		if (function ? !strcmp(name, function) : n == 4 && !strcmp(module, "[selfheal]")) {
			*from = at < *from ? at : *from;
			*to = at > *to ? at : *to;
		}
	}
	/* The last one ends where the next one begins. */
	at = *to;
	*to = ULONG_MAX;
	if (file)
		rewind(file);
	while (file && fgets(line, sizeof(line), file)) {
		unsigned long next = strtoul(line, NULL, 16);

		if (next > at && next < *to)
			*to = next;
	}
	if (file)
		fclose(file);
	return *from != ULONG_MAX && *to != ULONG_MAX;
}

/* Places below the function are the only ones ("require"), or are none ("reject"). */
static int set_range(const char *what, const char *function)
{
	unsigned long from, to;
	char name[32], text[32];
	unsigned int i;

	if (!find_text(function, &from, &to))
		return -ENOENT;
	for (i = 0; i < INJECTORS; i++) {
		if (tune(injector[i], "stacktrace-depth", DEPTH))
			return -EOPNOTSUPP;
		snprintf(name, sizeof(name), "%s-start", what);
		snprintf(text, sizeof(text), "0x%lx", from);
		tune(injector[i], name, text);
		snprintf(name, sizeof(name), "%s-end", what);
		snprintf(text, sizeof(text), "0x%lx", to);
		tune(injector[i], name, text);
	}
	return 0;
}

const char *inject_missing(void)
{
	static char why[128];
	unsigned int i;

	if (access("/proc/thread-self/fail-nth", R_OK | W_OK))
		return "this kernel cannot inject faults (CONFIG_FAULT_INJECTION): see make test-debug";
	if (access(DEBUGFS "/failslab", F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	for (i = 0; i < INJECTORS; i++) {
		/* Reports of each fault on the console would be taken for the kernel's own. */
		if (!tune(injector[i], "verbose", "0"))
			continue;
		snprintf(why, sizeof(why), "this kernel has no %s in " DEBUGFS, injector[i]);
		return why;
	}
	/* Allocations that may sleep are those that the module makes. */
	tune("failslab", "ignore-gfp-wait", "N");
	tune("fail_page_alloc", "ignore-gfp-wait", "N");
	tune("fail_page_alloc", "min-order", "0");
	inject_user_pages(false);
	inject_anywhere();
	return inject_spare(NULL) ?
	       "this kernel cannot spare places by the functions above them" : NULL;
}

int inject_spare(const char *function)
{
	return set_range("reject", function ?: VMALLOC);
}

void inject_user_pages(bool on)
{
	tune("fail_page_alloc", "ignore-gfp-highmem", on ? "N" : "Y");
}

int inject_below(const char *function)
{
	return set_range("require", function);
}

void inject_anywhere(void)
{
	/* First: what fails once must not do so just anywhere. */
	inject_never();
	tune_all("require-start", "0x0");
	tune_all("require-end", "0xffffffffffffffff");
}

int inject_open(pid_t pid, pid_t tid)
{
	char path[64] = "/proc/thread-self/fail-nth";
	int fd;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/fail-nth", pid, tid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* No library function between the write and the call that is to fail. */
void inject_arm(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	/* A worker may have ended. */
	if (syscall(SYS_pwrite64, fd, text, len, 0) != len && errno != ESRCH)
		abort();
}

long inject_left(int fd)
{
	char text[16];
	/* That it cannot be read may be the fault that is left. */
	long n = syscall(SYS_pread64, fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return n < 0 && errno == ESRCH ? -ESRCH : 1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

static long disarm(int fd)
{
	long left = inject_left(fd);

	syscall(SYS_pwrite64, fd, "0", 1, 0);
	return left;
}

bool inject_disarm(int fd)
{
	return disarm(fd) == 0;
}

static long slab_number(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), DEBUGFS "/failslab/%s", name);
	return slurp(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

void inject_once(long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", bytes);
	tune("failslab", "space", text);
	tune("failslab", "interval", "1");
	tune("failslab", "times", "1");
	tune("failslab", "probability", "100");
}

long inject_budget(void)
{
	return slab_number("space");
}

bool inject_spent(void)
{
	return slab_number("times") == 0;
}

void inject_never(void)
{
	tune("failslab", "probability", "0");
	tune("failslab", "space", "0");
}

bool inject_error(long err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -EFAULT;
}

void sweep_begin(struct sweep *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	/* Where the kernel does not look at the stack all is counted, and not told. */
	s->chooses = !inject_below(NULL);
	s->counting = s->chooses;
	if (!s->chooses)
		inject_anywhere();
}

void sweep_counted(struct sweep *s)
{
	if (!s->counting)
		return;
	s->counting = false;
	s->nth = 0;
	inject_anywhere();
}

bool sweep_next(struct sweep *s)
{
	if (s->nth)
		sweep_counted(s);
	if (s->misses >= MISSES)
		return false;
	s->nth++;
	return true;
}

unsigned int sweep_armed(const struct sweep *s)
{
	return s->counting ? COUNTED : s->nth;
}

void sweep_arm(struct sweep *s, int fd)
{
	inject_arm(fd, sweep_armed(s));
}

bool sweep_left(struct sweep *s, long left, bool refused)
{
	if (s->counting) {
		s->within = left > 0 ? COUNTED - left : 0;
		return false;
	}
	if (left) {
		s->misses++;
		return false;
	}
	s->misses = 0;
	s->points++;
	s->refused += refused;
	return true;
}

bool sweep_hit(struct sweep *s, int fd, bool refused)
{
	return sweep_left(s, disarm(fd), refused);
}

unsigned int sweep_end(struct sweep *s)
{
	char within[16] = "?";

	inject_anywhere();
	if (s->chooses)
		snprintf(within, sizeof(within), "%u", s->within);
	printf("# inject %-30s %5u points, %4s within the module, %4u refused, %4u borne\n",
	       s->name, s->points, within, s->refused, s->points - s->refused);
	return s->points;
}

void inject_begin(void)
{
	/* Who is not root is told so by guest_begin(). */
	const char *why = geteuid() ? NULL : inject_missing();

	if (!why)
		return;
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	exit(4);
}
