/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel module as functions on plain structs. Each returns 0 or a negative
 * errno; ipc_error() then says more. Netlink stays behind this line.
 */
#ifndef HEALCTL_IPC_H
#define HEALCTL_IPC_H

#include "containers.h"
#include "policy.h"

struct ipc;

struct ipc_error {
	int err;			/* negative errno */
	bool from_kernel;		/* the text is the kernel's own */
	char text[512];			/* may be empty */
	const char *attribute;		/* the attribute that they are about, or NULL */
};

/*
 * -ESRCH: the module is not loaded; -EPROTO: it has another ABI version.
 */
int ipc_open(struct ipc **ipc);
void ipc_close(struct ipc *ipc);
const struct ipc_error *ipc_error(const struct ipc *ipc);

int ipc_status(struct ipc *ipc, struct status *status);
void status_release(struct status *status);

int ipc_policy_load(struct ipc *ipc, const struct policy *policy);
int ipc_policy_unload(struct ipc *ipc, const char *name);
int ipc_policy_get(struct ipc *ipc, const char *name, struct policy *policy);

struct policies {
	struct policy *v;
	size_t n;
};
int ipc_policy_dump(struct ipc *ipc, struct policies *policies);
void policies_release(struct policies *policies);

/* How a process enters a domain. */
struct enrol {
	int pidfd;
	bool tree;		/* its descendants, too */
	bool starting;		/* domain-new: its first exec starts the service */
};

int ipc_domain_new(struct ipc *ipc, const char *policy, const struct enrol *enrol, uint64_t *id);
int ipc_domain_add(struct ipc *ipc, uint64_t id, const struct enrol *enrol);
int ipc_domain_freeze(struct ipc *ipc, uint64_t id, uint64_t *incident);
int ipc_domain_dissolve(struct ipc *ipc, uint64_t id);
int ipc_domain_get(struct ipc *ipc, uint64_t id, struct domain *domain);
void domain_release(struct domain *domain);

struct domains {
	struct domain *v;
	size_t n;
};
int ipc_domain_dump(struct ipc *ipc, struct domains *domains);
void domains_release(struct domains *domains);

int ipc_incident_get(struct ipc *ipc, uint64_t id, struct incident *incident);
int ipc_incident_verdict(struct ipc *ipc, uint64_t id, uint32_t verdict);
/* number < 0: what the policy says. */
int ipc_incident_rollback(struct ipc *ipc, uint64_t id, int number);

struct rescues {
	struct rescue_point *v;
	size_t n;
};
int ipc_rescue_dump(struct ipc *ipc, uint64_t domain, struct rescues *rescues);
void rescues_release(struct rescues *rescues);

struct incidents {
	struct incident *v;
	size_t n;
};
int ipc_incident_dump(struct ipc *ipc, struct incidents *incidents);
void incidents_release(struct incidents *incidents);

struct helds {
	struct held *v;
	size_t n;
};
int ipc_quarantine_dump(struct ipc *ipc, uint64_t domain, bool contents, struct helds *helds);
void helds_release(struct helds *helds);

struct events {
	struct event *v;
	size_t n;
};
/* The kept events after seq. */
int ipc_event_dump(struct ipc *ipc, uint64_t seq, struct events *events);
void events_release(struct events *events);

int ipc_agent_register(struct ipc *ipc);
/* Until reboot; -EALREADY when it has been before. */
int ipc_lock(struct ipc *ipc);
/* Guard the files, all or up to the first that fails. */
int ipc_guard_add(struct ipc *ipc, char *const *paths, size_t n);

/* A socket of its own that receives the notifications. */
int ipc_subscribe(struct ipc *ipc);
int ipc_event_fd(const struct ipc *ipc);
/*
 * Reads what has arrived without waiting, and calls handle for each event.
 * -ENOBUFS: events were lost; -ENODEV: the module was unloaded.
 */
int ipc_event_read(struct ipc *ipc, void (*handle)(void *arg, const struct event *event),
		   void *arg);

#endif
