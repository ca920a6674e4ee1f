// SPDX-License-Identifier: GPL-2.0
/* Requests about the module itself. */
#include <string.h>

#include "ipc_priv.h"

static int one_status(struct attrs attrs, void *arg)
{
	status_release(arg);
	return decode_status(attrs, arg);
}

int ipc_status(struct ipc *ipc, struct status *status)
{
	int err;

	*status = (struct status){ 0 };
	err = ipc_do(ipc, ipc_msg(ipc, SELFHEAL_CMD_STATUS_GET, 0, 0), &status_attr_names,
		     one_status, status);
	if (err)
		status_release(status);
	return err;
}

int ipc_agent_register(struct ipc *ipc)
{
	return ipc_do(ipc, ipc_msg(ipc, SELFHEAL_CMD_AGENT_REGISTER, 0, 0), &status_attr_names,
		      NULL, NULL);
}

int ipc_lock(struct ipc *ipc)
{
	return ipc_do(ipc, ipc_msg(ipc, SELFHEAL_CMD_LOCK, 0, 0), &status_attr_names, NULL, NULL);
}

int ipc_guard_add(struct ipc *ipc, char *const *paths, size_t n)
{
	struct nl_msg *msg;
	size_t i, size = 0;

	for (i = 0; i < n; i++)
		size += nla_total_size((int)strlen(paths[i]) + 1);
	msg = ipc_msg(ipc, SELFHEAL_CMD_GUARD_ADD, 0, size);
	for (i = 0; msg && i < n; i++) {
		if (nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, paths[i])) {
			nlmsg_free(msg);
			msg = NULL;
		}
	}
	return ipc_do(ipc, msg, &status_attr_names, NULL, NULL);
}
