// SPDX-License-Identifier: GPL-2.0
#include "state.h"

#define SH_EDGE(to)	(1u << SELFHEAL_DOMAIN_STATE_##to)

static const unsigned int sh_edges[] = {
	[SELFHEAL_DOMAIN_STATE_RUNNING]	= SH_EDGE(FREEZING) | SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_FREEZING] = SH_EDGE(FROZEN) | SH_EDGE(RELEASING) |
					   SH_EDGE(KILLING) | SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_FROZEN]	= SH_EDGE(RELEASING) | SH_EDGE(ROLLING_BACK) |
					  SH_EDGE(KILLING) | SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_RELEASING] = SH_EDGE(RUNNING) | SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_ROLLING_BACK] = SH_EDGE(RUNNING) | SH_EDGE(KILLING) |
					       SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_KILLING]	= SH_EDGE(GONE),
	[SELFHEAL_DOMAIN_STATE_GONE]	= 0,
};

bool sh_state_may(enum selfheal_domain_state from, enum selfheal_domain_state to)
{
	if ((unsigned int)from > SELFHEAL_DOMAIN_STATE_GONE ||
	    (unsigned int)to > SELFHEAL_DOMAIN_STATE_GONE)
		return false;
	return sh_edges[from] & (1u << to);
}
