/* SPDX-License-Identifier: GPL-2.0 */
/* Where core files go, and that they are whole. */
#ifndef HEALCTL_CORE_KEEP_H
#define HEALCTL_CORE_KEEP_H

#include <stddef.h>

#include "containers.h"
#include "ipc.h"

#define CORE_DIRECTORY "/var/lib/selfheal"
/* An attacker who is healed comes again: enough to look at, not a full disk. */
#define CORE_FILES_MAX 16

/*
 * Write the image of the open @incident to @path, which must not exist yet. -1
 * with a text in @why, and no file; also when a verdict has come meanwhile.
 */
int core_save(struct ipc *ipc, const struct incident *incident, const char *path, char *why,
	      size_t size);

/* The same to a new file of @dir, which is made; @path tells its name. */
int core_keep(struct ipc *ipc, const struct incident *incident, const char *dir, char *path,
	      size_t path_size, char *why, size_t size);

#endif
