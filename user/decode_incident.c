// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes to plain structs: incidents and their evidence. */
#include <errno.h>
#include <string.h>

#include "decode.h"

static const struct nla_policy register_types[SELFHEAL_A_REGISTERS_MAX + 1] = {
	[SELFHEAL_A_REGISTERS_IP ... SELFHEAL_A_REGISTERS_R15] = { .type = NLA_U64 },
};

static int decode_registers(struct nlattr *attr, struct incident *incident)
{
	struct nlattr *tb[SELFHEAL_A_REGISTERS_MAX + 1];
	struct registers *r = &incident->registers;
	int err;

	if (!attr)
		return 0;
	err = parse_attrs(tb, SELFHEAL_A_REGISTERS_MAX, nested_attrs(attr), register_types);
	if (err)
		return err;
	incident->has_registers = true;
	get_u64(tb[SELFHEAL_A_REGISTERS_IP], &r->ip);
	get_u64(tb[SELFHEAL_A_REGISTERS_SP], &r->sp);
	get_u64(tb[SELFHEAL_A_REGISTERS_FLAGS], &r->flags);
	get_u64(tb[SELFHEAL_A_REGISTERS_AX], &r->ax);
	get_u64(tb[SELFHEAL_A_REGISTERS_BX], &r->bx);
	get_u64(tb[SELFHEAL_A_REGISTERS_CX], &r->cx);
	get_u64(tb[SELFHEAL_A_REGISTERS_DX], &r->dx);
	get_u64(tb[SELFHEAL_A_REGISTERS_SI], &r->si);
	get_u64(tb[SELFHEAL_A_REGISTERS_DI], &r->di);
	get_u64(tb[SELFHEAL_A_REGISTERS_BP], &r->bp);
	get_u64(tb[SELFHEAL_A_REGISTERS_R8], &r->r8);
	get_u64(tb[SELFHEAL_A_REGISTERS_R9], &r->r9);
	get_u64(tb[SELFHEAL_A_REGISTERS_R10], &r->r10);
	get_u64(tb[SELFHEAL_A_REGISTERS_R11], &r->r11);
	get_u64(tb[SELFHEAL_A_REGISTERS_R12], &r->r12);
	get_u64(tb[SELFHEAL_A_REGISTERS_R13], &r->r13);
	get_u64(tb[SELFHEAL_A_REGISTERS_R14], &r->r14);
	get_u64(tb[SELFHEAL_A_REGISTERS_R15], &r->r15);
	return 0;
}

/* An array of u64 that the kernel sends as one binary attribute. */
static int get_words(struct nlattr *attr, uint64_t *words, size_t max, size_t *n)
{
	size_t len = 0;
	int err = get_bytes(attr, words, max * sizeof(*words), &len);

	if (!err && len % sizeof(*words))
		err = -EBADMSG;
	if (!err)
		*n = len / sizeof(*words);
	return err;
}

static const struct nla_policy trail_types[SELFHEAL_A_TRAIL_MAX + 1] = {
	[SELFHEAL_A_TRAIL_NR] = { .type = NLA_U32 },
	[SELFHEAL_A_TRAIL_ARCH] = { .type = NLA_U32 },
};

/* The header's SELFHEAL_A_TRAIL_MAX counts attributes, SELFHEAL_TRAIL_MAX entries. */
static int decode_trail_entry(struct attrs attrs, struct trail *trail)
{
	struct nlattr *tb[SELFHEAL_A_TRAIL_MAX + 1];
	int err = parse_attrs(tb, SELFHEAL_A_TRAIL_MAX, attrs, trail_types);
	size_t n = 0;

	if (!err)
		err = get_words(tb[SELFHEAL_A_TRAIL_ARGS], trail->args, TRAIL_ARGS, &n);
	if (err)
		return err;
	trail->n_args = (unsigned int)n;
	if (tb[SELFHEAL_A_TRAIL_NR])
		trail->nr = nla_get_s32(tb[SELFHEAL_A_TRAIL_NR]);
	get_u32(tb[SELFHEAL_A_TRAIL_ARCH], &trail->arch);
	return 0;
}

