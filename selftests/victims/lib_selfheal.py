# SPDX-License-Identifier: GPL-2.0
"""The module and healctl as the tests use them. Knows how healctl spells its
JSON, so that no test does."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

from lib_ktap import SLOW, Failed, wait_until

KO = os.environ.get("SELFHEAL_KO", "/opt/selfheal/selfheal.ko")
LIMIT = 60 * SLOW	# seconds for one call of healctl


class HealctlError(Failed):
    def __init__(self, args, status, text):
        super().__init__(f"healctl {' '.join(args)}: exit status {status}: {text}")
        self.status, self.text = status, text


def missing():
    """Why nothing can be tested here, or None."""
    if os.geteuid():
        return "must be root"
    if not shutil.which("healctl"):
        return "healctl is not in PATH"
    if not os.path.isdir("/sys/module/selfheal") and not os.path.exists(KO):
        return f"module not loaded and {KO} does not exist (set SELFHEAL_KO)"
    return None


@contextlib.contextmanager
def module():
    """The module is loaded inside, and afterwards as it was found."""
    loaded = os.path.isdir("/sys/module/selfheal")
    if not loaded:
        subprocess.run(["insmod", KO], check=True, timeout=LIMIT)
    try:
        yield
    finally:
        if not loaded:
            drop_domains()
            unload = subprocess.run(["rmmod", "selfheal"], timeout=LIMIT,
                                    capture_output=True, text=True)
            if unload.returncode:
                raise Failed(f"rmmod selfheal: {unload.stderr.strip()}")


def text(*args, check=True, stdin=None):
    """healctl's plain output."""
    done = subprocess.run(["healctl", *map(str, args)], capture_output=True,
                          text=True, timeout=LIMIT, input=stdin)
    if check and done.returncode:
        raise HealctlError([*map(str, args)], done.returncode, done.stderr.strip())
    return done.stdout


def call(*args):
    """healctl -j ...: the decoded JSON."""
    out = text("-j", *args)
    if not out.strip():
        return {}
    try:
        return json.loads(out)
    except ValueError as error:
        raise Failed(f"healctl -j {' '.join(map(str, args))}: {error} in {out!r}") from None


def domains():
    return call("domain", "list")["domains"]


def incidents():
    return call("incident", "list")["incidents"]


def domain(number):
    return call("domain", "show", number)["domain"]


def incident(number):
    return call("incident", "show", number)["incident"]


def held(number):
    """The entries of a domain's quarantine, without what they contain."""
    return call("quarantine", "show", number)["held_entries"]


def held_contents(number):
    """The bytes of a domain's quarantine, in order of production."""
    rows = call("quarantine", "show", "--contents", number)["held_entries"]
    return b"".join(bytes.fromhex(row["data"]) for row in rows)


def agent_registered():
    return bool(call("status")["module"]["agent"])


def verdict(answer, number):
    return text("verdict", answer, number)


def new_domain(known, policy, alive, timeout=60):
    """The domain of that policy that is not among the ids known; alive()
    fails when there will be none."""
    def found():
        alive()
        return [d for d in domains()
                if d["id"] not in known and d["policy"] == policy]
    return wait_until(found, f"a new domain of policy {policy}", timeout)[0]


def open_incident(domain_id, timeout=60):
    """The domain's open incident, once the domain is completely frozen."""
    def frozen():
        for row in domains():
            if row["id"] == domain_id and row["state"] == "frozen" and "incident" in row:
                return row["incident"]
        return None
    return incident(wait_until(frozen, f"domain {domain_id} frozen with an incident; "
                               f"domains: {domains()}", timeout))


def first_incident(domain_id):
    """Id of the domain's first incident, open or not."""
    def found():
        ids = [row["id"] for row in incidents() if row["domain"] == domain_id]
        return min(ids) if ids else None
    return wait_until(found, f"an incident of domain {domain_id}")


def resolved(number, timeout=60):
    """The incident, once it is resolved."""
    def done():
        row = incident(number)
        return row if row["state"] == "resolved" else None
    return wait_until(done, f"incident {number} resolved", timeout)


def wait_gone(domain_id, timeout=60):
    wait_until(lambda: all(d["id"] != domain_id for d in domains()),
               f"domain {domain_id} gone", timeout)


def trail(row):
    """Names of the last system calls before an incident, oldest first."""
    return [entry["name"] for entry in row["trail"]]


def run_status(status, how="run"):
    """What subprocess sees of a server that ended with this status. healctl
    run ends as a shell would: 128 + N for signal N."""
    return 128 - status if how == "run" and status < 0 else status


def drop_domains():
    """Kill what a failed case left behind, so that the next one starts clean."""
    for row in domains():
        with contextlib.suppress(HealctlError):
            if "incident" in row:
                verdict("kill", row["incident"])
        for member in domain_or_none(row["id"]).get("threads", []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member["pid"], signal.SIGKILL)
        wait_gone(row["id"])


def domain_or_none(number):
    try:
        return domain(number)
    except HealctlError:
        return {}


class Policy:
    """A policy file in a directory of its own; load() and the path for run."""

    def __init__(self, name, body):
        self.name = name
        self.dir = tempfile.TemporaryDirectory(prefix="selfheal-policy-")
        self.path = os.path.join(self.dir.name, f"{name}.yaml")
        with open(self.path, "w", encoding="ascii") as f:
            f.write(f"policy: {name}\n{body}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_exc):
        self.dir.cleanup()
        # After a failure it may not be loaded, or its domain may be still there.
        text("policy", "unload", self.name, check=kind is None)

    def load(self):
        text("policy", "load", self.path)
        return self


def policy_body(match=None, commit="quiesce", handled=False, exec_allow=(),
                default="kill", deadline="120s", rules="[]", max_bytes="8MiB",
                observe=False, rescue=None):
    """The body of a policy that holds sockets and pipes, for whoever executes
    the file match, or for `healctl run`. rescue is the errno after a rollback."""
    return (f"match: {{exe: {match}}}\n" if match else "") + f"""\
observe: {'true' if observe else 'false'}
hold:
  socket: hold
  pipe: hold
  tty: pass
  commit: {commit}
  max-bytes: {max_bytes}
  overflow: block
sense:
  fault:
    signals: [SEGV, BUS, ILL, FPE, TRAP, SYS, ABRT]
    handled: {'true' if handled else 'false'}
  exec: {{allow: [{', '.join(exec_allow)}]}}
  syscall: {{never: [ptrace, process_vm_writev]}}
{f"rescue: {{at: wait, errno: {rescue}}}" if rescue else ""}
respond:
  default: {default}
  deadline: {deadline}
  rules: {rules}
"""
