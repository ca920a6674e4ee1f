// SPDX-License-Identifier: GPL-2.0
/* Incidents and their evidence, as fields. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "syscalls.h"
#include "view.h"

static const char *signal_text(char *buf, size_t size, uint32_t sig)
{
	const char *abbreviation = sigabbrev_np((int)sig);

	if (abbreviation)
		snprintf(buf, size, "SIG%s", abbreviation);
	else
		snprintf(buf, size, "signal %" PRIu32, sig);
	return buf;
}

static void fault_reason(char *buf, size_t size, const struct incident *incident)
{
	const char *why = incident->has_signal_code ?
			  signal_code_text((int)incident->signal, incident->signal_code) : NULL;
	char name[32], at[32] = "", code[80] = "";

	/* Only a fault has an address; a signal that was sent has none. */
	if (incident->has_fault_address &&
	    (!incident->has_signal_code ||
	     (incident->signal_code > 0 && incident->signal_code != SI_KERNEL)))
		snprintf(at, sizeof(at), " at 0x%" PRIx64, incident->fault_address);
	if (why)
		snprintf(code, sizeof(code), ": %s", why);
	snprintf(buf, size, "%s%s%s", signal_text(name, sizeof(name), incident->signal), at, code);
}

void incident_reason(char *buf, size_t size, const struct incident *incident)
{
	char name[64];

	switch (incident->sensor) {
	case SELFHEAL_SENSOR_MANUAL:
		snprintf(buf, size, "a controller froze the domain");
		break;
	case SELFHEAL_SENSOR_FAULT:
		fault_reason(buf, size, incident);
		break;
	case SELFHEAL_SENSOR_EXEC:
		snprintf(buf, size, "tried to execute %s", incident->target);
		break;
	case SELFHEAL_SENSOR_SYSCALL:
		syscall_name(name, sizeof(name), incident->syscall_arch, incident->syscall_nr);
		snprintf(buf, size, "called %s, which its policy says it never does", name);
		break;
	case SELFHEAL_SENSOR_OVERFLOW:
		snprintf(buf, size, "the quarantine was full");
		break;
	case SELFHEAL_SENSOR_EXIT:
		snprintf(buf, size, "the last member exited, with output held for a verdict");
		break;
	case SELFHEAL_SENSOR_TAMPER:
		snprintf(buf, size, incident->pid ? "reached for %s" : "lost the hook on %s",
			 incident->target);
		break;
	default:
		snprintf(buf, size, "sensor %" PRIu32, incident->sensor);
	}
}

static bool is_open(const struct incident *incident)
{
	return incident->resolved_by == SELFHEAL_RESOLVED_BY_NOBODY;
}

static void view_outcome(struct print *p, const struct incident *incident)
{
	print_str(p, "state", is_open(incident) ? "open" : "resolved");
	print_style(p, is_open(incident) ? PRINT_BAD : PRINT_GOOD);
	if (is_open(incident)) {
		if (incident->has_deadline)
			print_ms(p, "deadline_ms", incident->deadline_ms);
		return;
	}
	print_enum(p, "verdict", &verdict_names, incident->verdict);
	print_enum(p, "resolved_by", &resolved_by_names, incident->resolved_by);
}

static void view_reason(struct print *p, const struct incident *incident)
{
	char reason[PATH_LEN + 64];

	incident_reason(reason, sizeof(reason), incident);
	print_str(p, "reason", reason);
}

void view_incident_row(struct print *p, const struct incident *incident)
{
	print_u64(p, "id", incident->id);
	print_u64(p, "domain", incident->domain);
	print_str(p, "policy", incident->policy);
	print_enum(p, "sensor", &sensor_names, incident->sensor);
	view_outcome(p, incident);
	print_time(p, "time", incident->stamp);
	if (incident->pid) {
		print_u64(p, "pid", incident->pid);
		print_str(p, "comm", incident->comm);
	}
	print_bool(p, "observed", incident->observed);
	print_json_only(p);
	print_u64(p, "stamp_ns", incident->stamp);
	print_json_only(p);
	view_reason(p, incident);
}

/* Arguments with the NULs between them as blanks; quoting is for the shell. */
static void view_cmdline(struct print *p, const struct incident *incident)
{
	const char *arg = incident->cmdline, *end = arg + incident->cmdline_len;
	char text[CMDLINE_MAX + 1];
	size_t len;

	if (!incident->cmdline_len)
		return;
	print_open_list(p, "cmdline", PRINT_TABLE);
	while (arg < end) {
		len = strnlen(arg, end - arg);
		memcpy(text, arg, len);
		text[len] = '\0';
		print_str(p, NULL, text);
		arg += len + 1;
	}
	print_close(p);
}

static void view_task(struct print *p, const struct incident *incident)
{
	/* A freeze by a controller, or of a domain without members, has no task. */
	if (!incident->pid)
		return;
	print_open(p, "task");
	print_u64(p, "pid", incident->pid);
	print_u64(p, "tid", incident->tid);
	print_u64(p, "ppid", incident->ppid);
	print_str(p, "comm", incident->comm);
	print_str(p, "exe", incident->exe);
	view_cmdline(p, incident);
	if (incident->has_credentials) {
		print_u64(p, "uid", incident->uid);
		print_u64(p, "euid", incident->euid);
		print_u64(p, "gid", incident->gid);
		print_u64(p, "egid", incident->egid);
		print_hex(p, "cap_effective", incident->cap_effective);
	}
	print_close(p);
}

