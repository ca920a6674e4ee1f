// SPDX-License-Identifier: GPL-2.0
/* Damaged messages: refused or read in part, never a crash or a leak. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

/* One decoder, with the release of what it made. */
struct decoder {
	const char *name;
	struct nl_msg *(*message)(void);
	int (*decode)(struct attrs attrs);
};

static int try_domain(struct attrs attrs)
{
	struct domain d;
	int err = decode_domain(attrs, &d);

	domain_release(&d);
	return err;
}

static int try_incident(struct attrs attrs)
{
	struct incident *i = malloc(sizeof(*i));
	int err = decode_incident(attrs, i);

	free(i);
	return err;
}

static int try_event(struct attrs attrs)
{
	struct event e;

	return decode_event(attrs, &e);
}

static int try_status(struct attrs attrs)
{
	struct status s;
	int err = decode_status(attrs, &s);

	status_release(&s);
	return err;
}

static int try_held(struct attrs attrs)
{
	struct held h;
	int err = decode_held(attrs, &h);

	held_release(&h);
	return err;
}

static int try_policy(struct attrs attrs)
{
	struct policy p;
	int err = decode_policy(attrs, &p);

	policy_release(&p);
	return err;
}

static struct nl_msg *message_policy(void)
{
	struct nl_msg *msg = nlmsg_alloc();
	uint8_t map[SELFHEAL_SYSMAP_LEN] = { 1 };

	nla_put_string(msg, SELFHEAL_A_POLICY_NAME, "p");
	nla_put_string(msg, SELFHEAL_A_POLICY_MATCH_EXE, "/bin/a");
	nla_put_string(msg, SELFHEAL_A_POLICY_MATCH_EXE, "/bin/b");
	nla_put_u32(msg, SELFHEAL_A_POLICY_HOLD_TTY, 1);
	nla_put_u64(msg, SELFHEAL_A_POLICY_MAX_BYTES, 8 << 20);
	nla_put(msg, SELFHEAL_A_POLICY_SYSCALL_NEVER, sizeof(map), map);
	nla_put(msg, SELFHEAL_A_POLICY_SOURCE, 10, "policy: p\n");
	return msg;
}

static const struct decoder decoders[] = {
	{ "domain", message_domain, try_domain },
	{ "incident", message_incident, try_incident },
	{ "event", message_event, try_event },
	{ "status", message_status, try_status },
	{ "held", message_held, try_held },
	{ "policy", message_policy, try_policy },
};

#define N_DECODERS (sizeof(decoders) / sizeof(decoders[0]))

/* The attributes in a buffer of exactly their length, for the sanitizer to guard. */
static char *exact(struct attrs attrs, int len)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, attrs.head, len);
	return copy;
}

TEST(decode_truncated_at_every_byte)
{
	struct nl_msg *msg;
	struct attrs attrs;
	size_t i;
	char *copy;
	int len, err;

	for (i = 0; i < N_DECODERS; i++) {
		test_about(decoders[i].name);
		msg = decoders[i].message();
		attrs = message_attrs(msg);
		for (len = 0; len < attrs.len; len++) {
			copy = exact(attrs, len);
			err = decoders[i].decode((struct attrs){ (struct nlattr *)copy, len });
			CHECK(!err || err == -EBADMSG);
			free(copy);
		}
		nlmsg_free(msg);
	}
}

/* Every byte at several wrong values: lengths, types and contents. */
TEST(decode_damaged_at_every_byte)
{
	static const unsigned char wrong[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };
	struct nl_msg *msg;
	struct attrs attrs;
	size_t i, j;
	char *copy;
	int at, err;

	for (i = 0; i < N_DECODERS; i++) {
		test_about(decoders[i].name);
		msg = decoders[i].message();
		attrs = message_attrs(msg);
		for (at = 0; at < attrs.len; at++) {
			for (j = 0; j < sizeof(wrong); j++) {
				copy = exact(attrs, attrs.len);
				copy[at] = (char)wrong[j];
				err = decoders[i].decode((struct attrs){
					(struct nlattr *)copy, attrs.len });
				CHECK(!err || err == -EBADMSG);
				free(copy);
			}
		}
		nlmsg_free(msg);
	}
}

static int decode_one(int (*decode)(struct attrs attrs), int type, int len)
{
	struct nl_msg *msg = nlmsg_alloc_size(16384);
	char data[8192];
	int err;

	memset(data, 'x', sizeof(data));
	nla_put(msg, type, len, data);
	err = decode(message_attrs(msg));
	nlmsg_free(msg);
	return err;
}

TEST(decode_wrong_sizes)
{
	/* Numbers that are too short. */
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_ID, 4), -EBADMSG);
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_STATE, 3), -EBADMSG);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_SIGNAL_CODE, 2), -EBADMSG);
	CHECK_INT(decode_one(try_policy, SELFHEAL_A_POLICY_MAX_BYTES, 4), -EBADMSG);
	/* Texts and arrays beyond what the contract allows. */
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_POLICY, SELFHEAL_POLICY_NAME_MAX), 0);
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_POLICY, SELFHEAL_POLICY_NAME_MAX + 1),
		  -EBADMSG);
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_EXE, SELFHEAL_PATH_MAX), 0);
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_EXE, SELFHEAL_PATH_MAX + 1), -EBADMSG);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_CMDLINE, 1024), 0);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_CMDLINE, 1025), -EBADMSG);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_STACK, 257), -EBADMSG);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_BACKTRACE, 12), -EBADMSG);
	CHECK_INT(decode_one(try_incident, SELFHEAL_A_INCIDENT_BACKTRACE, 16), 0);
	CHECK_INT(decode_one(try_policy, SELFHEAL_A_POLICY_SYSCALL_NEVER, 63), -EBADMSG);
	CHECK_INT(decode_one(try_policy, SELFHEAL_A_POLICY_SYSCALL_NEVER, 65), -EBADMSG);
	/* Empty ones are empty, not an error. */
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_COMM, 0), 0);
	CHECK_INT(decode_one(try_held, SELFHEAL_A_HELD_DATA, 0), 0);
	CHECK_INT(decode_one(try_domain, SELFHEAL_A_DOMAIN_MEMBER, 0), 0);
}

TEST(decode_too_long_trail)
{
	struct nl_msg *msg = message_incident();

	message_trail(msg, 99);
	CHECK_INT(try_incident(message_attrs(msg)), -EBADMSG);
	nlmsg_free(msg);
}

/* A newer kernel may say more than this healctl knows. */
TEST(decode_skips_unknown_attributes)
{
	struct nl_msg *msg = message_domain();
	struct domain d;

	nla_put_u32(msg, SELFHEAL_A_DOMAIN_MAX + 1, 1);
	nla_put_u32(msg, 1000, 1);
	CHECK_INT(decode_domain(message_attrs(msg), &d), 0);
	CHECK_INT(d.id, 3);
	domain_release(&d);
	nlmsg_free(msg);
}
