/* SPDX-License-Identifier: GPL-2.0 */
/* Every bound of the module in one place; those of the UAPI come from its header. */
#ifndef SELFHEAL_LIMITS_H
#define SELFHEAL_LIMITS_H

#include <linux/sizes.h>
#include <uapi/linux/selfheal.h>

#define SH_POLICIES_MAX		1024
#define SH_DOMAINS_MAX		16384

#define SH_QUARANTINE_MIN	4096ULL
#define SH_QUARANTINE_MAX	(1ULL << 30)
#define SH_QUARANTINE_DEFAULT	(8ULL << 20)

/* Entries, too, are bounded: empty datagrams cost memory without bytes. */
#define SH_ENTRY_COST		256
#define SH_CHUNK_MAX		SZ_1M
#define SH_CONTROL_MAX		SZ_4K
#define SH_SCM_MAX_FD		253

#define SH_DELAY_MAX_MS		60000
#define SH_DEADLINE_MIN_MS	10
#define SH_DEADLINE_MAX_MS	3600000
#define SH_DEADLINE_DEFAULT_MS	30000

#define SH_KILL_LIMIT_MAX	10000
#define SH_KILL_LIMIT_DEFAULT	10
#define SH_KILL_WINDOW_MIN_MS	1000
#define SH_KILL_WINDOW_MAX_MS	3600000
#define SH_KILL_WINDOW_DEFAULT_MS 60000

#define SH_INCIDENTS_KEPT	64
#define SH_EVENTS_KEPT		1024

#define SH_CMDLINE_MAX		1024
#define SH_STACK_MAX		256
#define SH_BACKTRACE_MAX	32

/* Of each kind of tampering one event a domain and second; kinds beyond the first share one. */
#define SH_TAMPER_KINDS		32

/* Eventfds of a domain that outsiders may share. */
#define SH_FOREIGN_MAX		256

/* Levels of interpreters that the kernel follows, and the first file. */
#define SH_EXEC_DEPTH		6

/*
 * Pages of a process that each of its rescue points copies, and keeps pinned, and from where on
 * their number is weighed.
 */
#define SH_HOT_MAX		2048
#define SH_HOT_FEW		128
/* Pages of one notification that are taken for single ones. */
#define SH_HOT_RANGE		16

/*
 * Epoll sets of a domain whose changes a rollback takes back; the files that one knows under a
 * number, and the text of all.
 */
#define SH_EPOLLS_MAX		256
#define SH_EPOLL_FILES		8
/* All that a domain's sets know, and what one point can take back: a member must not fill the memory. */
#define SH_INTERESTS_MAX	(1 << 18)
#define SH_CHANGES_MAX		(1 << 14)
#define SH_EPOLL_TEXT_MAX	SZ_64M

/* Bytes that are kept of what one call has taken in, for a rollback to give back. */
#define SH_REPLAY_MIN		SZ_4K
#define SH_REPLAY_MAX		SZ_32K

#define SH_TRAIL_MASK		(SELFHEAL_TRAIL_MAX - 1)

#define SH_FAULT_SIGNALS	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | \
				 sigmask(SIGFPE) | sigmask(SIGTRAP) | sigmask(SIGSYS) | \
				 sigmask(SIGABRT))

#endif /* SELFHEAL_LIMITS_H */
