// SPDX-License-Identifier: GPL-2.0
/* The decision for every system call, by name against the tables of both ABIs. */

/* As Linux 6.12 has it, the newest that the module supports. */
#define NR_syscalls		463
#define IA32_NR_syscalls	463

#include "gate/calls.c"

#include "test.h"

struct number {
	const char *name;
	unsigned int nr;
};

static const struct number numbers_64[] = {
#include "numbers_64.h"
	{ 0 }
};

static const struct number numbers_32[] = {
#include "numbers_32.h"
	{ 0 }
};

static const struct number *const numbers[] = { numbers_64, numbers_32 };
static const char *const abi_names[] = { "x86-64", "i386" };

#include "expected_calls.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static int number(unsigned int abi, const char *name)
{
	const struct number *n;

	for (n = numbers[abi]; n->name; n++)
		if (!strcmp(n->name, name))
			return n->nr;
	return -1;
}

static const char *name_of(unsigned int abi, unsigned int nr)
{
	const struct number *n;

	for (n = numbers[abi]; n->name; n++)
		if (n->nr == nr && nr < NR_syscalls)
			return n->name;
	return NULL;
}

/* For a number without a name: other, if the kernel can have it at all. */
static const struct expected *decision(unsigned int abi, unsigned int nr)
{
	static const struct expected passes, unknown = { .channel = CHANNEL(OTHER) };
	const char *name = name_of(abi, nr);
	size_t i;

	if (!name)
		return nr < NR_syscalls ? &unknown : &passes;
	for (i = 0; i < COUNT(expected); i++)
		if ((expected[i].abis & (1u << abi)) && !strcmp(expected[i].name, name))
			return &expected[i];
	return &passes;
}

static void about(unsigned int abi, unsigned int nr, const char *what)
{
	static char text[96];
	const char *name = name_of(abi, nr);

	snprintf(text, sizeof(text), "%s %u (%s) %s", abi_names[abi], nr, name ? name : "no call",
		 what);
	test_about(text);
}

static void set(u8 *map, unsigned int nr)
{
	map[nr / 8] |= 1u << nr % 8;
}

/* A policy on the heap, so that a write out of bounds is seen. */
static struct sh_policy *policy(void)
{
	struct sh_policy *p = calloc(1, sizeof(*p));

	/* What a compilation must overwrite. */
	memset(p->call, 0xff, sizeof(p->call));
	return p;
}

/* The byte that @e gives under a policy that denies its channel, or not. */
static u8 compiled(const struct expected *e, bool denies)
{
	u8 class = e->class;

	if (e->channel && denies)
		class |= SH_CALL_DENY;
	else if (e->judge >= SH_JUDGE_CHANNEL && !(e->class & SH_CALL_TAMPER))
		class &= ~SH_CALL_JUDGE;
	return class;
}

TEST(calls_names_of_the_expectations_exist)
{
	unsigned int i, abi;

	for (i = 0; i < COUNT(expected); i++) {
		test_about(expected[i].name);
		if ((expected[i].abis & NEWER) && number(0, expected[i].name) < 0)
			continue;
		for (abi = 0; abi < SH_ABIS; abi++)
			CHECK_INT(number(abi, expected[i].name) >= 0,
				  !!(expected[i].abis & (1u << abi)));
	}
}

/* No call that a supported kernel has is left to the default. */
TEST(calls_every_number_is_decided)
{
	const struct number *n;
	unsigned int abi, seen = 0;

	for (abi = 0; abi < SH_ABIS; abi++)
		for (n = numbers[abi]; n->name; n++) {
			if (n->nr >= NR_syscalls)
				continue;
			about(abi, n->nr, "is decided");
			CHECK(sh_calls[abi][n->nr]);
			seen++;
		}
	CHECK(seen > 750);
}

/* And there is no decision about a number that has no name. */
TEST(calls_no_number_is_decided_by_mistake)
{
	unsigned int abi, nr;

	/* Headers of Linux 6.1 alone do not name the calls from 451 on. */
	if (number(SH_ABI_64, "mseal") < 0)
		return;
	for (abi = 0; abi < SH_ABIS; abi++)
		for (nr = 0; nr < SH_CALLS; nr++)
			if (!name_of(abi, nr)) {
				about(abi, nr, "has no name");
				CHECK(!sh_calls[abi][nr]);
			}
}

