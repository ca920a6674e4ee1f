// SPDX-License-Identifier: GPL-2.0
/* Requests about guarded files. */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "../domain/guard.h"
#include "control.h"

const struct nla_policy sh_nl_guard[SELFHEAL_A_STATUS_MAX + 1] = {
	[SELFHEAL_A_STATUS_GUARD] = { .type = NLA_NUL_STRING, .len = SELFHEAL_PATH_MAX },
};

static int sh_guard_one(const struct nlattr *a, struct netlink_ext_ack *extack)
{
	const char *path = nla_data(a);
	int err = path[0] == '/' ? sh_guard_add(path) : -EINVAL;

	if (path[0] != '/')
		NL_SET_ERR_MSG_ATTR(extack, a, "the path must be absolute");
	else if (err == -EINVAL)
		NL_SET_ERR_MSG_ATTR(extack, a, "the path is no regular file");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG_ATTR(extack, a, "too many guarded files");
	else if (err == -ETXTBSY)
		NL_SET_ERR_MSG_ATTR(extack, a, "somebody has the file open for writing");
	else if (err && err != -ENOMEM)
		NL_SET_ERR_MSG_ATTR(extack, a, "the path cannot be resolved");
	return err;
}

/* In order; those before the first that fails are guarded. */
int sh_guard_request(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *a;
	int err, rem;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	if (!info->attrs[SELFHEAL_A_STATUS_GUARD]) {
		NL_SET_ERR_MSG(info->extack, "name the files to guard");
		return -EINVAL;
	}
	nlmsg_for_each_attr(a, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(a) != SELFHEAL_A_STATUS_GUARD)
			continue;
		err = sh_guard_one(a, info->extack);
		if (err)
			return err;
	}
	return 0;
}

int sh_guard_fill(struct sk_buff *msg)
{
	unsigned int i;
	char *path;
	int err;

	for (i = 0; (path = sh_guard_path(i)); i++) {
		if (IS_ERR(path))
			return PTR_ERR(path);
		err = nla_put_string(msg, SELFHEAL_A_STATUS_GUARD, path);
		kfree(path);
		if (err)
			return -EMSGSIZE;
	}
	return 0;
}

size_t sh_guard_size(void)
{
	size_t n = 0;
	unsigned int i;
	char *path;

	for (i = 0; (path = sh_guard_path(i)) && !IS_ERR(path); i++) {
		n += nla_total_size(strlen(path) + 1);
		kfree(path);
	}
	return n;
}
