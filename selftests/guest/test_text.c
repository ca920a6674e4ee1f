// SPDX-License-Identifier: GPL-2.0
/*
 * Who is not protected pays nothing, shown on the kernel itself: /proc/kcore
 * has its text, /proc/kallsyms names it. The same text is the same instructions.
 *
 *	loaded, no policy: not one byte of the text differs
 *	a policy loaded: the entries of its tapped functions differ, and ftrace's
 *		own trampolines, which run only from such entries
 *	unloaded: not one byte differs
 *
 * What the text calls through pointers in static data (notifiers, LSM hooks,
 * ...) is searched for pointers to the module.
 *
 * The kernel also patches itself for reasons of its own (static keys). So each
 * state is seen several times, in turns, and a byte counts when it goes with
 * the state each time.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "rig.h"

#define TURNS	2
#define ENDBR	4		/* bytes that may stand before the call of ftrace */
#define CALL	5
#define SITES	256
#define TRACEFS	"/sys/kernel/tracing"

struct range {
	uint64_t start, end;
};

struct symbol {
	uint64_t addr;
	char name[64];
};

static struct symbol *symbols;	/* of the kernel itself, by address */
static unsigned int symbols_nr;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* Without those of modules. */
static int symbols_read(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned int room = 0;
	char line[512], kind;
	struct symbol s;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (strchr(line, '[') ||
		    sscanf(line, "%lx %c %63s", &s.addr, &kind, s.name) != 3 || !s.addr)
			continue;
		if (symbols_nr == room) {
			room = room ? room * 2 : 1 << 17;
			symbols = realloc(symbols, room * sizeof(*symbols));
			if (!symbols)
				return -ENOMEM;
		}
		symbols[symbols_nr++] = s;
	}
	fclose(f);
	qsort(symbols, symbols_nr, sizeof(*symbols), by_address);
	return symbols_nr ? 0 : -EPERM;
}

static uint64_t address_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < symbols_nr; i++) {
		if (!strcmp(symbols[i].name, name))
			return symbols[i].addr;
	}
	return 0;
}

/* The first of the last symbols at or before @addr. */
static const struct symbol *symbol_at(uint64_t addr)
{
	unsigned int low = 0, high = symbols_nr;

	while (high - low > 1) {
		unsigned int mid = (low + high) / 2;

		if (symbols[mid].addr <= addr)
			low = mid;
		else
			high = mid;
	}
	while (low && symbols[low - 1].addr == symbols[low].addr)
		low--;
	return &symbols[low];
}

/* Several names may have one address. */
static bool symbol_is(uint64_t addr, const char *name)
{
	const struct symbol *s = symbol_at(addr);
	uint64_t start = s->addr;

	for (; s < symbols + symbols_nr && s->addr == start; s++) {
		if (!strcmp(s->name, name))
			return true;
	}
	return false;
}

/* Memory of the kernel as it is now; NULL with errno. */
static uint8_t *kernel_memory(struct range r)
{
	uint64_t size = r.end - r.start;
	uint8_t *copy = malloc(size);
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC), i;
	Elf64_Ehdr head;
	Elf64_Phdr seg;

	if (fd < 0 || !copy || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		goto out;
	for (i = 0; i < head.e_phnum; i++) {
		uint64_t done = 0, from;

		if (pread(fd, &seg, sizeof(seg), head.e_phoff + i * sizeof(seg)) != sizeof(seg))
			break;
		if (seg.p_type != PT_LOAD || r.start < seg.p_vaddr ||
		    r.end > seg.p_vaddr + seg.p_memsz)
			continue;
		from = seg.p_offset + (r.start - seg.p_vaddr);
		while (done < size) {
			ssize_t n = pread(fd, copy + done, size - done, from + done);

			if (n <= 0)
				goto out;
			done += n;
		}
		close(fd);
		return copy;
	}
	errno = ENXIO;
out:
	if (fd >= 0)
		close(fd);
	free(copy);
	return NULL;
}

enum state { NONE, LOADED, POLICY, STATES };

/* Bytes that go with a state, one instruction. */
struct site {
	uint64_t start, end;
};