TEST(calls_class_of_every_number)
{
	const struct expected *e;
	unsigned int abi, nr;

	for (abi = 0; abi < SH_ABIS; abi++) {
		for (nr = 0; nr < SH_CALLS; nr++) {
			if (nr >= 451 && number(SH_ABI_64, "mseal") < 0)
				continue;
			e = decision(abi, nr);
			about(abi, nr, "class");
			CHECK_INT(sh_call_class(abi, nr), e->class);
			CHECK_INT(sh_call_judge(abi, nr), e->judge);
			CHECK_STR(sh_call_tampers(abi, nr) ? sh_call_tampers(abi, nr) : "",
				  e->tampers ? e->tampers : "");
		}
	}
}

/* A call that both ABIs have does the same in both. */
TEST(calls_same_class_in_both_abis)
{
	const struct number *n;
	int ia32;

	for (n = numbers_64; n->name; n++) {
		ia32 = number(SH_ABI_32, n->name);
		if (ia32 < 0 || n->nr >= NR_syscalls || ia32 >= NR_syscalls)
			continue;
		about(SH_ABI_64, n->nr, "in both");
		CHECK_INT(sh_calls[SH_ABI_32][ia32], sh_calls[SH_ABI_64][n->nr]);
	}
}

/* The calls with wider arguments do what their elders do. */
TEST(calls_wide_like_the_elder)
{
	static const char *const suffixes[] = { "_time64", "64", "32" };
	const struct number *n;
	unsigned int abi, i, seen = 0;
	char elder[64];
	size_t len;
	int nr;

	for (n = numbers_32; n->name; n++) {
		for (i = 0; i < 3; i++) {
			snprintf(elder, sizeof(elder), "%s", n->name);
			len = strlen(elder) - strlen(suffixes[i]);
			if (strlen(elder) <= strlen(suffixes[i]) || strcmp(elder + len, suffixes[i]))
				continue;
			elder[len] = '\0';
			abi = number(SH_ABI_32, elder) < 0 ? SH_ABI_64 : SH_ABI_32;
			nr = number(abi, elder);
			if (nr < 0)
				continue;
			about(SH_ABI_32, n->nr, "has an elder");
			CHECK_INT(sh_calls[SH_ABI_32][n->nr], sh_calls[abi][nr]);
			seen++;
		}
	}
	CHECK(seen > 40);
}

TEST(calls_every_installed_number_fits)
{
	const struct number *n;
	unsigned int abi;

	for (abi = 0; abi < SH_ABIS; abi++)
		for (n = numbers[abi]; n->name; n++) {
			about(abi, n->nr, "fits the table");
			CHECK(n->nr < SH_CALLS);
		}
	CHECK_INT(SH_CALLS, 512);
}

