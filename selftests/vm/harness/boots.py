# SPDX-License-Identifier: GPL-2.0
"""Run test programs in a guest: one boot, and one more after each death of the guest."""

import base64
import binascii
import dataclasses
import re
import time

from . import cache, console, guest, kernels, ktap, payload
from .cache import HarnessError

BOOT_SECONDS = 300
GRACE_SECONDS = 200
# A program that locks the module ends its guest, and says so in a line of its own.
LOCKS = "# leaves the module locked until reboot"
_PROTOCOL = re.compile(rb"^#=# (next|begin|end|data|done) ?(\S*) ?(.*)$")


@dataclasses.dataclass
class Outcome:
    """What became of one program on one kernel."""
    kernel: str
    name: str
    verdict: ktap.Verdict
    seconds: float = 0
    text: str = ""
    console: str = ""


class Transcript:
    """Follows the output of the runner: answers it, and cuts it into programs."""

    def __init__(self, take, say, on_end, slow=1, on_data=None):
        self.take = take
        self.say = say
        self.slow = slow
        self.on_end = on_end
        self.on_data = on_data
        self.current = None
        self.asked = self.done = False
        self.limit = time.monotonic() + BOOT_SECONDS * slow
        self._test = None
        self._rest = b""
        self._text = []
        self._since = 0

    def feed(self, data):
        """Bytes from the guest, in any pieces."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r")
            match = _PROTOCOL.match(line)
            if match:
                self._event(match[1].decode(), match[2].decode(), match[3].decode())
            elif self.current:
                self._text.append(line.decode(errors="replace"))

    def _event(self, kind, name, rest):
        now = time.monotonic()
        if kind == "next":
            self.asked = True
            self._test = self.take()
            self.limit = now + GRACE_SECONDS * self.slow
            self.say(f"{self._test.timeout} {self._test.name}\n".encode() if self._test else b"done\n")
        elif kind == "begin":
            self.current, self._text, self._since = name, [], now
            self.limit = now + self._test.timeout + GRACE_SECONDS * self.slow
        elif kind == "end" and name == self.current:
            self.current = self._test = None
            self.limit = now + GRACE_SECONDS * self.slow
            fields = dict(field.split("=", 1) for field in rest.split())
            self.on_end(name, "\n".join(self._text), fields)
        elif kind == "data" and self.on_data:
            self.limit = now + GRACE_SECONDS * self.slow
            try:
                self.on_data(name, base64.b64decode(rest, validate=True))
            except binascii.Error as error:
                cache.note(f"{name}: the meter's data came damaged: {error}")
        elif kind == "done":
            self.done = True

    def unfinished(self):
        """(name, text, seconds) of the program that was the guest's when it ended, or None."""
        if not self._test:
            return None
        text = "\n".join(self._text + [self._rest.decode(errors="replace")]) if self.current else ""
        return self._test.name, text, time.monotonic() - self._since if self.current else 0


def judge(text, fields):
    """A program's verdict, with what the runner saw after it."""
    status = int(fields["status"])
    place = f"; there was {fields['at']}" if "at" in fields else ""
    if status == 124:
        verdict = ktap.parse(text, complete=False)
        verdict.problem(f"no end within its {float(fields['seconds']):.0f} s" + place)
    else:
        verdict = ktap.judge(text, status)
    said = LOCKS in text.splitlines()
    if fields["module"] == "stuck":
        verdict.problem("the module cannot be unloaded after it" + place)
    elif (fields["module"] == "locked") != said:
        verdict.problem("it says that it leaves the module locked, and does not" if said else
                        f"it leaves the module locked, and does not say so ({LOCKS})")
    if "undead" in fields:
        verdict.problem(f"processes cannot be killed after it: {fields['undead']}")
    elif "left" in fields:
        verdict.problem(f"processes are left after it: {fields['left']}")
    return verdict


def logs_of(logs, kernel_name, icount):
    """The directory for what the programs of one kernel said."""
    return logs / (kernel_name + (".icount" if icount else ""))


def split_console(text):
    """{program: console lines from its begin to the next one's}; "" is before the first."""
    parts = {"": ""}
    name = ""
    for line in text.splitlines(keepends=True):
        match = re.search(r"selfheal-suite: begin (\S+)", line)
        if match:
            name = match[1]
        parts[name] = parts.get(name, "") + line
    return parts


