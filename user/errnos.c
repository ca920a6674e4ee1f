// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "errnos.h"

const char *errno_name(uint32_t number)
{
	if (!number)
		return "eof";
	return number <= ERRNO_MAX ? strerrorname_np((int)number) : NULL;
}

int errno_from_name(const char *name)
{
	const char *known;
	uint32_t i;

	for (i = 0; i <= ERRNO_MAX; i++) {
		known = errno_name(i);
		if (known && !strcmp(known, name))
			return (int)i;
	}
	return -1;
}
