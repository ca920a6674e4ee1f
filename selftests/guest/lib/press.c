// SPDX-License-Identifier: GPL-2.0
/* See press.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "press.h"
#include "nl_event.h"
#include "proc.h"

#define SWAP "/dev/zram0"
#define CGROUP "/sys/fs/cgroup/selfheal.shadow"

bool swap_on(void)
{
	return !system("modprobe zram num_devices=1 2>/dev/null") &&
	       !write_file("/sys/block/zram0/disksize", "64M") &&
	       !system("mkswap " SWAP " >/dev/null") && !swapon(SWAP, 0);
}

void swap_off(void)
{
	swapoff(SWAP);
	if (system("echo 1 >/sys/block/zram0/reset; rmmod zram"))
		printf("# zram stays\n");
}

static const struct {
	const char *path, *text;
} hurry[] = {
	{ "/sys/kernel/mm/ksm/run", "1" },
	{ "/sys/kernel/mm/ksm/sleep_millisecs", "5" },
	{ "/sys/kernel/mm/ksm/pages_to_scan", "1000" },
	{ "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "5" },
	{ "/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs", "5" },
};

/*
 * The kernel moves, merges and swaps the member's memory all the time. What is
 * not in this kernel does not take part.
 */
pid_t press_on(pid_t member)
{
	char pid[16];
	unsigned int i;
	pid_t helper;
	int64_t began;

	for (i = 0; i < sizeof(hurry) / sizeof(hurry[0]); i++)
		write_file(hurry[i].path, hurry[i].text);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0755);
	snprintf(pid, sizeof(pid), "%d", member);
	if (write_file(CGROUP "/cgroup.procs", pid))
		return -1;
	helper = fork();
	if (helper)
		return helper;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		began = now_ms();
		write_file(CGROUP "/memory.reclaim", "2M");
		write_file("/proc/sys/vm/compact_memory", "1");
		/*
		 * Half of the time at most: each flush waits for all CPUs of the guest, and one that
		 * the host does not run makes that so long that the member would get nowhere.
		 */
		pause_ms(3 + now_ms() - began);
	}
}

void press_off(pid_t helper)
{
	if (helper > 0) {
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
	}
	write_file("/sys/kernel/mm/ksm/run", "2");
	rmdir(CGROUP);
}
