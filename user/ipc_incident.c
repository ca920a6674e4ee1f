// SPDX-License-Identifier: GPL-2.0
/* Requests about incidents, their verdicts, and rescue points. */
#include <errno.h>
#include <stdlib.h>

#include "ipc_priv.h"

static struct nl_msg *by_id(struct ipc *ipc, uint8_t cmd, uint64_t id)
{
	struct nl_msg *msg = ipc_msg(ipc, cmd, 0, 64);

	if (!msg || !nla_put_u64(msg, SELFHEAL_A_INCIDENT_ID, id))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int one_incident(struct attrs attrs, void *arg)
{
	return decode_incident(attrs, arg);
}

int ipc_incident_get(struct ipc *ipc, uint64_t id, struct incident *incident)
{
	*incident = (struct incident){ 0 };
	return ipc_do(ipc, by_id(ipc, SELFHEAL_CMD_INCIDENT_GET, id), &incident_attr_names,
		      one_incident, incident);
}

int ipc_incident_verdict(struct ipc *ipc, uint64_t id, uint32_t verdict)
{
	struct nl_msg *msg = by_id(ipc, SELFHEAL_CMD_INCIDENT_VERDICT, id);

	if (msg && nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, verdict)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ipc_do(ipc, msg, &incident_attr_names, NULL, NULL);
}

int ipc_incident_rollback(struct ipc *ipc, uint64_t id, int number)
{
	struct nl_msg *msg = by_id(ipc, SELFHEAL_CMD_INCIDENT_VERDICT, id);

	if (msg && (nla_put_u32(msg, SELFHEAL_A_INCIDENT_VERDICT, SELFHEAL_VERDICT_ROLLBACK) ||
		    (number >= 0 &&
		     nla_put_u32(msg, SELFHEAL_A_INCIDENT_ERRNO, (uint32_t)number)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ipc_do(ipc, msg, &incident_attr_names, NULL, NULL);
}

static void begin_rescues(void *arg)
{
	rescues_release(arg);
}

static int next_rescue(struct attrs attrs, void *arg)
{
	struct rescues *rescues = arg;
	struct rescue_point *point = ipc_grow((void **)&rescues->v, &rescues->n, sizeof(*point));

	return point ? decode_rescue(attrs, point) : -ENOMEM;
}

int ipc_rescue_dump(struct ipc *ipc, uint64_t domain, struct rescues *rescues)
{
	const struct ipc_dump dump = { begin_rescues, next_rescue, rescues };
	struct nl_msg *msg = ipc_msg(ipc, SELFHEAL_CMD_RESCUE_GET, NLM_F_DUMP, 64);

	*rescues = (struct rescues){ 0 };
	if (msg && nla_put_u64(msg, SELFHEAL_A_RESCUE_DOMAIN, domain)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ipc_dump(ipc, msg, &rescue_attr_names, &dump);
}

void rescues_release(struct rescues *rescues)
{
	free(rescues->v);
	*rescues = (struct rescues){ 0 };
}

static void begin_incidents(void *arg)
{
	incidents_release(arg);
}

static int next_incident(struct attrs attrs, void *arg)
{
	struct incidents *incidents = arg;
	struct incident *incident = ipc_grow((void **)&incidents->v, &incidents->n,
					     sizeof(*incident));

	return incident ? decode_incident(attrs, incident) : -ENOMEM;
}

int ipc_incident_dump(struct ipc *ipc, struct incidents *incidents)
{
	const struct ipc_dump dump = { begin_incidents, next_incident, incidents };

	*incidents = (struct incidents){ 0 };
	return ipc_dump(ipc, ipc_msg(ipc, SELFHEAL_CMD_INCIDENT_GET, NLM_F_DUMP, 0),
			&incident_attr_names, &dump);
}

void incidents_release(struct incidents *incidents)
{
	free(incidents->v);
	*incidents = (struct incidents){ 0 };
}
