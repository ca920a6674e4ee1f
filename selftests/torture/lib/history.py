# SPDX-License-Identifier: GPL-2.0
"""The history of a run of nemesis: its lines, and what belongs together in them.

A line is a kind and then NAME=VALUE words:

run       what was run; event    one of the family's; evidence  who a sensor saw
domain    one of ours, process a member of it, channel a way out of one with its kind
ask       a request from t to its answer at u; err is 0 or an error
audit     a dump of the quarantine of a domain that was frozen from t to u, held what was in it
sent      by the log of the member: made before the call, wait before and done after the next wait
rcvd      by the client: at t, and at dry nothing had been there to be read
gone      a process had ended; end: we end those that are left; broken, stuck, drained, failed
over      what was left at the end; counter one of the module's
"""

import collections

# enum selfheal_event_type, _domain_state, _verdict, _resolved_by
DOMAIN_STATE, DOMAIN_GONE, INCIDENT_OPEN, INCIDENT_RESOLVED = 3, 4, 5, 6
RUNNING, FREEZING, FROZEN, RELEASING, ROLLING_BACK, KILLING, GONE = range(7)
RELEASE, ROLLBACK, KILL = 1, 2, 3
CONTROLLER, DEADLINE, RULE, DEATH = 1, 2, 3, 4
MANUAL = 0
STATES = ("running", "freezing", "frozen", "releasing", "rolling-back", "killing", "gone")
VERDICTS = {0: "none", RELEASE: "release", ROLLBACK: "rollback", KILL: "kill"}
SOLVERS = {CONTROLLER: "controller", DEADLINE: "deadline", RULE: "rule", DEATH: "death"}

TEXTS = {"policy", "what", "kernel", "left", "name"}


class Incident:
    """One, from its events."""

    def __init__(self, event):
        self.id, self.domain, self.sensor = event["incident"], event["domain"], event["sensor"]
        self.opened, self.seq = event["t"], event["seq"]
        self.frozen = None              # stamps of the domain's states
        self.decided = None             # when the verdict took effect
        self.resolved = []              # events: one is right
        self.pid = 0                    # who the sensor saw
        self.asks = []

    @property
    def verdict(self):
        """Of the first resolution."""
        return self.resolved[0]["verdict"] if self.resolved else 0

    @property
    def by(self):
        """Who resolved it first."""
        return self.resolved[0]["by"] if self.resolved else 0


class Domain:
    """One, with what is known of it."""

    def __init__(self, number):
        self.id = number
        self.line = None                # who made it; None for one that is not ours
        self.states = []                # events, in order
        self.incidents = []
        self.processes = []
        self.asks = []
        self.ends = []

    def frozen_spans(self):
        """From a state frozen to the next state."""
        for event, after in zip(self.states, self.states[1:]):
            if event["state"] == FROZEN:
                yield event["t"], after["t"]


class History:
    """All lines by kind, and domains, incidents, processes by their number."""

    def __init__(self, lines):
        self.kinds = collections.defaultdict(list)
        for line in lines:
            words = line.split()
            if words:
                self.kinds[words[0]].append(_values(words[1:]))
        self.domains, self.incidents, self.processes = {}, {}, {}
        for line in self.kinds["domain"]:
            self.domain(line["domain"]).line = line
        for line in self.kinds["process"]:
            self.processes[line["process"]] = line
            self.domain(line["domain"]).processes.append(line["process"])
        for event in self.kinds["event"]:
            self._event(event)
        for domain in self.domains.values():
            _times(domain)
        for line in self.kinds["evidence"]:
            if line["incident"] in self.incidents:
                self.incidents[line["incident"]].pid = line["pid"]
        for ask in self.kinds["ask"]:
            if ask["incident"] in self.incidents and ask["what"] == "verdict":
                self.incidents[ask["incident"]].asks.append(ask)
            if ask["domain"]:
                self.domain(ask["domain"]).asks.append(ask)
        for end in self.kinds["end"]:
            self.domain(end["domain"]).ends.append(end["t"])
        self.gone = {line["process"]: line["t"] for line in self.kinds["gone"]}
        self.channels = {line["channel"]: line["kind"] for line in self.kinds["channel"]}
        self.narrow = {line["channel"] for line in self.kinds["channel"] if line["narrow"]}
        self.sent = {(line["process"], line["serial"]): line for line in self.kinds["sent"]}
        self.sent_by = collections.defaultdict(list)
        for line in self.kinds["sent"]:
            self.sent_by[line["process"]].append(line)
        self.received = collections.defaultdict(list)
        for line in self.kinds["rcvd"]:
            self.received[line["process"], line["serial"]].append(line)
        self.run = self.kinds["run"][0] if self.kinds["run"] else {"slow": 1000, "deadline": 2000}

    def domain(self, number):
        """The one of the number, a new one if need be."""
        return self.domains.setdefault(number, Domain(number))

    def domain_of(self, process):
        """Of which a process was a member; an unknown one's is empty."""
        line = self.processes.get(process)
        return self.domains[line["domain"]] if line else Domain(0)

    def slow(self, seconds):
        """In nanoseconds, as much longer as this kernel is slower."""
        return seconds * self.run["slow"] * 1000000

    def _event(self, event):
        kind = event["type"]
        if kind in (DOMAIN_STATE, DOMAIN_GONE):
            self.domain(event["domain"]).states.append(event)
        elif kind == INCIDENT_OPEN:
            incident = Incident(event)
            self.incidents[incident.id] = incident
            self.domain(event["domain"]).incidents.append(incident)
        elif kind == INCIDENT_RESOLVED and event["incident"] in self.incidents:
            self.incidents[event["incident"]].resolved.append(event)


def _values(words):
    values = {}
    for word in words:
        name, _, text = word.partition("=")
        values[name] = text if name in TEXTS else int(text)
    return values


def _times(domain):
    """When each incident of the domain had it frozen, and when it was decided."""
    for incident in domain.incidents:
        for event in domain.states:
            if event["state"] == FROZEN and (incident.decided is None):
                incident.frozen = event["t"]
            if event["seq"] > incident.seq and event["state"] in (RELEASING, ROLLING_BACK, KILLING, GONE):
                incident.decided = event["t"]
                break
            # Of an earlier incident.
            if event["seq"] < incident.seq and event["state"] == RUNNING:
                incident.frozen = None


def load(path):
    """The history that a file holds."""
    with open(path, encoding="ascii") as lines:
        return History(lines)
