// SPDX-License-Identifier: GPL-2.0
/*
 * tool_chain PAGE OUT HOW: one beat, that is a count in the page (a descriptor)
 * and a byte to OUT, then on by HOW:
 *	once	exits
 *	exec	executes itself again, for ever
 *	thread	the same from a thread that is not the leader, beside another
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"

static struct page *page;
static char **args;
static int out;

static void beat(void)
{
	atomic_fetch_add(&page->count[syscall(SYS_gettid) % 128], 1);
	if (write(out, "b", 1) != 1)
		return;		/* the pipe is full: nobody minds */
}

static void *again(void *arg)
{
	(void)arg;
	execv(args[0], args);
	_exit(1);
}

static void *sibling(void *arg)
{
	for (;;)
		beat();
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc != 4)
		return 2;
	args = argv;
	out = atoi(argv[2]);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[1]), 0);
	if (page == MAP_FAILED)
		return 3;
	beat();
	if (!strcmp(argv[3], "once"))
		return 0;
	if (!strcmp(argv[3], "exec"))
		again(NULL);
	if (pthread_create(&t, NULL, sibling, NULL) || pthread_create(&t, NULL, again, NULL))
		return 4;
	sibling(NULL);
}
