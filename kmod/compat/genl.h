/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFHEAL_COMPAT_GENL_H
#define SELFHEAL_COMPAT_GENL_H

#include <net/genetlink.h>

#include "kernel.h"

/* The attributes of the request that a dump answers. */
static inline struct nlattr **sh_dump_attrs(const struct genl_dumpit_info *info)
{
#if SH_KERNEL_6_1
	return info->attrs;
#else
	return info->info.attrs;
#endif
}

#define SH_EXTACK_TEXT	80

/*
 * A text with numbers in it. 6.1 keeps only a pointer, so there the text goes
 * to one of a ring of buffers; that many requests would have to be refused
 * before this one's answer is written for it to be spoilt.
 */
#if SH_KERNEL_6_1
#define SH_EXTACK_FMT(extack, fmt, ...) do {					\
	static char texts[64][SH_EXTACK_TEXT];					\
	static atomic_t next;							\
	char *text = texts[atomic_inc_return(&next) & 63];			\
										\
	snprintf(text, SH_EXTACK_TEXT, fmt, ##__VA_ARGS__);			\
	if (extack)								\
		(extack)->_msg = text;						\
} while (0)
#else
#define SH_EXTACK_FMT(extack, fmt, ...)						\
	NL_SET_ERR_MSG_FMT(extack, fmt, ##__VA_ARGS__)
#endif

#endif /* SELFHEAL_COMPAT_GENL_H */
