// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of the vulnerable server, and its holes (see victim.h).
 *
 * A request is one line of words; SET is followed by a body:
 *
 *   SET <key> <length>\r\n<length bytes>\r\n
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

#define ENTRIES 128

struct entry {
	char key[KEY_MAX];
	char *value;
	size_t len;
};

static struct entry table[ENTRIES];

static struct entry *lookup(const char *key, bool create)
{
	struct entry *free_entry = NULL;
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		if (!table[i].value) {
			if (!free_entry)
				free_entry = &table[i];
		} else if (!strcmp(table[i].key, key)) {
			return &table[i];
		}
	}
	if (!create || !free_entry || strlen(key) >= KEY_MAX)
		return NULL;
	memcpy(free_entry->key, key, strlen(key) + 1);
	return free_entry;
}

static bool table_set(const char *key, const char *value, size_t len)
{
	struct entry *e = lookup(key, true);
	char *copy = malloc(len + 1);

	if (!e || !copy) {
		free(copy);
		return false;
	}
	memcpy(copy, value, len);
	free(e->value);
	e->value = copy;
	e->len = len;
	return true;
}

/*
 * Hole 1: the copy is bounded by the request (IN_MAX), not by VALUE_MAX. The
 * values are trimmed in a buffer of their own before they are stored.
 */
static bool store_value(const char *key, const char *body, size_t len)
{
	char value[VALUE_MAX];

	memcpy(value, body, len);
	while (len > 0 && isspace((unsigned char)value[len - 1]))
		len--;
	return table_set(key, value, len);
}

static int cmd_set(struct client *c, char *args, size_t line)
{
	char key[KEY_MAX];
	size_t len;

	if (sscanf(args, "%31s %zu", key, &len) != 2 || line + len + 2 > IN_MAX) {
		replyf(c, "-ERR SET <key> <length>\r\n");
		return -1;
	}
	if (c->in_len < line + len + 2)
		return 0;
	if (store_value(key, c->in + line, len))
		replyf(c, "+OK\r\n");
	else
		replyf(c, "-ERR no room\r\n");
	return line + len + 2;
}

static void cmd_get(struct client *c, const char *key)
{
	struct entry *e = lookup(key, false);

	if (!e) {
		replyf(c, "$-1\r\n");
		return;
	}
	replyf(c, "$%zu\r\n", e->len);
	reply(c, e->value, e->len);
	reply(c, "\r\n", 2);
}

static void cmd_del(struct client *c, const char *key)
{
	struct entry *e = lookup(key, false);

	if (e) {
		free(e->value);
		e->value = NULL;
	}
	replyf(c, ":%d\r\n", e ? 1 : 0);
}

static int render_plain(const char *text)
{
	return (int)strlen(text);
}

/*
 * Hole 2: the copy past note->text reaches note->render, which SHOW then
 * calls with the text as its argument.
 */
static void cmd_note(struct client *c, const char *text)
{
	if (!c->note) {
		c->note = malloc(sizeof(*c->note));
		if (!c->note)
			abort();
	}
	c->note->render = render_plain;
	memcpy(c->note->text, text, strlen(text) + 1);
	replyf(c, "+OK\r\n");
}

static void cmd_show(struct client *c)
{
	int len;

	if (!c->note) {
		replyf(c, "$-1\r\n");
		return;
	}
	replyf(c, "+SHOW\r\n");
	len = c->note->render(c->note->text);
	replyf(c, "$%d\r\n%s\r\n", len, c->note->text);
}

/*
 * Hole 3: the name goes to the shell as it came. The client learns at once
 * that its backup runs, and at the end whether it worked.
 */
static void cmd_backup(struct client *c, const char *name)
{
	char command[IN_MAX + 64];
	int status;

	replyf(c, "+BACKUP to %s\r\n", name);
	snprintf(command, sizeof(command), "echo backup > backup-%s", name);
	status = system(command);
	replyf(c, "+DONE %d\r\n", status);
}

static void cmd_secret(struct client *c)
{
	if (!c->admin) {
		replyf(c, "-DENIED\r\n");
		return;
	}
	replyf(c, "$%zu\r\n", server.secret_len);
	reply(c, secret, server.secret_len);
	reply(c, "\r\n", 2);
}

static void cmd_auth(struct client *c, const char *password)
{
	c->admin = *password && !strcmp(password, server.password);
	replyf(c, c->admin ? "+OK\r\n" : "-DENIED\r\n");
}

int serve_request(struct client *c)
{
	char line[IN_MAX + 1], *args;
	char *end = memchr(c->in, '\n', c->in_len);
	size_t len;

	if (!end)
		return c->in_len == IN_MAX ? -1 : 0;
	len = end + 1 - c->in;
	memcpy(line, c->in, len);
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	args = line + strcspn(line, " ");
	if (*args)
		*args++ = '\0';

	if (!strcmp(line, "SET"))
		return cmd_set(c, args, len);

	server.requests++;
	if (!strcmp(line, "PING"))
		replyf(c, "+PONG%s%s\r\n", *args ? " " : "", args);
	else if (!strcmp(line, "GET"))
		cmd_get(c, args);
	else if (!strcmp(line, "DEL"))
		cmd_del(c, args);
	else if (!strcmp(line, "NOTE"))
		cmd_note(c, args);
	else if (!strcmp(line, "SHOW"))
		cmd_show(c);
	else if (!strcmp(line, "BACKUP"))
		cmd_backup(c, args);
	else if (!strcmp(line, "AUTH"))
		cmd_auth(c, args);
	else if (!strcmp(line, "SECRET"))
		cmd_secret(c);
	else if (!strcmp(line, "WHOAMI"))
		replyf(c, "+id=%u fd=%d addr=%s\r\n", c->id, c->fd, c->peer);
	else if (!strcmp(line, "STATS"))
		replyf(c, "+clients=%u requests=%lu\r\n", server.clients,
		       server.requests);
	else if (!strcmp(line, "ABORT") && c->admin)
		abort();
	else if (!strcmp(line, "QUIT"))
		c->closing = true;
	else
		replyf(c, "-ERR unknown command\r\n");
	return len;
}
