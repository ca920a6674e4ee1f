// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "history.h"
#include "torture.h"

#define RECORDS_MAX	6
/* Descriptors for a member are moved there before they become its first ones. */
#define FD_HIGH		64

static const enum channel_kind kinds[] = {
	CH_TCP, CH_UDP, CH_UNIX_STREAM, CH_UNIX_DGRAM, CH_UNIX_SEQPACKET, CH_PIPE, CH_FIFO,
};

static int raise_fd(int *fd, bool ours)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, FD_HIGH);

	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	if (ours && fcntl(high, F_SETFL, fcntl(high, F_GETFL) | O_NONBLOCK))
		return -errno;
	return 0;
}

/*
 * Room for a few records only, so that what is let go has to wait for the client. UDP
 * would lose them instead.
 */
static void narrow(struct channel *ch)
{
	int size = 4096;

	ch->narrow = ch->reply.kind != CH_UDP;
	if (ch->reply.kind == CH_PIPE || ch->reply.kind == CH_FIFO)
		fcntl(ch->reply.tx, F_SETPIPE_SZ, size);
	else if (ch->narrow)
		setsockopt(ch->reply.tx, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int channel_open(struct channel *ch, struct draw *d)
{
	static _Atomic uint32_t number;
	enum channel_kind kind = kinds[draw_below(d, sizeof(kinds) / sizeof(kinds[0]))];
	int err;

	memset(ch, 0, offsetof(struct channel, buf));
	err = pair_open(&ch->request, kind) ?: pair_open(&ch->reply, kind) ?:
	      raise_fd(&ch->request.rx, false) ?: raise_fd(&ch->reply.tx, false) ?:
	      raise_fd(&ch->request.tx, true) ?: raise_fd(&ch->reply.rx, true);
	if (err)
		return err;
	ch->stream = pair_is_stream(&ch->reply);
	if (draw_chance(d, 30))
		narrow(ch);
	ch->number = atomic_fetch_add(&number, 1) + 1;
	history("channel channel=%u kind=%d narrow=%d", ch->number, kind, ch->narrow);
	return 0;
}

static void close_one(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = 0;
}

void channel_close_theirs(struct channel *ch)
{
	close_one(&ch->request.rx);
	close_one(&ch->reply.tx);
}

void channel_close(struct channel *ch)
{
	pair_close(&ch->request);
	pair_close(&ch->reply);
}

int channel_ask(struct channel *ch, struct draw *d, enum wire_op op, int64_t now)
{
	struct wire_request req = {
		.magic = WIRE_REQUEST, .id = ch->id + 1, .op = op,
		.records = draw_range(d, 1, RECORDS_MAX),
		.length = draw_range(d, sizeof(struct wire_record), WIRE_LENGTH_MAX),
	};
	ssize_t n = write(ch->request.tx, &req, sizeof(req));

	ch->sent = now;
	if (n != sizeof(req))
		return n < 0 ? -errno : -EMSGSIZE;
	ch->busy = true;
	ch->attack = op != WIRE_SERVE;
	ch->id = req.id;
	ch->expected = req.records;
	ch->got = 0;
	return 0;
}

/*
 * The length of the record at the front, or 0: more has to come. What is no record
 * is told, and ends the channel.
 */
static size_t take_record(struct channel *ch, uint64_t now)
{
	struct wire_record *r = (void *)ch->buf;

	if (ch->have < sizeof(*r))
		return 0;
	if (r->magic != WIRE_RECORD || r->length < sizeof(*r) || r->length > WIRE_LENGTH_MAX)
		goto broken;
	if (ch->have < r->length)
		return 0;
	if (!wire_intact(r))
		goto broken;
	history("rcvd channel=%u process=%u pid=%u serial=%u counter=%u attack=%u t=%" PRIu64
		" dry=%" PRIu64, ch->number, r->process, r->pid, r->serial, r->counter, r->attack,
		now, ch->dry);
	count(T_RECORDS, 1);
	count(T_BYTES, r->length);
	ch->got += r->request == ch->id;
	return r->length;
broken:
	history("broken t=%" PRIu64 " channel=%u", now, ch->number);
	count(T_BROKEN, 1);
	ch->ended = true;
	return ch->have;
}

bool channel_read(struct channel *ch)
{
	uint64_t before = wire_now(), now;
	size_t size;
	ssize_t n;

	if (ch->ended)
		return false;
	n = read(ch->reply.rx, ch->buf + ch->have, sizeof(ch->buf) - ch->have);
	now = wire_now();
	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			ch->dry = before;
		else
			ch->ended = true;
		return false;
	}
	ch->have += n;
	/* Records have lengths that are no multiple of their alignment: each to the front. */
	while ((size = take_record(ch, now))) {
		ch->have -= size;
		memmove(ch->buf, ch->buf + size, ch->have);
	}
	if (ch->busy && ch->got >= ch->expected)
		ch->busy = false;
	return true;
}
