# SPDX-License-Identifier: GPL-2.0
"""A server is attacked again and again while well-behaved clients work on
long-lived connections: all of them in one loop, each sends as soon as its last
answer is checked, and the attacker takes a new connection for each attack.
Counts what was answered, wrong, lost and leaked, and looks for growth."""

import contextlib
import os
import re
import selectors
import socket
import time

import lib_selfheal
from lib_ktap import SLOW, Failed, check, check_equal, comment

GOOD = 20
# So many attacks, or as many as fit in the seconds, but not fewer than LEAST.
ATTACKS = int(os.environ.get("SELFHEAL_ATTACKS", "0"))
SECONDS = 20.0
LEAST = 12
WARM = 4	# attacks before the first measurement
STALL = 120 * SLOW	# seconds without any answer
SHOWN = 5	# faults that are described


class Talk:
    """The dialogue of one client: requests, and the one right answer to each."""

    def __init__(self, name):
        self.name = name
        self.turn = 0
        self.wanted = b""

    def ask(self):
        """The next request; sets what must come back."""
        raise NotImplementedError

    def take(self, data):
        """True: data is the whole answer. Fails on any other byte."""
        if data == self.wanted:
            return True
        if self.wanted.startswith(data):
            return False
        raise Failed(f"{self.name}: expected {self.wanted[:120]!r}, seen {data[:120]!r}")


class HttpTalk(Talk):
    """choose(name, turn) gives the lib_http.Wanted of each turn."""

    def __init__(self, name, choose):
        super().__init__(name)
        self.choose = choose
        self.want = None

    def ask(self):
        self.turn += 1
        self.want = self.choose(self.name, self.turn)
        return self.want.request

    def take(self, data):
        head, found, body = data.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        want = self.want
        if lines[0] != f"HTTP/1.1 {want.status}" or fields.get("connection") == "close" or \
           int(fields.get("content-length", -1)) != want.length or \
           want.mark is not None and want.mark not in fields.get(want.mark_field, ""):
            raise Failed(f"{self.name}: {want.path}: {head[:400]!r}")
        if len(body) < want.length:
            return False
        if body != want.body:
            raise Failed(f"{self.name}: {want.path}: {len(body)} bytes of another content")
        return True


class Good:
    """A client that stays connected, and does not forgive."""

    def __init__(self, storm, talk):
        self.storm, self.talk = storm, talk
        self.sock = socket.create_connection(("127.0.0.1", storm.server.port), 60 * SLOW)
        self.data = b""
        self.idle = True
        self.answers = 0

    def ask(self):
        self.idle = False
        self.sock.sendall(self.talk.ask())

    def ready(self):
        try:
            got = self.sock.recv(65536)
        except OSError as error:
            self.storm.lose(self, f"{self.talk.name}: {error}")
            return
        if not got:
            self.storm.lose(self, f"{self.talk.name}: connection closed")
            return
        if self.storm.secret in self.data + got:
            self.storm.leaked += len(self.storm.secret)
        if self.idle:
            self.storm.miss(self, f"{self.talk.name}: surplus {got[:120]!r}")
            return
        self.data += got
        try:
            whole = self.talk.take(self.data)
        except (Failed, ValueError) as wrong:
            self.storm.miss(self, str(wrong))
            return
        if whole:
            self.data = b""
            self.answers += 1
            self.storm.answers += 1
            self.idle = True
            if not self.storm.over:
                self.ask()


