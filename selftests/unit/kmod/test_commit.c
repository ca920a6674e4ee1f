// SPDX-License-Identifier: GPL-2.0
/* Output commit: what is due, in which order it leaves, and what never does. */
#include "fixture.h"

#define QUIESCE	SELFHEAL_COMMIT_QUIESCE
#define DELAY	SELFHEAL_COMMIT_DELAY

static void quiesce(unsigned int m)
{
	current = &fx->task[m];
	sh_quarantine_quiesce(&fx->member[m]);
	CHECK(!fx->member[m].committing);
}

/* The worker's next turn; no delay is over by it. */
static void settle(void)
{
	shim_advance(0);
}

TEST(commit_due_rule)
{
	static const struct {
		u32 commit;
		bool due, quiesced;
		long long age_ms;	/* of a delay of 100 ms */
		bool want;
	} rows[] = {
		/* By verdict alone: only the release counts. */
		{ 0, false, false, 0, false },
		{ 0, false, true, 1000000, false },
		{ 0, true, false, 0, true },
		{ QUIESCE, false, false, 0, false },
		{ QUIESCE, false, false, 1000000, false },
		{ QUIESCE, false, true, 0, true },
		{ QUIESCE, true, false, 0, true },
		/* Without quiesce output is filed as quiesced. */
		{ DELAY, false, true, 0, false },
		{ DELAY, false, true, 99, false },
		{ DELAY, false, true, 100, true },
		{ DELAY, false, true, 101, true },
		{ DELAY, true, true, 0, true },
		/* Both: both. */
		{ QUIESCE | DELAY, false, false, 0, false },
		{ QUIESCE | DELAY, false, false, 1000000, false },
		{ QUIESCE | DELAY, false, true, 0, false },
		{ QUIESCE | DELAY, false, true, 99, false },
		{ QUIESCE | DELAY, false, true, 100, true },
		{ QUIESCE | DELAY, true, false, 0, true },
	};
	unsigned int i;
	char about[96];

	fixture_setup(0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sh_held h = { .stamp = 7000 * MS, .due = rows[i].due,
				     .quiesced = rows[i].quiesced };
		u64 wait = U64_MAX;

		snprintf(about, sizeof(about), "row %u", i);
		test_about(about);
		fx->policy.commit = rows[i].commit;
		CHECK_INT(rule_due(&h, (7000 + rows[i].age_ms) * MS, &wait), rows[i].want);
		if (rows[i].want)
			CHECK(wait == U64_MAX);
	}
	fixture_teardown();
}

/* The wait that the rule names ends no sooner than the delay, and at most 1 ms later. */
TEST(commit_wait_until_due)
{
	static const u64 ages[] = { 0, 1, 999999, 1000000, 1000001, 50 * MS, 99 * MS,
				    100 * MS - 1 };
	static const u32 delays[] = { 1, 100, 60000 };
	struct sh_held h = { .stamp = 5 * MS, .quiesced = true };
	unsigned int i, k;
	u64 wait, ready, now;

	fixture_setup(DELAY);
	for (k = 0; k < 3; k++) {
		fx->policy.commit_delay_ms = delays[k];
		ready = h.stamp + delays[k] * MS;
		for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
			now = h.stamp + ages[i];
			wait = U64_MAX;
			if (now >= ready) {
				CHECK(rule_due(&h, now, &wait));
				continue;
			}
			CHECK(!rule_due(&h, now, &wait));
			CHECK(now + wait * MS >= ready && now + wait * MS <= ready + MS);
			wait = 1;
			CHECK(!rule_due(&h, now, &wait));
			CHECK_INT(wait, 1);	/* the shortest counts */
		}
	}
	fixture_teardown();
}

