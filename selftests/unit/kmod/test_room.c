// SPDX-License-Identifier: GPL-2.0
/* The bound of a quarantine: reservations, and what a full one does. */
#include "fixture.h"

#define BOUND	4096
#define ENTRIES	64	/* of so small a quarantine */

static char block[2 * BOUND];

static void fill(size_t len)
{
	CHECK_INT(write_len(1, 1, block, len, STREAM), len);
}

static void quiesce(unsigned int m)
{
	current = &fx->task[m];
	sh_quarantine_quiesce(&fx->member[m]);
}

TEST(room_reserve_rule)
{
	static const struct {
		u64 bytes, reserved;
		u32 entries;
		size_t want;
		bool stream;
		size_t got;
		bool may;	/* an entry be filed */
	} rows[] = {
		{ 0, 0, 0, 1, true, 1, true },
		{ 0, 0, 0, BOUND, true, BOUND, true },
		{ 0, 0, 0, BOUND + 1, true, BOUND, true },
		{ 0, 0, 0, BOUND, false, BOUND, true },
		{ 0, 0, 0, BOUND + 1, false, 0, false },
		/* What is being copied counts like what is held. */
		{ 4000, 95, 0, 1, true, 1, true },
		{ 4000, 96, 0, 1, true, 0, false },
		{ 0, BOUND, 0, 1, false, 0, false },
		{ BOUND, 0, 0, 1, true, 0, false },
		/* A stream takes what there is, a datagram all or nothing. */
		{ 4000, 0, 0, 200, true, 96, true },
		{ 4000, 0, 0, 200, false, 0, false },
		{ 4000, 0, 0, 96, false, 96, true },
		{ 4000, 0, 0, 97, false, 0, false },
		/* Entries are bounded, too. */
		{ 0, 0, ENTRIES - 1, 1, true, 1, true },
		{ 0, 0, ENTRIES, 1, true, 0, false },
		{ 0, 0, ENTRIES + 1, 1, false, 0, false },
		/* An entry without bytes is an entry; a full quarantine takes none. */
		{ BOUND - 1, 0, ENTRIES - 1, 0, false, 0, true },
		{ BOUND, 0, ENTRIES - 1, 0, false, 0, false },
		{ 0, 0, ENTRIES, 0, false, 0, false },
	};
	char about[32];
	unsigned int i;
	size_t got;

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(about, sizeof(about), "row %u", i);
		test_about(about);
		fx->q->bytes = rows[i].bytes;
		fx->q->reserved = rows[i].reserved;
		fx->q->entries = rows[i].entries;
		CHECK_INT(rule_reserve(rows[i].want, rows[i].stream, &got), rows[i].may);
		CHECK_INT(got, rows[i].got);
		CHECK_INT(fx->q->reserved, rows[i].reserved + rows[i].got);
		rule_unreserve(rows[i].got);
		CHECK_INT(fx->q->reserved, rows[i].reserved);
	}
	fx->q->bytes = 0;
	fx->q->reserved = 0;
	fx->q->entries = 0;
	fixture_teardown();
}

TEST(room_entries_by_bytes)
{
	fixture_setup(0);
	CHECK_INT(rule_entries_max(), ENTRIES);
	fx->policy.max_bytes = 64 * 256 + 255;
	CHECK_INT(rule_entries_max(), 64);
	fx->policy.max_bytes = 8ull << 20;
	CHECK_INT(rule_entries_max(), 32768);
	fx->policy.max_bytes = 1ull << 30;
	CHECK_INT(rule_entries_max(), 1 << 22);
	fixture_teardown();
}

static size_t reserve(size_t want, bool stream)
{
	size_t got = 0;
	bool may = rule_reserve(want, stream, &got);

	CHECK_INT(may, got > 0);
	return got;
}