class Evil:
    """Connects, makes an honest request, then the attack; any byte after that
    is a leak. The server must close the connection."""

    def __init__(self, storm, number):
        self.storm = storm
        self.attack = storm.arsenal[number % len(storm.arsenal)]
        self.sock = socket.create_connection(("127.0.0.1", storm.server.port), 60 * SLOW)
        self.talk = storm.make_talk(f"evil.{number}") if self.attack.polite else None
        self.data = b""
        self.sock.sendall(self.talk.ask() if self.talk else self.attack.knock)
        self.polite = True

    def ready(self):
        try:
            got = self.sock.recv(65536)
        except ConnectionResetError:
            got = b""
        if self.polite:
            self.hello(got)
        elif got:
            self.storm.leak(self, got)
        else:
            self.storm.healed(self)

    def hello(self, got):
        if not got:
            raise Failed("the attacker was dropped before the attack")
        self.data += got
        if self.talk.take(self.data) if self.talk else self.attack.knocked(self.data):
            self.polite = False
            self.sock.sendall(self.attack.poison(self.data))


class Attack:
    """poison(answer to the honest request) gives the bytes of the attack."""

    polite = True
    knock = b""

    def __init__(self, poison):
        self.poison = poison


class Storm:
    def __init__(self, server, make_talk, arsenal, secret):
        self.server, self.make_talk, self.arsenal = server, make_talk, arsenal
        self.secret = secret
        self.attacks = self.answers = self.wrong = self.lost = self.leaked = 0
        self.faults = []
        self.over = False
        self.selector = selectors.DefaultSelector()
        self.good = [Good(self, make_talk(f"good.{n}")) for n in range(GOOD)]
        self.evil = None
        self.first = None
        self.stall = 0

    # What the clients report

    def note(self, text):
        if len(self.faults) < SHOWN:
            self.faults.append(f"after {self.attacks} attacks: {text}")

    def drop(self, client):
        self.selector.unregister(client.sock)
        client.sock.close()
        if client in self.good:
            self.good.remove(client)

    def lose(self, client, text):
        self.lost += 1
        self.note(text)
        self.drop(client)

    def miss(self, client, text):
        self.wrong += 1
        self.note(text)
        self.drop(client)

    def leak(self, _client, data):
        self.leaked += len(data)
        self.note(f"the attacker got {data[:120]!r}")

    def healed(self, client):
        self.attacks += 1
        self.drop(client)
        self.evil = None

    # The loop

    def enough(self, started):
        if self.attacks < (ATTACKS or LEAST):
            return False
        return bool(ATTACKS) or time.monotonic() - started >= SECONDS

    def step(self):
        events = self.selector.select(1.0)
        if events:
            self.stall = time.monotonic() + STALL
        elif time.monotonic() > self.stall:
            raise Failed(f"no answer within {STALL:g} s; {self.sums()}; {self.faults}; "
                         f"domain {lib_selfheal.domain_or_none(self.server.domain)}")
        for key, _ in events:
            # One that an earlier event of this turn has dropped is gone.
            if key.fileobj.fileno() >= 0:
                key.data.ready()

    def next_attack(self):
        self.evil = Evil(self, self.attacks)
        self.selector.register(self.evil.sock, selectors.EVENT_READ, self.evil)

    def run(self):
        started = time.monotonic()
        self.stall = started + STALL
        for client in self.good:
            self.selector.register(client.sock, selectors.EVENT_READ, client)
            client.ask()
        while self.good and not (self.evil is None and self.enough(started)):
            if self.evil is None:
                if self.attacks == WARM:
                    self.first = Census(self.server)
                self.next_attack()
            self.step()
        self.seconds = time.monotonic() - started
        self.over = True
        while any(not client.idle for client in self.good):
            self.step()
        # What comes unasked came before the end of this.
        time_to_come = time.monotonic() + 0.5
        while time.monotonic() < time_to_come:
            for key, _ in self.selector.select(0.1):
                key.data.ready()
        return self

    def sums(self):
        return (f"{self.attacks} attacks, {self.answers} answers checked, {self.wrong} wrong, "
                f"{self.lost} connections lost, {self.leaked} bytes leaked")

    def close(self):
        for client in [*self.good, *([self.evil] if self.evil else [])]:
            client.sock.close()
        self.selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()


def counters():
    return {row["name"]: row["value"] for row in lib_selfheal.call("status")["counters"]}