TEST(commit_at_the_producers_wait)
{
	fixture_setup(QUIESCE);
	CHECK_INT(write_text(0, 0, "one "), 4);
	CHECK_INT(write_text(0, 0, "two "), 4);
	CHECK_INT(write_text(1, 1, "other"), 5);
	settle();
	shim_advance(100000 * MS);
	CHECK_WIRE(0, "");
	quiesce(0);
	CHECK_WIRE(0, "one two ");
	CHECK_WIRE(1, "");		/* another thread's */
	quiesce(0);
	CHECK_WIRE(1, "");
	quiesce(1);
	CHECK_WIRE(1, "other");
	CHECK_INT(fx->q->committed, 13);
	fixture_teardown();
}

/* Bytes behind another thread's unvetted bytes wait for them. */
TEST(commit_order_across_threads)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "a1");
	write_text(1, 0, "b1");
	write_text(1, 1, "b2");
	write_text(0, 0, "a2");
	quiesce(1);
	CHECK_WIRE(0, "");
	CHECK_WIRE(1, "b2");
	quiesce(0);
	CHECK_WIRE(0, "a1b1a2");
	fixture_teardown();
}

TEST(commit_by_delay)
{
	u64 start;

	fixture_setup(DELAY);
	start = shim_now;
	write_text(0, 0, "x");
	shim_advance(40 * MS);
	write_text(0, 0, "y");
	quiesce(0);
	shim_advance(start + 100 * MS - 1 - shim_now);
	CHECK_WIRE(0, "");
	shim_advance(1 + 8 * MS);	/* two jiffies */
	CHECK_WIRE(0, "x");
	shim_advance(start + 140 * MS - 1 - shim_now);
	CHECK_WIRE(0, "x");
	shim_advance(1 + 8 * MS);
	CHECK_WIRE(0, "xy");
	fixture_teardown();
}

TEST(commit_by_both)
{
	u64 start;

	fixture_setup(QUIESCE | DELAY);
	start = shim_now;
	write_text(0, 0, "x");
	shim_advance(20 * MS);
	quiesce(0);
	shim_advance(start + 100 * MS - 1 - shim_now);
	CHECK_WIRE(0, "");
	shim_advance(1 + 8 * MS);
	CHECK_WIRE(0, "x");
	/* The delay alone does not do. */
	write_text(0, 0, "y");
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "x");
	quiesce(0);
	CHECK_WIRE(0, "xy");
	fixture_teardown();
}

TEST(commit_by_verdict_alone)
{
	fixture_setup(0);
	CHECK(!sh_quarantine_needs_verdict(fx->q));
	write_text(0, 0, "x");
	CHECK(sh_quarantine_needs_verdict(fx->q));
	quiesce(0);
	sh_quarantine_member_exit(&fx->member[0]);
	shim_advance(100000 * MS);
	CHECK_WIRE(0, "");
	CHECK_INT(sh_quarantine_release(fx->q), 1);
	CHECK(!sh_quarantine_needs_verdict(fx->q));
	sh_quarantine_kick(fx->q);
	settle();
	CHECK_WIRE(0, "x");
	fixture_teardown();
}

static const u8 stopped[] = {
	SELFHEAL_DOMAIN_STATE_FREEZING, SELFHEAL_DOMAIN_STATE_FROZEN,
	SELFHEAL_DOMAIN_STATE_RELEASING, SELFHEAL_DOMAIN_STATE_ROLLING_BACK,
	SELFHEAL_DOMAIN_STATE_KILLING,
};

/* Whatever was due: no byte leaves a domain that does not run. */
TEST(commit_nothing_while_stopped)
{
	unsigned int i;

	fixture_setup(QUIESCE | DELAY);
	write_text(0, 0, "secret");
	write_text(1, 2, "secret");
	for (i = 0; i < sizeof(stopped); i++) {
		set_state(stopped[i]);
		quiesce(0);
		sh_quarantine_member_exit(&fx->member[1]);
		sh_quarantine_kick(fx->q);
		shim_advance(1000 * MS);
		CHECK_WIRE(0, "");
		CHECK_WIRE(2, "");
	}
	fixture_teardown();
}