/* Of two writers that copy at a time neither sees the other's room. */
TEST(room_reservations_add_up)
{
	fixture_setup(0);
	CHECK_INT(reserve(3000, false), 3000);
	CHECK_INT(reserve(3000, false), 0);
	CHECK_INT(reserve(3000, true), 1096);
	CHECK_INT(reserve(1, true), 0);
	rule_unreserve(3000);
	CHECK_INT(reserve(3000, false), 3000);
	rule_unreserve(4096);
	fixture_teardown();
}

TEST(room_deny)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fx->policy.overflow = SELFHEAL_OVERFLOW_DENY;
	fill(4000);
	CHECK_INT(write_len(0, 0, block, 200, DGRAM), -ENOBUFS);
	CHECK_INT(write_len(0, 0, block, 200, STREAM), 96);	/* a partial write */
	CHECK_INT(write_len(0, 0, block, 1, STREAM), -ENOBUFS);
	CHECK_INT(fx->q->bytes, BOUND);
	/* One report until there is room again. */
	CHECK_INT(fx->overflow_events, 1);
	CHECK_INT(counter(SH_C_overflows), 3);
	quiesce(0);
	quiesce(1);
	fill(BOUND);
	CHECK_INT(write_len(0, 0, block, 1, STREAM), -ENOBUFS);
	CHECK_INT(fx->overflow_events, 2);
	fixture_teardown();
}

TEST(room_kill)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fx->policy.overflow = SELFHEAL_OVERFLOW_KILL;
	fill(BOUND);
	CHECK_INT(write_len(0, 0, block, 1, STREAM), SH_HOLD_KILL);
	CHECK_INT(write_len(0, 0, block, 1, DGRAM), SH_HOLD_KILL);
	fixture_teardown();
}

/* A datagram that never fits is no question of waiting. */
TEST(room_datagram_too_long)
{
	static const u8 rules[] = { SELFHEAL_OVERFLOW_BLOCK, SELFHEAL_OVERFLOW_DENY,
				    SELFHEAL_OVERFLOW_KILL, SELFHEAL_OVERFLOW_COMMIT };
	unsigned int i;

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	for (i = 0; i < sizeof(rules); i++) {
		fx->policy.overflow = rules[i];
		CHECK_INT(write_len(0, 0, block, BOUND + 1, DGRAM), -EMSGSIZE);
	}
	CHECK_INT(write_len(0, 0, block, BOUND, DGRAM), BOUND);
	fixture_teardown();
}

TEST(room_commit_is_a_wait_of_the_producer)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fx->policy.overflow = SELFHEAL_OVERFLOW_COMMIT;
	CHECK_INT(write_len(0, 0, block, 3 * BOUND / 2, STREAM), 3 * BOUND / 2);
	CHECK_INT(fx->object[0].sent, BOUND);
	CHECK_INT(fx->q->bytes, BOUND / 2);
	/* Another thread's bytes are not vetted by it. */
	fill(BOUND / 2);
	CHECK_INT(write_len(0, 0, block, BOUND / 2, STREAM), BOUND / 2);
	CHECK_INT(fx->object[1].sent, 0);
	fixture_teardown();
}

static int sleeps;

/* The other member comes to its wait. */
static int other_quiesces(void)
{
	struct task_struct *was = current;

	sleeps++;
	quiesce(1);
	current = was;
	return 1;
}

TEST(room_block)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	shim_sleep = other_quiesces;
	fill(BOUND);
	CHECK_INT(write_len(0, 0, block, 100, STREAM), 100);
	CHECK_INT(sleeps, 1);
	CHECK_INT(fx->object[1].sent, BOUND);
	CHECK_INT(fx->object[0].sent, 0);
	CHECK(fx->q->room.wakes > 0);
	/* So does a producer of empty datagrams, for which entries alone run out. */
	while (fx->q->entries < ENTRIES)
		CHECK_INT(write_len(1, 1, "", 0, DGRAM), 0);
	CHECK_INT(sleeps, 1);
	CHECK_INT(write_len(0, 0, "", 0, DGRAM), 0);
	CHECK_INT(sleeps, 2);
	fixture_teardown();
}

