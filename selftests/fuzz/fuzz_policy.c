// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of policy files: any text gives policies or errors with a place,
 * and what it takes as good comes back the same from the kernel's messages.
 */
#include <errno.h>
#include <string.h>

#include "decode.h"
#include "fuzz.h"
#include "policy_parse.h"

static struct nl_msg *encoded(const struct policy *p)
{
	struct nl_msg *msg = nlmsg_alloc_size(encode_policy_size(p) + NLMSG_HDRLEN);

	MUST(msg && nlmsg_put(msg, 0, 0, 0, 0, 0));
	MUST(!encode_policy(msg, p));
	return msg;
}

static void check_round_trip(const struct policy *p)
{
	struct nl_msg *msg = encoded(p), *again;
	struct attrs attrs = { nlmsg_attrdata(nlmsg_hdr(msg), 0), nlmsg_attrlen(nlmsg_hdr(msg), 0) };
	struct policy back;

	MUST(!decode_policy(attrs, &back));
	again = encoded(&back);
	MUST(nlmsg_datalen(nlmsg_hdr(again)) == nlmsg_datalen(nlmsg_hdr(msg)));
	MUST(!memcmp(nlmsg_data(nlmsg_hdr(again)), nlmsg_data(nlmsg_hdr(msg)),
		     nlmsg_datalen(nlmsg_hdr(msg))));
	policy_release(&back);
	nlmsg_free(again);
	nlmsg_free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_file file;
	size_t i, errors = 0;
	int err = policy_parse((const char *)data, size, &file);

	MUST(err == 0 || err == -EINVAL);
	for (i = 0; i < file.n_diags; i++) {
		errors += file.diags[i].severity == POLICY_ERROR;
		MUST(file.diags[i].line && file.diags[i].column && file.diags[i].text[0]);
		MUST(!i || file.diags[i].line >= file.diags[i - 1].line);
	}
	MUST(file.n_diags <= POLICY_DIAGS_MAX && errors <= file.n_errors);
	if (err)
		MUST(file.n_errors);
	else
		MUST(file.n_policies && !file.n_errors);
	for (i = 0; !err && i < file.n_policies; i++)
		check_round_trip(&file.policies[i]);
	policy_file_release(&file);
	return 0;
}