/* The send that the freeze comes upon is seen to its end (see object_send()); no other begins. */
TEST(commit_amid_a_freeze)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "begun");
	write_text(0, 0, "not begun");
	write_text(0, 1, "not begun");
	fx->freeze_amid = true;
	quiesce(0);
	CHECK(!sh_quarantine_sends(fx->q));
	sh_quarantine_kick(fx->q);
	settle();
	CHECK_WIRE(0, "begun");
	CHECK_WIRE(1, "");
	/* One that the object could not take at once is over, too. */
	set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
	fx->object[0].capacity = 7;
	sh_quarantine_kick(fx->q);
	settle();
	CHECK(!sh_quarantine_sends(fx->q));
	CHECK_WIRE(0, "begunno");
	fixture_teardown();
}

TEST(commit_release)
{
	fixture_setup(QUIESCE | DELAY);
	write_text(0, 0, "a");
	write_text(1, 0, "b");
	write_text(1, 2, "c");
	set_state(SELFHEAL_DOMAIN_STATE_FROZEN);
	CHECK_INT(sh_quarantine_release(fx->q), 3);
	set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
	sh_quarantine_kick(fx->q);
	settle();
	CHECK_WIRE(0, "ab");
	CHECK_WIRE(2, "c");
	/* A release is of what was held, not of what comes. */
	write_text(0, 0, "d");
	sh_quarantine_kick(fx->q);
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "ab");
	fixture_teardown();
}

TEST(commit_drop)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "sent");
	quiesce(0);
	write_text(0, 0, "secret");
	write_text(1, 2, "secret");
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	CHECK_INT(sh_quarantine_drop(fx->q), 12);
	CHECK_INT(fx->q->dropped, 12);
	CHECK_INT(counter(SH_C_dropped_bytes), 12);
	CHECK_INT(fx->q->entries, 0);
	shim_advance(1000 * MS);
	/* Not when the domain counts as gone, either. */
	set_state(SELFHEAL_DOMAIN_STATE_GONE);
	sh_quarantine_kick(fx->q);
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "sent");
	CHECK_WIRE(2, "");
	fixture_teardown();
}

/* What arrives after a kill never leaves. */
TEST(commit_killed_stays_killed)
{
	fixture_setup(QUIESCE);
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	CHECK_INT(sh_quarantine_drop(fx->q), 0);
	write_text(0, 0, "late");
	set_state(SELFHEAL_DOMAIN_STATE_GONE);
	sh_quarantine_member_exit(&fx->member[0]);
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "");
	CHECK_INT(fx->q->dropped, 4);
	fixture_teardown();
}

/* Of what leaves together all but the last have more behind them. */
TEST(commit_announces_more)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "a");
	write_text(0, 0, "b");
	write_text(0, 0, "c");
	write_text(0, 1, "alone");
	quiesce(0);
	CHECK_WIRE(0, "abc");
	CHECK_INT(fx->object[0].more, 2);
	CHECK_INT(fx->object[1].more, 0);
	/* The next one is another thread's, which has not waited. */
	write_text(0, 1, "due");
	write_text(1, 1, "not");
	quiesce(0);
	CHECK_WIRE(1, "alonedue");
	CHECK_INT(fx->object[1].more, 0);
	fixture_teardown();
}

/* A full object gets the rest later, once, in order; others are not kept waiting. */
TEST(commit_full_object)
{
	u64 tries;

	fixture_setup(QUIESCE);
	fx->object[0].capacity = 3;
	write_text(0, 0, "abcd");
	write_text(0, 0, "efgh");
	write_text(0, 1, "free");
	quiesce(0);
	CHECK_WIRE(0, "abc");
	CHECK_WIRE(1, "free");
	CHECK(shim_next_due() != U64_MAX);
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "abc");
	/* Tried again, but not in a tight loop: 50 ms apart in the end. */
	tries = counter(SH_C_commit_retries);
	CHECK(tries >= 20 && tries <= 40);
	fx->object[0].capacity = 6;
	shim_advance(60 * MS);
	CHECK_WIRE(0, "abcdef");
	fx->object[0].capacity = WIRE;
	shim_advance(60 * MS);
	CHECK_WIRE(0, "abcdefgh");
	CHECK_INT(counter(SH_C_committed_bytes), 12);
	fixture_teardown();
}

