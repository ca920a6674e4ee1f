// SPDX-License-Identifier: GPL-2.0
/*
 * The decoders of netlink messages, and the printers of what they made: any
 * attributes are refused or give JSON that can be parsed. The first byte
 * chooses the kind of message.
 */
#include <errno.h>
#include <string.h>

#include "decode.h"
#include "fuzz.h"
#include "view.h"

static struct print *out;

static void show_policy(struct attrs attrs)
{
	struct policy v;

	if (decode_policy(attrs, &v))
		return;
	view_policy(out, &v);
	policy_release(&v);
}

static void show_domain(struct attrs attrs)
{
	struct domain v;

	if (decode_domain(attrs, &v))
		return;
	view_domain(out, &v);
	domain_release(&v);
}

static void show_incident(struct attrs attrs)
{
	static struct incident v;
	char reason[256];

	if (decode_incident(attrs, &v))
		return;
	incident_reason(reason, sizeof(reason), &v);
	view_incident(out, &v);
}

static void show_held(struct attrs attrs)
{
	struct held v;

	if (decode_held(attrs, &v))
		return;
	view_held_row(out, &v);
	held_release(&v);
}

static void show_rescue(struct attrs attrs)
{
	struct rescue_point v;

	if (!decode_rescue(attrs, &v))
		view_rescue_row(out, &v);
}

static void show_event(struct attrs attrs)
{
	struct event v;

	if (!decode_event(attrs, &v))
		view_event(out, &v);
}

static void show_status(struct attrs attrs)
{
	struct status v;

	if (decode_status(attrs, &v))
		return;
	view_status(out, &v);
	status_release(&v);
}

static void (*const shows[])(struct attrs attrs) = {
	show_policy, show_domain, show_incident, show_held, show_rescue, show_event, show_status,
};

static void try_it(void (*show)(struct attrs attrs), struct attrs attrs, bool json)
{
	json_t *parsed;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	MUST(f);
	out = print_new(f, json, true);
	MUST(out);
	print_open(out, "it");
	show(attrs);
	print_close(out);
	MUST(!print_flush(out));
	print_free(out);
	fclose(f);
	if (json) {
		parsed = json_loads(text, 0, NULL);
		MUST(parsed);
		json_decref(parsed);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attrs attrs;
	void *copy;

	if (size < 1 || size > 65536)
		return 0;
	/* Of exactly this size, so that a byte too far is seen. */
	copy = malloc(size);
	MUST(copy);
	memcpy(copy, data + 1, size - 1);
	attrs = (struct attrs){ copy, (int)size - 1 };
	try_it(shows[(data[0] & 0x7f) % (sizeof(shows) / sizeof(shows[0]))], attrs, data[0] & 0x80);
	free(copy);
	return 0;
}
