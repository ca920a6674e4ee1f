// SPDX-License-Identifier: GPL-2.0
/*
 * The lock: from then on and until reboot nothing makes the protection weaker,
 * whoever asks. What it forbids runs as a reader of sh_lock_sem, so that none
 * of it is under way any more when the request to lock returns.
 */
#include <linux/rwsem.h>
#include <net/genetlink.h>

#include "../compat/pin.h"
#include "../event.h"
#include "control.h"

static DECLARE_RWSEM(sh_lock_sem);
static bool sh_is_locked;

void sh_lock_enter(void)
{
	down_read(&sh_lock_sem);
}

void sh_lock_leave(void)
{
	up_read(&sh_lock_sem);
}

bool sh_locked(void)
{
	return READ_ONCE(sh_is_locked);
}

int sh_lock_refuse(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "selfheal is locked until reboot");
	return -EPERM;
}

int sh_lock(struct sk_buff *skb, struct genl_info *info)
{
	struct sh_event ev = { .type = SELFHEAL_EVENT_TYPE_LOCKED };
	bool already;
	int err;

	err = sh_control_permit(skb, info->extack);
	if (err)
		return err;
	down_write(&sh_lock_sem);
	already = sh_is_locked;
	if (!already) {
		sh_module_pin();
		WRITE_ONCE(sh_is_locked, true);
	}
	up_write(&sh_lock_sem);
	if (already) {
		NL_SET_ERR_MSG(info->extack, "selfheal has been locked before");
		return -EALREADY;
	}
	sh_event_emit(&ev);
	return 0;
}