static int decode_trail(struct attrs attrs, struct incident *incident)
{
	struct nlattr *attr;
	int rest, err = 0;

	nla_for_each_attr(attr, attrs.head, attrs.len, rest) {
		if (nla_type(attr) != SELFHEAL_A_INCIDENT_TRAIL)
			continue;
		if (incident->n_trail == SELFHEAL_TRAIL_MAX)
			return -EBADMSG;
		err = decode_trail_entry(nested_attrs(attr), &incident->trail[incident->n_trail++]);
		if (err)
			return err;
	}
	return 0;
}

static const struct nla_policy incident_types[SELFHEAL_A_INCIDENT_MAX + 1] = {
	[SELFHEAL_A_INCIDENT_ID] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_DOMAIN] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_SENSOR] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_STAMP] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_RESOLVED_STAMP] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_VERDICT] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_RESOLVED_BY] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_DEADLINE_MS] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_EVIDENCE_COUNT] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_FREEZE_NS] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_HELD_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_HELD_ENTRIES] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_DROPPED_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_COMMITTED_BYTES] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_TID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_PID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_PPID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_UID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_EUID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_GID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_EGID] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_CAP_EFFECTIVE] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_SIGNAL] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_SIGNAL_CODE] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_FAULT_ADDRESS] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_SYSCALL_NR] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_SYSCALL_ARCH] = { .type = NLA_U32 },
	[SELFHEAL_A_INCIDENT_MAPPING_START] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_MAPPING_END] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_MAPPING_OFFSET] = { .type = NLA_U64 },
	[SELFHEAL_A_INCIDENT_MAPPING_FLAGS] = { .type = NLA_U32 },
};

static void fill_state(struct nlattr **tb, struct incident *incident)
{
	get_u64(tb[SELFHEAL_A_INCIDENT_ID], &incident->id);
	get_u64(tb[SELFHEAL_A_INCIDENT_DOMAIN], &incident->domain);
	get_u32(tb[SELFHEAL_A_INCIDENT_SENSOR], &incident->sensor);
	get_u64(tb[SELFHEAL_A_INCIDENT_STAMP], &incident->stamp);
	get_u64(tb[SELFHEAL_A_INCIDENT_RESOLVED_STAMP], &incident->resolved_stamp);
	get_u32(tb[SELFHEAL_A_INCIDENT_VERDICT], &incident->verdict);
	get_u32(tb[SELFHEAL_A_INCIDENT_RESOLVED_BY], &incident->resolved_by);
	incident->observed = tb[SELFHEAL_A_INCIDENT_OBSERVED];
	incident->has_deadline = tb[SELFHEAL_A_INCIDENT_DEADLINE_MS];
	get_u32(tb[SELFHEAL_A_INCIDENT_DEADLINE_MS], &incident->deadline_ms);
	get_u32(tb[SELFHEAL_A_INCIDENT_EVIDENCE_COUNT], &incident->evidence_count);
	get_u64(tb[SELFHEAL_A_INCIDENT_FREEZE_NS], &incident->freeze_ns);
	get_u64(tb[SELFHEAL_A_INCIDENT_HELD_BYTES], &incident->held_bytes);
	get_u32(tb[SELFHEAL_A_INCIDENT_HELD_ENTRIES], &incident->held_entries);
	get_u64(tb[SELFHEAL_A_INCIDENT_DROPPED_BYTES], &incident->dropped_bytes);
	get_u64(tb[SELFHEAL_A_INCIDENT_COMMITTED_BYTES], &incident->committed_bytes);
}

