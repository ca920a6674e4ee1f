// SPDX-License-Identifier: GPL-2.0
/* The shim's state. */
#include "shim.h"

u64 shim_now = 1000000000;
void (*shim_tick)(void);
unsigned int shim_fail_alloc;
__thread unsigned int shim_spinning;
int (*shim_sleep)(void);
struct task_struct *current;
struct shim_file *shim_files;
int shim_paths;

static struct workqueue_struct unbound;
struct workqueue_struct *system_unbound_wq = &unbound;

static struct work_struct *works;	/* queued, by time */
static pthread_mutex_t works_lock = PTHREAD_MUTEX_INITIALIZER;

void shim_bug(const char *file, int line, const char *what)
{
	printf("# %s:%d: a rule of the kernel is broken: %s\n", file, line, what);
	fflush(stdout);
	abort();
}

void *shim_alloc(size_t size, unsigned int gfp, bool zero)
{
	if (gfp & GFP_KERNEL)
		might_sleep();
	if (shim_fail_alloc && !--shim_fail_alloc)
		return NULL;
	/* What is not asked to be zero is certainly not. */
	return zero ? calloc(1, size) : memset(malloc(size), 0xa5, size);
}

void spin_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t)SHIM_LOCK_INIT;
}

static void lock_take(spinlock_t *lock)
{
	SHIM_REQUIRE(!pthread_mutex_lock(&lock->mutex));
	lock->owner = pthread_self();
	lock->held = true;
}

static void lock_drop(spinlock_t *lock)
{
	SHIM_REQUIRE(shim_held(lock));
	lock->held = false;
	SHIM_REQUIRE(!pthread_mutex_unlock(&lock->mutex));
}

bool shim_held(const spinlock_t *lock)
{
	return lock->held && pthread_equal(lock->owner, pthread_self());
}

void spin_lock(spinlock_t *lock)
{
	lock_take(lock);
	shim_spinning++;
}

void spin_unlock(spinlock_t *lock)
{
	SHIM_REQUIRE(shim_spinning);
	shim_spinning--;
	lock_drop(lock);
}

void mutex_lock(struct mutex *m)
{
	might_sleep();
	lock_take(&m->lock);
}

void mutex_unlock(struct mutex *m)
{
	lock_drop(&m->lock);
}

static void work_unlink(struct work_struct *work)
{
	struct work_struct **p;

	for (p = &works; *p; p = &(*p)->next) {
		if (*p == work) {
			*p = work->next;
			break;
		}
	}
	work->pending = false;
}

static bool work_queue(struct work_struct *work, u64 due, bool again)
{
	struct work_struct **p;
	bool was;

	SHIM_REQUIRE(work->func);
	pthread_mutex_lock(&works_lock);
	was = work->pending;
	if (was && again)
		work_unlink(work);
	if (!work->pending) {
		for (p = &works; *p && (*p)->due <= due; p = &(*p)->next)
			;
		work->due = due;
		work->next = *p;
		work->pending = true;
		*p = work;
	}
	pthread_mutex_unlock(&works_lock);
	return was;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	SHIM_REQUIRE(wq);
	return !work_queue(work, ktime_get_boottime_ns(), false);
}

static u64 jiffies_from_now(unsigned long delay)
{
	return ktime_get_boottime_ns() + delay * (1000000000ull / HZ);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw, unsigned long delay)
{
	SHIM_REQUIRE(wq);
	return !work_queue(&dw->work, jiffies_from_now(delay), false);
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw, unsigned long delay)
{
	SHIM_REQUIRE(wq);
	return work_queue(&dw->work, jiffies_from_now(delay), true);
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was;

	might_sleep();
	pthread_mutex_lock(&works_lock);
	was = work->pending;
	if (was)
		work_unlink(work);
	pthread_mutex_unlock(&works_lock);
	return was;
}

u64 shim_next_due(void)
{
	return works ? works->due : U64_MAX;
}

void shim_advance(u64 ns)
{
	u64 end = shim_now + ns;
	struct work_struct *work;

	while (works && works->due <= end) {
		work = works;
		shim_now = max(shim_now, work->due);
		work_unlink(work);
		work->func(work);
		SHIM_REQUIRE(!shim_spinning);
	}
	shim_now = end;
}

void *xa_store(struct xarray *xa, unsigned long i, void *p, unsigned int gfp)
{
	void *old;

	if (gfp & GFP_KERNEL)
		might_sleep();
	if (shim_fail_alloc && !--shim_fail_alloc)
		return ERR_PTR(-ENOMEM);
	SHIM_REQUIRE(i < SHIM_XARRAY_MAX);
	xa_lock(xa);
	old = xa->entry[i];
	xa->entry[i] = p;
	xa_unlock(xa);
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long i)
{
	void *old;

	SHIM_REQUIRE(i < SHIM_XARRAY_MAX);
	xa_lock(xa);
	old = xa->entry[i];
	xa->entry[i] = NULL;
	xa_unlock(xa);
	return old;
}

int kern_path(const char *name, unsigned int flags, struct path *path)
{
	struct shim_file *f;

	might_sleep();
	SHIM_REQUIRE(flags == LOOKUP_FOLLOW);
	for (f = shim_files; f && f->name; f++) {
		if (!strcmp(f->name, name)) {
			path->dentry = &f->dentry;
			shim_paths++;
			return 0;
		}
	}
	return -ENOENT;
}

void path_put(const struct path *path)
{
	SHIM_REQUIRE(path->dentry && shim_paths > 0);
	shim_paths--;
}
