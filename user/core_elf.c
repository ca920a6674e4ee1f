// SPDX-License-Identifier: GPL-2.0
/* See core_elf.h. The layout is that of the kernel's own cores: headers, notes, memory. */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/reg.h>
#include <unistd.h>

#include "core_elf.h"
#include "core_maps.h"

#define PAGE 4096
#define CHUNK 65536
#define MAPS_MAX 60000	/* more need another form of header */

struct core {
	const struct incident *incident;
	int fd, proc, mem;
	struct core_maps maps;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3)))
static int fail(struct core *core, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(core->why, core->why_size, fmt, ap);
	va_end(ap);
	return -1;
}

static void note(FILE *notes, uint32_t type, const void *data, size_t size)
{
	static const char name[8] = "CORE", zeros[4];
	Elf64_Nhdr head = { .n_namesz = 5, .n_descsz = (uint32_t)size, .n_type = type };

	fwrite(&head, sizeof(head), 1, notes);
	fwrite(name, sizeof(name), 1, notes);
	fwrite(data, size, 1, notes);
	fwrite(zeros, (4 - size % 4) % 4, 1, notes);
}

/* Of the thread at fault: what the evidence has. */
static void registers_of(const struct registers *r, elf_greg_t *to)
{
	to[RIP] = r->ip;
	to[RSP] = r->sp;
	to[EFLAGS] = r->flags;
	to[RAX] = r->ax;
	to[RBX] = r->bx;
	to[RCX] = r->cx;
	to[RDX] = r->dx;
	to[RSI] = r->si;
	to[RDI] = r->di;
	to[RBP] = r->bp;
	to[R8] = r->r8;
	to[R9] = r->r9;
	to[R10] = r->r10;
	to[R11] = r->r11;
	to[R12] = r->r12;
	to[R13] = r->r13;
	to[R14] = r->r14;
	to[R15] = r->r15;
	to[ORIG_RAX] = ~0UL;
}

/* Of another: "NR ARG0..5 SP PC" in a call, "-1 SP PC" elsewhere. */
static void registers_told(struct core *core, pid_t tid, elf_greg_t *to)
{
	char name[64], *text;
	uint64_t v[8];
	size_t size;
	int64_t nr;
	int n;

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	text = core_proc_file(core->proc, name, &size);
	if (!text)
		return;
	n = sscanf(text, "%" SCNd64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64 " %" SCNx64 " %" SCNx64, &nr, &v[0], &v[1], &v[2], &v[3], &v[4],
		   &v[5], &v[6], &v[7]);
	free(text);
	if (n == 3) {
		to[RSP] = v[0];
		to[RIP] = v[1];
	} else if (n == 9) {
		to[ORIG_RAX] = (elf_greg_t)nr;
		to[RDI] = v[0];
		to[RSI] = v[1];
		to[RDX] = v[2];
		to[R10] = v[3];
		to[R8] = v[4];
		to[R9] = v[5];
		to[RSP] = v[6];
		to[RIP] = v[7];
	}
}

static void note_thread(struct core *core, FILE *notes, pid_t tid)
{
	const struct incident *incident = core->incident;
	struct elf_prstatus status = {
		.pr_pid = tid,
		.pr_ppid = (pid_t)incident->ppid,
		.pr_info.si_signo = (int)incident->signal,
		.pr_cursig = (short)incident->signal,
	};

	if (tid == (pid_t)incident->tid && incident->has_registers)
		registers_of(&incident->registers, status.pr_reg);
	else
		registers_told(core, tid, status.pr_reg);
	note(notes, NT_PRSTATUS, &status, sizeof(status));
}

static void note_process(struct core *core, FILE *notes)
{
	const struct incident *incident = core->incident;
	struct elf_prpsinfo info = {
		.pr_sname = 'D', .pr_pid = (pid_t)incident->pid, .pr_ppid = (pid_t)incident->ppid,
		.pr_uid = incident->uid, .pr_gid = incident->gid,
	};
	siginfo_t signal = { .si_signo = (int)incident->signal };
	size_t i, size;
	char *auxv;

	snprintf(info.pr_fname, sizeof(info.pr_fname), "%.15s", incident->comm);
	for (i = 0; i < incident->cmdline_len && i < sizeof(info.pr_psargs) - 1; i++)
		info.pr_psargs[i] = incident->cmdline[i] ? incident->cmdline[i] : ' ';
	note(notes, NT_PRPSINFO, &info, sizeof(info));
	if (incident->signal) {
		signal.si_code = incident->signal_code;
		if (incident->has_fault_address)
			signal.si_addr = (void *)(uintptr_t)incident->fault_address;
		note(notes, NT_SIGINFO, &signal, sizeof(signal));
	}
	auxv = core_proc_file(core->proc, "auxv", &size);
	if (auxv)
		note(notes, NT_AUXV, auxv, size);
	free(auxv);
}

/* Which file lies where: count, page size, three words each, then the names. */
static int note_files(struct core *core, FILE *notes)
{
	char *data = NULL;
	size_t i, size = 0;
	uint64_t head[2] = { 0, PAGE };
	FILE *f = open_memstream(&data, &size);

	if (!f)
		return fail(core, "out of memory");
	for (i = 0; i < core->maps.n; i++)
		head[0] += core->maps.v[i].inode && core->maps.v[i].path;
	fwrite(head, sizeof(head), 1, f);
	for (i = 0; i < core->maps.n; i++) {
		const struct core_map *map = &core->maps.v[i];
		uint64_t words[3] = { map->start, map->end, map->offset / PAGE };

		if (map->inode && map->path)
			fwrite(words, sizeof(words), 1, f);
	}
	for (i = 0; i < core->maps.n; i++)
		if (core->maps.v[i].inode && core->maps.v[i].path)
			fwrite(core->maps.v[i].path, strlen(core->maps.v[i].path) + 1, 1, f);
	if (fclose(f)) {
		free(data);
		return fail(core, "out of memory");
	}
	note(notes, NT_FILE, data, size);
	free(data);
	return 0;
}

