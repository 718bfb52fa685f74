#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that misbehaves as its client asks, and remembers what it was asked.

    wire.py [options] PORT         PORT 0: a free one; the port is printed on the first line of standard output
      --unix PATH                  listen on a unix socket instead (PORT is then ignored, 0 is printed)
      --tls CERT KEY               speak TLS
      --client-ca FILE             ask the client for a certificate of this authority
      --keep N                     close each connection after N answers, without saying so
      --connect STATUS             answer every CONNECT with this status (200: tunnel; NAME.test is 127.0.0.1)
      --proxy-user USER:PASSWORD   answer 407 to requests whose Proxy-Authorization differs
      --rcvbuf N                   a small receive buffer, so that what was not read was not acknowledged either
      --socks                      speak SOCKS5 first (whatever name is asked for, this server answers itself)
    The server ends when its standard input ends.

The query of a request is the script of its answer, steps between "&", done in this order:

    status=404            begins the answer's head (nothing is sent before a body step, "flush", "stall" or the end)
    interim=103           sends an interim answer
    header=Name:value     a header line (percent-encoded)
    length=N              Content-Length: N
    chunked               Transfer-Encoding: chunked; body steps are then chunks
    body=N                N bytes of the pattern (byte i is i % 251, counted through the whole answer)
    text=...              these bytes as body
    endless=N             body for ever, in pieces of N bytes, until the client goes away
    slow=N,SECONDS        N bytes of the pattern, one at a time, a pause after each
    end                   the last chunk
    flush                 sends the head
    raw=...               these bytes as they are (as the first step: instead of a head)
    stall=SECONDS         waits
    close                 closes the connection in an orderly way
    reset                 closes it with RST
    early                 (first) answer without reading the request's body
    read=N                (first) read N bytes of the request's body before answering
    drain                 (after early or read) read the rest of the request's body now
    sip=N,SECONDS         (after early) the same in sips of N bytes, with a pause after each

Without "length", "chunked" or "close" a fitting Content-Length is added.

    GET    /_diary        every request since the last DELETE:
                              REQ conn=1 n=2 GET /x?status=200
                              Name: value
                              BODY bytes=12 complete=1 sha256=...
                              (empty line)
    DELETE /_diary        forgets them
