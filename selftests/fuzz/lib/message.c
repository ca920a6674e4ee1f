// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/selfheal.h>

#include "message.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ATTRIBUTES_MAX 12
#define UNKNOWN_TYPES 70

enum kind { END, U32, U64, DOMAIN, INCIDENT, FD, FLAG, NAME, PATH, MAP, BLOB };

struct kind_of {
	uint16_t type;
	uint8_t kind;
	uint32_t values;	/* of U32: so many are meant */
};

static const struct kind_of policy_kinds[] = {
	{ SELFHEAL_A_POLICY_NAME, NAME, 0 },
	{ SELFHEAL_A_POLICY_FLAGS, U32, 4 },
	{ SELFHEAL_A_POLICY_MATCH_EXE, PATH, 0 },
	{ SELFHEAL_A_POLICY_HOLD_SOCKET, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_PIPE, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_TTY, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_OTHER, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_SIGNAL, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_IPC, U32, 3 },
	{ SELFHEAL_A_POLICY_HOLD_DEVICE, U32, 3 },
	{ SELFHEAL_A_POLICY_COMMIT, U32, 4 },
	{ SELFHEAL_A_POLICY_COMMIT_DELAY, U32, 1000 },
	{ SELFHEAL_A_POLICY_MAX_BYTES, U64, 0 },
	{ SELFHEAL_A_POLICY_OVERFLOW, U32, 4 },
	{ SELFHEAL_A_POLICY_FAULT_MASK, U64, 0 },
	{ SELFHEAL_A_POLICY_EXEC_SENSE, FLAG, 0 },
	{ SELFHEAL_A_POLICY_EXEC_ALLOW, PATH, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_NEVER, MAP, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_NEVER_IA32, MAP, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_DENY, MAP, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_DENY_IA32, MAP, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_PASS, MAP, 0 },
	{ SELFHEAL_A_POLICY_SYSCALL_PASS_IA32, MAP, 0 },
	{ SELFHEAL_A_POLICY_TAMPER, U32, 3 },
	{ SELFHEAL_A_POLICY_KILL_LIMIT, U32, 10 },
	{ SELFHEAL_A_POLICY_KILL_WINDOW, U32, 1000 },
	{ SELFHEAL_A_POLICY_DEFAULT_VERDICT, U32, 4 },
	{ SELFHEAL_A_POLICY_DEADLINE, U32, 2000 },
	{ SELFHEAL_A_POLICY_RESCUE, U32, 2 },
	{ SELFHEAL_A_POLICY_RESCUE_ERRNO, U32, 200 },
	{ SELFHEAL_A_POLICY_SOURCE, BLOB, 0 },
	{ SELFHEAL_A_POLICY_DOMAINS, U32, 1 },
	{ 0 },
};

static const struct kind_of name_kinds[] = { { SELFHEAL_A_POLICY_NAME, NAME, 0 }, { 0 } };
static const struct kind_of domain_kinds[] = {
	{ SELFHEAL_A_DOMAIN_POLICY, NAME, 0 },
	{ SELFHEAL_A_DOMAIN_PIDFD, FD, 0 },
	{ SELFHEAL_A_DOMAIN_TREE, FLAG, 0 },
	{ SELFHEAL_A_DOMAIN_STARTING, FLAG, 0 },
	{ 0 },
};
static const struct kind_of added_kinds[] = {
	{ SELFHEAL_A_DOMAIN_ID, DOMAIN, 0 },
	{ SELFHEAL_A_DOMAIN_PIDFD, FD, 0 },
	{ SELFHEAL_A_DOMAIN_TREE, FLAG, 0 },
	{ 0 },
};
static const struct kind_of id_kinds[] = { { SELFHEAL_A_DOMAIN_ID, DOMAIN, 0 }, { 0 } };
static const struct kind_of open_kinds[] = { { SELFHEAL_A_INCIDENT_ID, INCIDENT, 0 }, { 0 } };
static const struct kind_of incident_kinds[] = {
	{ SELFHEAL_A_INCIDENT_ID, INCIDENT, 0 },
	{ SELFHEAL_A_INCIDENT_VERDICT, U32, 4 },
	{ SELFHEAL_A_INCIDENT_ERRNO, U32, 200 },
	{ 0 },
};
static const struct kind_of held_kinds[] = {
	{ SELFHEAL_A_HELD_DOMAIN, DOMAIN, 0 },
	{ SELFHEAL_A_HELD_CONTENTS, FLAG, 0 },
	{ 0 },
};
static const struct kind_of event_kinds[] = { { SELFHEAL_A_EVENT_SEQ, U64, 0 }, { 0 } };
static const struct kind_of rescue_kinds[] = { { SELFHEAL_A_RESCUE_DOMAIN, DOMAIN, 0 }, { 0 } };
static const struct kind_of guard_kinds[] = { { SELFHEAL_A_STATUS_GUARD, PATH, 0 }, { 0 } };
static const struct kind_of no_kinds[] = { { 0 } };

