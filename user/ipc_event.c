// SPDX-License-Identifier: GPL-2.0
/* Events: the dump of the kept ones. ipc_socket.c receives the live ones. */
#include <errno.h>
#include <stdlib.h>

#include "ipc_priv.h"

static void begin_events(void *arg)
{
	events_release(arg);
}

static int next_event(struct attrs attrs, void *arg)
{
	struct events *events = arg;
	struct event *event = ipc_grow((void **)&events->v, &events->n, sizeof(*event));

	return event ? decode_event(attrs, event) : -ENOMEM;
}

int ipc_event_dump(struct ipc *ipc, uint64_t seq, struct events *events)
{
	const struct ipc_dump dump = { begin_events, next_event, events };
	struct nl_msg *msg = ipc_msg(ipc, SELFHEAL_CMD_EVENT_GET, NLM_F_DUMP, 64);

	*events = (struct events){ 0 };
	if (msg && nla_put_u64(msg, SELFHEAL_A_EVENT_SEQ, seq)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ipc_dump(ipc, msg, &event_attr_names, &dump);
}

void events_release(struct events *events)
{
	free(events->v);
	*events = (struct events){ 0 };
}
