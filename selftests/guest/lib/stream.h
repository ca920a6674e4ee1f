/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connected pairs of every kind of channel, the receiving end outside the
 * domain, and a receiver thread that counts and checks a byte pattern.
 */
#ifndef GUEST_STREAM_H
#define GUEST_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <netinet/in.h>

enum channel_kind {
	CH_TCP, CH_UDP, CH_UNIX_STREAM, CH_UNIX_DGRAM, CH_UNIX_SEQPACKET,
	CH_NETLINK, CH_PIPE, CH_FIFO, CH_PTY,
};

struct pair {
	enum channel_kind kind;
	int tx, rx;		/* tx is the member's end */
	char path[64];		/* of the FIFO, removed by pair_close() */
};

int pair_open(struct pair *p, enum channel_kind kind);
void pair_close(struct pair *p);
bool pair_is_stream(const struct pair *p);
/* Bytes (stream) or messages that can be read from rx now, waiting at most ms for the first. */
bool rx_ready(int fd, int ms);
/* Read exactly n bytes within the bound; the count read. */
size_t rx_read(int fd, void *buf, size_t n, int ms);
/* True when the end of file comes within the bound and no byte before it. */
bool rx_eof(int fd, int ms);

/* Byte at an offset of the test pattern: period is prime, so shifted data does not match. */
uint8_t pattern_at(uint64_t offset);
void pattern_fill(void *buf, uint64_t offset, size_t n);

struct receiver {
	int fd;
	pthread_t thread;
	_Atomic uint64_t bytes;
	_Atomic int64_t wrong;		/* offset of the first wrong byte, -1 for none */
	_Atomic bool eof;
};

/* Reads the pattern from fd until its end, in a thread of the test. */
int receiver_start(struct receiver *r, int fd);
bool receiver_wait(struct receiver *r, uint64_t bytes, int ms);
bool receiver_wait_eof(struct receiver *r, int ms);
void receiver_stop(struct receiver *r);

/* A listening TCP socket on 127.0.0.1, its address in *sin. */
int tcp_listen(struct sockaddr_in *sin);
int tcp_connect(const struct sockaddr_in *sin);

#endif