TEST(commit_freeze_in_the_middle_of_an_entry)
{
	fixture_setup(QUIESCE);
	fx->object[0].capacity = 2;
	write_text(0, 0, "abcd");
	quiesce(0);
	CHECK_WIRE(0, "ab");
	set_state(SELFHEAL_DOMAIN_STATE_FROZEN);
	fx->object[0].capacity = WIRE;
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "ab");
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	CHECK_INT(sh_quarantine_drop(fx->q), 2);	/* the rest */
	shim_advance(1000 * MS);
	CHECK_WIRE(0, "ab");
	/* Half of the entry went out, half was dropped. */
	CHECK_INT(fx->q->dropped, 2);
	CHECK_INT(fx->q->committed, 2);
	fixture_teardown();
}

/* An object that refuses an entry does not keep what is behind it. */
TEST(commit_object_error)
{
	fixture_setup(QUIESCE);
	fx->object[0].error = -EPIPE;
	write_text(0, 0, "bad ");
	write_text(0, 0, "good");
	quiesce(0);
	CHECK_WIRE(0, "good");
	CHECK_INT(counter(SH_C_commit_errors), 1);
	fixture_teardown();
}

/* For want of memory: later, and whole. */
TEST(commit_object_short_of_memory)
{
	static const int errors[] = { -ENOMEM, -ENOBUFS };
	unsigned int i;

	fixture_setup(QUIESCE);
	for (i = 0; i < 2; i++) {
		fx->object[i].error = errors[i];
		write_text(0, i, "first ");
		write_text(0, i, "second");
		quiesce(0);
		CHECK_WIRE(i, "");
		shim_advance(100 * MS);
		CHECK_WIRE(i, "first second");
	}
	CHECK_INT(counter(SH_C_commit_errors), 0);
	fixture_teardown();
}

TEST(commit_shutdown_after_the_data)
{
	bool shut, any;

	fixture_setup(QUIESCE);
	fx->object[0].capacity = 1;
	current = &fx->task[0];
	CHECK_INT(sh_quarantine_held_on(fx->q, &fx->object[0].file, &shut, &any), 0);
	CHECK(!shut && !any);
	write_text(0, 0, "abc");
	CHECK_INT(sh_quarantine_hold_shutdown(&fx->member[0], &fx->object[0].file, false), 0);
	CHECK_INT(sh_quarantine_held_on(fx->q, &fx->object[0].file, &shut, &any), 3);
	CHECK(shut && any);
	CHECK_INT(sh_quarantine_held_on(fx->q, &fx->object[1].file, &shut, &any), 0);
	CHECK(!shut && !any);
	quiesce(0);
	CHECK(!fx->object[0].shut);
	fx->object[0].capacity = WIRE;
	shim_advance(60 * MS);
	CHECK_WIRE(0, "abc");
	CHECK(fx->object[0].shut);
	CHECK_INT(sh_quarantine_held_on(fx->q, &fx->object[0].file, &shut, &any), 0);
	CHECK(!shut && !any);
	fixture_teardown();
}

TEST(commit_at_the_members_end)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "last words");
	current = &fx->task[0];
	sh_quarantine_member_exit(&fx->member[0]);
	CHECK_WIRE(0, "");		/* not by the dying task */
	settle();
	CHECK_WIRE(0, "last words");
	fixture_teardown();
}

