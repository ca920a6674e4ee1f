// SPDX-License-Identifier: GPL-2.0
/* seeds DIR: a valid message of each kind, as input for fuzz_decode. */
#include "messages.h"

void check_true(const char *file, int line, bool good, const char *text)
{
	(void)file;
	(void)line;
	(void)good;
	(void)text;
}

static int put(const char *dir, const char *name, uint8_t kind, struct nl_msg *msg)
{
	struct attrs attrs = message_attrs(msg);
	char path[4096];
	FILE *f;
	int err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		return 1;
	err = fputc(kind, f) == EOF ||
	      fwrite(attrs.head, 1, attrs.len, f) != (size_t)attrs.len;
	err |= fclose(f);
	nlmsg_free(msg);
	return err;
}

/* As fuzz_decode numbers them; with the top bit, as JSON. */
int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return put(argv[1], "domain", 0x81, message_domain()) ||
	       put(argv[1], "incident", 0x82, message_incident()) ||
	       put(argv[1], "incident-text", 0x02, message_incident()) ||
	       put(argv[1], "held", 0x83, message_held()) ||
	       put(argv[1], "event", 0x85, message_event()) ||
	       put(argv[1], "status", 0x86, message_status());
}
