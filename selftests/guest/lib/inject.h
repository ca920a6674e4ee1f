/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults injected into the kernel: allocations of slab objects and pages, and
 * copies to and from user space, fail at the n-th such place that a thread
 * comes to (fail-nth, Documentation/fault-injection of the kernel). A sweep
 * makes the same operation fail at each of its places in turn, until it has no
 * further one. Only on kernels made for it (selftests/debug).
 */
#ifndef GUEST_INJECT_H
#define GUEST_INJECT_H

#include <stdbool.h>
#include <sys/types.h>

/* NULL, or why there can be none. Prepares the injectors; to be called first. */
const char *inject_missing(void);
/* Only below this function, or with NULL any of our module's; 0, or -errno. */
int inject_below(const char *function);
/*
 * Not below this function, of whose failures the kernel prints a call trace, whoever asked
 * for it; NULL: what is spared from the beginning, vmalloc(). 0, or -errno.
 */
int inject_spare(const char *function);
/* Everywhere again. */
void inject_anywhere(void);
/*
 * Also where memory of user space is given a page (@on), which otherwise is
 * left alone, and with it each page of a vmalloc() whose descriptor can fail.
 */
void inject_user_pages(bool on);

/* The thread's fail-nth, kept open for later; tid 0 is the caller. Or -errno. */
int inject_open(pid_t pid, pid_t tid);
/* The thread's @nth place from now on fails. */
void inject_arm(int fd, unsigned int nth);
/* Places that are left to go; 0 when a fault was injected, or -errno when the thread is gone. */
long inject_left(int fd);
/* No further fault; true when there was one. */
bool inject_disarm(int fd);
/*
 * For tasks that have no number to be told: the allocation of a slab object by anybody that
 * inject_below() covers fails once, after @bytes have been allocated.
 */
void inject_once(long bytes);
/* What is left of the bytes; whether it has failed; never again. */
long inject_budget(void);
bool inject_spent(void);
void inject_never(void);

/* What an operation may answer where a fault was injected. */
bool inject_error(long err);

struct sweep {
	const char *name;
	bool chooses;			/* this kernel can tell places by the functions above them */
	bool counting;			/* the first round: no fault, places are counted */
	unsigned int nth;		/* of this round */
	unsigned int misses;		/* rounds in a row without a fault */
	unsigned int points;		/* rounds with one */
	unsigned int within;		/* of all places, below functions of our module */
	unsigned int refused;		/* of the points, those that the caller heard of */
};

void sweep_begin(struct sweep *s, const char *name);
/* False when there are no further places. */
bool sweep_next(struct sweep *s);
/* The first round is over: to be said by the test where a member makes the rounds. */
void sweep_counted(struct sweep *s);
void sweep_arm(struct sweep *s, int fd);
/* Disarms; true when a fault was injected. @refused: the operation failed. */
bool sweep_hit(struct sweep *s, int fd, bool refused);
/* For who arms and looks by other means: the number, and what was left of it. */
unsigned int sweep_armed(const struct sweep *s);
bool sweep_left(struct sweep *s, long left, bool refused);
/* Prints the row of the table; the number of points. */
unsigned int sweep_end(struct sweep *s);

/* A program of such tests: skipped as a whole where faults cannot be injected. */
void inject_begin(void);

#define INJECT_MAIN				\
	int main(int argc, char **argv)		\
	{					\
		inject_begin();			\
		guest_begin();			\
		return guest_end(test_harness_run(argc, argv)); \
	}

#endif
