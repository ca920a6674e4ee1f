/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows kernel versions: 6.1 and 6.12 are supported, any
 * other is refused at build time rather than guessed at.
 */
#ifndef SELFHEAL_COMPAT_KERNEL_H
#define SELFHEAL_COMPAT_KERNEL_H

#include <linux/version.h>
#include <linux/kconfig.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define SH_KERNEL_6_1 1
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define SH_KERNEL_6_1 0
#else
#error "selfheal supports Linux 6.1 and 6.12; build it against the headers of one of them"
#endif

#ifndef CONFIG_X86_64
#error "selfheal supports x86-64 only"
#endif

#if defined(CONFIG_X86_X32_ABI)
#error "selfheal does not mediate x32 system calls; use a kernel without CONFIG_X86_X32_ABI"
#endif

#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS) || !defined(CONFIG_UPROBES) || \
	!defined(CONFIG_GENERIC_ENTRY) || !defined(CONFIG_KPROBES)
#error "selfheal needs CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, UPROBES and KPROBES"
#endif

#endif /* SELFHEAL_COMPAT_KERNEL_H */
