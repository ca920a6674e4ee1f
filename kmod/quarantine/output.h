/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the output taps ask: is this output the quarantine's business, and if
 * so, what does the caller get. True: *@ret is the result of the call and
 * the object must not see it; false: let the kernel go on. All run in the
 * member's own context with a reference on it and may sleep.
 */
#ifndef SELFHEAL_QUARANTINE_OUTPUT_H
#define SELFHEAL_QUARANTINE_OUTPUT_H

#include <linux/types.h>

#include "../counters.h"
#include "../domain/domain.h"
#include "../domain/member.h"
#include "quarantine.h"

struct file;
struct iov_iter;
struct kiocb;
struct msghdr;
struct page;
struct socket;

/* False for output that passes: our own, observed, or of a passing class while running. */
static inline bool sh_output_withheld(struct sh_member *m, enum selfheal_channel channel)
{
	const struct sh_policy *p = m->domain->policy;

	if (m->committing || sh_policy_observes(p))
		return false;
	return p->action[channel] != SELFHEAL_CHANNEL_ACTION_PASS ||
	       !sh_state_runs(sh_domain_state(m->domain));
}

/*
 * The same, or it has to stay behind output of the same object that a freeze
 * kept and a release has not let out to the last byte yet.
 */
static inline bool sh_output_concerns(struct sh_member *m, enum selfheal_channel channel)
{
	return sh_output_withheld(m, channel) ||
	       (!m->committing && !sh_quarantine_idle(m->domain->quarantine));
}

/* Whether it is only for the order that @m's output to @file does not pass. */
enum sh_output_order {
	SH_OUTPUT_WITHHELD,
	SH_OUTPUT_FOLLOWS,
	SH_OUTPUT_PASSES,
};

enum sh_output_order sh_output_order(struct sh_member *m, enum selfheal_channel channel,
				     struct file *file);

static inline int sh_output_refused(struct sh_member *m, enum selfheal_channel channel)
{
	if (sh_domain_state(m->domain) == SELFHEAL_DOMAIN_STATE_KILLING)
		return -EPIPE;
	if (m->domain->policy->action[channel] == SELFHEAL_CHANNEL_ACTION_DENY)
		return -EPERM;
	return 0;
}

bool sh_socket_output(struct sh_member *m, struct socket *sock, struct msghdr *msg, int size,
		      bool checked, ssize_t *ret);
bool sh_socket_output_page(struct sh_member *m, struct file *file, struct page *page, int offset,
			   size_t size, int flags, ssize_t *ret);
bool sh_socket_shutdown(struct sh_member *m, struct socket *sock, int how, int *ret);
bool sh_pipe_output(struct sh_member *m, struct kiocb *iocb, struct iov_iter *from, ssize_t *ret);
/* Whether pages may go to a pipe past sh_pipe_output(): 0, or the result of the call. */
int sh_pipe_splice(struct sh_member *m);
bool sh_tty_output(struct sh_member *m, struct kiocb *iocb, struct iov_iter *from, ssize_t *ret);

#endif /* SELFHEAL_QUARANTINE_OUTPUT_H */
