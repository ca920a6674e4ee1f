// SPDX-License-Identifier: GPL-2.0
/*
 * Effects on the machine by a member that is root: modules, other ways into
 * the kernel, names, clocks, mounts, keys, devices, logs and traces. A row
 * whose effect nobody outside can see without harm counts what the member got.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "proc.h"
#include "target.h"

#define TRACING "/sys/kernel/tracing"
#define NAME "selfheal-escape"

/* ---- things gained: closed at once, the member has had them ---- */

static int gained(struct esc *x, long fd)
{
	if (fd < 0)
		return -errno;
	if (fd > 2)
		close(fd);
	esc_gain(x);
	return 0;
}

static int none(struct esc *x)
{
	(void)x;
	return 0;
}

static int by_userfaultfd(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int by_fanotify(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
}

static int by_perf(struct esc *x, unsigned int i)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
				     .config = PERF_COUNT_SW_CPU_CLOCK };

	(void)i;
	return gained(x, syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
}

static int by_bpf(struct esc *x, unsigned int i)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
			     .max_entries = 1 };

	(void)i;
	return gained(x, syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
}

/* No segments: what may have been loaded goes, no more. */
static int by_kexec(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static int by_acct(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, acct(NULL));
}

static int by_iopl(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, iopl(3));
}

static int by_ioperm(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, ioperm(0x80, 1, 1));
}

static int by_setns(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, setns(x->fd[0], CLONE_NEWUTS));
}

static int open_ns(struct esc *x)
{
	x->fd[0] = open("/proc/self/ns/uts", O_RDONLY);
	return x->fd[0] < 0 ? -errno : 0;
}

/* Opening a file for an access is what is tried; arg is the flags. */
static int by_open(struct esc *x, unsigned int i)
{
	(void)i;
	return gained(x, open((char *)&x->to, x->row->arg | O_CLOEXEC));
}

static int open_path(struct esc *x, const char *path)
{
	snprintf((char *)&x->to, sizeof(x->to), "%s", path);
	return access(path, F_OK) ? esc_lack(x, -errno, path) : 0;
}

static int open_dev_mem(struct esc *x) { return open_path(x, "/dev/mem"); }
static int open_kcore(struct esc *x) { return open_path(x, "/proc/kcore"); }
static int open_vda(struct esc *x) { return open_path(x, "/dev/vda"); }
static int open_kprobes(struct esc *x) { return open_path(x, TRACING "/kprobe_events"); }
static int open_sysrq(struct esc *x) { return open_path(x, "/proc/sysrq-trigger"); }

static int open_msr(struct esc *x)
{
	int status = system("modprobe msr 2> /dev/null");

	(void)status;
	return open_path(x, "/dev/cpu/0/msr");
}

/* ---- numbers that the outside sees ---- */

static int open_uts(struct esc *x)
{
	/* The test's own names, not the machine's. */
	if (unshare(CLONE_NEWUTS) || sethostname("0", 1) || setdomainname("0", 1))
		return -errno;
	(void)x;
	return 0;
}

static int set_host_name(struct esc *x, unsigned int i)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", i + 1);

	if (x->row->arg == 1)
		return setdomainname(text, n) ? -errno : 0;
	if (x->row->arg == 2)
		return write_file("/proc/sys/kernel/hostname", text);
	return sethostname(text, n) ? -errno : 0;
}

/* A member's namespace is the test's of the moment when it was born. */
static void look_host_name(struct esc *x)
{
	char path[64], text[128] = "";
	int fd;

	if (!x->number[3]) {
		snprintf(path, sizeof(path), "/proc/%d/ns/uts", x->rig.kid.pid);
		x->number[3] = open(path, O_RDONLY | O_CLOEXEC);
	}
	fd = x->number[3];
	if (fd <= 0 || setns(fd, CLONE_NEWUTS))
		return;
	if (x->row->arg == 1 ? getdomainname(text, sizeof(text) - 1) :
	    gethostname(text, sizeof(text) - 1))
		return;
	esc_level(x, atoi(text));
}

