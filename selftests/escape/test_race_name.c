// SPDX-License-Identifier: GPL-2.0
/*
 * What names something and changes meanwhile: the text of a path, what lies at the path, the
 * directory that a descriptor names, a process by its number in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

#define TEXT "0123456789abcdef"
#define LEN 16
#define FLIPPED 200
/* page->count: opens or execs of the one and of the other, and what must not be got. */
#define ALLOWED (RACE_OWN + 0)
#define REFUSED (RACE_OWN + 1)
#define GAINED (RACE_OWN + 2)

/* In x->shared. */
struct names {
	char path[128];		/* its last letter is '0' or '1' */
	dev_t dev;		/* of the file that may be opened */
	ino_t ino;
	pid_t pid, own, stranger;
};

static struct names *names(const struct race *x)
{
	return (struct names *)x->shared;
}

static char *last_letter(const struct race *x)
{
	return names(x)->path + strlen(names(x)->path) - 1;
}

static int make_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* dir/0 leads to a file of ours, dir/1 to @other. */
static int open_paths(struct race *x, const char *other)
{
	char plain[128], link[128];
	struct stat st;
	int err;

	snprintf(plain, sizeof(plain), "%s/plain", x->dir);
	err = make_file(plain, "", 0600);
	if (err || stat(plain, &st))
		return err ? err : -errno;
	names(x)->dev = st.st_dev;
	names(x)->ino = st.st_ino;
	snprintf(link, sizeof(link), "%s/1", x->dir);
	snprintf(names(x)->path, sizeof(names(x)->path), "%s/0", x->dir);
	return symlink(plain, names(x)->path) || symlink(other, link) ? -errno : 0;
}

static int open_device(struct race *x)
{
	return open_paths(x, "/dev/kmsg");
}

static int open_setting(struct race *x)
{
	return open_paths(x, "/proc/sys/kernel/hostname");
}

static void flip_letter(struct race *x, unsigned int k)
{
	*(volatile char *)last_letter(x) = '0' + (k & 1);
}

/* The two change places at once. */
static void flip_places(struct race *x, unsigned int k)
{
	char one[128], two[128];

	(void)k;
	snprintf(one, sizeof(one), "%s/0", x->dir);
	snprintf(two, sizeof(two), "%s/1", x->dir);
	syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, 2 /* RENAME_EXCHANGE */);
}

/* A descriptor that was got is of our file, or it should not have been got. */
static long got(struct race *x, int fd)
{
	struct page *page = x->r.kid.page;
	struct stat st;

	if (fd < 0) {
		page->count[REFUSED]++;
		return -errno;
	}
	if (fstat(fd, &st) || st.st_dev != names(x)->dev || st.st_ino != names(x)->ino)
		page->count[GAINED]++;
	else
		page->count[ALLOWED]++;
	close(fd);
	return 0;
}

static long by_open(struct race *x, unsigned int i)
{
	(void)i;
	return got(x, open(names(x)->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK));
}