FIXTURE(text)
{
	struct range text;
	uint8_t *image[STATES][TURNS + 1];
	struct site site[SITES];
	unsigned int sites, moved;
};

FIXTURE_SETUP(text)
{
	if (module_unload_wait(slow_ms(5000)))
		SKIP(return, "selfheal is in use on this machine");
	if (access("/proc/kcore", R_OK))
		SKIP(return, "no /proc/kcore");
	if (access(TRACEFS "/enabled_functions", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	ASSERT_EQ(0, symbols_read());
	self->text.start = address_of("_stext");
	self->text.end = address_of("_etext");
	ASSERT_LT(self->text.start, self->text.end);
}

FIXTURE_TEARDOWN(text)
{
	unsigned int s, turn;

	for (s = 0; s < STATES; s++) {
		for (turn = 0; turn <= TURNS; turn++)
			free(self->image[s][turn]);
	}
	free(symbols);
	EXPECT_EQ(0, module_load());
}

/* In how many images of a state has the byte another value than @was? */
static unsigned int differ(uint8_t **image, uint64_t i, uint8_t was)
{
	unsigned int turn, n = 0;

	for (turn = 0; turn <= TURNS && image[turn]; turn++)
		n += image[turn][i] != was;
	return n;
}

/*
 * Each byte that is one thing in all images of @a, and another in all of @b;
 * of an address that was patched in, some bytes may be the same by chance.
 */
static void compare(FIXTURE_DATA(text) *self, enum state a, enum state b)
{
	uint8_t **x = self->image[a], **y = self->image[b];
	uint64_t size = self->text.end - self->text.start, i;
	struct site *last = NULL;

	self->sites = self->moved = 0;
	for (i = 0; i < size && self->sites < SITES; i++) {
		uint64_t at = self->text.start + i;
		unsigned int n = differ(y, i, x[0][i]);
		bool moves = differ(x, i, x[0][i]);

		if (!n && !moves)
			continue;
		if (!moves && last && at < last->start + CALL) {
			last->end = at + 1;
		} else if (!moves && n == TURNS) {
			last = &self->site[self->sites++];
			last->start = at;
			last->end = at + 1;
		} else {
			printf("# moves without us: %s+%lu\n", symbol_at(at)->name,
			       at - symbol_at(at)->addr);
			self->moved++;
		}
	}
}

static void tell_sites(const FIXTURE_DATA(text) *self, const char *what)
{
	unsigned int i;

	for (i = 0; i < self->sites; i++) {
		const struct symbol *s = symbol_at(self->site[i].start);

		printf("# %s: %s+%lu, %lu bytes\n", what, s->name, self->site[i].start - s->addr,
		       self->site[i].end - self->site[i].start);
	}
}

static void everything(struct policy *p)
{
	policy_hold(p);
	policy_faults(p);
	p->exec_sense = true;
	sysmap_set(p->never, SYS_ptrace);
	p->match[0] = "/usr/bin/true";
}

TEST_F(text, same_with_the_module_loaded)
{
	unsigned int turn;

	for (turn = 0; turn <= TURNS; turn++) {
		self->image[NONE][turn] = kernel_memory(self->text);
		ASSERT_NE(NULL, self->image[NONE][turn]);
		if (turn == TURNS)
			break;
		ASSERT_EQ(0, module_load());
		self->image[LOADED][turn] = kernel_memory(self->text);
		ASSERT_NE(NULL, self->image[LOADED][turn]);
		ASSERT_EQ(0, module_unload_wait(BOUND));
	}
	compare(self, NONE, LOADED);
	tell_sites(self, "differs with the module loaded");
	EXPECT_EQ(0, self->sites);
	TH_LOG("%lu bytes of text, %u that move without us", self->text.end - self->text.start,
	       self->moved);
}

/* The functions that status tells to be tapped. */
static int taps_read(struct symbol *tap, unsigned int max)
{
	FILE *f = popen("healctl status", "re");
	char line[512], name[64], state[32];
	unsigned int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %31s", name, state) == 2 && !strcmp(state, "active") &&
		    n < max) {
			strcpy(tap[n].name, name);
			tap[n++].addr = address_of(name);
		}
	}
	return pclose(f) ? -EIO : (int)n;
}

