#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A token service, and a front that makes a plain docker-registry demand its tokens.

    tokens.py --registry 127.0.0.1:5000 --diary FILE [options]

prints one line of JSON with its ports, {"front": 4001, "tokens": 4002, "store": 4003, "pid": 7}, then serves until it is
killed. All listeners are on 127.0.0.1. Point a client at 127.0.0.1:FRONT.

  front    everything under /v2/ is passed on to --registry (streamed both ways), but only with "Authorization: Bearer T" for
           a T that the token service gave out, is young enough, and has the scope for what is asked. Else 401 and a
           challenge. Location headers of the registry are rewritten to the front.
  tokens   GET /token?service=&scope= (Basic or anonymous) and POST /token (grant_type=refresh_token|password).
  store    "the object store": with --redirect, blob GETs are answered by the front with a redirect there. It answers 400
           to any request with Authorization, as S3 does, and 403 to one without the signature that the redirect carried.

The diary has one JSON object a line, written before the answer is sent:
  {"on": "front", "method": "GET", "path": "/v2/...", "authorization": "Bearer" | "Basic" | null, "status": 200}
Query strings and secrets are not in it; a token request has its "scope" and "user" beside these.

Options:
  --user NAME:PASSWORD       may pull and push (repeatable). Without any, everybody may, and Basic is not looked at.
  --refresh NAME:TOKEN       an identity token for POST (repeatable)
  --anonymous-pull           who names nobody may pull
  --life SECONDS             tokens are refused after so long (300)
  --say-life SECONDS         what expires_in says, if it is not the truth; -1: it is left out
  --issued WHEN              what issued_at says, "" for the truth (2009-11-10T23:00:00Z)
  --answer token|access_token|both      the name under which it is handed out (token)
  --no-post                  the service answers 404 to POST
  --no-scope                 the challenge has no scope
  --challenge plain|several|headers|lower   one challenge; Negotiate and Basic in front of it in one header; the same in
                             several headers; "bearer" with spaces round the equals signs
  --open-v2                  GET /v2/ itself is answered 200 without a token
  --realm URL                what the challenge names instead of our own service
  --redirect                 blob GETs are redirected to the store
  --redirect-relative        ... with a relative Location, at the front itself
  --redirect-status N        307
  --store-bearer             the store itself wants a Bearer token that it gives to anybody
  --basic                    the front asks for Basic instead, of the --user list
  --refuse-first N           the first N tokens handed out are refused by the front
  --encode                   blobs are sent with "Content-Encoding: gzip" in the header, as they are
  --digest-header wrong|none what becomes of Docker-Content-Digest
"""

import argparse
import base64
import http.client
import http.server
import json
import os
import re
import secrets
import sys
import threading
import time
import urllib.parse

PIECE = 64 * 1024
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate",
              "proxy-authorization", "content-length"}


class World:
    """What the listeners share."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.diary = open(options.diary, "a", buffering=1) if options.diary else None
        self.users = dict(u.split(":", 1) for u in options.user)
        self.refresh = {t: u for u, t in (r.split(":", 1) for r in options.refresh)}
        self.tokens = {}  # token -> (born, {(repository, action)})
        self.refused = set()
        self.signatures = set()
        self.ports = {}

    def write(self, **line):
        if self.diary:
            with self.lock:
                self.diary.write(json.dumps(line) + "\n")

    def give_token(self, grants):
        token = secrets.token_urlsafe(24)
        with self.lock:
            if len(self.refused) < self.options.refuse_first:
                self.refused.add(token)
            self.tokens[token] = (time.monotonic(), grants)
        return token

    def token_allows(self, token, wanted):
        """wanted: None for /v2/ itself, else (repository, action)."""
        with self.lock:
            born, grants = self.tokens.get(token, (None, None))
            if born is None or token in self.refused:
                return False
        if time.monotonic() - born > self.options.life:
            return False
        return wanted is None or wanted in grants

    def url(self, which):
        return "http://127.0.0.1:%d" % self.ports[which]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = "?"
    world = None
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def note(self, status, **more):
        kind = (self.headers.get("Authorization") or "").split(" ")[0] or None
        path = self.path.split("?")[0]
        self.world.write(on=self.name, method=self.command, path=path, authorization=kind, status=status, **more)

    def reply(self, status, body=b"", headers=(), **more):
        """A small answer, noted. A request body that nobody reads costs the connection."""
        self.note(status, **more)
        if self.command in ("PUT", "PATCH", "POST") and not getattr(self, "body_read", False):
            left = self.headers.get("Content-Length")
            if self.headers.get("Transfer-Encoding") or (left and int(left)):
                self.close_connection = True
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code, message, headers=(), **more):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.reply(status, body, [("Content-Type", "application/json"), *headers], **more)

    def basic(self):
        """(user, password), (None, None) without a header, ("", "") if it is broken."""
        value = self.headers.get("Authorization")
        if not value:
            return None, None
        try:
            user, password = base64.b64decode(value.split(" ", 1)[1]).decode().split(":", 1)
            return user, password
        except (IndexError, ValueError):
            return "", ""


