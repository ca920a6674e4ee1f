# SPDX-License-Identifier: GPL-2.0
"""What must hold in a history of nemesis. Each invariant is a function that yields a text for each
violation; its docstring is the promise. Stamps are of one clock, the kernel's and ours."""

import collections

from history import (CONTROLLER, DEADLINE, FREEZING, FROZEN, GONE, KILL, KILLING, MANUAL, RELEASE, RELEASING, ROLLBACK,
                     ROLLING_BACK, RUNNING, SOLVERS, STATES, VERDICTS)

EBUSY, ENOENT, EALREADY = -16, -2, -114
TCP, UDP = 0, 1

# Seconds, on a stock kernel.
LATE = 3            # an incident beyond its deadline
DYING = 3           # a member after a kill
ARRIVING = 0.5      # a segment between its commit and its receiver
COMMITTING = 3      # a record between the wait that vets it and its receiver, who may have no room
ANSWERING = 6       # a member that has been let go

EDGES = {RUNNING: {FREEZING, GONE}, FREEZING: {FROZEN, RELEASING, KILLING, GONE},
         FROZEN: {RELEASING, ROLLING_BACK, KILLING, GONE}, RELEASING: {RUNNING, GONE},
         ROLLING_BACK: {RUNNING, KILLING, GONE}, KILLING: {GONE}, GONE: set()}


def history_is_whole(h):
    """Every event was recorded, and the run came to its end."""
    before = None
    for event in h.kinds["event"]:
        if before is not None and event["seq"] != before + 1:
            yield f"events {before + 1} to {event['seq'] - 1} are missing"
        before = event["seq"]
    if not h.kinds["over"]:
        yield "no end of the run is recorded"


def nothing_is_left(h):
    """At the end there is no domain, no open incident, no module, and nothing of it."""
    for over in h.kinds["over"]:
        if over["domains"] or over["open"] or over["unload"] or over["left"] != "-":
            yield (f"{over['domains']} domains, {over['open']} open incidents, unload {over['unload']}, "
                   f"left behind: {over['left']}")
    for stuck in h.kinds["stuck"]:
        yield f"domain {stuck['domain']} does not end (members dead: {stuck['dead']})"


def states_are_legal(h):
    """A domain goes from state to state as the table says."""
    for domain in h.domains.values():
        state = RUNNING
        for event in domain.states:
            if event["state"] not in EDGES[state]:
                yield f"domain {domain.id}: from {STATES[state]} to {STATES[event['state']]} (event {event['seq']})"
            state = event["state"]


def records_are_intact(h):
    """What is received is what was sent, byte by byte, on the channel where it was sent."""
    for line in h.kinds["broken"]:
        yield f"channel {line['channel']}: bytes at {line['t']} that nobody sent"
    for line in h.kinds["rcvd"]:
        sent = h.sent.get((line["process"], line["serial"]))
        if not sent:
            yield f"process {line['process']}: record {line['serial']} is received and was never sent"
        elif any(line[name] != sent[name] for name in ("counter", "channel", "attack")):
            yield f"process {line['process']}: record {line['serial']} is not what was sent"


def records_come_once(h):
    """Nothing is received twice."""
    for (process, serial), lines in h.received.items():
        if len(lines) > 1:
            yield f"process {process}: record {serial} is received {len(lines)} times"


def channels_keep_order(h):
    """What comes by one channel comes in the order in which it was sent (UDP promises none)."""
    last = {}
    for line in h.kinds["rcvd"]:
        if h.channels.get(line["channel"]) == UDP:
            continue
        if line["serial"] < last.get(line["channel"], 0):
            yield (f"channel {line['channel']}: record {line['serial']} of process {line['process']} "
                   f"after record {last[line['channel']]}")
        last[line["channel"]] = line["serial"]


def frozen_is_silent(h):
    """Between frozen and the next state nothing arrives."""
    for line in h.kinds["rcvd"]:
        slack = h.slow(ARRIVING) if h.channels.get(line["channel"]) in (TCP, UDP) else 0
        for begin, end in h.domain_of(line["process"]).frozen_spans():
            if line["dry"] > begin + slack and line["t"] < end:
                yield (f"process {line['process']}: record {line['serial']} arrived between {line['dry']} and "
                       f"{line['t']}, its domain was frozen from {begin} to {end}")


def frozen_stands_still(h):
    """Between frozen and the next state no member runs."""
    for sent in h.kinds["sent"]:
        for begin, end in h.domain_of(sent["process"]).frozen_spans():
            for name in ("made", "wait", "done"):
                if begin < sent[name] < end:
                    yield (f"process {sent['process']}: ran at {sent[name]} (record {sent['serial']}, {name}), "
                           f"frozen from {begin} to {end}")