static void view_arch(struct print *p, uint32_t arch)
{
	const char *name = syscall_arch_name(arch);

	if (name)
		print_str(p, "arch", name);
	else
		print_hex(p, "arch", arch);
}

static void view_event_of_sensor(struct print *p, const struct incident *incident)
{
	char name[64];

	if (incident->signal) {
		print_open(p, "signal");
		print_str(p, "name", signal_text(name, sizeof(name), incident->signal));
		print_u64(p, "number", incident->signal);
		if (incident->has_signal_code)
			print_s64(p, "code", incident->signal_code);
		if (incident->has_fault_address)
			print_hex(p, "address", incident->fault_address);
		print_close(p);
	}
	if (incident->target[0])
		print_str(p, "target", incident->target);
	if (incident->has_syscall) {
		syscall_name(name, sizeof(name), incident->syscall_arch, incident->syscall_nr);
		print_open(p, "syscall");
		print_str(p, "name", name);
		print_s64(p, "nr", incident->syscall_nr);
		view_arch(p, incident->syscall_arch);
		print_close(p);
	}
}

static void view_registers(struct print *p, const struct registers *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{ "ip", r->ip }, { "sp", r->sp }, { "flags", r->flags },
		{ "ax", r->ax }, { "bx", r->bx }, { "cx", r->cx }, { "dx", r->dx },
		{ "si", r->si }, { "di", r->di }, { "bp", r->bp },
		{ "r8", r->r8 }, { "r9", r->r9 }, { "r10", r->r10 }, { "r11", r->r11 },
		{ "r12", r->r12 }, { "r13", r->r13 }, { "r14", r->r14 }, { "r15", r->r15 },
	};
	size_t i;

	print_open(p, "registers");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		print_hex(p, all[i].name, all[i].value);
	print_close(p);
}

static void view_mapping(struct print *p, const struct incident *incident)
{
	uint32_t flags = incident->mapping_flags;
	const char access[] = {
		flags & 1 ? 'r' : '-', flags & 2 ? 'w' : '-', flags & 4 ? 'x' : '-',
		flags & 8 ? 's' : 'p', '\0',
	};

	print_open(p, "mapping");
	print_str(p, "path", incident->mapping_path);
	print_hex(p, "start", incident->mapping_start);
	print_hex(p, "end", incident->mapping_end);
	print_str(p, "access", access);
	/* Memory without a file has no offset that means something. */
	if (incident->mapping_path[0] == '/')
		print_hex(p, "offset", incident->mapping_offset);
	/* Where in the file the code is, for addr2line and objdump. */
	if (incident->mapping_path[0] == '/' && incident->has_registers &&
	    incident->registers.ip >= incident->mapping_start &&
	    incident->registers.ip < incident->mapping_end)
		print_hex(p, "ip_in_file", incident->registers.ip - incident->mapping_start +
					   incident->mapping_offset);
	print_close(p);
}

static void view_trail(struct print *p, const struct incident *incident)
{
	char name[64], arg[24];
	unsigned int j;
	size_t i;

	print_open_list(p, "trail", PRINT_TABLE);
	for (i = 0; i < incident->n_trail; i++) {
		const struct trail *trail = &incident->trail[i];

		syscall_name(name, sizeof(name), trail->arch, trail->nr);
		print_open(p, NULL);
		print_str(p, "name", name);
		print_s64(p, "nr", trail->nr);
		view_arch(p, trail->arch);
		print_open_list(p, "args", PRINT_TABLE);
		for (j = 0; j < trail->n_args; j++) {
			snprintf(arg, sizeof(arg), "0x%" PRIx64, trail->args[j]);
			print_str(p, NULL, arg);
		}
		print_close(p);
		print_close(p);
	}
	print_close(p);
}

static void view_evidence(struct print *p, const struct incident *incident)
{
	char word[24];
	size_t i;

	if (incident->has_mapping)
		view_mapping(p, incident);
	if (incident->has_registers)
		view_registers(p, &incident->registers);
	if (incident->n_backtrace) {
		print_open_list(p, "backtrace", PRINT_TABLE);
		for (i = 0; i < incident->n_backtrace; i++) {
			snprintf(word, sizeof(word), "0x%" PRIx64, incident->backtrace[i]);
			print_str(p, NULL, word);
		}
		print_close(p);
	}
	if (incident->stack_len)
		print_dump(p, "stack", incident->stack, incident->stack_len);
	if (incident->n_trail)
		view_trail(p, incident);
}

void view_incident(struct print *p, const struct incident *incident)
{
	print_u64(p, "id", incident->id);
	view_reason(p, incident);
	print_u64(p, "domain", incident->domain);
	print_str(p, "policy", incident->policy);
	print_enum(p, "sensor", &sensor_names, incident->sensor);
	view_outcome(p, incident);
	print_bool(p, "observed", incident->observed);
	print_u64(p, "evidence_count", incident->evidence_count);
	print_time(p, "time", incident->stamp);
	print_u64(p, "stamp_ns", incident->stamp);
	print_json_only(p);
	if (!is_open(incident)) {
		print_time(p, "resolved", incident->resolved_stamp);
		print_u64(p, "resolved_stamp_ns", incident->resolved_stamp);
		print_json_only(p);
	}
	print_ns(p, "freeze_ns", incident->freeze_ns);
	print_size(p, "held_bytes", incident->held_bytes);
	print_u64(p, "held_entries", incident->held_entries);
	print_size(p, "dropped_bytes", incident->dropped_bytes);
	print_size(p, "committed_bytes", incident->committed_bytes);
	view_task(p, incident);
	view_event_of_sensor(p, incident);
	view_evidence(p, incident);
}
