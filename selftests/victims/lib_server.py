# SPDX-License-Identifier: GPL-2.0
"""Starts and stops the servers under test, unprotected or in a domain, and
cleans up whatever became of them."""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import lib_selfheal
from lib_ktap import SLOW, Failed, Skip, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 0x4000, 1 << 18


def need(program):
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    return os.path.realpath(path)


def free_port():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def bind_over(source, target):
    """For preexec_fn: a mount namespace in which target is source."""
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        for failed in (lambda: libc.unshare(CLONE_NEWNS),
                       lambda: libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
                       lambda: libc.mount(source.encode(), target.encode(), None,
                                          MS_BIND, None)):
            if failed():
                raise OSError(ctypes.get_errno(), f"{source} over {target}")
    return apply


class Server:
    """A server process. how: None (unprotected), "run" (healctl run --policy)
    or "match" (the loaded policy's match names the executable)."""

    ready_limit = 120

    def __init__(self, how=None, policy=None, setup=None):
        self.how, self.policy, self.setup = how, policy, setup
        self.dir = tempfile.mkdtemp(prefix="selfheal-victim-")
        os.chmod(self.dir, 0o755)
        self.environment = None
        self.process = None
        self.domain = None
        self.pid = None

    def command(self):
        raise NotImplementedError

    def wait_ready(self):
        raise NotImplementedError

    def file(self, name):
        return os.path.join(self.dir, name)

    def output(self):
        with open(self.file("stdout"), encoding="utf-8", errors="replace") as f:
            out = f.read()
        with open(self.file("stderr"), encoding="utf-8", errors="replace") as f:
            return out + f.read()

    def start(self):
        command = self.command()
        if self.how == "run":
            command = ["healctl", "run", "--policy", self.policy.path, "--", *command]
        known = {d["id"] for d in lib_selfheal.domains()} if self.how else set()
        with open(self.file("stdout"), "wb") as out, \
             open(self.file("stderr"), "wb") as err:
            # A process group of its own: what a shell leaves behind dies, too.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=self.dir, start_new_session=True, preexec_fn=self.setup,
                env=self.environment)
        self.pid = self.process.pid
        if self.how:
            self.domain = lib_selfheal.new_domain(known, self.policy.name,
                                                  self.alive_or_fail)["id"]
        self.wait_ready()
        if self.how:
            self.pid = lib_selfheal.domain(self.domain)["leader"]
        return self

    def alive_or_fail(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.command()[0]} ended with status "
                         f"{self.process.returncode} before it was ready:\n{self.output()}")

    def wait_exit(self, timeout=60):
        """Exit status as subprocess has it: negative is a signal."""
        try:
            return self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            raise Failed(f"process {self.process.pid} still there after {timeout} s") from None

    def stop(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.domain:
            self.kill_members()
            lib_selfheal.wait_gone(self.domain)
        shutil.rmtree(self.dir, ignore_errors=True)

    def kill_members(self):
        for member in lib_selfheal.domain_or_none(self.domain).get("threads", []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member["pid"], signal.SIGKILL)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_exc):
        self.stop()


class Victim(Server):
    """Our vulnerable server; elf is victim or victim_nx. Its secret is new at
    each start and has no byte that could arrive by chance."""

    def __init__(self, elf="victim", **kwargs):
        super().__init__(**kwargs)
        self.elf = os.path.join(HERE, elf)
        self.secret = b"SECRET:" + os.urandom(48).hex().encode() + b":END"
        self.password = os.urandom(8).hex()
        self.port = None
        with open(self.file("secret"), "wb") as f:
            f.write(self.secret)
        with open(self.file("password"), "w", encoding="ascii") as f:
            f.write(self.password + "\n")

    def command(self):
        return [self.elf, self.dir]

    def wait_ready(self):
        def port():
            self.alive_or_fail()
            with open(self.file("stdout"), encoding="ascii") as f:
                word = f.read().partition("listening on ")[2]
            return int(word) if word.endswith("\n") else None
        self.port = wait_until(port, "the victim listens", self.ready_limit)


class Redis(Server):
    """Debian's redis-server without persistence."""

    def __init__(self, *options, **kwargs):
        super().__init__(**kwargs)
        self.exe = need("redis-server")
        self.options = options
        self.port = free_port()
        self.log = self.file("redis.log")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                "--unixsocket", self.file("redis.sock"),
                "--save", "", "--appendonly", "no", "--daemonize", "no",
                "--dir", self.dir, "--logfile", self.log,
                "--enable-debug-command", "yes",
                "--crash-memcheck-enabled", "no", *self.options]

    def wait_ready(self):
        def ready():
            self.alive_or_fail()
            with contextlib.suppress(OSError), \
                 socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"PING\r\n")
                return s.recv(64) == b"+PONG\r\n"
            return False
        wait_until(ready, "redis-server answers", self.ready_limit)

    def cli(self, *args, stdin=None, timeout=120):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *args],
                              input=stdin, capture_output=True, text=True,
                              timeout=timeout * SLOW)
        if done.returncode:
            raise Failed(f"redis-cli {args}: status {done.returncode}: "
                         f"{done.stdout}{done.stderr}")
        return done.stdout.rstrip("\n")


class Client:
    """A long-lived connection that counts what arrives."""

    def __init__(self, port, timeout=60 * SLOW, path=None):
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(path)
        else:
            self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.port = None if path else self.sock.getsockname()[1]
        self.timeout = timeout
        self.count = 0
        self.buffer = b""
        self.ended = False

    def send(self, data):
        self.sock.sendall(data)

    def expect(self, wanted):
        """Exactly these bytes come next."""
        self.sock.settimeout(self.timeout)
        while len(self.buffer) < len(wanted):
            data = self.sock.recv(65536)
            if not data:
                raise Failed(f"connection closed: expected {wanted[:200]!r}, "
                             f"seen {self.buffer[:200]!r}")
            self.count += len(data)
            self.buffer += data
        seen, self.buffer = self.buffer[:len(wanted)], self.buffer[len(wanted):]
        if seen != wanted:
            raise Failed(f"expected {wanted[:200]!r}, seen {seen[:200]!r}")

    def ask(self, request, wanted):
        self.send(request)
        self.expect(wanted)

    def collect(self, seconds):
        """Everything that arrives within the time, or until the stream ends."""
        end = time.monotonic() + seconds
        while not self.ended and (left := end - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                break
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            self.ended = not data
            self.count += len(data)
            self.buffer += data
        seen, self.buffer = self.buffer, b""
        return seen

    def collect_until(self, wanted, seconds):
        """Whether exactly these bytes have arrived by then. Others fail."""
        end = time.monotonic() + seconds
        while self.buffer != wanted:
            if not wanted.startswith(self.buffer):
                raise Failed(f"expected {wanted[:200]!r}, seen {self.buffer[:200]!r}")
            left = end - time.monotonic()
            if self.ended:
                raise Failed(f"connection closed after {self.buffer[:200]!r}")
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return False
            data = self.sock.recv(65536)
            self.ended = not data
            self.count += len(data)
            self.buffer += data
        self.buffer = b""
        return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()