static const struct {
	const struct kind_of *kinds;
	unsigned int weight;
	bool dump, all;		/* it can be dumped; it wants each attribute */
} commands[__SELFHEAL_CMD_MAX] = {
	[SELFHEAL_CMD_STATUS_GET] = { no_kinds, 2, false, false },
	[SELFHEAL_CMD_POLICY_LOAD] = { policy_kinds, 12, false, false },
	[SELFHEAL_CMD_POLICY_UNLOAD] = { name_kinds, 5, false, true },
	[SELFHEAL_CMD_POLICY_GET] = { name_kinds, 4, true, true },
	[SELFHEAL_CMD_DOMAIN_NEW] = { domain_kinds, 16, false, true },
	[SELFHEAL_CMD_DOMAIN_ADD] = { added_kinds, 8, false, true },
	[SELFHEAL_CMD_DOMAIN_GET] = { id_kinds, 5, true, true },
	[SELFHEAL_CMD_DOMAIN_FREEZE] = { id_kinds, 10, false, true },
	[SELFHEAL_CMD_DOMAIN_DISSOLVE] = { id_kinds, 8, false, true },
	[SELFHEAL_CMD_INCIDENT_GET] = { open_kinds, 5, true, true },
	[SELFHEAL_CMD_INCIDENT_VERDICT] = { incident_kinds, 14, false, true },
	[SELFHEAL_CMD_QUARANTINE_GET] = { held_kinds, 5, true, true },
	[SELFHEAL_CMD_EVENT_GET] = { event_kinds, 2, true, false },
	[SELFHEAL_CMD_EVENT] = { no_kinds, 1, false, false },
	[SELFHEAL_CMD_AGENT_REGISTER] = { no_kinds, 1, false, false },
	[SELFHEAL_CMD_GUARD_ADD] = { guard_kinds, 1, false, true },
	[SELFHEAL_CMD_RESCUE_GET] = { rescue_kinds, 4, true, true },
};

/* xorshift64*, Vigna 2016. */
static uint64_t next(struct message *m)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return m->random * 0x2545f4914f6cdd1dULL;
}

static uint32_t below(struct message *m, uint32_t n)
{
	return (next(m) >> 32) * n >> 32;
}

static bool one_in(struct message *m, uint32_t n)
{
	return !below(m, n);
}

