// SPDX-License-Identifier: GPL-2.0
/* All races of a program, and what is told of each; see race.h. */
#include <errno.h>
#include <fcntl.h>
#include <kselftest.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "race.h"

#define RCVBUF (64 << 20)
#define QLEN "/proc/sys/net/unix/max_dgram_qlen"

long race_result(long n)
{
	return n < 0 ? -errno : n;
}

void race_deep(bool deep)
{
	static char old[32];

	if (deep && slurp(QLEN, old, sizeof(old)) > 0)
		write_file(QLEN, "4096");
	else if (!deep && old[0])
		write_file(QLEN, old);
}

int race_pair(struct race *x, int i, enum channel_kind kind)
{
	int size = RCVBUF, err;
	struct pair p;

	race_deep(true);
	err = pair_open(&p, kind);
	race_deep(false);
	/* The case's directory goes with the case. */
	if (p.path[0])
		unlink(p.path);
	x->rx[i] = p.rx;
	x->tx[i] = p.tx;
	/* What a datagram socket has no room for is lost without us, too. */
	setsockopt(p.rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return err;
}

/* The same word for the rows of other programs that it stands for. */
static void tell_covered(const char *covers, const char *word)
{
	char list[1024], *name, *rest;

	snprintf(list, sizeof(list), "%s", covers);
	for (name = strtok_r(list, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		printf("# ROW %s race=%s\n", name, word);
}

void race_tell(const struct race_case *how, struct race *x, unsigned int tries, uint64_t flips)
{
	const char *bad = x->escaped ? "ESCAPED" : "FAILED";
	bool good = !x->escaped && !x->failed;
	char word[32];

	if (x->absent) {
		ksft_test_result_skip("%s: this kernel has no such thing\n", how->row);
		printf("# ROW %s channel=\"%s\" held=skipped frozen=skipped release=skipped "
		       "race=skipped note=\"absent\"\n", how->row, how->channel);
		if (how->covers)
			tell_covered(how->covers, "skipped");
		return;
	}
	if (good && !flips) {
		good = false;
		snprintf(x->why, sizeof(x->why), "nothing was flipped: this proves nothing");
	}
	if (!good)
		ksft_print_msg("%s: %s%s\n", how->row, x->escaped ? "ESCAPED: " : "", x->why);
	ksft_test_result(good, "%s\n", how->row);
	snprintf(word, sizeof(word), "0/%u", tries);
	if (how->passes)
		snprintf(word, sizeof(word), "passed");
	printf("# ROW %s channel=\"%s\" held=%s frozen=%s release=%s race=%s note=\"%s\"\n",
	       how->row, how->channel, good ? how->passes ? "passed" : "held" : bad,
	       good ? how->passes ? "passed" : "silent" : bad, good ? "all" : bad,
	       good ? word : bad, how->note ? how->note : "");
	if (how->covers)
		tell_covered(how->covers, good ? word : bad);
}

bool race_chosen(const char *row)
{
	const char *only = getenv("RACE_ONLY");

	return !only || !strcmp(only, row);
}

/*
 * Hooks go when no policy needs them, and a while is gone before they are back: one policy that
 * stays keeps them, between the many that come and go.
 */
static struct nlc keeper;
static struct policy kept;

void race_begin(unsigned int n)
{
	ksft_print_header();
	ksft_set_plan(n);
	if (nlc_open(&keeper))
		return;
	policy_init(&kept);
	policy_hold(&kept);
	kept.exec_sense = true;
	kept.allow[0] = "/proc/self/exe";
	if (policy_load(&keeper, &kept))
		ksft_print_msg("no policy keeps the hooks: %s\n", keeper.ext);
}

int race_end(void)
{
	policy_unload(&keeper, kept.name);
	nlc_close(&keeper);
	ksft_print_cnts();
	return ksft_get_fail_cnt() ? KSFT_FAIL : KSFT_PASS;
}

void race_tell_control(const struct race_case *how, const struct race *x)
{
	if (x->failed || x->escaped)
		ksft_print_msg("%s: %s\n", how->row, x->why);
	ksft_test_result(!x->failed && !x->escaped, "%s\n", how->row);
}

static void be_fooled(struct page *page, void *arg)
{
	struct race *x = arg;
	unsigned int i = 0;
	pthread_t t;

	if (x->how->prepare)
		x->how->prepare(x);
	pthread_create(&t, NULL, race_flip_thread, x);
	while (!x->how->fooled(x, i++))
		page->count[RACE_DONE]++;
}

static void control(const struct race_case *how)
{
	struct page *page = page_new();
	struct race x = { .how = how };
	int err, i;

	x.shared = mmap(NULL, RACE_SHARED, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	strcpy(x.dir, "/tmp/selfheal.race.XXXXXX");
	if (x.shared == MAP_FAILED || !mkdtemp(x.dir))
		abort();
	err = how->open(&x);
	for (i = 0; i < RACE_RX && !err; i++) {
		if (x.rx[i] > 0 && fcntl(x.rx[i], F_SETFL, O_NONBLOCK))
			err = -errno;
	}
	x.r.kid.page = page;
	if (!err)
		err = child_start_on(&x.r.kid, page, be_fooled, &x);
	page_go(page, 1);
	if (err)
		race_fail(&x, "cannot begin: %s", strerror(-err));
	else if (!child_exited(&x.r.kid, BOUND, 0))
		race_fail(&x, "%llu tries, and none met the flipper",
			  (unsigned long long)page->count[RACE_DONE]);
	else
		ksft_print_msg("%s: a judge that looks before the call is fooled by try %llu\n",
			       how->row, (unsigned long long)page->count[RACE_DONE]);
	race_tell_control(how, &x);
	child_end(&x.r.kid);
	if (how->close)
		how->close(&x);
	race_shut(&x);
	munmap(x.shared, RACE_SHARED);
	race_dir_remove(&x);
}

static void race_all(const struct race_case *how)
{
	static const enum race_who all[] = { BY_THREAD, BY_VM, BY_OUTSIDER };
	unsigned int w, tries = 0, kinds = __builtin_popcount(how->flippers);
	struct race x, sum = { 0 };
	uint64_t flips = 0;

	for (w = 0; w < sizeof(all) / sizeof(all[0]) && !sum.why[0]; w++) {
		if (!(how->flippers & all[w]))
			continue;
		memset(&x, 0, sizeof(x));
		x.how = how;
		x.who = all[w];
		x.tries = race_tries(how) / kinds + 1;
		flips += race_with(&x);
		tries += x.tries;
		sum.escaped |= x.escaped;
		sum.failed |= x.failed;
		sum.absent |= x.absent;
		snprintf(sum.why, sizeof(sum.why), "%s", x.why);
	}
	race_tell(how, &sum, tries, flips);
}

int race_run(const struct race_case *cases, unsigned int n)
{
	unsigned int i, chosen = 0;

	for (i = 0; i < n; i++)
		chosen += race_chosen(cases[i].row);
	race_begin(chosen);
	for (i = 0; i < n; i++) {
		if (!race_chosen(cases[i].row))
			continue;
		if (cases[i].fooled)
			control(&cases[i]);
		else
			race_all(&cases[i]);
	}
	return race_end();
}