class Suite:
    """Programs of one kernel in one guest after the other, until there are no more.

    take: gives the next test, or None; more: tells whether there is one; end: the monotonic
    time when the guest is ended; tag: tells the logs of this one from those of others; meter:
    text of a Python script that is run before and after each program, on_data(name, bytes)
    gets what it printed after it.
    """

    def __init__(self, kernel_name, *, logs, mem, smp, icount, end, slow, report, take, more, tag, meter=None,
                 on_data=None):
        self.kernel = kernels.resolve(kernel_name)
        self.logs = logs_of(logs, kernel_name, icount)
        self.label = kernel_name
        self.shape = {"smp": smp, "mem": mem, "icount": icount}
        self.end = end
        self.slow = slow
        self.report = report
        self.take = take
        self.more = more
        self.tag = tag
        self.meter = meter
        self.on_data = on_data
        self.dead = False
        self.outcomes = []
        self._again = []        # programs that run once more
        self._tests = {}        # by name, those that it was given
        self._given = {}        # how often

    def _next(self):
        test = self._again.pop() if self._again else self.take()
        if test:
            self._given[test.name] = self._given.get(test.name, 0) + 1
            self._tests[test.name] = test
        return test

    def run(self):
        """Boot as often as it takes; returns the outcomes of the programs that it was given."""
        boots = barren = 0
        while not self.dead and (self._again or self.more()) and time.monotonic() < self.end:
            boots += 1
            name = f"boot-{self.tag}.{boots}"
            # The module is not in play at boot, but a starved emulator's timers are.
            barren = 0 if self._boot(name) else barren + 1
            if barren == 1:
                cache.note(f"{self.label}: {name} ended before it asked for a test; once more")
            elif barren:
                self.dead = True
                verdict = ktap.Verdict()
                verdict.problem("twice the guest ended before it asked for a test")
                self._add(name, verdict, 0, "")
        for outcome in self.outcomes:
            self._log(outcome)
        return self.outcomes

    def _add(self, name, verdict, seconds, text):
        outcome = Outcome(self.label, name, verdict, seconds, text)
        self.outcomes.append(outcome)
        self.report(outcome)

    def _boot(self, name):
        """One guest; tells whether it came so far as to ask for a test."""
        def on_end(name, text, fields):
            self._add(name, judge(text, fields), float(fields["seconds"]), text)

        first = len(self.outcomes)
        vm = guest.Guest(self.kernel, **self.shape)
        script = Transcript(self._next, vm.say, on_end, self.slow, self.on_data)
        error = None
        with cache.scratch("suite") as work:
            runner = (cache.tree() / "selftests/vm/guest/runner").read_text(encoding="utf-8")
            files = {"slow": f"{self.slow:g}\n", "runner": runner}
            if self.meter:
                files["meter"] = self.meter
            pack, _ = payload.make(self.kernel, ["exec /usr/bin/python3 /opt/vm/runner"], None, work, files)
            try:
                vm.run([(pack, False)], lambda: min(script.limit, self.end), script.feed, talk=True)
            except HarnessError as problem:
                error = str(problem)
        log = vm.console_text()
        self.logs.mkdir(parents=True, exist_ok=True)
        (self.logs / f"{name}.console").write_text(log, encoding="utf-8")
        if script.asked:
            self._death(vm, script, error)
            self._complaints(vm, log if not vm.timed_out else vm.console_text(autopsy=False), first)
            self._stood_still(vm, first)
        return script.asked

    def _death(self, vm, script, error):
        """The guest ended in the middle of a program: that program has failed."""
        running = script.unfinished()
        if not running:
            return
        name, text, seconds = running
        verdict = ktap.parse(text, complete=False)
        verdict.problem(error or ("the guest hung in it" if vm.timed_out else "the guest died in it"))
        self._add(name, verdict, seconds, text)

    def _complaints(self, vm, log, first):
        """Lines of the console that no test may cause, counted against the one that ran."""
        parts = split_console(log)
        for outcome in self.outcomes[first:]:
            outcome.console = parts.get(outcome.name, "")
            bad = console.complaints(outcome.console)
            if bad:
                outcome.verdict.problem(f"the kernel complained ({len(bad)} lines): {bad[0]}" +
                                        console.place(outcome.console))
        early = console.complaints(parts[""])
        if early:
            if not self.outcomes[first:]:
                self._add(f"boot-{self.tag}", ktap.Verdict(), 0, parts[""])
            self.outcomes[first].verdict.problem(f"the kernel complained at boot: {early[0]}")
        status = vm.status()
        # What the host did is judged below.
        taints = console.new_taints(*status[1:]) if status and not vm.witness.lines else []
        if taints and self.outcomes[first:] and not any(
                outcome.verdict.problems for outcome in self.outcomes[first:]):
            self.outcomes[-1].verdict.problem("the kernel is tainted after the tests: " + ", ".join(taints))

    def _stood_still(self, vm, first):
        """What ran while the host stood still says nothing: it is run again, once."""
        for outcome in self.outcomes[first:]:
            lines = [line for line in vm.witness.lines if line in outcome.console]
            if lines and self._given.get(outcome.name) == 1:
                cache.note(f"{self.label}: the host stood still in {outcome.name} ({lines[0]}); once more")
                self.outcomes.remove(outcome)
                self._again.append(self._tests[outcome.name])

    def _log(self, outcome):
        self.logs.mkdir(parents=True, exist_ok=True)
        stem = outcome.name.replace("/", "-")
        (self.logs / f"{stem}.log").write_text(outcome.text + "\n", encoding="utf-8")
        if outcome.console:
            (self.logs / f"{stem}.console").write_text(outcome.console, encoding="utf-8")
