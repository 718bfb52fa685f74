#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that is read from, and misbehaves request by request as its rules say.

    badregistry.py [--image NAME[:TAG]=SIZE[*N],...]... [--folder DIR] [--rules FILE|JSON] [--diary FILE] [options]

prints one line of JSON with its ports and its seed, {"registry": 4001, "store": 4002, "pid": 7, "seed": 1}, then serves on
127.0.0.1 until it is killed.

  registry   /v2/test/NAME/manifests/1 and the blobs. A path in front of test/NAME does not matter (mirrors).
             It also serves as an HTTP proxy, behind which every host is itself.
  store      "the object store" that rules redirect to: /store/sha256:... with or without a signature. It answers 400 to any
             Authorization, as S3 does, 403 to a HEAD of what was signed, and 403 (or what the rule says) with XML when the
             signature is too old.
  /_token    of the registry's port, with --token-life: gives a Bearer token to everybody
  /_rules    PUT: new rules, counted from 1 again. GET: them
  /_diary    one JSON object a request, in the order in which they came. DELETE: forgets them. Requests to /_... themselves
             are not written down, but for /_token
                 {"time": when it came, "done": when its answer had ended, "on": "registry", "conn": 3, "method": "GET",
                  "path": "/v2/...", "query": "", "range": [0, 99] or null, "headers": {...}, "raw": "all bytes of the request",
                  "status": 206, "said": what Content-Length said, "first": where its body began in the blob,
                  "sent": bytes of the body that the client has got, "rule": number of the rule or null}
  /_papers/NAME[:TAG]   the manifest of test/NAME as it is, whatever the rules say
  /_stats    {"requests": 9, "sent": 12345}

Rules: badrules.py says which request, baddeeds.py what becomes of its answer; GET, HEAD, /_token and the store alike.

Options:
  --image SPEC        an image without a folder: layers of these sizes (64k, 2G; "4k*100": a hundred), bytes from the seed
  --folder DIR        images that fixtures/image/make.sh made
  --seed N            of the bytes and of chance; printed, so that a run can be repeated
  --rules TEXT        a file, or the JSON itself
  --diary FILE        the diary's lines, each written when its answer has ended
  --rate BYTES        a second, all connections together;  --rate-each BYTES: each
  --token-life N      everything under /v2/ wants a token, which is refused after N seconds;  --say-life N: what expires_in says
  --port N            a free one without
  --tls CERT KEY      the registry's port speaks TLS