static void put(struct message *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	if (m->len + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(m->bytes))
		return;
	memcpy(m->bytes + m->len, &a, sizeof(a));
	memset(m->bytes + m->len + NLA_HDRLEN, 0, NLA_ALIGN(len));
	memcpy(m->bytes + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

static uint64_t edge(struct message *m)
{
	static const uint64_t edges[] = {
		0, 1, 2, 63, 64, 4095, 4096, INT32_MAX, 1ULL << 31, UINT32_MAX, 1ULL << 32,
		INT64_MAX, 1ULL << 63, UINT64_MAX,
	};

	return one_in(m, 4) ? next(m) : edges[below(m, ARRAY_SIZE(edges))];
}

static const char *name(struct message *m)
{
	static const char *const names[] = {
		"fuzz-a", "fuzz-b", "fuzz-c", "fuzz-d", "fuzz-a", "fuzz-b", "", "no such",
		"-", "fuzz/a", "a\nb", "\xff\xfe",
		"0123456789012345678901234567890123456789012345678901234567890123",
	};

	return names[below(m, one_in(m, 8) ? ARRAY_SIZE(names) : 6)];
}

static const char *path(struct message *m)
{
	static const char *const paths[] = {
		"/usr/bin/false", "/bin/true", "/usr/bin/env", "/usr/bin/uptime",
		"/nonexistent", "relative", "/", "", "/tmp", "/proc/self/exe", "/dev/null",
	};

	return paths[below(m, one_in(m, 6) ? ARRAY_SIZE(paths) : 4)];
}

static void put_map(struct message *m, uint16_t type)
{
	uint8_t map[SELFHEAL_SYSMAP_LEN] = { 0 };
	unsigned int n = below(m, 4);

	/* Calls that no child of the fuzzer needs in order to live. */
	while (n--)
		map[12 + below(m, SELFHEAL_SYSMAP_LEN - 12)] |= 1 << below(m, 8);
	put(m, type, map, sizeof(map));
}

/* Of the latest ones, which may live still. */
static uint64_t recent(struct message *m, uint64_t highest)
{
	return highest - below(m, highest < 10 ? highest : 10);
}

static void put_u64(struct message *m, uint16_t type, uint64_t value, bool odd)
{
	value = odd ? edge(m) : value;
	put(m, type, &value, sizeof(value));
}

static void put_kind(struct message *m, const struct kind_of *k)
{
	static const uint8_t blob[33 * 1024] = { 1 };
	uint32_t u32 = below(m, k->values + 1);
	int fd = m->fd[below(m, MESSAGE_FDS)];
	bool odd = one_in(m, 24);

	switch (k->kind) {
	case U32:
		u32 = odd ? edge(m) : u32;
		put(m, k->type, &u32, sizeof(u32));
		break;
	case U64:
		put_u64(m, k->type, below(m, 1 << 20), odd);
		break;
	case DOMAIN:
		put_u64(m, k->type, recent(m, m->domains), odd);
		break;
	case INCIDENT:
		put_u64(m, k->type, recent(m, m->incidents), odd);
		break;
	case FD:
		fd = odd ? -(int)below(m, 3) : fd;
		put(m, k->type, &fd, sizeof(fd));
		break;
	case FLAG:
		if (one_in(m, 2))
			put(m, k->type, NULL, 0);
		break;
	case NAME:
		put(m, k->type, name(m), strlen(name(m)) + !odd);
		break;
	case PATH:
		put(m, k->type, path(m), strlen(path(m)) + !odd);
		break;
	case MAP:
		put_map(m, k->type);
		break;
	case BLOB:
		put(m, k->type, blob, below(m, odd ? sizeof(blob) : 100));
		break;
	}
}

static uint8_t command(struct message *m)
{
	unsigned int sum = 0, i, pick;

	if (one_in(m, 50))
		return below(m, 256);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		sum += commands[i].weight;
	pick = below(m, sum);
	for (i = 0; pick >= commands[i].weight; i++)
		pick -= commands[i].weight;
	return i;
}

static void put_all(struct message *m)
{
	const struct kind_of *kinds = m->cmd < ARRAY_SIZE(commands) ? commands[m->cmd].kinds : NULL;
	unsigned int n, many = below(m, ATTRIBUTES_MAX), i;

	if (!kinds)
		kinds = policy_kinds;
	for (n = 0; kinds[n].kind; n++)
		;
	/* A policy wants its name at least, the others usually all that there is. */
	for (i = 0; i < n; i++) {
		bool wanted = kinds[i].kind == NAME || (m->cmd < ARRAY_SIZE(commands) && commands[m->cmd].all);

		if (wanted ? !one_in(m, 20) : one_in(m, 1 + n / (1 + many)))
			put_kind(m, &kinds[i]);
	}
	if (n && one_in(m, 10))
		put_kind(m, &kinds[below(m, n)]);
	if (one_in(m, 30)) {
		uint64_t value = edge(m);

		put(m, below(m, UNKNOWN_TYPES) | (one_in(m, 2) ? NLA_F_NESTED : 0), &value,
		    below(m, sizeof(value) + 1));
	}
}

/* One field of one header, or a bit, or the end. */
static void damage(struct message *m)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->bytes;
	uint16_t *word = (uint16_t *)(m->bytes + below(m, m->len / 2) * 2);

	switch (below(m, 5)) {
	case 0:
		nlh->nlmsg_len = edge(m);
		break;
	case 1:
		m->len -= below(m, m->len - NLMSG_HDRLEN);
		break;
	case 2:
		nlh->nlmsg_flags = next(m);
		break;
	default:
		if ((uint8_t *)word >= m->bytes + NLMSG_HDRLEN)
			*word ^= 1 << below(m, 16);
	}
}

void message_make(struct message *m)
{
	struct genlmsghdr genl = { .version = SELFHEAL_FAMILY_VERSION };
	struct nlmsghdr nlh = { .nlmsg_type = m->family, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK };

	m->cmd = genl.cmd = command(m);
	if (one_in(m, 100))
		genl.version = next(m);
	if (m->cmd < ARRAY_SIZE(commands) && commands[m->cmd].dump && one_in(m, 2))
		nlh.nlmsg_flags |= NLM_F_DUMP;
	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
	memcpy(m->bytes + NLMSG_HDRLEN, &genl, sizeof(genl));
	put_all(m);
	nlh.nlmsg_len = m->len;
	memcpy(m->bytes, &nlh, sizeof(nlh));
	m->damaged = one_in(m, 10);
	if (m->damaged)
		damage(m);
	/* A locked module stays for ever. */
	if (m->bytes[NLMSG_HDRLEN] == SELFHEAL_CMD_LOCK)
		m->bytes[NLMSG_HDRLEN] = SELFHEAL_CMD_STATUS_GET;
	m->cmd = m->bytes[NLMSG_HDRLEN];
}
