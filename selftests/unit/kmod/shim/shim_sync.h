/* SPDX-License-Identifier: GPL-2.0 */
/* Locks that check their use, counts, and wait queues. */
#ifndef SELFHEAL_SHIM_SYNC_H
#define SELFHEAL_SHIM_SYNC_H

#include <pthread.h>

#include "shim_list.h"

/* Real locks, so that threads can be let loose on the logic. */
typedef struct {
	pthread_mutex_t mutex;
	pthread_t owner;
	bool held;
} spinlock_t;

struct mutex {
	spinlock_t lock;
};

extern __thread unsigned int shim_spinning;	/* spinlocks that this thread holds */

#define SHIM_LOCK_INIT		{ .mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP }
#define DEFINE_SPINLOCK(name)	spinlock_t name = SHIM_LOCK_INIT
#define DEFINE_MUTEX(name)	struct mutex name = { SHIM_LOCK_INIT }

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool shim_held(const spinlock_t *lock);

#define spin_lock_irqsave(lock, flags)		do { (flags) = 1; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { SHIM_REQUIRE((flags) == 1); spin_unlock(lock); } while (0)
#define lockdep_assert_held(lock)		SHIM_REQUIRE(shim_held(lock))
#define might_sleep()				SHIM_REQUIRE(!shim_spinning)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic_read(a)		__atomic_load_n(&(a)->counter, __ATOMIC_SEQ_CST)
#define atomic_inc(a)		((void)__atomic_add_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(a)		((void)__atomic_sub_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic64_read(a)	atomic_read(a)
#define atomic64_inc(a)		atomic_inc(a)
#define atomic64_add(n, a)	((void)__atomic_add_fetch(&(a)->counter, (s64)(n), __ATOMIC_SEQ_CST))

typedef struct {
	int refs;
} refcount_t;

struct kref {
	refcount_t refcount;
};

static inline void refcount_inc(refcount_t *r)
{
	SHIM_REQUIRE(r->refs > 0);
	r->refs++;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	if (!r->refs)
		return false;
	r->refs++;
	return true;
}

static inline void kref_init(struct kref *k)
{
	k->refcount.refs = 1;
}

static inline void kref_get(struct kref *k)
{
	refcount_inc(&k->refcount);
}

static inline int kref_put(struct kref *k, void (*release)(struct kref *k))
{
	SHIM_REQUIRE(k->refcount.refs > 0);
	if (--k->refcount.refs)
		return 0;
	release(k);
	return 1;
}

typedef struct {
	unsigned int sleepers;
	unsigned int wakes;
} wait_queue_head_t;

typedef struct {
	int unused;
} wait_queue_entry_t;

/*
 * What goes on while a task sleeps: 1 when something happened, 0 when its
 * time is over, -1 for a signal. Without one, time is over at once.
 */
extern int (*shim_sleep)(void);

#define init_waitqueue_head(wq)		memset(wq, 0, sizeof(*(wq)))
#define wq_has_sleeper(wq)		((wq)->sleepers > 0)
#define wake_up_interruptible(wq)	((void)(wq)->wakes++)
#define wake_up_interruptible_poll(wq, m) ((void)(m), (void)(wq)->wakes++)
#define wait_event_interruptible_timeout(wq, cond, timeout) ({			\
	long left_ = (timeout);							\
	int what_;								\
	might_sleep();								\
	(wq).sleepers++;							\
	while (!(cond)) {							\
		what_ = shim_sleep ? shim_sleep() : 0;				\
		if (what_ <= 0) {						\
			left_ = what_;						\
			break;							\
		}								\
	}									\
	(wq).sleepers--;							\
	left_;									\
})

#endif
