/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the values and attributes of the control interface. */
#ifndef HEALCTL_NAMES_H
#define HEALCTL_NAMES_H

#include <stdint.h>

struct names {
	const char *const *v;
	uint32_t n;
};

extern const struct names sensor_names;
extern const struct names verdict_names;
extern const struct names state_names;
extern const struct names channel_names;
extern const struct names action_names;
extern const struct names tamper_names;
extern const struct names overflow_names;
extern const struct names rescue_names;
extern const struct names resolved_by_names;
extern const struct names event_names;
extern const struct names hook_state_names;

/* Attribute names by attribute set, for errors that the kernel points at. */
extern const struct names policy_attr_names;
extern const struct names domain_attr_names;
extern const struct names incident_attr_names;
extern const struct names held_attr_names;
extern const struct names rescue_attr_names;
extern const struct names event_attr_names;
extern const struct names status_attr_names;

/* NULL for a value that this version does not know. */
const char *name_of(const struct names *names, uint32_t value);

/* -1 for an unknown name. */
int name_to_value(const struct names *names, const char *name);

/* The signals of the fault sensor; 0 for a name that is not one of them. */
extern const struct names fault_signal_names;
int fault_signal_number(uint32_t index);
int fault_signal_from_name(const char *name);

/* What si_code says about a fault, or NULL. */
const char *signal_code_text(int sig, int code);

#endif
