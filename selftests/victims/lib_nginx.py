# SPDX-License-Identifier: GPL-2.0
"""Debian's nginx with two workers, serving files and echoes from a directory
of its own."""

import contextlib
import hashlib
import os
import random
import socket

from lib_http import Wanted
from lib_ktap import wait_until
from lib_server import Server, free_port, need

SMALL_FILES = 64
BIG = 10 << 20

CONFIG = """
daemon off;
master_process on;
worker_processes 2;
user {user};
pid {dir}/nginx.pid;
error_log {dir}/error.log notice;
events {{
    worker_connections 256;
}}
http {{
    access_log {dir}/access.log;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    keepalive_timeout 300s;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport;
        root {dir}/www;
        add_header X-Worker $pid;
        location = /echo {{
            add_header X-Mark $arg_mark;
            add_header X-Worker $pid;
            return 200 "mark $arg_mark on $request_method\\n";
        }}
    }}
}}
"""


class Nginx(Server):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.exe = need("nginx")
        self.port = free_port()
        os.mkdir(self.file("www"))
        source = random.Random(os.urandom(8))
        self.small = [f"file {i}\n".encode() + source.randbytes(source.randrange(4096))
                      for i in range(SMALL_FILES)]
        for number, data in enumerate(self.small):
            self.write(f"www/small-{number}", data)
        big = source.randbytes(BIG)
        self.big_digest = hashlib.sha256(big).hexdigest()
        self.write("www/big", big)
        self.write("nginx.conf", CONFIG.format(
            dir=self.dir, port=self.port,
            user="www-data" if not os.geteuid() else "nobody").encode())

    def write(self, name, data):
        with open(self.file(name), "wb") as f:
            f.write(data)

    def command(self):
        return ["nginx", "-e", self.file("error.log"), "-p", self.dir,
                "-c", self.file("nginx.conf")]

    def wait_ready(self):
        def ready():
            self.alive_or_fail()
            with contextlib.suppress(OSError), \
                 socket.create_connection(("127.0.0.1", self.port), 5) as s:
                s.sendall(b"GET /echo?mark=r HTTP/1.0\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.1 200 OK\r\n")
            return False
        wait_until(ready, "nginx answers", self.ready_limit)

    def errors(self):
        """Lines of the error log that a healthy run does not have."""
        with open(self.file("error.log"), encoding="utf-8", errors="replace") as f:
            return [line for line in f
                    if any(f"[{level}]" in line for level in ("warn", "error", "crit", "alert", "emerg"))]

    # Requests

    def echo(self, mark, **more):
        method = more.get("method", "GET")
        return Wanted(f"/echo?mark={mark}", f"mark {mark} on {method}\n".encode(),
                      mark=mark, **more)

    def small_file(self, number, **more):
        return Wanted(f"/small-{number}", self.small[number], **more)

    def big_file(self, **more):
        return Wanted("/big", digest=self.big_digest, length=BIG, **more)
