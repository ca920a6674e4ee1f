/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small key-value server, vulnerable on purpose: the target of the exploits
 * in this directory. Never run it where others can reach it.
 *
 * victim.c owns the event loop and the clients, victim_proto.c the commands
 * and the three holes:
 *
 *   SET     stack overflow: the length that the client names is trusted
 *   NOTE    heap overflow into a function pointer
 *   BACKUP  command injection through system()
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <stdbool.h>
#include <stddef.h>

#define IN_MAX		4096	/* longest request, header and body */
#define VALUE_MAX	256	/* longest value, so they say */
#define KEY_MAX		32
#define SECRET_MAX	1024

/* A note of a client; render() turns the stored text into a reply. */
struct note {
	char text[64];
	int (*render)(const char *text);
};

struct client {
	int fd;
	unsigned int id;
	char peer[32];		/* address:port */
	bool admin;
	bool closing;		/* close when the output is gone */
	struct note *note;
	size_t in_len;
	size_t out_len;
	char *out;
	char in[IN_MAX];
};

struct server {
	const char *dir;	/* working directory: backups go here */
	size_t secret_len;
	unsigned long requests;
	unsigned int clients;
	char password[64];
};

extern struct server server;

/* Global and at a fixed address, as the keys of many a real server are. */
extern char secret[SECRET_MAX];

/* Queue output for a client and send as much as the socket takes. */
void reply(struct client *c, const void *data, size_t len);
[[gnu::format(printf, 2, 3)]] void replyf(struct client *c, const char *format, ...);

/*
 * Serve the first request in c->in. Returns the bytes it took, 0 when the
 * request is not complete yet, -1 when the client is to be dropped.
 */
int serve_request(struct client *c);

#endif /* VICTIM_H */
