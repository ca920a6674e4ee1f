// SPDX-License-Identifier: GPL-2.0
/* Requests about policies. */
#include <errno.h>
#include <stdlib.h>

#include "ipc_priv.h"

int ipc_policy_load(struct ipc *ipc, const struct policy *policy)
{
	struct nl_msg *msg = ipc_msg(ipc, SELFHEAL_CMD_POLICY_LOAD, 0, encode_policy_size(policy));

	if (msg && encode_policy(msg, policy)) {
		nlmsg_free(msg);
		return ipc_fail(ipc, -EMSGSIZE, "the policy does not fit into a message");
	}
	return ipc_do(ipc, msg, &policy_attr_names, NULL, NULL);
}

static struct nl_msg *named(struct ipc *ipc, uint8_t cmd, const char *name)
{
	struct nl_msg *msg = ipc_msg(ipc, cmd, 0, PATH_LEN + 64);

	if (!msg || !nla_put_string(msg, SELFHEAL_A_POLICY_NAME, name))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int ipc_policy_unload(struct ipc *ipc, const char *name)
{
	return ipc_do(ipc, named(ipc, SELFHEAL_CMD_POLICY_UNLOAD, name), &policy_attr_names,
		      NULL, NULL);
}

static int one_policy(struct attrs attrs, void *arg)
{
	policy_release(arg);
	return decode_policy(attrs, arg);
}

int ipc_policy_get(struct ipc *ipc, const char *name, struct policy *policy)
{
	int err;

	*policy = (struct policy){ 0 };
	err = ipc_do(ipc, named(ipc, SELFHEAL_CMD_POLICY_GET, name), &policy_attr_names,
		     one_policy, policy);
	if (err)
		policy_release(policy);
	return err;
}

static void begin_policies(void *arg)
{
	policies_release(arg);
}

static int next_policy(struct attrs attrs, void *arg)
{
	struct policies *policies = arg;
	struct policy *policy = ipc_grow((void **)&policies->v, &policies->n, sizeof(*policy));

	return policy ? decode_policy(attrs, policy) : -ENOMEM;
}

int ipc_policy_dump(struct ipc *ipc, struct policies *policies)
{
	const struct ipc_dump dump = { begin_policies, next_policy, policies };

	*policies = (struct policies){ 0 };
	return ipc_dump(ipc, ipc_msg(ipc, SELFHEAL_CMD_POLICY_GET, NLM_F_DUMP, 0),
			&policy_attr_names, &dump);
}

void policies_release(struct policies *policies)
{
	size_t i;

	for (i = 0; i < policies->n; i++)
		policy_release(&policies->v[i]);
	free(policies->v);
	*policies = (struct policies){ 0 };
}
