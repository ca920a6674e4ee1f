# SPDX-License-Identifier: GPL-2.0
"""Servers of the distribution with the holes of planted_bug.c, the attacks on
them, and the dialogues of their honest clients."""

import contextlib
import hashlib
import os
import random
import re
import signal
import socket

from lib_heal import Attack, HttpTalk, Talk
from lib_http import Wanted
from lib_ktap import SLOW, Failed, check, comment, wait_until
from lib_nginx import SMALL_FILES, Nginx
from lib_server import HERE, Client, Redis, Server, free_port, need

LEAK_TEXT = 16	# bytes of planted_bug.c before the secret
HOLES = ("stack", "heap", "canary", "run")


class Planted:
    """To mix into a Server: its process has the planted holes."""

    def plant(self):
        self.secret = b"SECRET:" + os.urandom(24).hex().encode() + b":END"
        with open(self.file("secret"), "wb") as f:
            f.write(self.secret)
        self.environment = dict(os.environ, PLANTED_SECRET=self.file("secret"),
                                LD_PRELOAD=os.path.join(HERE, "planted_bug.so"))

    def start(self):
        self.plant()
        return super().start()


def planted(hole, secret, to_all=False):
    """The marked part of a request."""
    return b"~planted:%s:%d:%d:%d:" % (hole.encode(), to_all, LEAK_TEXT + len(secret), 400) + b"A" * 400


def control(make, arsenal):
    """Each attack brings the secret out and the process down, alone and unprotected."""
    for number in range(len(HOLES)):
        with make() as server, Client(server.port) as attacker:
            attack = arsenal(server)[number]
            attacker.send(attack.poison(b""))
            got = attacker.collect(60 * SLOW)
            check(server.secret in got, f"{HOLES[number]}: the attacker got {got[:200]!r}")
            status = server.wait_exit()
            comment(f"{HOLES[number]}: {len(got)} bytes, then {signal.Signals(-status).name}")


# HTTP

class PlantedNginx(Planted, Nginx):
    def choose(self, name, turn):
        """Every other one is an echo that shows its place."""
        number = (turn + len(name) * 7) % SMALL_FILES
        return self.echo(f"{name}.{turn}") if turn % 2 else self.small_file(number)


LIGHTTPD_CONFIG = """
server.modules = ("mod_redirect", "mod_accesslog")
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{dir}/www"
server.errorlog = "{dir}/error.log"
accesslog.filename = "{dir}/access.log"
server.username = "www-data"
server.groupname = "www-data"
server.max-keep-alive-requests = 1000000
server.max-keep-alive-idle = 300
server.max-read-idle = 300
url.redirect = ("^/echo/(.*)$" => "/mark/$1")
"""


class Lighttpd(Planted, Server):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.exe = need("lighttpd")
        self.port = free_port()
        os.mkdir(self.file("www"))
        source = random.Random(os.urandom(8))
        self.small = [f"file {i}\n".encode() + source.randbytes(source.randrange(4096))
                      for i in range(SMALL_FILES)]
        for number, data in enumerate(self.small):
            with open(self.file(f"www/small-{number}"), "wb") as f:
                f.write(data)
        with open(self.file("lighttpd.conf"), "w", encoding="ascii") as f:
            f.write(LIGHTTPD_CONFIG.format(dir=self.dir, port=self.port))
        for name in ("error.log", "access.log"):
            with open(self.file(name), "wb"):
                os.chmod(self.file(name), 0o666)

    def command(self):
        return ["lighttpd", "-D", "-f", self.file("lighttpd.conf")]

    def wait_ready(self):
        def ready():
            self.alive_or_fail()
            with contextlib.suppress(OSError), \
                 socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"GET /small-0 HTTP/1.0\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.0 200 OK\r\n")
            return False
        wait_until(ready, "lighttpd answers", self.ready_limit)

    def choose(self, name, turn):
        if turn % 2:
            return Wanted(f"/echo/{name}.{turn}", b"", mark=f"/mark/{name}.{turn}",
                          mark_field="location", status="301 Moved Permanently")
        number = (turn + len(name) * 7) % SMALL_FILES
        return Wanted(f"/small-{number}", self.small[number])


def http_arsenal(server):
    def attack(hole, to_all):
        return Attack(lambda _: b"GET /small-1 HTTP/1.1\r\nHost: test\r\nX-Name: " +
                      planted(hole, server.secret, to_all) + b"\r\n\r\n")
    return [attack(hole, to_all) for to_all in (False, True) for hole in HOLES]


# Key-value stores

