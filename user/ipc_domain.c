// SPDX-License-Identifier: GPL-2.0
/* Requests about domains and their quarantines. */
#include <errno.h>
#include <stdlib.h>

#include "ipc_priv.h"

/* What domain-new and domain-freeze report back. */
struct domain_answer {
	uint64_t id;
	uint64_t incident;
};

static int on_answer(struct attrs attrs, void *arg)
{
	struct domain_answer *answer = arg;
	struct domain domain;
	int err = decode_domain(attrs, &domain);

	if (err)
		return err;
	answer->id = domain.id;
	answer->incident = domain.incident;
	domain_release(&domain);
	return 0;
}

static struct nl_msg *by_id(struct ipc *ipc, uint8_t cmd, uint64_t id)
{
	struct nl_msg *msg = ipc_msg(ipc, cmd, 0, 64);

	if (!msg || !nla_put_u64(msg, SELFHEAL_A_DOMAIN_ID, id))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static struct nl_msg *put_process(struct nl_msg *msg, const struct enrol *enrol)
{
	if (!msg)
		return NULL;
	if (!nla_put_s32(msg, SELFHEAL_A_DOMAIN_PIDFD, enrol->pidfd) &&
	    (!enrol->tree || !nla_put_flag(msg, SELFHEAL_A_DOMAIN_TREE)) &&
	    (!enrol->starting || !nla_put_flag(msg, SELFHEAL_A_DOMAIN_STARTING)))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int ipc_domain_new(struct ipc *ipc, const char *policy, const struct enrol *enrol, uint64_t *id)
{
	struct nl_msg *msg = ipc_msg(ipc, SELFHEAL_CMD_DOMAIN_NEW, 0, PATH_LEN + 64);
	struct domain_answer answer = { 0 };
	int err;

	if (msg && nla_put_string(msg, SELFHEAL_A_DOMAIN_POLICY, policy)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	err = ipc_do(ipc, put_process(msg, enrol), &domain_attr_names, on_answer, &answer);
	*id = answer.id;
	return err;
}

int ipc_domain_add(struct ipc *ipc, uint64_t id, const struct enrol *enrol)
{
	struct nl_msg *msg = by_id(ipc, SELFHEAL_CMD_DOMAIN_ADD, id);

	return ipc_do(ipc, put_process(msg, enrol), &domain_attr_names, NULL, NULL);
}

int ipc_domain_freeze(struct ipc *ipc, uint64_t id, uint64_t *incident)
{
	struct domain_answer answer = { 0 };
	int err;

	err = ipc_do(ipc, by_id(ipc, SELFHEAL_CMD_DOMAIN_FREEZE, id), &domain_attr_names,
		     on_answer, &answer);
	*incident = answer.incident;
	return err;
}

int ipc_domain_dissolve(struct ipc *ipc, uint64_t id)
{
	return ipc_do(ipc, by_id(ipc, SELFHEAL_CMD_DOMAIN_DISSOLVE, id), &domain_attr_names,
		      NULL, NULL);
}

static int one_domain(struct attrs attrs, void *arg)
{
	domain_release(arg);
	return decode_domain(attrs, arg);
}

int ipc_domain_get(struct ipc *ipc, uint64_t id, struct domain *domain)
{
	int err;

	*domain = (struct domain){ 0 };
	err = ipc_do(ipc, by_id(ipc, SELFHEAL_CMD_DOMAIN_GET, id), &domain_attr_names,
		     one_domain, domain);
	if (err)
		domain_release(domain);
	return err;
}

static void begin_domains(void *arg)
{
	domains_release(arg);
}

static int next_domain(struct attrs attrs, void *arg)
{
	struct domains *domains = arg;
	struct domain *domain = ipc_grow((void **)&domains->v, &domains->n, sizeof(*domain));

	return domain ? decode_domain(attrs, domain) : -ENOMEM;
}

int ipc_domain_dump(struct ipc *ipc, struct domains *domains)
{
	const struct ipc_dump dump = { begin_domains, next_domain, domains };

	*domains = (struct domains){ 0 };
	return ipc_dump(ipc, ipc_msg(ipc, SELFHEAL_CMD_DOMAIN_GET, NLM_F_DUMP, 0),
			&domain_attr_names, &dump);
}

void domains_release(struct domains *domains)
{
	size_t i;

	for (i = 0; i < domains->n; i++)
		domain_release(&domains->v[i]);
	free(domains->v);
	*domains = (struct domains){ 0 };
}

static void begin_helds(void *arg)
{
	helds_release(arg);
}

static int next_held(struct attrs attrs, void *arg)
{
	struct helds *helds = arg;
	struct held *held = ipc_grow((void **)&helds->v, &helds->n, sizeof(*held));

	return held ? decode_held(attrs, held) : -ENOMEM;
}

int ipc_quarantine_dump(struct ipc *ipc, uint64_t domain, bool contents, struct helds *helds)
{
	const struct ipc_dump dump = { begin_helds, next_held, helds };
	struct nl_msg *msg = ipc_msg(ipc, SELFHEAL_CMD_QUARANTINE_GET, NLM_F_DUMP, 64);

	*helds = (struct helds){ 0 };
	if (msg && (nla_put_u64(msg, SELFHEAL_A_HELD_DOMAIN, domain) ||
		    (contents && nla_put_flag(msg, SELFHEAL_A_HELD_CONTENTS)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return ipc_dump(ipc, msg, &held_attr_names, &dump);
}

void helds_release(struct helds *helds)
{
	size_t i;

	for (i = 0; i < helds->n; i++)
		held_release(&helds->v[i]);
	free(helds->v);
	*helds = (struct helds){ 0 };
}
