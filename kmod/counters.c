// SPDX-License-Identifier: GPL-2.0
#include "counters.h"

atomic64_t sh_counters[SH_COUNTER_NR];

const struct sh_counter_desc sh_counter_descs[SH_COUNTER_NR] = {
#define X(n, h) [SH_C_##n] = { .name = #n, .help = h },
	SH_COUNTERS(X)
#undef X
};
