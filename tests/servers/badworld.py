# SPDX-License-Identifier: Apache-2.0
"""What the listeners of badregistry.py share, and a request as it came."""
import hashlib
import json
import re
import secrets
import threading
import time

import badblobs
import badrules
from slow import Rate


class World:
    """What the listeners share."""

    def __init__(self, options):
        self.options, self.lock = options, threading.Lock()
        self.shelf = badblobs.Shelf()
        for spec in options.image:
            self.shelf.synthetic(spec, options.seed)
        if options.folder:
            self.shelf.folder(options.folder)
        text = options.rules or "[]"
        if not text.lstrip().startswith("["):
            with open(text) as file:
                text = file.read()
        self.rules = badrules.Rules(json.loads(text), options.seed)
        self.entries, self.connections, self.requests, self.sent = [], 0, 0, 0
        self.file = open(options.diary, "a", buffering=1) if options.diary else None
        self.rate = Rate(options.rate) if options.rate else None
        self.tokens, self.secret, self.ports = {}, secrets.token_hex(8), {}

    def url(self, which):
        return "http://127.0.0.1:%d" % self.ports[which]

    def sign(self, digest, life, refuse):
        until = "%.3f" % (time.monotonic() + life)
        return "?X-Amz-Until=%s&refuse=%d&X-Amz-Signature=%s" % (until, refuse, self.signature(digest, until))

    def signature(self, digest, until):
        return hashlib.sha256((self.secret + digest + until).encode()).hexdigest()[:32]

    def challenge(self, request):
        found = re.match(r"^/v2/(.+)/(manifests|blobs)/", request.path)
        scheme = "https" if self.options.tls else "http"
        host = request.headers.get("host", "127.0.0.1:%d" % self.ports["registry"])
        text = 'Bearer realm="%s://%s/_token",service="bad"' % (scheme, host)
        return text + (',scope="repository:%s:pull"' % found[1] if found else "")

    def token(self):
        token = secrets.token_urlsafe(24)
        with self.lock:
            self.tokens[token] = time.monotonic()
        life = self.options.token_life if self.options.say_life is None else self.options.say_life
        return json.dumps({"token": token, "expires_in": int(life or 300)}).encode()

    def allows(self, request):
        life = self.options.token_life
        if life is None or not request.path.startswith("/v2"):
            return True
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        with self.lock:
            born = self.tokens.get(token)
        return kind == "Bearer" and born is not None and time.monotonic() - born <= life

    def note(self, entry):
        with self.lock:
            self.requests += 1
            self.entries.append(entry)

    def end(self, entry):
        entry["done"] = time.time()
        with self.lock:
            self.sent += entry["sent"]
            if self.file:
                self.file.write(json.dumps(entry) + "\n")


class Request:
    def __init__(self, raw):
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, _ = (lines[0] + "  ").split(" ", 2)
        if self.target.startswith("http://"):
            # As a proxy is asked; it is all the same server.
            self.target = "/" + self.target[len("http://"):].partition("/")[2]
        self.path, _, self.query = self.target.partition("?")
        self.headers, self.kind = {}, None
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip().lower()] = value.strip()

    def range(self, size=None):
        """[first, last] of the request's only range, last None where it is open; None without one that can be read."""
        found = re.fullmatch(r"bytes=([0-9]+)-([0-9]*)", self.headers.get("range", ""))
        if not found:
            return None
        last = int(found[2]) if found[2] else None
        if size is not None:
            last = size - 1 if last is None else min(last, size - 1)
        return [int(found[1]), last]

    def range_start(self):
        found = self.range()
        return found[0] if found else 0
