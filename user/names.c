// SPDX-License-Identifier: GPL-2.0
/* Names of the values and attributes of the control interface. */
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include <linux/selfheal.h>

#include "names.h"

/* glibc 2.36 does not have this one. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NAMES(table) { table, ARRAY_SIZE(table) }

static const char *const sensors[] = {
	[SELFHEAL_SENSOR_MANUAL] = "manual",
	[SELFHEAL_SENSOR_FAULT] = "fault",
	[SELFHEAL_SENSOR_EXEC] = "exec",
	[SELFHEAL_SENSOR_SYSCALL] = "syscall",
	[SELFHEAL_SENSOR_OVERFLOW] = "overflow",
	[SELFHEAL_SENSOR_EXIT] = "exit",
	[SELFHEAL_SENSOR_TAMPER] = "tamper",
};
const struct names sensor_names = NAMES(sensors);

static const char *const verdicts[] = {
	[SELFHEAL_VERDICT_NONE] = "none",
	[SELFHEAL_VERDICT_RELEASE] = "release",
	[SELFHEAL_VERDICT_ROLLBACK] = "rollback",
	[SELFHEAL_VERDICT_KILL] = "kill",
};
const struct names verdict_names = NAMES(verdicts);

static const char *const rescues[] = {
	[SELFHEAL_RESCUE_NONE] = "none",
	[SELFHEAL_RESCUE_WAIT] = "wait",
};
const struct names rescue_names = NAMES(rescues);

static const char *const states[] = {
	[SELFHEAL_DOMAIN_STATE_RUNNING] = "running",
	[SELFHEAL_DOMAIN_STATE_FREEZING] = "freezing",
	[SELFHEAL_DOMAIN_STATE_FROZEN] = "frozen",
	[SELFHEAL_DOMAIN_STATE_RELEASING] = "releasing",
	[SELFHEAL_DOMAIN_STATE_ROLLING_BACK] = "rolling-back",
	[SELFHEAL_DOMAIN_STATE_KILLING] = "killing",
	[SELFHEAL_DOMAIN_STATE_GONE] = "gone",
};
const struct names state_names = NAMES(states);

static const char *const channels[] = {
	[SELFHEAL_CHANNEL_SOCKET] = "socket",
	[SELFHEAL_CHANNEL_PIPE] = "pipe",
	[SELFHEAL_CHANNEL_TTY] = "tty",
	[SELFHEAL_CHANNEL_OTHER] = "other",
	[SELFHEAL_CHANNEL_SIGNAL] = "signal",
	[SELFHEAL_CHANNEL_IPC] = "ipc",
	[SELFHEAL_CHANNEL_DEVICE] = "device",
};
const struct names channel_names = NAMES(channels);

static const char *const actions[] = {
	[SELFHEAL_CHANNEL_ACTION_PASS] = "pass",
	[SELFHEAL_CHANNEL_ACTION_HOLD] = "hold",
	[SELFHEAL_CHANNEL_ACTION_DENY] = "deny",
};
const struct names action_names = NAMES(actions);

static const char *const tampers[] = {
	[SELFHEAL_TAMPER_ACTION_REFUSE] = "refuse",
	[SELFHEAL_TAMPER_ACTION_FREEZE] = "freeze",
	[SELFHEAL_TAMPER_ACTION_PASS] = "pass",
};
const struct names tamper_names = NAMES(tampers);

static const char *const overflows[] = {
	[SELFHEAL_OVERFLOW_BLOCK] = "block",
	[SELFHEAL_OVERFLOW_DENY] = "deny",
	[SELFHEAL_OVERFLOW_KILL] = "kill",
	[SELFHEAL_OVERFLOW_COMMIT] = "commit",
};
const struct names overflow_names = NAMES(overflows);

static const char *const resolvers[] = {
	[SELFHEAL_RESOLVED_BY_NOBODY] = "nobody",
	[SELFHEAL_RESOLVED_BY_CONTROLLER] = "controller",
	[SELFHEAL_RESOLVED_BY_DEADLINE] = "deadline",
	[SELFHEAL_RESOLVED_BY_RULE] = "rule",
	[SELFHEAL_RESOLVED_BY_DEATH] = "death",
};
const struct names resolved_by_names = NAMES(resolvers);

static const char *const events[] = {
	[SELFHEAL_EVENT_TYPE_POLICY_LOADED] = "policy-loaded",
	[SELFHEAL_EVENT_TYPE_POLICY_UNLOADED] = "policy-unloaded",
	[SELFHEAL_EVENT_TYPE_DOMAIN_NEW] = "domain-new",
	[SELFHEAL_EVENT_TYPE_DOMAIN_STATE] = "domain-state",
	[SELFHEAL_EVENT_TYPE_DOMAIN_GONE] = "domain-gone",
	[SELFHEAL_EVENT_TYPE_INCIDENT_OPEN] = "incident-open",
	[SELFHEAL_EVENT_TYPE_INCIDENT_RESOLVED] = "incident-resolved",
	[SELFHEAL_EVENT_TYPE_EVIDENCE] = "evidence",
	[SELFHEAL_EVENT_TYPE_OVERFLOW] = "overflow",
	[SELFHEAL_EVENT_TYPE_AGENT_NEW] = "agent-new",
	[SELFHEAL_EVENT_TYPE_AGENT_LOST] = "agent-lost",
	[SELFHEAL_EVENT_TYPE_HOOK_LOST] = "hook-lost",
	[SELFHEAL_EVENT_TYPE_TAMPER] = "tamper",
	[SELFHEAL_EVENT_TYPE_LOCKED] = "locked",
	[SELFHEAL_EVENT_TYPE_KILL_STORM] = "kill-storm",
};
const struct names event_names = NAMES(events);

static const char *const hook_states[] = {
	[SELFHEAL_HOOK_STATE_ABSENT] = "absent",
	[SELFHEAL_HOOK_STATE_IDLE] = "idle",
	[SELFHEAL_HOOK_STATE_ACTIVE] = "active",
	[SELFHEAL_HOOK_STATE_FAILED] = "failed",
};
const struct names hook_state_names = NAMES(hook_states);

static const char *const policy_attrs[] = {
	[SELFHEAL_A_POLICY_NAME] = "name",
	[SELFHEAL_A_POLICY_FLAGS] = "flags",
	[SELFHEAL_A_POLICY_MATCH_EXE] = "match-exe",
	[SELFHEAL_A_POLICY_HOLD_SOCKET] = "hold-socket",
	[SELFHEAL_A_POLICY_HOLD_PIPE] = "hold-pipe",
	[SELFHEAL_A_POLICY_HOLD_TTY] = "hold-tty",
	[SELFHEAL_A_POLICY_HOLD_OTHER] = "hold-other",
	[SELFHEAL_A_POLICY_HOLD_SIGNAL] = "hold-signal",
	[SELFHEAL_A_POLICY_HOLD_IPC] = "hold-ipc",
	[SELFHEAL_A_POLICY_HOLD_DEVICE] = "hold-device",
	[SELFHEAL_A_POLICY_COMMIT] = "commit",
	[SELFHEAL_A_POLICY_COMMIT_DELAY] = "commit-delay",
	[SELFHEAL_A_POLICY_MAX_BYTES] = "max-bytes",
	[SELFHEAL_A_POLICY_OVERFLOW] = "overflow",
	[SELFHEAL_A_POLICY_FAULT_MASK] = "fault-mask",
	[SELFHEAL_A_POLICY_EXEC_SENSE] = "exec-sense",
	[SELFHEAL_A_POLICY_EXEC_ALLOW] = "exec-allow",
	[SELFHEAL_A_POLICY_SYSCALL_NEVER] = "syscall-never",
	[SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32] = "syscall-never-ia32",
	[SELFHEAL_A_POLICY_SYSCALL_DENY] = "syscall-deny",
	[SELFHEAL_A_POLICY_SYSCALL_DENY_IA32] = "syscall-deny-ia32",
	[SELFHEAL_A_POLICY_SYSCALL_PASS] = "syscall-pass",
	[SELFHEAL_A_POLICY_SYSCALL_PASS_IA32] = "syscall-pass-ia32",
	[SELFHEAL_A_POLICY_TAMPER] = "tamper",
	[SELFHEAL_A_POLICY_KILL_LIMIT] = "kill-limit",
	[SELFHEAL_A_POLICY_KILL_WINDOW] = "kill-window",
	[SELFHEAL_A_POLICY_DEFAULT_VERDICT] = "default-verdict",
	[SELFHEAL_A_POLICY_DEADLINE] = "deadline",
	[SELFHEAL_A_POLICY_RESCUE] = "rescue",
	[SELFHEAL_A_POLICY_RESCUE_ERRNO] = "rescue-errno",
	[SELFHEAL_A_POLICY_SOURCE] = "source",
	[SELFHEAL_A_POLICY_DOMAINS] = "domains",
	[SELFHEAL_A_POLICY_STAMP] = "stamp",
	[SELFHEAL_A_POLICY_PAD] = "pad",
};
const struct names policy_attr_names = NAMES(policy_attrs);

static const char *const domain_attrs[] = {
	[SELFHEAL_A_DOMAIN_ID] = "id",
	[SELFHEAL_A_DOMAIN_POLICY] = "policy",
	[SELFHEAL_A_DOMAIN_PIDFD] = "pidfd",
	[SELFHEAL_A_DOMAIN_TREE] = "tree",
	[SELFHEAL_A_DOMAIN_STARTING] = "starting",
	[SELFHEAL_A_DOMAIN_STATE] = "state",
	[SELFHEAL_A_DOMAIN_MEMBERS] = "members",
	[SELFHEAL_A_DOMAIN_PROCESSES] = "processes",
	[SELFHEAL_A_DOMAIN_LEADER] = "leader",
	[SELFHEAL_A_DOMAIN_COMM] = "comm",
	[SELFHEAL_A_DOMAIN_EXE] = "exe",
	[SELFHEAL_A_DOMAIN_STAMP] = "stamp",
	[SELFHEAL_A_DOMAIN_INCIDENT] = "incident",
	[SELFHEAL_A_DOMAIN_INCIDENTS] = "incidents",
	[SELFHEAL_A_DOMAIN_HELD_BYTES] = "held-bytes",
	[SELFHEAL_A_DOMAIN_HELD_ENTRIES] = "held-entries",
	[SELFHEAL_A_DOMAIN_HELD_TOTAL] = "held-total",
	[SELFHEAL_A_DOMAIN_COMMITTED_BYTES] = "committed-bytes",
	[SELFHEAL_A_DOMAIN_DROPPED_BYTES] = "dropped-bytes",
	[SELFHEAL_A_DOMAIN_PARKED] = "parked",
	[SELFHEAL_A_DOMAIN_FREEZE_NS] = "freeze-ns",
	[SELFHEAL_A_DOMAIN_MEMBER] = "member",
	[SELFHEAL_A_DOMAIN_PAD] = "pad",
};
const struct names domain_attr_names = NAMES(domain_attrs);

static const char *const incident_attrs[] = {
	[SELFHEAL_A_INCIDENT_ID] = "id",
	[SELFHEAL_A_INCIDENT_DOMAIN] = "domain",
	[SELFHEAL_A_INCIDENT_POLICY] = "policy",
	[SELFHEAL_A_INCIDENT_SENSOR] = "sensor",
	[SELFHEAL_A_INCIDENT_STAMP] = "stamp",
	[SELFHEAL_A_INCIDENT_RESOLVED_STAMP] = "resolved-stamp",
	[SELFHEAL_A_INCIDENT_VERDICT] = "verdict",
	[SELFHEAL_A_INCIDENT_RESOLVED_BY] = "resolved-by",
	[SELFHEAL_A_INCIDENT_OBSERVED] = "observed",
	[SELFHEAL_A_INCIDENT_DEADLINE_MS] = "deadline-ms",
	[SELFHEAL_A_INCIDENT_EVIDENCE_COUNT] = "evidence-count",
	[SELFHEAL_A_INCIDENT_FREEZE_NS] = "freeze-ns",
	[SELFHEAL_A_INCIDENT_HELD_BYTES] = "held-bytes",
	[SELFHEAL_A_INCIDENT_HELD_ENTRIES] = "held-entries",
	[SELFHEAL_A_INCIDENT_DROPPED_BYTES] = "dropped-bytes",
	[SELFHEAL_A_INCIDENT_COMMITTED_BYTES] = "committed-bytes",
	[SELFHEAL_A_INCIDENT_TID] = "tid",
	[SELFHEAL_A_INCIDENT_PID] = "pid",
	[SELFHEAL_A_INCIDENT_PPID] = "ppid",
	[SELFHEAL_A_INCIDENT_COMM] = "comm",
	[SELFHEAL_A_INCIDENT_EXE] = "exe",
	[SELFHEAL_A_INCIDENT_CMDLINE] = "cmdline",
	[SELFHEAL_A_INCIDENT_UID] = "uid",
	[SELFHEAL_A_INCIDENT_EUID] = "euid",
	[SELFHEAL_A_INCIDENT_GID] = "gid",
	[SELFHEAL_A_INCIDENT_EGID] = "egid",
	[SELFHEAL_A_INCIDENT_CAP_EFFECTIVE] = "cap-effective",
	[SELFHEAL_A_INCIDENT_SIGNAL] = "signal",
	[SELFHEAL_A_INCIDENT_SIGNAL_CODE] = "signal-code",
	[SELFHEAL_A_INCIDENT_FAULT_ADDRESS] = "fault-address",
	[SELFHEAL_A_INCIDENT_SYSCALL_NR] = "syscall-nr",
	[SELFHEAL_A_INCIDENT_SYSCALL_ARCH] = "syscall-arch",
	[SELFHEAL_A_INCIDENT_TARGET] = "target",
	[SELFHEAL_A_INCIDENT_REGISTERS] = "registers",
	[SELFHEAL_A_INCIDENT_BACKTRACE] = "backtrace",
	[SELFHEAL_A_INCIDENT_STACK] = "stack",
	[SELFHEAL_A_INCIDENT_MAPPING_PATH] = "mapping-path",
	[SELFHEAL_A_INCIDENT_MAPPING_START] = "mapping-start",
	[SELFHEAL_A_INCIDENT_MAPPING_END] = "mapping-end",
	[SELFHEAL_A_INCIDENT_MAPPING_OFFSET] = "mapping-offset",
	[SELFHEAL_A_INCIDENT_MAPPING_FLAGS] = "mapping-flags",
	[SELFHEAL_A_INCIDENT_TRAIL] = "trail",
	[SELFHEAL_A_INCIDENT_ERRNO] = "errno",
	[SELFHEAL_A_INCIDENT_PAD] = "pad",
};
const struct names incident_attr_names = NAMES(incident_attrs);

static const char *const held_attrs[] = {
	[SELFHEAL_A_HELD_DOMAIN] = "domain",
	[SELFHEAL_A_HELD_SEQ] = "seq",
	[SELFHEAL_A_HELD_CHANNEL] = "channel",
	[SELFHEAL_A_HELD_OBJECT] = "object",
	[SELFHEAL_A_HELD_TID] = "tid",
	[SELFHEAL_A_HELD_LENGTH] = "length",
	[SELFHEAL_A_HELD_STAMP] = "stamp",
	[SELFHEAL_A_HELD_PEER] = "peer",
	[SELFHEAL_A_HELD_CONTENTS] = "contents",
	[SELFHEAL_A_HELD_DATA] = "data",
	[SELFHEAL_A_HELD_PAD] = "pad",
};
const struct names held_attr_names = NAMES(held_attrs);

static const char *const rescue_attrs[] = {
	[SELFHEAL_A_RESCUE_DOMAIN] = "domain",
	[SELFHEAL_A_RESCUE_TID] = "tid",
	[SELFHEAL_A_RESCUE_PID] = "pid",
	[SELFHEAL_A_RESCUE_STAMP] = "stamp",
	[SELFHEAL_A_RESCUE_SYSCALL_NR] = "syscall-nr",
	[SELFHEAL_A_RESCUE_MISSING] = "missing",
	[SELFHEAL_A_RESCUE_TAKEN] = "taken",
	[SELFHEAL_A_RESCUE_USED] = "used",
	[SELFHEAL_A_RESCUE_PAD] = "pad",
};
const struct names rescue_attr_names = NAMES(rescue_attrs);

static const char *const event_attrs[] = {
	[SELFHEAL_A_EVENT_SEQ] = "seq",
	[SELFHEAL_A_EVENT_TYPE] = "type",
	[SELFHEAL_A_EVENT_STAMP] = "stamp",
	[SELFHEAL_A_EVENT_DOMAIN] = "domain",
	[SELFHEAL_A_EVENT_INCIDENT] = "incident",
	[SELFHEAL_A_EVENT_POLICY] = "policy",
	[SELFHEAL_A_EVENT_STATE] = "state",
	[SELFHEAL_A_EVENT_SENSOR] = "sensor",
	[SELFHEAL_A_EVENT_VERDICT] = "verdict",
	[SELFHEAL_A_EVENT_RESOLVED_BY] = "resolved-by",
	[SELFHEAL_A_EVENT_HOOK] = "hook",
	[SELFHEAL_A_EVENT_WHAT] = "what",
	[SELFHEAL_A_EVENT_TID] = "tid",
	[SELFHEAL_A_EVENT_SYSCALL_NR] = "syscall-nr",
	[SELFHEAL_A_EVENT_PAD] = "pad",
};
const struct names event_attr_names = NAMES(event_attrs);

static const char *const status_attrs[] = {
	[SELFHEAL_A_STATUS_ABI] = "abi",
	[SELFHEAL_A_STATUS_VERSION] = "version",
	[SELFHEAL_A_STATUS_KERNEL] = "kernel",
	[SELFHEAL_A_STATUS_POLICIES] = "policies",
	[SELFHEAL_A_STATUS_DOMAINS] = "domains",
	[SELFHEAL_A_STATUS_MEMBERS] = "members",
	[SELFHEAL_A_STATUS_INCIDENTS_OPEN] = "incidents-open",
	[SELFHEAL_A_STATUS_AGENT] = "agent",
	[SELFHEAL_A_STATUS_EVENT_SEQ] = "event-seq",
	[SELFHEAL_A_STATUS_LOCKED] = "locked",
	[SELFHEAL_A_STATUS_GUARD] = "guard",
	[SELFHEAL_A_STATUS_HOOK] = "hook",
	[SELFHEAL_A_STATUS_COUNTER] = "counter",
	[SELFHEAL_A_STATUS_PAD] = "pad",
};
const struct names status_attr_names = NAMES(status_attrs);

static const char *const fault_signals[] = {
	"SEGV", "BUS", "ILL", "FPE", "TRAP", "SYS", "ABRT",
};
const struct names fault_signal_names = NAMES(fault_signals);

static const int fault_numbers[ARRAY_SIZE(fault_signals)] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT,
};

const char *name_of(const struct names *names, uint32_t value)
{
	return value < names->n ? names->v[value] : NULL;
}

int name_to_value(const struct names *names, const char *name)
{
	uint32_t i;

	for (i = 0; i < names->n; i++)
		if (names->v[i] && !strcmp(names->v[i], name))
			return (int)i;
	return -1;
}

int fault_signal_number(uint32_t index)
{
	return index < ARRAY_SIZE(fault_numbers) ? fault_numbers[index] : 0;
}

int fault_signal_from_name(const char *name)
{
	int index = name_to_value(&fault_signal_names, name);

	return index < 0 ? 0 : fault_numbers[index];
}

static const struct {
	int sig, code;
	const char *text;
} signal_codes[] = {
	{ SIGSEGV, SEGV_MAPERR, "address not mapped" },
	{ SIGSEGV, SEGV_ACCERR, "access not allowed by the mapping" },
	{ SIGSEGV, SEGV_PKUERR, "protection key" },
	{ SIGBUS, BUS_ADRALN, "misaligned address" },
	{ SIGBUS, BUS_ADRERR, "no memory behind the address" },
	{ SIGBUS, BUS_MCEERR_AR, "hardware memory error" },
	{ SIGILL, ILL_ILLOPN, "illegal operand" },
	{ SIGILL, ILL_ILLOPC, "illegal instruction" },
	{ SIGILL, ILL_PRVOPC, "privileged instruction" },
	{ SIGFPE, FPE_INTDIV, "integer division by zero" },
	{ SIGFPE, FPE_INTOVF, "integer overflow" },
	{ SIGFPE, FPE_FLTDIV, "floating-point division by zero" },
	{ SIGTRAP, TRAP_BRKPT, "breakpoint" },
	{ SIGTRAP, TRAP_TRACE, "trace trap" },
	{ SIGSYS, SYS_SECCOMP, "refused by seccomp" },
};

const char *signal_code_text(int sig, int code)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signal_codes); i++)
		if (signal_codes[i].sig == sig && signal_codes[i].code == code)
			return signal_codes[i].text;
	switch (code) {
	case SI_USER:
		return "sent by kill";
	case SI_TKILL:
		return "raised by the program itself";
	case SI_KERNEL:
		return "raised by the kernel";
	}
	return NULL;
}
