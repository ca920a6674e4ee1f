// SPDX-License-Identifier: GPL-2.0
/* System call names and numbers of x86-64 and i386, by libseccomp. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "syscalls.h"

/* libseccomp's architecture tokens are the AUDIT_ARCH values. */
static const uint32_t arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86 };

/*
 * libseccomp answers the direct socket and System V IPC calls of i386 with a
 * pseudo number, although they exist; only the way back has their numbers.
 */
static int ia32_number(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);
	char *found;
	bool same;

	if (nr >= 0)
		return nr;
	for (nr = 0; nr < SYSCALLS_MAX; nr++) {
		found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, nr);
		same = found && !strcmp(found, name);
		free(found);
		if (same)
			return nr;
	}
	return -1;
}

static bool set_bit(uint8_t *map, int nr)
{
	if (nr < 0 || nr >= SYSCALLS_MAX)
		return false;
	map[nr / 8] |= (uint8_t)(1u << (nr % 8));
	return true;
}

int syscall_set_add(struct syscall_set *set, const char *name)
{
	bool native, ia32;

	native = set_bit(set->native, seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name));
	ia32 = set_bit(set->ia32, ia32_number(name));
	return native || ia32 ? 0 : -ENOENT;
}

bool syscall_bit(const uint8_t map[SELFHEAL_SYSMAP_LEN], unsigned int nr)
{
	return nr < SYSCALLS_MAX && (map[nr / 8] >> (nr % 8) & 1);
}

bool syscall_map_empty(const uint8_t map[SELFHEAL_SYSMAP_LEN])
{
	size_t i;

	for (i = 0; i < SELFHEAL_SYSMAP_LEN; i++)
		if (map[i])
			return false;
	return true;
}

bool syscall_set_common(const struct syscall_set *a, const struct syscall_set *b,
			char *name, size_t size)
{
	int nr;

	for (nr = 0; nr < SYSCALLS_MAX; nr++) {
		if (syscall_bit(a->native, nr) && syscall_bit(b->native, nr)) {
			syscall_name(name, size, SCMP_ARCH_X86_64, nr);
			return true;
		}
		if (syscall_bit(a->ia32, nr) && syscall_bit(b->ia32, nr)) {
			syscall_name(name, size, SCMP_ARCH_X86, nr);
			return true;
		}
	}
	return false;
}

const char *syscall_multiplexer(const char *name)
{
	static const char *const multiplexers[] = { "socketcall", "ipc" };
	int nr = seccomp_syscall_resolve_name_rewrite(SCMP_ARCH_X86, name);
	size_t i;

	for (i = 0; i < 2; i++)
		if (strcmp(name, multiplexers[i]) &&
		    nr == seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, multiplexers[i]))
			return multiplexers[i];
	return NULL;
}

void syscall_name(char *buf, size_t size, uint32_t audit_arch, int32_t nr)
{
	/* For 0 libseccomp would take the architecture that it runs on. */
	char *name = audit_arch ? seccomp_syscall_resolve_num_arch(audit_arch, nr) : NULL;

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "syscall-%" PRId32, nr);
	free(name);
}

const char *syscall_arch_name(uint32_t audit_arch)
{
	switch (audit_arch) {
	case SCMP_ARCH_X86_64:
		return "x86-64";
	case SCMP_ARCH_X86:
		return "i386";
	}
	return NULL;
}

/* Levenshtein's distance, for names below NAME_MAX_LEN. */
#define NAME_MAX_LEN 48

static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], la = strlen(a), lb = strlen(b);
	size_t i, j, above, corner, best;

	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			best = corner + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			corner = above;
		}
	}
	return row[lb];
}

bool syscall_nearest(const char *name, char *buf, size_t size)
{
	size_t arch, d, best = strlen(name) / 3 + 2;
	bool found = false;
	char *other;
	int nr;

	if (strlen(name) > NAME_MAX_LEN)
		return false;
	for (arch = 0; arch < 2; arch++) {
		for (nr = 0; nr < SYSCALLS_MAX; nr++) {
			other = seccomp_syscall_resolve_num_arch(arches[arch], nr);
			if (other && strlen(other) <= NAME_MAX_LEN) {
				d = distance(name, other);
				if (d < best) {
					best = d;
					found = true;
					snprintf(buf, size, "%s", other);
				}
			}
			free(other);
		}
	}
	return found;
}