static void close_uts(struct esc *x)
{
	if (x->number[3] > 0)
		close(x->number[3]);
}

static int open_zone(struct esc *x)
{
	struct timezone tz = {};
	struct timeval tv;

	(void)x;
	gettimeofday(&tv, NULL);
	return syscall(SYS_settimeofday, &tv, &tz) ? -errno : 0;
}

static int set_zone(struct esc *x, unsigned int i)
{
	struct timezone tz = { .tz_minuteswest = i + 1 };
	struct timeval tv;

	(void)x;
	gettimeofday(&tv, NULL);
	return syscall(SYS_settimeofday, &tv, &tz) ? -errno : 0;
}

static void look_zone(struct esc *x)
{
	struct timezone tz = {};
	struct timeval tv;

	syscall(SYS_gettimeofday, &tv, &tz);
	esc_level(x, tz.tz_minuteswest);
}

static void close_zone(struct esc *x)
{
	open_zone(x);
}

/* Whether Ctrl-Alt-Del reboots at once: reboot(2) that does no harm. */
static int by_reboot(struct esc *x, unsigned int i)
{
	(void)x;
	(void)i;
	return reboot(RB_ENABLE_CAD) ? -errno : 0;
}

static int cad_off(struct esc *x)
{
	(void)x;
	return reboot(RB_DISABLE_CAD) ? -errno : 0;
}

static void look_cad(struct esc *x)
{
	char text[16];

	if (slurp("/proc/sys/kernel/ctrl-alt-del", text, sizeof(text)) > 0)
		esc_level(x, atoi(text));
}

static void close_cad(struct esc *x)
{
	cad_off(x);
}

static int open_dir(struct esc *x)
{
	snprintf((char *)&x->to, sizeof(x->to), "/tmp/selfheal.%d.mnt", getpid());
	return mkdir((char *)&x->to, 0700) && errno != EEXIST ? -errno : 0;
}

static int by_mount(struct esc *x, unsigned int i)
{
	(void)i;
	return mount("none", (char *)&x->to, "tmpfs", 0, "size=4k") ? -errno : 0;
}

static void look_mounts(struct esc *x)
{
	char line[512];
	unsigned int n = 0;
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, (char *)&x->to) != NULL;
	if (f)
		fclose(f);
	esc_level(x, n);
}

static void close_dir(struct esc *x)
{
	while (!umount((char *)&x->to))
		;
	rmdir((char *)&x->to);
}

#define KEY_USER (-4)
#define KEYCTL_SEARCH 10
#define KEYCTL_UNLINK 9

static int by_add_key(struct esc *x, unsigned int i)
{
	char name[48];

	(void)x;
	snprintf(name, sizeof(name), NAME ".%u", i);
	return syscall(SYS_add_key, "user", name, "x", 1, KEY_USER) < 0 ? -errno : 0;
}

static long find_key(unsigned int i)
{
	char name[48];

	snprintf(name, sizeof(name), NAME ".%u", i);
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_USER, "user", name, 0);
}

static void look_keys(struct esc *x)
{
	while (find_key(x->seen) > 0)
		esc_took(x, 1);
}

static void close_keys(struct esc *x)
{
	long key;
	unsigned int i;

	for (i = 0; i < x->seen + 16; i++) {
		key = find_key(i);
		if (key > 0)
			syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_USER, 0, 0);
	}
}

/* ---- text that the outside reads ---- */

static int open_kmsg(struct esc *x)
{
	x->rx = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (x->rx < 0)
		return esc_lack(x, -errno, "/dev/kmsg");
	lseek(x->rx, 0, SEEK_END);
	return 0;
}

