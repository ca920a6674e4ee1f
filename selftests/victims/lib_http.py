# SPDX-License-Identifier: GPL-2.0
"""An HTTP/1.1 load client: many connections at once, each with its requests
pipelined to a depth, every byte of every body and the order of the responses
checked. A failed, missing, reordered or surplus response is an error."""

import hashlib
import selectors
import socket
import time

from lib_ktap import Failed

HEADER_MAX = 8192


class Wanted:
    """One request and the response that must come in its place."""

    def __init__(self, path, body=None, digest=None, length=None, mark=None,
                 close=False, method="GET", content=b"", status="200 OK",
                 mark_field="x-mark"):
        self.path, self.body, self.digest = path, body, digest
        self.status, self.mark_field = status, mark_field
        self.length = len(body) if body is not None else length
        self.mark, self.close = mark, close
        connection = "Connection: close\r\n" if close else ""
        if method == "POST":
            connection += f"Content-Length: {len(content)}\r\n"
        self.request = (f"{method} {path} HTTP/1.1\r\nHost: test\r\n{connection}\r\n"
                        ).encode() + content


class Connection:
    def __init__(self, port, wanted, depth, pace=None):
        self.sock = socket.create_connection(("127.0.0.1", port), 60)
        self.sock.setblocking(False)
        self.wanted, self.depth, self.pace = wanted, depth, pace
        self.sent = self.done = 0
        self.out = b""
        self.buffer = b""
        self.left = None	# bytes of the current body still to come
        self.hash = None
        self.workers = set()
        self.ended = False

    def finished(self):
        """All responses are in; after Connection: close the stream's end, too."""
        if self.done < len(self.wanted):
            return False
        return self.ended or not self.wanted[-1].close

    def events(self):
        refill = self.sent < len(self.wanted) and self.sent - self.done < self.depth
        write = selectors.EVENT_WRITE if self.out or refill else 0
        return selectors.EVENT_READ | write

    def write(self):
        while self.sent < len(self.wanted) and self.sent - self.done < self.depth:
            self.out += self.wanted[self.sent].request
            self.sent += 1
        if self.out:
            self.out = self.out[self.sock.send(self.out):]

    def read(self):
        data = self.sock.recv(self.pace or 262144)
        if not data:
            self.ended = True
            if self.done < len(self.wanted) or self.buffer:
                raise Failed(f"stream ended after {self.done} of {len(self.wanted)} responses")
            return
        if self.done == len(self.wanted):
            raise Failed(f"surplus bytes after the last response: {data[:200]!r}")
        if self.left is None:
            self.buffer += data
        else:
            self._body(data)
        while self.left is None and self.buffer and self._header():
            pass

    def _header(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > HEADER_MAX:
                raise Failed(f"no end of the header in {self.buffer[:200]!r}")
            return False
        if self.done == len(self.wanted):
            raise Failed(f"surplus response {self.buffer[:200]!r}")
        want = self.wanted[self.done]
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        if lines[0] != "HTTP/1.1 200 OK":
            raise Failed(f"{want.path}: {lines[0]}")
        if int(fields.get("content-length", -1)) != want.length:
            raise Failed(f"{want.path}: {want.length} bytes expected; header {fields}")
        if want.mark is not None and fields.get("x-mark") != want.mark:
            raise Failed(f"{want.path}: response {fields.get('x-mark')} in the place of {want.mark}")
        if (fields.get("connection") == "close") != want.close:
            raise Failed(f"{want.path}: connection {fields.get('connection')}")
        if "x-worker" in fields:
            self.workers.add(fields["x-worker"])
        rest, self.buffer = self.buffer[end + 4:], b""
        self.left, self.hash = want.length, hashlib.sha256()
        self._body(rest)
        return True

    def _body(self, data):
        take = data[:self.left]
        self.hash.update(take)
        self.left -= len(take)
        self.buffer = data[len(take):]
        if self.left:
            return
        want = self.wanted[self.done]
        digest = want.digest or hashlib.sha256(want.body).hexdigest()
        if self.hash.hexdigest() != digest:
            raise Failed(f"{want.path}: {want.length} bytes of another content")
        self.left = None
        self.done += 1


def run(connections, timeout):
    """Serve all connections to their end; returns (responses, seconds)."""
    started = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.sock, connection.events(), connection)
        active = len(connections)
        while active:
            if time.monotonic() > started + timeout:
                rows = [(c.done, len(c.wanted)) for c in connections if not c.finished()]
                raise Failed(f"not finished within {timeout} s: (done, wanted) {rows}")
            for key, mask in selector.select(1.0):
                connection = key.data
                if mask & selectors.EVENT_READ:
                    connection.read()
                if mask & selectors.EVENT_WRITE:
                    connection.write()
                if connection.finished():
                    selector.unregister(connection.sock)
                    connection.sock.close()
                    active -= 1
                else:
                    selector.modify(connection.sock, connection.events(), connection)
    return sum(c.done for c in connections), time.monotonic() - started
