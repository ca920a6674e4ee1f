/* SPDX-License-Identifier: GPL-2.0 */
/* Plain structs to fields. One function a kind of thing, used by every command. */
#ifndef HEALCTL_VIEW_H
#define HEALCTL_VIEW_H

#include "containers.h"
#include "policy.h"
#include "policy_parse.h"
#include "print.h"

/* The fields of a row in a list; the caller opens and closes the object. */
void view_policy_row(struct print *p, const struct policy *policy);
void view_domain_row(struct print *p, const struct domain *domain);
void view_quarantine_row(struct print *p, const struct domain *domain);
void view_incident_row(struct print *p, const struct incident *incident);
void view_held_row(struct print *p, const struct held *held);
void view_rescue_row(struct print *p, const struct rescue_point *point);

/* Everything, as an object of its own. */
void view_policy(struct print *p, const struct policy *policy);
void view_domain(struct print *p, const struct domain *domain);
void view_incident(struct print *p, const struct incident *incident);
void view_status(struct print *p, const struct status *status);
void view_guards(struct print *p, const struct status *status);

/* One line: the event, or the notice that some were lost. */
void view_event(struct print *p, const struct event *event);
void view_events_lost(struct print *p, uint64_t after, uint64_t count);

/* What happened, in one sentence. */
void incident_reason(char *buf, size_t size, const struct incident *incident);

/* The diagnostics of a policy file, each an object of a list. */
void view_diag_rows(struct print *p, const char *file, const struct policy_file *parsed);

#endif