/* The program closed the object: it ends when the data is out, before the wait. */
TEST(commit_closed_object)
{
	fixture_setup(QUIESCE);
	write_text(0, 0, "x");
	quiesce(0);
	CHECK_INT(fx->task_work_runs, 0);
	write_text(0, 0, "y");
	CHECK_INT(fx->object[0].file.refs, 2);
	fput(&fx->object[0].file);	/* close(2) */
	quiesce(0);
	CHECK_WIRE(0, "xy");
	CHECK_INT(fx->object[0].file.refs, 0);
	CHECK_INT(fx->task_work_runs, 1);
	fx->object[0].file.refs = 1;
	fixture_teardown();
}

TEST(commit_dump)
{
	struct sh_held_info info;
	char data[4];
	u64 after = 0;
	unsigned int n = 0;

	fixture_setup(QUIESCE);
	write_text(0, 0, "first entry");
	write_text(1, 2, "2nd");
	while (sh_quarantine_next(fx->q, after, &info, data, sizeof(data))) {
		CHECK_INT(info.seq, after + 1);
		CHECK_INT(info.len, n ? 3 : 11);
		CHECK_INT(info.data_len, n ? 3 : 4);
		CHECK(!memcmp(data, n ? "2nd" : "firs", info.data_len));
		CHECK_INT(info.tid, n ? 11 : 10);
		CHECK_INT(info.object, n ? 502 : 500);
		CHECK_INT(info.channel, n ? SELFHEAL_CHANNEL_PIPE : SELFHEAL_CHANNEL_SOCKET);
		after = info.seq;
		n++;
	}
	CHECK_INT(n, 2);
	CHECK(sh_quarantine_next(fx->q, 0, &info, NULL, 0));
	CHECK_INT(info.data_len, 0);	/* contents only when asked for */
	fixture_teardown();
}

/*
 * Any mix of writes, waits, freezes, releases, time and full objects: each
 * object gets a beginning of what was written to it, in order, and in the
 * end all of it.
 */
static void mix(unsigned int seed, u32 commit)
{
	char wrote[OBJECTS][8192], text[8];
	size_t len[OBJECTS] = { 0 }, before;
	unsigned int step, o, m, n;
	bool frozen = false;

	srandom(seed);
	fixture_setup(commit);
	for (step = 0; step < 600; step++) {
		o = random() % OBJECTS;
		m = random() % MEMBERS;
		before = fx->object[o].sent;
		switch (random() % 8) {
		case 0 ... 2:
			n = 1 + random() % 5;
			snprintf(text, sizeof(text), "%05u", step);
			if (frozen || len[o] + n > sizeof(wrote[o]) ||
			    write_len(m, o, text, n, STREAM | NONBLOCK) != n)
				break;
			memcpy(wrote[o] + len[o], text, n);
			len[o] += n;
			break;
		case 3:
			quiesce(m);
			break;
		case 4:
			shim_advance(random() % (60 * MS));
			break;
		case 5:
			fx->object[o].capacity = before + random() % 64;
			break;
		case 6:
			set_state(SELFHEAL_DOMAIN_STATE_FROZEN);
			frozen = true;
			break;
		case 7:
			if (frozen && random() % 2)
				sh_quarantine_release(fx->q);
			set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
			frozen = false;
			sh_quarantine_kick(fx->q);
			break;
		}
		for (o = 0; o < OBJECTS; o++) {
			CHECK(fx->object[o].sent <= len[o]);
			CHECK(!memcmp(fx->object[o].wire, wrote[o], fx->object[o].sent));
		}
	}
	sh_quarantine_release(fx->q);
	set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
	for (o = 0; o < OBJECTS; o++)
		fx->object[o].capacity = WIRE;
	sh_quarantine_kick(fx->q);
	shim_advance(100 * MS);
	for (o = 0; o < OBJECTS; o++) {
		CHECK(fx->object[o].sent == len[o]);
		CHECK(!memcmp(fx->object[o].wire, wrote[o], len[o]));
	}
	fixture_teardown();
}

TEST(commit_mix)
{
	char about[64];
	unsigned int seed;

	for (seed = 1; seed <= 200; seed++) {
		snprintf(about, sizeof(about), "seed %u", seed);
		test_about(about);
		mix(seed, seed % 4);
	}
}