static void look_kmsg(struct esc *x)
{
	char rec[8192], *text;
	ssize_t n;

	while ((n = read(x->rx, rec, sizeof(rec) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		rec[n] = '\0';
		text = strstr(rec, ";escape ");
		if (text)
			esc_take(x, text + 1, TOKEN);
	}
}

static int write_token(struct esc *x, unsigned int i, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;
	char t[TOKEN];

	if (fd < 0)
		return -errno;
	esc_token(x, t, i, 0);
	err = esc_result(write(fd, t, TOKEN), TOKEN);
	close(fd);
	return err;
}

static int by_kmsg(struct esc *x, unsigned int i)
{
	return write_token(x, i, "/dev/kmsg");
}

static int open_trace(struct esc *x)
{
	x->rx = open(TRACING "/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return x->rx < 0 ? esc_lack(x, -errno, TRACING) : 0;
}

static void look_trace(struct esc *x)
{
	char buf[4097], *p;
	ssize_t n;

	while ((n = read(x->rx, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		for (p = buf; (p = strstr(p, ": escape ")); p += 2)
			esc_take(x, p + 2, TOKEN);
	}
}

static int by_trace(struct esc *x, unsigned int i)
{
	return write_token(x, i, TRACING "/trace_marker");
}

#define ALIAS "/sys/class/net/lo/ifalias"

static int open_alias(struct esc *x)
{
	(void)x;
	return access(ALIAS, W_OK) ? -errno : write_file(ALIAS, "0\n");
}

static int by_sysfs(struct esc *x, unsigned int i)
{
	char text[16];

	(void)x;
	snprintf(text, sizeof(text), "%u\n", i + 1);
	return write_file(ALIAS, text);
}

static void look_alias(struct esc *x)
{
	char text[64];

	if (slurp(ALIAS, text, sizeof(text)) > 0)
		esc_level(x, atoi(text));
}

static void close_alias(struct esc *x)
{
	(void)x;
	write_file(ALIAS, "\n");
}

/* ---- modules: a small one for each row ---- */

enum { FINIT, INIT, DELETE };
static const char *const modules[] = { "ts_bm", "ts_kmp", "ts_fsm" };

static const char *module_of(const struct esc *x)
{
	return modules[x->row->arg];
}

static int command(const char *fmt, const char *name, const char *path)
{
	char cmd[700];

	snprintf(cmd, sizeof(cmd), fmt, name, path);
	return system(cmd) ? -ENOENT : 0;
}

/* Its image, unpacked, in fd[0]. */
static int open_module(struct esc *x)
{
	snprintf(x->path, sizeof(x->path), "/tmp/selfheal.%d.%s.ko", getpid(), module_of(x));
	if (command("{ modprobe -r %1$s; f=$(modinfo -n %1$s) && "
		    "case $f in *.xz) python3 -c 'import lzma, sys; "
		    "sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())' $f;; "
		    "*) cat $f;; esac > %2$s; } 2> /dev/null",
		    module_of(x), x->path))
		return esc_lack(x, -ENOENT, "modules of this kernel");
	x->fd[0] = open(x->path, O_RDONLY);
	if (x->fd[0] < 0)
		return -errno;
	return x->row->arg == DELETE ? command("modprobe %s", module_of(x), "") : 0;
}

static int by_module(struct esc *x, unsigned int i)
{
	static char image[1 << 20];
	ssize_t n = pread(x->fd[0], image, sizeof(image), 0);
	long err;

	(void)i;
	if (x->row->arg == FINIT)
		err = syscall(SYS_finit_module, x->fd[0], "", 0);
	else if (x->row->arg == INIT)
		err = syscall(SYS_init_module, image, n, "");
	else
		err = syscall(SYS_delete_module, module_of(x), O_NONBLOCK);
	return err ? -errno : 0;
}

static void look_module(struct esc *x)
{
	char path[64];
	bool there;

	snprintf(path, sizeof(path), "/sys/module/%s", module_of(x));
	there = !access(path, F_OK);
	esc_level(x, x->row->arg == DELETE ? !there : there);
}

static void close_module(struct esc *x)
{
	command("modprobe -r %s 2> /dev/null", module_of(x), "");
}

#define DENIED .held = ROW_DENIED, .error = EPERM
/* What is tampering is refused under any policy, so there is no passing phase. */
#define TAMPER DENIED, .unfrozen = "refused as tampering under every policy"
#define GAIN .open = none, .look = look_gains
#define OPENS(by) .open = by, .look = look_gains, .attempt = by_open
#define UTS .open = open_uts, .close = close_uts, .look = look_host_name, .attempt = set_host_name
#define MODULES .open = open_module, .close = close_module, .look = look_module, .max = 1, \
	.attempt = by_module

static const struct row rows[] = {
	{ "userfaultfd", "descriptor", DENIED, GAIN, .attempt = by_userfaultfd },
	{ "fanotify_init", "descriptor", DENIED, GAIN, .attempt = by_fanotify },
	{ "perf_event_open", "perf", TAMPER, GAIN, .attempt = by_perf },
	{ "bpf", "bpf", TAMPER, GAIN, .attempt = by_bpf },
	{ "kexec_load", "kexec", TAMPER, GAIN, .attempt = by_kexec },
	{ "acct", "system", DENIED, GAIN, .attempt = by_acct },
	{ "iopl", "ports", TAMPER, GAIN, .attempt = by_iopl },
	{ "ioperm", "ports", TAMPER, GAIN, .attempt = by_ioperm },
	{ "setns", "namespaces", DENIED, .open = open_ns, .look = look_gains,
	  .attempt = by_setns },
	{ "dev-mem", "device", TAMPER, OPENS(open_dev_mem), .arg = O_RDWR },
	{ "dev-msr", "device", TAMPER, OPENS(open_msr), .arg = O_RDWR },
	{ "proc-kcore", "device", TAMPER, OPENS(open_kcore), .arg = O_RDONLY },
	{ "block-device", "device", DENIED, OPENS(open_vda), .arg = O_RDONLY },
	{ "kprobe_events", "tracefs", TAMPER, OPENS(open_kprobes), .arg = O_WRONLY | O_APPEND },
	{ "sysrq-trigger", "proc", TAMPER, OPENS(open_sysrq), .arg = O_WRONLY },
	{ "sethostname", "system", DENIED, UTS },
	{ "setdomainname", "system", DENIED, UTS, .arg = 1 },
	{ "proc-sys", "proc", TAMPER, UTS, .arg = 2 },
	{ "settimeofday", "system", DENIED, .open = open_zone, .close = close_zone,
	  .look = look_zone, .attempt = set_zone, .max = 600 },
	{ "reboot", "system", TAMPER, .open = cad_off, .close = close_cad, .look = look_cad,
	  .attempt = by_reboot, .max = 1 },
	{ "mount", "mounts", DENIED, .open = open_dir, .close = close_dir, .look = look_mounts,
	  .attempt = by_mount, .max = 200 },
	{ "add_key", "keys", DENIED, .open = none, .close = close_keys, .look = look_keys,
	  .attempt = by_add_key, .max = 100 },
	{ "dev-kmsg", "device", DENIED, .open = open_kmsg, .look = look_kmsg,
	  .attempt = by_kmsg, .max = 60 },
	{ "trace_marker", "tracefs", TAMPER, .open = open_trace, .look = look_trace,
	  .attempt = by_trace },
	{ "sysfs", "sysfs", DENIED, .open = open_alias, .close = close_alias,
	  .look = look_alias, .attempt = by_sysfs },
	{ "finit_module", "modules", TAMPER, MODULES, .arg = FINIT },
	{ "init_module", "modules", TAMPER, MODULES, .arg = INIT },
	{ "delete_module", "modules", TAMPER, MODULES, .arg = DELETE },
};

ESCAPE_MAIN(rows)
