// SPDX-License-Identifier: GPL-2.0
/*
 * The module's quarantine under any sequence of sends, waits, freezes,
 * verdicts, rollbacks, full and broken objects and failing allocations: the
 * sums agree after each step, what leaves an object is what was put into it in
 * this order, and a frozen domain sends nothing (the objects of the fixture
 * see to that). The bytes of the input are the steps.
 */
#include "fixture.h"
#include "fuzz.h"

#define STEPS_MAX 400

static const uint8_t *next_byte, *input_end;

/* Words that were taken on each object; the pattern is their number. */
static uint16_t taken[OBJECTS];
/* Something that was taken will never leave it. */
static bool lossy[OBJECTS];
static size_t looked[OBJECTS];	/* bytes of the wire that have been compared */

void check_true(const char *file, int line, bool good, const char *text)
{
	if (!good)
		shim_bug(file, line, text);
}

void check_int(const char *file, int line, long long seen, long long expected, const char *text)
{
	if (seen != expected)
		fprintf(stderr, "%lld, not %lld\n", seen, expected);
	check_true(file, line, seen == expected, text);
}

void check_str(const char *file, int line, const char *seen, const char *expected)
{
	check_true(file, line, !strcmp(seen, expected), expected);
}

void test_about(const char *text)
{
	(void)text;
}

static uint8_t take(void)
{
	return next_byte < input_end ? *next_byte++ : 0;
}

static bool runs(void)
{
	return sh_state_runs(fx->domain.state);
}

static void step_write(unsigned int m, unsigned int o)
{
	static uint16_t words[1024];
	unsigned int n = 1 + take() * 4u % 1023, i;
	ssize_t ret;

	if (taken[o] > 60000)
		return;
	for (i = 0; i < n; i++)
		words[i] = taken[o] + i;
	ret = write_len(m, o, words, 2 * n, STREAM | NONBLOCK);
	MUST(ret <= (ssize_t)(2 * n) && ret != 0);
	/* A bound that is odd would cut a word: it is even. */
	MUST(ret < 0 || !(ret % 2));
	if (ret > 0)
		taken[o] += ret / 2;
}

static void step_shutdown(unsigned int m, unsigned int o)
{
	struct object *obj = &fx->object[o];
	bool shut, any;

	current = &fx->task[m];
	sh_quarantine_held_on(fx->q, &obj->file, &shut, &any);
	if (obj->channel == SELFHEAL_CHANNEL_SOCKET && !shut && !obj->shut)
		sh_quarantine_hold_shutdown(&fx->member[m], &obj->file, false);
	/* What is written behind it is refused before it comes here. */
	taken[o] = 60001;
}

static void step_undo(unsigned int m)
{
	LIST_HEAD(drop);
	unsigned int o;

	if (runs())
		return;
	sh_quarantine_undo(fx->q, &fx->member[m], &drop);
	sh_quarantine_undone(fx->q, &drop);
	for (o = 0; o < OBJECTS; o++)
		lossy[o] = true;
}

static void step_verdict(bool release)
{
	unsigned int o;

	if (runs())
		return;
	if (release) {
		sh_quarantine_release(fx->q);
		set_state(SELFHEAL_DOMAIN_STATE_RUNNING);
		sh_quarantine_kick(fx->q);
		return;
	}
	set_state(SELFHEAL_DOMAIN_STATE_KILLING);
	sh_quarantine_drop(fx->q);
	for (o = 0; o < OBJECTS; o++)
		lossy[o] = true;
	next_byte = input_end;
}

static void step_other(uint8_t op, unsigned int m, unsigned int o)
{
	static const int errors[] = { -EPIPE, -ENOMEM, -ENOBUFS, -ECONNRESET };

	current = &fx->task[m];
	switch (op) {
	case 0:
		sh_quarantine_quiesce(&fx->member[m]);
		break;
	case 1:
		sh_quarantine_member_exit(&fx->member[m]);
		break;
	case 2:
		set_state(SELFHEAL_DOMAIN_STATE_FROZEN);
		break;
	case 3:
		step_verdict(true);
		break;
	case 4:
		step_verdict(take() % 16);
		break;
	case 5:
		fx->object[o].capacity = min_t(size_t, fx->object[o].sent + 2 * take(), WIRE);
		break;
	case 6:
		fx->object[o].capacity = WIRE;
		break;
	case 7:
		fx->object[o].error = errors[take() % 4];
		/* Want of memory passes. */
		lossy[o] |= fx->object[o].error == -EPIPE || fx->object[o].error == -ECONNRESET;
		break;
	case 8:
		shim_advance(take() * MS);
		break;
	case 9:
		sh_quarantine_vet(fx->q, &fx->member[m]);
		break;
	case 10:
		step_undo(m);
		break;
	case 11:
		shim_fail_alloc = take() % 4;
		break;
	case 12:
		step_shutdown(m, o);
		break;
	}
}

/* The words come in the order of their numbers; none is missing where nothing was dropped. */
static void check_wire(unsigned int o)
{
	struct object *obj = &fx->object[o];
	uint16_t word, last = 0;

	MUST(obj->sent <= 2 * 65536);
	for (; looked[o] + 2 <= obj->sent; looked[o] += 2) {
		memcpy(&word, obj->wire + looked[o], 2);
		if (looked[o])
			memcpy(&last, obj->wire + looked[o] - 2, 2);
		if (lossy[o])
			MUST(!looked[o] || word > last);
		else
			MUST(word == looked[o] / 2);
	}
}

static void check_sums(void)
{
	u64 bytes = 0, sum = 0;
	struct sh_held *h;
	u32 entries = 0;
	unsigned int o;

	list_for_each_entry(h, &fx->q->log, log) {
		MUST(h->off <= h->len);
		bytes += h->len;
		entries++;
	}
	MUST(fx->q->bytes == bytes && fx->q->entries == entries && !fx->q->reserved);
	MUST(fx->q->bytes <= fx->policy.max_bytes);
	MUST(fx->q->total == fx->q->bytes + fx->q->committed + fx->q->dropped);
	for (o = 0; o < OBJECTS; o++) {
		check_wire(o);
		sum += fx->object[o].sent;
	}
	/* What has left is counted when its entry is done. */
	MUST(sum >= fx->q->committed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u32 commits[] = {
		SELFHEAL_COMMIT_QUIESCE, SELFHEAL_COMMIT_DELAY,
		SELFHEAL_COMMIT_QUIESCE | SELFHEAL_COMMIT_DELAY, 0,
	};
	unsigned int steps, m, o;
	uint8_t byte;

	next_byte = data;
	input_end = data + size;
	memset(taken, 0, sizeof(taken));
	memset(lossy, 0, sizeof(lossy));
	memset(looked, 0, sizeof(looked));
	byte = take();
	fixture_setup(commits[byte % 4]);
	fx->policy.overflow = byte & 4 ? SELFHEAL_OVERFLOW_DENY :
			      fx->policy.commit & SELFHEAL_COMMIT_QUIESCE && byte & 8 ?
			      SELFHEAL_OVERFLOW_COMMIT : SELFHEAL_OVERFLOW_BLOCK;
	for (steps = 0; next_byte < input_end && steps < STEPS_MAX; steps++) {
		byte = take();
		m = byte % MEMBERS;
		o = byte / MEMBERS % OBJECTS;
		/* Of 256 values, 6 for each pair and op; a third of all are writes. */
		if (byte / 6 < 14)
			step_write(m, o);
		else
			step_other((byte / 6 - 14) % 13, m, o);
		check_sums();
	}
	shim_fail_alloc = 0;
	fixture_teardown();
	return 0;
}