def held_waits_for_the_verdict(h):
    """What a frozen domain holds does not come before a release, and never after a kill or an undoing rollback."""
    for line in h.kinds["held"]:
        incident = h.incidents[line["incident"]]
        for received in h.received.get((line["process"], line["serial"]), ()):
            text = f"process {line['process']}: record {line['serial']}, held in incident {incident.id}, "
            if incident.decided is None or received["t"] < incident.decided:
                yield text + f"came at {received['t']}, before the verdict at {incident.decided}"
            elif incident.verdict == ROLLBACK and not _undoes(h, incident, line["process"], line["serial"]):
                continue
            elif incident.verdict != RELEASE:
                yield text + f"came after the verdict {VERDICTS[incident.verdict]}"


def _undoes(h, incident, process, serial):
    """Whether a rollback drops the record: its process goes back, and it had not been vetted."""
    sent = h.sent.get((process, serial))
    at_fault = incident.sensor == MANUAL or incident.pid == h.processes[process]["pid"]
    return bool(at_fault and sent and (not sent["wait"] or sent["wait"] > incident.opened))


def attacks_stay_inside(h):
    """What an attacked member sent between the attack and its fault comes out by a release alone."""
    for line in h.kinds["rcvd"]:
        if not line["attack"]:
            continue
        domain = h.domain_of(line["process"])
        sent = h.sent.get((line["process"], line["serial"]), {"made": 0})
        released = any(i.verdict == RELEASE and i.decided and sent["made"] < i.decided <= line["t"]
                       for i in domain.incidents)
        dissolved = any(a["what"] == "dissolve" and a["err"] in (0, EBUSY) and a["t"] <= line["t"] for a in domain.asks)
        # Ended by us before it came to its fault: then no sensor has fired.
        ended = any(end <= line["t"] for end in domain.ends) and not any(
            i.sensor != MANUAL and i.opened > sent["made"] for i in domain.incidents)
        if not (released or dissolved or ended):
            yield f"process {line['process']}: record {line['serial']} of an attack was received at {line['t']}"


def nothing_is_lost(h):
    """What was sent is received, unless a verdict or a death dropped it; never after the wait that vets it."""
    for sent in h.kinds["sent"]:
        if sent["result"] != 1 or (sent["process"], sent["serial"]) in h.received:
            continue
        domain = h.domain_of(sent["process"])
        drops = [i for i in domain.incidents if i.verdict != RELEASE and (i.decided or i.opened) > sent["made"]]
        text = f"process {sent['process']}: record {sent['serial']} of {sent['made']} "
        if not drops:
            yield text + "was never received, and nothing dropped it"
        elif sent["done"] and sent["done"] + h.slow(COMMITTING) < drops[0].opened:
            yield text + f"was never received, vetted at {sent['done']}, long before incident {drops[0].id}"


def answers_are_not_forgotten(h):
    """The counters of what was received from a process are 1, 2, 3, ...: a rollback goes back to what was out, no more."""
    last = {}
    for process, serial in sorted(h.received):
        counter = h.received[process, serial][0]["counter"]
        before = last.get(process, 0)
        if counter <= before or not set(range(before + 1, counter)) <= _overtaken(h, process):
            yield f"process {process}: record {serial} has the counter {counter}, the one before had {before}"
        last[process] = counter


def _overtaken(h, process):
    """Counters of records that a kill or death dropped although later ones may have come out: those of another
    thread, and those that had to wait for room while other channels had it."""
    threads = h.processes.get(process, {"threads": 1})["threads"]
    # A rollback makes counters anew: the last record of each is the one that would have had to come.
    last = {sent["counter"]: sent for sent in h.sent_by[process]}
    return {counter for counter, sent in last.items()
            if (process, sent["serial"]) not in h.received and (threads > 1 or sent["channel"] in h.narrow) and any(
                i.verdict not in (RELEASE, ROLLBACK) and (i.decided or i.opened) > sent["made"]
                for i in h.domain_of(process).incidents)}


def same_process_answers(h):
    """The process that answers is the one that was enrolled, after a rollback as well."""
    for line in h.kinds["rcvd"]:
        process = h.processes.get(line["process"])
        if process and process["pid"] != line["pid"]:
            yield f"process {line['process']} answers as {line['pid']}, was {process['pid']}"


