/* SPDX-License-Identifier: GPL-2.0 */
/* System call names and numbers of x86-64 and i386, by libseccomp. */
#ifndef HEALCTL_SYSCALLS_H
#define HEALCTL_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/selfheal.h>

#define SYSCALLS_MAX (SELFHEAL_SYSMAP_LEN * 8)

/* A set of system calls as the kernel takes it. */
struct syscall_set {
	uint8_t native[SELFHEAL_SYSMAP_LEN];
	uint8_t ia32[SELFHEAL_SYSMAP_LEN];
};

/* Sets the bits of a name; -ENOENT when neither architecture has it. */
int syscall_set_add(struct syscall_set *set, const char *name);

bool syscall_bit(const uint8_t map[SELFHEAL_SYSMAP_LEN], unsigned int nr);
bool syscall_map_empty(const uint8_t map[SELFHEAL_SYSMAP_LEN]);

/* True when both sets hold a call in common; its name goes to name. */
bool syscall_set_common(const struct syscall_set *a, const struct syscall_set *b,
			char *name, size_t size);

/*
 * i386 programs can also reach the call through socketcall(2) or ipc(2), which
 * no bitmap can tell apart; the multiplexer's name, or NULL.
 */
const char *syscall_multiplexer(const char *name);

/* The name of a call by AUDIT_ARCH; "syscall-N" for an unknown number. */
void syscall_name(char *buf, size_t size, uint32_t audit_arch, int32_t nr);
const char *syscall_arch_name(uint32_t audit_arch);

/* The known name that is nearest to a misspelt one; false if none is near. */
bool syscall_nearest(const char *name, char *buf, size_t size);

#endif