class Tokens(Handler):
    name = "tokens"

    def grants(self, scopes, user):
        options = self.world.options
        out = set()
        for scope in " ".join(scopes).split():
            kind, _, rest = scope.partition(":")
            repository, _, actions = rest.rpartition(":")
            if kind != "repository":
                continue
            for action in actions.split(","):
                if user is not None or not self.world.users or (action == "pull" and options.anonymous_pull):
                    out.add((repository, action))
        return out

    def hand_out(self, scopes, user):
        options = self.world.options
        token = self.world.give_token(self.grants(scopes, user))
        answer = {}
        if options.answer in ("token", "both"):
            answer["token"] = token
        if options.answer in ("access_token", "both"):
            answer["access_token"] = token
        life = options.life if options.say_life is None else options.say_life
        if life >= 0:
            answer["expires_in"] = int(life)
        answer["issued_at"] = options.issued or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.reply(200, json.dumps(answer).encode(), [("Content-Type", "application/json")],
                   scope=" ".join(scopes), user=user)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = query.get("scope", [])
        user, password = self.basic()
        if user is not None and self.world.users:
            known = self.world.users.get(user) == password or self.world.refresh.get(password) is not None
            if not known:
                return self.fail(401, "UNAUTHORIZED", "wrong user name or password", scope=" ".join(scopes), user=None)
        self.hand_out(scopes, user)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        self.body_read = True
        scopes = form.get("scope", [])
        if self.world.options.no_post:
            return self.reply(404, b"404 page not found\n", scope=" ".join(scopes))
        user = None
        if form.get("grant_type") == ["refresh_token"]:
            user = self.world.refresh.get(form.get("refresh_token", [""])[0])
        elif form.get("grant_type") == ["password"]:
            name = form.get("username", [""])[0]
            user = name if self.world.users.get(name) == form.get("password", [""])[0] else None
        if user is None:
            body = json.dumps({"error": "invalid_grant", "error_description": "unknown token"}).encode()
            return self.reply(400, body, [("Content-Type", "application/json")], scope=" ".join(scopes))
        self.hand_out(scopes, user)


class Passing(Handler):
    """Passes a request on to the registry, and its answer back, piece by piece."""

    def body_pieces(self):
        self.body_read = True
        if (self.headers.get("Transfer-Encoding") or "").lower() == "chunked":
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if not size:
                    while self.rfile.readline().strip():
                        pass
                    return
                left = size
                while left:
                    piece = self.rfile.read(min(left, PIECE))
                    if not piece:
                        raise ConnectionError
                    left -= len(piece)
                    yield piece
                self.rfile.readline()
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionError
            left -= len(piece)
            yield piece

    def pass_on(self, path=None):
        host, port = self.world.options.registry.rsplit(":", 1)
        up = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            self.pass_on_over(up, path or self.path)
        except (ConnectionError, OSError, http.client.HTTPException, ValueError):
            self.close_connection = True
        finally:
            up.close()

    def pass_on_over(self, up, path):
        up.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        up.putheader("Host", self.headers.get("Host", "localhost"))
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP | {"authorization", "host"}:
                up.putheader(name, value)
        chunked = (self.headers.get("Transfer-Encoding") or "").lower() == "chunked"
        if chunked:
            up.putheader("Transfer-Encoding", "chunked")
        elif self.headers.get("Content-Length") is not None:
            up.putheader("Content-Length", self.headers["Content-Length"])
        up.endheaders()
        for piece in self.body_pieces():
            up.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            up.send(b"0\r\n\r\n")
        self.send_back(up.getresponse())

    def send_back(self, answer):
        options = self.world.options
        self.note(answer.status)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            lower = name.lower()
            if lower == "location" and not value.startswith("/"):
                parts = urllib.parse.urlsplit(value)
                value = urllib.parse.urlunsplit(("http", "127.0.0.1:%d" % self.world.ports["front"], parts.path,
                                                 parts.query, ""))
            if lower == "docker-content-digest" and options.digest_header:
                if options.digest_header == "none":
                    continue
                value = "sha256:" + "0" * 64
            if lower not in HOP_BY_HOP:
                self.send_header(name, value)
        length = answer.getheader("Content-Length")
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", length)
        if options.encode and "/blobs/sha256:" in self.path and answer.status == 200:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if self.command == "HEAD":
            return
        while True:
            piece = answer.read(PIECE)
            if not piece:
                break
            self.wfile.write(piece)


