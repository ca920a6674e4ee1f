/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc and /sys say, with bounded waits. */
#ifndef GUEST_PROC_H
#define GUEST_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A breath between two looks at a state; never a means to be in time. */
void pause_ms(int ms);
/* A bound for this machine: SELFHEAL_SLOW (a number, 1 when unset) times as long. */
int slow_ms(int ms);
/* Whole file into buf, NUL-terminated; bytes or -errno. */
ssize_t slurp(const char *path, char *buf, size_t size);
int write_file(const char *path, const char *text);

/* State letter of the task, 0 when it is gone. */
char proc_state(pid_t pid, pid_t tid);
/* Number of the call that the task sleeps in, -1 for none or running. */
long proc_syscall(pid_t pid, pid_t tid);
/* Wait until no listed state letter is the task's. */
bool proc_wait_not(pid_t pid, pid_t tid, const char *states, int ms);
bool proc_wait_state(pid_t pid, pid_t tid, char state, int ms);
/* Wait until the task sleeps in the call. */
bool proc_wait_syscall(pid_t pid, pid_t tid, long nr, int ms);
/* Value of a "Name:" line of /proc/pid/status. */
bool proc_status(pid_t pid, const char *name, char *buf, size_t size);
/* Value in KiB of a /proc/meminfo line. */
long meminfo_kb(const char *name);
bool file_has(const char *path, const char *needle);

#endif