/* ftrace's own code, which is entered from a patched entry only. */
static bool is_ftrace(uint64_t addr)
{
	return symbol_is(addr, "ftrace_caller") || symbol_is(addr, "ftrace_call") ||
	       symbol_is(addr, "ftrace_caller_op_ptr") || symbol_is(addr, "ftrace_regs_caller") ||
	       symbol_is(addr, "ftrace_regs_call") || symbol_is(addr, "ftrace_regs_caller_op_ptr");
}

/* Which tap the site is the entry of; -1 for none. */
static int tap_of(const struct site *site, const struct symbol *tap, unsigned int taps)
{
	unsigned int i;

	for (i = 0; i < taps; i++) {
		if (site->start >= tap[i].addr && site->end <= tap[i].addr + ENDBR + CALL)
			return i;
	}
	return -1;
}

TEST_F(text, policy_changes_the_entries_of_its_taps)
{
	struct symbol tap[64];
	unsigned int turn, i, hit[64] = { 0 };
	int taps = 0, at;
	struct nlc c;
	struct policy p;

	for (turn = 0; turn <= TURNS; turn++) {
		ASSERT_EQ(0, module_load());
		self->image[LOADED][turn] = kernel_memory(self->text);
		ASSERT_NE(NULL, self->image[LOADED][turn]);
		if (turn < TURNS) {
			ASSERT_EQ(0, nlc_open(&c));
			policy_init(&p);
			everything(&p);
			ASSERT_EQ(0, policy_load(&c, &p));
			self->image[POLICY][turn] = kernel_memory(self->text);
			ASSERT_NE(NULL, self->image[POLICY][turn]);
			taps = taps_read(tap, 63);
			ASSERT_LT(0, taps);
			nlc_close(&c);
		}
		ASSERT_EQ(0, module_unload_wait(BOUND));
	}
	/* Never called by the kernel; keeps ftrace on (compat/direct.c), not on 6.1. */
	strcpy(tap[taps].name, "syscall_user_dispatch_get_config");
	tap[taps].addr = address_of(tap[taps].name);
	taps += !!tap[taps].addr;
	compare(self, LOADED, POLICY);
	tell_sites(self, "differs with a policy loaded");
	for (i = 0; i < self->sites; i++) {
		at = tap_of(&self->site[i], tap, taps);
		if (at >= 0)
			hit[at]++;
		else
			EXPECT_TRUE(is_ftrace(self->site[i].start)) {
				TH_LOG("%s differs, which is no tap",
				       symbol_at(self->site[i].start)->name);
			}
	}
	for (i = 0; i < (unsigned int)taps; i++) {
		if (strcmp(tap[i].name, "syscall_user_dispatch_get_config"))
			EXPECT_EQ(1, hit[i]) { TH_LOG("the tap on %s", tap[i].name); }
	}
	/* All of this went with the last policy, each time. */
	for (turn = 1; turn <= TURNS; turn++) {
		for (i = 0; i < self->sites; i++) {
			uint64_t from = self->site[i].start - self->text.start;

			EXPECT_EQ(0, memcmp(self->image[LOADED][turn] + from,
					    self->image[LOADED][0] + from,
					    self->site[i].end - self->site[i].start)) {
				TH_LOG("%s is not what it was", symbol_at(self->site[i].start)->name);
			}
		}
	}
	TH_LOG("%d taps, %u places that differ, %u that move without us", taps, self->sites,
	       self->moved);
}

/* Where the module's sections are; their sizes are in its file. */
static unsigned int module_areas(struct range *area, unsigned int max)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Shdr *sec;
	const char *names;
	unsigned int i, n = 0;
	char path[160], text[64];

	close(fd);
	if (file == MAP_FAILED)
		return 0;
	sec = (const void *)(file + head->e_shoff);
	names = (const char *)file + sec[head->e_shstrndx].sh_offset;
	for (i = 0; i < head->e_shnum && n < max; i++) {
		const char *name = names + sec[i].sh_name;

		/* What it needed to begin with is freed. */
		if (!(sec[i].sh_flags & SHF_ALLOC) || !sec[i].sh_size || !strncmp(name, ".init", 5))
			continue;
		snprintf(path, sizeof(path), "/sys/module/selfheal/sections/%s", name);
		if (slurp(path, text, sizeof(text)) <= 0)
			continue;
		area[n].start = strtoull(text, NULL, 16);
		area[n].end = area[n].start + sec[i].sh_size;
		n++;
	}
	munmap(file, size);
	return n;
}

