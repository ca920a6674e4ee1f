# SPDX-License-Identifier: GPL-2.0
"""The figures of a run, and its table."""

import check
from history import CONTROLLER, DEADLINE, DEATH, KILL, RELEASE, ROLLBACK

ENOTRECOVERABLE = -131


def figures(h):
    """What happened, by name."""
    incidents = h.incidents.values()
    done = [i for i in incidents if i.resolved]
    asked = [len(i.asks) for i in done]
    late = [check.lateness(h, i) for i in incidents if i.decided]
    lines = h.kinds
    return {
        "domains": len(lines["domain"]), "processes": len(lines["process"]), "incidents": len(h.incidents),
        "by a sensor": sum(i.sensor != 0 for i in incidents),
        "released": sum(i.verdict == RELEASE for i in done), "rolled back": sum(i.verdict == ROLLBACK for i in done),
        "killed": sum(i.verdict == KILL for i in done), "by controllers": sum(i.by == CONTROLLER for i in done),
        "by the deadline": sum(i.by == DEADLINE for i in done), "by death": sum(i.by == DEATH for i in done),
        "answered by several": sum(n > 1 for n in asked), "answers that came late": sum(
            ask["err"] == check.EALREADY for i in done for ask in i.asks),
        "rollbacks refused": sum(ask["err"] == ENOTRECOVERABLE for i in done for ask in i.asks),
        "latest decision, ms after the longest deadline": round(max(late, default=0) / 1e6),
        "records sent": len(lines["sent"]), "records received": len(lines["rcvd"]),
        "of attacks, sent": sum(line["attack"] for line in lines["sent"]),
        "of attacks, received": sum(line["attack"] for line in lines["rcvd"]),
        "frozen domains looked into": len(lines["audit"]), "records held there": len(lines["held"]),
        "policies loaded": sum(a["what"] == "load" and not a["err"] for a in lines["ask"]),
        "policies unloaded": sum(a["what"] == "unload" and not a["err"] for a in lines["ask"]),
        "agents killed": len(lines["agent"]), "CPUs taken off line": sum(not c["online"] for c in lines["cpu"]),
        "memory shortages": len(lines["memory"]), "domains dissolved": sum(
            a["what"] == "dissolve" and not a["err"] for a in lines["ask"]),
    }


# Without any of these a run has shown nothing, however good its history is.
WANTED = ("by a sensor", "released", "rolled back", "killed", "by controllers", "by the deadline", "answered by several",
          "of attacks, sent", "frozen domains looked into", "records held there")


def missing(h):
    """What has not come to pass in a run."""
    numbers = figures(h)
    return [name for name in WANTED if not numbers[name]]


def table(h, found):
    """Lines for people: the figures, then each invariant with what it promises and what broke it."""
    yield from (f"{name:<50} {number:>9,}" for name, number in figures(h).items())
    yield ""
    for invariant in check.INVARIANTS:
        bad = found[invariant.__name__]
        yield f"{'ok' if not bad else f'{len(bad)} VIOLATIONS':<14} {invariant.__name__}: {invariant.__doc__}"
        yield from (f"    {text}" for text in bad[:10])