static int note_threads(struct core *core, FILE *notes)
{
	int fd = openat(core->proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	pid_t tid;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return fail(core, "cannot list the threads: %s", strerror(errno));
	}
	while ((entry = readdir(dir))) {
		tid = atoi(entry->d_name);
		if (tid && tid != (pid_t)core->incident->tid)
			note_thread(core, notes, tid);
	}
	closedir(dir);
	return 0;
}

static int make_notes(struct core *core, char **data, size_t *size)
{
	FILE *notes = open_memstream(data, size);
	int err;

	if (!notes)
		return fail(core, "out of memory");
	/* The first thread is the one that debuggers show. */
	note_thread(core, notes, (pid_t)core->incident->tid);
	note_process(core, notes);
	err = note_files(core, notes);
	if (!err)
		err = note_threads(core, notes);
	if (fclose(notes) && !err)
		err = fail(core, "out of memory");
	return err;
}

static int put(struct core *core, const void *data, size_t size, uint64_t at)
{
	const char *from = data;
	ssize_t done;

	while (size) {
		done = pwrite(core->fd, from, size, (off_t)at);
		if (done <= 0)
			return fail(core, "cannot write: %s", strerror(done ? errno : ENOSPC));
		from += done;
		at += (uint64_t)done;
		size -= (size_t)done;
	}
	return 0;
}

static bool is_zero(const char *data, size_t size)
{
	return !data[0] && !memcmp(data, data + 1, size - 1);
}

/* What cannot be read, or was never touched, stays a hole. */
static int put_memory(struct core *core, const struct core_map *map, uint64_t size, uint64_t at)
{
	static char data[CHUNK];
	uint64_t done = 0, step;
	ssize_t got;

	while (done < size) {
		step = size - done < CHUNK ? size - done : CHUNK;
		got = pread(core->mem, data, step, (off_t)(map->start + done));
		if (got <= 0) {
			if (errno == ESRCH || !got)
				return fail(core, "the process is gone");
			/* A page of it, perhaps: past that one. */
			step = PAGE;
		} else {
			step = (uint64_t)got;
			if (!is_zero(data, step) && put(core, data, step, at + done))
				return -1;
		}
		done += step;
	}
	return 0;
}

static uint64_t page_align(uint64_t at)
{
	return (at + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static uint32_t flags_of(const struct core_map *map)
{
	return (map->read ? PF_R : 0) | (map->write ? PF_W : 0) | (map->exec ? PF_X : 0);
}

static int put_headers(struct core *core, const char *notes, size_t notes_size, uint64_t *memory)
{
	Elf64_Ehdr head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(head), .e_ehsize = sizeof(head), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(core->maps.n + 1),
	};
	Elf64_Phdr *rows = calloc(core->maps.n + 1, sizeof(*rows));
	size_t i, rows_size = (core->maps.n + 1) * sizeof(*rows);
	uint64_t at = sizeof(head) + rows_size;
	int err;

	if (!rows)
		return fail(core, "out of memory");
	rows[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_filesz = notes_size,
				.p_align = 4 };
	at = page_align(at + notes_size);
	*memory = at;
	for (i = 0; i < core->maps.n; i++) {
		const struct core_map *map = &core->maps.v[i];

		rows[i + 1] = (Elf64_Phdr){
			.p_type = PT_LOAD, .p_flags = flags_of(map), .p_offset = at,
			.p_vaddr = map->start, .p_filesz = core_map_kept(map),
			.p_memsz = map->end - map->start, .p_align = PAGE,
		};
		at += core_map_kept(map);
	}
	err = put(core, &head, sizeof(head), 0);
	if (!err)
		err = put(core, rows, rows_size, sizeof(head));
	if (!err)
		err = put(core, notes, notes_size, sizeof(head) + rows_size);
	/* With the holes. */
	if (!err && ftruncate(core->fd, (off_t)at))
		err = fail(core, "cannot write: %s", strerror(errno));
	free(rows);
	return err;
}

static int put_core(struct core *core)
{
	uint64_t at = 0;
	char *notes = NULL;
	size_t i, size = 0;
	int err;

	if (core_maps_read(core->proc, &core->maps))
		return fail(core, "cannot read the mappings: %s", strerror(errno));
	if (core->maps.n > MAPS_MAX)
		return fail(core, "%zu mappings are too many", core->maps.n);
	err = make_notes(core, &notes, &size);
	if (!err)
		err = put_headers(core, notes, size, &at);
	for (i = 0; !err && i < core->maps.n; i++) {
		err = put_memory(core, &core->maps.v[i], core_map_kept(&core->maps.v[i]), at);
		at += core_map_kept(&core->maps.v[i]);
	}
	free(notes);
	return err;
}

int core_write(int fd, const struct incident *incident, char *why, size_t size)
{
	struct core core = { .incident = incident, .fd = fd, .why = why, .why_size = size };
	char name[64];
	int err;

	snprintf(name, sizeof(name), "/proc/%u", incident->pid);
	/* By this descriptor it is this process, whoever has the number later. */
	core.proc = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (core.proc < 0)
		return fail(&core, "cannot open %s: %s", name, strerror(errno));
	core.mem = openat(core.proc, "mem", O_RDONLY | O_CLOEXEC);
	if (core.mem < 0)
		err = fail(&core, "cannot open %s/mem: %s", name, strerror(errno));
	else
		err = put_core(&core);
	core_maps_release(&core.maps);
	if (core.mem >= 0)
		close(core.mem);
	close(core.proc);
	return err;
}
