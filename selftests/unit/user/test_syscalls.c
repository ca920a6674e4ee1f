// SPDX-License-Identifier: GPL-2.0
/* System call names, numbers and bitmaps. */
#include <errno.h>
#include <stdlib.h>

#include "syscalls.h"
#include "test.h"

#define AUDIT_X86_64 0xc000003eu
#define AUDIT_I386 0x40000003u

static unsigned int bits(const uint8_t *map)
{
	unsigned int nr, n = 0;

	for (nr = 0; nr < SYSCALLS_MAX; nr++)
		n += syscall_bit(map, nr);
	return n;
}

TEST(syscalls_both_bitmaps_are_filled)
{
	/* The numbers of arch/x86/entry/syscalls/syscall_{64,32}.tbl. */
	const struct {
		const char *name;
		int native, ia32;
	} rows[] = {
		{ "read", 0, 3 }, { "ptrace", 101, 26 }, { "process_vm_writev", 311, 348 },
		{ "socket", 41, 359 }, { "connect", 42, 362 }, { "sendto", 44, 369 },
		{ "shmat", 30, 397 }, { "execveat", 322, 358 }, { "memfd_create", 319, 356 },
		{ "io_uring_setup", 425, 425 }, { "arch_prctl", 158, 384 },
		{ "socketcall", -1, 102 }, { "mmap2", -1, 192 }, { "sigreturn", -1, 119 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct syscall_set set = { 0 };

		test_about(rows[i].name);
		CHECK_INT(syscall_set_add(&set, rows[i].name), 0);
		CHECK_INT(bits(set.native), rows[i].native >= 0);
		CHECK_INT(bits(set.ia32), rows[i].ia32 >= 0);
		CHECK(rows[i].native < 0 || syscall_bit(set.native, rows[i].native));
		CHECK(rows[i].ia32 < 0 || syscall_bit(set.ia32, rows[i].ia32));
	}
}

TEST(syscalls_bits_are_little_endian)
{
	struct syscall_set set = { 0 };

	CHECK_INT(syscall_set_add(&set, "ptrace"), 0);
	CHECK_INT(set.native[101 / 8], 1 << (101 % 8));
	CHECK_INT(set.ia32[26 / 8], 1 << (26 % 8));
	CHECK(!syscall_bit(set.native, 100000));
}

TEST(syscalls_unknown_names)
{
	struct syscall_set set = { 0 };
	char name[64];

	CHECK_INT(syscall_set_add(&set, "ptrac"), -ENOENT);
	CHECK_INT(syscall_set_add(&set, ""), -ENOENT);
	CHECK_INT(syscall_set_add(&set, "breakpoint"), -ENOENT);
	CHECK(syscall_map_empty(set.native) && syscall_map_empty(set.ia32));
	CHECK(syscall_nearest("ptrac", name, sizeof(name)));
	CHECK_STR(name, "ptrace");
	CHECK(syscall_nearest("proces_vm_write", name, sizeof(name)));
	CHECK_STR(name, "process_vm_writev");
	CHECK(!syscall_nearest("no such thing at all, is there", name, sizeof(name)));
	CHECK(!syscall_nearest("a name that is much longer than any name of any system call",
			       name, sizeof(name)));
}

TEST(syscalls_names_of_numbers)
{
	char name[64];

	syscall_name(name, sizeof(name), AUDIT_X86_64, 59);
	CHECK_STR(name, "execve");
	syscall_name(name, sizeof(name), AUDIT_I386, 11);
	CHECK_STR(name, "execve");
	syscall_name(name, sizeof(name), AUDIT_X86_64, 100000);
	CHECK_STR(name, "syscall-100000");
	syscall_name(name, sizeof(name), 0, 1);
	CHECK_STR(name, "syscall-1");
	syscall_name(name, sizeof(name), AUDIT_X86_64, -1);
	CHECK_STR(name, "syscall--1");
	CHECK(!syscall_arch_name(7));
}

TEST(syscalls_multiplexers)
{
	CHECK_STR(syscall_multiplexer("connect"), "socketcall");
	CHECK_STR(syscall_multiplexer("shmat"), "ipc");
	CHECK(!syscall_multiplexer("ptrace"));
	CHECK(!syscall_multiplexer("socketcall"));
	CHECK(!syscall_multiplexer("ipc"));
}

TEST(syscalls_common)
{
	struct syscall_set a = { 0 }, b = { 0 };
	char name[64];

	syscall_set_add(&a, "ptrace");
	syscall_set_add(&b, "bpf");
	CHECK(!syscall_set_common(&a, &b, name, sizeof(name)));
	syscall_set_add(&b, "ptrace");
	CHECK(syscall_set_common(&a, &b, name, sizeof(name)));
	CHECK_STR(name, "ptrace");
}