def one_verdict_counts(h):
    """An incident is resolved once; of those who asked one succeeds, and it is that one's verdict."""
    for incident in h.incidents.values():
        name = f"incident {incident.id}"
        if len(incident.resolved) != 1:
            yield f"{name} is resolved {len(incident.resolved)} times"
            continue
        won = [ask for ask in incident.asks if not ask["err"]]
        yield from (f"{name}: {text}" for text in _winners(h, incident, won))
        for ask in incident.asks:
            if ask["err"] in (EALREADY, ENOENT) and (incident.decided is None or ask["u"] < incident.decided):
                yield f"{name}: controller {ask['controller']} was told that it is over while it was open"


def _winners(h, incident, won):
    line = h.domains[incident.domain].line
    if len(won) > 1:
        yield "controllers " + ", ".join(str(ask["controller"]) for ask in won) + " all succeeded"
    elif won and incident.by != CONTROLLER:
        yield f"controller {won[0]['controller']} succeeded, resolved by {SOLVERS.get(incident.by)}"
    elif won and won[0]["verdict"] != incident.verdict:
        yield f"controller {won[0]['controller']} asked {VERDICTS[won[0]['verdict']]}, it is {VERDICTS[incident.verdict]}"
    elif won and not won[0]["t"] <= (incident.decided or 0) <= won[0]["u"]:
        yield f"decided at {incident.decided}, asked from {won[0]['t']} to {won[0]['u']}"
    elif not won and incident.by == CONTROLLER and line and not line["agent"]:
        yield "resolved by a controller, and none succeeded"
    elif incident.by == DEADLINE and line and incident.verdict not in (
            {ROLLBACK, KILL} if line["fallback"] == ROLLBACK else {line["fallback"]}):
        yield f"the deadline's verdict was {VERDICTS[incident.verdict]}"


def lateness(h, incident):
    """Nanoseconds that an incident was open beyond the longest deadline of a policy."""
    return (incident.decided or 0) - incident.opened - h.run["deadline"] * 1000000


def deadlines_are_kept(h):
    """No incident is open for longer than its deadline and a bound."""
    for incident in h.incidents.values():
        if incident.decided is None or lateness(h, incident) > h.slow(LATE):
            yield f"incident {incident.id} opened at {incident.opened}, was decided at {incident.decided}"


def killed_are_gone(h):
    """After a kill every member is gone, and none has run."""
    for incident in h.incidents.values():
        if incident.verdict != KILL or incident.decided is None:
            continue
        for process in h.domains[incident.domain].processes:
            gone = h.gone.get(process)
            if gone is None or gone > incident.decided + h.slow(DYING):
                yield f"process {process}: gone at {gone}, killed at {incident.decided} by incident {incident.id}"
    killed = {i.domain: i.decided for i in h.incidents.values() if i.verdict == KILL and i.decided}
    for sent in h.kinds["sent"]:
        decided = killed.get(h.domain_of(sent["process"]).id)
        if decided and sent["made"] > decided:
            yield f"process {sent['process']}: ran at {sent['made']}, killed at {decided}"


def who_is_let_go_answers(h):
    """After a release or a rollback every process answers again on each channel, when nothing comes in between."""
    stamps = collections.defaultdict(list)
    for line in h.kinds["rcvd"]:
        stamps[line["process"], line["channel"]].append(line["t"])
    for domain in h.domains.values():
        if not domain.processes:
            continue
        stops = [event["t"] for event in domain.states if event["state"] in (FREEZING, KILLING, GONE)]
        stops += domain.ends + [a["t"] for a in domain.asks if a["what"] == "dissolve"]
        # The client asks no more when one of them has died.
        died = min((h.gone[p] for p in domain.processes if p in h.gone), default=float("inf"))
        for incident in domain.incidents:
            if incident.verdict not in (RELEASE, ROLLBACK) or incident.decided is None:
                continue
            until = incident.decided + h.slow(ANSWERING)
            if died < until or any(incident.decided < stop < until for stop in stops):
                continue
            for process in domain.processes:
                for channel in sorted({sent["channel"] for sent in h.sent_by[process]}):
                    if not any(incident.decided < t < until for t in stamps[process, channel]):
                        yield (f"process {process}: no answer by channel {channel} within {ANSWERING} s of the verdict "
                               f"{VERDICTS[incident.verdict]} at {incident.decided}")


INVARIANTS = (
    history_is_whole, nothing_is_left, states_are_legal, records_are_intact, records_come_once, channels_keep_order,
    frozen_is_silent, frozen_stands_still, held_waits_for_the_verdict, attacks_stay_inside, nothing_is_lost,
    answers_are_not_forgotten, same_process_answers, one_verdict_counts, deadlines_are_kept, killed_are_gone,
    who_is_let_go_answers,
)


def violations(h):
    """{invariant: its violations}, all invariants named."""
    return {invariant.__name__: list(invariant(h)) for invariant in INVARIANTS}