/* A file of ours has the name of the setting; the directory is either. */
static int open_directories(struct race *x)
{
	char path[128];
	struct stat st;
	int err;

	snprintf(path, sizeof(path), "%s/hostname", x->dir);
	err = make_file(path, "", 0600);
	if (err || stat(path, &st))
		return err ? err : -errno;
	names(x)->dev = st.st_dev;
	names(x)->ino = st.st_ino;
	x->fd[0] = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	x->fd[1] = open("/proc/sys/kernel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return x->fd[0] < 0 || x->fd[1] < 0 ? -errno : 0;
}

static void start_flipped(struct race *x)
{
	dup2(x->fd[0], FLIPPED);
}

static void flip_descriptor(struct race *x, unsigned int k)
{
	dup2(x->fd[k & 1], FLIPPED);
}

static long by_openat(struct race *x, unsigned int i)
{
	(void)i;
	return got(x, openat(FLIPPED, "hostname", O_WRONLY | O_CLOEXEC));
}

static bool both(const struct race *x)
{
	const struct page *page = x->r.kid.page;

	return page->count[ALLOWED] && (page->count[REFUSED] || page->count[GAINED]);
}

static bool check_gains(struct race *x)
{
	struct page *page = x->r.kid.page;

	if (page->count[GAINED])
		return race_escape(x, "%llu of the forbidden were got",
				   (unsigned long long)page->count[GAINED]);
	return both(x) || race_fail(x, "only one of the two was ever met");
}

/* A FIFO, which is held, and a file, which is not. */
static int open_fifo(struct race *x)
{
	int err = open_paths(x, "fifo");
	char path[128];

	snprintf(path, sizeof(path), "%s/fifo", x->dir);
	if (err || mkfifo(path, 0600))
		return err ? err : -errno;
	x->rx[0] = open(path, O_RDWR | O_CLOEXEC);
	return x->rx[0] < 0 ? -errno : 0;
}

static long by_path(struct race *x, unsigned int i)
{
	int fd = open(names(x)->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	long n;

	(void)i;
	if (fd < 0)
		return -errno;
	n = race_result(write(fd, TEXT, LEN));
	close(fd);
	return n;
}

static bool check_fifo(struct race *x)
{
	uint64_t said = x->r.kid.page->count[RACE_BYTES];
	struct domain d;
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/plain", x->dir);
	if (stat(path, &st) || domain_get(&x->r.c, x->r.dom, &d))
		return race_fail(x, "no file or no domain");
	if (said == d.held_total + st.st_size)
		return true;
	return race_escape(x, "%llu bytes reported, %llu held, %llu in the file",
			   (unsigned long long)said, (unsigned long long)d.held_total,
			   (unsigned long long)st.st_size);
}

/*
 * Two files to execute that end in different errors, both after the judgement: one is of no known
 * format, the other's interpreter does not exist. The policy allows the first one and observes, so
 * that execs of the second one are counted: as many as the errors tell were judged as that.
 */
static char allowed[128];

static int open_programs(struct race *x)
{
	char other[128];
	int err;

	snprintf(allowed, sizeof(allowed), "%s/0", x->dir);
	snprintf(other, sizeof(other), "%s/1", x->dir);
	strcpy(names(x)->path, allowed);
	err = make_file(allowed, "no program at all\n", 0755);
	if (!err)
		err = make_file(other, "#!/no/such/interpreter\n", 0755);
	x->fd[0] = open(allowed, O_PATH | O_CLOEXEC);
	x->fd[1] = open(other, O_PATH | O_CLOEXEC);
	return err ? err : x->fd[0] < 0 || x->fd[1] < 0 ? -errno : 0;
}

static void allow_one(struct policy *p)
{
	p->exec_sense = true;
	p->flags |= SELFHEAL_POLICY_FLAG_OBSERVE;
	p->allow[0] = allowed;
}

static long executed(struct race *x)
{
	x->r.kid.page->count[errno == ENOEXEC ? ALLOWED : errno == ENOENT ? REFUSED : GAINED]++;
	return -errno;
}

static long by_exec(struct race *x, unsigned int i)
{
	char *argv[] = { "race", NULL };

	(void)i;
	execve(names(x)->path, argv, NULL);
	return executed(x);
}

static long by_execveat(struct race *x, unsigned int i)
{
	char *argv[] = { "race", NULL };

	(void)i;
	syscall(SYS_execveat, FLIPPED, "", argv, NULL, AT_EMPTY_PATH);
	return executed(x);
}

static bool check_execs(struct race *x)
{
	struct page *page = x->r.kid.page;
	struct domain d;

	if (domain_get(&x->r.c, x->r.dom, &d))
		return race_fail(x, "no domain");
	if (d.incidents != page->count[REFUSED])
		return race_escape(x, "%llu of the forbidden were executed, %u were judged",
				   (unsigned long long)page->count[REFUSED], d.incidents);
	if (page->count[GAINED])
		return race_fail(x, "an exec ended in another error");
	return both(x) || race_fail(x, "only one of the two was ever met");
}

/* The number of a process, in memory, to which a descriptor's signals are to go. */
static int open_owner(struct race *x)
{
	int err = race_pair(x, 0, CH_UNIX_STREAM);
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	names(x)->pid = pid;
	names(x)->stranger = pid;
	return err ? err : pid < 0 ? -errno : 0;
}

static void close_owner(struct race *x)
{
	if (names(x)->stranger <= 0)
		return;
	kill(names(x)->stranger, SIGKILL);
	waitpid(names(x)->stranger, NULL, 0);
}

static void start_owner(struct race *x)
{
	names(x)->own = getpid();
}

static void flip_pid(struct race *x, unsigned int k)
{
	*(volatile pid_t *)&names(x)->pid = k & 1 ? names(x)->own : names(x)->stranger;
}

static long by_owner(struct race *x, unsigned int i)
{
	struct page *page = x->r.kid.page;
	pid_t owner;

	(void)i;
	/* One that is refused leaves the owner as it was. */
	fcntl(x->tx[0], F_SETOWN, 0);
	if (ioctl(x->tx[0], FIOSETOWN, &names(x)->pid))
		return -errno;
	owner = fcntl(x->tx[0], F_GETOWN);
	page->count[owner == names(x)->own ? ALLOWED : owner ? GAINED : REFUSED]++;
	return 0;
}

/* Unprotected: not the file that lay there when it was looked at. */
static bool fooled_by_path(struct race *x, unsigned int i)
{
	struct stat seen, st;
	bool other;
	int fd;

	(void)i;
	if (stat(names(x)->path, &seen))
		return false;
	fd = open(names(x)->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	other = !fstat(fd, &st) && (st.st_ino != seen.st_ino || st.st_dev != seen.st_dev);
	close(fd);
	return other;
}

#define OPENED .attempt = by_open, .check = check_gains, .enough = both, \
	.flippers = BY_THREAD | BY_VM | BY_OUTSIDER
#define EXECUTED .policy = allow_one, .open = open_programs, .check = check_execs, \
	.enough = both, .calm = true, .divide = 2

static const struct race_case cases[] = {
	{ .row = "race.control.path", .open = open_device, .flip = flip_places,
	  .fooled = fooled_by_path },
	{ .row = "race.path.device", .channel = "device", .open = open_device,
	  .flip = flip_letter, OPENED, .note = "the path's text: a file, or a device" },
	{ .row = "race.path.setting", .channel = "proc", .open = open_setting,
	  .flip = flip_letter, OPENED, .note = "the path's text: a file, or a sysctl" },
	{ .row = "race.path.place", .channel = "device", .open = open_device,
	  .flip = flip_places, OPENED, .note = "what lies at the path: a file, or a device" },
	{ .row = "race.path.directory", .channel = "proc", .open = open_directories,
	  .prepare = start_flipped, .flip = flip_descriptor, .attempt = by_openat,
	  .check = check_gains, .enough = both, .flippers = BY_THREAD | BY_VM,
	  .note = "the directory's descriptor: ours, or /proc/sys/kernel" },
	{ .row = "race.path.fifo", .channel = "FIFO", .open = open_fifo, .flip = flip_places,
	  .attempt = by_path, .check = check_fifo, .flippers = BY_THREAD | BY_OUTSIDER,
	  .note = "what lies at the path: a file, or a FIFO that is held" },
	{ .row = "race.exec.path", .channel = "exec", EXECUTED, .flip = flip_letter,
	  .attempt = by_exec, .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "the path's text: an allowed program, or another" },
	{ .row = "race.exec.place", .channel = "exec", EXECUTED, .flip = flip_places,
	  .attempt = by_exec, .flippers = BY_THREAD | BY_OUTSIDER,
	  .note = "what lies at the path: an allowed program, or another" },
	{ .row = "race.exec.descriptor", .channel = "exec", EXECUTED,
	  .prepare = start_flipped, .flip = flip_descriptor, .attempt = by_execveat,
	  .flippers = BY_THREAD | BY_VM,
	  .note = "the descriptor: an allowed program, or another" },
	{ .row = "race.owner", .channel = "signal", .open = open_owner, .close = close_owner,
	  .prepare = start_owner, .flip = flip_pid, .attempt = by_owner,
	  .check = check_gains, .enough = both, .flippers = BY_THREAD | BY_VM | BY_OUTSIDER,
	  .note = "the number of the process that gets SIGIO" },
};

RACE_MAIN(cases)
