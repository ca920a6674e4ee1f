/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Incidents: what a sensor saw, with its evidence, from the freeze to the
 * verdict. One is open per domain; further evidence while it is open is
 * counted. Resolved ones are kept for people, up to SH_INCIDENTS_KEPT.
 *
 * The fields below `resolution' are protected by the domain's lock while the
 * incident is open and fixed afterwards; the evidence is written before the
 * incident is published.
 */
#ifndef SELFHEAL_INCIDENT_INCIDENT_H
#define SELFHEAL_INCIDENT_INCIDENT_H

#include <linux/kref.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "../domain/member.h"
#include "../limits.h"

struct file;
struct pt_regs;
struct sh_domain;
struct sh_policy;

/* What a sensor gives. */
struct sh_evidence {
	u8 sensor;
	int signal;
	int signal_code;
	u64 fault_address;
	int nr;				/* system call, -1 for none */
	bool ia32;
	struct file *target;		/* exec; borrowed */
	const char *what;		/* tamper: what was reached for; borrowed */
	bool faulted;			/* the registers are those of a fault */
};

struct sh_regs {
	u64 ip, sp, flags, ax, bx, cx, dx, si, di, bp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
};

struct sh_incident {
	u64 id;
	struct kref ref;
	u64 stamp;
	struct sh_domain *domain;	/* reference while open, else NULL */
	u64 domain_id;
	char policy[SELFHEAL_POLICY_NAME_MAX + 1];

	u8 sensor;
	bool observed;
	bool has_task;			/* the evidence below is of a task */
	pid_t tid, pid, ppid;
	char comm[TASK_COMM_LEN];
	char *exe;
	char *target;
	u32 cmdline_len;
	u8 cmdline[SH_CMDLINE_MAX];
	u32 uid, euid, gid, egid;
	u64 cap_effective;
	int signal, signal_code;
	u64 fault_address;
	int nr;
	u32 arch;
	struct sh_regs regs;
	u32 nr_backtrace;
	u64 backtrace[SH_BACKTRACE_MAX];
	u32 stack_len;
	u8 stack[SH_STACK_MAX];
	char *mapping_path;
	u64 mapping_start, mapping_end, mapping_offset;
	u32 mapping_flags;
	u32 nr_trail;
	struct sh_trail trail[SELFHEAL_TRAIL_MAX];

	/* resolution */
	u64 resolved_stamp;
	u8 verdict;
	u8 resolved_by;
	u32 evidence_count;
	u64 freeze_ns;
	u64 held_bytes;
	u32 held_entries;
	u64 dropped_bytes;
	u64 committed_bytes;
	u64 deadline_stamp;		/* boottime ns */
	struct delayed_work deadline_work;
};

/*
 * Open an incident on @m's domain and begin its freeze; or add to the one
 * that is open. @m is current or NULL (a controller's freeze; then @d tells
 * the domain). Process context, may sleep, no lock held. The incident with a
 * reference, or NULL when nothing could be recorded: the domain freezes all
 * the same, and its policy's default verdict is taken (fail closed).
 */
struct sh_incident *sh_incident_open(struct sh_domain *d, struct sh_member *m,
				     const struct sh_evidence *ev, struct pt_regs *regs);

/* Record what a policy only observes. */
void sh_incident_observe(struct sh_member *m, const struct sh_evidence *ev,
			 struct pt_regs *regs);

struct sh_incident *sh_incident_find(u64 id);
struct sh_incident *sh_incident_next(u64 *id);
void sh_incident_put(struct sh_incident *inc);
unsigned int sh_incident_open_count(void);
u64 sh_incident_generation(void);

/*
 * domain->lock held, the incident is the domain's open one: takes it off the
 * domain. The caller puts the domain's reference and calls
 * sh_incident_resolved() without the lock.
 */
struct sh_incident *sh_incident_close_locked(struct sh_domain *d, u8 verdict, u8 by);
void sh_incident_resolved(struct sh_incident *inc);

/*
 * Called at the deadline; set by heal/ at load. Process context. Nanoseconds
 * after which to call again, 0 when the incident is resolved.
 */
extern u64 (*sh_incident_deadline)(struct sh_incident *inc);

/* evidence.c: everything about current that @ev does not say. May sleep. */
void sh_evidence_collect(struct sh_incident *inc, struct sh_member *m,
			 const struct sh_evidence *ev, struct pt_regs *regs);

/* The path of @task's executable, to be freed, or NULL. May sleep. */
char *sh_task_exe(struct task_struct *task);

void sh_incident_exit(void);

#endif /* SELFHEAL_INCIDENT_INCIDENT_H */
