// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "history.h"
#include "wire.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;

int history_open(const char *path)
{
	out = fopen(path, "we");
	return out ? 0 : -errno;
}

void history_close(void)
{
	fclose(out);
}

void history(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&lock);
	vfprintf(out, format, args);
	fputc('\n', out);
	pthread_mutex_unlock(&lock);
	va_end(args);
}

void history_ask(const struct history_ask *a)
{
	history("ask what=%s controller=%d t=%" PRIu64 " u=%" PRIu64 " domain=%" PRIu64
		" incident=%" PRIu64 " verdict=%u err=%d", a->what, a->controller, a->t, wire_now(),
		a->domain, a->incident, a->verdict, a->err);
}