Requests to /_diary are not written down.
"""

import argparse
import base64
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time
from urllib.parse import unquote_to_bytes

PATTERN = bytes(i % 251 for i in range(251)) * 1024


class Diary:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = []
        self.connections = 0

    def connection(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def add(self, head):
        entry = {"head": head, "bytes": 0, "complete": 0, "hash": hashlib.sha256()}
        with self.lock:
            self.entries.append(entry)
        return entry

    def clear(self):
        with self.lock:
            self.entries = []

    def text(self):
        with self.lock:
            return b"".join(e["head"] + b"BODY bytes=%d complete=%d sha256=%s\n\n"
                            % (e["bytes"], e["complete"], e["hash"].hexdigest().encode())
                            for e in self.entries)


class Gone(Exception):
    """The connection is over."""


class Connection:
    def __init__(self, sock, options, diary):
        self.sock, self.options, self.diary = sock, options, diary
        self.buffer = b""
        self.number = 0
        self.requests = 0
        self.sip = 65536

    # Reading.

    def fill(self, most=65536):
        data = self.sock.recv(min(most, 65536))
        if not data:
            raise Gone()
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def swallow(self, n):
        """n bytes of body, piece by piece; yields after each."""
        entry = self.entry
        while n:
            if not self.buffer:
                self.fill(min(n, self.sip))
            take = min(len(self.buffer), n, self.sip)
            entry["hash"].update(self.buffer[:take])
            self.buffer = self.buffer[take:]
            entry["bytes"] += take
            n -= take
            yield

    def pieces(self, headers):
        """The request's body as a generator that reads as it is asked."""
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            size = None
            while size != 0:
                size = int(self.line().split(b";")[0], 16)
                yield from self.swallow(size)
                while self.line():
                    pass
        else:
            yield from self.swallow(int(headers.get(b"content-length", b"0")))
        self.entry["complete"] = 1

    def drain(self, limit=None):
        while limit is None or self.entry["bytes"] < limit:
            if next(self.upload, self) is self:
                break

    # Answering.

    def send(self, data):
        self.sock.sendall(data)

    def begin(self, status):
        self.head = b"HTTP/1.1 %s Scripted\r\n" % status
        self.chunked, self.length, self.sent = False, None, 0

    def flush(self):
        if self.head:
            head, self.head = self.head, b""
            self.send(head + b"\r\n")

    def pattern(self, n):
        while n:
            at = self.sent % 251
            piece = PATTERN[at:at + min(n, 240000)]
            self.sent += len(piece)
            n -= len(piece)
            yield piece

    def piece(self, data):
        self.flush()
        self.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def implied_length(self, steps):
        names = [name for name, _ in steps]
        if any(name in names for name in (b"length", b"chunked", b"close", b"reset", b"raw", b"endless")):
            return
        n = sum(int(value) for name, value in steps if name == b"body")
        n += sum(int(value.split(b",")[0]) for name, value in steps if name == b"slow")
        n += sum(len(unquote_to_bytes(value)) for name, value in steps if name == b"text")
        self.head += b"Content-Length: %d\r\n" % n

    def step(self, name, value):
        if name == b"header":
            self.head += unquote_to_bytes(value) + b"\r\n"
        elif name == b"interim":
            self.send(b"HTTP/1.1 %s Interim\r\nX-Interim: yes\r\n\r\n" % value)
        elif name == b"length":
            self.head += b"Content-Length: " + unquote_to_bytes(value) + b"\r\n"
        elif name == b"chunked":
            self.head += b"Transfer-Encoding: chunked\r\n"
            self.chunked = True
        elif name == b"body":
            for piece in self.pattern(int(value)):
                self.piece(piece)
        elif name == b"text":
            self.piece(unquote_to_bytes(value))
        elif name == b"endless":
            while True:
                for piece in self.pattern(int(value)):
                    self.piece(piece)
        elif name == b"slow":
            count, pause = value.split(b",")
            for _ in range(int(count)):
                for piece in self.pattern(1):
                    self.piece(piece)
                time.sleep(float(pause))
        elif name == b"drain":
            self.flush()
            self.drain()
        elif name == b"sip":
            size, pause = value.split(b",")
            self.sip = int(size)
            for _ in self.upload:
                time.sleep(float(pause))
        elif name == b"end":
            self.flush()
            self.send(b"0\r\n\r\n")
        elif name == b"flush":
            self.flush()
        elif name == b"raw":
            self.flush()
            self.send(unquote_to_bytes(value))
        elif name == b"stall":
            self.flush()
            time.sleep(float(value))
        elif name == b"close":
            self.flush()
            raise Gone()
        elif name == b"reset":
            self.flush()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone()
        elif name not in (b"early", b"read"):
            raise ValueError("unknown step %r" % name)

    def answer(self, steps):
        status = [value for name, value in steps if name == b"status"]
        self.begin(status[0] if status else b"200")
        first = [name for name, _ in steps if name not in (b"early", b"read", b"status", b"sip")][:1]
        if first == [b"raw"]:
            self.head = b""
        else:
            self.implied_length(steps)
        for name, value in steps:
            if name != b"status":
                self.step(name, value)
        self.flush()

    def control(self, method):
        if method == b"DELETE":
            self.diary.clear()
        text = self.diary.text()
        self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

    def tunnel(self, target):
        host, port = target.rsplit(b":", 1)
        host = "127.0.0.1" if host.endswith(b".test") else host.decode().strip("[]")
        far = socket.create_connection((host, int(port)), 10)
        self.send(b"HTTP/1.1 200 Connected\r\n\r\n")

        def copy(a, b):
            try:
                while True:
                    data = a.recv(65536)
                    if not data:
                        break
                    b.sendall(data)
            except OSError:
                pass
            for s in (a, b):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        thread = threading.Thread(target=copy, args=(far, self.sock), daemon=True)
        thread.start()
        copy(self.sock, far)
        thread.join()
        raise Gone()

    def proxied(self, method, target, headers):
        """What only a proxy does. True: the answer was given."""
        wanted = self.options.proxy_user
        if wanted is not None:
            if headers.get(b"proxy-authorization") != b"Basic " + base64.b64encode(wanted.encode()):
                self.send(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                          b"Content-Length: 0\r\n\r\n")
                return True
        if method != b"CONNECT":
            return False
        if self.options.connect == 200:
            self.tunnel(target)
        self.send(b"HTTP/1.1 %d No\r\nWWW-Authenticate: Basic realm=\"p\"\r\nLocation: http://127.0.0.1:9/\r\n"
                  b"Content-Length: 0\r\n\r\n" % self.options.connect)
        return True

    def request(self):
        if not self.buffer:
            self.fill()
        if self.buffer[:1] == b"\x16":  # a TLS handshake: what usual servers say to it
            self.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis is plain HTTP\n")
            raise Gone()
        first = self.line()
        if not first:
            return
        lines, headers = [], {}
        while True:
            line = self.line()
            if not line:
                break
            lines.append(line)
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        method, target, _ = first.split(b" ", 2)
        if target.endswith(b"/_diary"):
            return self.control(method)
        if not self.number:
            self.number = self.diary.connection()
        self.requests += 1
        head = b"REQ conn=%d n=%d %s %s\n" % (self.number, self.requests, method, target)
        entry = self.diary.add(head + b"".join(line + b"\n" for line in lines))
        if self.proxied(method, target, headers):
            return
        query = target.partition(b"?")[2]
        steps = [tuple(step.partition(b"=")[::2]) for step in query.split(b"&") if step]
        names = [name for name, _ in steps]
        self.entry, self.upload = entry, self.pieces(headers)
        if b"read" in names:
            self.drain(int(dict(steps)[b"read"]))
        elif b"early" not in names:
            self.drain()
        if method == b"HEAD":
            self.begin(dict(steps).get(b"status", b"200"))
            self.implied_length(steps)
            for name, value in steps:
                if name in (b"header", b"length", b"chunked"):
                    self.step(name, value)
            self.flush()
            return
        self.answer(steps)
        if not entry["complete"]:
            raise Gone()

    def socks(self):
        version, methods = self.exactly(2)
        self.exactly(methods)
        self.send(b"\x05\x00")
        _, _, _, kind = self.exactly(4)
        if kind == 3:
            name = b"name " + self.exactly(self.exactly(1)[0])
        else:
            name = b"address " + socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6,
                                                  self.exactly(4 if kind == 1 else 16)).encode()
        port = struct.unpack("!H", self.exactly(2))[0]
        self.diary.add(b"SOCKS %s port %d\n" % (name, port))
        self.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")

    def serve(self):
        if self.options.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.options.tls)
            if self.options.client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.options.client_ca)
            self.sock = context.wrap_socket(self.sock, server_side=True)
        if self.options.socks:
            self.socks()
        while not self.options.keep or self.requests < self.options.keep:
            self.request()


def handle(sock, options, diary):
    connection = Connection(sock, options, diary)
    try:
        connection.serve()
    except (Gone, OSError):
        pass
    try:
        connection.sock.close()
    except OSError:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unix")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--keep", type=int, default=0)
    parser.add_argument("--connect", type=int, default=200)
    parser.add_argument("--proxy-user")
    parser.add_argument("--rcvbuf", type=int, default=0)
    parser.add_argument("--socks", action="store_true")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    if options.unix:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.unix)
    else:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.rcvbuf:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf)
        listener.bind(("127.0.0.1", options.port))
    listener.listen(64)
    print(0 if options.unix else listener.getsockname()[1], flush=True)
    diary = Diary()

    def accept():
        while True:
            sock, _ = listener.accept()
            if not options.unix:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=handle, args=(sock, options, diary), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    while os.read(0, 4096):
        pass
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
