// SPDX-License-Identifier: GPL-2.0
/* See journal.h. The journal of a process's point is under its domain's lock. */
#include <linux/slab.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "../domain/process.h"
#include "../limits.h"
#include "journal.h"
#include "point.h"

void sh_journal_init(struct sh_journal *j)
{
	INIT_LIST_HEAD(&j->changes);
	j->nr = 0;
	j->lost = false;
}

void sh_journal_free(struct sh_journal *j)
{
	struct sh_change *c, *next;

	list_for_each_entry_safe(c, next, &j->changes, node)
		kfree(c);
	sh_journal_init(j);
}

/* A call that a rollback finds under way is made before the process goes back. domain->lock held. */
static struct sh_point *sh_journal_point(const struct sh_member *m)
{
	lockdep_assert_held(&m->domain->lock);
	return m->arrived || !m->process->back ? m->process->point : m->process->back;
}

u64 sh_journal_clock(struct sh_member *m)
{
	const struct sh_point *p;
	u64 clock;

	spin_lock(&m->domain->lock);
	p = sh_journal_point(m);
	clock = p ? p->clock : 0;
	spin_unlock(&m->domain->lock);
	return clock;
}

void sh_journal_note(struct sh_member *m, struct sh_change *c)
{
	struct sh_point *p;

	spin_lock(&m->domain->lock);
	/* A thread that has ended may have taken it away. */
	p = sh_journal_point(m);
	if (p && c && p->journal.nr < SH_CHANGES_MAX) {
		list_add(&c->node, &p->journal.changes);
		p->journal.nr++;
		c = NULL;
	} else if (p) {
		p->journal.lost = true;
	}
	spin_unlock(&m->domain->lock);
	kfree(c);
}

void sh_journal_undo(struct sh_domain *d, struct sh_point *p)
{
	struct sh_journal *j = &p->journal;
	struct sh_change *c;

	list_for_each_entry(c, &j->changes, node)
		sh_count(c->undo(c, d, p->table) ? SH_C_objects_failed : SH_C_objects_restored);
	if (j->lost)
		sh_count(SH_C_objects_failed);
	sh_journal_free(j);
}