TEST(calls_numbers_out_of_bounds)
{
	static const unsigned int wrong[] = {
		NR_syscalls, SH_CALLS - 1, SH_CALLS, SH_CALLS + 1, 1023, 0xffff, 0x40000000,
		0x40000000 + 1, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	unsigned int i, abi;

	for (abi = 0; abi < SH_ABIS; abi++)
		for (i = 0; i < COUNT(wrong); i++) {
			about(abi, wrong[i], "is out of bounds");
			CHECK_INT(sh_call_class(abi, wrong[i]), 0);
			CHECK_INT(sh_call_judge(abi, wrong[i]), SH_JUDGE_NONE);
			CHECK(!sh_call_tampers(abi, wrong[i]));
		}
}

/* Under @p every number gets what its channel says, and nothing else. */
static void check_channels(struct sh_policy *p, const char *what)
{
	const struct expected *e;
	unsigned int abi, nr;
	bool denies;

	sh_calls_compile(p);
	for (abi = 0; abi < SH_ABIS; abi++) {
		for (nr = 0; nr < SH_CALLS; nr++) {
			e = decision(abi, nr);
			denies = e->channel &&
				 p->action[e->channel - 1] == SELFHEAL_CHANNEL_ACTION_DENY;
			about(abi, nr, what);
			if (nr < 451 || number(SH_ABI_64, "mseal") >= 0)
				CHECK_INT(p->call[abi][nr], compiled(e, denies));
		}
	}
	free(p);
}

TEST(calls_each_channel_denies_its_own)
{
	static const u8 shut[] = {
		SELFHEAL_CHANNEL_OTHER, SELFHEAL_CHANNEL_IPC, SELFHEAL_CHANNEL_DEVICE,
	};
	unsigned int i, set;
	struct sh_policy *p;

	for (set = 0; set < 8; set++) {
		p = policy();
		for (i = 0; i < 3; i++)
			if (set >> i & 1)
				p->action[shut[i]] = SELFHEAL_CHANNEL_ACTION_DENY;
		check_channels(p, "under a set of denied channels");
	}
}

/* What the taps mediate is not the gate's business. */
TEST(calls_tapped_channels_deny_nothing_here)
{
	struct sh_policy *p = policy();

	p->action[SELFHEAL_CHANNEL_SOCKET] = SELFHEAL_CHANNEL_ACTION_DENY;
	p->action[SELFHEAL_CHANNEL_PIPE] = SELFHEAL_CHANNEL_ACTION_DENY;
	p->action[SELFHEAL_CHANNEL_TTY] = SELFHEAL_CHANNEL_ACTION_DENY;
	p->action[SELFHEAL_CHANNEL_SIGNAL] = SELFHEAL_CHANNEL_ACTION_DENY;
	check_channels(p, "under tapped channels");
}

static struct sh_policy *shut_policy(void)
{
	struct sh_policy *p = policy();

	p->action[SELFHEAL_CHANNEL_OTHER] = SELFHEAL_CHANNEL_ACTION_DENY;
	p->action[SELFHEAL_CHANNEL_IPC] = SELFHEAL_CHANNEL_ACTION_DENY;
	p->action[SELFHEAL_CHANNEL_DEVICE] = SELFHEAL_CHANNEL_ACTION_DENY;
	return p;
}

/* Each number alone in a map of @p, made by fill(): it changes as want() says, no other does. */
static void check_bit(unsigned int abi, unsigned int nr, bool shut, u8 *(*map)(struct sh_policy *),
		      u8 (*want)(u8 was))
{
	struct sh_policy *p = shut ? shut_policy() : policy();
	struct sh_policy *was = shut ? shut_policy() : policy();
	unsigned int a, n;

	sh_calls_compile(was);
	set(map(p) + abi * SELFHEAL_SYSMAP_LEN, nr);
	sh_calls_compile(p);
	about(abi, nr, "alone");
	for (a = 0; a < SH_ABIS; a++)
		for (n = 0; n < SH_CALLS; n++)
			CHECK_INT(p->call[a][n], a == abi && n == nr ? want(was->call[a][n]) :
				  was->call[a][n]);
	free(p);
	free(was);
}

static void check_bits(bool shut, u8 *(*map)(struct sh_policy *), u8 (*want)(u8 was))
{
	unsigned int abi, nr;

	for (abi = 0; abi < SH_ABIS; abi++)
		for (nr = 0; nr < SH_CALLS; nr++)
			check_bit(abi, nr, shut, map, want);
}

static u8 *never_map(struct sh_policy *p)
{
	return p->never[0];
}

static u8 never_want(u8 was)
{
	return was | SH_CALL_NEVER;
}

TEST(calls_each_bit_of_never_is_its_number)
{
	check_bits(false, never_map, never_want);
}

static u8 *deny_map(struct sh_policy *p)
{
	return p->deny[0];
}

/* Whatever its arguments, and in silence. */
static u8 deny_want(u8 was)
{
	return (was | SH_CALL_DENY) & ~(SH_CALL_JUDGE | SH_CALL_TAMPER);
}

TEST(calls_each_bit_of_deny_is_its_number)
{
	check_bits(false, deny_map, deny_want);
	check_bits(true, deny_map, deny_want);
}

static u8 *pass_map(struct sh_policy *p)
{
	return p->pass[0];
}

/* A judge that has nothing left to judge may go or stay. */
static u8 pass_want(u8 was)
{
	return was & ~SH_CALL_DENY;
}

TEST(calls_each_bit_of_pass_is_its_number)
{
	struct sh_policy *shut = shut_policy(), *open = policy();
	unsigned int abi, nr;

	sh_calls_compile(open);
	for (abi = 0; abi < SH_ABIS; abi++)
		memset(pass_map(shut) + abi * SELFHEAL_SYSMAP_LEN, 0xff, SELFHEAL_SYSMAP_LEN);
	sh_calls_compile(shut);
	CHECK(!memcmp(shut->call, open->call, sizeof(shut->call)));
	free(shut);
	shut = shut_policy();
	set(shut->pass[SH_ABI_64], number(SH_ABI_64, "semop"));
	sh_calls_compile(shut);
	for (abi = 0; abi < SH_ABIS; abi++)
		for (nr = 0; nr < SH_CALLS; nr++) {
			bool one = abi == SH_ABI_64 && (int)nr == number(SH_ABI_64, "semop");
			u8 class = compiled(decision(abi, nr), true);

			about(abi, nr, "beside a call that passes");
			if (nr < 451 || number(SH_ABI_64, "mseal") >= 0)
				CHECK_INT(shut->call[abi][nr], one ? pass_want(class) : class);
		}
	free(shut);
	free(open);
}

TEST(calls_observing_policy_denies_nothing)
{
	struct sh_policy *p = shut_policy();
	unsigned int abi, nr;

	p->flags = SELFHEAL_POLICY_FLAG_OBSERVE;
	memset(p->deny, 0xff, sizeof(p->deny));
	set(p->never[SH_ABI_64], number(SH_ABI_64, "ptrace"));
	sh_calls_compile(p);
	for (abi = 0; abi < SH_ABIS; abi++)
		for (nr = 0; nr < SH_CALLS; nr++) {
			about(abi, nr, "observed");
			CHECK(!(p->call[abi][nr] & SH_CALL_DENY));
		}
	CHECK_INT(p->call[SH_ABI_64][number(SH_ABI_64, "ptrace")], SH_CALL_NEVER);
	CHECK_INT(p->call[SH_ABI_64][number(SH_ABI_64, "bpf")], SH_CALL_TAMPER);
	free(p);
}

TEST(calls_tamper_by_the_policys_rule)
{
	int bpf = number(SH_ABI_64, "bpf"), ports = number(SH_ABI_32, "iopl");
	struct sh_policy *p = shut_policy();

	sh_calls_compile(p);
	CHECK_INT(p->call[SH_ABI_64][bpf], SH_CALL_TAMPER | SH_CALL_DENY);
	p->tamper = SELFHEAL_TAMPER_ACTION_FREEZE;
	sh_calls_compile(p);
	CHECK_INT(p->call[SH_ABI_32][ports], SH_CALL_TAMPER | SH_CALL_DENY);
	/* An exempt call is still a reach for the kernel. */
	set(p->pass[SH_ABI_64], bpf);
	sh_calls_compile(p);
	CHECK_INT(p->call[SH_ABI_64][bpf], SH_CALL_TAMPER);
	p->tamper = SELFHEAL_TAMPER_ACTION_PASS;
	sh_calls_compile(p);
	CHECK_INT(p->call[SH_ABI_64][bpf], 0);
	CHECK_INT(p->call[SH_ABI_32][ports], SH_CALL_DENY);
	free(p);
}

TEST(calls_never_and_deny_and_class_go_together)
{
	struct sh_policy *p = shut_policy();
	int execve = number(SH_ABI_64, "execve"), ptrace = number(SH_ABI_64, "ptrace");

	set(p->never[SH_ABI_64], execve);
	set(p->deny[SH_ABI_64], execve);
	set(p->never[SH_ABI_64], ptrace);
	sh_calls_compile(p);
	CHECK_INT(p->call[SH_ABI_64][execve], SH_CALL_EXEC | SH_CALL_NEVER | SH_CALL_DENY);
	CHECK_INT(p->call[SH_ABI_64][ptrace], SH_CALL_NEVER | SH_CALL_DENY);
	CHECK_INT(p->call[SH_ABI_32][number(SH_ABI_32, "execve")], SH_CALL_EXEC);
	CHECK_INT(p->call[SH_ABI_32][number(SH_ABI_32, "ptrace")], SH_CALL_DENY);
	free(p);
}
