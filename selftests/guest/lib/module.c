// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "module.h"
#include "nl_event.h"
#include "proc.h"

#define KSFT_SKIP_STATUS 4
#define TRACEFS "/sys/kernel/tracing"

static bool found_loaded;

bool module_loaded(void)
{
	char text[64];

	/* "live" only: a module on its way in or out is neither. */
	return slurp("/sys/module/selfheal/initstate", text, sizeof(text)) > 0 &&
	       !strncmp(text, "live", 4);
}

static const char *beside_the_build(const char *release)
{
	static char path[PATH_MAX * 2];
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	int up;

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	for (up = 0; up < 3; up++)
		dirname(exe);
	snprintf(path, sizeof(path), "%s/%s/selfheal.ko", exe, release);
	return path;
}

const char *module_path(void)
{
	static char in_tree[PATH_MAX];
	const char *try[4] = { getenv("SELFHEAL_KO"), "/opt/selfheal/selfheal.ko" };
	struct utsname un;
	int i;

	uname(&un);
	try[2] = beside_the_build(un.release);
	snprintf(in_tree, sizeof(in_tree), "/lib/modules/%s/extra/selfheal.ko", un.release);
	try[3] = in_tree;
	for (i = 0; i < 4; i++) {
		if (try[i] && !access(try[i], R_OK))
			return try[i];
	}
	printf("# no selfheal.ko: set SELFHEAL_KO, or put it at %s, %s or %s\n",
	       try[1], try[2] ? try[2] : "-", try[3]);
	return NULL;
}

int module_insert(const char *path, const char *args)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, args, 0))
		ret = -errno;
	close(fd);
	return ret;
}

int module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int module_load(void)
{
	const char *path;
	int ret;

	if (module_loaded())
		return 0;
	path = module_path();
	if (!path)
		return -ENOENT;
	ret = module_insert(path, "");
	return ret == -EEXIST ? 0 : ret;
}

int module_unload(void)
{
	return module_remove("selfheal");
}

int module_unload_wait(int ms)
{
	int64_t end = now_ms() + ms;
	int ret;

	while ((ret = module_unload()) == -EWOULDBLOCK || ret == -EBUSY) {
		if (now_ms() >= end)
			break;
		pause_ms(5);
	}
	return ret == -ENOENT ? 0 : ret;
}

const char *module_left_behind(void)
{
	static const char *const where[][2] = {
		{ "/proc/modules", "selfheal" },
		{ "/proc/kallsyms", "[selfheal]" },
		{ "/proc/slabinfo", "selfheal" },
		{ "/proc/net/ptype", "selfheal" },
		{ TRACEFS "/enabled_functions", "" },
		{ "/proc/vmallocinfo", "[selfheal]" },
	};
	unsigned int i;

	if (access(TRACEFS "/enabled_functions", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	if (access(TRACEFS "/enabled_functions", R_OK))
		return TRACEFS " cannot be mounted";
	for (i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		if (file_has(where[i][0], where[i][1]))
			return where[i][0];
	}
	return NULL;
}

static void skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	exit(KSFT_SKIP_STATUS);
}

void guest_begin(void)
{
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid())
		skip_all("needs root: it loads a kernel module and uses its control interface");
	found_loaded = module_loaded();
	if (found_loaded)
		return;
	if (!module_path())
		skip_all("selfheal.ko for this kernel not found: build it with make");
	err = module_load();
	if (err) {
		printf("TAP version 13\n1..1\nnot ok 1 loading selfheal.ko: %s\n",
		       strerror(-err));
		exit(1);
	}
}

int guest_end(int status)
{
	int err;

	if (found_loaded)
		return status;
	err = module_unload_wait(slow_ms(60000));
	if (err) {
		printf("# selfheal stays loaded after the tests: %s\n", strerror(-err));
		return 1;
	}
	return status;
}