def first_number(path, pattern):
    with open(path, encoding="ascii", errors="replace") as f:
        return int(re.search(pattern, f.read(), re.M).group(1))


class Census:
    """What there is of the server's processes, and of the kernel's objects behind them."""

    def __init__(self, server):
        pids = {row["pid"] for row in lib_selfheal.domain(server.domain)["threads"]}
        self.processes = sorted((pid, self.started(pid)) for pid in pids)
        self.threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)
        self.links = sorted(link for pid in pids for link in self.opened(pid))
        self.descriptors = len(self.links)
        self.sockets = sum(link.startswith("socket:") for link in self.links)
        self.resident = sum(first_number(f"/proc/{pid}/status", r"^VmRSS:\s+(\d+)") for pid in pids)
        self.size = sum(first_number(f"/proc/{pid}/status", r"^VmSize:\s+(\d+)") for pid in pids)
        self.images = first_number("/proc/slabinfo", r"^mm_struct\s+(\d+)")
        self.anonymous = first_number("/proc/meminfo", r"^AnonPages:\s+(\d+)")

    @staticmethod
    def opened(pid):
        """What its descriptors lead to; one may close meanwhile."""
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                yield os.readlink(f"/proc/{pid}/fd/{fd}")

    @staticmethod
    def started(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return int(f.read().rpartition(")")[2].split()[19])


# What a sound run may grow by: the files that a server serves and keeps open, caches of the
# allocators and of the harness itself in KiB, and the slab objects that a CPU keeps.
ROOM = {"sockets": 0, "descriptors": 72, "resident": 4096, "size": 8192, "images": 64, "anonymous": 16384}


def check_no_growth(first, last, attacks):
    check_equal(last.processes, first.processes, "processes and their start")
    check_equal(last.threads, first.threads, "threads")
    for name, room in ROOM.items():
        before, after = getattr(first, name), getattr(last, name)
        check(after - before <= room,
              f"{name} grew from {before} to {after} over {attacks} attacks; "
              f"descriptors {first.links} and now {last.links}")


def heal(server, make_talk, arsenal, secret):
    """The whole story of one server; the figures go to the log."""
    before, start = counters(), Census(server)
    with Storm(server, make_talk, arsenal, secret) as storm:
        storm.run()
        comment(f"{storm.sums()}, {storm.seconds:.0f} s")
        after, last = counters(), Census(server)
        spent = {name: after[name] - before[name] for name in after}
        comment(", ".join(f"{name} {spent[name]}" for name in (
            "incidents", "rollbacks", "rollbacks_failed", "points", "points_failed",
            "dropped_bytes", "committed_bytes")))
        comment("; ".join(f"{name} {getattr(storm.first, name)} to {getattr(last, name)}"
                          for name in ("threads", *ROOM)))
        for text in storm.faults:
            comment(text)
        check_equal((storm.wrong, storm.lost, storm.leaked), (0, 0, 0), "wrong, lost, leaked")
        check_equal(last.processes, start.processes, "processes and their start")
        check_no_growth(storm.first, last, storm.attacks - WARM)
    return storm, spent


@contextlib.contextmanager
def policy(name, **body):
    """By deadline, which needs nobody in user space."""
    body = {"rescue": "ECONNRESET", "default": "rollback", "deadline": "10ms", **body}
    with lib_selfheal.Policy(f"heal-{name}", lib_selfheal.policy_body(**body)) as made:
        yield made


def healed(server, make_talk, arsenal, at_least=None):
    storm, spent = heal(server, make_talk, arsenal, server.secret)
    check_equal(spent["rollbacks"], storm.attacks, "rollbacks")
    check_equal(spent["incidents"], storm.attacks, "incidents")
    check_equal(spent["rollbacks_failed"], 0, "failed rollbacks")
    # Every attack did send the secret: it was held, and is gone.
    check(spent["dropped_bytes"] >= storm.attacks * (at_least or len(server.secret)),
          f"{spent['dropped_bytes']} bytes dropped")
    return storm
