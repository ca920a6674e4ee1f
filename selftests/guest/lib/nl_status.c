// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "nl_status.h"

struct wanted {
	const char *name;
	int64_t value;
};

static void take_counters(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[SELFHEAL_A_COUNTER_MAX + 1], *a;
	struct genlmsghdr *hdr = nlmsg_data(nlh);
	struct wanted *w = arg;
	char name[64];
	int rem;

	nla_for_each_attr(a, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rem) {
		if (nla_type(a) != SELFHEAL_A_STATUS_COUNTER ||
		    nla_parse_nested(tb, SELFHEAL_A_COUNTER_MAX, a, NULL))
			continue;
		nlc_get_str(tb, SELFHEAL_A_COUNTER_NAME, name, sizeof(name));
		if (!strcmp(name, w->name))
			w->value = nlc_get_u64(tb, SELFHEAL_A_COUNTER_VALUE);
	}
}

int64_t status_counter(struct nlc *c, const char *name)
{
	struct wanted w = { .name = name, .value = -ENOENT };
	int err = nlc_call(c, nlc_msg(c, SELFHEAL_CMD_STATUS_GET, 0), take_counters, &w);

	return err ? err : w.value;
}