class KeyValueTalk(Talk):
    """Each turn is a pipeline: a counter of its own, one that all share, a value
    written and read. An effect that is forgotten or repeated shows in the counters."""

    def __init__(self, name, shared):
        super().__init__(name)
        self.shared = shared

    def ask(self):
        self.turn += 1
        request, self.wanted = self.turn_of(hashlib.sha256(f"{self.name}.{self.turn}".encode())
                                            .hexdigest().encode()[:self.turn % 60 + 4])
        return request

    def turn_of(self, value):
        raise NotImplementedError

    def take(self, data):
        """The shared counter's value is not known before, but no two get the same."""
        if data.count(b"\n") < self.wanted.count(b"\n"):
            return False
        found = re.fullmatch(self.wanted, data)
        if not found:
            raise Failed(f"{self.name}: expected {self.wanted[:200]!r}, seen {data[:200]!r}")
        self.shared.add(int(found.group(1)))
        return True


class Shared:
    """The answers of a counter that all clients use."""

    def __init__(self):
        self.seen = set()
        self.repeated = 0

    def add(self, value):
        self.repeated += value in self.seen
        self.seen.add(value)


class RedisTalk(KeyValueTalk):
    def turn_of(self, value):
        key = self.name.encode()
        request = b"".join(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(w), w) for w in words) for words in (
                (b"INCR", b"own:" + key), (b"INCR", b"all"), (b"SET", key, value),
                (b"ECHO", key + b"." + value), (b"GET", key)))
        echo = key + b"." + value
        return request, (b":%d\r\n:(\\d+)\r\n\\+OK\r\n\\$%d\r\n%s\r\n\\$%d\r\n%s\r\n" % (
            self.turn, len(echo), re.escape(echo), len(value), value))


class MemcacheTalk(KeyValueTalk):
    def __init__(self, name, shared):
        super().__init__(name, shared)
        self.first = True

    def turn_of(self, value):
        key = self.name.encode()
        own = b"add own:%s 0 0 1\r\n0\r\n" % key if self.first else b""
        request = own + (b"incr own:%s 1\r\nincr all 1\r\nset %s %d 0 %d\r\n%s\r\nget %s\r\n" % (
            key, key, self.turn % 65536, len(value), value, key))
        answer = (b"STORED\r\n" if self.first else b"") + (
            b"%d\r\n(\\d+)\r\nSTORED\r\nVALUE %s %d %d\r\n%s\r\nEND\r\n" % (
                self.turn, re.escape(key), self.turn % 65536, len(value), value))
        self.first = False
        return request, answer


class PlantedRedis(Planted, Redis):
    pass


class Memcached(Planted, Server):
    def __init__(self, threads=4, **kwargs):
        super().__init__(**kwargs)
        self.exe = need("memcached")
        self.port = free_port()
        self.threads = threads

    def command(self):
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-u", "nobody",
                "-m", "32", "-t", str(self.threads)]

    def wait_ready(self):
        def ready():
            self.alive_or_fail()
            with contextlib.suppress(OSError), \
                 socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"add all 0 0 1\r\n0\r\n")
                return s.recv(64) in (b"STORED\r\n", b"NOT_STORED\r\n")
            return False
        wait_until(ready, "memcached answers", self.ready_limit)


def redis_arsenal(server):
    native = [Attack(lambda _, word=word: b"DEBUG " + word + b"\r\n")
              for word in (b"SEGFAULT", b"PANIC")]
    return native + [Attack(lambda _, h=hole, a=to_all: b"ECHO " + planted(h, server.secret, a) + b"\r\n")
                     for to_all in (False, True) for hole in HOLES]


def memcached_arsenal(server):
    return [Attack(lambda _, h=hole, a=to_all: b"get " + planted(h, server.secret, a) + b"\r\n")
            for to_all in (False, True) for hole in HOLES]


# Our own server

class VictimTalk(Talk):
    def ask(self):
        self.turn += 1
        key = self.name.encode()
        value = b"%s=%d" % (key, self.turn) * (self.turn % 5 + 1)
        self.wanted = b"+PONG %s.%d\r\n+OK\r\n$%d\r\n%s\r\n" % (key, self.turn, len(value), value)
        return b"PING %s.%d\r\nSET %s %d\r\n%s\r\nGET %s\r\n" % (
            key, self.turn, key, len(value), value, key)


class VictimAttack(Attack):
    """Learns the number of its descriptor first, which is part of the exploit."""

    polite = False
    knock = b"WHOAMI\r\n"

    @staticmethod
    def knocked(data):
        return data.endswith(b"\r\n")


def victim_arsenal(server, make, *trips):
    def attack(trip):
        return VictimAttack(lambda answer: make(
            server.elf, int(re.search(rb" fd=(\d+) ", answer).group(1)), trip,
            length=len(server.secret)))
    return [attack(trip) for trip in trips]


SMASH_TRIPS = ("null", "ud2", "divide", "abort")
ROP_TRIPS = ("jump", "abort")
