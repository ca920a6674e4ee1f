/* SPDX-License-Identifier: GPL-2.0 */
/* The audit trail of one process: this process takes auditd's place while it is open. */
#ifndef GUEST_AUDIT_H
#define GUEST_AUDIT_H

#include <sys/types.h>

#include "record.h"

#define AUDIT_LINES_MAX 4096

struct audit {
	int fd;
	unsigned int seq;
	unsigned int lines;
	char *line[AUDIT_LINES_MAX];
};

/* 0 or -errno each. */
int audit_open(struct audit *a);
int audit_close(struct audit *a);
/* Record every call of the 64-bit table that the process makes, at its end. */
int audit_watch(struct audit *a, pid_t pid);
int audit_unwatch(struct audit *a, pid_t pid);
/* All its calls from the exec to its exit_group(2), which is recorded as well. */
int audit_collect(struct audit *a, pid_t pid, struct record *rec);

#endif
