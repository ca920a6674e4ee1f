/* SPDX-License-Identifier: GPL-2.0 */
/* Counters shown by `healctl status`: whatever is refused, lost or late is counted here. */
#ifndef SELFHEAL_COUNTERS_H
#define SELFHEAL_COUNTERS_H

#include <linux/atomic.h>
#include <linux/types.h>

#define SH_COUNTERS(X)									\
	X(members_new, "tasks enrolled, by command, pid, executable or inheritance")	\
	X(members_gone, "members that exited or were dissolved")			\
	X(births_failed, "new tasks killed because they could not be enrolled")		\
	X(incidents, "incidents opened")						\
	X(incidents_observed, "incidents of observing policies")			\
	X(evidence_failed, "incidents whose evidence is incomplete for want of memory")	\
	X(deadlines, "incidents resolved by their deadline")				\
	X(kills_damped, "kills by rule or deadline put off for the kill-limit")		\
	X(syscalls_denied, "system calls refused at the gate")				\
	X(tampers, "reaches of members for the monitor or the kernel that were refused")	\
	X(signals_denied, "signals, and owners of asynchronous ones, refused to members")	\
	X(accesses_denied, "accesses of a task to another one refused at a domain's border") \
	X(sockets_denied, "sockets of families that cannot be held refused to members")	\
	X(files_denied, "device opens, received descriptors and eventfds refused to members") \
	X(dumps_skipped, "core dumps of members not written")				\
	X(held, "outputs held")								\
	X(held_bytes, "bytes held")							\
	X(committed_bytes, "bytes committed")						\
	X(dropped_bytes, "bytes dropped by a kill or a rollback")			\
	X(commit_errors, "held outputs whose object refused them at commit")		\
	X(commit_retries, "commits put off because the object was full")		\
	X(rest_commits, "threads that came to rest with output, not waiting for input")	\
	X(overflows, "outputs that met a full quarantine")				\
	X(hold_failed, "outputs refused for want of memory")				\
	X(sud_refused, "attempts to reconfigure a member's syscall user dispatch")	\
	X(controllers_unguarded, "controllers whose process or executable could not be guarded") \
	X(hooks_lost, "hooks that were found not to fire any more")			\
	X(points, "rescue points taken")						\
	X(points_refreshed, "of these, taken by a copy of the pages written since the last") \
	X(refreshes_failed, "refreshes that were given up half-way for a copy of all")	\
	X(pages_copied, "pages copied by refreshes")					\
	X(points_failed, "rescue points missed for want of memory or by a limit")	\
	X(rollbacks, "incidents resolved by a rollback")				\
	X(rollbacks_failed, "rollbacks that ended in a kill")				\
	X(restores_in_place, "processes whose memory a rollback put back page by page")	\
	X(inputs_replayed, "calls of threads not at fault that a rollback gave their input back") \
	X(inputs_failed, "calls of threads not at fault that a rollback had to make fail")	\
	X(objects_restored, "changes of kernel objects (epoll sets) that a rollback took back") \
	X(objects_failed, "changes of kernel objects that it could not take back")	\
	X(requests_refused, "netlink requests refused for want of privilege")

enum sh_counter {
#define X(name, help) SH_C_##name,
	SH_COUNTERS(X)
#undef X
	SH_COUNTER_NR,
};

struct sh_counter_desc {
	const char *name;
	const char *help;
};

extern atomic64_t sh_counters[SH_COUNTER_NR];
extern const struct sh_counter_desc sh_counter_descs[SH_COUNTER_NR];

/* Any context. */
static inline void sh_count_add(enum sh_counter c, u64 n)
{
	atomic64_add(n, &sh_counters[c]);
}

static inline void sh_count(enum sh_counter c)
{
	atomic64_inc(&sh_counters[c]);
}

#endif /* SELFHEAL_COUNTERS_H */