"""
import argparse
import fcntl
import json
import os
import random
import re
import select
import socket
import ssl
import struct
import sys
import termios
import threading
import time
import urllib.parse

import badblobs
import baddeeds
from badworld import Request, World
from slow import Rate

REASONS = {200: "OK", 206: "Partial Content", 307: "Temporary Redirect", 404: "Not Found", 416: "Range Not Satisfiable",
           429: "Too Many Requests", 503: "Service Unavailable"}
FOR_EVER = 3600


class Gone(Exception):
    """The connection is over."""


class Connection:
    def __init__(self, world, name, sock):
        self.world, self.name, self.sock, self.buffer = world, name, sock, b""
        self.rate = Rate(world.options.rate_each) if world.options.rate_each else None
        with world.lock:
            world.connections += 1
            self.number = world.connections

    # ---- asked

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Gone()
        self.buffer += data

    def serve(self):
        while True:
            while b"\r\n\r\n" not in self.buffer:
                self.fill()
                if self.buffer[0] < 0x20:
                    raise Gone()  # TLS at a plain port: the client must not wait for an answer
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            request = Request(head)
            length = int(request.headers.get("content-length", 0))
            while len(self.buffer) < length:
                self.fill()
            body, self.buffer = self.buffer[:length], self.buffer[length:]
            self.handle(request, head + b"\r\n\r\n" + body, body)
            if request.headers.get("connection", "").lower() == "close":
                raise Gone()

    def handle(self, request, raw, body):
        if re.match(r"^/_(rules|diary|stats|papers/.*)$", request.path):
            return self.send(request, self.control(request, body), {"sent": 0})
        entry = {"time": time.time(), "done": None, "on": self.name, "conn": self.number, "method": request.method,
                 "path": request.path, "query": request.query, "range": request.range(), "headers": request.headers,
                 "raw": raw.decode("latin-1"), "status": None, "said": None, "first": 0, "sent": 0, "rule": None}
        self.world.note(entry)
        request.kind = self.world.shelf.kind(request.path)
        number, do, chance = self.world.rules.find(request)
        answer = baddeeds.apply(do, request, self.honest(request), chance, self.world)
        entry["rule"] = number
        try:
            self.send(request, answer, entry)
        except OSError:
            entry["sent"] = max(0, entry["sent"] - self.waiting())
            raise
        finally:
            self.world.end(entry)

    def control(self, request, body):
        world = self.world
        if request.path == "/_stats":
            with world.lock:
                open_ones = sum(e["sent"] for e in world.entries if e["done"] is None)
                return baddeeds.Answer(200, json.dumps({"requests": world.requests, "sent": world.sent + open_ones}).encode())
        if request.path.startswith("/_papers/"):
            name, _, tag = request.path[len("/_papers/"):].partition(":")
            paper = world.shelf.find_manifest("test/" + name, tag or "1")
            return baddeeds.Answer(200, paper[2]) if paper else baddeeds.Answer(404)
        if request.path == "/_rules":
            if request.method == "PUT":
                try:
                    world.rules.set(json.loads(body))
                except (ValueError, re.error) as error:
                    return baddeeds.Answer(400, ("%s\n" % error).encode())
            return baddeeds.Answer(200, json.dumps(world.rules.rules).encode() + b"\n")
        with world.lock:
            if request.method == "DELETE":
                world.entries, world.requests, world.sent = [], 0, 0
            return baddeeds.Answer(200, "".join(json.dumps(e) + "\n" for e in world.entries).encode())

    # ---- what an honest registry would say

    def honest(self, request):
        if request.method not in ("GET", "HEAD"):
            return baddeeds.Answer(405)
        if request.path.startswith("/_token"):
            return baddeeds.Answer(200, self.world.token(), {"Content-Type": "application/json"})
        if not self.world.allows(request):
            return baddeeds.Answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
                                   {"Content-Type": "application/json", "WWW-Authenticate": self.world.challenge(request)})
        if request.path in ("/v2", "/v2/"):
            return baddeeds.Answer(200, b"{}", {"Content-Type": "application/json"})
        found = re.match(r"^/v2/(.+)/(manifests|blobs)/([^/]+)$", request.path)
        if found and found[2] == "manifests":
            paper = self.world.shelf.find_manifest(found[1], found[3])
            if paper:
                return baddeeds.Answer(200, paper[2], {"Content-Type": paper[1], "Docker-Content-Digest": paper[0]})
        if found and found[3] in self.world.shelf.blobs:
            return self.blob(request, found[3])
        found = re.match(r"^/store/([^/]+)$", request.path)
        if found and found[1] in self.world.shelf.blobs:
            return self.stored(request, found[1])
        found = re.match(r"^/_(loop|chain)/([0-9]+)/([^/]+)$", request.path)
        if found:
            return self.hop(found[1], int(found[2]), found[3])
        return baddeeds.Answer(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}',
                               {"Content-Type": "application/json"})

    def blob(self, request, digest):
        answer = baddeeds.Answer(200, self.world.shelf.blobs[digest],
                                 {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest})
        answer.is_blob = True
        size = answer.content.size
        asked = request.range(size)
        if asked and asked[0] > asked[1]:
            return baddeeds.Answer(416, b"", {"Content-Range": "bytes */%d" % size})
        if asked:
            answer.part(asked[0], asked[1] + 1)
        return answer

    def stored(self, request, digest):
        query = dict(urllib.parse.parse_qsl(request.query))
        xml = {"Content-Type": "application/xml"}
        if "authorization" in request.headers:
            return baddeeds.Answer(400, b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the "
                                        b"X-Amz-Algorithm query parameter, Signature query string parameter or the "
                                        b"Authorization header should be specified</Message></Error>", xml)
        if "X-Amz-Until" in query:
            until = query["X-Amz-Until"]
            if query.get("X-Amz-Signature") != self.world.signature(digest, until) or request.method != "GET":
                return baddeeds.Answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", xml)
            if time.monotonic() > float(until):
                return baddeeds.Answer(int(query["refuse"]), b"<Error><Code>AccessDenied</Code><Message>Request has expired"
                                                             b"</Message></Error>", xml)
        return self.blob(request, digest)

    def hop(self, kind, number, digest):
        if kind == "loop":
            location = "/_loop/%d/%s" % (3 - number, digest)
        else:
            location = "/_chain/%d/%s" % (number - 1, digest) if number > 1 else self.world.url("store") + "/store/" + digest
        return baddeeds.Answer(307, b"", {"Location": location})

    # ---- answered

    def head(self, answer):
        lines = ["HTTP/1.1 %d %s" % (answer.status, REASONS.get(answer.status, "Whatever"))]
        for name, value in answer.headers.items():
            lines += ["%s: %s" % (name, v) for v in (value if isinstance(value, list) else [value])]
        if answer.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif answer.length is not None:
            lines.append("Content-Length: %d" % answer.length)
        return "\r\n".join(lines + ["", ""]).encode("utf-8", "surrogateescape")

    def send(self, request, answer, entry):
        entry.update(status=answer.status, said=answer.length, first=answer.start)
        way = answer.delivery
        if "pause" in way:
            self.wait(way["pause"])
        self.crossing(-2, way, entry)
        head = self.head(answer)
        if any(way.get(key, {}).get("at") == -1 for key in ("stall", "cut")):
            half = head.index(b"\r\n") + 2
            self.sock.sendall(head[:half + 5])
            self.crossing(-1, way, entry)
            head = head[half + 5:]
        self.sock.sendall(head)
        if request.method != "HEAD":
            self.body(answer, way, entry)
        # Where no length was said, only the end of the connection says that all has come.
        framed = answer.chunked or answer.length is not None or answer.status in (204, 304)
        if request.method != "HEAD" and (not framed or (answer.length or 0) > answer.end - answer.start):
            raise Gone()

    def body(self, answer, way, entry):
        """Piece by piece; a piece ends where something is to happen, or where a rate must be kept."""
        drip = Rate(way["drip"]) if "drip" in way else None
        rates = [rate for rate in (drip, self.rate, self.world.rate) if rate]
        most = max(1, min([int(rate.rate / 50) for rate in rates] + [badblobs.VIEW]))
        places = sorted(way[key]["at"] for key in ("stall", "cut") if key in way and way[key]["at"] >= 0)
        sent = 0
        self.crossing(0, way, entry)
        for view in answer.content.views(answer.start, answer.end):
            at = 0
            while at < len(view):
                stop = min([at + most, len(view)] + [p - sent + at for p in places if p > sent])
                for rate in rates:
                    rate.wait(stop - at)
                piece = view[at:stop]
                if answer.chunked:
                    piece = b"%x\r\n%s\r\n" % (len(piece), bytes(piece))
                self.sock.sendall(piece)
                sent += stop - at
                entry["sent"] = sent
                at = stop
                if sent in places:
                    self.crossing(sent, way, entry)
        if answer.chunked:
            self.sock.sendall(b"0\r\n\r\n")

    def crossing(self, at, way, entry):
        """What happens at this place: first the stall, then the cut."""
        if way.get("stall", {}).get("at") == at:
            self.wait(way["stall"].get("seconds", FOR_EVER))
        if way.get("cut", {}).get("at") == at:
            if way["cut"].get("reset"):
                self.reset(entry)
            raise Gone()

    def wait(self, seconds):
        """Or until the client goes away."""
        poller = select.poll()
        poller.register(self.sock, select.POLLRDHUP)
        if poller.poll(seconds * 1000):
            raise Gone()

    def waiting(self):
        """Bytes that the other side's kernel has not got yet."""
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0\0\0\0"))[0]

    def reset(self, entry):
        # What lies in a queue is lost with the connection. Let it arrive first, so that the diary counts what a client got.
        for _ in range(100):
            if not self.waiting():
                break
            time.sleep(0.01)
        time.sleep(0.01)
        entry["sent"] = max(0, entry["sent"] - self.waiting())
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def run(world, name, sock, context):
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        Connection(world, name, sock).serve()
    except (Gone, OSError, ValueError, KeyError) as error:
        if isinstance(error, (ValueError, KeyError)):
            print("badregistry.py: %r" % error, file=sys.stderr, flush=True)
    finally:
        sock.close()


def listen(world, name, listener, context=None):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=run, args=(world, name, sock, context), daemon=True).start()


def parse_options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--image", action="append", default=[])
    p.add_argument("--folder")
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    p.add_argument("--rules")
    p.add_argument("--diary")
    p.add_argument("--rate", type=int)
    p.add_argument("--rate-each", type=int)
    p.add_argument("--token-life", type=float)
    p.add_argument("--say-life", type=float)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--tls", nargs=2)
    return p.parse_args()


def main():
    world = World(parse_options())
    listeners = []
    for name in ("registry", "store"):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Small, so that what was sent is nearly what was received, also where a client is killed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 512 * 1024)
        listener.bind(("127.0.0.1", world.options.port if name == "registry" else 0))
        listener.listen(256)
        world.ports[name] = listener.getsockname()[1]
        listeners.append(listener)
    context = None
    if world.options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*world.options.tls)
    threading.Thread(target=listen, args=(world, "store", listeners[1]), daemon=True).start()
    print(json.dumps({**world.ports, "pid": os.getpid(), "seed": world.options.seed}), flush=True)
    listen(world, "registry", listeners[0], context)


if __name__ == "__main__":
    main()