class Front(Passing):
    name = "front"
    route = re.compile(r"^/v2/(.+)/(manifests|blobs|tags)/(.*)$")

    def wanted(self):
        found = self.route.match(self.path.split("?")[0])
        if not found:
            return None
        return found.group(1), "pull" if self.command in ("GET", "HEAD") else "push"

    def challenge(self, wanted):
        options = self.world.options
        realm = options.realm or self.world.url("tokens") + "/token"
        bearer = 'Bearer realm="%s",service="test registry, the \\"first\\""' % realm
        if wanted and not options.no_scope:
            bearer += ',scope="repository:%s:%s"' % (wanted[0], "pull" if wanted[1] == "pull" else "pull,push")
        if options.challenge == "several":
            return [("WWW-Authenticate", 'Negotiate, Basic realm="a, b=\\"c\\"", ' + bearer)]
        if options.challenge == "headers":
            return [("WWW-Authenticate", "Negotiate abc=="), ("WWW-Authenticate", 'Basic realm="x"'),
                    ("WWW-Authenticate", bearer)]
        if options.challenge == "lower":
            return [("WWW-Authenticate", bearer.replace("Bearer", "bearer").replace('="', ' = "', 2))]
        return [("WWW-Authenticate", bearer)]

    def may(self, wanted):
        options = self.world.options
        value = self.headers.get("Authorization") or ""
        if options.basic:
            user, password = self.basic()
            return bool(user) and self.world.users.get(user) == password
        if options.open_v2 and wanted is None:
            return True
        return value.startswith("Bearer ") and self.world.token_allows(value[7:], wanted)

    def refuse(self, wanted):
        if self.world.options.basic:
            headers = [("WWW-Authenticate", 'Basic realm="front"')]
        else:
            headers = self.challenge(wanted)
        self.fail(401, "UNAUTHORIZED", "authentication required", headers)

    def redirect(self):
        options = self.world.options
        signature = secrets.token_hex(8)
        with self.world.lock:
            self.world.signatures.add(signature)
        if options.redirect_relative:
            location = "/stored%s?signature=%s" % (self.path, signature)
        else:
            location = "%s%s?signature=%s" % (self.world.url("store"), self.path, signature)
        self.reply(options.redirect_status, b"", [("Location", location)])

    def handle_one(self):
        options = self.world.options
        if self.path.startswith("/stored/"):
            return self.pass_on(self.path[len("/stored"):].split("?")[0])
        wanted = self.wanted()
        if not self.may(wanted):
            return self.refuse(wanted)
        redirecting = options.redirect or options.redirect_relative
        if redirecting and self.command == "GET" and "/blobs/sha256:" in self.path:
            return self.redirect()
        self.pass_on()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one


class Store(Passing):
    name = "store"

    def handle_one(self):
        value = self.headers.get("Authorization")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        with self.world.lock:
            signed = query.get("signature", [""])[0] in self.world.signatures
        if self.world.options.store_bearer:
            if not value or not self.world.token_allows(value[7:], None):
                realm = self.world.url("tokens") + "/token"
                return self.fail(401, "UNAUTHORIZED", "for everybody, but with a token",
                                 [("WWW-Authenticate", 'Bearer realm="%s",service="store",scope="store:all"' % realm)])
        elif value:
            return self.reply(400, b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed"
                                   b"</Message></Error>", [("Content-Type", "application/xml")])
        if not signed:
            return self.reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        self.pass_on(self.path.split("?")[0])

    do_GET = do_HEAD = handle_one


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


def parse_options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--registry", required=True)
    p.add_argument("--diary")
    p.add_argument("--user", action="append", default=[])
    p.add_argument("--refresh", action="append", default=[])
    p.add_argument("--anonymous-pull", action="store_true")
    p.add_argument("--life", type=float, default=300)
    p.add_argument("--say-life", type=float)
    p.add_argument("--issued", default="2009-11-10T23:00:00Z")
    p.add_argument("--answer", choices=("token", "access_token", "both"), default="token")
    p.add_argument("--no-post", action="store_true")
    p.add_argument("--no-scope", action="store_true")
    p.add_argument("--challenge", choices=("plain", "several", "headers", "lower"), default="plain")
    p.add_argument("--open-v2", action="store_true")
    p.add_argument("--realm")
    p.add_argument("--redirect", action="store_true")
    p.add_argument("--redirect-relative", action="store_true")
    p.add_argument("--redirect-status", type=int, default=307)
    p.add_argument("--store-bearer", action="store_true")
    p.add_argument("--basic", action="store_true")
    p.add_argument("--refuse-first", type=int, default=0)
    p.add_argument("--encode", action="store_true")
    p.add_argument("--digest-header", choices=("wrong", "none"))
    return p.parse_args()


def main():
    world = World(parse_options())
    servers = []
    for kind in (Front, Tokens, Store):
        handler = type(kind.__name__, (kind,), {"world": world})
        server = Server(("127.0.0.1", 0), handler)
        world.ports[kind.name] = server.server_address[1]
        servers.append(server)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({**world.ports, "pid": os.getpid()}), flush=True)
    try:
        servers[0].serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