static void fill_task(struct nlattr **tb, struct incident *incident)
{
	get_u32(tb[SELFHEAL_A_INCIDENT_TID], &incident->tid);
	get_u32(tb[SELFHEAL_A_INCIDENT_PID], &incident->pid);
	get_u32(tb[SELFHEAL_A_INCIDENT_PPID], &incident->ppid);
	incident->has_credentials = tb[SELFHEAL_A_INCIDENT_UID];
	get_u32(tb[SELFHEAL_A_INCIDENT_UID], &incident->uid);
	get_u32(tb[SELFHEAL_A_INCIDENT_EUID], &incident->euid);
	get_u32(tb[SELFHEAL_A_INCIDENT_GID], &incident->gid);
	get_u32(tb[SELFHEAL_A_INCIDENT_EGID], &incident->egid);
	get_u64(tb[SELFHEAL_A_INCIDENT_CAP_EFFECTIVE], &incident->cap_effective);
	get_u32(tb[SELFHEAL_A_INCIDENT_SIGNAL], &incident->signal);
	incident->has_signal_code = tb[SELFHEAL_A_INCIDENT_SIGNAL_CODE];
	if (incident->has_signal_code)
		incident->signal_code = nla_get_s32(tb[SELFHEAL_A_INCIDENT_SIGNAL_CODE]);
	incident->has_fault_address = tb[SELFHEAL_A_INCIDENT_FAULT_ADDRESS];
	get_u64(tb[SELFHEAL_A_INCIDENT_FAULT_ADDRESS], &incident->fault_address);
	incident->syscall_nr = -1;
	if (tb[SELFHEAL_A_INCIDENT_SYSCALL_NR])
		incident->syscall_nr = nla_get_s32(tb[SELFHEAL_A_INCIDENT_SYSCALL_NR]);
	incident->has_syscall = incident->syscall_nr >= 0;
	get_u32(tb[SELFHEAL_A_INCIDENT_SYSCALL_ARCH], &incident->syscall_arch);
	incident->has_mapping = tb[SELFHEAL_A_INCIDENT_MAPPING_START];
	get_u64(tb[SELFHEAL_A_INCIDENT_MAPPING_START], &incident->mapping_start);
	get_u64(tb[SELFHEAL_A_INCIDENT_MAPPING_END], &incident->mapping_end);
	get_u64(tb[SELFHEAL_A_INCIDENT_MAPPING_OFFSET], &incident->mapping_offset);
	get_u32(tb[SELFHEAL_A_INCIDENT_MAPPING_FLAGS], &incident->mapping_flags);
}

static int fill_texts(struct nlattr **tb, struct incident *incident)
{
	const struct {
		int type;
		char *buf;
		size_t size;
	} texts[] = {
		{ SELFHEAL_A_INCIDENT_POLICY, incident->policy, sizeof(incident->policy) },
		{ SELFHEAL_A_INCIDENT_COMM, incident->comm, sizeof(incident->comm) },
		{ SELFHEAL_A_INCIDENT_EXE, incident->exe, sizeof(incident->exe) },
		{ SELFHEAL_A_INCIDENT_TARGET, incident->target, sizeof(incident->target) },
		{ SELFHEAL_A_INCIDENT_MAPPING_PATH, incident->mapping_path,
		  sizeof(incident->mapping_path) },
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]) && !err; i++)
		err = get_string(tb[texts[i].type], texts[i].buf, texts[i].size);
	return err;
}

static int fill_evidence(struct attrs attrs, struct nlattr **tb, struct incident *incident)
{
	int err;

	err = get_bytes(tb[SELFHEAL_A_INCIDENT_CMDLINE], incident->cmdline,
			sizeof(incident->cmdline), &incident->cmdline_len);
	if (!err)
		err = decode_registers(tb[SELFHEAL_A_INCIDENT_REGISTERS], incident);
	if (!err)
		err = get_words(tb[SELFHEAL_A_INCIDENT_BACKTRACE], incident->backtrace,
				BACKTRACE_MAX, &incident->n_backtrace);
	if (!err)
		err = get_bytes(tb[SELFHEAL_A_INCIDENT_STACK], incident->stack,
				sizeof(incident->stack), &incident->stack_len);
	if (!err)
		err = decode_trail(attrs, incident);
	return err;
}

int decode_incident(struct attrs attrs, struct incident *incident)
{
	struct nlattr *tb[SELFHEAL_A_INCIDENT_MAX + 1];
	int err;

	memset(incident, 0, sizeof(*incident));
	err = parse_attrs(tb, SELFHEAL_A_INCIDENT_MAX, attrs, incident_types);
	if (!err)
		err = fill_texts(tb, incident);
	if (!err)
		err = fill_evidence(attrs, tb, incident);
	if (err)
		return err;
	fill_state(tb, incident);
	fill_task(tb, incident);
	return 0;
}
