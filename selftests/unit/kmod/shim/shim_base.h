/* SPDX-License-Identifier: GPL-2.0 */
/* Types, arithmetic, memory and time. */
#ifndef SELFHEAL_SHIM_BASE_H
#define SELFHEAL_SHIM_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;
typedef unsigned short umode_t;

#define U16_MAX		UINT16_MAX
#define U64_MAX		UINT64_MAX
#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define SZ_4K		0x1000
#define SZ_32K		0x8000
#define SZ_1M		0x100000

#define likely(x)	(x)
#define unlikely(x)	(x)
#define IS_ENABLED(x)	0

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min_t(type, a, b) ({ type a_ = (a), b_ = (b); a_ < b_ ? a_ : b_; })
#define max_t(type, a, b) ({ type a_ = (a), b_ = (b); a_ > b_ ? a_ : b_; })
#define min(a, b)	min_t(__typeof__((a) + (b)), a, b)
#define max(a, b)	max_t(__typeof__((a) + (b)), a, b)
#define clamp_t(type, v, lo, hi) min_t(type, max_t(type, v, lo), hi)
#define struct_size(p, member, n) (sizeof(*(p)) + (n) * sizeof((p)->member[0]))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n < 2 ? 1 : 1ul << (64 - __builtin_clzl(n - 1));
}

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

/* Ends the test: the logic broke a rule of the kernel. */
void shim_bug(const char *file, int line, const char *what) __attribute__((noreturn));

#define SHIM_REQUIRE(cond) \
	do { if (!(cond)) shim_bug(__FILE__, __LINE__, #cond); } while (0)
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#undef static_assert
#define static_assert(cond)	_Static_assert(cond, #cond)
#define WARN_ON(cond) \
	({ bool warn_ = (cond); if (warn_) shim_bug(__FILE__, __LINE__, "WARN_ON(" #cond ")"); warn_; })

/* Memory. GFP_KERNEL may sleep; the number of the allocation to fail is set by a test. */
#define GFP_KERNEL		1u
#define GFP_KERNEL_ACCOUNT	1u
#define __GFP_NOWARN		2u

extern unsigned int shim_fail_alloc;	/* 1: the next one, 0: none */
void *shim_alloc(size_t size, unsigned int gfp, bool zero);

#define kmalloc(size, gfp)	shim_alloc(size, gfp, false)
#define kvmalloc(size, gfp)	shim_alloc(size, gfp, false)
#define kzalloc(size, gfp)	shim_alloc(size, gfp, true)
#define kvzalloc(size, gfp)	shim_alloc(size, gfp, true)
#define kcalloc(n, size, gfp)	shim_alloc((size_t)(n) * (size), gfp, true)
#define kvcalloc(n, size, gfp)	shim_alloc((size_t)(n) * (size), gfp, true)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))

static inline void *kmemdup(const void *src, size_t len, unsigned int gfp)
{
	void *p = shim_alloc(len, gfp, false);

	return p ? memcpy(p, src, len) : NULL;
}

static inline char *kstrdup(const char *s, unsigned int gfp)
{
	return kmemdup(s, strlen(s) + 1, gfp);
}

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

/* Time: boottime in ns, moved by shim_advance() alone. */
#define NSEC_PER_MSEC		1000000L
#define HZ			250
#define MAX_SCHEDULE_TIMEOUT	LONG_MAX

extern u64 shim_now;
extern void (*shim_tick)(void);	/* called at each look at the clock */

static inline u64 ktime_get_boottime_ns(void)
{
	if (shim_tick)
		shim_tick();
	return __atomic_load_n(&shim_now, __ATOMIC_RELAXED);
}

/* Rounds up, as the kernel's does. */
static inline unsigned long msecs_to_jiffies(u64 ms)
{
	return (ms * HZ + 999) / 1000;
}

#endif