static int signal_comes(void)
{
	return -1;
}

TEST(room_block_interrupted)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	shim_sleep = signal_comes;
	fill(4000);
	CHECK_INT(write_len(0, 0, block, 200, DGRAM), -ERESTARTSYS);
	CHECK_INT(write_len(0, 0, block, 200, STREAM), 96);	/* what was taken counts */
	CHECK_INT(write_len(0, 0, block, 200, STREAM), -ERESTARTSYS);
	fixture_teardown();
}

static int domain_dies(void)
{
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	return 1;
}

/* Nobody waits for room in a domain that is being killed. */
TEST(room_block_killed)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	shim_sleep = domain_dies;
	fill(BOUND);
	CHECK_INT(write_len(0, 0, block, 1, STREAM), -EPIPE);
	set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
	fixture_teardown();
}

TEST(room_nonblock_is_told_of_room)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	/* Two halves, to see the wake-up at the half. */
	CHECK_INT(write_len(1, 1, block, BOUND / 2 - 1, STREAM), BOUND / 2 - 1);
	CHECK_INT(write_len(1, 2, block, BOUND / 2 + 1, STREAM), BOUND / 2 + 1);
	CHECK_INT(write_len(0, 0, block, 1, STREAM | NONBLOCK), -EAGAIN);
	CHECK_INT(write_len(0, 0, block, 1, STREAM | NONBLOCK), -EAGAIN);
	CHECK_INT(fx->object[0].told, 0);
	fx->object[2].capacity = 0;
	quiesce(1);
	CHECK_INT(fx->q->bytes, BOUND / 2 + 1);
	CHECK_INT(fx->object[0].told, 0);	/* more than half full yet */
	fx->object[2].capacity = WIRE;
	shim_advance(60 * MS);
	CHECK_INT(fx->q->bytes, 0);
	CHECK_INT(fx->object[0].told, 1);
	CHECK_INT(fx->object[1].told, 0);
	CHECK_INT(write_len(0, 0, block, 1, STREAM | NONBLOCK), 1);
	fixture_teardown();
}

/* A pipe's writers are woken as the pipe would; a kill wakes everybody. */
TEST(room_nonblock_pipe_and_kill)
{
	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fill(BOUND);
	CHECK_INT(write_len(0, 2, block, 1, STREAM | NONBLOCK), -EAGAIN);
	CHECK_INT(fx->object[2].pipe.wr_wait.wakes, 0);
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	CHECK_INT(sh_quarantine_drop(fx->q), BOUND);
	CHECK_INT(fx->object[2].pipe.wr_wait.wakes, 1);
	CHECK_INT(fx->object[2].file.refs, 1);
	fixture_teardown();
}

/* Empty datagrams cost memory without bytes: limits.h promises a bound on entries. */
TEST(room_empty_datagrams_are_bounded)
{
	unsigned int i, held = 0;

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fx->policy.overflow = SELFHEAL_OVERFLOW_DENY;
	for (i = 0; i < 2 * ENTRIES; i++)
		if (!write_len(0, 0, "", 0, DGRAM))
			held++;
	CHECK_INT(held, ENTRIES);
	CHECK_INT(fx->q->entries, ENTRIES);
	CHECK_INT(write_len(0, 0, "", 0, DGRAM), -ENOBUFS);
	quiesce(0);
	CHECK_INT(write_len(0, 0, "", 0, DGRAM), 0);
	fixture_teardown();
}

TEST(room_small_writes_are_bounded)
{
	unsigned int i;

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	fx->policy.overflow = SELFHEAL_OVERFLOW_DENY;
	for (i = 0; i < ENTRIES; i++)
		CHECK_INT(write_len(0, 0, "x", 1, DGRAM), 1);
	CHECK_INT(write_len(0, 0, "x", 1, DGRAM), -ENOBUFS);
	CHECK_INT(write_len(0, 0, "x", 1, STREAM), -ENOBUFS);
	fixture_teardown();
}