/* Static data of the kernel that may point to a module, and is on nobody's way. */
static const char *const registries[] = {
	"modules",		/* the list of modules */
	"mod_tree",		/* addresses of modules */
	"module_bug_list",
	"cur_orc_table",	/* what the unwinder has sorted last */
	"cur_orc_ip_table",
	"netlink_chain",	/* a netlink socket has closed: control/family.c */
	"last_unloaded_module",
	"kcore_modules",	/* the area of modules, in /proc/kcore */
	"execmem_info",		/* the same, for who allocates there */
	"gcov_info_head",	/* of a module that was built with counters */
	/* Of tracers: used from patched entries only, see above; the link outlives them. */
	"global_ops",
	"kprobe_ftrace_ops",
};

/* What is between them has been freed at boot, and may be anything by now. */
static const char *const static_data[][2] = {
	{ "__start_rodata", "__end_rodata" }, { "_sdata", "_edata" },
	{ "__bss_start", "__bss_stop" },
};

/* Pointers to one of the areas in static data that is no registry. */
static int pointers(struct range data, const struct range *area, unsigned int areas,
		    unsigned int *known)
{
	uint64_t *word = (uint64_t *)kernel_memory(data), n;
	unsigned int i, k;
	int unknown = 0;

	for (n = 0; word && n < (data.end - data.start) / 8; n++) {
		uint64_t at = data.start + n * 8;

		for (i = 0; i < areas && (word[n] < area[i].start || word[n] >= area[i].end); i++)
			;
		/* Freed at boot, too. */
		if (i == areas || !strncmp(symbol_at(at)->name, "__start_bss_decrypted", 21))
			continue;
		printf("# %s points to the module\n", symbol_at(at)->name);
		for (k = 0; k < sizeof(registries) / sizeof(registries[0]); k++) {
			if (symbol_is(at, registries[k]))
				break;
		}
		*known += k < sizeof(registries) / sizeof(registries[0]);
		unknown += k == sizeof(registries) / sizeof(registries[0]);
	}
	free(word);
	return word ? unknown : -errno;
}

/* Tracers that came while our taps were there, and went: what other programs of this boot do. */
static int tracers_come_and_go(void)
{
	int err;

	err = write_file(TRACEFS "/kprobe_events", "p:passing pipe_write");
	err = err ?: write_file(TRACEFS "/events/kprobes/passing/enable", "1");
	err = err ?: write_file(TRACEFS "/events/kprobes/passing/enable", "0");
	err = err ?: write_file(TRACEFS "/kprobe_events", "-:passing");
	err = err ?: write_file(TRACEFS "/current_tracer", "function");
	return err ?: write_file(TRACEFS "/current_tracer", "nop");
}

TEST_F(text, no_callback_on_the_way)
{
	unsigned int areas, i, known = 0;
	struct range area[64], data;
	struct policy p;
	struct nlc c;

	ASSERT_EQ(0, module_load());
	ASSERT_EQ(0, nlc_open(&c));
	policy_init(&p);
	everything(&p);
	ASSERT_EQ(0, policy_load(&c, &p));
	ASSERT_EQ(0, tracers_come_and_go());
	nlc_close(&c);
	ASSERT_EQ(0, module_unload_wait(BOUND));
	ASSERT_EQ(0, module_load());
	areas = module_areas(area, 64);
	ASSERT_LT(0, areas);
	for (i = 0; i < sizeof(static_data) / sizeof(static_data[0]); i++) {
		data.start = address_of(static_data[i][0]);
		data.end = address_of(static_data[i][1]) & ~7ULL;
		ASSERT_LT(data.start, data.end) { TH_LOG("%s", static_data[i][0]); }
		EXPECT_EQ(0, pointers(data, area, areas, &known));
	}
	/* The list of modules at least: the search finds what is there. */
	EXPECT_LT(0, known);
	ASSERT_EQ(0, module_unload_wait(BOUND));
}

GUEST_MAIN
