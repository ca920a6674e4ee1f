// SPDX-License-Identifier: GPL-2.0
/* What arrives outside, token by token. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

void token(char buf[TOKEN], unsigned int n)
{
	char text[TOKEN + 1];

	snprintf(text, sizeof(text), "escape %08u\n", n % 100000000);
	memcpy(buf, text, TOKEN);
}

void esc_token(const struct esc *x, char buf[TOKEN], unsigned int i, unsigned int k)
{
	token(buf, i * (x->row->per ? x->row->per : 1) + k);
}

void esc_wrong(struct esc *x, const char *fmt, ...)
{
	va_list ap;

	if (x->wrong)
		return;
	x->wrong = true;
	va_start(ap, fmt);
	vsnprintf(x->what, sizeof(x->what), fmt, ap);
	va_end(ap);
}

int esc_lack(struct esc *x, int err, const char *what)
{
	snprintf(x->lack, sizeof(x->lack), "%s: %s", what, strerror(-err));
	return err;
}

/* In any order, each once, none far ahead of one that is missing. */
static void take_apart(struct esc *x, const char *text)
{
	char want[TOKEN];
	unsigned int k;

	for (k = 0; k < 64; k++) {
		token(want, x->first + k);
		if (!memcmp(text, want, TOKEN))
			break;
	}
	if (k == 64 || x->window & 1ULL << k)
		esc_wrong(x, "\"%.*s\" where one from %u on was due", TOKEN - 1, text, x->first);
	else
		x->window |= 1ULL << k;
	for (; x->window & 1; x->window >>= 1)
		x->first++;
	x->seen++;
}

static void take_token(struct esc *x, const char *text)
{
	char want[TOKEN];

	if (x->row->apart) {
		take_apart(x, text);
		return;
	}
	token(want, x->seen);
	if (memcmp(text, want, TOKEN))
		esc_wrong(x, "\"%.*s\" where token %u was due", TOKEN - 1, text, x->seen);
	x->seen++;
}

void esc_take(struct esc *x, const void *buf, size_t n)
{
	const char *p = buf;
	size_t some;

	while (n) {
		some = n < TOKEN - x->have ? n : TOKEN - x->have;
		memcpy(x->rest + x->have, p, some);
		x->have += some;
		p += some;
		n -= some;
		if (x->have == TOKEN) {
			take_token(x, x->rest);
			x->have = 0;
		}
	}
}

void esc_take_message(struct esc *x, const void *buf, size_t n)
{
	if (n == TOKEN)
		take_token(x, buf);
	else
		esc_wrong(x, "a message of %zu bytes where token %u was due", n, x->seen);
}

void esc_took(struct esc *x, unsigned int n)
{
	x->seen += n;
}

void look_messages(struct esc *x)
{
	char buf[256];
	ssize_t n;

	while (rx_ready(x->rx, 0) && (n = read(x->rx, buf, sizeof(buf))) > 0)
		esc_take_message(x, buf, n);
}