/* Memory of the program that cannot be read: as the object would answer, and no room lost. */
TEST(room_bad_user_memory)
{
	struct iov_iter from = { .base = (u8 *)block, .left = 100, .good = 60 };
	struct sh_output o = { .file = NULL, .channel = SELFHEAL_CHANNEL_SOCKET,
			       .space = SIZE_MAX, .timeo = MAX_SCHEDULE_TIMEOUT };

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	current = &fx->task[0];
	o.file = &fx->object[0].file;
	CHECK_INT(sh_quarantine_hold(&fx->member[0], &o, &from, 100), -EFAULT);
	CHECK_INT(fx->q->entries, 0);
	CHECK_INT(fx->q->reserved, 0);
	o.stream = true;
	from = (struct iov_iter){ .base = (u8 *)block, .left = 100, .good = 60 };
	CHECK_INT(sh_quarantine_hold(&fx->member[0], &o, &from, 100), 60);
	CHECK_INT(fx->q->bytes, 60);
	CHECK_INT(fx->q->reserved, 0);
	from = (struct iov_iter){ .base = (u8 *)block, .left = 100, .good = 0 };
	CHECK_INT(sh_quarantine_hold(&fx->member[0], &o, &from, 100), -EFAULT);
	fixture_teardown();
}

/* The object's own free space is the most that is taken of a stream. */
TEST(room_space_of_the_object)
{
	struct iov_iter from = { .base = (u8 *)block, .left = 100, .good = 100 };
	struct sh_output o = { .channel = SELFHEAL_CHANNEL_SOCKET, .stream = true, .space = 30,
			       .nonblock = true };

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	current = &fx->task[0];
	o.file = &fx->object[0].file;
	CHECK_INT(sh_quarantine_hold(&fx->member[0], &o, &from, 100), 30);
	CHECK_INT(fx->q->bytes, 30);
	CHECK_INT(from.left, 70);
	fixture_teardown();
}

/* Name and control data are copied; whichever allocation fails, nothing is held or lost. */
TEST(room_no_memory)
{
	struct sockaddr_storage name = { .ss_family = AF_INET };
	struct iov_iter from;
	struct sh_output o;
	unsigned int i, failed = 0;
	char control[16] = "control";

	fixture_setup(SELFHEAL_COMMIT_QUIESCE);
	current = &fx->task[0];
	for (i = 1; i < 20; i++) {
		from = (struct iov_iter){ .base = (u8 *)block, .left = 10, .good = 10 };
		o = (struct sh_output){
			.file = &fx->object[0].file, .channel = SELFHEAL_CHANNEL_SOCKET,
			.space = SIZE_MAX, .name = &name, .namelen = 16,
			.control = control, .controllen = sizeof(control),
		};
		shim_fail_alloc = i;
		if (sh_quarantine_hold(&fx->member[0], &o, &from, 10) == 10)
			break;
		failed++;
		CHECK_INT(shim_fail_alloc, 0);
		CHECK_INT(fx->q->entries, 0);
		CHECK_INT(fx->q->reserved, 0);
		CHECK_INT(fx->object[0].file.refs, 1);
		CHECK_INT(fx->cred.refs, 1);
		CHECK_INT(counter(SH_C_hold_failed), failed);
	}
	shim_fail_alloc = 0;
	CHECK_INT(failed, 4);	/* entry, name, control data, object */
	CHECK_INT(fx->q->entries, 1);
	shim_fail_alloc = 1;
	CHECK_INT(sh_quarantine_hold_shutdown(&fx->member[0], &fx->object[0].file, false),
		  -ENOMEM);
	shim_fail_alloc = 2;
	CHECK_INT(sh_quarantine_hold_shutdown(&fx->member[0], &fx->object[0].file, false),
		  -ENOMEM);
	CHECK_INT(fx->q->entries, 1);
	fixture_teardown();
}
