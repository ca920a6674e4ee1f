// SPDX-License-Identifier: GPL-2.0
/* The exec sensor: which files a domain may execute, judged on the opened file. */
#include <linux/fs.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>

#include <asm/syscall.h>

#include "../domain/domain.h"
#include "../domain/member.h"
#include "../incident/incident.h"
#include "sense.h"

static bool sh_exec_passes(const struct sh_member *m, const struct sh_file_id *id)
{
	int i;

	for (i = 0; i < m->exec_passes; i++)
		if (sh_file_id_equal(&m->exec_pass[i], id))
			return true;
	return false;
}

bool sh_sense_exec(struct sh_member *m, struct file *file)
{
	const struct sh_policy *p = m->domain->policy;
	struct pt_regs *regs = current_pt_regs();
	struct sh_file_id id = sh_file_id_of(file_inode(file));
	struct sh_evidence ev = {
		.sensor = SELFHEAL_SENSOR_EXEC,
		.nr = regs->orig_ax,
		.ia32 = in_ia32_syscall(),
		.target = file,
	};

	if (!p->exec_sense || READ_ONCE(m->starting) ||
	    sh_file_set_has(&p->allow, file_inode(file)) || sh_exec_passes(m, &id))
		return true;
	if (sh_sense_report(m, &ev, regs))
		return true;
	m->exec_target = id;
	return false;
}
